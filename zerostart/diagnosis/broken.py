"""What is said of models that are broken: nothing goes in, NaN comes out, nothing can change, a layer is not known."""

import keras
import numpy as np
from keras import ops

from zerostart.data import Rows
from zerostart.diagnosis.calls import Call, arriving, calls_of
from zerostart.diagnosis.causes import described
from zerostart.diagnosis.experiment import Experiment, Usual, close, flat
from zerostart.diagnosis.findings import Finding

LOOK = "Look at what goes in there: a logarithm or square root of 0, a division by 0, exp of a large number."


def nothing_given(rows: Rows) -> list[Finding]:
    """Tell whether all rows of x are zero, or all the same."""
    parts = keras.tree.flatten(rows.x)
    if len(rows) < 2 or any(part.dtype.kind not in "biuf" or np.any(part != part[:1]) for part in parts):
        return []
    what = "the same in every row" if any(part.any() for part in parts) else "0 in every row"
    return [Finding("x", f"it is {what}", "So no weights can tell the rows apart.", "Look at how x is made.")]


def not_finite(experiment: Experiment, calls: list[Call], loss: float, first: list[np.ndarray]) -> Finding:
    """Name the first call whose output, or to whose input the gradient, is NaN or infinite."""
    for call in calls:
        if not all(map(_finite, call.outputs)):
            bad = [weight.name for weight in getattr(call.operation, "weights", []) if not _finite(weight.value)]
            cause, cure = "What goes in is finite, what comes out not.", LOOK
            if bad:
                cause, cure = f"Its {', '.join(bad)} holds NaN or infinity.", "Load or draw its weights anew."
            return Finding(call.name, "it gives NaN or infinity", cause, cure)
    if not np.isfinite(loss):
        return Finding("loss", "it is NaN or infinite", "The outputs of the model are finite, their loss is not.", LOOK)
    back = arriving(experiment, calls)
    last = max((number for number, found in enumerate(back) if found is not None and not _finite(found)), default=None)
    if last is None:
        name = next(name for name, found in zip(experiment.names, first, strict=True) if not _finite(found))
    else:
        late = [call for call in calls[last + 1 :] if not call.inner]
        name = next((call.name for call in [*filter(calls[last].feeds, late), *late]), "loss")
    cause = "Forward all numbers are finite; backward a slope there is not: sqrt and norms have none at 0."
    return Finding(name, "the gradient that comes back through it is NaN or infinite", cause, LOOK)


def _finite(value: object) -> bool:
    return bool(np.isfinite(ops.convert_to_numpy(value)).all())


def cannot_change(experiment: Experiment, usual: Usual) -> list[Finding]:
    """Tell whether the outputs are the same after all starts, or the loss whatever the outputs are."""
    own = flat(experiment.first_outputs)
    if all(close(own, outputs) for outputs in usual.outputs):
        fixed = [call for call in calls_of(experiment) if not call.inner and call.fixed]
        none = Finding("outputs", "they are the same with any weights", "No weight reaches them.", "Look at `call`.")
        return [described(experiment.model, fixed[-1]) if fixed else none]
    outputs, generator = experiment.outputs(), np.random.default_rng(0)
    # Large noise: beside huge targets a small change is none.
    noise = [ops.cast(1e6 * generator.normal(size=part.shape), part.dtype) for part in keras.tree.flatten(outputs)]
    other = keras.tree.map_structure(ops.add, outputs, keras.tree.pack_sequence_as(outputs, noise))
    before = experiment.loss_of(outputs)
    same = abs(experiment.loss_of(other) - before) <= 1e-6 * max(abs(before), 1.0)
    cause, cure = "Other outputs give exactly the same loss.", "Look at the loss and at the weights of rows."
    return [Finding("loss", "it is the same whatever the outputs are", cause, cure)] * same


def untracked(experiment: Experiment, calls: list[Call]) -> list[Finding]:
    """Name layers that the model calls but does not know."""
    known = {id(weight) for weight in experiment.model.variables}
    new = [call for call in calls if any(weight.trainable and id(weight) not in known for weight in call.weights)]
    problem = "it is called but not tracked, so it is never trained"
    cause = "It is made inside `call`, anew each time; or kept where Keras does not look, in an object of your own."
    cure = "Make it in `__init__` and keep it as an attribute of the model, or in a list or dict that is one."
    return [Finding(name, problem, cause, cure) for name in dict.fromkeys(call.name for call in new if not call.inner)]
