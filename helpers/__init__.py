"""Helpers of the course Starting from Zero: the layer, the networks, the data and the figures of the lessons.

Import helpers before keras: it chooses quiet settings that only work when the backend has not started yet.
"""

from typing import Any

from helpers.quiet import start_keras

start_keras()

from helpers.data import circles, digits, spirals  # noqa: E402
from helpers.layers import ZeroInitializedLayer  # noqa: E402
from helpers.models import mlp, residual_mlp  # noqa: E402
from zerostart import (  # noqa: E402
    Recording,
    Training,
    effective_width,
    gradients,
    numerical_rank,
    train,
    unit_groups,
    unit_spread,
)

FIGURES = ("STYLE", "plot_gradient_flow", "plot_losses", "plot_network", "plot_neuron_symmetry")

__all__ = [
    *FIGURES,
    "Recording",
    "Training",
    "ZeroInitializedLayer",
    "circles",
    "digits",
    "effective_width",
    "gradients",
    "mlp",
    "numerical_rank",
    "residual_mlp",
    "spirals",
    "train",
    "unit_groups",
    "unit_spread",
]


def __getattr__(name: str) -> Any:
    """Import matplotlib when the first figure is asked for."""
    if name in FIGURES:
        from helpers import plots

        return getattr(plots, name)
    raise AttributeError(f"module 'helpers' has no attribute {name!r}")
