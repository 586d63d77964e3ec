"""What is said of kernels that never receive a gradient: the root cause first, its victims in one line below it."""

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.calls import Call, arriving, calls_of, varies
from zerostart.diagnosis.causes import CAUSES, LOSS, Flow, Place, cause_of, described, size_of
from zerostart.diagnosis.descent import ROUNDING, Descent, length
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding, joined, layer_name, redrawn
from zerostart.diagnosis.units import is_kernel, layers_by_variable
from zerostart.diagnosis.usual import Usual

ATTENTION = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
TINY = 1e-2  # a kernel so much smaller than usual has gradients that may look like rounding


def unused_or_faint(
    experiment: Experiment, seen: Descent, usual: Usual, asleep: list[int]
) -> tuple[dict[int, str], list[int]]:
    """Sort out kernels that nothing uses (with the reason), and those whose gradient is faint but real."""
    unused, calls = {}, []
    for position in asleep:
        if usual.lengths[position] > ROUNDING * usual.lengths.max(initial=0) or _matters(experiment, usual, position):
            continue
        experiment.assign(usual.weights)
        calls = calls or calls_of(experiment)
        reason = _reason(experiment, calls, position)
        unused.update({position: reason} if reason else {})
    rest = [position for position in asleep if position not in unused]
    tiny = [position for position in range(len(experiment.start)) if 0 < _size(experiment, position) < TINY]
    if not tiny or not rest:
        return unused, []
    enlarged = list(seen.weights)
    for position in tiny:  # how large gradients are changes then, not which are zero
        enlarged[position] = experiment.start[position] / np.float32(_size(experiment, position))
    lengths = np.array([length(gradient) for gradient in experiment.gradients(enlarged)])
    return unused, [position for position in rest if lengths[position] > ROUNDING * lengths.max()]


def _size(experiment: Experiment, position: int) -> float:
    variable, layers = experiment.variables[position], layers_by_variable(experiment.model)
    return size_of(experiment.start[position], variable, layers.get(id(variable))) if is_kernel(variable) else 0.0


def _matters(experiment: Experiment, usual: Usual, position: int) -> bool:
    """Tell whether other values of a variable change the loss, after a usual start."""
    variable = experiment.variables[position]
    experiment.assign(usual.weights)
    before = experiment.loss_of(experiment.outputs())
    variable.assign(ops.convert_to_numpy(keras.initializers.GlorotUniform(99)(tuple(variable.shape))) * 3)
    return abs(experiment.loss_of(experiment.outputs()) - before) > 1e-6 * abs(before)


def _reason(experiment: Experiment, calls: list[Call], position: int) -> str:
    """Say why nothing uses a kernel; say nothing if something after it is ill."""
    variable = experiment.variables[position]
    flow = Flow(calls, [])
    number = flow.call_with(variable)
    if number is None:
        return "`call` never calls this layer."
    call = calls[number]
    if "recurrent" in variable.name:
        return "What is read from this layer has seen only one step of the sequence, so there is no past to look at."
    constant = next((late for late in calls[number:] if varies(late.taken) and not varies(late.values)), None)
    if constant is not None and not _within_attention(calls, constant):
        return ""
    if call.taken.ndim > 2 and call.taken.shape[1] == 1 and _within_attention(calls, call):
        return "The sequence has one token: its attention is 1 whatever query and key are."
    if not any(call.feeds(late) for late in calls[number:]):
        return "Nothing takes what this layer gives."
    return "The loss does not depend on it."


def _within_attention(calls: list[Call], inner: Call) -> bool:
    return any(
        isinstance(call.operation, ATTENTION) and inner.operation in call.operation._flatten_layers() for call in calls
    )


def untracked(experiment: Experiment, calls: list[Call]) -> list[Finding]:
    """Name layers that the model calls but does not know."""
    model, again = experiment.model, []
    known, findings = {id(weight) for weight in model.variables}, {}
    for call in calls:
        if not call.inner and any(weight.trainable and id(weight) not in known for weight in call.weights):
            again = again or calls_of(experiment)
            kept = any(call.operation is other.operation for other in again)
            where = "kept where Keras does not look, such as an object of your own" if kept else "made inside `call`"
            findings[Place(model, call).name] = Finding(
                Place(model, call).name,
                "it is called but not tracked, so it is never trained",
                f"It is {where}{'' if kept else ', anew each time'}.",
                "Make it in `__init__` and keep it as an attribute of the model, or in a list or dict that is one.",
            )
    return list(findings.values())


