"""Which models can be trained, and how to leave one as it was."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.backend.common import global_state  # Keras has no public way to look at its global seed


@contextlib.contextmanager
def restored(model: keras.Model, *, always: bool = True) -> Iterator[None]:
    """Give the model back its variables: always, or only after an error or an interruption."""
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
def untouched(model: keras.Model) -> Iterator[None]:
    """Put back the model's variables and regularizers and the state of the generators of Python, NumPy and Keras.

    Inside, the weights have no regularizer: a penalty on a weight is no sign that the data reach it.
    """
    regularizers = [variable.regularizer for variable in model.trainable_variables]
    with _random_state_restored(), restored(model):
        try:
            for variable in model.trainable_variables:
                variable.regularizer = None
            yield
        finally:
            for variable, regularizer in zip(model.trainable_variables, regularizers, strict=True):
                variable.regularizer = regularizer


@contextlib.contextmanager
def _random_state_restored() -> Iterator[None]:
    put_back = [(random.setstate, random.getstate()), (np.random.set_state, np.random.get_state())]
    generator = global_state.get_global_attribute("global_seed_generator")
    if generator is not None:
        put_back.append((generator.state.assign, ops.convert_to_numpy(generator.state.value).copy()))
    if keras.backend.backend() == "torch":
        import torch  # an unseeded dropout layer draws from there

        put_back.append((torch.set_rng_state, torch.get_rng_state()))
    try:
        yield
    finally:
        global_state.set_global_attribute("global_seed_generator", generator)
        for put, state in put_back:
            put(state)


def check_model(model: Any) -> None:
    """Raise an error unless this is a built Keras model that can be trained."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"model: expected a keras.Model, got {type(model).__name__}")
    if type(model).call is keras.Model.call:
        own = {**vars(model), **getattr(model, "_modules", {})}  # where PyTorch keeps them
        parts = [f"model.{name}" for name, part in own.items() if isinstance(part, keras.Layer)]
        raise ValueError(f"model: it has no `call`; hand over its parts, each with its own data: {', '.join(parts)}")
    if not model.built:
        raise ValueError("model: expected a built model; give it a keras.Input or call it once on data")
    if not model.trainable_variables:
        raise ValueError("model: expected at least one trainable variable, got none")


def outputs_of(model: keras.Model, x: Any, training: bool | None = False) -> Any:
    """Call a model, also one whose `call` has no `training`."""
    return model(x, training=training) if model._call_has_training_arg else model(x)


def fixed_batch_size(model: keras.Model) -> int | None:
    """Return the number of rows that the model always takes, or None if it takes any."""
    inputs = keras.tree.flatten(getattr(model, "inputs", None) or [])
    # A Sequential that was built by a call shows the rows of that call. Only a state is really bound to them.
    stateful = any(getattr(layer, "stateful", False) for layer in model._flatten_layers())
    return inputs[0].shape[0] if inputs and (stateful or not isinstance(model, keras.Sequential)) else None


def variable_paths(variables: list[keras.Variable]) -> tuple[str, ...]:
    """Return each variable's path; a path that occurs again gets a number."""
    paths: list[str] = []
    for variable in variables:
        path, count = variable.path, sum(known.partition("#")[0] == variable.path for known in paths)
        paths.append(f"{path}#{count + 1}" if count else path)
    return tuple(paths)
