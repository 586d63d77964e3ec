"""The panel: takes the reader's changes, and answers with a picture and a sentence."""

import base64
import html
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import ipywidgets as widgets
from IPython import get_ipython

from zerostart.explorer.controls import LAST, NOTHING, VIEW, new_controls
from zerostart.explorer.picture import Picture
from zerostart.explorer.setting import Setting
from zerostart.explorer.training import Run, run
from zerostart.explorer.words import sentence

KEPT_RUNS, KEPT_PICTURES = 32, 64


class Explorer(widgets.VBox):
    """Train small networks on 128 digits and see what they do.

    A change in the browser is worked on in the background, and the next change interrupts it. A change by code,
    `explorer.controls["units"].value = 64`, is finished when the next line runs. A bad value is answered in the
    panel, and the last good picture stays.

    Attributes:
        controls: The input widgets by name: the fields of a `Setting`, `compare_with` and `large_type`.
        figure: The picture, an image widget.
        message: The verdict, or what is wrong with a value, an HTML widget.

    Example:
        >>> Explorer(activation="sigmoid").controls["units"].value
        16
    """

    def __init__(self, **start: Any) -> None:
        """Show the first picture.

        Args:
            **start: Values to begin with; names as in `controls`.

        Raises:
            TypeError, ValueError: there is no such control, or no network can be made of these values.
        """
        self._lock = threading.RLock()
        self._request = 0
        self._runs: OrderedDict[Setting, Run] = OrderedDict()
        self._pictures: OrderedDict[tuple, bytes] = OrderedDict()
        self._drawings: dict[bool, Picture] = {}
        self._shown: Setting | None = None
        self._before: Setting | None = None
        self._ghost: Setting | None = None
        wished = Setting(**{name: start[name] for name in start if name not in VIEW})
        self.controls = new_controls(wished, start)
        for name, value in asdict(self.setting).items():
            if value != getattr(wished, name):
                raise ValueError(f"{name}: the control stops at {value}, got {getattr(wished, name)}")
        self.figure = widgets.Image(format="png", layout=widgets.Layout(max_width="min(100%, 1300px)"))
        self.message = widgets.HTML()
        self.progress = widgets.FloatProgress(
            min=0, max=1, layout=widgets.Layout(width="auto", height="8px", visibility="hidden")
        )
        inputs = widgets.HBox(list(self.controls.values()), layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__([inputs, self.message, self.progress, self.figure])
        for control in self.controls.values():
            control.observe(self._changed, "value")
        self._answer(self._request)

    @property
    def setting(self) -> Setting:
        """What the controls say now. Raises `ValueError` or `TypeError` for a bad value."""
        return Setting(**{name: control.value for name, control in self.controls.items() if name not in VIEW})

    def wait(self) -> None:
        """Return when the picture shows what the controls say."""
        with self._lock:
            self._answer(self._request)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """Add the picture, for pages that have no kernel: a stored notebook, static HTML."""
        bundle = super()._repr_mimebundle_(**options)
        picture = base64.b64encode(self.figure.value).decode()
        return {**bundle, "text/plain": f"Explorer: {self._shown}", "image/png": picture}

    def _changed(self, change: dict) -> None:
        self._request += 1
        if _comes_from_browser():
            threading.Thread(target=self._answer, args=(self._request,)).start()
        else:
            self._answer(self._request)

    def _answer(self, request: int) -> None:
        """Show what the controls say, unless a newer change has come."""
        with self._lock:
            try:
                if request == self._request:
                    self._show(self.setting, lambda share: self._go_on(request, share))
            except Exception as problem:  # nobody else would show it: the panel works in the background
                bad_value = isinstance(problem, TypeError | ValueError)
                words = html.escape(str(problem) if bad_value else repr(problem))
                self._tell(f"{words} &ndash; the picture still shows: {self._shown}", bad=True)
            finally:
                self.progress.layout.visibility = "hidden"

    def _show(self, setting: Setting, go_on: Callable[[float], bool]) -> None:
        done = self._run(setting, go_on)
        if done is None:
            return
        if setting != self._shown:
            self._before, self._shown = self._shown, setting
        ghost = self._ghost_now()
        self.figure.value = self._picture(done, ghost)
        words = sentence(done)
        if ghost:
            words += f" <i>Grey: {html.escape(str(ghost.setting))}.</i>"
        self._tell(words)

    def _run(self, setting: Setting, go_on: Callable[[float], bool]) -> Run | None:
        return _remembered(self._runs, setting, lambda: run(setting, go_on), KEPT_RUNS)

    def _ghost_now(self) -> Run | None:
        """Return the run that is drawn in grey."""
        choice = self.controls["compare_with"].value
        if choice == NOTHING:
            self._ghost = None
        elif choice == LAST or self._ghost is None:
            self._ghost = self._before if choice == LAST else self._shown
        same = self._ghost is None or self._ghost == self._shown
        return None if same else self._run(self._ghost, lambda share: True)

    def _picture(self, done: Run, ghost: Run | None) -> bytes:
        large = self.controls["large_type"].value
        if large not in self._drawings:
            self._drawings[large] = Picture(large)
        key = (done.setting, ghost and ghost.setting, large)
        return _remembered(self._pictures, key, lambda: self._drawings[large].png(done, ghost), KEPT_PICTURES)

    def _go_on(self, request: int, share: float) -> bool:
        """Show how far the training is, and tell whether it is still wanted."""
        self.progress.layout.visibility = "visible"
        self.progress.value = share
        return request == self._request

    def _tell(self, words: str, bad: bool = False) -> None:
        size = 1.5 if self.controls["large_type"].value else 1.1
        color = "#a00000" if bad else "inherit"
        self.message.value = f'<div style="font-size:{size}em;line-height:1.4;color:{color}">{words}</div>'


def _comes_from_browser() -> bool:
    """Tell a change made in the browser from one made by code: only the first must not block the kernel."""
    kernel = getattr(get_ipython(), "kernel", None)
    parent = kernel.get_parent() if kernel else {}
    return parent.get("header", {}).get("msg_type") == "comm_msg"


def _remembered(known: OrderedDict, key: Any, make: Callable[[], Any], most: int) -> Any:
    """Return what is known under `key`, or make it; forget what was not asked for longest."""
    if key not in known:
        made = make()
        if made is None:
            return None
        known[key] = made
    known.move_to_end(key)
    while len(known) > most:
        known.popitem(last=False)
    return known[key]
