"""What the explorer says of a run: the verdict, and why."""

import numpy as np

from zerostart.explorer.setting import CLASSES
from zerostart.explorer.training import Run, examples

ZERO_AT_ZERO = ("tanh", "relu", "silu", "linear")


def verdict(run: Run) -> str:
    """Return `"frozen"`, `"partly frozen"`, `"symmetric"`, `"learns"`, or `"diverged"`: NaN or infinity came up.

    The words mean what they mean in `diagnose`, but say what happened in this very run.

    Example:
        >>> from zerostart.explorer.setting import Setting
        >>> from zerostart.explorer.training import run
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
    prior, _ = entropy_and_majority()
    plateau = " So far the loss is on the plateau at the prior entropy." if run.loss[-1] > prior - 0.01 else ""
    if not zeros:
        return f"the units start different, and every kernel receives a gradient.{plateau}"
    woke = max(int(np.flatnonzero(run.gradients[f"{name}/kernel"])[0]) for name in zeros)
    when = "at once" if woke == 0 else f"from step {woke} on"
    which = zeros[0] if len(zeros) == 1 else "kernels"
    return (
        f"starting at zero, {which} received a gradient {when}, and the units of each layer became different.{plateau}"
    )


def _first_bad(run: Run) -> int:
    bad = np.flatnonzero(~np.isfinite(run.loss))
    return int(bad[0]) if bad.size else run.setting.steps
