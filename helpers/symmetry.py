"""How different are the units of a layer? Three measures: spread, effective width, rank.

A kernel has shape `(..., units)`: column `j` holds the incoming weights of unit `j`.
"""

from typing import Any

import numpy as np
from keras import Variable, ops

from helpers.checks import finite_array, non_negative


def spread_between_units(kernel: Any) -> Any:
    """Return the spread as a scalar tensor; works inside a compiled training step."""
    return ops.max(ops.subtract(ops.max(kernel, axis=-1), ops.min(kernel, axis=-1)))


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
        ValueError: the kernel is empty or holds NaN.

    Example:
        >>> unit_spread([[1.0, 1.0], [2.0, 2.5]])
        0.5
    """
    units = _kernel(kernel).astype("float64")
    return float((units.max(axis=-1) - units.min(axis=-1)).max())


def unit_groups(kernel: Any, bias: Any = None, *, tolerance: float = 1e-3) -> np.ndarray:
    """Sort the units into groups of identical ones.

    Two units are identical if their incoming weights (and biases) differ by a vector whose length is at most
    `tolerance` times that of the longest unit. The tolerance is relative, so a healthy kernel with tiny weights
    does not pass for a symmetric one, and rounding does not hide a symmetric one.

    Args:
        kernel: Array or variable of shape `(..., units)`.
        bias: Array or variable of shape `(units,)`, or `None`.
        tolerance: Relative distance below which two units count as the same, 0 or more.

    Returns:
        Integer array of shape `(units,)`: the group of each unit, numbered from 0 in order of appearance.

    Raises:
        TypeError, ValueError: the kernel or the bias is not a finite array of the right shape.

    Example:
        >>> unit_groups([[1.0, 2.0, 1.0]])
        array([0, 1, 0])
    """
    tolerance = non_negative("tolerance", tolerance)
    units = _kernel(kernel).T.astype("float64")
    if bias is not None:
        bias = _numbers("bias", bias).astype("float64")
        if bias.shape != (len(units),):
            raise ValueError(f"bias: expected {len(units)} values, one per unit, got {bias.size} for this kernel")
        units = np.hstack([units, bias[:, np.newaxis]])
    units = _rescaled(units)
    allowed = tolerance * np.linalg.norm(units, axis=1).max()
    if not _any_close(units, allowed):
        return np.arange(len(units))
    groups = np.full(len(units), -1)
    for unit in range(len(units)):
        if groups[unit] < 0:
            close = np.linalg.norm(units - units[unit], axis=1) <= allowed
            groups[close & (groups < 0)] = groups.max() + 1
    return groups


def effective_width(kernel: Any, bias: Any = None, *, tolerance: float = 1e-3) -> int:
    """Return how many different units a layer has; see `unit_groups` for arguments and errors.

    A layer of 64 identical units has effective width 1: it computes what a single unit computes.

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
        tolerance: Relative size below which a singular value counts as zero.

    Returns:
        The rank, from 0 to the smaller side of the kernel.

    Raises:
        TypeError, ValueError: the kernel is not a finite, non-empty array.

    Example:
        >>> numerical_rank([[1.0, 2.0], [2.0, 4.0]])
        1
    """
    tolerance = non_negative("tolerance", tolerance)
    singular_values = np.linalg.svd(_rescaled(_kernel(kernel).astype("float64")), compute_uv=False)
    return int(np.sum(singular_values > tolerance * singular_values.max()))


def _any_close(units: np.ndarray, allowed: float) -> bool:
    """Tell whether two units may be close. One matrix product answers for a healthy layer, at once."""
    squares = np.square(units).sum(axis=1)
    distances = squares[:, np.newaxis] + squares - 2 * units @ units.T
    rounding = 1e-9 * squares.max()
    return np.count_nonzero(distances <= allowed**2 + rounding) > len(units)


def _kernel(kernel: Any) -> np.ndarray:
    """Return the kernel as a finite array of shape `(inputs, units)`."""
    values = _numbers("kernel", kernel)
    return values.reshape(-1, values.shape[-1])


def _numbers(name: str, values: Any) -> np.ndarray:
    return finite_array(name, ops.convert_to_numpy(values.value) if isinstance(values, Variable) else values)


def _rescaled(values: np.ndarray) -> np.ndarray:
    """Divide by a power of two, which is exact, so that no square overflows or vanishes."""
    return np.ldexp(values, -np.frexp(np.abs(values).max())[1])
