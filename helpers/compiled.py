"""Keeps compiled trainings: a sweep over starts, seeds, data or equal networks compiles only once."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from helpers.seam import RecordedTraining, RecordingOptimizer
from helpers.tasks import Task
from helpers.untouched import copy_variables, variables_restored

KEPT = 8
STEPS_NOT_WORTH_COMPILING = 10

_kept: dict[str, RecordedTraining] = {}


def run_training(
    model: keras.Model, task: Task, steps: int, order: np.ndarray | None, optimizer: keras.optimizers.Optimizer
) -> RecordedTraining:
    """Train `model` in place, with a training that was compiled before if all that its graph depends on is the same.

    While it runs a training is not kept: interrupted, it is of no further use, because on JAX its variables are gone.
    """
    key = _key(model, task, steps, order, optimizer)
    training = _kept.pop(key, None)
    if training and (training.model is model or _architecture(training.model) == _architecture(model)):
        training.restart(task, order)
    else:
        training = _new_training(model, task, steps, order, optimizer)
    with _standing_in(training.model, model):
        training.run()
    if key:
        _kept[key] = training
    if len(_kept) > KEPT:
        del _kept[next(iter(_kept))]
    return training


def _new_training(
    model: keras.Model, task: Task, steps: int, order: np.ndarray | None, optimizer: keras.optimizers.Optimizer
) -> RecordedTraining:
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
    return training


@contextlib.contextmanager
def _standing_in(compiled: keras.Model, model: keras.Model) -> Iterator[None]:
    """Let an equal model, whose graph is compiled, do the work of `model`, and give it back its own variables."""
    if compiled is model:
        yield
        return
    with variables_restored(compiled, always=True):
        copy_variables(model, compiled)
        yield
        copy_variables(compiled, model)


def _key(
    model: keras.Model, task: Task, steps: int, order: np.ndarray | None, optimizer: keras.optimizers.Optimizer
) -> str:
    """Describe what a compiled graph depends on. Empty if some of it cannot be described: then nothing is kept."""
    architecture = _architecture(model)
    shapes = [(part.shape, part.dtype) for part in [*keras.tree.flatten(task.x), task.y]]
    loss = task.loss.get_config() if isinstance(task.loss, keras.losses.Loss) else task.loss
    rule = type(optimizer), {**optimizer.get_config(), "name": None}
    text = repr((steps, None if order is None else order.shape, shapes, rule, type(task.loss), loss))
    described = architecture and type(optimizer).__module__.startswith("keras.") and "__lambda__" not in text
    return architecture + text if described else ""


def _architecture(model: keras.Model) -> str:
    """Describe a model without its weights. Empty if a class or function of the reader's own may hide a part."""
    parts = (model, *model._flatten_layers())
    if not all(type(part).__module__.startswith(("keras.", "helpers.")) for part in parts):
        return ""
    variables = [(variable.path, variable.shape, variable.trainable) for variable in model.variables]
    text = repr((variables, _without_initializers(model.get_config())))
    return "" if "__lambda__" in text or "'class_name': 'function'" in text else text


def _without_initializers(config: Any) -> Any:
    """Leave out what only the first values of the weights depend on."""
    if isinstance(config, dict):
        return {key: _without_initializers(v) for key, v in config.items() if not key.endswith("initializer")}
    return [_without_initializers(part) for part in config] if isinstance(config, (list, tuple)) else config
