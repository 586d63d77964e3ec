"""Finds what may be identical: units, attention heads, whole layers. Two of them count as one if they stay equal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zerostart.symmetry import close_rows

# Relative. Rounding drives the units of a symmetric net apart, so if all are this close, they are the same. Among many
# units some are close by chance, so copies of some must be closer.
ALL_SAME, COPY = 1e-3, 1e-5
FEW, COMPARED = 64, 2**19  # weights of one kernel that are compared


@dataclass
class Family:
    """Members that may be identical, up to a sign: tanh(-x) = -tanh(x), so mirrored units may do the same work.

    Attributes:
        what: What the members are: `"units"`, `"heads"` or `"layers"`.
        owners: Positions of the variables concerned: one, or for layers one for each member.
        places: Where the weights of the members are in their flat variable, shape `(weights, members)`.
        groups: The group of each member, shape `(members,)`: equal numbers are identical members.
        signs: 1 or -1 for each member: its weights times this are those of the others.
    """

    what: str
    owners: list[int]
    places: np.ndarray
    groups: np.ndarray
    signs: np.ndarray

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

    def owner(self, member: int) -> int:
        """Return the position of the member's variable."""
        return self.owners[member] if self.what == "layers" else self.owners[0]

    def values(self, arrays: list[np.ndarray]) -> np.ndarray:
        """Return the members' entries of `arrays` (one for each variable), shape `(members, weights)`."""
        if self.what == "layers":
            return np.stack([arrays[owner].ravel()[self.places[:, 0]] for owner in self.owners])
        return arrays[self.owners[0]].ravel()[self.places].T

    def split(self, rows: np.ndarray) -> None:
        """Split groups whose members differ in `rows`, shape `(members, entries)`."""
        rows = rows.astype("float64")
        longest = np.linalg.norm(rows, axis=1).max()
        close = close_rows(rows, ALL_SAME * longest)
        if close.any():
            close = close_rows(rows, COPY * longest)
        self.groups = np.unique(np.stack([self.groups, close]), axis=1, return_inverse=True)[1].ravel()

    def split_off(self, members: np.ndarray) -> None:
        """Give each of these members a group of its own."""
        self.groups[members] = self.groups.max() + 1 + np.arange(len(members))


def families_of(model: keras.Model, values: list[np.ndarray]) -> list[Family]:
    """Return all families with at least two identical members, given the values of the trainable variables."""
    variables, layers = model.trainable_variables, layers_by_variable(model)
    found, shapes = [], {}
    for position, variable in enumerate(variables):
        if is_kernel(variable):
            shapes.setdefault(tuple(variable.shape), []).append(position)
            for what, places in _members(variable, layers.get(id(variable))):
                found += _family(what, [position], places, values)
    for owners in shapes.values():
        if len(owners) > 1:
            places = _sample(np.arange(values[owners[0]].size)[:, np.newaxis])
            found += _family("layers", owners, np.broadcast_to(places, (len(places), len(owners))), values)
    return found


def _family(what: str, owners: list[int], places: np.ndarray, values: list[np.ndarray]) -> list[Family]:
    """Return the family, if it has at least two identical members."""
    members = places.shape[1]
    family = Family(what, owners, places, np.zeros(members, dtype=int), np.ones(members))
    rows = family.values(values).astype("float64")
    family.signs = np.where(rows @ np.random.default_rng(0).normal(size=len(places)) < 0, -1.0, 1.0)
    rows *= family.signs[:, np.newaxis]
    few = rows[:, :: max(len(places) // FEW, 1)]  # members that differ in a few weights differ
    if len(np.unique(close_rows(few, ALL_SAME * np.linalg.norm(few, axis=1).max()))) == members:
        return []
    family.split(rows)
    return [family] if family.different < members else []


def is_kernel(variable: keras.Variable) -> bool:
    """Tell a kernel (or any other weight matrix) from biases, scales and gates."""
    return len(variable.shape) > 1 and not variable.name.endswith("bias")


def usual_limit(variable: keras.Variable, layer: Any) -> float:
    """Return the largest weight of a usual start: Glorot's uniform distribution ends there."""
    *window, inputs, units = variable.shape
    if isinstance(layer, keras.layers.EinsumDense):  # its axes are inputs and outputs, not places of a window
        units = int(np.prod([size for size in layer.partial_output_shape if size]))
        window, inputs = [], int(np.prod(variable.shape)) // units
    return float(np.sqrt(6 / (np.prod(window) * (inputs + units))))


def layers_by_variable(model: keras.Model) -> dict[int, keras.layers.Layer]:
    """Return the innermost layer of each variable, by the variable's `id`."""
    return {id(variable): layer for layer in model._flatten_layers() for variable in layer.weights}


def _members(variable: keras.Variable, layer: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what a kernel may consist of, and where in the flat kernel the weights of each member are."""
    shape = tuple(variable.shape)
    places = np.arange(np.prod(shape)).reshape(shape)
    if layer is None or not type(layer).__module__.startswith("keras."):  # which axis counts units is up to the layer
        for axis in reversed(range(len(shape))):
            yield "units", _sample(np.moveaxis(places, axis, -1).reshape(-1, shape[axis]))
    elif isinstance(layer, keras.layers.EinsumDense) and len(shape) == 3 and len(layer.partial_output_shape) == 3:
        yield "heads", _sample(places.swapaxes(1, 2).reshape(-1, shape[1]))  # (inputs, heads, units of a head)
        yield "units", _sample(places.reshape(shape[0], -1))
    else:
        yield "units", units_of(variable, layer)


def units_of(variable: keras.Variable, layer: Any) -> np.ndarray:
    """Return where the incoming weights of each unit are in the flat kernel, shape `(weights, units)`."""
    shape = tuple(variable.shape)
    places = np.arange(np.prod(shape)).reshape(shape)
    if isinstance(layer, TRANSPOSED_CONVOLUTIONS):  # (..., filters, channels)
        places = places.swapaxes(-1, -2)
    if isinstance(layer, DEPTHWISE_CONVOLUTIONS) or variable.name == "depthwise_kernel":  # (..., channels, multiplier)
        places = places.reshape(*shape[:-2], -1)
    units = getattr(layer, "units", getattr(layer, "filters", None))
    if not isinstance(units, int) or units < 1 or places.shape[-1] % units:
        units = places.shape[-1]
    return _sample(places.reshape(-1, units))  # the gates of an LSTM or GRU lie side by side in the last axis


def _sample(places: np.ndarray) -> np.ndarray:
    """Return some rows of `places` if there are very many: they suffice to tell members apart."""
    rows = max(COMPARED // places.shape[1], 16)
    return places if len(places) <= rows else np.random.default_rng(0).choice(places, rows, replace=False)


TRANSPOSED_CONVOLUTIONS = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
DEPTHWISE_CONVOLUTIONS = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
