"""Trains any small network of the explorer and writes down what happens."""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.data import digits
from zerostart.explorer.network import Weights, backward, cross_entropy, forward
from zerostart.explorer.rule import Rule
from zerostart.explorer.setting import Setting, new_optimizer
from zerostart.symmetry import effective_width, unit_spread

ROWS = 128
STEPS_AT_ONCE = 20  # between two questions whether to go on
MOST_LOOKS = 20  # at the units


@dataclass(frozen=True)
class Run:
    """What happened in one training. Row t belongs to the weights before update t.

    Attributes:
        setting: What was trained.
        loss: Loss at every step.
        gradients: Variable -> root mean square of its gradient at every step, from the input to the output.
        seen_at: Steps at which the units were compared.
        spread: For each hidden layer the `unit_spread` at these steps, shape `(layers, looks)`.
        width: For each hidden layer the `effective_width` at these steps.
        different: For each hidden layer how many units differ at the end, counting what they send on as well.
        start: Kernels before the training.
        kernels: Kernels after it.
        accuracy: Share of the rows that the trained network puts in the right class.
    """

    setting: Setting
    loss: np.ndarray
    gradients: dict[str, np.ndarray]
    seen_at: np.ndarray
    spread: np.ndarray
    width: np.ndarray
    different: list[int]
    start: list[np.ndarray]
    kernels: list[np.ndarray]
    accuracy: float


@np.errstate(all="ignore")  # numbers that overflow are shown and named
def run(setting: Setting, go_on: Callable[[float], bool] = lambda share: True) -> Run | None:
    """Train a network as `setting` says, on 128 digits.

    Args:
        setting: What to train.
        go_on: Is called after every few steps with the share that is done. `False` abandons the training.

    Returns:
        A `Run`, or `None` if it was abandoned.

    Example:
        >>> run(Setting(units=3, steps=10)).loss.shape
        (10,)
    """
    training = _Training(setting)
    every = max(STEPS_AT_ONCE, -(-setting.steps // MOST_LOOKS))
    rows, looks = [], [_look(training.weights)]
    for done in range(1, setting.steps + 1):
        rows.append(training.step())
        if done % every == 0 or done == setting.steps:
            looks.append(_look(training.weights))
        if done % STEPS_AT_ONCE == 0 and not go_on(done / setting.steps):
            return None
    loss, *gradients = np.array(rows).T
    spread, width = np.array(looks).transpose(2, 1, 0)
    return Run(
        setting=setting,
        loss=loss,
        gradients=dict(zip(_names(setting), gradients, strict=True)),
        seen_at=np.array([*range(0, setting.steps, every), setting.steps]),
        spread=spread,
        width=width,
        different=_different_at_last(training.weights),
        start=training.start,
        kernels=training.weights.kernels,
        accuracy=training.accuracy(),
    )


class _Training:
    """A network, its gradient and its optimizer."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.start = setting, setting.initial_kernels()
        self.x, self.y = examples()
        sizes = [self.x.shape[1], *(kernel.shape[1] for kernel in self.start)]
        self.weights, self.gradient = Weights(sizes), Weights(sizes)
        for kernel, value in zip(self.weights.kernels, self.start, strict=True):
            kernel[:] = value
        self.rule = Rule(new_optimizer(setting.optimizer), self.weights.flat)
        self.generator = np.random.default_rng(0)

    def step(self) -> list[float]:
        """Do one update; return the loss before it and the root mean square of the gradient of each variable."""
        values, slopes, logits = forward(self.x, self.weights, self.setting.activation, self._dropout())
        loss, delta = cross_entropy(logits, self.y)
        backward(values, slopes, delta, self.weights, self.gradient)
        self.rule.update(self.gradient.flat)
        return [loss, *self.gradient.root_mean_squares()]

    def accuracy(self) -> float:
        """Return the share of digits that the network puts in the right class."""
        logits = forward(self.x, self.weights, self.setting.activation)[2]
        return float(np.mean(logits.argmax(axis=1) == self.y))

    def _dropout(self) -> list[np.ndarray] | None:
        """Return a factor for every output of every hidden layer, as `keras.layers.Dropout` would multiply."""
        rate = np.float32(self.setting.dropout)
        if not rate:
            return None
        drawn = self.generator.random((self.setting.layers, len(self.x), self.setting.units), dtype="float32")
        return list((drawn >= rate) / (1 - rate))


@functools.cache
def examples() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits that every run trains on: `x` of shape `(128, 64)` and `y` of shape `(128,)`."""
    data = digits()
    return data.x_train[:ROWS], data.y_train[:ROWS]


def _names(setting: Setting) -> list[str]:
    layers = [*(f"hidden_{layer + 1}" for layer in range(setting.layers)), "head"]
    return [f"{layer}/{part}" for layer in layers for part in ("kernel", "bias")]


def _look(weights: Weights) -> list[tuple[float, int]]:
    """Return spread and effective width of each hidden layer."""
    return [_units(kernel, bias) for kernel, bias in zip(weights.kernels[:-1], weights.biases[:-1], strict=True)]


def _different_at_last(weights: Weights) -> list[int]:
    """Count the different units of each hidden layer by all that enters them and all that leaves them."""
    around = [np.vstack([before, after.T]) for before, after in itertools.pairwise(weights.kernels)]
    return [_units(kernel, bias)[1] for kernel, bias in zip(around, weights.biases[:-1], strict=True)]


def _units(kernel: np.ndarray, bias: np.ndarray) -> tuple[float, int]:
    """Return spread and effective width. Numbers that overflow are as different as can be."""
    if np.isfinite(kernel).all() and np.isfinite(bias).all():
        return unit_spread(kernel), effective_width(kernel, bias)
    return np.inf, len(bias)
