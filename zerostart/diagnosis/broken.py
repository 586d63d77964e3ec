"""What is said when nothing at all can be learned: numbers that are none, outputs or a loss that cannot change."""

import keras
import numpy as np
from keras import ops

from zerostart.data import Rows
from zerostart.diagnosis.calls import Call, arriving, calls_of, varies
from zerostart.diagnosis.causes import Place, cause_of, described
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding, layer_name
from zerostart.diagnosis.usual import Usual, close

LOOK = "Look at what goes in there: a logarithm or square root of 0, a division by 0, exp of a large number."


def nothing_given(rows: Rows) -> list[Finding]:
    """Tell whether all rows of x are zero, or all the same."""
    parts = [part for part in keras.tree.flatten(rows.x) if part.dtype.kind in "biuf"]
    if len(rows) < 2 or len(parts) < len(keras.tree.flatten(rows.x)) or any(np.any(part != part[:1]) for part in parts):
        return []
    what = "the same in every row" if any(part.any() for part in parts) else "0 in every row"
    return [Finding("x", f"it is {what}", "So no weights can tell the rows apart.", "Look at how x is made.")]


def not_finite(experiment: Experiment, calls: list[Call], loss: float, first: list[np.ndarray]) -> list[Finding]:
    """Name the first call whose output, or to whose input the gradient, is NaN or infinite."""
    for call in calls:
        if not call.finite:
            place = Place(experiment.model, call)
            bad = [weight.name for weight in getattr(call.operation, "weights", []) if not _finite(weight.value)]
            cause = (
                f"Its {', '.join(bad)} holds NaN or infinity."
                if bad
                else "What goes in is finite, what comes out is not."
            )
            return [
                Finding(
                    place.name, "it gives NaN or infinity", cause, LOOK if not bad else "Load or draw its weights anew."
                )
            ]
    if not np.isfinite(loss):
        cause = "The outputs of the model are finite, their loss is not."
        return [Finding("loss", "it is NaN or infinite", cause, LOOK)]
    back = arriving(experiment, calls)
    last = max((number for number, found in enumerate(back) if found is not None and not _finite(found)), default=None)
    names = [layer_name(experiment.model, variable) for variable in experiment.variables]
    if last is None:
        name = next(name for name, gradient in zip(names, first, strict=True) if not _finite(gradient))
    else:
        late = [call for call in calls[last + 1 :] if not call.inner]
        takers = [call for call in late if calls[last].feeds(call)] or late
        name = Place(experiment.model, takers[0]).name if takers else "loss"
    cause = "Forward all numbers are finite; backward a slope there is not: sqrt and norms have none at 0."
    return [Finding(name, "the gradient that comes back through it is NaN or infinite", cause, LOOK)]


def _finite(value: object) -> bool:
    return bool(np.isfinite(ops.convert_to_numpy(value)).all())


def cannot_change(experiment: Experiment, usual: Usual) -> list[Finding]:
    """Tell whether outputs or loss are the same with any weights."""
    if all(close(usual.outputs[0], other) for other in usual.outputs[1:]):
        fixed = [
            call for call in calls_of(experiment) if not call.inner and varies(call.taken) and not varies(call.values)
        ]
        if not fixed:
            return [
                Finding("outputs", "they are the same with any weights", "No weight reaches them.", "Look at `call`.")
            ]
        place = Place(experiment.model, fixed[-1])
        return [described(place, cause_of(place))]
    outputs = experiment.outputs()
    before, generator = experiment.loss_of(outputs), np.random.default_rng(0)
    other = keras.tree.map_structure(lambda part: part + ops.cast(generator.random(part.shape), part.dtype), outputs)
    if abs(experiment.loss_of(other) - before) > 1e-6 * max(abs(before), 1.0):
        return []
    cause = "Other outputs give exactly the same loss, so there is nothing to go down to."
    return [
        Finding(
            "loss", "it is the same whatever the outputs are", cause, "Look at the loss and at the weights of rows."
        )
    ]
