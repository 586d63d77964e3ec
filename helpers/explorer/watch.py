"""Looks at the units of a network while it trains."""

from collections.abc import Callable

import keras
import numpy as np

from helpers.explorer.setting import Setting

STEPS_AT_ONCE = 20  # between two looks at the clock and at the units


class Watch(keras.callbacks.Callback):
    """Looks at the units every few steps, and asks whether to go on."""

    def __init__(self, setting: Setting, go_on: Callable[[float], bool]) -> None:
        """Prepare to look."""
        super().__init__()
        self.setting, self.go_on = setting, go_on
        self.every = STEPS_AT_ONCE * -(-setting.steps // 400)
        self.done, self.abandoned = 0, False
        self.seen_at: list[int] = []
        self.looks: list[list[list[float]]] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Look at the network before the first step."""
        self._look()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Keras calls this after each execution."""
        self.done = min(self.done + steps_per_execution(), self.setting.steps)
        if self.done % self.every == 0 or self.done == self.setting.steps:
            self._look()
        if self.done % STEPS_AT_ONCE == 0 and not self.go_on(self.done / self.setting.steps):
            self.abandoned = self.model.stop_training = True

    def _look(self) -> None:
        network = self.model.model  # through the callback's model: on JAX this fetches the current weights
        kernels, biases = network.kernels(self.setting)[:-1], network.all_biases(self.setting)[:-1]
        spread = [float(np.ptp(kernel, axis=1).max()) for kernel in kernels]
        width = [different_units(kernel, bias) for kernel, bias in zip(kernels, biases, strict=True)]
        self.seen_at.append(self.done)
        self.looks.append([spread, width])


def steps_per_execution() -> int:
    """Return how many steps are done before Keras calls back. PyTorch knows no more than one."""
    return 1 if keras.backend.backend() == "torch" else STEPS_AT_ONCE


def different_units(kernel: np.ndarray, bias: np.ndarray, tolerance: float = 1e-3) -> int:
    """Return the `effective_width` of a layer, from all distances at once: much faster for a wide layer.

    Example:
        >>> different_units(np.array([[1.0, 2.0, 1.0]]), np.zeros(3))
        2
    """
    units = np.vstack([kernel, bias]).T.astype("float64")
    if not np.isfinite(units).all():
        return len(units)
    squares = np.square(units).sum(axis=1)
    products = np.einsum("ui,vi->uv", units, units)  # without the threads of a matrix product, which cost more here
    near = squares[:, np.newaxis] + squares - 2 * products <= tolerance**2 * squares.max()
    if near.sum() <= len(units):
        return len(units)
    left, count = np.ones(len(units), dtype=bool), 0
    for unit in range(len(units)):
        if left[unit]:
            left &= ~near[unit]
            count += 1
    return count
