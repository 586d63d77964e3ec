"""Exercises of lesson 3, follow the gradient."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from exercises import NotYet, called, exercise, model_of, number_of
from helpers.models import mlp
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
    if claimed == found:
        return None
    if claimed is None:
        return "It does have one. Follow the input forward: what comes out of the first hidden layer?"
    if claimed < found:
        return f"At step {claimed:g} it has none yet: what must the error pass on its way back?"
    return "It has one earlier. Count the kernels behind it."


@exercise("3.2", right="You predicted what was then measured.")
def of_your_own(answer: Any, hidden: tuple[int, ...], x: np.ndarray, y: np.ndarray) -> str | None:
    """Check a prediction for the reader's own network by measuring."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise NotYet("The answer must be a pair, (your network, your step).")
    model, claimed = model_of(answer[0]), _step(answer[1])
    if any(type(layer) is not keras.layers.Dense for layer in model.layers) or model.input_shape != (None, 64):
        return "Build the network with mlp."
    sizes = [layer.units for layer in model.layers[:-1]]
    if len(sizes) < 3 or sizes == [*hidden]:
        return "Give it at least three hidden layers, and other sizes than your `hidden`."
    kernels = [layer.get_weights()[0].any() for layer in model.layers]
    if sum(kernels) == 0 or len(kernels) - sum(kernels) < 2:
        return "At least two kernels must be zero, and at least one must not."
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    found = _first_step(copy, x, y)
    if claimed == found:
        return None
    measured = "never" if found is None else f"at step {found}"
    return f"Measured: {measured}. Which zero kernel, or which number of the activation, did you not count?"


@exercise("3.3", right="The softmax of this bias is the share of each class, so nothing is left to learn.")
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
        found = np.exp(bias - bias.max())
        found /= found.sum()
        if np.allclose(found, 1 / len(shares)):
            return "With equal numbers the loss starts at the logarithm of the number of classes. It can start lower."
        if not np.allclose(found, shares, atol=1e-6):
            return "The softmax of your bias is not the share of each class."
    return None


def _step(answer: Any) -> float | None:
    return None if answer is None else number_of(answer)


def _first_step(model: keras.Model, x: np.ndarray, y: np.ndarray) -> int | None:
    """Return the first step at which the first kernel has a gradient. Faint ones count, by the sign of each entry."""
    first = model.layers[0].kernel.path
    for step, found in enumerate(_signs(model, x, y)):
        if found[first].any():
            return step
    return None


def _signs(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """Yield the gradients of one step for each kernel, and one more; each update is half as large as the last."""
    size = 1e-3
    for _ in range(len(model.layers) + 1):
        found = gradients(model, x, y, loss=LOSS)
        yield found
        for variable in model.trainable_variables:
            variable.assign(ops.convert_to_numpy(variable.value) - size * np.sign(found[variable.path]))
        size /= 2
