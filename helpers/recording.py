"""Trains a model and writes down, at every step, the loss, the gradients and the spread between units.

Training is plain Keras, `compile` and `fit`; helpers/seam.py says how it is observed. Row t of every record
belongs to the weights before update t.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from helpers.checks import integer, look_up
from helpers.compiled import run_training
from helpers.seam import GradientKeeper, RecordedTraining, kernels_of
from helpers.tasks import prepare_task
from helpers.untouched import variables_restored


@dataclass(frozen=True, repr=False)
class Recording:
    """What happened during one call of `train`.

    Attributes:
        loss: Loss before each update, shape `(steps,)`.
        names: Paths of the trainable variables, in the model's order.
        gradient_rms: For each path the root mean square of its gradient, shape `(steps,)`. A value is
            exactly 0.0 if and only if every entry of that gradient is.
        unit_spread: For each kernel's path its `unit_spread`, shape `(steps,)`.

    Example:
        >>> train(mlp((3,), inputs=2, outputs=2), np.eye(2), [0, 1], steps=5).names[:2]
        ('mlp/hidden_1/kernel', 'mlp/hidden_1/bias')
    """

    loss: np.ndarray
    names: tuple[str, ...]
    gradient_rms: dict[str, np.ndarray]
    unit_spread: dict[str, np.ndarray]

    def __repr__(self) -> str:
        """Summarize in one line."""
        return f"Recording({len(self.loss)} steps, loss {self.loss[0]:.3f} -> {self.loss[-1]:.3f})"


def train(
    model: keras.Model,
    x: Any,
    y: Any,
    *,
    steps: int = 200,
    batch_size: int | None = None,
    optimizer: Any = "adam",
    loss: Any = None,
    seed: int = 0,
) -> Recording:
    """Train a model in place and record every step.

    How the model was compiled is neither used nor changed. If the training is interrupted, the model gets back
    the weights it had before.

    Args:
        model: A built Keras model.
        x: Array of shape `(n, ...)`.
        y: Integer array of shape `(n,)` (classes), or float array (targets).
        steps: Number of updates.
        batch_size: Rows per update, drawn without replacement, epoch by epoch. `None` is the full batch.
        optimizer: A name or an optimizer. A fresh copy is used, so no moments are carried over.
        loss: A Keras loss. `None` picks softmax cross-entropy on logits for integer `y` and mean squared error
            for float `y`.
        seed: Seed of the order of the rows.

    Returns:
        A `Recording`.

    Raises:
        TypeError, ValueError: an argument is unusable; nothing has been trained.

    Example:
        >>> train(mlp((3,), inputs=2, outputs=2), np.eye(2), [0, 1], steps=5).loss.shape
        (5,)
    """
    steps = integer("steps", steps)
    task = prepare_task(model, x, y, loss)
    order = _order_of_rows(len(task.y), steps, batch_size, integer("seed", seed, least=0, most=None))
    optimizer = _fresh_optimizer(optimizer)
    with variables_restored(model, always=False):
        training = run_training(model, task, steps, order, optimizer)
    return _recording(training)


def gradients(model: keras.Model, x: Any, y: Any, *, loss: Any = None) -> dict[str, np.ndarray]:
    """Return the gradient of the loss with respect to every trainable variable.

    These are the gradients that the first full-batch step of a training would use. The model is left as it was.

    Args:
        model: A built Keras model.
        x: As in `train`.
        y: As in `train`.
        loss: As in `train`.

    Returns:
        For each variable's path an array of the variable's shape.

    Raises:
        TypeError, ValueError: an argument is unusable.

    Example:
        >>> bool(gradients(mlp((3,), inputs=2, outputs=2), np.eye(2), [0, 1])["mlp/hidden_1/kernel"].any())
        False
    """
    task = prepare_task(model, x, y, loss)
    training = RecordedTraining(model, task, steps=1)
    training.start(GradientKeeper(), task.loss, run_eagerly=True)
    with variables_restored(model, always=True):
        training.run()
    names = variable_paths(model.trainable_variables)
    return {name: ops.convert_to_numpy(kept.value) for name, kept in zip(names, training.recorder.kept, strict=True)}


def variable_paths(variables: list[keras.Variable]) -> tuple[str, ...]:
    """Return each variable's path; a path that occurs twice gets a number."""
    paths: list[str] = []
    for variable in variables:
        path = candidate = variable.path
        while candidate in paths:
            candidate = f"{path}_{paths.count(path) + 1}"
        paths.append(candidate)
    return tuple(paths)


def _recording(training: RecordedTraining) -> Recording:
    """Copy the diaries into arrays."""
    variables = training.model.trainable_variables
    names = variable_paths(variables)
    kernels = [name for name, variable in zip(names, variables, strict=True) if kernels_of([variable])]
    columns = [column.copy() for column in ops.convert_to_numpy(training.recorder.diary.value).T]
    return Recording(
        loss=ops.convert_to_numpy(training.loss_diary.value).copy(),
        names=names,
        gradient_rms=dict(zip(names, columns, strict=False)),
        unit_spread=dict(zip(kernels, columns[len(names) :], strict=True)),
    )


def _fresh_optimizer(optimizer: Any) -> keras.optimizers.Optimizer:
    found = look_up("optimizer", keras.optimizers.get, optimizer)
    return type(found).from_config(found.get_config())


def _order_of_rows(rows: int, steps: int, batch_size: int | None, seed: int) -> np.ndarray | None:
    """Return the row numbers of each step, shape `(steps, batch_size)`, or None for the full batch."""
    if batch_size is None:
        return None
    batch_size = integer("batch_size", batch_size)
    if batch_size > rows:
        raise ValueError(f"batch_size: expected at most the {rows} rows of x, got {batch_size}")
    generator = np.random.default_rng(seed)
    steps_per_epoch = rows // batch_size
    epochs = -(-steps // steps_per_epoch)
    shuffled = [generator.permutation(rows)[: steps_per_epoch * batch_size] for _ in range(epochs)]
    return np.concatenate(shuffled).reshape(-1, batch_size)[:steps].astype("int32")
