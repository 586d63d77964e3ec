"""What the reader chose. What can be chosen, and where it starts, stands in `web/explorer.json`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerostart.checks import integer, non_negative

WEB = Path(__file__).with_name("web")
SHARED = json.loads((WEB / "explorer.json").read_text(encoding="utf-8"))
CONTROLS = SHARED["controls"]
START = {name: control["start"] for name, control in CONTROLS.items()}


@dataclass(frozen=True)
class Setting:
    """What the reader chose. Creating one raises `ValueError` or `TypeError`, which names the bad value.

    Example:
        >>> Setting(units=0)
        Traceback (most recent call last):
        ValueError: units: expected an integer of at least 1 and at most 64, got 0
    """

    activation: str = START["activation"]
    kernel_initializer: str = START["kernel_initializer"]
    head_initializer: str = START["head_initializer"]
    scale: float = START["scale"]
    units: int = START["units"]
    layers: int = START["layers"]
    optimizer: str = START["optimizer"]
    steps: int = START["steps"]
    dropout: float = START["dropout"]

    def __post_init__(self) -> None:
        """Refuse what no network can be made of."""
        for name, value in vars(self).items():
            object.__setattr__(self, name, checked(name, value))

    def __str__(self) -> str:
        """Describe the setting in one line."""
        head = "" if self.head_initializer == "same" else f", head {self.head_initializer}"
        times = "" if self.scale == 1 else f" x {self.scale:g}"
        dropout = f", dropout {self.dropout:g}" if self.dropout else ""
        size = f"{self.layers} x {self.units} {self.activation}"
        return f"{size}, {self.kernel_initializer}{head}{times}, {self.optimizer}{dropout}, {self.steps} steps"


def checked(name: str, value: Any) -> Any:
    """Return `value` if the control with this name accepts it, or raise `TypeError` or `ValueError`."""
    control = CONTROLS[name]
    if "choices" in control:
        if not isinstance(value, str) or value not in control["choices"]:
            raise ValueError(f"{name}: expected one of {', '.join(control['choices'])}; got {value!r}")
    elif isinstance(control["start"], bool):
        if not isinstance(value, bool):
            raise TypeError(f"{name}: expected True or False, got {value!r}")
    elif control.get("step") == 1:
        return integer(name, value, control["least"], control["most"])
    else:
        value = non_negative(name, value)
        if value > control.get("most", value):
            raise ValueError(f"{name}: expected a number of at most {control['most']}, got {value!r}")
    return value
