"""Checks a model and its data before anything runs, and chooses the loss."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from helpers.checks import finite_array, same_length


@dataclass(frozen=True)
class Task:
    """Data and loss that fit a model.

    Attributes:
        x: Array (or dict or list of arrays), in the dtype of the model's weights or int32.
        y: Array.
        loss: What `model.compile` takes.
        rows: Number of examples.
    """

    x: Any
    y: np.ndarray
    loss: Any
    rows: int


def prepare_task(model: keras.Model, x: Any, y: Any, loss: Any) -> Task:
    """Return a `Task`, or raise an error that names the argument."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"model: expected a keras.Model, got {type(model).__name__}")
    if not model.built:
        raise ValueError("model: expected a built model; give it a keras.Input or call it once on data")
    if not model.trainable_variables:
        raise ValueError("model: expected at least one trainable variable, got none")
    inputs = (
        keras.tree.map_structure(lambda part: finite_array("x", part), x) if _is_nested(x) else finite_array("x", x)
    )
    targets = finite_array("y", y)
    for part in keras.tree.flatten(inputs):
        same_length(part, targets)
    outputs = _outputs(model, inputs)
    if loss is None:
        loss = _default_loss(model, outputs, targets)
    dtype = model.variable_dtype
    return Task(
        x=keras.tree.map_structure(lambda part: _plain(part, dtype), inputs),
        y=_plain(targets, dtype),
        loss=loss,
        rows=len(targets),
    )


def _is_nested(x: Any) -> bool:
    """Tell several inputs (a dict, or a list of arrays) from one array written as a list of numbers."""
    return isinstance(x, dict) or (isinstance(x, (list, tuple)) and all(hasattr(part, "shape") for part in x))


def _plain(array: np.ndarray, float_dtype: str) -> np.ndarray:
    """Return a copy-free float array of the model's dtype, or an int32 array."""
    return array.astype(float_dtype if array.dtype.kind == "f" else "int32", copy=False)


def _outputs(model: keras.Model, inputs: Any) -> Any:
    """Return the symbolic output, which shows whether the model accepts such inputs. Nothing is computed."""
    symbols = keras.tree.map_structure(lambda part: keras.KerasTensor((None, *part.shape[1:])), inputs)
    try:
        return model.compute_output_spec(symbols)
    except Exception as problem:
        shapes = keras.tree.map_structure(lambda part: part.shape, inputs)
        raise ValueError(f"x: the model does not accept inputs of shape {shapes}: {problem}") from problem


def _default_loss(model: keras.Model, outputs: Any, y: np.ndarray) -> keras.losses.Loss:
    """Choose cross-entropy for classes and mean squared error for numbers, and check that `y` fits."""
    if not isinstance(outputs, keras.KerasTensor):
        raise ValueError("loss: a model with several outputs needs a loss of its own")
    shape = tuple(outputs.shape[1:])
    if y.dtype.kind == "f":
        if y.shape[1:] != shape and (*y.shape[1:], 1) != shape:
            raise ValueError(f"y: expected shape {(len(y), *shape)} like the model's output, got {y.shape}")
        return keras.losses.MeanSquaredError(dtype=model.variable_dtype)
    classes = shape[-1]
    if y.shape[1:] not in (shape[:-1], (*shape[:-1], 1)):
        raise ValueError(f"y: expected integer classes of shape {(len(y), *shape[:-1])}, got {y.shape}")
    if y.min() < 0 or y.max() >= classes:
        raise ValueError(f"y: expected classes from 0 to {classes - 1}, got {y.min()} to {y.max()}")
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=model.variable_dtype)
