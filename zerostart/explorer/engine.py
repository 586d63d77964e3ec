"""Trains any small network in NumPy and writes down what happens. `web/engine.js` does the same, line by line.

Keras would compile a graph for every new size, which takes longer than the whole training. Every number that Keras
stores is rounded to float32 here too; sums are taken in float64, so that their order hardly matters.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from zerostart.explorer import sentence
from zerostart.explorer.setting import SHARED, Setting
from zerostart.explorer.start import FOR_DROPOUT, images, initial_kernels, rounded, uniform
from zerostart.symmetry import unit_groups, unit_spread


@dataclass(frozen=True)
class Run:
    """What happened in one training. Step k is the state before update k, counted from 0; the last is the result.

    Attributes:
        setting: What was trained.
        loss: Loss at every step, shape `(steps + 1,)`.
        gradients: Variable -> root mean square of its gradient at every step, from the input to the output.
        moments: The steps at which the net was looked at.
        accuracy: Share of the images in the right class, at every moment.
        spread: `unit_spread` of each hidden layer, shape `(layers, moments)`.
        width: `effective_width` of each hidden layer, shape `(layers, moments)`.
        kernels: The kernels at every moment, shapes `(moments, rows, columns)`; the head's is the last.
        groups: Which units of a hidden layer are identical in all that enters and all that leaves them: numbers of
            groups as `unit_groups` gives them, at the first and the last step, shape `(layers, 2, units)`.
        entered: For each kernel without a gradient whether anything but zeros ever entered it.
        returned: For each kernel without a gradient whether anything but zeros ever came back to it.
    """

    setting: Setting
    loss: np.ndarray
    gradients: dict[str, np.ndarray]
    moments: np.ndarray
    accuracy: np.ndarray
    spread: np.ndarray
    width: np.ndarray
    kernels: list[np.ndarray]
    groups: np.ndarray
    entered: np.ndarray
    returned: np.ndarray

    @property
    def verdict(self) -> str:
        """One of `zerostart.verdict.MEANINGS`, but about this very run, or `"diverged"`."""
        return sentence.verdict(self)

    @property
    def sentence(self) -> str:
        """The verdict, why, and what came of it."""
        return sentence.sentence(self)


@np.errstate(all="ignore")  # numbers that overflow are shown and named
def run(setting: Setting) -> Run:
    """Train a network as `setting` says, on 128 digits.

    Example:
        >>> run(Setting(units=3, steps=10)).loss.shape
        (11,)
    """
    x, y = images()
    start = initial_kernels(setting)
    net = Weights([x.shape[1], *(kernel.shape[1] for kernel in start)])
    for kernel, value in zip(net.kernels, start, strict=True):
        kernel[:] = value
    gradient, rule, kept = Weights(net.sizes), Rule(setting.optimizer, net.flat), moments(setting.steps)
    loss, sizes, looks, groups = [], [], [], [net.groups()]
    entered, returned = np.zeros((2, setting.layers + 1), bool)
    for step in range(setting.steps + 1):
        values, slopes, logits = forward(x, net, setting.activation, dropped(setting, step))
        found, delta = cross_entropy(logits, y)
        deltas = backward(values, slopes, delta, net, gradient)
        loss.append(found)
        sizes.append(gradient.root_mean_squares())
        for place in np.flatnonzero(sizes[-1][::2] == 0):
            entered[place] |= values[place].any()
            returned[place] |= deltas[place].any()
        if step in kept:
            if setting.dropout:
                logits = forward(x, net, setting.activation)[2]
            looks.append((np.mean(logits.argmax(axis=1) == y), net.looked_at(), [kernel.copy() for kernel in net.kernels]))
        if step < setting.steps:
            rule.update(gradient.flat)
    groups.append(net.groups())
    accuracy, units, kernels = zip(*looks, strict=True)
    spread, width = np.array(units).transpose(2, 1, 0)
    return Run(
        setting,
        np.array(loss),
        dict(zip(names(setting), np.array(sizes).T, strict=True)),
        np.array(kept),
        np.array(accuracy),
        spread,
        width.astype(int),
        [np.array(kernel) for kernel in zip(*kernels, strict=True)],
        np.array(groups).transpose(1, 0, 2),
        entered,
        returned,
    )


class Weights:
    """Kernels and biases that lie in one flat vector, so that an optimizer updates all of them at once."""

    def __init__(self, sizes: list[int]) -> None:
        """Make zeros for layers of these sizes, the inputs first."""
        self.sizes = sizes
        shapes = [shape for rows, columns in itertools.pairwise(sizes) for shape in ((rows, columns), (columns,))]
        self.counts = np.array([np.prod(shape) for shape in shapes])
        self.starts = np.cumsum(self.counts) - self.counts
        self.flat = np.zeros(self.counts.sum())
        parts = np.split(self.flat, self.starts[1:])
        variables = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        self.kernels, self.biases = variables[::2], variables[1::2]

    def root_mean_squares(self) -> np.ndarray:
        """Return one for each kernel and bias, in turn."""
        return np.sqrt(np.add.reduceat(np.square(self.flat), self.starts) / self.counts)

    def looked_at(self) -> list[tuple[float, int]]:
        """Return spread and effective width of each hidden layer; what overflowed is as different as can be."""
        if not np.isfinite(self.flat).all():
            return [(np.inf, size) for size in self.sizes[1:-1]]
        layers = zip(self.kernels[:-1], self.biases[:-1], strict=True)
        return [(unit_spread(kernel), unit_groups(kernel, bias).max() + 1) for kernel, bias in layers]

    def groups(self) -> list[np.ndarray]:
        """Return which units of each hidden layer are identical in all that enters and all that leaves them."""
        if not np.isfinite(self.flat).all():
            return [np.arange(size) for size in self.sizes[1:-1]]
        around = [np.vstack([before, after.T]) for before, after in itertools.pairwise(self.kernels)]
        return [unit_groups(kernel, bias) for kernel, bias in zip(around, self.biases[:-1], strict=True)]


class Rule:
    """Updates a vector p with gradient g as SGD, momentum, RMSprop or Adam do, with the numbers that Keras gives them.

    With two averages m and v, after t updates:

        m <- a m + b g,    v <- c v + d g^2,    p <- p - rate * correction * m / (sqrt(v + inside) + outside)

    SGD has a = c = d = 0 and inside = 1. Momentum has another a. RMSprop has another c and d. Adam has all of them,
    and corrects for averages that start at 0: correction = sqrt(1 - c^t) / (1 - a^t).

    Example:
        >>> p = np.zeros(2)
        >>> Rule("sgd", p).update(np.ones(2))
        >>> p.round(6).tolist()
        [-0.01, -0.01]
    """

    def __init__(self, optimizer: str, p: np.ndarray) -> None:
        """Take the numbers of an optimizer, to update `p` in place."""
        self.numbers = SHARED["optimizers"][optimizer]
        self.p, self.m, self.v, self.t = p, np.zeros_like(p), np.zeros_like(p), 0

    def update(self, g: np.ndarray) -> None:
        """Do one update."""
        rate, a, b, c, d, inside, outside, corrects = self.numbers.values()
        self.t += 1
        self.m = rounded(a * self.m + b * g)
        self.v = rounded(c * self.v + d * g * g)
        correction = np.sqrt(1 - c**self.t) / (1 - a**self.t) if corrects else 1
        self.p[:] = rounded(self.p - rate * correction * self.m / (np.sqrt(self.v + inside) + outside))


def forward(
    x: np.ndarray, net: Weights, activation: str, factors: list[np.ndarray] | None = None
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Return what enters each kernel, the slope of each hidden unit, and the logits. `factors` are dropout's."""
    values, slopes = [x], []
    for layer, (kernel, bias) in enumerate(zip(net.kernels[:-1], net.biases[:-1], strict=True)):
        h, slope = ACTIVATIONS[activation](rounded(product(values[-1], kernel) + bias))
        if factors is not None:
            h, slope = rounded(h * factors[layer]), slope * factors[layer]
        values.append(h)
        slopes.append(slope)
    return values, slopes, rounded(product(values[-1], net.kernels[-1]) + net.biases[-1])


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy of the classes `y`, and its derivative with respect to the logits.

    A row of the derivative sums to 0, and exactly so here: behind a head of equal weights a gradient is exactly 0.
    """
    shifted, rows = logits - logits.max(axis=1, keepdims=True), np.arange(len(y))
    share = np.exp(shifted)
    total = share.sum(axis=1, keepdims=True)
    loss = float(np.mean(np.log(total[:, 0]) - shifted[rows, y]))
    delta = rounded(share / total)
    delta[rows, y] = 0
    delta[rows, y] = -delta.sum(axis=1)
    return loss, delta / len(y)


def backward(
    values: list[np.ndarray], slopes: list[np.ndarray], delta: np.ndarray, net: Weights, gradient: Weights
) -> list[np.ndarray]:
    """Write the gradient into `gradient`; return what comes back to each kernel. `delta` comes back to the last."""
    deltas = [delta]
    for layer in range(len(values) - 1, -1, -1):
        gradient.kernels[layer][:] = rounded((halves(values[layer]).mT @ halves(deltas[0])).sum(axis=0))
        gradient.biases[layer][:] = rounded(deltas[0].sum(axis=0))
        if layer:
            deltas.insert(0, rounded(product(deltas[0], net.kernels[layer].T) * slopes[layer - 1]))
    return deltas


def product(rows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Multiply half of the rows at a time: for more, NumPy starts threads, which on a busy machine take far longer."""
    return (halves(rows) @ kernel).reshape(len(rows), -1)


