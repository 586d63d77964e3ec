"""The parts of the explorer's picture. Each is made once, and then shows one run after the other."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from helpers.plots import EDGES, GRADIENT_SCALE, network_drawing
from zerostart.explorer.training import Run

DRAWN_UNITS = 8


class Curves:
    """One curve for each layer, with grey ones for the ghost."""

    def __init__(self, ax: Axes, title: str, most: int) -> None:
        """Make as many curves as there can be."""
        self.ax = ax
        self.ghosts = [ax.plot([], [], color="0.65", linestyle="--", linewidth=2)[0] for _ in range(most)]
        self.lines = [ax.plot([], [])[0] for _ in range(most)]
        for line in self.lines[7:]:  # the course has seven colours
            line.set_color("#8c564b")
        self.title = fixed_title(ax, title)
        ax.locator_params(axis="x", nbins=4)

    def show(self, names: list[str], steps: np.ndarray, rows: np.ndarray, ghost: tuple | None) -> None:
        """Draw one row for each name, and name the first and the last if there are several."""
        _set_lines(self.lines, steps, rows)
        _set_lines(self.ghosts, *(ghost or ([], [])))
        self.ax.set_xlim(0, max(steps[-1], ghost[0][-1] if ghost else 0, 1))
        if len(names) > 1:
            ends = [self.lines[0], self.lines[len(names) - 1]]
            size = 0.9 * self.ax.xaxis.label.get_size()
            self.ax.legend(ends, [names[0], names[-1]], loc="center right", frameon=False, fontsize=size)
        elif self.ax.get_legend():
            self.ax.get_legend().remove()


class Flow:
    """The gradients: one row a variable, one column a step. Hatching means exactly 0."""

    def __init__(self, ax: Axes, bar: Axes) -> None:
        """Make an empty image and its colour bar."""
        self.ax = ax
        ax.patch.set(facecolor="white", edgecolor="0.55", hatch="///")
        self.image = ax.imshow(np.ones((1, 1)), norm=GRADIENT_SCALE, aspect="auto", interpolation="nearest")
        ax.figure.colorbar(ScalarMappable(GRADIENT_SCALE, self.image.cmap), cax=bar, extend="both")
        bar.minorticks_off()
        bar.set_yticks(*powers(1e-8, 1e-6, 1e-4, 1e-2, 1))
        fixed_title(ax, "Gradients (RMS)")
        ax.locator_params(axis="x", nbins=5)
        zero = Patch(facecolor="white", edgecolor="0.55", hatch="///", label="exactly 0")
        ax.legend(handles=[zero], loc="lower right", bbox_to_anchor=(1.02, 0.98), borderaxespad=0)

    def show(self, run: Run) -> None:
        """Draw the gradients of a run."""
        sizes = np.array(list(run.gradients.values()))
        sizes = np.nan_to_num(sizes, nan=np.inf)
        self.image.set_data(np.ma.masked_equal(sizes, 0))
        self.image.set_extent((-0.5, run.setting.steps - 0.5, len(sizes) - 0.5, -0.5))
        names = list(run.gradients)
        line = 1.1 * self.ax.xaxis.label.get_size() * self.ax.figure.dpi / 72
        every = 1 if len(names) * line <= self.ax.bbox.height else 2  # or the kernels only
        self.ax.set_yticks(np.arange(0, len(names), every), names[::every])


class Network:
    """The net with its real weights, as `plot_network` draws it."""

    def __init__(self, ax: Axes) -> None:
        """Make empty bundles of edges: zero, positive, negative."""
        self.ax = ax
        self.edges = [ax.add_collection(LineCollection([], colors=color, linestyles=style)) for color, style in EDGES]
        (self.nodes,) = ax.plot([], [], "o", markersize=11, markerfacecolor="white", markeredgecolor="black")
        self.title = fixed_title(ax, "", xlabel="")
        self.notes = [ax.text(0, -0.64, "", ha="center", va="top") for _ in range(3)]
        ax.set(ylim=(-0.9, 0.6), xticks=[], yticks=[])
        ax.spines[:].set_visible(False)

    def show(self, run: Run) -> None:
        """Draw the weights at the end of a run."""
        places, lines, notes = network_drawing(run.kernels, DRAWN_UNITS, thickest=3)
        for edges, (segments, widths) in zip(self.edges, lines, strict=True):
            edges.set_segments(segments)
            edges.set_linewidths(widths)
        self.nodes.set_data(*places.T)
        for note, depth in zip(self.notes, (0, 1, -1), strict=True):  # all hidden layers are equally wide
            note.set(x=depth % len(notes), text=notes[depth].replace("of ", "of\n"))
        self.ax.set_xlim(-0.4, len(notes) - 0.6)
        self.title.set_text(f"The net after {run.setting.steps} steps")


def _set_lines(lines: list[Line2D], steps: Any, rows: Any) -> None:
    for number, line in enumerate(lines):
        line.set_visible(number < len(rows))
        if number < len(rows):
            line.set_data(steps, rows[number])


def fixed_title(ax: Axes, title: str, xlabel: str = "step") -> Text:
    """Put title and label where they never move: to search a place for them takes half of the drawing time."""
    ax.set_xlabel(xlabel)
    ax.xaxis.set_label_coords(0.5, -0.17)
    ax.yaxis.set_label_coords(0, 0)
    return ax.set_title(title, loc="left", y=1.03, pad=0)


def powers(*values: float) -> tuple[list[float], list[str]]:
    """Return tick positions and short labels: 1e-6, not 1e-06."""
    return list(values), [f"{value:.0e}".replace("e-0", "e-") if 0 < value < 0.01 else f"{value:g}" for value in values]
