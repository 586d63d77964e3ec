"""Where a run begins: the images, and kernels drawn from the distributions of Keras's initializers.

The random numbers are our own, so that `web/engine.js` draws the same: number k is mulberry32 (T. Ettinger, public
domain) of k, computed for any k at once.
"""

import functools
import json
import math

import numpy as np

from zerostart.explorer.setting import WEB, Setting

PIXELS, CLASSES = 64, 10
FOR_A_KERNEL = 2**16  # random numbers that no other kernel gets
FOR_DROPOUT = 2**20  # from here on


@functools.cache
def images() -> tuple[np.ndarray, np.ndarray]:
    """Return what every run trains on: `x` of shape `(128, 64)`, pixels from 0 to 1, and `y` of shape `(128,)`."""
    stored = json.loads((WEB / "digits.json").read_text(encoding="utf-8"))
    pixels = [[int(letter, 17) for letter in image] for image in stored["images"]]
    return np.array(pixels) / 16, np.array([int(label) for label in stored["labels"]])


def initial_kernels(setting: Setting) -> list[np.ndarray]:
    """Return the kernels before the training, the head's last. Their numbers are float32, their type float64."""
    head = setting.kernel_initializer if setting.head_initializer == "same" else setting.head_initializer
    names = [setting.kernel_initializer] * setting.layers + [head]
    sizes = [PIXELS, *[setting.units] * setting.layers, CLASSES]
    kernels = [_drawn(name, place, *sizes[place : place + 2]) for place, name in enumerate(names)]
    return [rounded(setting.scale * kernel) for kernel in kernels]


def rounded(values: np.ndarray) -> np.ndarray:
    """Round to the nearest float32, and return float64."""
    return values.astype("float32").astype("float64")


def uniform(first: int, count: int) -> np.ndarray:
    """Return `count` random numbers from 0 to 1, beginning with number `first`.

    Example:
        >>> (uniform(0, 2) == uniform(1, 1)).tolist()
        [False, True]
    """
    t = np.arange(first + 1, first + count + 1, dtype="uint32") * np.uint32(0x6D2B79F5)
    t = (t ^ t >> 15) * (t | 1)
    t ^= t + (t ^ t >> 7) * (t | 61)
    return (t ^ t >> 14) / 2**32


def _normal(first: int, count: int) -> np.ndarray:
    u = uniform(first, 2 * count)
    return np.sqrt(-2 * np.log(1 - u[::2])) * np.cos(2 * math.pi * u[1::2])


def _drawn(name: str, place: int, rows: int, columns: int) -> np.ndarray:
    """Return kernel number `place` as the initializer draws it."""
    first, shape = place * FOR_A_KERNEL, (rows, columns)
    match name:
        case "zeros" | "ones":
            return np.full(shape, float(name == "ones"))
        case "glorot_uniform":
            return math.sqrt(6 / (rows + columns)) * (2 * uniform(first, rows * columns).reshape(shape) - 1)
        case "random_normal":
            return 0.05 * _normal(first, rows * columns).reshape(shape)
        case "he_normal":  # what is more than two standard deviations away is left out, which shrinks them
            z = _normal(first, 2 * rows * columns + 64)
            return math.sqrt(2 / rows) / 0.87962566103423978 * z[np.abs(z) <= 2][: rows * columns].reshape(shape)
        case "orthogonal":
            q, r = np.linalg.qr(_normal(first, rows * columns).reshape(max(shape), min(shape)))
            q *= np.sign(np.diag(r))
            return q if rows >= columns else q.T
    raise AssertionError(name)
