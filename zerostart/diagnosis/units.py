"""Finds what may be identical: units, attention heads, whole layers. Two of them count as one if they stay equal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

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
        if self.what == "layers":
            return np.stack([arrays[owner].ravel()[self.places[:, 0]] for owner in self.owners])
        return arrays[self.owners[0]].ravel()[self.places].T

    def split(self, rows: np.ndarray) -> None:
        """Split groups whose members differ in `rows`, shape `(members, entries)`."""
        rows = rows.astype("float64")
        longest = np.linalg.norm(rows, axis=1).max()
        close = close_rows(rows, ALL_SAME * longest)
        if close.any():
            copies = close_rows(rows, COPY * longest)
            close = copies if copies.max() == close.max() else np.arange(len(rows))
        self.groups = np.unique(np.stack([self.groups, close]), axis=1, return_inverse=True)[1].ravel()

    def split_off(self, members: np.ndarray) -> None:
        """Give each of these members a group of its own."""
        self.groups[members] = self.groups.max() + 1 + np.arange(len(members))


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
            places = _sample(np.arange(values[owners[0]].size)[:, np.newaxis])
            found.append(_family("layers", owners, np.repeat(places, len(owners), axis=1), values))
    return [family for family in found if family.different < len(family.groups)]


def _family(what: str, owners: list[int], places: np.ndarray, values: list[np.ndarray]) -> Family:
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
            yield "units", _sample(np.moveaxis(places, axis, -1).reshape(-1, shape[axis]))
    elif isinstance(layer, layers.EinsumDense) and len(shape) == 3 and len(layer.partial_output_shape) == 3:
        yield "heads", _sample(places.swapaxes(1, 2).reshape(-1, shape[1]))  # (inputs, heads, units of a head)
        yield "units", _sample(places.reshape(shape[0], -1))
    else:
        yield "units", _sample(places_of_units(variable, layer))


def places_of_units(variable: keras.Variable, layer: Any) -> np.ndarray:
    """Return where the incoming weights of each unit are in the flat kernel, shape `(weights, units)`."""
    shape = tuple(variable.shape)
    places = np.arange(np.prod(shape)).reshape(shape)
    if isinstance(layer, TRANSPOSED):  # (..., filters, channels)
        places = places.swapaxes(-1, -2)
    if isinstance(layer, DEPTHWISE) or variable.name == "depthwise_kernel":  # (..., channels, multiplier)
        places = places.reshape(*shape[:-2], -1)
    units = getattr(layer, "units", getattr(layer, "filters", None))
    if not isinstance(units, int) or units < 1 or places.shape[-1] % units:
        units = places.shape[-1]
    return places.reshape(-1, units)  # the gates of an LSTM or GRU lie side by side in the last axis


def _sample(places: np.ndarray) -> np.ndarray:
    """Return some rows of `places` if there are very many: they suffice to tell members apart."""
    rows = max(COMPARED // places.shape[1], 16)
    return places if len(places) <= rows else np.random.default_rng(0).choice(places, rows, replace=False)


def is_kernel(variable: keras.Variable) -> bool:
    """Tell a kernel (or any other weight matrix) from biases, scales and gates."""
    return len(variable.shape) > 1 and not variable.name.endswith("bias")


def is_shift(variable: keras.Variable) -> bool:
    """Tell biases, which usually start at zero, from scales and gates."""
    return "bias" in variable.name or variable.name == "beta"


def layers_by_variable(model: keras.Model) -> dict[int, keras.layers.Layer]:
    """Return the innermost layer of each variable, by the variable's `id`."""
    return {id(variable): layer for layer in model._flatten_layers() for variable in layer.weights}


def length(array: np.ndarray) -> float:
    """Return the Euclidean norm, also of numbers whose squares would vanish or overflow."""
    largest = float(np.abs(array).max(initial=0))
    return largest * float(np.linalg.norm(array / largest)) if 0 < largest < np.inf else largest


def usual_limit(variable: keras.Variable, layer: Any) -> float:
    """Return the largest weight of a usual start: Glorot's uniform distribution ends there."""
    *window, inputs, units = variable.shape
    if isinstance(layer, layers.EinsumDense):  # its axes are inputs and outputs, not places of a window
        units = int(np.prod([size for size in layer.partial_output_shape if size]))
        window, inputs = [], int(np.prod(variable.shape)) // units
    return float(np.sqrt(6 / (np.prod(window) * (inputs + units))))
