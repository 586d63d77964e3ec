"""Can this Keras model learn from where it starts? Measures gradients and symmetry, and gives a diagnosis."""

from typing import Any

from zerostart.symmetry import effective_width, numerical_rank, unit_groups, unit_spread
from zerostart.training import Recording, Training, gradients, train

__all__ = [
    "Diagnosis",
    "Recording",
    "Training",
    "diagnose",
    "effective_width",
    "gradients",
    "numerical_rank",
    "train",
    "unit_groups",
    "unit_spread",
]


def __getattr__(name: str) -> Any:
    """Import the diagnosis when it is first asked for: a training needs none of it."""
    if name in ("Diagnosis", "diagnose"):
        from zerostart import diagnosis

        return getattr(diagnosis, name)
    raise AttributeError(f"module 'zerostart' has no attribute {name!r}")
