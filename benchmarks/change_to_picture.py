"""Times the way from a changed size to the new picture."""

from benchmarks.other_ways import LAYERS, STEPS, fit_with_tape, has_torch, numpy_by_hand, one_compiled_loop, torch_hooks
from benchmarks.timing import in_turn, table
from zerostart.explorer import Explorer
from zerostart.explorer.picture import Picture
from zerostart.explorer.setting import Setting
from zerostart.explorer.training import run

WIDTHS = [24, 40, 56, 72, 88]  # each is new to every way


def measure() -> str:
    """Return the table and the two ratios."""
    explorer = Explorer(kernel_initializer="glorot_uniform", layers=LAYERS, steps=STEPS)
    drawn, traced = run(Setting(kernel_initializer="glorot_uniform", layers=LAYERS, steps=STEPS)), {}

    def limit(units: int) -> None:
        traced[units] = one_compiled_loop(units)
        traced[units]()

    picture = Picture(large=False)
    ways = {
        "this project: the explorer": lambda units: setattr(explorer.controls["units"], "value", units),
        "of this, drawing": lambda units: picture.png(drawn),
        "`fit`, an epoch a step, and a GradientTape each epoch": fit_with_tape,
        "NumPy by hand": numpy_by_hand,
        "the limit: one compiled loop, no drawing": limit,
        "the limit, compiled before": lambda units: traced[units](),
    }
    if has_torch():
        ways["PyTorch with hooks"] = torch_hooks
    in_turn(ways, [8])  # whatever is only done once
    found = in_turn(ways, WIDTHS)
    project, drawing, tape, _, cold, warm = list(found.values())[:6]
    head = ("from a changed size to the new picture", "median s", "times this project")
    text = table(head, *((name, f"{median:.3f}", f"{median / project:.1f}") for name, median in found.items()))
    text += f"\nThe usual way takes {tape / project:.0f} times as long as this project (target: 20 or more).\n"
    text += (
        f"Without drawing, this project takes {(project - drawing) / cold:.1f} times the limit (target: 3 or less), "
    )
    text += f"and {(project - drawing) / warm:.1f} times a limit that has been compiled for this size before.\n"
    return text if has_torch() else text + "\nPyTorch is not installed.\n"
