"""The one place that sees every loss and every gradient, on every backend.

Every loss passes through `Model.compute_loss` and every gradient through `Optimizer.apply`. So a model that wraps
yours, and an optimizer that wraps yours, can keep diaries while plain `fit` runs inside the compiled graph.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from helpers.symmetry import spread_between_units
from helpers.tasks import Task


class RecordedTraining(keras.Model):
    """Wraps a model and holds the data, so that `fit` only has to count the steps."""

    def __init__(self, model: keras.Model, task: Task, steps: int, order: np.ndarray | None = None) -> None:
        """Hold `task`; `order` has the row numbers of each step, shape `(steps, batch)`, or is None: all rows."""
        super().__init__(name="recorded_training", dtype=model.dtype_policy)
        self.model = model
        self.steps = steps
        self.held_inputs = [self._held(part) for part in keras.tree.flatten(task.x)]
        structure = keras.tree.map_structure(lambda part: 0, task.x)
        self.pack_inputs = lambda parts: keras.tree.pack_sequence_as(structure, parts)
        self.held_targets = self._held(task.y)
        self.held_order = None if order is None else self._held(order)
        self.loss_diary = self.add_weight(shape=(steps,), initializer="zeros", trainable=False)
        self.built = True

    def start(self, recorder: keras.optimizers.Optimizer, loss: Any, **compile_arguments: Any) -> None:
        """Compile, and create all variables now: TensorFlow then traces the step once instead of twice."""
        self.recorder = recorder
        self.compile(recorder, loss=loss, **compile_arguments)
        self.step_numbers = None if self.run_eagerly else step_numbers(self.steps)
        self.optimizer.build(self.model.trainable_variables)
        self.optimizer_at_start = [ops.convert_to_numpy(v.value).copy() for v in self.optimizer.variables]

    def restart(self, task: Task, order: np.ndarray | None) -> None:
        """Take other data of the same shapes and forget what the optimizer remembers."""
        held = [*self.held_inputs, self.held_targets, *self.optimizer.variables]
        values = [*keras.tree.flatten(task.x), task.y, *self.optimizer_at_start]
        if order is not None:
            held.append(self.held_order)
            values.append(order)
        for variable, value in zip(held, values, strict=True):
            variable.assign(value)

    def run(self) -> None:
        """Do all steps: in one epoch of the compiled graph, or one by one if the run is too short for a graph."""
        if self.run_eagerly:
            for step in range(self.steps):
                self.train_on_batch(np.array([step], dtype="int32"))
        else:
            self.fit(**self.step_numbers, shuffle=False, verbose=0)

    def call(self, step: Any, training: bool | None = None) -> Any:
        """Return the model's outputs for the rows of this step."""
        batch = [self._rows(held, step) for held in self.held_inputs]
        return self.model(self.pack_inputs(batch), training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of step `x` and write it down."""
        loss = super().compute_loss(x, self._rows(self.held_targets, x), y_pred, sample_weight, training)
        row = ops.reshape(ops.cast(loss, self.loss_diary.dtype), (1,))
        self.loss_diary.assign(ops.slice_update(self.loss_diary.value, ops.reshape(x, (1,)), row))
        return loss

    def _held(self, array: np.ndarray) -> keras.Variable:
        held = self.add_weight(
            shape=array.shape, dtype=array.dtype.name, initializer="zeros", trainable=False, autocast=False
        )
        held.assign(array)
        return held

    def _rows(self, held: keras.Variable, step: Any) -> Any:
        if self.held_order is None:
            return held.value
        return ops.take(held.value, ops.take(self.held_order.value, ops.reshape(step, ()), axis=0), axis=0)


class RecordingOptimizer(keras.optimizers.Optimizer):
    """Wraps an optimizer and writes a row into its diary before each update."""

    def __init__(self, inner_optimizer: keras.optimizers.Optimizer, steps: int) -> None:
        """Prepare a diary of `steps` rows."""
        super().__init__(learning_rate=0.0, name="recording_optimizer")
        self.inner_optimizer = inner_optimizer
        self.steps = steps

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the diary: one column for each variable, then one for each kernel."""
        self.inner_optimizer.build(variables)
        columns = len(variables) + len(kernels_of(variables))
        dtype = keras.backend.floatx()
        self.diary = self.add_variable((self.steps, columns), initializer="zeros", dtype=dtype, name="diary")
        super().build(variables)

    @property
    def variables(self) -> list[keras.Variable]:
        """The diary and the state of the wrapped optimizer."""
        return self._variables + self.inner_optimizer.variables

    @property
    def iterations(self) -> keras.Variable:
        """Number of updates so far."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """Learning rate of the wrapped optimizer."""
        return self.inner_optimizer.learning_rate

    def apply(self, grads: list[Any], trainable_variables: list[keras.Variable] | None = None) -> None:
        """Write down what the gradients and kernels look like, then let the wrapped optimizer update."""
        variables = list(trainable_variables or self._trainable_variables)
        sizes = [_root_mean_square(gradient) for gradient in grads]
        spreads = [spread_between_units(kernel.value) for kernel in kernels_of(variables)]
        row = ops.stack([ops.cast(value, self.diary.dtype) for value in (*sizes, *spreads)])
        # JAX with 64-bit integers refuses start indices of two types.
        start = [ops.cast(index, "int32") for index in (self.iterations.value, 0)]
        self.diary.assign(ops.slice_update(self.diary.value, start, ops.expand_dims(row, 0)))
        self.inner_optimizer.apply(grads, variables)


class GradientKeeper(keras.optimizers.Optimizer):
    """Keeps the gradients of one step and changes nothing."""

    def __init__(self) -> None:
        """Prepare to keep."""
        super().__init__(learning_rate=0.0, name="gradient_keeper")

    def build(self, variables: list[keras.Variable]) -> None:
        """Create one variable for each gradient."""
        self.kept = self.add_optimizer_variables(variables, "gradient")
        super().build(variables)

    def apply(self, grads: list[Any], trainable_variables: list[keras.Variable] | None = None) -> None:
        """Keep the gradients. A variable that the loss does not depend on has none: its zeros stay."""
        for kept, gradient in zip(self.kept, grads, strict=True):
            if gradient is not None:
                kept.assign(ops.convert_to_tensor(gradient))


def step_numbers(steps: int) -> dict[str, Any]:
    """Return arguments of `fit` that make it count from 0 to steps - 1."""
    numbers = np.arange(steps, dtype="int32")
    if keras.backend.backend() == "tensorflow":
        # A ready-made dataset spares every fit the 50 ms of building one from an array.
        return {"x": keras.utils.timeseries_dataset_from_array(numbers, None, sequence_length=1, batch_size=1)}
    return {"x": numbers, "batch_size": 1}


def kernels_of(variables: list[keras.Variable]) -> list[keras.Variable]:
    """Return the variables whose last axis counts units: all but biases and scalars."""
    return [variable for variable in variables if len(variable.shape) > 1]


def _root_mean_square(gradient: Any) -> Any:
    """Divide by the largest entry before squaring: the square of a tiny number would vanish."""
    if gradient is None:
        return ops.zeros(())
    size = ops.abs(ops.convert_to_tensor(gradient))
    largest = ops.max(size)
    scale = ops.where(largest > 0, largest, 1.0)
    return ops.multiply(largest, ops.sqrt(ops.mean(ops.square(ops.divide(size, scale)))))
