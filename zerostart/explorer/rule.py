"""One formula for all optimizers of the explorer, with the numbers that Keras gives them."""

import keras
import numpy as np
from keras import ops


class Rule:
    """Updates a vector p with gradient g as SGD, momentum, RMSprop or Adam do.

    With two averages m and v, after t updates:

        m <- a m + b g,    v <- c v + d g^2,    p <- p - rate * correction * m / (sqrt(v + inside) + outside)

    SGD has a = c = d = 0 and inside = 1. Momentum has another a. RMSprop has another c and d. Adam has all of them,
    and corrects for averages that start at 0: correction = sqrt(1 - c^t) / (1 - a^t).

    Example:
        >>> p = np.zeros(2, "float32")
        >>> Rule(keras.optimizers.SGD(0.5), p).update(np.ones(2, "float32"))
        >>> p.tolist()
        [-0.5, -0.5]
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer, p: np.ndarray) -> None:
        """Take the numbers of a Keras optimizer, to update `p` in place."""
        self.rate = float(ops.convert_to_numpy(optimizer.learning_rate))
        self.inside, self.outside, self.corrects = 0.0, 0.0, False
        match optimizer:
            case keras.optimizers.Adam(beta_1=a, beta_2=c, epsilon=outside):
                self.numbers = (a, 1 - a, c, 1 - c)
                self.outside, self.corrects = outside, True
            case keras.optimizers.RMSprop(rho=c, epsilon=inside):
                self.numbers = (0.0, 1.0, c, 1 - c)
                self.inside = inside
            case keras.optimizers.SGD(momentum=a):
                self.numbers = (a, 1.0, 0.0, 0.0)
                self.inside = 1.0
            case _:
                raise TypeError(f"optimizer: expected Adam, RMSprop or SGD, got {type(optimizer).__name__}")
        self.p, self.m, self.v, self.t = p, np.zeros_like(p), np.zeros_like(p), 0

    def update(self, g: np.ndarray) -> None:
        """Do one update."""
        a, b, c, d = self.numbers
        self.t += 1
        self.m *= a
        self.m += b * g
        self.v *= c
        self.v += d * np.square(g)
        correction = np.sqrt(1 - c**self.t) / (1 - a**self.t) if self.corrects else 1.0
        self.p -= self.rate * correction * self.m / (np.sqrt(self.v + self.inside) + self.outside)
