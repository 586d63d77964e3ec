"""From a changed size to new arrays in the explorer, beside what people write: `fit` with a GradientTape each epoch.

Both train two hidden layers of a width that they have not seen on the same 128 digits with Adam, a full batch a step.
The second draws with matplotlib; what the explorer draws, it draws in the browser.
"""

import io
import statistics
import time
from collections.abc import Callable

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from helpers import digits, mlp
from zerostart.explorer import Explorer

STEPS, LAYERS, ROWS, WIDTHS = 100, 2, 128, (24, 32, 40, 48, 64)
X, Y = digits().x_train[:ROWS], digits().y_train[:ROWS]


class TapeEachEpoch(keras.callbacks.Callback):
    """Computes all gradients once more after each epoch, with a GradientTape."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget those of before."""
        self.sizes = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Write the sizes of the gradients down."""
        with tf.GradientTape() as tape:
            loss = self.model.loss(Y, self.model(X, training=True))
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.sizes.append([float(tf.sqrt(tf.reduce_mean(gradient**2))) for gradient in gradients])


def usual(units: int) -> None:
    """Train with `fit` and the callback, and draw gradients and loss."""
    model, tape = mlp((units,) * LAYERS, kernel_initializer="glorot_uniform"), TapeEachEpoch()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(X, Y, epochs=STEPS, batch_size=ROWS, verbose=0, callbacks=[tape])
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    left.imshow(np.log10(np.array(tape.sizes).T + 1e-12), aspect="auto")
    right.plot(history.history["loss"])
    figure.savefig(io.BytesIO(), format="png")
    plt.close(figure)


def seconds(work: Callable[[int], None], units: int) -> float:
    """Return how long `work` takes."""
    start = time.perf_counter()
    work(units)
    return time.perf_counter() - start


def main() -> None:
    """Print both, in turn, and their ratio."""
    explorer = Explorer(kernel_initializer="glorot_uniform", layers=LAYERS, steps=STEPS)

    def ours(units: int) -> None:
        explorer.units = units

    for work in (usual, ours):
        work(8)  # what is done once in a process
    print(f"{STEPS} steps, {LAYERS} hidden layers, {ROWS} digits: seconds from a changed size to new arrays")
    ratios = []
    for units in WIDTHS:
        slow, fast = seconds(usual, units), statistics.median(seconds(ours, units - less) for less in range(5))
        ratios.append(slow / fast)
        print(
            f"{units:3} units: fit with a tape {slow:7.3f}   explorer {fast:.4f}   ratio {slow / fast:4.0f}", flush=True
        )
    print(f"median ratio {statistics.median(ratios):.0f}")


if __name__ == "__main__":
    main()
