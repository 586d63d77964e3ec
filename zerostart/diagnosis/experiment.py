"""A model that is looked at with other weights than its own: its gradients, its loss, its outputs."""

import sys
import time
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.data import Rows
from zerostart.diagnosis.findings import layer_name
from zerostart.diagnosis.units import is_kernel, layers_by_variable, length, usual_limit
from zerostart.models import fixed_batch_size
from zerostart.recorder import GradientKeeper, RecordedModel

BATCH, ENTRIES = 32, 2**20  # rows of a step, and numbers of x in them: of large images there are fewer
SECONDS = 3  # after which progress is shown


class Experiment:
    """A model with its data and its loss, to be looked at with weights of your choice."""

    def __init__(self, model: keras.Model, rows: Rows, loss: Any) -> None:
        """Check everything on a few rows."""
        self.model, self.rows, self.loss, self.steps = model, rows, loss, 0
        self.variables, self._started, self._shown = model.trainable_variables, time.monotonic(), False
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

    def gradients(self, weights: list[np.ndarray] | None = None, *, fresh: bool = False) -> list[np.ndarray]:
        """Return the gradients at these weights (or the present ones), on the first rows or on fresh ones."""
        self.assign(weights)
        self.steps += 1
        if time.monotonic() - self._started > SECONDS and sys.stderr is not None:
            print(f"\rdiagnose: step {self.steps}", end="", file=sys.stderr, flush=True)
            self._shown = True
        self.graph.step(self._drawn() if fresh else self.numbers)
        self.last_loss = float(ops.convert_to_numpy(self.graph.losses_seen.value)[0])
        return [ops.convert_to_numpy(kept.value).astype("float32") for kept in self.graph.optimizer.kept]

    def usual_length(self, position: int) -> float:
        """Return the length that a variable has after a usual start; scales of 1 are usual."""
        variable = self.variables[position]
        largest = usual_limit(variable, self.layers[position]) if is_kernel(variable) else 3**0.5
        return largest * (self.start[position].size / 3) ** 0.5

    def size(self, position: int) -> float:
        """Return the length of a variable at the start, in relation to a usual one."""
        return length(self.start[position]) / self.usual_length(position)

    def finish(self) -> None:
        """Wipe out the line of progress."""
        if self._shown:
            print("\r" + " " * 30, end="\r", file=sys.stderr, flush=True)

    def assign(self, weights: list[np.ndarray] | None) -> None:
        """Give the model these weights."""
        for variable, value in zip(self.variables, weights or [], strict=bool(weights)):
            variable.assign(value)

    def outputs(self) -> Any:
        """Return the outputs for the first rows, without dropout and the like."""
        return self.graph(ops.convert_to_tensor(self.numbers), training=False)

    def loss_of(self, outputs: Any) -> float:
        """Return the loss of these outputs for the first rows."""
        place = ops.zeros((1,), "int32")
        return float(ops.convert_to_numpy(self.graph.compute_loss(ops.convert_to_tensor(self.numbers), place, outputs)))
