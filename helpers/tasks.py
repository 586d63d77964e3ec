"""Checks a model and its data before anything runs, and chooses the loss."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from helpers.checks import finite_array, look_up, same_length


@dataclass(frozen=True)
class Task:
    """Data and loss that fit a model.

    Attributes:
        x: Array (or dict or list of arrays), in the dtype of the model's weights or int32.
        y: Array.
        loss: What `model.compile` takes.
    """

    x: Any
    y: np.ndarray
    loss: Any


def prepare_task(model: keras.Model, x: Any, y: Any, loss: Any) -> Task:
    """Return a `Task`, or raise an error that names the argument."""
    check_model(model)
    x, y = checked_data(x, y)
    outputs = symbolic_outputs(model, x)
    if loss is None:
        loss = _default_loss(model, outputs, y)
    dtype = model.variable_dtype
    x, y = keras.tree.map_structure(lambda part: _plain("x", part, dtype), x), _plain("y", y, dtype)
    if isinstance(outputs, keras.KerasTensor):  # of several outputs each has its loss, which `compile` checks
        look_up("loss", keras.losses.get, loss)
        shape = (len(y), *outputs.shape[1:])
        if None not in shape:
            loss_value(loss, y, ops.zeros(shape, dtype))
    return Task(x, y, loss)


def check_model(model: Any) -> None:
    """Raise an error unless this is a built Keras model that can be trained."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"model: expected a keras.Model, got {type(model).__name__}")
    if not model.built:
        raise ValueError("model: expected a built model; give it a keras.Input or call it once on data")
    if not model.trainable_variables:
        raise ValueError("model: expected at least one trainable variable, got none")


def checked_data(x: Any, y: Any) -> tuple[Any, np.ndarray]:
    """Return `x` (one array, or a dict or list of arrays) and `y` as finite arrays with equally many rows."""
    # A list of numbers is one input; several inputs are arrays themselves.
    nested = isinstance(x, dict) or (isinstance(x, (list, tuple)) and all(hasattr(part, "shape") for part in x))
    x = keras.tree.map_structure(lambda part: finite_array("x", part), x) if nested else finite_array("x", x)
    y = finite_array("y", y)
    parts = keras.tree.flatten(x)
    if not parts:
        raise ValueError("x: expected at least one array, got none")
    for part in parts:
        same_length(part, y)
    return x, y


def symbolic_outputs(model: keras.Model, x: Any) -> Any:
    """Return the outputs' shapes, which shows whether the model accepts such inputs. Nothing is computed."""
    shapes = keras.tree.map_structure(lambda part: part.shape, x)
    expected = getattr(model, "inputs", None) or []
    if len(expected) == 1 and not isinstance(x, (dict, list, tuple)) and not _fits(x, expected[0].shape):
        raise ValueError(f"x: the model does not accept inputs of shape {shapes}, but of shape {expected[0].shape}")
    symbols = keras.tree.map_structure(lambda part: keras.KerasTensor((None, *part.shape[1:])), x)
    try:
        return model.compute_output_spec(symbols)
    except Exception as problem:
        raise ValueError(f"x: the model does not accept inputs of shape {shapes}: {problem}") from problem


def loss_value(loss: Any, y: np.ndarray, outputs: Any) -> np.ndarray:
    """Return the loss, one number or one for each row, or raise `ValueError` if it is anything else."""
    loss, shape = keras.losses.get(loss), tuple(outputs.shape)
    targets = y[..., np.newaxis] if len(shape) == y.ndim + 1 and shape[-1] == 1 else y  # as Keras does
    shapes = f"y of shape {y.shape} and outputs of shape {shape}"
    try:
        value = ops.convert_to_numpy(loss(ops.convert_to_tensor(targets), outputs))
    except Exception as problem:
        raise ValueError(f"loss: cannot compare {shapes}: {problem}") from problem
    per_row = not isinstance(loss, keras.losses.Loss) and value.shape[:1] == (len(y),)  # Keras takes the mean
    if value.dtype.kind != "f" or (value.shape and not per_row):
        raise ValueError(f"loss: expected one number for {shapes}, got {value.dtype} of shape {value.shape}")
    return value


def _plain(name: str, array: np.ndarray, float_dtype: str) -> np.ndarray:
    """Return a copy-free float array of the model's dtype, or an int32 array. No number may change beyond rounding."""
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            plain = array.astype(float_dtype, copy=False)
        same = np.isfinite(plain).all()
    else:
        plain = array.astype("int32", copy=False)
        same = np.array_equal(plain, array)
    if not same:
        raise ValueError(f"{name}: expected numbers that {plain.dtype} can hold, got up to {np.abs(array).max()}")
    return plain


def _fits(x: np.ndarray, expected: tuple[int | None, ...]) -> bool:
    """Compare all axes but the first. Keras adds or drops a last axis of length 1."""
    shape = x.shape
    if len(shape) == len(expected) - 1:
        shape = (*shape, 1)
    elif len(shape) == len(expected) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    same = [wanted in (None, length) for wanted, length in zip(expected[1:], shape[1:], strict=False)]
    return len(shape) == len(expected) and all(same)


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
