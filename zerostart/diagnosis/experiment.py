"""A model that is looked at with other weights than its own: its gradients, its loss, its outputs."""

import sys
import time
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.data import Rows
from zerostart.diagnosis.variables import is_kernel, is_shift, layer_name, layers_by_variable, length, usual_limit
from zerostart.models import fixed_batch_size
from zerostart.recorder import GradientKeeper, RecordedModel

BATCH, ENTRIES = 32, 2**20  # rows of a step, and numbers of x in them: of large images there are fewer
SECONDS = 3  # after which progress is shown
DRAWS = 3  # usual starts: a single relu unit gives 0 for every row after every other one


class Experiment:
    """A model with its data and its loss, to be looked at with weights of your choice."""

    def __init__(self, model: keras.Model, rows: Rows, loss: Any) -> None:
        """Check everything on a few rows."""
        self.model, self.rows, self.steps = model, rows, 0
        self.variables, self._started = model.trainable_variables, time.monotonic()
        owner = layers_by_variable(model)
        self.layers = [owner.get(id(variable)) for variable in self.variables]
        self.names = [layer_name(model, variable) for variable in self.variables]
        every = range(len(self.variables))
        self.kernels = [place for place in every if is_kernel(self.variables[place])] or list(every)
        self.start = [ops.convert_to_numpy(variable.value).copy() for variable in self.variables]
        eager = keras.backend.backend() != "jax"  # where every operation is compiled, all at once is faster
        self.graph = RecordedModel(model, rows, loss, GradientKeeper(), eager=eager)
        self._generator = np.random.default_rng(0)
        self.numbers = self._drawn()
        self.first_outputs = self.outputs()

    def _drawn(self) -> np.ndarray:
        """Draw the rows of a step, shape `(1, rows)`.

        Some of them twice: of equally many rows of each class the gradients may cancel.
        """
        count = len(self.rows)
        per_row = sum(part[0].size for part in keras.tree.flatten(self.rows.x))
        size = fixed_batch_size(self.model) or min(count + count // 3 + 1, BATCH, max(ENTRIES // per_row, 8))
        once, again = self._generator.permutation(count), self._generator.integers(count, size=size)
        return np.concatenate([once, again])[np.newaxis, :size].astype("int32")

    def gradients(self, weights: list[np.ndarray], *, fresh: bool = False) -> list[np.ndarray]:
        """Return the gradients at these weights, on the first rows or on fresh ones."""
        self.assign(weights)
        self.steps += 1
        self._show(f"diagnose: step {self.steps}")
        self.graph.step(self._drawn() if fresh else self.numbers)
        self.last_loss = float(ops.convert_to_numpy(self.graph.losses_seen.value)[0])
        return [ops.convert_to_numpy(kept.value).astype("float32") for kept in self.graph.optimizer.kept]

    def finish(self) -> None:
        """Wipe out the line of progress."""
        self._show(" " * 30 + "\r")

    def _show(self, progress: str) -> None:
        if time.monotonic() - self._started > SECONDS and sys.stderr is not None:
            print(f"\r{progress}", end="", file=sys.stderr, flush=True)

    def size(self, position: int) -> float:
        """Return the length of a variable at the start, in relation to a usual one."""
        return length(self.start[position]) / self.usual_length(position)

    def usual_length(self, position: int) -> float:
        """Return the length that a variable has after a usual start; scales of 1 are usual."""
        variable = self.variables[position]
        largest = usual_limit(variable, self.layers[position]) if is_kernel(variable) else 3**0.5
        return largest * (self.start[position].size / 3) ** 0.5

    def assign(self, weights: list[np.ndarray]) -> None:
        """Give the model these weights."""
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def outputs(self) -> Any:
        """Return the outputs for the first rows, without dropout and the like."""
        return self.graph(ops.convert_to_tensor(self.numbers), training=False)

    def loss_of(self, outputs: Any) -> float:
        """Return the loss of these outputs for the first rows."""
        place = ops.zeros((1,), "int32")
        return float(ops.convert_to_numpy(self.graph.compute_loss(ops.convert_to_tensor(self.numbers), place, outputs)))


@dataclass(frozen=True)
class Usual:
    """What the model does after a usual start: kernels from Glorot, scales of 1, biases of 0."""

    weights: list[np.ndarray]  # the last such start
    lengths: np.ndarray  # of each variable's gradient, the largest of them
    loss: float  # the smallest of them
    outputs: list[np.ndarray]  # all outputs as one vector, for each start


def usual_start(experiment: Experiment, loss: float, *, several: bool) -> Usual:
    """Look at the model after a usual start; after several also if the first gives the own outputs or `loss` again."""
    lengths, losses, outputs = [], [], []
    for seed in range(DRAWS):
        own = zip(experiment.variables, experiment.start, experiment.layers, strict=True)
        weights = [_drawn(variable, value, layer, seed) for variable, value, layer in own]
        lengths.append([length(gradient) for gradient in experiment.gradients(weights)])
        losses.append(experiment.last_loss)
        outputs.append(flat(experiment.outputs()))
        again = close(flat(experiment.first_outputs), outputs[0]) or abs(loss - losses[0]) <= 1e-6 * abs(loss)
        if not several and not again:
            break
    return Usual(weights, np.nanmax(lengths, axis=0), float(np.nanmin(losses)), outputs)


def _drawn(variable: keras.Variable, value: np.ndarray, layer: Any, seed: int) -> np.ndarray:
    """Return usual values of a variable. A scale or gate of 0 would hide what is behind it."""
    if is_kernel(variable):
        limit = usual_limit(variable, layer)
        return np.random.default_rng(seed).uniform(-limit, limit, value.shape).astype(value.dtype)
    if is_shift(variable):
        return np.zeros_like(value)
    return value if value.any() else np.ones_like(value)


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether outputs are the same up to rounding."""
    return bool(np.abs(one - other).max() <= 1e-6 * max(np.abs(one).max(), 1e-30))


def flat(outputs: Any) -> np.ndarray:
    """Return all outputs as one vector."""
    parts = [ops.convert_to_numpy(part).astype("float64").ravel() for part in keras.tree.flatten(outputs)]
    return np.concatenate(parts)
