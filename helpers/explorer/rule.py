"""One formula for all optimizers of the explorer, so that choosing another one compiles nothing."""

from typing import Any

import keras
import numpy as np
from keras import ops

from helpers.explorer.padded import PaddedNetwork
from helpers.explorer.setting import MOST_STEPS, new_optimizer


class AnyOptimizer(keras.optimizers.Optimizer):
    """Updates as SGD, momentum, RMSprop or Adam do, and writes the size of the gradients down.

    For each variable p with gradient g, the two averages m and v, and t updates so far:

        m <- a m + b g,    v <- c v + d g^2,    p <- p - rate * correction * m / (sqrt(v + inside) + outside)

    SGD has a = c = d = 0 and inside = 1. Momentum has another a. RMSprop has another c and d. Adam has all of them,
    and corrects for averages that start at 0: correction = sqrt(1 - c^t) / (1 - a^t).
    """

    def __init__(self, network: PaddedNetwork) -> None:
        """Prepare to train the padded network."""
        super().__init__(learning_rate=0.0, name="any_optimizer")
        self.columns = 2 * network.depth + 2

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the rule, the averages and a diary: a row for each step, a column for each kernel and each bias."""
        self.diary = self.add_variable((MOST_STEPS, self.columns), initializer="zeros", name="gradient_lengths")
        self.rule = self.add_variable((8,), initializer="zeros", name="rule")
        self.first_averages = self.add_optimizer_variables(variables, "first_average")
        self.second_averages = self.add_optimizer_variables(variables, "second_average")
        super().build(variables)

    def choose(self, name: str) -> None:
        """Follow the rule of one of the `OPTIMIZERS`, with the numbers that Keras gives it."""
        self.rule.assign(rule_of(new_optimizer(name)))

    def apply(self, grads: list[Any], trainable_variables: list[keras.Variable] | None = None) -> None:
        """Write the size of the gradients down, then update."""
        gradients = [ops.convert_to_tensor(gradient) for gradient in grads]
        self._write(*gradients)
        self.iterations.assign_add(1)
        rate, a, b, c, d, inside, outside, corrects = ops.unstack(ops.convert_to_tensor(self.rule), 8)
        t = ops.cast(self.iterations.value, "float32")
        corrected = ops.sqrt(1 - ops.power(c, t)) / (1 - ops.power(a, t))
        rate = rate * ops.where(corrects > 0, corrected, ops.ones_like(corrected))
        averages = zip(self.first_averages, self.second_averages, strict=True)
        for variable, gradient, (m, v) in zip(self._trainable_variables, gradients, averages, strict=True):
            m.assign(a * m.value + b * gradient)
            v.assign(c * v.value + d * ops.square(gradient))
            variable.assign(variable.value - rate * m.value / (ops.sqrt(v.value + inside) + outside))

    def _write(self, first: Any, middle: Any, head: Any, biases: Any, head_bias: Any) -> None:
        stacks = [first[np.newaxis], middle, head[np.newaxis], biases[:, np.newaxis], head_bias[np.newaxis, np.newaxis]]
        row = ops.concatenate([_lengths(stack) for stack in stacks])
        # JAX with 64-bit integers refuses start indices of two types.
        start = [ops.cast(index, "int32") for index in (self.iterations.value, 0)]
        self.diary.assign(ops.slice_update(self.diary.value, start, row[np.newaxis]))


def rule_of(optimizer: keras.optimizers.Optimizer) -> list[float]:
    """Return rate, a, b, c, d, inside, outside, and 1 if the averages are corrected."""
    rate = float(ops.convert_to_numpy(optimizer.learning_rate))
    match optimizer:
        case keras.optimizers.Adam(beta_1=a, beta_2=c, epsilon=outside):
            return [rate, a, 1 - a, c, 1 - c, 0, outside, 1]
        case keras.optimizers.RMSprop(rho=c, epsilon=inside):
            return [rate, 0, 1, c, 1 - c, inside, 0, 0]
        case keras.optimizers.SGD(momentum=a):
            return [rate, a, 1, 0, 0, 1, 0, 0]
    raise TypeError(f"no rule for {type(optimizer).__name__}")


def _lengths(stack: Any) -> Any:
    """Return the length of each matrix in a stack; exactly 0.0 if and only if every entry is."""
    size = ops.abs(stack)
    largest = ops.max(size, axis=(1, 2))
    scale = ops.where(largest > 0, largest, ops.ones_like(largest))
    return largest * ops.sqrt(ops.sum(ops.square(size / scale[:, np.newaxis, np.newaxis]), axis=(1, 2)))
