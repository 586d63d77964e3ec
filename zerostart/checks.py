"""Refuses bad values before anything runs. Each message names the argument, what is accepted and what came."""

import numbers
from typing import Any


def integer(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return `value` as an `int`, or raise `TypeError` (not an integer) or `ValueError` (too small or too large)."""
    accepted = f"an integer of at least {least}" + (f" and at most {most:,}" if most is not None else "")
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected {accepted}, got {value!r}")
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name}: expected {accepted}, got {value}")
    return int(value)


def non_negative(name: str, value: Any) -> float:
    """Return `value` as a `float`, or raise `TypeError` (not a number) or `ValueError` (negative, NaN, infinite)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number of at least 0, got {value!r}")
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name}: expected a finite number of at least 0, got {value!r}")
    return abs(float(value))  # NumPy takes -0.0 for a negative scale


def of_type(name: str, value: Any, accepted: type) -> Any:
    """Return `value`, or raise `TypeError` if it is not of the accepted type."""
    if not isinstance(value, accepted):
        raise TypeError(f"{name}: expected {accepted.__name__}, got {type(value).__name__}")
    return value
