"""Finds what may be identical: units, attention heads, whole layers. What stays so does the work of one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from zerostart.diagnosis.findings import Finding, joined
from zerostart.diagnosis.variables import in_code, is_kernel, layer_name, layers_by_variable, redrawn
from zerostart.symmetry import close_rows

# Relative. Rounding drives the units of a symmetric net apart, so if all are this close, they are the same. Copies of
# some must be closer, and no others nearly as close: among many units some are close by chance.
ALL_SAME, COPY = 1e-3, 1e-5
COMPARED = 2**19  # weights of one kernel that are compared
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)


@dataclass
class Family:
    """Members that may be identical, up to a sign: tanh(-x) = -tanh(x), so mirrored units may do the same work."""

    what: str  # units, heads or layers
    owners: list[int]  # position of each member's variable
    places: np.ndarray  # where the weights of each member are in its flat variable, shape (weights, members)
    groups: np.ndarray  # of each member: equal numbers are identical members
    signs: np.ndarray  # 1 or -1 for each member: its weights times this are those of the others

    @property
    def different(self) -> int:
        """How many different members there are."""
        return len(np.unique(self.groups))

    @property
    def copies(self) -> np.ndarray:
        """Members of the largest group of identical ones."""
        return np.flatnonzero(self.groups == np.bincount(self.groups).argmax())

    @property
    def mirrored(self) -> bool:
        """Whether identical members have different signs."""
        return len(np.unique(self.signs[self.copies])) > 1

    def values(self, arrays: list[np.ndarray]) -> np.ndarray:
        """Return the members' entries of `arrays` (one for each variable), shape `(members, weights)`."""
        each = {owner: arrays[owner].ravel() for owner in set(self.owners)}
        return np.stack([each[owner][places] for owner, places in zip(self.owners, self.places.T, strict=True)])

    def split(self, rows: np.ndarray) -> None:
        """Split groups whose members differ in `rows`, shape `(members, entries)`."""
        rows = rows.astype("float64")
        longest = np.linalg.norm(rows, axis=1).max()
        close = close_rows(rows, ALL_SAME * longest)
        if close.any():
            copies = close_rows(rows, COPY * longest)
            close = copies if copies.max() == close.max() else np.arange(len(rows))
        self.groups = np.unique(np.stack([self.groups, close]), axis=1, return_inverse=True)[1].ravel()


def families_of(model: keras.Model, values: list[np.ndarray]) -> list[Family]:
    """Return all families with at least two identical members, given the values of the trainable variables."""
    variables, owner = model.trainable_variables, layers_by_variable(model)
    found, shapes = [], {}
    for position, variable in enumerate(variables):
        if is_kernel(variable):
            shapes.setdefault(tuple(variable.shape), []).append(position)
            for what, places in _members(variable, owner.get(id(variable))):
                found.append(_family(what, [position] * places.shape[1], places, values))
    for owners in shapes.values():
        if len(owners) > 1:
            places = np.arange(values[owners[0]].size)[:, np.newaxis]
            found.append(_family("layers", owners, np.broadcast_to(places, (len(places), len(owners))), values))
    return [family for family in found if family.different < len(family.groups)]


def _family(what: str, owners: list[int], places: np.ndarray, values: list[np.ndarray]) -> Family:
    most = max(COMPARED // len(owners), 16)
    if len(places) > most:  # some weights suffice to tell members apart
        places = np.random.default_rng(0).choice(places, most, replace=False)
    family = Family(what, owners, places, np.zeros(len(owners), dtype=int), np.ones(len(owners)))
    rows = family.values(values)
    family.signs = np.where(rows @ np.random.default_rng(0).normal(size=len(places)) < 0, -1.0, 1.0)
    family.split(rows * family.signs[:, np.newaxis])
    return family


def _members(variable: keras.Variable, layer: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what a kernel may consist of, and where in the flat kernel the weights of each member are."""
    shape = tuple(variable.shape)
    places = np.arange(np.prod(shape)).reshape(shape)
    if layer is None or not type(layer).__module__.startswith("keras."):  # which axis counts units is up to the layer
        for axis in reversed(range(len(shape))):
            yield "units", np.moveaxis(places, axis, -1).reshape(-1, shape[axis])
    elif isinstance(layer, layers.EinsumDense) and len(shape) == 3 and len(layer.partial_output_shape) == 3:
        yield "heads", places.swapaxes(1, 2).reshape(-1, shape[1])  # (inputs, heads, units of a head)
        yield "units", places.reshape(shape[0], -1)
    else:
        yield "units", _by_unit(places, variable.name, layer)


def _by_unit(places: np.ndarray, name: str, layer: keras.Layer) -> np.ndarray:
    if isinstance(layer, TRANSPOSED):  # (..., filters, channels)
        places = places.swapaxes(-1, -2)
    if isinstance(layer, DEPTHWISE) or name == "depthwise_kernel":  # (..., channels, multiplier)
        places = places.reshape(*places.shape[:-2], -1)
    units = getattr(layer, "units", getattr(layer, "filters", None))
    if not isinstance(units, int) or units < 1 or places.shape[-1] % units:
        units = places.shape[-1]
    return places.reshape(-1, units)  # the gates of an LSTM or GRU lie side by side in the last axis


def twins(model: keras.Model, families: list[Family]) -> list[Finding]:
    """Return a finding for each illness; layers that have the same one share it."""
    shared: dict[tuple[str, str], dict[str, str]] = {}
    for family in families:
        variables = [model.trainable_variables[family.owners[member]] for member in family.copies]
        found = (_copies if family.what == "layers" else _same)(model, variables, family)
        shared.setdefault((found.problem, found.cause), {}).setdefault(found.layer, found.cure)
    return [Finding(joined(each), *said, "; ".join(each.values())) for said, each in shared.items()]


def _same(model: keras.Model, variables: list[keras.Variable], family: Family) -> Finding:
    kernel, members, different, what = variables[0], len(family.groups), family.different, family.what
    mirrored = " up to the sign" * family.mirrored
    problem, cure = f"its {members} {what} are identical{mirrored}", redrawn(model, kernel)
    if different > 1:
        some = ", ".join(map(str, family.copies[:6])) + ", ..." * (len(family.copies) > 6)
        problem = f"only {different} of its {members} {what} are different{mirrored}: {what} {some} are the same"
        noise = 0.1 * float(np.std(ops.convert_to_numpy(kernel.value)))
        random = f"keras.random.normal({tuple(kernel.shape)}, stddev={noise:.2g})"
        cure = f"{in_code(model, kernel)}.assign_add({random})"
    cause = (
        f"Their incoming weights (in {kernel.name}) and outgoing weights are equal{mirrored}, so their gradients are "
        "too: neither minibatches nor another optimizer part them."
    )
    return Finding(layer_name(model, kernel), problem, cause, cure)


def _copies(model: keras.Model, variables: list[keras.Variable], family: Family) -> Finding:
    return Finding(
        joined(layer_name(model, variable) for variable in variables),
        "these layers are copies of each other and stay so",
        "They start with equal weights and their outputs are used in the same way, so they get equal gradients. One "
        "random initializer without a seed, given to several layers, repeats its numbers.",
        redrawn(model, *variables[1:]),
    )
