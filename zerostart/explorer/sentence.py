"""What the explorer says of a run: the verdict, why, and what came of it. `web/sentence.js` says the same.

The words stand in `web/explorer.json`. Each of them is chosen by what was measured in this very run.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from zerostart.explorer.setting import SHARED
from zerostart.explorer.start import CLASSES, images
from zerostart.verdict import verdict_of

if TYPE_CHECKING:
    from zerostart.explorer.engine import Run

WORDS = SHARED["sentences"]
NEAR = 0.01  # a loss this close to the entropy, relatively, is not below it


def verdict(run: "Run") -> str:
    """Return the verdict about this very run, or `"diverged"`: NaN or infinity came up.

    Example:
        >>> from zerostart.explorer.engine import run
        >>> from zerostart.explorer.setting import Setting
        >>> verdict(run(Setting(activation="sigmoid")))
        'symmetric'
    """
    if first_bad(run) is not None:
        return "diverged"
    asleep = [not run.gradients[f"{name}/kernel"].any() for name in kernel_names(run)]
    twins = any(len(set(last)) < len(last) for _, last in run.groups)
    return verdict_of(asleep, twins, slow=run.loss[-1] >= (1 - NEAR) * entropy_and_majority()[0])


def sentence(run: "Run") -> str:
    """Say the verdict, why, and what came of it."""
    found = verdict(run)
    steps = f"{run.setting.steps} step{'s' * (run.setting.steps > 1)}"
    facts = _FACTS[found](run)
    words = f"{found.capitalize()}: {WORDS[found].format(steps=steps, **facts)}"
    return words if found == "diverged" else words + _outcome(run)


def entropy_and_majority() -> tuple[float, float]:
    """Return the entropy of the classes and the share of the most frequent one."""
    shares = np.bincount(images()[1], minlength=CLASSES) / len(images()[1])
    return float(-np.sum(shares * np.log(shares))), float(shares.max())


def kernel_names(run: "Run") -> list[str]:
    """Return the names of the layers, the head last."""
    return [name.removesuffix("/kernel") for name in run.gradients if name.endswith("/kernel")]


def first_bad(run: "Run") -> int | None:
    """Return the first step with a number that is not finite, or None."""
    bad = ~np.isfinite([run.loss, *run.gradients.values()]).all(axis=0)
    return int(bad.argmax()) if bad.any() else None


def _frozen(run: "Run") -> dict[str, str]:
    moved = [name for name, sizes in run.gradients.items() if sizes.any()]
    only = WORDS["only the head's bias"] if moved == ["head/bias"] else ""
    if run.entered.all():
        return {"forward": "", "only": only}
    names, units = kernel_names(run), run.setting.units
    relu, zero = run.setting.activation == "relu", [not kernel[0].any() for kernel in run.kernels]
    silent = int(run.entered.argmin()) - 1  # the first layer that gives only zeros
    cause = back = ""
    if zero[silent]:
        cause = WORDS["its kernel is zero"].format(activation=run.setting.activation)
    elif relu:
        cause = WORDS["its only unit is dead" if units == 1 else "all its units are dead"].format(units=units)
    if not run.returned.all():
        deaf = int(np.flatnonzero(~run.returned)[-1])  # the last layer that nothing comes back to
        if zero[deaf + 1]:
            back = WORDS["a kernel is zero"].format(name=names[deaf + 1])
        elif relu and not run.entered[deaf + 1]:
            back = WORDS["the slope is zero"].format(name=names[deaf])
    return {"forward": WORDS["forward"].format(name=names[silent], cause=cause, backward=back), "only": only}


def _partly(run: "Run") -> dict[str, str]:
    causes = {(False, False): "neither", (False, True): "nothing entered", (True, False): "nothing came back"}
    kernels = [
        WORDS["asleep"].format(name=name, cause=WORDS[causes[entered, returned]] if (entered, returned) in causes else "")
        for name, entered, returned in zip(kernel_names(run), run.entered, run.returned, strict=True)
        if not run.gradients[f"{name}/kernel"].any()
    ]
    return {"kernels": ", ".join(kernels)}


def _symmetric(run: "Run") -> dict[str, str]:
    layers, same = {}, not run.setting.dropout
    for name, (first, last) in zip(kernel_names(run)[:-1], run.groups, strict=True):
        different = len(set(last))
        if different < len(last):
            layers.setdefault(different, []).append(name)
            same &= len(set(zip(first, last, strict=True))) == different
    words = [
        WORDS["all identical" if different == 1 else "some identical"].format(
            units=run.setting.units, different=different, name=" and ".join(names)
        )
        for different, names in layers.items()
    ]
    return {"layers": "; ".join(words), "why": WORDS["started identical"] if same else ""}


def _differ(run: "Run") -> dict[str, str]:
    woke = [int((run.gradients[f"{name}/kernel"] != 0).argmax()) for name in kernel_names(run)]
    last = int(np.argmax(woke))
    parted = any(len(set(first)) < len(first) for first, _ in run.groups)
    return {
        "differ": WORDS["one unit a layer" if run.setting.units == 1 else "units differ"],
        "woke": WORDS["woke"].format(name=kernel_names(run)[last], step=woke[last]) if woke[last] else "",
        "parted": WORDS["parted"] if parted else "",
    }


def _outcome(run: "Run") -> str:
    entropy, majority = entropy_and_majority()
    last, rows = run.loss[-1], len(images()[1])
    relation = "below" if last < (1 - NEAR) * entropy else "close" if last <= (1 + NEAR) * entropy else "above"
    return WORDS["outcome"].format(
        first=_short(run.loss[0]),
        last=_short(last),
        relation=WORDS[relation],
        entropy=_short(entropy),
        right=round(rows * run.accuracy[-1]),
        rows=rows,
        majority=round(rows * majority),
    )


def _short(loss: float) -> str:
    return f"{loss:.3f}" if loss < 1000 else "over 1000"


_FACTS: dict[str, Callable[["Run"], dict[str, Any]]] = {
    "diverged": lambda run: {"step": first_bad(run)},
    "frozen": _frozen,
    "partly frozen": _partly,
    "symmetric": _symmetric,
    "slow": _differ,
    "learns": _differ,
}
