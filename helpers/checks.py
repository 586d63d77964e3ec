"""Refuses bad values before anything runs. Each message names the argument, what is accepted and what came."""

import contextlib
import numbers
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

LARGEST_SIZE = 2**20
LARGEST_NUMBER = 1e30  # float32 holds its sums and multiples
MOST_WEIGHTS = 2**28  # a gigabyte


def integer(name: str, value: Any, least: int = 1, most: int | None = LARGEST_SIZE) -> int:
    """Return `value` as an `int`, or raise `TypeError` (not an integer) or `ValueError` (too small or too large)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected an integer of at least {least}, got {value!r}")
    if value < least:
        raise ValueError(f"{name}: expected an integer of at least {least}, got {value}")
    if most is not None and value > most:
        raise ValueError(f"{name}: expected an integer of at most {most:,}, got {value}")
    return int(value)


def of_type(name: str, value: Any, accepted: type) -> Any:
    """Return `value`, or raise `TypeError` if it is not of the accepted type."""
    if not isinstance(value, accepted):
        raise TypeError(f"{name}: expected {accepted.__name__}, got {type(value).__name__}")
    return value


def boolean(name: str, value: Any) -> bool:
    """Return `value`, or raise `TypeError` if it is neither `True` nor `False`."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
    return value


def non_negative(name: str, value: Any) -> float:
    """Return `value` as a `float`, or raise `TypeError` (not a number) or `ValueError` (negative, NaN, too large)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number of at least 0, got {value!r}")
    if not 0 <= value <= LARGEST_NUMBER:
        raise ValueError(f"{name}: expected a finite number of at least 0 and at most {LARGEST_NUMBER}, got {value!r}")
    return float(value)


def layer_widths(name: str, widths: Any) -> tuple[int, ...]:
    """Return the units of each hidden layer as a tuple of positive integers. Empty means no hidden layer."""
    if not isinstance(widths, (tuple, list)):
        raise TypeError(f"{name}: expected a tuple with the units of each hidden layer, got {widths!r}")
    for units in widths:
        if isinstance(units, numbers.Integral) and not isinstance(units, bool) and units < 1:
            raise ValueError(f"{name}: every layer needs at least 1 unit, got {units}")
    return tuple(integer(name, units) for units in widths)


def affordable(name: str, weights: int) -> None:
    """Raise `ValueError` if a network has so many weights that a laptop cannot hold them."""
    if weights > MOST_WEIGHTS:
        raise ValueError(f"{name}: expected a network of at most {MOST_WEIGHTS:,} weights, got {weights:,}")


def finite_array(name: str, value: Any) -> np.ndarray:
    """Return `value` as a non-empty array of finite numbers (never a view that a caller could lose)."""
    try:
        array = np.asarray(value)
    except Exception as problem:
        raise TypeError(f"{name}: expected an array of numbers, got {type(value).__name__}") from problem
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected integers or floats, got dtype {array.dtype}")
    if array.size == 0 or array.ndim == 0:
        raise ValueError(f"{name}: expected a non-empty array, got shape {array.shape}")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return array


def same_length(x: np.ndarray, y: np.ndarray) -> None:
    """Raise `ValueError` unless `x` and `y` have the same number of rows."""
    if len(x) != len(y):
        raise ValueError(f"y: expected one target per row of x, got {len(y)} targets for {len(x)} rows")


def look_up(name: str, get: Callable[[Any], Any], identifier: Any) -> Any:
    """Return what Keras finds under `identifier`, or raise `ValueError` that names the argument."""
    try:
        found = get(identifier)
    except Exception as problem:
        raise ValueError(f"{name}: expected a name or object that Keras knows, got {identifier!r}") from problem
    if found is None:
        raise ValueError(f"{name}: expected a name or object that Keras knows, got {identifier!r}")
    return found


@contextlib.contextmanager
def used_by_keras(*names: str) -> Iterator[None]:
    """Name the arguments if Keras accepts them one by one and then cannot build a network from them."""
    try:
        yield
    except Exception as problem:
        raise ValueError(f"{', '.join(names)}: Keras cannot build the network: {problem}") from problem
