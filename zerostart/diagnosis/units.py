"""Finds the units of any layer, and those among them (or among whole kernels) that are identical."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

# Both are relative: a healthy kernel may be tiny. Rounding drives the units of a symmetric net apart, so if all are
# this close, they are the same. Among many units some are close by chance, so copies of some must be closer.
ALL_SAME = 1e-3
COPY = 1e-5
COMPARED = 2**19  # weights of one kernel that are compared


@dataclass
class Family:
    """Members that may be identical: the units of one kernel, or several kernels of one shape.

    Attributes:
        owners: Positions of the variables concerned: one for units, one for each member for kernels.
        places: Where the weights of the members are in their flat variable, shape `(weights, members)`.
        groups: The group of each member, shape `(members,)`: equal numbers are identical members.
    """

    owners: list[int]
    places: np.ndarray
    groups: np.ndarray

    @property
    def whole_kernels(self) -> bool:
        """Whether the members are kernels, not units."""
        return len(self.owners) > 1

    @property
    def different(self) -> int:
        """How many different members there are."""
        return len(np.unique(self.groups))

    @property
    def has_copies(self) -> bool:
        """Whether there are more identical members than chance gives among many."""
        members = len(self.groups)
        return members - self.different > 2 * COPY * members**2

    @property
    def copies(self) -> np.ndarray:
        """Members of the largest group of identical ones."""
        return np.flatnonzero(self.groups == np.bincount(self.groups).argmax())

    def owner(self, member: int) -> int:
        """Return the position of the member's variable."""
        return self.owners[member] if self.whole_kernels else self.owners[0]

    def values(self, arrays: list[np.ndarray]) -> np.ndarray:
        """Return the members' entries of `arrays` (one for each variable), shape `(weights, members)`."""
        if self.whole_kernels:
            places = self.places[:, 0]
            return np.stack([arrays[owner].ravel()[places] for owner in self.owners], axis=1)
        return arrays[self.owners[0]].ravel()[self.places]

    def split(self, matrix: np.ndarray) -> None:
        """Split groups whose members differ in `matrix`, shape `(entries, members)`."""
        pairs = np.stack([self.groups, same_columns(matrix)])
        self.groups = np.unique(pairs, axis=1, return_inverse=True)[1].ravel()

    def split_off(self, members: np.ndarray) -> None:
        """Give each of these members a group of its own."""
        self.groups[members] = self.groups.max() + 1 + np.arange(len(members))


def families_of(model: keras.Model, values: list[np.ndarray]) -> list[Family]:
    """Return all families with at least two identical members, given the values of the trainable variables."""
    variables, layers = model.trainable_variables, layers_by_variable(model)
    families, shapes = [], {}
    for position, variable in enumerate(variables):
        if is_kernel(variable):
            places = columns_of(variable, layers.get(id(variable)))
            families.append(Family([position], places, np.zeros(places.shape[1], dtype=int)))
            shapes.setdefault(tuple(variable.shape), []).append(position)
    for owners in shapes.values():
        if len(owners) > 1:
            places = np.arange(values[owners[0]].size)[:, np.newaxis]
            places = _sample(np.broadcast_to(places, (len(places), len(owners))))
            families.append(Family(owners, places, np.zeros(len(owners), dtype=int)))
    for family in families:
        family.split(family.values(values))
    return [family for family in families if family.has_copies]


def same_columns(matrix: np.ndarray) -> np.ndarray:
    """Return the group of each column of a matrix of shape `(n, columns)`; equal columns share a group.

    Columns that are equal, or nearly, lie side by side when sorted by their product with a random vector.
    """
    matrix = matrix.astype("float64")
    order = np.argsort(np.random.default_rng(0).normal(size=len(matrix)) @ matrix, kind="stable")
    matrix = matrix[:, order]
    length = np.linalg.norm(matrix, axis=0)
    gap = np.linalg.norm(np.diff(matrix, axis=1), axis=0)
    allowed = np.maximum(length[1:], length[:-1])
    groups = np.zeros(len(order), dtype=int)
    if np.any(gap > ALL_SAME * allowed):
        groups[order] = np.cumsum([0, *(gap > COPY * allowed)])
    return groups


def is_kernel(variable: keras.Variable) -> bool:
    """Tell a kernel (or any other weight matrix) from biases, scales and gates."""
    return len(variable.shape) > 1 and not variable.name.endswith("bias")


def layers_by_variable(model: keras.Model) -> dict[int, keras.layers.Layer]:
    """Return the innermost layer of each variable, by the variable's `id`."""
    return {id(variable): layer for layer in model._flatten_layers() for variable in layer.weights}


def columns_of(variable: keras.Variable, layer: Any) -> np.ndarray:
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
    """Return some rows of `places` if there are very many: they suffice to tell units apart."""
    rows = max(COMPARED // places.shape[1], 16)
    return places if len(places) <= rows else np.random.default_rng(0).choice(places, rows, replace=False)


TRANSPOSED_CONVOLUTIONS = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
DEPTHWISE_CONVOLUTIONS = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
