"""The limit that a recorded training is measured against: one hand-written TensorFlow loop that records the same."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from helpers.seam import kernels_of


def compiled_loop(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, x: np.ndarray, y: np.ndarray, steps: int
) -> Callable[[], Any]:
    """Return one `tf.function` around a whole full-batch training with a built optimizer."""
    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    variables, kernels = model.trainable_variables, kernels_of(model.trainable_variables)
    x, y = tf.constant(x), tf.constant(y)

    @tf.function
    def loop() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        losses, norms, spreads = (tf.TensorArray(tf.float32, steps) for _ in range(3))
        for step in tf.range(steps):
            with tf.GradientTape() as tape:
                loss = loss_function(y, model(x, training=True))
            gradients = tape.gradient(loss, variables)
            norms = norms.write(step, tf.stack([tf.sqrt(tf.reduce_mean(g * g)) for g in gradients]))
            gaps = [tf.reduce_max(kernel, -1) - tf.reduce_min(kernel, -1) for kernel in kernels]
            spreads = spreads.write(step, tf.stack([tf.reduce_max(gap) for gap in gaps]))
            losses = losses.write(step, loss)
            optimizer.apply(gradients, variables)
        return losses.stack(), norms.stack(), spreads.stack()

    return loop
