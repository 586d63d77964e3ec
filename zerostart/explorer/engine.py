"""Trains any small network in NumPy and writes down what happens. `web/engine.js` does the same, line by line.

Keras would compile a graph for every new size, which takes longer than the whole training. Every number that Keras
stores is rounded to float32 here too; sums are taken in float64, so that their order hardly matters.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from zerostart.explorer.sentence import say
from zerostart.explorer.setting import FOR_DROPOUT, SHARED, Setting, images, initial_kernel, rounded, uniform
from zerostart.symmetry import unit_groups, unit_spread

BLOCK = 16  # rows that are multiplied at once: for more, NumPy starts threads, which wait long on a busy machine


class Run(SimpleNamespace):
    """What happened in one training. Step k is the state before update k, counted from 0; the last is the result.

    Attributes:
        setting, names: What was trained, and the names of its layers.
        loss: Loss at every step, shape `(steps + 1,)`.
        gradients: Variable -> root mean square of its gradient at every step, from the input to the output.
        moments: The steps at which the net was looked at. The next four have one row for each of them.
        accuracy, spread, width: Share of the images in the right class; of each hidden layer the `unit_spread` and the
            `effective_width`.
        kernels: For each layer the weights between the first 10 units, for the first layer from all pixels.
        groups: At first and at last, for each hidden layer: which units are identical in all that enters and leaves.
        zero: For each kernel whether it was zero at first.
        entered, returned: For each kernel without a gradient whether anything but zeros ever entered, or came back.
        verdict: One of `zerostart.verdict.MEANINGS`, but about this very run, or `"diverged"`.
        sentence: The verdict, why, and what came of it.
    """


@np.errstate(all="ignore")  # numbers that overflow are shown and named
def run(setting: Setting) -> Run:
    """Train a network as `setting` says, on 128 digits.

    Example:
        >>> run(Setting(units=3, steps=10)).loss.shape
        (11,)
    """
    (x, y), layers, steps = images(), setting.layers, setting.steps
    sizes, label = [x.shape[1], *[setting.units] * layers, y.max() + 1], y[:, np.newaxis] == np.arange(y.max() + 1)
    net, gradient = Net(setting, sizes), Net(setting, sizes)
    given = net, gradient, setting.activation, x.reshape(-1, BLOCK, sizes[0]), label.reshape(-1, BLOCK, sizes[-1])
    found = Run(setting=setting, loss=[], accuracy=[], spread=[], width=[], kernels=[], groups=[net.groups()])
    found.moments = sorted({*range(min(steps, 9) + 1), *(steps * part // 16 for part in range(17))})
    found.zero = np.array([not kernel.any() for kernel in net.kernels])
    found.entered, found.returned = np.zeros((2, layers + 1), bool)
    update, seen = rule(setting.optimizer, net.flat), []
    for step in range(steps + 1):
        look, factors = step in found.moments, dropout(setting, step, len(y)) if setting.dropout else [None] * layers
        whole = propagate(*given, [None] * layers)[1] if look and setting.dropout else None
        loss, logits, values, deltas = propagate(*given, factors)
        found.loss.append(loss)
        seen.append(np.sqrt(np.add.reduceat(np.square(gradient.flat), gradient.starts) / gradient.counts))
        for place in np.flatnonzero(seen[-1][::2] == 0):
            found.entered[place] |= values[place].any()
            found.returned[place] |= deltas[place].any()
        if look:
            named = (logits if whole is None else whole).reshape(label.shape).argmax(axis=1)
            found.accuracy.append(np.mean(named == y))
            found.spread.append([unit_spread(w) if np.isfinite(w).all() else np.nan for w in net.kernels[:-1]])
            found.width.append([len(set(groups)) or np.nan for groups in net.groups(leaving=False)])
            found.kernels.append([kernel[: 10 if k else None, :10].copy() for k, kernel in enumerate(net.kernels)])
        if step < steps:
            update(gradient.flat)
    found.groups.append(net.groups())
    found.names = [*(f"hidden_{layer}" for layer in range(1, layers + 1)), "head"]
    variables = [f"{name}/{part}" for name in found.names for part in ("kernel", "bias")]
    found.gradients = dict(zip(variables, np.array(seen).T, strict=True))
    found.kernels = [np.array(kernel) for kernel in zip(*found.kernels, strict=True)]
    for name in ("loss", "accuracy", "spread", "width"):
        setattr(found, name, np.array(getattr(found, name)))
    found.verdict, found.sentence = say(found)
    return found


class Net:
    """Kernels and biases that lie in one flat vector, so that an optimizer updates all of them at once."""

    def __init__(self, setting: Setting, sizes: list[int]) -> None:
        """Draw the kernels; the biases are zero."""
        kernels = [initial_kernel(setting, place, *ends) for place, ends in enumerate(pairwise(sizes))]
        parts = [part for kernel in kernels for part in (kernel, np.zeros(kernel.shape[1]))]
        self.flat, self.counts = np.concatenate(parts, axis=None), np.array([part.size for part in parts])
        self.starts = np.cumsum(self.counts) - self.counts
        variables = list(map(np.reshape, np.split(self.flat, self.starts[1:]), map(np.shape, parts)))
        self.kernels, self.biases = variables[::2], variables[1::2]

    def groups(self, leaving: bool = True) -> list[np.ndarray]:
        """Return each hidden layer's `unit_groups`, by what enters and leaves its units; none after an overflow."""
        if not np.isfinite(self.flat).all():
            return [np.array([])] * len(self.biases[:-1])
        around = [np.vstack([before, after.T] if leaving else [before]) for before, after in pairwise(self.kernels)]
        return [unit_groups(kernel, bias) for kernel, bias in zip(around, self.biases[:-1], strict=True)]