def halves(rows: np.ndarray) -> np.ndarray:
    """Return the rows in two halves."""
    return rows.reshape(2, len(rows) // 2, -1)


def dropped(setting: Setting, step: int) -> np.ndarray | None:
    """Return a factor for every output of every hidden layer, as `keras.layers.Dropout` would multiply, or None."""
    if not setting.dropout:
        return None
    shape = (setting.layers, len(images()[0]), setting.units)
    count = int(np.prod(shape))
    return (uniform(FOR_DROPOUT + step * count, count).reshape(shape) >= setting.dropout) / (1 - setting.dropout)


def moments(steps: int) -> list[int]:
    """Return the steps at which the net is looked at: the first ones, and twenty more from the first to the last."""
    return sorted({*range(min(steps, 9) + 1), *(steps * part // 20 for part in range(21))})


def names(setting: Setting) -> list[str]:
    """Return the names of the variables, from the input to the output."""
    layers = [*(f"hidden_{layer + 1}" for layer in range(setting.layers)), "head"]
    return [f"{layer}/{part}" for layer in layers for part in ("kernel", "bias")]


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return rounded(1 / (1 + np.exp(-z)))


def _tanh(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    h = rounded(np.tanh(z))
    return h, 1 - h * h


def _silu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gate = _sigmoid(z)
    return rounded(z * gate), gate * (1 + z * (1 - gate))


# Each returns the value and the slope at every entry of its argument. The slope of relu at 0 is 0, as in Keras.
ACTIVATIONS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "tanh": _tanh,
    "relu": lambda z: (np.maximum(z, 0), (z > 0).astype(float)),
    "silu": _silu,
    "sigmoid": lambda z: ((h := _sigmoid(z)), h * (1 - h)),
    "softplus": lambda z: (rounded(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))), _sigmoid(z)),
    "linear": lambda z: (z, np.ones_like(z)),
}
