"""The five verdicts, and the one rule that gives them: for `diagnose` and for the explorer."""

from collections.abc import Sequence

MEANINGS = {
    "frozen": "no kernel ever receives a gradient",
    "partly frozen": "some kernels never receive a gradient",
    "symmetric": "some units are identical and stay so: they do the work of one",
    "slow": "every kernel receives a gradient and units differ, but something holds it back: a start far too small or "
    "far too large, gradients that fade, or data, loss and outputs that do not fit",
    "learns": "of what can be trained nothing is frozen, nothing identical, nothing slow",
}


def verdict_of(asleep: Sequence[bool], twins: bool, slow: bool = False) -> str:
    """Return the first of the `MEANINGS` that applies.

    Args:
        asleep: For each kernel whether it never receives a gradient.
        twins: Whether some units are identical and stay so.
        slow: Whether something holds it back.

    Example:
        >>> verdict_of([True, False], twins=False)
        'partly frozen'
    """
    if any(asleep):
        return "frozen" if all(asleep) else "partly frozen"
    return "symmetric" if twins else "slow" if slow else "learns"
