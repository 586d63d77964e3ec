"""Helpers of the course Starting from Zero.

Import helpers before keras: it chooses quiet settings that only work when the backend has not started yet.
"""

from helpers.quiet import start_keras

start_keras()

from helpers.data import circles, digits, spirals  # noqa: E402
from helpers.diagnose import Diagnosis, diagnose  # noqa: E402
from helpers.explorer import Explorer  # noqa: E402
from helpers.layers import ZeroInitializedLayer  # noqa: E402
from helpers.models import mlp  # noqa: E402
from helpers.plots import (  # noqa: E402
    STYLE,
    plot_gradient_flow,
    plot_losses,
    plot_network,
    plot_neuron_symmetry,
)
from helpers.recording import Recording, gradients, train  # noqa: E402
from helpers.residual import residual_mlp  # noqa: E402
from helpers.symmetry import effective_width, numerical_rank, unit_groups, unit_spread  # noqa: E402

__all__ = [
    "STYLE",
    "Diagnosis",
    "Explorer",
    "Recording",
    "ZeroInitializedLayer",
    "circles",
    "diagnose",
    "digits",
    "effective_width",
    "gradients",
    "mlp",
    "numerical_rank",
    "plot_gradient_flow",
    "plot_losses",
    "plot_network",
    "plot_neuron_symmetry",
    "residual_mlp",
    "spirals",
    "train",
    "unit_groups",
    "unit_spread",
]
