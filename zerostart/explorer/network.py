"""A multilayer perceptron in NumPy: the formulas of lesson 3, for any width, depth and activation.

Keras would compile a graph for every new size, which takes longer than the whole training. NumPy starts at once. The
tests compare what it computes with what Keras computes, setting by setting.
"""

import itertools
from collections.abc import Callable

import numpy as np


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return the logistic function of `z`."""
    return 1 / (1 + np.exp(-z))


def _tanh(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    h = np.tanh(z)
    return h, 1 - h * h


def _relu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(z, 0), (z > 0).astype(z.dtype)  # the slope at 0 is 0, as in Keras


def _silu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gate = sigmoid(z)
    return z * gate, gate * (1 + z * (1 - gate))


def _sigmoid(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    h = sigmoid(z)
    return h, h * (1 - h)


def _softplus(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    small = np.exp(-np.abs(z))
    return np.maximum(z, 0) + np.log1p(small), np.where(z > 0, 1, small) / (1 + small)


def _linear(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return z, np.ones_like(z)


# Each returns the value and the slope at every entry of its argument.
ACTIVATIONS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "tanh": _tanh,
    "relu": _relu,
    "silu": _silu,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "linear": _linear,
}


class Weights:
    """Kernels and biases that lie in one flat vector, so that an optimizer updates all of them at once."""

    def __init__(self, sizes: list[int]) -> None:
        """Make zeros for layers of these sizes, the inputs first."""
        shapes = [shape for rows, columns in itertools.pairwise(sizes) for shape in ((rows, columns), (columns,))]
        self.counts = np.array([np.prod(shape) for shape in shapes])
        self.starts = np.cumsum(self.counts) - self.counts
        self.flat = np.zeros(self.counts.sum(), dtype="float32")
        parts = np.split(self.flat, self.starts[1:])
        variables = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        self.kernels, self.biases = variables[::2], variables[1::2]

    def root_mean_squares(self) -> np.ndarray:
        """Return one for each kernel and bias, in turn.

        The squares are float64: in float32 that of a tiny number would vanish.
        """
        return np.sqrt(np.add.reduceat(np.square(self.flat, dtype="float64"), self.starts) / self.counts)


def forward(
    x: np.ndarray, weights: Weights, activation: str, factors: list[np.ndarray] | None = None
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Return what enters each kernel, the slope of each hidden unit, and the logits.

    `factors` multiply the outputs of the hidden layers: dropout.
    """
    values, slopes = [x], []
    for layer, (kernel, bias) in enumerate(zip(weights.kernels[:-1], weights.biases[:-1], strict=True)):
        h, slope = ACTIVATIONS[activation](values[-1] @ kernel + bias)
        if factors:
            h, slope = h * factors[layer], slope * factors[layer]
        values.append(h)
        slopes.append(slope)
    return values, slopes, values[-1] @ weights.kernels[-1] + weights.biases[-1]


def backward(
    values: list[np.ndarray], slopes: list[np.ndarray], delta: np.ndarray, weights: Weights, gradient: Weights
) -> None:
    """Write the gradient into `gradient`, from the derivative `delta` of the loss with respect to the logits."""
    for layer in range(len(values) - 1, -1, -1):
        np.matmul(values[layer].T, delta, out=gradient.kernels[layer])
        np.sum(delta, axis=0, out=gradient.biases[layer])
        if layer:
            delta = delta @ weights.kernels[layer].T * slopes[layer - 1]


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy of the classes `y`, and its derivative with respect to the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    share = np.exp(shifted)
    total = share.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    loss = float(np.mean(np.log(total[:, 0]) - shifted[rows, y]))
    share /= total
    share[rows, y] -= 1
    return loss, share / np.float32(len(y))
