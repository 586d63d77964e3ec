"""Leaves a model and all random numbers as they were before an experiment."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.backend.common import global_state  # Keras has no public way to look at its global seed

GLOBAL_SEED = "global_seed_generator"


@contextlib.contextmanager
def untouched(model: keras.Model) -> Iterator[None]:
    """Put back the model's variables and regularizers and the state of all random generators.

    Inside, the weights have no regularizer: a penalty on a weight is no sign that the data reach it.
    """
    regularizers = [variable.regularizer for variable in model.trainable_variables]
    with _random_state_restored(), variables_restored(model, always=True):
        try:
            for variable in model.trainable_variables:
                variable.regularizer = None
            yield
        finally:
            for variable, regularizer in zip(model.trainable_variables, regularizers, strict=True):
                variable.regularizer = regularizer


def copy_variables(source: keras.Model, target: keras.Model) -> None:
    """Give `target` the values of all variables of an equal model."""
    for mine, theirs in zip(target.variables, source.variables, strict=True):
        mine.assign(ops.convert_to_numpy(theirs.value).copy())


@contextlib.contextmanager
def variables_restored(model: keras.Model, *, always: bool) -> Iterator[None]:
    """Give the model back all its variables: always, or only after an error or an interruption."""
    variables = [*model.variables, *model.metrics_variables]
    values = [ops.convert_to_numpy(variable.value).copy() for variable in variables]
    finished = False
    try:
        yield
        finished = True
    finally:
        if always or not finished:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)


@contextlib.contextmanager
def _random_state_restored() -> Iterator[None]:
    python_state, numpy_state = random.getstate(), np.random.get_state()
    generator = global_state.get_global_attribute(GLOBAL_SEED)
    seed = None if generator is None else ops.convert_to_numpy(generator.state.value).copy()
    torch_random = _torch_random()
    torch_state = torch_random.get_rng_state() if torch_random else None
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        global_state.set_global_attribute(GLOBAL_SEED, generator)
        if generator is not None:
            generator.state.assign(seed)
        if torch_random:
            torch_random.set_rng_state(torch_state)


def _torch_random() -> Any:
    """Return PyTorch's random module if Keras runs on it: an unseeded dropout layer draws from there."""
    if keras.backend.backend() != "torch":
        return None
    import torch

    return torch.random
