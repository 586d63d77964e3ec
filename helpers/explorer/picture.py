"""What the explorer shows of a run: one picture, drawn with artists that are made once, and one sentence."""

import io
import math
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from helpers.explorer_engine import CLASSES, MOST_LAYERS, Run, examples

POSITIVE, NEGATIVE = "#c0392b", "#2060b0"
DRAWN_UNITS = 8
SMALLEST, LARGEST = 1e-8, 1.0  # of the colour scale, which never changes, so that two pictures can be compared
ZERO_AT_ZERO = ("tanh", "relu", "gelu", "linear")


class Picture:
    r"""A figure that is made once and then shows one run after the other.

    Example:
        >>> Picture(large=False).png(run(Setting(steps=10)))[:4]
        b'\x89PNG'
    """

    def __init__(self, large: bool) -> None:
        """Make all artists."""
        with style.context(["helpers.course", _type_size(large)]):
            self.figure = Figure(figsize=(11, 6.4), layout="none")
            self.canvas = FigureCanvasAgg(self.figure)
            add = self.figure.add_axes
            self.network = Network(add((0.01, 0.56, 0.34, 0.37)))
            self.flow = Flow(add((0.54, 0.60, 0.36, 0.33)), add((0.91, 0.60, 0.012, 0.33)))
            self.spread = Curves(add((0.07, 0.11, 0.23, 0.31)), "Spread between units", MOST_LAYERS)
            self.width = Curves(add((0.39, 0.11, 0.23, 0.31)), "Effective width", MOST_LAYERS)
            self.loss = Curves(add((0.70, 0.11, 0.28, 0.31)), "Loss", 1)
            self._fix_scales()

    def png(self, run: Run, ghost: Run | None = None) -> bytes:
        """Return the picture of `run`, with the curves of `ghost` behind it."""
        setting = run.setting
        names = [f"hidden_{layer + 1}" for layer in range(setting.layers)]
        self.network.show(run)
        self.flow.show(run)
        self.spread.show(names, run.seen_at, run.spread, ghost and (ghost.seen_at, ghost.spread))
        self.width.show([], run.seen_at, run.width, ghost and (ghost.seen_at, ghost.width))
        self.spread.ax.set_ylim(top=max(10, np.nan_to_num(run.spread, posinf=0).max() * 2))
        most = max(setting.units, ghost.setting.units if ghost else 0)
        self.width.ax.set_ylim(0, most * 1.1)
        self.width.title.set_text(f"Effective width (of {setting.units})")
        steps = np.arange(setting.steps)
        old = ghost and (np.arange(ghost.setting.steps), ghost.loss[np.newaxis])
        self.loss.show([], steps, run.loss[np.newaxis], old)
        finite = run.loss[np.isfinite(run.loss)]
        self.loss.ax.set_ylim(0, max(2.9, min(finite.max(initial=0) * 1.1, 50)))
        buffer = io.BytesIO()
        self.canvas.print_png(buffer, pil_kwargs={"compress_level": 1})
        return buffer.getvalue()

    def _fix_scales(self) -> None:
        self.spread.ax.set_yscale("symlog", linthresh=1e-6)
        self.spread.ax.set_ylim(-2e-7, 10)
        self.spread.ax.set_yticks(*_powers(0, 1e-6, 1e-4, 1e-2, 1))
        self.spread.ax.minorticks_off()
        prior, _ = entropy_and_majority()
        for value, label, side in ((math.log(CLASSES), f"ln {CLASSES}", "bottom"), (prior, "prior entropy", "top")):
            self.loss.ax.axhline(value, color="0.4", linewidth=1)
            self.loss.ax.annotate(
                f"{label} = {value:.3f}", (1, value), xycoords=("axes fraction", "data"), ha="right", va=side
            )


class Curves:
    """One curve for each layer, with grey ones for the ghost."""

    def __init__(self, ax: Axes, title: str, most: int) -> None:
        """Make as many curves as there can be."""
        self.ax = ax
        self.ghosts = [ax.plot([], [], color="0.65", linestyle="--", linewidth=2)[0] for _ in range(most)]
        self.lines = [ax.plot([], [])[0] for _ in range(most)]
        self.title = _fixed_title(ax, title)
        ax.locator_params(axis="x", nbins=4)

    def show(self, names: list[str], steps: np.ndarray, rows: np.ndarray, ghost: tuple | None) -> None:
        """Draw one row for each name, and name the first and the last if there are several."""
        _set_lines(self.lines, steps, rows)
        _set_lines(self.ghosts, *(ghost or ([], [])))
        self.ax.set_xlim(0, max(steps[-1], ghost[0][-1] if ghost else 0, 1))
        if len(names) > 1:
            self.ax.legend(
                [self.lines[0], self.lines[len(names) - 1]], [names[0], names[-1]], loc="center right", frameon=False
            )
        elif self.ax.get_legend():
            self.ax.get_legend().remove()


