"""The panel in Jupyter: takes the reader's changes, and hands the arrays of a new run to the picture."""

import textwrap
from importlib.util import find_spec
from typing import Any, NamedTuple

import anywidget
import numpy as np
import traitlets

from zerostart.explorer.engine import Run, run
from zerostart.explorer.sentence import entropy_and_majority
from zerostart.explorer.setting import CONTROLS, START, WEB, Setting, checked


def _plain(value: Any, _: Any) -> Any:
    return value if isinstance(value, (str, int)) or (isinstance(value, float) and np.isfinite(value)) else str(value)


# A control takes any value: a bad one is answered in the panel. Of NaN and the like the browser is sent the name.
TRAITS = [traitlets.Any(START[name]).tag(sync=True, to_json=_plain) for name in CONTROLS]


class Explorer(anywidget.AnyWidget):
    """Train small networks on 128 digits and see what they do, in a notebook.

    Each control is an attribute: `explorer.units = 64`, or `explorer.controls["units"].value = 64`. When the next line
    runs, `explorer.run` is what the picture shows, a `Run`, and `explorer.message` the verdict and why. A bad value is
    answered in the message, and the last good picture stays; as an argument it raises `TypeError` or `ValueError`.

    Example:
        >>> explorer = Explorer(activation="sigmoid")
        >>> explorer.units = 5
        >>> explorer.message[:44]
        'Symmetric: different units: 1 of 5 in hidden'
    """

    _esm, _css = WEB / "view.js", WEB / "explorer.css"
    activation, kernel_initializer, head_initializer, scale, units = TRAITS[:5]
    layers, optimizer, steps, dropout, compare_with, large_type = TRAITS[5:]
    offered = traitlets.Dict(CONTROLS).tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)

    def __init__(self, **start: Any) -> None:
        """Show the first picture."""
        for name in start.keys() - CONTROLS.keys():
            raise TypeError(f"{name}: there is no such control; there are {', '.join(CONTROLS)}")
        super().__init__(**{name: checked(name, value) for name, value in start.items()})
        self.controls, self.run = {name: Control(self, name) for name in CONTROLS}, None
        self._answer()
        self.observe(self._answer, names=list(CONTROLS))

    def _answer(self, change: Any = None) -> None:
        """Bring run, message and picture up to date."""
        try:
            chosen = {name: checked(name, getattr(self, name)) for name in CONTROLS}
        except (TypeError, ValueError) as problem:
            self.message = f"{problem}. The picture still shows: {self.run.setting}"
            self.picture = {**self.picture, "problem": self.message}
            return
        setting = Setting(**{name: chosen[name] for name in vars(Setting())})
        if self.run is None or setting != self.run.setting:
            self.run = run(setting)
        self.message, self.picture = self.run.sentence, _drawn(self.run)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Add a still picture and the verdict, for pages without a kernel: a stored notebook, GitHub, static HTML."""
        data, metadata = super()._repr_mimebundle_(**options)
        still = {"image/png": _still(self.run)} if find_spec("matplotlib") else {}
        return {**data, "text/plain": f"Explorer: {self.run.setting}\n{self.run.sentence}", **still}, metadata


class Control(NamedTuple):
    """One control of an explorer, by name. Its `value` can be read and set."""

    explorer: Explorer
    name: str
    value = property(lambda self: getattr(*self), lambda self, value: setattr(*self, value))


def _drawn(run: Run) -> dict[str, Any]:
    """Return what the browser draws: numbers as bytes of float64, weights of float32."""
    arrays = {name: getattr(run, name).astype(float).tobytes() for name in ("loss", "accuracy", "spread", "width")}
    arrays["gradients"] = np.array(list(run.gradients.values())).tobytes()
    arrays["kernels"] = [kernel.astype("float32").tobytes() for kernel in run.kernels]
    words = {"title": str(run.setting), "sentence": run.sentence, "entropy": entropy_and_majority()[0]}
    lists = {"moments": run.moments, "names": run.names, "done": len(run.loss), "setting": vars(run.setting)}
    return {**words, **lists, **arrays}


def _still(run: Run) -> str:
    """Draw the verdict, the gradients and the loss without a browser; return the PNG in base64."""
    from IPython.core.pylabtools import print_figure
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2 + 0.1 * run.setting.layers), layout="constrained")
    figure.suptitle(textwrap.fill(run.sentence, 112), x=0.01, ha="left", size=11)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    sizes, entropy = np.nan_to_num(list(run.gradients.values()), nan=np.inf), entropy_and_majority()[0]
    left.patch.set(facecolor="white", edgecolor="0.55", hatch="///")
    image = left.imshow(np.ma.masked_equal(sizes, 0), norm=LogNorm(1e-8, 1), aspect="auto", interpolation="nearest")
    figure.colorbar(image, ax=left, extend="both")
    left.set_yticks(range(len(sizes)), list(run.gradients))
    left.set(xlabel="step", title="Root mean square of gradients; hatched: exactly 0")
    right.plot(run.loss, color="black")
    right.axhline(entropy, color="0.5", linewidth=1)
    top = max(2.7, min(20, 1.05 * np.nan_to_num(run.loss, posinf=0).max()))
    right.set(xlabel="step", ylim=(0, top), title=f"Loss; grey: {entropy:.3f}, the entropy")
    return print_figure(figure, "png", base64=True)
