"""Which loss a model is trained with: yours, the compiled one, or one that fits its outputs and targets."""

from typing import Any

import keras
import numpy as np

from zerostart.data import Rows


def compile_arguments(model: keras.Model, rows: Rows, outputs: Any, loss: Any) -> dict[str, Any]:
    """Return `loss` and `loss_weights` for `compile`, or raise a `ValueError` if no loss fits.

    The `outputs` are those for some of the `rows`; `loss` is what the caller asked for, or None.
    """
    compiled = model.loss if model.compiled else None
    if rows.y is None and not (loss is None and compiled is None and model.losses):
        raise ValueError("y: expected targets, because the loss compares the outputs with them, got None")
    arguments = {"loss": loss}
    if loss is None and compiled is not None:
        arguments = {"loss": compiled, "loss_weights": model._compile_loss._user_loss_weights}
    elif loss is None and rows.y is not None:
        arguments = {"loss": _fitting_loss(model, outputs, rows.y)}
    _check_labels(arguments["loss"], outputs, rows.y)
    return arguments


def name_of_loss(loss: Any) -> str:
    """Return the name of the function of a loss."""
    return getattr(getattr(loss, "fn", loss), "__name__", type(loss).__name__)


def activation_of_head(model: keras.Model) -> str:
    """Return the name of the last layer's activation, `"linear"` if it has none."""
    layers = [layer for layer in model._flatten_layers(include_self=False) if not hasattr(layer, "layers")]
    last = layers[-1] if layers else None
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    return getattr(getattr(last, "activation", None), "__name__", "linear")


def _check_labels(loss: Any, outputs: Any, y: Any) -> None:
    """Refuse labels that no class has, or of the other kind. What backends make of them differs."""
    if not hasattr(outputs, "shape") or not isinstance(y, np.ndarray) or keras.tree.is_nested(loss):
        return
    if y.dtype.kind not in "biuf":
        raise TypeError(f"y: expected numbers, got texts such as {str(y.flat[0])!r}")
    loss, shape = keras.losses.get(loss), tuple(outputs.shape[1:])
    name, classes = name_of_loss(loss), shape[-1] if shape else 1
    if classes == 1:
        return
    if name == "categorical_crossentropy" and y.shape[1:] in (shape[:-1], (*shape[:-1], 1)):
        one_hot = f"one column for each of the {classes} classes"
        raise ValueError(f"y: {name} takes {one_hot}; for their numbers use sparse_{name}; got shape {y.shape}")
    if name == "sparse_categorical_crossentropy":
        if y.shape[1:] == shape:
            other = name.removeprefix("sparse_")
            raise ValueError(f"y: {name} takes numbers of classes; for a column each use {other}; got shape {y.shape}")
        labels = y[y != getattr(loss, "_fn_kwargs", {}).get("ignore_class")]
        if labels.size and (labels.min() < 0 or labels.max() >= classes):
            raise ValueError(f"y: expected classes from 0 to {classes - 1}, got {labels.min()} to {labels.max()}")


def _fitting_loss(model: keras.Model, outputs: Any, y: Any) -> keras.losses.Loss:
    """Choose cross-entropy for classes and mean squared error for numbers, and check that `y` fits."""
    if not hasattr(outputs, "shape") or not isinstance(y, np.ndarray):
        raise ValueError("loss: a model with several outputs needs a loss: compile it, or pass one for each output")
    shape, head, dtype = tuple(outputs.shape[1:]), activation_of_head(model), model.variable_dtype
    if y.dtype.kind in "biu" and shape[-1:] != (1,) and y.shape[1:] in (shape[:-1], (*shape[:-1], 1)):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=head != "softmax", dtype=dtype)
    if y.shape[1:] != shape and (*y.shape[1:], 1) != shape:
        raise ValueError(f"y: expected shape {(len(y), *shape)} like the model's output, got {y.shape}")
    if y.dtype.kind in "biu" and head == "sigmoid" and y.min() >= 0 and y.max() <= 1:
        return keras.losses.BinaryCrossentropy(dtype=dtype)
    return keras.losses.MeanSquaredError(dtype=dtype)
