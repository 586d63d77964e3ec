"""One network that stands for all smaller ones, so that nothing has to be compiled anew for another size.

Compiling a graph for every new width would take longer than the training itself. Here width, depth, activation and
dropout are data that the compiled graph reads. A unit that the small network does not have is multiplied by 0, gets
a gradient of exactly 0 and stays 0. A layer that it does not have hands its inputs on. What remains are the sums of
the small network, computed by Keras. Zeros that are added may round a sum differently, so a symmetry that only
rounding breaks may break at another step.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from helpers.explorer.setting import ACTIVATIONS, CLASSES, PIXELS, Setting


class PaddedNetwork(keras.layers.Layer):
    """A multilayer perceptron whose width, depth, activation and dropout are data."""

    def __init__(self, width: int, depth: int, drops: bool) -> None:
        """Create weights for the largest network, with dropout or, faster, without.

        The kernels between hidden layers lie in a stack.
        """
        super().__init__(name="padded_network")
        self.width, self.depth, self.drops = width, depth, drops
        self.first = self.add_weight(shape=(PIXELS, width), initializer="zeros", name="first")
        self.middle = self.add_weight(shape=(depth - 1, width, width), initializer="zeros", name="middle")
        self.head = self.add_weight(shape=(width, CLASSES), initializer="zeros", name="head")
        self.biases = self.add_weight(shape=(depth, width), initializer="zeros", name="biases")
        self.head_bias = self.add_weight(shape=(CLASSES,), initializer="zeros", name="head_bias")
        self.exists = self.add_weight(shape=(depth, 1, width), trainable=False, name="exists")  # 1: a unit, 0: padding
        self.skips = self.add_weight(shape=(depth,), trainable=False, name="skips")  # 1: no such layer
        self.chosen = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, autocast=False)
        self.rate = self.add_weight(shape=(), initializer="zeros", trainable=False, name="dropout_rate")
        self.random = keras.random.SeedGenerator(seed=0)
        self.random_at_start = ops.convert_to_numpy(self.random.state.value).copy()
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return the logits, while training."""
        kernels = [self.first, *ops.unstack(ops.convert_to_tensor(self.middle), self.depth - 1)]
        stacks = (self.biases, self._passes(ops.shape(inputs)[0]), self.skips)
        biases, passes, skips = (ops.unstack(ops.convert_to_tensor(stack), self.depth) for stack in stacks)
        h = passes[0] * self._activated(ops.matmul(inputs, kernels[0]) + biases[0])
        for layer in range(1, self.depth):
            z = ops.matmul(h, kernels[layer]) + biases[layer]
            h = passes[layer] * self._activated(z) + skips[layer] * h
        return ops.matmul(h, self.head) + self.head_bias

    def load(self, setting: Setting, kernels: list[np.ndarray]) -> None:
        """Become the network of `setting`, with these kernels and with biases of zero."""
        depth, width = self.depth, self.width
        layers, units = np.arange(depth), np.arange(width)
        self.exists.assign(np.float32((layers[:, None, None] < setting.layers) & (units < setting.units)))
        self.skips.assign(np.float32(layers >= setting.layers))
        self.chosen.assign(ACTIVATIONS.index(setting.activation))
        self.rate.assign(setting.dropout)
        self.random.state.assign(self.random_at_start)
        self.first.assign(_padded(kernels[:1], (1, PIXELS, width))[0])
        self.middle.assign(_padded(kernels[1:-1], (depth - 1, width, width)))
        self.head.assign(_padded(kernels[-1:], (1, width, CLASSES))[0])
        self.biases.assign(np.zeros((depth, width)))
        self.head_bias.assign(np.zeros(CLASSES))

    def kernels(self, setting: Setting) -> list[np.ndarray]:
        """Return the kernels of the small network, hidden layers first, the head last."""
        units = setting.units
        middle = copied(self.middle)[: setting.layers - 1, :units, :units]
        return [copied(self.first)[:, :units], *middle, copied(self.head)[:units]]

    def all_biases(self, setting: Setting) -> list[np.ndarray]:
        """Return the biases of the small network, hidden layers first, the head last."""
        return [*copied(self.biases)[: setting.layers, : setting.units], copied(self.head_bias)]

    def _activated(self, z: Any) -> Any:
        branches = [keras.activations.get(name) for name in ACTIVATIONS]
        return ops.switch(ops.convert_to_tensor(self.chosen), branches, z)

    def _passes(self, rows: int) -> Any:
        """Return the factor of each unit's output: 0 for padding, otherwise what `keras.layers.Dropout` multiplies."""
        if not self.drops:
            return self.exists
        rate = ops.convert_to_tensor(self.rate)
        drawn = keras.random.uniform((self.depth, rows, self.width), seed=self.random)
        return self.exists * ops.cast(drawn >= rate, self.exists.dtype) / (1 - rate)


def copied(variable: keras.Variable) -> np.ndarray:
    """Return a variable's values, which later updates leave alone."""
    return ops.convert_to_numpy(variable.value).copy()


def _padded(kernels: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    stack = np.zeros(shape, "float32")
    for number, kernel in enumerate(kernels):
        stack[number, : kernel.shape[0], : kernel.shape[1]] = kernel
    return stack
