"""Which models can be trained, and how to leave one as it was."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops


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


def check_model(model: Any) -> None:
    """Raise an error unless this is a built Keras model that can be trained."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"model: expected a keras.Model, got {type(model).__name__}")
    if not model.built:
        raise ValueError("model: expected a built model; give it a keras.Input or call it once on data")
    if not model.trainable_variables:
        raise ValueError("model: expected at least one trainable variable, got none")


def fixed_batch_size(model: keras.Model) -> int | None:
    """Return the number of rows that the model always takes, or None if it takes any."""
    inputs = keras.tree.flatten(getattr(model, "inputs", None) or [])
    return inputs[0].shape[0] if inputs else None


def variable_paths(variables: list[keras.Variable]) -> tuple[str, ...]:
    """Return each variable's path; a path that occurs again gets a number."""
    paths: list[str] = []
    for variable in variables:
        path, count = variable.path, sum(known.partition("#")[0] == variable.path for known in paths)
        paths.append(f"{path}#{count + 1}" if count else path)
    return tuple(paths)
