"""What the explorer shows of a run: one picture, drawn with artists that are made once."""

import io
import math
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from zerostart.explorer.artists import Curves, Flow, Network, powers
from zerostart.explorer.setting import CLASSES, MOST_LAYERS
from zerostart.explorer.training import Run
from zerostart.explorer.words import entropy_and_majority


class Picture:
    r"""A figure that is made once and then shows one run after the other.

    Example:
        >>> from zerostart.explorer.setting import Setting
        >>> from zerostart.explorer.training import run
        >>> Picture(large=False).png(run(Setting(steps=10)))[:4]
        b'\x89PNG'
    """

    def __init__(self, large: bool) -> None:
        """Make all artists."""
        with style.context(["helpers.course", _type_size(large)]):
            self.figure = Figure(figsize=(11, 5.8), layout="none")
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
        _, majority = entropy_and_majority()
        self.accuracy.set_text(f"accuracy {run.accuracy:.2f}\n(majority {majority:.2f})")
        buffer = io.BytesIO()
        self.canvas.print_png(buffer, pil_kwargs={"compress_level": 1})
        return buffer.getvalue()

    def _fix_scales(self) -> None:
        self.spread.ax.set_yscale("symlog", linthresh=1e-6)
        self.spread.ax.set_ylim(-2e-7, 10)
        self.spread.ax.set_yticks(*powers(0, 1e-6, 1e-4, 1e-2, 1))
        self.spread.ax.minorticks_off()
        behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        prior, _ = entropy_and_majority()
        for value, label, up in ((math.log(CLASSES), f"ln {CLASSES}", True), (prior, "prior entropy", False)):
            self.loss.ax.axhline(value, color="0.4", linewidth=1)
            self.loss.ax.annotate(
                f"{label} = {value:.3f}",
                (1, value),
                xycoords=("axes fraction", "data"),
                xytext=(0, 2 if up else -4),
                textcoords="offset points",
                ha="right",
                va="bottom" if up else "top",
                bbox=None if up else behind,
            )
        self.accuracy = self.loss.ax.text(0.03, 0.06, "", transform=self.loss.ax.transAxes, bbox=behind)


def _type_size(large: bool) -> dict[str, Any]:
    return {"font.size": 16 if large else 11, "axes.titlesize": 17 if large else 12.5, "legend.fontsize": "small"}