def explain(
    experiment: Experiment, seen: Descent, asleep: list[int], *, loss_is_told: bool
) -> tuple[list[Finding], list[int]]:
    """Name the places where nothing gets through at the present weights, and the kernels that an operation cuts off."""
    if not asleep:
        return [], []
    model, variables, calls = experiment.model, experiment.variables, calls_of(experiment)
    flow, places = Flow(calls, arriving(experiment, calls)), [Place(model, call) for call in calls]
    owner = {position: flow.call_with(variables[position]) for position in asleep}
    blamed = {
        position: flow.place_of(owner[position], lambda n: places[n].is_ill, noise=seen.largest[position] > 0)
        for position in asleep
    }
    findings, cut = [], []
    for component in _components(owner, blamed):
        zeros = [position for position in component if not experiment.start[position].any()]
        numbers = sorted(
            {blamed[position] for position in component}, key=lambda number: -2 if number is None else number
        )
        if len(zeros) > 1 and LOSS not in numbers:
            findings.append(_zeros(model, [variables[position] for position in zeros], places[owner[zeros[-1]]]))
            numbers = [number for number in numbers if number is not None and places[number].is_ill]
        found = [_finding(places, number, owner, component) for number in numbers]
        findings += [finding for finding in found if not (loss_is_told and finding.layer == "loss")]
        roots = {*(zeros if LOSS not in numbers else []), *(p for p in component if owner[p] in numbers)}
        victims = [layer_name(model, variables[position]) for position in component if position not in roots]
        above = joined(finding.layer for finding in found or findings[-1:])
        kind = "note" if found and all(finding.kind == "note" for finding in found) else "victim"
        cut += component if kind == "note" else []
        if victims:
            findings.append(
                Finding(joined(victims), "never receives a gradient", f"Cut off by {above}.", f"Mend {above}.", kind)
            )
    return findings, cut


def _components(owner: dict[int, int], blamed: dict[int, int | None]) -> list[list[int]]:
    """Put kernels together that block each other, or are blocked by the same place."""
    sets = []
    for position in owner:
        linked = {
            position,
            *(other for other in owner if owner[other] == blamed[position] or blamed[other] == blamed[position]),
        }
        for known in [known for known in sets if known & linked]:
            sets.remove(known)
            linked |= known
        sets.append(linked)
    return sorted(map(sorted, sets))


def _zeros(model: keras.Model, variables: list[keras.Variable], last: Place) -> Finding:
    names = joined(f"{layer_name(model, variable)} ({variable.name})" for variable in variables)
    mended = variables[:-1] if last.open_at_zero else variables  # one zero alone is harmless
    return Finding(
        joined(layer_name(model, variable) for variable in variables),
        f"they start at zero and block one another, so none ever receives a gradient: {names}",
        "A gradient is what arrives from the inputs times what comes back from the outputs; each of these zeros makes "
        "that product 0 for the others.",
        "; ".join(redrawn(model, variable) for variable in mended),
    )


def _finding(places: list[Place], number: int | None, owner: dict[int, int], component: list[int]) -> Finding:
    if number is None:
        cause = "A gradient is a product with the input, so it is 0 too."
        return Finding("x", "it is 0 in every row", cause, "Look at how x is made.")
    if number == LOSS:
        cause = "At these outputs its slope is 0."
        return Finding(
            "loss", "no gradient comes back from it", cause, "Look at the loss, and whether it fits the outputs."
        )
    place, cause = places[number], cause_of(places[number])
    if cause is not CAUSES[-1]:
        return described(place, cause)
    before = places[max(owner[position] for position in component)]
    fed = any(other.call.feeds(place.call) for other in places[:number])
    return described(place, cause, "" if fed else f"between {before.name} and {place.name}", "note")
