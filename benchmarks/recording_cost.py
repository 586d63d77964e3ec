"""What does recording cost? All times are medians of runs taken in turn, in one process.

Run it with `uv run python benchmarks/recording_cost.py`. Needs the TensorFlow backend: the limit is a
hand-written `tf.function`.
"""

import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import helpers

STEPS, ROWS, HIDDEN = 200, 512, (32, 32)
RUNS = 15


def new_model() -> keras.Sequential:
    """Return the network that all three trainings share."""
    keras.utils.set_random_seed(0)
    return helpers.mlp(HIDDEN, kernel_initializer="glorot_uniform")


def recorded(x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """Train the way the course does."""
    model = new_model()
    start = model.get_weights()

    def run() -> float:
        model.set_weights(start)
        return float(helpers.train(model, x, y, steps=STEPS).loss[-1])

    return run


def unrecorded(x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """Train the same with plain `fit`: one epoch over the batch repeated once per step."""
    model = new_model()
    start = model.get_weights()
    many_x, many_y = np.tile(x, (STEPS, 1)), np.tile(y, STEPS)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, steps_per_execution=STEPS, jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    state = [keras.ops.convert_to_numpy(variable) for variable in model.optimizer.variables]

    def run() -> float:
        model.set_weights(start)
        for variable, value in zip(model.optimizer.variables, state, strict=True):
            variable.assign(value)
        model.fit(many_x, many_y, batch_size=len(x), shuffle=False, verbose=0)
        return float(loss(y, model(x)))

    return run


def one_compiled_loop(x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """Put one `tf.function` around the whole loop that records the same: the limit."""
    model = new_model()
    start = model.get_weights()
    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    state = [keras.ops.convert_to_numpy(variable) for variable in optimizer.variables]
    variables = model.trainable_variables
    kernels = [variable for variable in variables if len(variable.shape) > 1]
    x, y = tf.constant(x), tf.constant(y)

    @tf.function
    def loop() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        losses, norms, spreads = (tf.TensorArray(tf.float32, STEPS) for _ in range(3))
        for step in tf.range(STEPS):
            with tf.GradientTape() as tape:
                loss = loss_function(y, model(x, training=True))
            gradients = tape.gradient(loss, variables)
            norms = norms.write(step, tf.stack([tf.sqrt(tf.reduce_mean(g * g)) for g in gradients]))
            gaps = [tf.reduce_max(kernel, -1) - tf.reduce_min(kernel, -1) for kernel in kernels]
            spreads = spreads.write(step, tf.stack([tf.reduce_max(gap) for gap in gaps]))
            losses = losses.write(step, loss)
            optimizer.apply(gradients, variables)
        return losses.stack(), norms.stack(), spreads.stack()

    def run() -> float:
        model.set_weights(start)
        for variable, value in zip(optimizer.variables, state, strict=True):
            variable.assign(value)
        return float(loop()[0][-1])

    return run


def main() -> None:
    """Print the medians and the two ratios."""
    data = helpers.digits()
    x, y = data.x_train[:ROWS], data.y_train[:ROWS]
    ways = {way.__name__: way(x, y) for way in (recorded, unrecorded, one_compiled_loop)}
    for run in ways.values():  # trace, and warm up
        run(), run()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    print(f"{STEPS} full-batch steps, {ROWS} x 64 digits, hidden {HIDDEN}, warm, median of {RUNS} runs")
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        print(f"  {name:18s} {1000 * median:6.0f} ms")
    for other, limit in (("unrecorded", 1.25), ("one_compiled_loop", 2.5)):
        print(f"  recorded / {other:18s} {medians['recorded'] / medians[other]:.2f}  (limit {limit})")


if __name__ == "__main__":
    main()
