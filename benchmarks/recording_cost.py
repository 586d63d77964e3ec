"""Times training with and without recording, for wide and for deep networks."""

import time
from collections.abc import Callable

import keras
import numpy as np
from helpers.seam import RecordedTraining
from helpers.tasks import prepare_task

from benchmarks.timing import in_turn, table
from helpers import digits, mlp, train

STEPS, ROWS, RUNS = 50, 512, 12
WIDTHS = [(units,) for units in (8, 64, 512, 4096)]
DEPTHS = [(32,) * layers for layers in (1, 4, 16, 64)]


def new_model(hidden: tuple[int, ...]) -> keras.Sequential:
    """Return the network that both trainings share."""
    keras.utils.set_random_seed(0)
    return mlp(hidden, kernel_initializer="glorot_uniform")


def recorded(hidden: tuple[int, ...], x: np.ndarray, y: np.ndarray) -> Callable[[int], None]:
    """Train the way the course does."""
    model = new_model(hidden)
    start = model.get_weights()

    def again(_: int) -> None:
        model.set_weights(start)
        train(model, x, y, steps=STEPS)

    return again


def unrecorded(hidden: tuple[int, ...], x: np.ndarray, y: np.ndarray) -> Callable[[int], None]:
    """Train the same, in the same compiled way, with a plain Adam instead of the one that records."""
    model = new_model(hidden)
    start, task = model.get_weights(), prepare_task(model, x, y, None)
    training = RecordedTraining(model, task, STEPS)
    training.start(keras.optimizers.Adam(), task.loss, steps_per_execution=STEPS, jit_compile=False)

    def again(_: int) -> None:
        model.set_weights(start)
        training.restart(task, None)
        training.run()

    return again


def measure() -> str:
    """Return a table: one row a size."""
    data = digits()
    x, y = data.x_train[:ROWS], data.y_train[:ROWS]
    rows = []
    for hidden in WIDTHS + DEPTHS:
        ways = {"recorded": recorded(hidden, x, y), "unrecorded": unrecorded(hidden, x, y)}
        in_turn(ways, [0, 1])  # compile, and warm up
        found = in_turn(ways, list(range(RUNS)), min, time.process_time)
        with_record, without = found["recorded"], found["unrecorded"]
        size = f"{len(hidden)} x {hidden[0]}"
        rows.append((size, f"{1000 * with_record:.0f}", f"{1000 * without:.0f}", f"{with_record / without:.2f}"))
    text = table(("hidden layers x units", "recorded, ms of processor time", "unrecorded", "ratio"), *rows)
    return f"{text}\n{STEPS} full-batch updates on {ROWS} digits, compiled before; fastest of {RUNS} runs in turn.\n"
