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
from helpers.seam import GradientKeeper, RecordedTraining, RecordingOptimizer, kernels_of
from helpers.tasks import Task, check_loss, prepare_task
from helpers.untouched import variables_restored

STEPS_NOT_WORTH_COMPILING = 10


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
    global _latest
    steps = integer("steps", steps)
    task = prepare_task(model, x, y, loss)
    check_loss(model, task)
    order = _order_of_rows(task.rows, steps, batch_size, integer("seed", seed, least=0, most=None))
    optimizer = _fresh_optimizer(optimizer)
    with variables_restored(model, always=False):
        fingerprint, training = _prepared_training(model, task, steps, order, optimizer)
        training.run()
    _latest = (fingerprint, training)
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
    check_loss(model, task)
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


_latest: tuple[str, RecordedTraining] | None = None


def _prepared_training(
    model: keras.Model,
    task: Task,
    steps: int,
    order: np.ndarray | None,
    optimizer: keras.optimizers.Optimizer,
) -> tuple[str, RecordedTraining]:
    """Compile a training, or restart the latest one if all that its compiled graph depends on is the same.

    The latest one is taken out: interrupted, it is of no further use, because on JAX its variables are gone.
    """
    global _latest
    latest, _latest = _latest, None
    fingerprint = _fingerprint(model, task, steps, order, optimizer)
    if latest and fingerprint and latest[0] == fingerprint and latest[1].model is model:
        latest[1].restart(task, order)
        return latest
    training = RecordedTraining(model, task, steps, order)
    backend, short = keras.backend.backend(), steps <= STEPS_NOT_WORTH_COMPILING
    training.start(
        RecordingOptimizer(optimizer, steps),
        task.loss,
        # One call for all steps. Keras refuses more than 1 on PyTorch.
        steps_per_execution=1 if short or backend == "torch" else steps,
        # XLA takes seconds to compile and makes short runs on TensorFlow no faster. JAX is slow without it.
        jit_compile=backend == "jax" and not short,
        run_eagerly=short,
    )
    return fingerprint, training


def _fingerprint(
    model: keras.Model,
    task: Task,
    steps: int,
    order: np.ndarray | None,
    optimizer: keras.optimizers.Optimizer,
) -> str:
    """Describe what a compiled graph depends on.

    Empty if a class or function of the reader's own may hide some of it: then nothing is reused.
    """
    classes = {type(part).__module__ for part in (model, *model._flatten_layers(), optimizer)}
    if not all(module.startswith(("keras.", "helpers.")) for module in classes):
        return ""
    shapes = [(part.shape, part.dtype) for part in [*keras.tree.flatten(task.x), task.y]]
    batch = None if order is None else order.shape
    loss = task.loss.get_config() if isinstance(task.loss, keras.losses.Loss) else task.loss
    variables = [(variable.path, variable.shape, variable.trainable) for variable in model.variables]
    configs = (
        type(optimizer),
        {**optimizer.get_config(), "name": None},
        type(task.loss),
        loss,
        model.get_config(),
    )
    text = repr((steps, batch, shapes, variables, configs))
    return "" if "__lambda__" in text or "'class_name': 'function'" in text else text


def _recording(training: RecordedTraining) -> Recording:
    """Copy the diaries into arrays."""
    variables = training.model.trainable_variables
    names = variable_paths(variables)
    kernels = [name for name, variable in zip(names, variables, strict=True) if kernels_of([variable])]
    rms = ops.convert_to_numpy(training.recorder.gradient_diary.value)
    spread = ops.convert_to_numpy(training.recorder.spread_diary.value)
    return Recording(
        loss=ops.convert_to_numpy(training.loss_diary.value).copy(),
        names=names,
        gradient_rms={name: rms[:, column].copy() for column, name in enumerate(names)},
        unit_spread={name: spread[:, column].copy() for column, name in enumerate(kernels)},
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
