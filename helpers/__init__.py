"""Helpers of the course Starting from Zero: the layer, the networks, the data and the figures of the lessons.

Import helpers before keras: it chooses quiet settings that only work when the backend has not started yet. For a
lesson's one import line it passes on the measuring part of zerostart; the diagnosis and the explorer you import there.
"""

from helpers.quiet import start_keras

start_keras()

from helpers.data import circles, digits, spirals  # noqa: E402
from helpers.layers import ZeroInitializedLayer  # noqa: E402
from helpers.models import mlp, residual_mlp  # noqa: E402
from helpers.plots import STYLE, plot_gradient_flow, plot_losses, plot_network, plot_neuron_symmetry  # noqa: E402
from helpers.ranges import check_ranges  # noqa: E402
from zerostart import Recording, Training, effective_width, gradients, numerical_rank, train, unit_groups, unit_spread  # noqa: E402