class Flow:
    """The gradients: one row a variable, one column a step. Hatching means exactly 0."""

    def __init__(self, ax: Axes, bar: Axes) -> None:
        """Make an empty image and its colour bar."""
        self.ax = ax
        norm = LogNorm(SMALLEST, LARGEST, clip=True)
        ax.patch.set(facecolor="white", edgecolor="0.55", hatch="///")
        self.image = ax.imshow(np.ones((1, 1)), norm=norm, aspect="auto", interpolation="nearest")
        ax.figure.colorbar(ScalarMappable(norm, self.image.cmap), cax=bar)
        bar.minorticks_off()
        bar.set_yticks(*_powers(1e-8, 1e-6, 1e-4, 1e-2, 1))
        _fixed_title(ax, "Gradients (RMS)")
        ax.locator_params(axis="x", nbins=5)
        zero = Patch(facecolor="white", edgecolor="0.55", hatch="///", label="exactly 0")
        ax.legend(handles=[zero], loc="lower right", bbox_to_anchor=(1.02, 0.98), borderaxespad=0)

    def show(self, run: Run) -> None:
        """Draw the gradients of a run."""
        sizes = np.array(list(run.gradients.values()))
        sizes = np.nan_to_num(sizes, nan=LARGEST, posinf=LARGEST)
        self.image.set_data(np.ma.masked_equal(sizes, 0))
        self.image.set_extent((0, run.setting.steps, len(sizes), 0))
        names = list(run.gradients)
        every = 1 if len(names) <= 10 else 2
        self.ax.set_yticks(np.arange(0, len(names), every) + 0.5, names[::every])


class Network:
    """The net with its real weights, as `plot_network` draws it."""

    def __init__(self, ax: Axes) -> None:
        """Make empty bundles of edges: zero, positive, negative."""
        self.ax = ax
        looks = (("0.6", ":"), (POSITIVE, "-"), (NEGATIVE, (0, (3, 1.5))))
        self.edges = [ax.add_collection(LineCollection([], colors=color, linestyles=dash)) for color, dash in looks]
        (self.nodes,) = ax.plot([], [], "o", markersize=11, markerfacecolor="white", markeredgecolor="black")
        self.title = _fixed_title(ax, "", xlabel="")
        self.notes = [ax.text(0, -0.64, "", ha="center", va="top") for _ in range(3)]
        ax.set(ylim=(-0.9, 0.6), xticks=[], yticks=[])
        ax.spines[:].set_visible(False)

    def show(self, run: Run) -> None:
        """Draw the weights at the end of a run."""
        kernels = run.kernels
        sizes = [len(kernels[0]), *(kernel.shape[1] for kernel in kernels)]
        drawn = [np.unique(np.linspace(0, size - 1, min(size, DRAWN_UNITS)).astype(int)) for size in sizes]
        places = [np.stack([np.full(len(units), depth), _heights(len(units))], 1) for depth, units in enumerate(drawn)]
        weights = [kernel[np.ix_(drawn[d], drawn[d + 1])].ravel() for d, kernel in enumerate(kernels)]
        segments = np.concatenate([_all_pairs(*places[d : d + 2]) for d in range(len(kernels))])
        relative = np.concatenate(weights) / (max(np.abs(kernel).max() for kernel in kernels) or 1.0)
        for edges, chosen in zip(self.edges, (relative == 0, relative > 0, relative < 0), strict=True):
            edges.set_segments(segments[chosen])
            edges.set_linewidths(np.where(relative[chosen] == 0, 0.8, 0.3 + 2.7 * np.abs(relative[chosen])))
        self.nodes.set_data(*np.concatenate(places).T)
        for note, depth in zip(self.notes, (0, 1, len(kernels)), strict=True):  # all hidden layers are equally wide
            few = len(drawn[depth]) < sizes[depth]
            note.set(x=depth, text=f"{len(drawn[depth])} of\n{sizes[depth]}" if few else str(sizes[depth]))
        self.ax.set_xlim(-0.4, len(kernels) + 0.4)
        self.title.set_text(f"The net after {run.setting.steps} steps")


def verdict(run: Run) -> str:
    """Return `"frozen"`, `"partly frozen"`, `"symmetric"`, `"learns"`, or `"diverged"`: NaN or infinity came up.

    The words mean what they mean in `diagnose`, but say what happened in this very run.

    Example:
        >>> verdict(run(Setting(activation="sigmoid")))
        'symmetric'
    """
    if not np.isfinite(run.loss).all() or not all(np.isfinite(kernel).all() for kernel in run.kernels):
        return "diverged"
    asleep = [not run.gradients[name].any() for name in run.gradients if name.endswith("kernel")]
    if any(asleep):
        return "frozen" if all(asleep) else "partly frozen"
    return "symmetric" if min(run.different) < run.setting.units else "learns"


