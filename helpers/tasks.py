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
        x=keras.tree.map_structure(lambda part: _plain("x", part, dtype), inputs),
        y=_plain("y", targets, dtype),
        loss=loss,
        rows=len(targets),
    )


def check_loss(model: keras.Model, task: Task) -> None:
    """Raise `ValueError` unless Keras knows the loss and can compare the targets with one output."""
    outputs = _outputs(model, task.x)
    if not isinstance(outputs, keras.KerasTensor):
        return  # one loss for each output; `compile` checks them
    loss = look_up("loss", keras.losses.get, task.loss)
    y = task.y[..., np.newaxis] if task.y.ndim + 1 == len(outputs.shape) and outputs.shape[-1] == 1 else task.y
    shape = (task.rows, *outputs.shape[1:])
    if None in shape:
        return
    try:
        value = ops.convert_to_numpy(loss(ops.convert_to_tensor(y), ops.zeros(shape, model.variable_dtype)))
    except Exception as problem:
        shapes = f"y of shape {y.shape} and outputs of shape {shape}"
        raise ValueError(f"loss: {task.loss!r} cannot compare {shapes}: {problem}") from problem
    if value.dtype.kind != "f":
        raise ValueError(f"loss: expected a number for each row, got {value!r}")


def _is_nested(x: Any) -> bool:
    """Tell several inputs (a dict, or a list of arrays) from one array written as a list of numbers."""
    return isinstance(x, dict) or (isinstance(x, (list, tuple)) and all(hasattr(part, "shape") for part in x))


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


def _outputs(model: keras.Model, inputs: Any) -> Any:
    """Return the symbolic output, which shows whether the model accepts such inputs. Nothing is computed."""
    shapes = keras.tree.map_structure(lambda part: part.shape, inputs)
    expected = getattr(model, "inputs", None) or []
    if len(expected) == 1 and not isinstance(inputs, (dict, list, tuple)) and not _fits(inputs, expected[0].shape):
        raise ValueError(f"x: the model does not accept inputs of shape {shapes}, but of shape {expected[0].shape}")
    symbols = keras.tree.map_structure(lambda part: keras.KerasTensor((None, *part.shape[1:])), inputs)
    try:
        return model.compute_output_spec(symbols)
    except Exception as problem:
        raise ValueError(f"x: the model does not accept inputs of shape {shapes}: {problem}") from problem


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
