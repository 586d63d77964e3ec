"""What the reader of the explorer chose, and what Keras makes of the names in it."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.checks import integer, non_negative
from zerostart.explorer.network import ACTIVATIONS

INITIALIZERS = ("zeros", "ones", "glorot_uniform", "he_normal", "orthogonal", "random_normal")
OPTIMIZERS = ("adam", "sgd", "momentum", "rmsprop")
MOST_UNITS, MOST_LAYERS, MOST_STEPS = 256, 8, 2000
PIXELS, CLASSES = 64, 10


@dataclass(frozen=True)
class Setting:
    """What the reader chose. Creating one raises `ValueError` or `TypeError`, which names the bad value.

    Example:
        >>> Setting(units=0)
        Traceback (most recent call last):
        ValueError: units: expected an integer of at least 1, got 0
    """

    activation: str = "tanh"
    kernel_initializer: str = "zeros"
    head_initializer: str = "same"
    scale: float = 1.0
    units: int = 16
    layers: int = 2
    optimizer: str = "adam"
    steps: int = 100
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no network can be made of."""
        one_of("activation", self.activation, tuple(ACTIVATIONS))
        one_of("kernel_initializer", self.kernel_initializer, INITIALIZERS)
        one_of("head_initializer", self.head_initializer, ("same", *INITIALIZERS))
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        for name, most in (("units", MOST_UNITS), ("layers", MOST_LAYERS), ("steps", MOST_STEPS)):
            if integer(name, getattr(self, name)) > most:
                raise ValueError(f"{name}: expected at most {most}, got {getattr(self, name)}")
        non_negative("scale", self.scale)
        if non_negative("dropout", self.dropout) >= 1:
            raise ValueError(f"dropout: expected a number from 0 to below 1, got {self.dropout}")

    def __str__(self) -> str:
        """Describe the setting in one line."""
        head = "" if self.head_initializer == "same" else f", head {self.head_initializer}"
        times = "" if self.scale == 1 else f" x {self.scale:g}"
        dropout = f", dropout {self.dropout:g}" if self.dropout else ""
        size = f"{self.layers} x {self.units} {self.activation}"
        return f"{size}, {self.kernel_initializer}{head}{times}, {self.optimizer}{dropout}, {self.steps} steps"

    def initial_kernels(self) -> list[np.ndarray]:
        """Return the kernels that Keras's own initializers draw, hidden layers first, the head last."""
        head = self.kernel_initializer if self.head_initializer == "same" else self.head_initializer
        names = [self.kernel_initializer] * self.layers + [head]
        sizes = [PIXELS, *[self.units] * self.layers, CLASSES]
        return [
            np.float32(self.scale) * ops.convert_to_numpy(new_initializer(name, seed)((rows, columns)))
            for seed, (name, rows, columns) in enumerate(zip(names, sizes[:-1], sizes[1:], strict=True))
        ]


def new_initializer(name: str, seed: int) -> keras.initializers.Initializer:
    """Return one of the `INITIALIZERS`; random ones always draw the same numbers."""
    found = keras.initializers.get(name)
    return type(found)(seed=seed) if hasattr(found, "seed") else found


def new_optimizer(name: str) -> keras.optimizers.Optimizer:
    """Return one of the `OPTIMIZERS`, as Keras makes them; `"momentum"` is SGD with momentum 0.9."""
    return keras.optimizers.SGD(momentum=0.9) if name == "momentum" else keras.optimizers.get(name)


def one_of(name: str, value: Any, accepted: tuple[str, ...]) -> None:
    """Raise `ValueError` unless `value` is one of those accepted."""
    if value not in accepted:
        raise ValueError(f"{name}: expected one of {', '.join(accepted)}; got {value!r}")
