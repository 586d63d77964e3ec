"""The input widgets of the explorer."""

from typing import Any

import ipywidgets as widgets

from zerostart.checks import of_type
from zerostart.explorer.network import ACTIVATIONS
from zerostart.explorer.setting import (
    INITIALIZERS,
    MOST_LAYERS,
    MOST_STEPS,
    OPTIMIZERS,
    Setting,
    one_of,
)

NOTHING, LAST, THIS = "nothing", "the last setting", "the setting shown now"
VIEW = ("compare_with", "large_type")


def new_controls(setting: Setting, start: dict[str, Any]) -> dict[str, widgets.DOMWidget]:
    """Return the input widgets. Numbers that can be typed can be wrong; the panel answers them."""
    one_of("compare_with", start.get("compare_with", NOTHING), (NOTHING, LAST, THIS))
    of_type("large_type", start.get("large_type", False), bool)
    look = {"style": {"description_width": "8em"}, "layout": widgets.Layout(width="21em")}
    released = {"continuous_update": False, **look}
    return {
        "activation": widgets.Dropdown(
            options=tuple(ACTIVATIONS), value=setting.activation, description="activation", **look
        ),
        "kernel_initializer": widgets.Dropdown(
            options=INITIALIZERS, value=setting.kernel_initializer, description="hidden kernels", **look
        ),
        "head_initializer": widgets.Dropdown(
            options=("same", *INITIALIZERS), value=setting.head_initializer, description="head", **look
        ),
        "scale": widgets.FloatText(value=setting.scale, description="scale", **released),
        "units": widgets.IntText(value=setting.units, description="hidden units", **released),
        "layers": widgets.IntSlider(
            value=setting.layers, min=1, max=MOST_LAYERS, description="hidden layers", **released
        ),
        "optimizer": widgets.Dropdown(options=OPTIMIZERS, value=setting.optimizer, description="optimizer", **look),
        "steps": widgets.IntSlider(
            value=setting.steps, min=10, max=MOST_STEPS, step=10, description="steps", **released
        ),
        "dropout": widgets.FloatSlider(
            value=setting.dropout, min=0, max=0.9, step=0.1, description="dropout", **released
        ),
        "compare_with": widgets.Dropdown(
            options=(NOTHING, LAST, THIS), value=start.get("compare_with", NOTHING), description="compare with", **look
        ),
        "large_type": widgets.Checkbox(value=start.get("large_type", False), description="large type", **look),
    }
