"""How a training is watched.

On every backend of Keras each loss passes through `Model.compute_loss` and each gradient through `Optimizer.apply`. So
a wrapper of your model and a copy of your optimizer keep what they see, while plain `fit` runs the compiled graph.
"""

import itertools
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.data import Rows
from zerostart.losses import compile_arguments
from zerostart.models import fixed_batch_size, outputs_of

KEPT = 100  # steps that one call of the compiled graph does and keeps
FEW = 10  # steps that take less time than compiling, or than one call of `fit`


class RecordedModel(keras.Model):
    """The same model and its data, compiled in another way. It is fed with nothing but the numbers of the rows."""

    def __init__(
        self, model: keras.Model, rows: Rows, loss: Any, optimizer: keras.optimizers.Optimizer, *, eager: bool
    ) -> None:
        """Compile, and try the loss on a few rows."""
        super().__init__(name="training", dtype=model.dtype_policy)
        self.model, self.built = model, True
        self.variables_seen = [id(variable) for variable in model.trainable_variables]
        self.rows = rows.change(ops.convert_to_tensor)
        self.losses_seen = self.add_weight(shape=(KEPT,), initializer="zeros", trainable=False, name="losses_seen")
        if hasattr(model, "output_names"):
            self.output_names = model.output_names
        optimizer.build(model.trainable_variables)
        (few, outputs), backend = _trial(model, rows), keras.backend.backend()
        self.compile(
            optimizer,
            **compile_arguments(model, rows, outputs, loss),
            run_eagerly=eager,
            steps_per_execution=1 if eager or backend == "torch" else KEPT,  # Keras refuses more on PyTorch
            jit_compile=backend == "jax" and not eager,  # XLA takes seconds, and makes TensorFlow no faster here
            auto_scale_loss=False,
        )
        self._try_loss(few, outputs)
        self.optimizer_at_start = [ops.convert_to_numpy(variable.value).copy() for variable in optimizer.variables]

    def run(self, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Start with a fresh optimizer, do one step for each row of `order`; return losses and notes of all steps."""
        for variable, value in zip(self.optimizer.variables, self.optimizer_at_start, strict=True):
            variable.assign(value)
        kept = []
        for first in range(0, len(order), KEPT):
            chunk = order[first : first + KEPT]
            if len(chunk) <= FEW:
                for place in range(len(chunk)):
                    self.step(chunk[place : place + 1], place)
            else:
                self.fit(chunk, np.arange(len(chunk), dtype="int32"), batch_size=1, shuffle=False, verbose=0)
            seen = (self.losses_seen, self.optimizer.notes)
            kept.append([ops.convert_to_numpy(variable.value)[: len(chunk)].copy() for variable in seen])
        loss, notes = map(np.concatenate, zip(*kept, strict=True))
        return loss, notes

    def step(self, numbers: np.ndarray, place: int = 0) -> None:
        """Do one step on the rows with these numbers, shape `(1, rows)`; `(1, 0)` means all rows."""
        self.train_on_batch(numbers, np.array([place], dtype="int32"))

    def call(self, numbers: Any, training: bool | None = None) -> Any:
        """Return the model's outputs for these rows."""
        return outputs_of(self.model, self._taken(numbers).x, training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the loss of the rows with the numbers `x`, and keep it at place `y`."""
        rows = self._taken(x)
        loss = super().compute_loss(None, rows.y, y_pred, rows.weights, training)
        row = ops.reshape(ops.cast(loss, self.losses_seen.dtype), (1,))
        self.losses_seen.assign(ops.scatter_update(self.losses_seen.value, ops.reshape(y, (1, 1)), row))
        return loss

    def _taken(self, numbers: Any) -> Rows:
        return self.rows.change(lambda part: ops.take(part, numbers[0], axis=0)) if numbers.shape[-1] else self.rows

    def _try_loss(self, few: Rows, outputs: Any) -> None:
        try:
            value = super().compute_loss(None, few.y, outputs, few.weights, False)
        except Exception as problem:
            shapes = f"y of shape {_shapes(few.y)} and outputs of shape {_shapes(outputs)}"
            raise ValueError(f"loss: cannot compare {shapes}: {problem}") from problem
        if tuple(value.shape):
            raise ValueError(f"loss: expected one number for all rows, got shape {tuple(value.shape)}")


def _trial(model: keras.Model, rows: Rows) -> tuple[Rows, Any]:
    """Return a few rows and the outputs for them.

    Their number is no other size of the outputs: NumPy's rules would stretch targets of a wrong shape until they fit.
    """
    fixed = fixed_batch_size(model)
    for count in [fixed] if fixed else itertools.count(2):
        few = rows.change(lambda part, count=count: part[:count])
        try:
            outputs = outputs_of(model, few.x)
        except Exception as problem:
            raise ValueError(f"x: the model does not accept inputs of shape {_shapes(few.x)}: {problem}") from problem
        if all(count not in part.shape[1:] for part in keras.tree.flatten(outputs)):
            break
    return few, outputs


def _shapes(parts: Any) -> Any:
    return keras.tree.map_structure(lambda part: tuple(part.shape), parts)


class GradientKeeper(keras.optimizers.Optimizer):
    """Keeps the gradients of one step and changes nothing.

    Attributes:
        kept: A variable with the gradient for each trainable variable; zero where the loss does not depend on it.
    """

    def __init__(self) -> None:
        """Prepare to keep."""
        super().__init__(learning_rate=0.0, name="gradient_keeper")

    def build(self, variables: list[keras.Variable]) -> None:
        """Create one variable for each gradient."""
        if not self.built:
            self.kept = self.add_optimizer_variables(variables, "gradient")
        super().build(variables)

    def apply(self, grads: list[Any], trainable_variables: list[keras.Variable] | None = None) -> None:
        """Keep the gradients."""
        for kept, gradient in zip(self.kept, grads, strict=True):
            kept.assign(ops.zeros_like(kept.value) if gradient is None else ops.convert_to_tensor(gradient))


def noting(optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable]) -> keras.optimizers.Optimizer:
    """Return a fresh optimizer of the same kind that notes, before each update, the sizes of gradients and spreads."""

    class Noting(type(optimizer)):
        def apply(self, grads: list[Any], trainable_variables: Any = None) -> None:
            spreads = [_spread(variable.value) for variable in variables if len(variable.shape) > 1]
            row = ops.stack([ops.cast(size, self.notes.dtype) for size in (*map(_root_mean_square, grads), *spreads)])
            place = ops.reshape(ops.cast(self.iterations.value % KEPT, "int32"), (1, 1))
            self.notes.assign(ops.scatter_update(self.notes.value, place, ops.expand_dims(row, 0)))
            super().apply(grads, trainable_variables)

    made = Noting.from_config(optimizer.get_config())
    for name, value in vars(optimizer).items():  # what you have set since, or left out of get_config
        if not name.startswith("_") and (callable(value) or isinstance(value, (bool, int, float, str, type(None)))):
            setattr(made, name, value)
    columns = len(variables) + sum(len(variable.shape) > 1 for variable in variables)
    made.built = False
    made.notes = made.add_variable((KEPT, columns), initializer="zeros", dtype=keras.backend.floatx(), name="notes")
    return made


def _spread(kernel: Any) -> Any:
    return ops.max(ops.subtract(ops.max(kernel, axis=-1), ops.min(kernel, axis=-1)))


def _root_mean_square(gradient: Any) -> Any:
    """Divide by the largest entry before squaring: the square of a tiny number would vanish."""
    if gradient is None:
        return ops.zeros(())
    size = ops.abs(ops.convert_to_tensor(gradient))
    largest = ops.max(size)
    return ops.multiply(largest, ops.sqrt(ops.mean(ops.square(ops.divide(size, ops.where(largest > 0, largest, 1.0))))))
