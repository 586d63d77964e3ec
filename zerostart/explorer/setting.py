"""What the reader chose, and where a run begins: the images, and kernels as Keras's initializers draw them.

What can be chosen stands in `web/explorer.json`. The random numbers are our own, so that `web/engine.js` draws the
same: number k is mulberry32 (T. Ettinger, public domain) of k, computed for any k at once.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zerostart.checks import integer, non_negative, of_type

WEB = Path(__file__).with_name("web")
SHARED = json.loads((WEB / "explorer.json").read_text(encoding="utf-8"))
CONTROLS = SHARED["controls"]
START = {name: control["start"] for name, control in CONTROLS.items()}
FOR_A_KERNEL, FOR_DROPOUT = 2**17, 2**21  # how many random numbers each kernel has, and where those of dropout begin


@dataclass(frozen=True)
class Setting:
    """What the reader chose. Creating one raises `ValueError` or `TypeError`, which names the bad value."""

    activation: str = START["activation"]
    kernel_initializer: str = START["kernel_initializer"]
    head_initializer: str = START["head_initializer"]
    scale: float = START["scale"]
    units: int = START["units"]
    layers: int = START["layers"]
    optimizer: str = START["optimizer"]
    steps: int = START["steps"]
    dropout: float = START["dropout"]

    def __post_init__(self) -> None:
        """Refuse what no network can be made of."""
        for name, value in vars(self).items():
            object.__setattr__(self, name, checked(name, value))

    def __str__(self) -> str:
        """Describe the setting in one line."""
        head = f", head {self.head_initializer}" * (self.head_initializer != "same")
        times, dropout = f" x {self.scale:g}" * (self.scale != 1), f", dropout {self.dropout:g}" * (self.dropout > 0)
        kernels = f"{self.layers} x {self.units} {self.activation}, {self.kernel_initializer}{head}{times}"
        return f"{kernels}, {self.optimizer}{dropout}, {self.steps} steps"


def checked(name: str, value: Any) -> Any:
    """Return `value` if the control with this name accepts it, or raise `TypeError` or `ValueError`."""
    control = CONTROLS[name]
    if control.get("step") == 1:
        return integer(name, value, control["least"], control["most"])
    if "choices" in control and not (isinstance(value, str) and value in control["choices"]):
        raise ValueError(f"{name}: expected one of {', '.join(control['choices'])}; got {value!r}")
    if "least" in control and (value := non_negative(name, value)) > control.get("most", value):
        raise ValueError(f"{name}: expected a number of at most {control['most']}, got {value!r}")
    return value if "choices" in control or "least" in control else of_type(name, value, bool)


@functools.cache
def images() -> tuple[np.ndarray, np.ndarray]:
    """Return what every run trains on: `x` of shape `(128, 64)`, pixels from 0 to 1, and `y` of shape `(128,)`."""
    stored = json.loads((WEB / "digits.json").read_text(encoding="utf-8"))
    pixels = [[int(letter, 17) for letter in image] for image in stored["images"]]
    return np.array(pixels) / 16, np.array(list(stored["labels"])).astype(int)


def rounded(values: np.ndarray) -> np.ndarray:
    """Round to the nearest float32, and return float64."""
    return values.astype("float32").astype("float64")


def uniform(first: int, count: int) -> np.ndarray:
    """Return `count` random numbers from 0 to 1, beginning with number `first`."""
    t = np.arange(first + 1, first + count + 1, dtype="uint32") * np.uint32(0x6D2B79F5)
    t = (t ^ t >> 15) * (t | 1)
    t ^= t + (t ^ t >> 7) * (t | 61)
    return (t ^ t >> 14) / 2**32


def initial_kernel(setting: Setting, place: int, rows: int, columns: int) -> np.ndarray:
    """Return the kernel of layer number `place` before the training, as the initializer draws it."""
    own = place == setting.layers and setting.head_initializer != "same"
    name = setting.head_initializer if own else setting.kernel_initializer
    u = uniform(place * FOR_A_KERNEL, 4 * rows * columns + 128)
    z = np.sqrt(-2 * np.log(1 - u[::2])) * np.cos(2 * np.pi * u[1::2])  # from the normal distribution
    if name == "glorot_uniform":
        drawn = np.sqrt(6 / (rows + columns)) * (2 * u - 1)
    elif name == "he_normal":  # what is more than two standard deviations away is left out, which shrinks them
        drawn = np.sqrt(2 / rows) / 0.87962566103423978 * z[np.abs(z) <= 2]
    elif name == "orthogonal":
        q, r = np.linalg.qr(z[: rows * columns].reshape(max(rows, columns), min(rows, columns)))
        drawn = (q * np.sign(np.diag(r)) if rows >= columns else (q * np.sign(np.diag(r))).T).ravel()
    else:
        drawn = {"zeros": np.zeros(len(z)), "ones": np.ones(len(z)), "random_normal": 0.05 * z}[name]
    return rounded(setting.scale * drawn[: rows * columns].reshape(rows, columns))