def sentence(run: Run) -> str:
    """Say the verdict, why, and what came of it."""
    found = verdict(run)
    _, majority = entropy_and_majority()
    why = {"frozen": _why_frozen, "partly frozen": _why_partly, "symmetric": _why_symmetric, "learns": _why_learns}
    reason = (
        why[found](run) if found in why else f"the numbers overflow at step {_first_bad(run)}; the scale is too large."
    )
    words = f"<b>{found.capitalize()}</b>: {reason}"
    if found == "diverged":
        return words
    return (
        f"{words} The loss goes from {run.loss[0]:.3f} to {run.loss[-1]:.3f}. Accuracy on these digits: "
        f"{run.accuracy:.2f}; always naming the most frequent digit gives {majority:.2f}."
    )


def entropy_and_majority() -> tuple[float, float]:
    """Return the entropy of the classes and the share of the most frequent one."""
    shares = np.bincount(examples()[1], minlength=CLASSES) / len(examples()[1])
    return float(-np.sum(shares * np.log(shares))), float(shares.max())


def _zero_kernels(run: Run) -> list[str]:
    names = [name.split("/")[0] for name in run.gradients if name.endswith("kernel")]
    return [name for name, kernel in zip(names, run.start, strict=True) if not kernel.any()]


def _why_frozen(run: Run) -> str:
    zeros, activation = _zero_kernels(run), run.setting.activation
    only = "So no kernel ever receives a gradient; only the head's bias learns how often each digit occurs."
    if activation in ZERO_AT_ZERO and len(zeros) >= 2:
        some = "all" if len(zeros) == len(run.start) else f"{len(zeros)} of {len(run.start)}"
        return f"{some} kernels start at zero and {activation}(0) = 0, which stops signals forward and backward. {only}"
    if activation == "relu" and zeros:
        return f"{zeros[0]} starts at zero, and the gradient of relu at 0 is 0. {only}"
    return "no kernel received a gradient in these steps: no signal gets through."


def _why_partly(run: Run) -> str:
    asleep = [name.split("/")[0] for name, sizes in run.gradients.items() if "kernel" in name and not sizes.any()]
    return f"the kernel of {' and '.join(asleep)} received no gradient in these steps; the others did."


def _why_symmetric(run: Run) -> str:
    layer = next(layer for layer, count in enumerate(run.different) if count < run.setting.units)
    units, different = run.setting.units, run.different[layer]
    what = (
        f"are all identical: {units} units do the work of one" if different == 1 else f"are {different} different ones"
    )
    return (
        f"the {units} units of hidden_{layer + 1} {what}. Units that start identical receive identical gradients, "
        "so they stay identical."
    )


def _why_learns(run: Run) -> str:
    zeros = _zero_kernels(run)
    if not zeros:
        return "the units start different, and every kernel receives a gradient."
    woke = max(int(np.flatnonzero(run.gradients[f"{name}/kernel"])[0]) for name in zeros)
    when = "at once" if woke == 0 else f"from step {woke} on"
    which = zeros[0] if len(zeros) == 1 else "kernels"
    return f"starting at zero, {which} received a gradient {when}, and the units of each layer became different."


def _first_bad(run: Run) -> int:
    bad = np.flatnonzero(~np.isfinite(run.loss))
    return int(bad[0]) if bad.size else run.setting.steps


def _type_size(large: bool) -> dict[str, Any]:
    return {"font.size": 16 if large else 11, "axes.titlesize": 17 if large else 12.5, "legend.fontsize": "small"}


def _set_lines(lines: list[Line2D], steps: Any, rows: Any) -> None:
    for number, line in enumerate(lines):
        line.set_visible(number < len(rows))
        if number < len(rows):
            line.set_data(steps, rows[number])


def _fixed_title(ax: Axes, title: str, xlabel: str = "step") -> Text:
    """Put title and label where they never move: to search a place for them takes half of the drawing time."""
    ax.set_xlabel(xlabel)
    ax.xaxis.set_label_coords(0.5, -0.17)
    ax.yaxis.set_label_coords(0, 0)
    return ax.set_title(title, loc="left", y=1.03, pad=0)


def _powers(*values: float) -> tuple[list[float], list[str]]:
    return list(values), [f"{value:.0e}".replace("e-0", "e-") if 0 < value < 0.01 else f"{value:g}" for value in values]


def _heights(count: int) -> np.ndarray:
    return np.zeros(1) if count == 1 else np.linspace(0.5, -0.5, count)


def _all_pairs(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return a line from each start to each end, shape `(lines, 2, 2)`."""
    return np.stack([np.repeat(starts, len(ends), axis=0), np.tile(ends, (len(starts), 1))], axis=1)
