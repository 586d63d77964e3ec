"""Exercises of lesson 3, follow the gradient."""

from typing import Any

import keras
import numpy as np
from keras import ops

from exercises import called, exercise, model_of, number_of
from helpers.models import mlp
from zerostart.models import restored
from zerostart.training import gradients

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
LABELS = np.array([0, 0, 0, 1]), np.array([2, 1, 0, 2, 2, 1, 2]), np.repeat(np.arange(10), np.arange(1, 11))


@exercise("3.1", right="tanh(0.1) is not zero, so something comes forward; the error comes back layer by layer.")
def a_little_bias(answer: Any, hidden: tuple[int, ...], x: np.ndarray, y: np.ndarray) -> str | None:
    """Check the first step by measuring it."""
    model = mlp(hidden, activation="tanh", kernel_initializer="zeros")
    for layer in model.layers[:-1]:
        layer.bias.assign(np.full(layer.bias.shape, 0.1))
    claimed, found = _step(answer), _first_step(model, x, y)
    if claimed is None:
        return "It does have one. Follow the input forward: what comes out of the first hidden layer?"
    if claimed < found:
        return f"At step {claimed:g} it has none yet: what must the error pass on its way back?"
    if claimed > found:
        return "It has one earlier. Count the kernels behind it."


@exercise("3.2", right="You predicted what was then measured.")
def of_your_own(answer: Any, hidden: tuple[int, ...], x: np.ndarray, y: np.ndarray) -> str | None:
    """Check a prediction for the reader's own network by measuring."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        return "The answer must be a pair, (your network, your step)."
    model, claimed = model_of(answer[0]), _step(answer[1])
    if any(type(layer) is not keras.layers.Dense for layer in model.layers) or model.input_shape != (None, 64):
        return "Build the network with mlp."
    sizes = [layer.units for layer in model.layers[:-1]]
    if len(sizes) < 3 or sizes == [*hidden]:
        return "Give it at least three hidden layers, and other sizes than your `hidden`."
    kernels = [layer.get_weights()[0].any() for layer in model.layers]
    if sum(kernels) == 0 or len(kernels) - sum(kernels) < 2:
        return "At least two kernels must be zero, and at least one must not."
    with restored(model):
        found = _first_step(model, x, y)
    if claimed != found:
        measured = "never" if found is None else f"at step {found}"
        return f"Measured: {measured}. Which kernel, activation or bias did you not count?"


@exercise("3.3", right="The softmax of this bias is the share of each class: a frozen network can learn no more.")
def best_bias(answer: Any) -> str | None:
    """Check a function of labels on a few arrays of them."""
    for labels in LABELS:
        shares = np.bincount(labels) / len(labels)
        bias = np.asarray(called(answer, labels))
        if bias.shape != shares.shape or bias.dtype.kind not in "fiu":
            return f"For labels of {len(shares)} classes it must return {len(shares)} numbers in an array."
        if np.allclose(bias, shares):
            return "Those are the shares. The bias is a logit: its softmax should be the shares."
        if not np.isfinite(bias).all():
            return "It returns NaN or infinity."
        found = ops.convert_to_numpy(ops.softmax(bias.astype("float32")))
        if np.allclose(found, 1 / len(shares)):
            return "With equal numbers the loss starts at the logarithm of the number of classes. It can start lower."
        if not np.allclose(found, shares, atol=1e-6):
            return "The softmax of your bias is not the share of each class."


def _step(answer: Any) -> float | None:
    return None if answer is None else number_of(answer)


def _first_step(model: keras.Model, x: np.ndarray, y: np.ndarray) -> int | None:
    """Return the first step at which the first kernel has a gradient.

    Faint gradients count: an update takes only their signs. Each is half of the last, so that none undoes another.
    """
    for step in range(len(model.layers) + 1):
        found = gradients(model, x, y, loss=LOSS)
        if found[model.layers[0].kernel.path].any():
            return step
        for variable in model.trainable_variables:
            variable.assign_sub(1e-3 / 2**step * np.sign(found[variable.path]))
    return None
