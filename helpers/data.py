"""Data for the lessons: handwritten digits from a file in this package, and two small 2-D sets."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from zerostart.checks import integer, non_negative

DIGITS_FILE = Path(__file__).with_name("digits.npz")


class Digits(NamedTuple):
    """Training and test digits: `x` float32 in [0, 1] of shape `(n, 64)`, `y` int64 of shape `(n,)`."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def digits() -> Digits:
    """Return the 1,797 handwritten 8x8 digits, split once and for all into 1,437 for training and 360 for testing.

    The split is stratified: every digit has the same share in both parts, as nearly as whole numbers allow.
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    1998, doi 10.24432/C50P49, CC BY 4.0 (its test part, pixel values 0 to 16, divided by 16 here).

    Example:
        >>> digits().x_train.shape
        (1437, 64)
    """
    with np.load(DIGITS_FILE) as stored:
        pixels, labels, test = stored["pixels"], stored["labels"], stored["test"]
    x, y = pixels.astype("float32") / 16, labels.astype("int64")
    return Digits(x[~test], y[~test], x[test], y[test])


def circles(points: int = 300, *, noise: float = 0.05, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return two rings, one inside the other.

    Args:
        points: Number of points, at least 1.
        noise: Standard deviation of the Gaussian noise on both coordinates.
        seed: Seed of the random numbers.

    Returns:
        `x`, float32 of shape `(points, 2)`, and `y`, int64 of shape `(points,)`: 0 is the outer ring, 1 the inner.

    Raises:
        TypeError, ValueError: an argument is no number, or too small.

    Example:
        >>> x, y = circles(4, noise=0)
        >>> np.linalg.norm(x, axis=1).round(2).tolist(), y.tolist()
        ([1.0, 0.5, 1.0, 0.5], [0, 1, 0, 1])
    """
    generator, y = _classes(points, 2, seed)
    angle = generator.uniform(0, 2 * np.pi, points)
    return _placed(np.where(y == 0, 1.0, 0.5), angle, noise, generator), y


def spirals(
    points: int = 300, *, classes: int = 3, noise: float = 0.05, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return spiral arms around the origin, one for each class; arguments, shapes and errors as in `circles`.

    Example:
        >>> x, y = spirals(5, classes=3)
        >>> x.shape, y.tolist()
        ((5, 2), [0, 1, 2, 0, 1])
    """
    generator, y = _classes(points, classes, seed)
    radius = generator.uniform(0.1, 1, points)
    angle = 4 * radius + 2 * np.pi * y / classes
    return _placed(radius, angle, noise, generator), y


def _classes(points: int, classes: int, seed: int) -> tuple[np.random.Generator, np.ndarray]:
    generator = np.random.default_rng(integer("seed", seed, least=0))
    return generator, np.arange(integer("points", points)) % integer("classes", classes)


def _placed(radius: np.ndarray, angle: np.ndarray, noise: float, generator: np.random.Generator) -> np.ndarray:
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return (points + generator.normal(0, non_negative("noise", noise), points.shape)).astype("float32")
