"""The illnesses of a place where nothing gets through, in one table."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.calls import Call, is_zero
from zerostart.diagnosis.findings import STANDARDIZED, Finding
from zerostart.diagnosis.variables import in_code, is_kernel, redrawn, usual_limit, with_activation

RELU = ("relu", "relu6", "prelu")
# The values at which an activation is flat. Of relu6 only the upper end tells: half of its values may well be 0.
ENDS = dict.fromkeys(("tanh", "hard_tanh", "softsign"), (-1, 1)) | dict.fromkeys(("sigmoid", "hard_sigmoid"), (0, 1))
ENDS |= {"elu": (-1,), "celu": (-1,), "relu6": (6,)}


@dataclass(frozen=True)
class Illness:
    """One row of the table: whether a call has it, and what to say then."""

    holds: Callable[[Call], bool]
    problem: str
    cause: str
    cure: Callable[[keras.Model, Call], str]
    always: bool = False  # whether the call is to blame whatever comes back to it


def share_at_ends(call: Call) -> float:
    """Return how much of what a call gives is an extreme value of its activation."""
    if call.activation in ("softmax", "sparsemax"):  # of many values each is small; flat is where one takes all
        return float((call.values.max(axis=getattr(call.operation, "axis", -1)) > 0.999).mean())
    if call.activation not in ENDS:
        return 0.0
    values = call.values.astype("float64")
    if isinstance(call.operation, keras.layers.RNN):  # what gates of 0 and 1 leave: tanh of a whole number
        whole = np.tanh(np.round(np.arctanh(np.clip(values, -1 + 1e-12, 1 - 1e-12))))
        return float((np.abs(values - whole) < 1e-3).mean()) * bool(np.abs(values).max() > 0.5)
    return float((np.abs(values[..., None] - np.array(ENDS[call.activation])).min(axis=-1) < 1e-3).mean())


def open_at_zero(call: Call) -> bool:
    """Tell whether the activation has a slope at 0, on both sides."""
    activation = getattr(call.operation, "activation", None)
    if not callable(activation):
        return True
    below, at, above = ops.convert_to_numpy(activation(ops.convert_to_tensor([[-1e-3, 0.0, 1e-3]])))[0]
    return bool(below != at != above)


def _redraw(model: keras.Model, call: Call) -> str:
    cures, bias = [redrawn(model, *call.kernels)] * bool(call.kernels), getattr(call.operation, "bias", None)
    if bias is not None and ops.convert_to_numpy(bias.value).any():
        cures.append(f"{in_code(model, bias)}.assign({in_code(model, bias)} * 0)")
    return "; ".join(cures) or "Look at what goes in there: it is far too large or too negative."


def _desaturate(model: keras.Model, call: Call) -> str:
    pairs = [(kernel.value, usual_limit(kernel, call.operation)) for kernel in call.kernels if is_kernel(kernel)]
    large = any(np.abs(ops.convert_to_numpy(value)).max() > 3 * limit for value, limit in pairs)
    return _redraw(model, call) if large or np.abs(call.taken).max() < 10 else STANDARDIZED


def _not_softmax(model: keras.Model, call: Call) -> str:
    if len(call.values.shape) < 3:
        return with_activation(model, call.operation, "sigmoid")
    if isinstance(call.operation, keras.layers.Softmax) and any(known is call.operation for known in model.layers):
        return f'model.get_layer("{call.name}").axis = 1'
    return "Take the softmax over another axis, axis=1."


SATURATED = Illness(
    lambda call: share_at_ends(call) > 0.99,
    "its units are saturated",
    "What goes into {activation} is so far from 0 that its slope is almost 0: it gives {ends}.",
    _desaturate,
    always=True,
)
NOT_DIFFERENTIABLE = Illness(
    lambda call: True,
    "no gradient comes back through it",
    "What goes in matters, but rounding, comparing, argmax, casting to integers and stop_gradient have no derivative.",
    lambda model, call: "Replace it by something smooth while you train.",
)
# The first row that holds is the illness.
ILLNESSES = (
    Illness(
        lambda call: bool(call.zeros),
        "its {weight} starts at zero, where no gradient comes back",
        "It gives 0, and at 0 the activation after it has slope 0 (relu has). A bias above 0 or another activation "
        "would do too.",
        _redraw,
    ),
    Illness(
        lambda call: call.activation == "softmax" and bool(np.all(np.abs(call.values - 1) < 1e-6)),
        "a softmax over one value is 1, whatever goes in",
        "Softmax divides by the sum along its axis, and that axis has length 1. So nothing before it can matter.",
        _not_softmax,
        always=True,
    ),
    Illness(
        lambda call: call.activation in RELU and is_zero(call.values) and not (call.zeros or call.unfed),
        "all its units are dead",
        "For every row what goes into relu is negative, so it gives 0, and its slope there is 0.",
        _redraw,
        always=True,
    ),
    SATURATED,
    Illness(
        lambda call: call.fixed or (is_zero(call.values) and not call.unfed),
        "it gives {ends} for every row, whatever goes in",
        "So nothing that comes before it can matter. What goes in is multiplied by 0, or normalized over a single "
        "value, or it is so far from 0 that {activation} is flat there.",
        lambda model, call: "Remove it, or give it smaller values, or several that differ.",
    ),
    Illness(
        lambda call: call.unfed,
        "nothing but 0 goes in",
        "The gradient of a kernel is a product with what goes in, so it is 0 too.",
        lambda model, call: "Look at how that is made.",
    ),
    NOT_DIFFERENTIABLE,
)


def illness_of(call: Call) -> Illness:
    """Return the row of the table that holds."""
    return next(illness for illness in ILLNESSES if illness.holds(call))


def is_to_blame(call: Call) -> bool:
    """Tell whether a call lets nothing through, whatever comes back to it."""
    return not call.zeros and any(illness.always and illness.holds(call) for illness in ILLNESSES)


def described(model: keras.Model, call: Call, illness: Illness | None = None) -> Finding:
    """Put a row of the table into words for a call."""
    illness, low, high = illness or illness_of(call), f"{call.values.min() + 0:.3g}", f"{call.values.max() + 0:.3g}"
    words = {"activation": call.activation, "weight": call.zeros[0].name if call.zeros else ""}
    words["ends"] = low if low == high else f"{low} to {high}"
    problem, cause = illness.problem.format(**words), illness.cause.format(**words)
    return Finding(call.name, problem, cause, illness.cure(model, call))
