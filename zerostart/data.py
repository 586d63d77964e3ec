"""Reads what `fit` takes: arrays, dicts and lists of arrays, datasets, generators. Refuses what no model can use."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

MOST_BATCHES, MOST_ENTRIES = 1000, 2**28  # read from a dataset or a generator, which may never end


@dataclass(frozen=True)
class Rows:
    """Rows to train on."""

    x: Any  # an array, or a dict or list of arrays
    y: Any  # the same, or None for a model that brings its own loss
    weights: Any  # a weight for each row, as the third part of a dataset's batches gives it, or None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(keras.tree.flatten(self.x)[0])

    def change(self, change: Callable[[Any], Any]) -> "Rows":
        """Apply `change` to every array."""
        x, y, weights = (_each(change, parts) for parts in (self.x, self.y, self.weights))
        return Rows(x, y, weights)


def _each(change: Callable[[Any], Any], *parts: Any) -> Any:
    """Apply `change` to every array of `parts`, and leave None alone."""
    return None if parts[0] is None else keras.tree.map_structure(change, *parts)


def rows_of(x: Any, y: Any = None, *, dtype: str = "float32", most: int | None = None) -> Rows:
    """Return what `fit(x, y)` would train on, floats in `dtype`.

    From a dataset about `most` rows are read; None reads up to 1,000 batches. What holds no numbers raises `TypeError`;
    what is empty, not finite or has different numbers of rows `ValueError`.
    """
    weights = None
    if _holds_batches(x):
        if y is not None:
            raise ValueError(f"y: expected None, because the batches of x hold the targets, got {type(y).__name__}")
        x, y, weights = _joined(_batches(x), most)
    if x is None:
        raise TypeError("x: expected an array, got None")
    x, y, weights = _arrays("x", x, dtype), _arrays("y", y, dtype), _arrays("x", weights, dtype)
    parts = keras.tree.flatten(x)
    if not parts:
        raise ValueError("x: expected at least one array, got none")
    for name, part in [*(("x", part) for part in parts), *(("y", part) for part in keras.tree.flatten(y))]:
        if part is not None and len(part) != len(parts[0]):
            raise ValueError(
                f"{name}: expected {len(parts[0])} rows, as many as x has, got {len(part)}"
                if name == "x"
                else f"y: expected one target per row of x, got {len(part)} targets for {len(parts[0])} rows"
            )
    return Rows(x, y, weights)


def _holds_batches(x: Any) -> bool:
    """Tell a dataset or a generator from an array, which has a shape, and from nested arrays and numbers."""
    if isinstance(x, keras.utils.PyDataset):
        return True
    return isinstance(x, Iterable) and not (
        isinstance(x, (str, bytes, list, tuple, dict, set)) or hasattr(x, "shape") or hasattr(x, "__array__")
    )


def _batches(x: Any) -> Iterator[Any]:
    if isinstance(x, keras.utils.PyDataset):
        count = x.num_batches
        return (x[number] for number in (range(count) if count is not None else itertools.count()))
    return iter(x)


def _joined(batches: Iterator[Any], most: int | None) -> tuple[Any, Any, Any]:
    """Join batches until there are `most` rows."""
    read, rows, entries = [], 0, 0
    for batch in itertools.islice(batches, MOST_BATCHES):
        parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
        if len(parts) > 3:
            raise ValueError(f"x: expected batches (x, y) or (x, y, weights), got {len(parts)} parts")
        parts = tuple(_each(np.asarray, part) for part in (*parts, None, None)[:3])
        read.append(parts)
        first = keras.tree.flatten(parts[0])
        if any(part.ndim == 0 for part in keras.tree.flatten(parts) if part is not None):
            raise ValueError("x: expected batches of rows, as dataset.batch(32) gives them, got single rows")
        rows += len(first[0])
        entries += sum(part.size for part in first)
        if entries >= MOST_ENTRIES or (most is not None and rows >= most):
            break
    if not read:
        raise ValueError("x: expected at least one batch, got none")
    return tuple(_each(lambda *arrays: np.concatenate(arrays), *part) for part in zip(*read, strict=True))


def _arrays(name: str, value: Any, dtype: str) -> Any:
    """Return `value` with all its parts as arrays. A list of numbers is one array; a list of arrays several."""
    if value is None:
        return None
    several = isinstance(value, (list, tuple)) and value and all(hasattr(part, "shape") for part in value)
    if isinstance(value, dict) or several:
        return _each(lambda part: _array(name, part, dtype), value)
    return _array(name, value, dtype)


def _array(name: str, value: Any, dtype: str) -> np.ndarray:
    """Return a non-empty array of finite numbers, or of texts. No number may change beyond rounding."""
    try:
        array = np.asarray(value)
    except Exception as problem:
        raise TypeError(f"{name}: expected an array of numbers, got {type(value).__name__}") from problem
    if array.ndim == 0 or array.size == 0:
        kind = TypeError if array.dtype.kind not in "biufSU" or isinstance(value, (str, bytes)) else ValueError
        raise kind(f"{name}: expected a non-empty array, got {value!r}"[:200])
    if array.dtype.kind == "O" and all(isinstance(text, (str, bytes)) for text in array.flat):
        return array.astype("U")
    if array.dtype.kind in "biuSU":
        return array
    if array.dtype.kind != "f" and array.dtype.name not in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        raise TypeError(f"{name}: expected integers, floats or booleans, got dtype {array.dtype}")
    with np.errstate(over="ignore"):
        plain = array.astype(dtype, copy=False)
    if not np.isfinite(plain).all():
        found = "NaN or infinity" if not np.isfinite(array).all() else f"up to {np.abs(array).max()}"
        raise ValueError(f"{name}: expected finite numbers that {dtype} can hold, got {found}")
    return plain
