"""Exercises of lesson 1, what zeros does."""

from typing import Any

import keras
import numpy as np
from keras import ops

from exercises import exercise, model_of, number_of
from helpers.layers import ZeroInitializedLayer
from zerostart.training import gradients


@exercise("1.1", "The hidden kernel and the head's bias start at zero, and nothing else does.")
def zeros_at_the_start(answer: Any, inputs: int, units: int) -> str | None:
    """Count the zeros among the weights of the network in section 3."""
    count = number_of(answer)
    if count == inputs * units:
        return "That is the hidden kernel. How does each of the head's two variables start?"
    if count == inputs * units + units + 1:
        return (
            "That is the number of all weights in the summary. With both kernels at zero only the head's bias could "
            "learn. Which kernel is random?"
        )
    if count != inputs * units + 1:
        return (
            "Go through the three variables one by one: the hidden kernel, the head's kernel, the head's bias. "
            "How many numbers has each, and are they zero?"
        )


@exercise("1.2", "A dense layer with a zero kernel, without bias and activation, is the course's layer.")
def dense_from_zero(answer: Any, inputs: int, units: int) -> str | None:
    """Compare a `Dense` with `ZeroInitializedLayer`: a fresh copy, the answer is left alone."""
    if answer is keras.layers.Dense:
        return "That is a class. Call it, so that it becomes a layer."
    if type(answer) is not keras.layers.Dense:
        return "The answer must be a keras.layers.Dense."
    if answer.units != units:
        return "This layer has another number of units than yours."
    copy = keras.layers.Dense.from_config(answer.get_config())
    copy.build((None, inputs))
    kernel, *bias = copy.get_weights()
    if kernel.any():
        return (
            "This kernel does not start at zero: Dense makes a random one unless you name another initializer for it."
        )
    if bias:
        return "The kernel is right, but this layer has one variable too many."
    numbers = np.random.default_rng(0).normal(size=(4, inputs)).astype("float32")
    twin = ZeroInitializedLayer(units)
    for layer in (copy, twin):
        layer(numbers)
        layer.kernel.assign(np.ones((inputs, units)))
    if not np.allclose(*(ops.convert_to_numpy(layer(numbers)) for layer in (copy, twin)), atol=1e-4):
        return "It starts right, but once its kernel has moved it computes something else. Look at its activation."


@exercise("1.3", "A zero head sends nothing back, so the hidden kernel waits for one update.")
def only_the_head(answer: Any, inputs: int, units: int) -> str | None:
    """Look at the gradients of both kernels on a small regression."""
    model = model_of(answer)
    kernels = [weight for weight in model.trainable_variables if len(weight.shape) == 2]
    if [tuple(kernel.shape) for kernel in kernels] != [(inputs, units), (units, 1)]:
        return (
            "The model needs exactly two kernels: one from the inputs to your units, one from your units to 1 output."
        )
    x = np.random.default_rng(0).normal(size=(32, inputs)).astype("float32")
    found = gradients(model, x, x.sum(axis=1, keepdims=True) + 1)
    hidden, head = (bool(gradient.any()) for gradient in found.values() if gradient.ndim == 2)
    if not hidden and not head:
        return "Here neither kernel moves. The head's gradient is (X W1)^T delta: what must W1 not be?"
    if hidden and head:
        return "Both kernels move. The hidden kernel's gradient is X^T delta w2^T: what stops it?"
    if hidden:
        return "This is the other way round: the hidden kernel moves, and the head's kernel does not."
    if ops.convert_to_numpy(kernels[1]).any():
        return "Only the head moves, but its kernel is not zero: something else holds the hidden kernel back."
