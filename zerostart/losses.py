"""Which loss a model is trained with: yours, the compiled one, or one that fits its outputs and targets."""

from typing import Any

import keras
import numpy as np

from zerostart.data import Rows


def compile_arguments(model: keras.Model, rows: Rows, outputs: Any, loss: Any) -> dict[str, Any]:
    """Return `loss` and `loss_weights` for `compile`, or raise a `ValueError` if no loss fits.

    The `outputs` are those for some of the `rows`; `loss` is what the caller asked for, or None.
    """
    if loss is not None:
        return {"loss": loss}
    if model.compiled and model.loss is not None:
        return {"loss": model.loss, "loss_weights": model._compile_loss._user_loss_weights}
    if rows.y is None:
        if not model.losses:
            raise ValueError("y: expected targets, because the model brings no loss of its own, got None")
        return {"loss": None}
    return {"loss": _fitting_loss(model, outputs, rows.y)}


def activation_of_head(model: keras.Model) -> str:
    """Return the name of the last layer's activation, `"linear"` if it has none."""
    layers = [layer for layer in model._flatten_layers(include_self=False) if not hasattr(layer, "layers")]
    last = layers[-1] if layers else None
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    return getattr(getattr(last, "activation", None), "__name__", "linear")


def _fitting_loss(model: keras.Model, outputs: Any, y: Any) -> keras.losses.Loss:
    """Choose cross-entropy for classes and mean squared error for numbers, and check that `y` fits."""
    if not hasattr(outputs, "shape") or not isinstance(y, np.ndarray):
        raise ValueError("loss: a model with several outputs needs a loss: compile it, or pass one for each output")
    shape, head, dtype = tuple(outputs.shape[1:]), activation_of_head(model), model.variable_dtype
    if y.dtype.kind in "biu" and shape[-1:] != (1,) and y.shape[1:] in (shape[:-1], (*shape[:-1], 1)):
        if y.min() < 0 or y.max() >= shape[-1]:
            raise ValueError(f"y: expected classes from 0 to {shape[-1] - 1}, got {y.min()} to {y.max()}")
        return keras.losses.SparseCategoricalCrossentropy(from_logits=head != "softmax", dtype=dtype)
    if y.shape[1:] != shape and (*y.shape[1:], 1) != shape:
        raise ValueError(f"y: expected shape {(len(y), *shape)} like the model's output, got {y.shape}")
    if y.dtype.kind in "biu" and head == "sigmoid" and y.min() >= 0 and y.max() <= 1:
        return keras.losses.BinaryCrossentropy(dtype=dtype)
    return keras.losses.MeanSquaredError(dtype=dtype)
