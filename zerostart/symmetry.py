"""How different are the units of a layer? Three measures: spread, effective width, rank.

A kernel has shape `(..., units)`: column `j` holds the incoming weights of unit `j`.
"""

from typing import Any

import numpy as np
from keras import Variable, ops

from zerostart.checks import non_negative


def unit_spread(kernel: Any) -> float:
    """Return the largest difference between two units in any one incoming weight.

    It is exactly 0.0 if and only if all units have identical incoming weights:

        max over inputs i of (max over units j of W[i, j] - min over units j of W[i, j])

    Args:
        kernel: Array or variable of shape `(..., units)`.

    Returns:
        The spread, in the units of the weights themselves.

    Raises:
        TypeError: the kernel does not hold numbers.
        ValueError: the kernel is empty or holds NaN or infinity.

    Example:
        >>> unit_spread([[1.0, 1.0], [2.0, 2.5]])
        0.5
    """
    units = _matrix(kernel)
    return float((units.max(axis=-1) - units.min(axis=-1)).max())


def unit_groups(kernel: Any, bias: Any = None, *, tolerance: float = 1e-3) -> np.ndarray:
    """Sort the units into groups of identical ones.

    Two units are identical if their incoming weights (and biases) differ by a vector whose length is at most
    `tolerance` times that of the longest unit. The tolerance is relative, so a kernel of tiny random weights does not
    pass for a symmetric one, and rounding does not hide a symmetric one.

    Args:
        kernel: Array or variable of shape `(..., units)`.
        bias: Array or variable of shape `(units,)`, or `None`.
        tolerance: Relative distance up to which two units count as the same, 0 or more.

    Returns:
        Integer array of shape `(units,)`: the group of each unit, numbered from 0 in order of appearance.

    Raises:
        TypeError, ValueError: the kernel or the bias is not a finite array of the right shape.

    Example:
        >>> unit_groups([[1.0, 2.0, 1.0]])
        array([0, 1, 0])
    """
    tolerance = non_negative("tolerance", tolerance)
    units = _matrix(kernel).T
    if bias is not None:
        bias = _numbers("bias", bias)
        if bias.shape != (len(units),):
            raise ValueError(f"bias: expected {len(units)} values, one per unit, got {bias.size} for this kernel")
        units = np.hstack([units, bias[:, np.newaxis]])
    units = _rescaled(units)
    return close_rows(units, tolerance * np.linalg.norm(units, axis=1).max())


def close_rows(rows: np.ndarray, allowed: float) -> np.ndarray:
    """Return the group of each row: the first row without a group takes all that are at most `allowed` away from it.

    Rows that are close stay close when projected on a line. So only neighbours on a random line are compared, and a
    thousand different rows need no million comparisons.
    """
    line = np.random.default_rng(0).normal(size=rows.shape[1])
    place = rows @ (line / np.linalg.norm(line))
    order = np.argsort(place, kind="stable")
    rounding = 1e-12 * np.abs(rows).max(initial=0) * np.sqrt(rows.shape[1])
    first = np.searchsorted(place[order], place - allowed - rounding, side="left")
    last = np.searchsorted(place[order], place + allowed + rounding, side="right")
    if (last - first == 1).all():
        return np.arange(len(rows))
    groups = np.full(len(rows), -1)
    for row in range(len(rows)):
        if groups[row] < 0:
            near = order[first[row] : last[row]]
            near = near[groups[near] < 0]
            near = near[np.linalg.norm(rows[near] - rows[row], axis=1) <= allowed]
            groups[[row, *near]] = groups.max() + 1
    return groups


def effective_width(kernel: Any, bias: Any = None, *, tolerance: float = 1e-3) -> int:
    """Return how many different units a layer has; see `unit_groups` for arguments and errors.

    A layer of 64 identical units has effective width 1.

    Example:
        >>> effective_width([[1.0, 2.0, 1.0]])
        2
    """
    return int(unit_groups(kernel, bias, tolerance=tolerance).max()) + 1


def numerical_rank(kernel: Any, *, tolerance: float = 1e-3) -> int:
    """Return how many independent directions the units span.

    Counts the singular values above `tolerance` times the largest one. A kernel of zeros has rank 0.

    Args:
        kernel: Array or variable of shape `(..., units)`.
        tolerance: Relative size up to which a singular value counts as zero.

    Returns:
        The rank, from 0 to the smaller side of the kernel.

    Raises:
        TypeError, ValueError: the kernel is not a finite, non-empty array.

    Example:
        >>> numerical_rank([[1.0, 2.0], [2.0, 4.0]])
        1
    """
    tolerance = non_negative("tolerance", tolerance)
    singular_values = np.linalg.svd(_rescaled(_matrix(kernel)), compute_uv=False)
    return int(np.sum(singular_values > tolerance * singular_values.max()))


def _matrix(kernel: Any) -> np.ndarray:
    """Return the kernel as a finite float64 array of shape `(inputs, units)`."""
    values = _numbers("kernel", kernel)
    return values.reshape(-1, values.shape[-1])


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        array = ops.convert_to_numpy(values.value) if isinstance(values, Variable) else np.asarray(values)
        array = array.astype("float64")
    except (TypeError, ValueError) as problem:
        raise TypeError(f"{name}: expected an array of numbers, got {type(values).__name__}") from problem
    if array.size == 0 or array.ndim == 0 or not np.isfinite(array).all():
        raise ValueError(f"{name}: expected a non-empty array of finite numbers, got shape {array.shape}")
    return array


def _rescaled(values: np.ndarray) -> np.ndarray:
    """Divide by a power of two, which is exact, so that no square overflows or vanishes."""
    return np.ldexp(values, -np.frexp(np.abs(values).max())[1])
