"""Times a recorded training beside plain `fit`, and beside one hand-written TensorFlow loop that records the same."""

from collections.abc import Callable

import keras
import numpy as np

from benchmarks.limit import compiled_loop
from benchmarks.timing import in_turn, table
from helpers import digits, mlp, train

STEPS, ROWS, HIDDEN = 200, 512, (32, 32)
RUNS = 15


def new_model() -> keras.Sequential:
    """Return the network that all three trainings share."""
    keras.utils.set_random_seed(0)
    return mlp(HIDDEN, kernel_initializer="glorot_uniform")


def recorded(x: np.ndarray, y: np.ndarray) -> Callable[[int], float]:
    """Train the way the course does."""
    model = new_model()
    start = model.get_weights()

    def run(_: int) -> float:
        model.set_weights(start)
        return float(train(model, x, y, steps=STEPS).loss[-1])

    return run


def plain_fit(x: np.ndarray, y: np.ndarray) -> Callable[[int], float]:
    """Train the same with plain `fit`: one epoch over the batch repeated once per step."""
    model = new_model()
    start = model.get_weights()
    many_x, many_y = np.tile(x, (STEPS, 1)), np.tile(y, STEPS)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, steps_per_execution=STEPS, jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    state = [keras.ops.convert_to_numpy(variable) for variable in model.optimizer.variables]

    def run(_: int) -> float:
        model.set_weights(start)
        for variable, value in zip(model.optimizer.variables, state, strict=True):
            variable.assign(value)
        model.fit(many_x, many_y, batch_size=len(x), shuffle=False, verbose=0)
        return float(loss(y, model(x)))

    return run


def one_compiled_loop(x: np.ndarray, y: np.ndarray) -> Callable[[int], float]:
    """Put one `tf.function` around the whole loop that records the same: the limit."""
    model = new_model()
    start = model.get_weights()
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    state = [keras.ops.convert_to_numpy(variable) for variable in optimizer.variables]
    loop = compiled_loop(model, optimizer, x, y, STEPS)

    def run(_: int) -> float:
        model.set_weights(start)
        for variable, value in zip(optimizer.variables, state, strict=True):
            variable.assign(value)
        return float(loop()[0][-1])

    return run


def measure() -> str:
    """Return a table with the two ratios and their limits."""
    data = digits()
    x, y = data.x_train[:ROWS], data.y_train[:ROWS]
    ways = {way.__name__: way(x, y) for way in (recorded, plain_fit, one_compiled_loop)}
    in_turn(ways, [0, 1])  # trace, and warm up
    found = in_turn(ways, list(range(RUNS)))
    limits = {"plain_fit": "1.25", "one_compiled_loop": "2.5"}
    rows = [
        (name, f"{1000 * took:.0f}", f"{found['recorded'] / took:.2f}", limits.get(name, ""))
        for name, took in found.items()
    ]
    text = table(("way", "median, ms", "recorded takes times this", "at most"), *rows)
    return f"{text}\n{STEPS} full-batch updates on {ROWS} digits, hidden layers {HIDDEN}; {RUNS} runs in turn, warm.\n"