def rule(optimizer: str, p: np.ndarray) -> Callable[[np.ndarray], None]:
    """Return a function that updates `p` with a gradient g as an optimizer of Keras does, by one formula for all.

        m <- a m + b g,    v <- c v + d g^2,    p <- p - rate * correction * m / (sqrt(v + inside) + outside)

    SGD has a = c = d = 0 and inside = 1. Momentum has another a. RMSprop has another c and d. Adam has all of them,
    and corrects at update t for averages that start at 0: correction = sqrt(1 - c^t) / (1 - a^t).
    """
    rate, a, b, c, d, inside, outside, corrects = SHARED["optimizers"][optimizer].values()
    m, v, t = np.zeros_like(p), np.zeros_like(p), 0

    def update(g: np.ndarray) -> None:
        nonlocal t
        t += 1
        m[:] = rounded(a * m + b * g)
        v[:] = rounded(c * v + d * g * g)
        correction = np.sqrt(1 - c**t) / (1 - a**t) if corrects else 1
        p[:] = rounded(p - rate * correction * m / (np.sqrt(v + inside) + outside))

    return update


def propagate(net: Net, gradient: Net, activation: str, x: np.ndarray, label: np.ndarray, factors: Sequence) -> tuple:
    """Write the gradient into `gradient`. Return the loss, the logits, and what enters and what leaves each kernel.

    `factors` are those of dropout. What comes back to the logits sums to 0 in every row, and exactly so here: behind a
    head of equal weights a gradient is exactly 0.
    """
    values, slopes, (value, slope) = [x], [], ACTIVATIONS[activation]
    for kernel, bias, factor in zip(net.kernels, net.biases, factors, strict=False):
        z = rounded(values[-1] @ kernel + bias)
        h = rounded(value(z))
        values.append(h if factor is None else rounded(h * factor))
        slopes.append(slope(z, h) if factor is None else slope(z, h) * factor)
    logits = rounded(values[-1] @ net.kernels[-1] + net.biases[-1])
    shifted = logits - logits.max(axis=-1, keepdims=True)
    share = np.exp(shifted)
    total = share.sum(axis=-1, keepdims=True)
    delta = rounded(share / total)
    delta[label] = 0
    delta[label] = -delta.sum(axis=-1).ravel()
    deltas = [delta / label[..., 0].size]
    for place in range(len(slopes), -1, -1):
        gradient.kernels[place][:] = rounded((values[place].mT @ deltas[0]).sum(axis=0))
        gradient.biases[place][:] = rounded(deltas[0].sum(axis=(0, 1)))
        if place:
            deltas.insert(0, rounded(deltas[0] @ net.kernels[place].T * slopes[place - 1]))
    return np.mean(np.log(total).ravel() - shifted[label]), logits, values, deltas


def dropout(setting: Setting, step: int, rows: int) -> np.ndarray:
    """Return a factor for every output of every hidden layer, as `keras.layers.Dropout` would multiply."""
    shape = (setting.layers, rows // BLOCK, BLOCK, setting.units)
    drawn = uniform(FOR_DROPOUT + step * np.prod(shape), np.prod(shape)).reshape(shape)
    return (drawn >= setting.dropout) / (1 - setting.dropout)


def _sigmoid(z: np.ndarray, _: np.ndarray | None = None) -> np.ndarray:
    return rounded(1 / (1 + np.exp(-z)))


# The value h at z, and the slope at z with h in hand. That of relu at 0 is 0, as in Keras.
ACTIVATIONS: dict[str, tuple[Callable, Callable]] = {
    "tanh": (np.tanh, lambda z, h: 1 - h * h),
    "relu": (lambda z: np.maximum(z, 0), lambda z, h: (z > 0) * 1.0),
    "silu": (lambda z: z * _sigmoid(z), lambda z, h: (gate := _sigmoid(z)) * (1 + z * (1 - gate))),
    "sigmoid": (_sigmoid, lambda z, h: h * (1 - h)),
    "softplus": (lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))), _sigmoid),
    "linear": (lambda z: z, lambda z, h: np.ones_like(z)),
}
