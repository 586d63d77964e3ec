"""What a recorded training costs beside plain `fit`: the same model, rows, optimizer and number of steps."""

import statistics
import time
from collections.abc import Callable

import keras
import numpy as np

from helpers import Training, digits, mlp

STEPS, ROWS, ROUNDS = 200, 512, 5


def new_model() -> keras.Sequential:
    """Return a network like those of the lessons."""
    return mlp((32, 32), kernel_initializer="glorot_uniform")


def plain() -> Callable[[], object]:
    """Return plain `fit`, one epoch of 200 batches."""
    data, model = digits(), new_model()
    jit = keras.backend.backend() == "jax"
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=jit)
    x, y = (np.concatenate([part[:ROWS]] * STEPS) for part in (data.x_train, data.y_train))
    return lambda: model.fit(x, y, batch_size=ROWS, shuffle=False, verbose=0)


def recorded() -> Callable[[], object]:
    """Return the same steps with a record of every loss, gradient and spread."""
    data = digits()
    training = Training(new_model(), data.x_train[:ROWS], data.y_train[:ROWS])
    return lambda: training.run(STEPS)


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print both, in turn, and their ratios."""
    seconds(lambda: plain()())  # what Keras does once in a process
    print(f"{STEPS} steps on {ROWS} digits, {keras.backend.backend()}, median of {ROUNDS} rounds")
    first, warm = {plain: [], recorded: []}, {plain: [], recorded: []}
    for _ in range(ROUNDS):
        for make in (plain, recorded):
            begun = time.perf_counter()
            work = make()
            work()
            first[make].append(time.perf_counter() - begun)
            warm[make].append(statistics.median(seconds(work) for _ in range(3)))
    for name, found in (("first call, compilation included", first), ("later calls", warm)):
        one, other = statistics.median(found[plain]), statistics.median(found[recorded])
        ratio = statistics.median(b / a for a, b in zip(found[plain], found[recorded], strict=True))
        print(f"{name:34} plain fit {one:.3f} s   recorded {other:.3f} s   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
