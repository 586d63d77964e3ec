"""What is said of kernels that never receive a gradient: the root cause first, its victims in one line below it."""

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.calls import Call, arriving, calls_of, varies
from zerostart.diagnosis.causes import CAUSES, Flow, Place, cause_of, described
from zerostart.diagnosis.descent import ROUNDING, Descent
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding, joined, layer_name, redrawn
from zerostart.diagnosis.usual import Usual


def unused_or_faint(
    experiment: Experiment, seen: Descent, usual: Usual, asleep: list[int]
) -> tuple[dict[int, str], list[int]]:
    """Sort out kernels that nothing uses (with the reason), and those whose gradient is faint but real."""
    unused, faint, calls = {}, [], []
    for position in asleep:
        if usual.lengths[position] > ROUNDING * usual.lengths.max(initial=0):
            continue
        if not _matters(experiment, usual.weights, position, 1.0):
            experiment.assign(usual.weights)
            calls = calls or calls_of(experiment)
            unused[position] = _reason(experiment, calls, position)
        elif seen.largest[position] and _matters(experiment, seen.weights, position, 1e3):
            faint.append(position)
    return unused, faint


def _matters(experiment: Experiment, weights: list[np.ndarray], position: int, size: float) -> bool:
    """Tell whether other values of a variable change the loss, or the outputs if there is no loss for them."""
    variable = experiment.variables[position]
    experiment.assign(weights)
    outputs = experiment.outputs()
    before = experiment.loss_of(outputs)
    other = keras.initializers.GlorotUniform(99)(tuple(variable.shape), variable.dtype)
    variable.assign(ops.convert_to_numpy(other) * size)
    outputs = experiment.outputs()
    largest = max(float(ops.max(ops.abs(part))) for part in keras.tree.flatten(outputs))
    return abs(experiment.loss_of(outputs) - before) > 1e-6 * (abs(before) + largest * (size > 1))


def _reason(experiment: Experiment, calls: list, position: int) -> str:
    variable = experiment.variables[position]
    flow = Flow(calls, [])
    number = flow.call_with(variable)
    if number is None:
        return "`call` never calls this layer."
    call = calls[number]
    if "recurrent" in variable.name:
        return "What is read from this layer has seen only one step of the sequence, so there is no past to look at."
    constant = next((late for late in calls[number:] if varies(late.taken) and not varies(late.values)), None)
    if constant is not None:
        return f"{constant.operation.name} gives the same whatever it gets."
    if call.taken.ndim > 2 and call.taken.shape[1] == 1:
        return "The sequence has one token: its attention is 1 whatever query and key are."
    if not any(call.feeds(late) for late in calls[number:]):
        return "Nothing takes what this layer gives."
    return "The loss does not depend on it."


def explain(experiment: Experiment, asleep: list[int]) -> list[Finding]:
    """Name the places where nothing gets through, at the present weights."""
    model, variables, calls = experiment.model, experiment.variables, calls_of(experiment)
    flow = Flow(calls, arriving(experiment, calls))
    places = [Place(model, call) for call in calls]
    owner = {position: flow.call_with(variables[position]) for position in asleep}
    blamed = {position: flow.place_of(owner[position], lambda number: places[number].is_ill) for position in asleep}
    findings = []
    for component in _components(owner, blamed):
        zeros = [position for position in component if not experiment.start[position].any()]
        numbers = sorted({blamed[position] for position in component}, key=lambda number: -1 if number is None else number)
        if len(zeros) > 1:
            findings.append(_zeros(model, [variables[position] for position in zeros], places[owner[zeros[-1]]]))
            numbers = [number for number in numbers if number is not None and places[number].is_ill]
        findings += [NO_INPUT if number is None else _finding(calls, places, number, owner, component) for number in numbers]
        roots = {*zeros, *(position for position in component if owner[position] in numbers)}
        victims = [layer_name(model, variables[position]) for position in component if position not in roots]
        if victims:
            problem, above = "their kernels never receive a gradient", findings[-1].layer
            findings.append(Finding(joined(victims), problem, f"cut off by {above}", f"Mend {above}.", "victim"))
    return findings


NO_INPUT = Finding("x", "it is 0 in every row", "A gradient is a product with the input.", "Look at how x is made.")


def _components(owner: dict[int, int], blamed: dict[int, int | None]) -> list[list[int]]:
    """Put kernels together that block each other, or are blocked by the same place."""
    sets = []
    for position in owner:
        linked = {position, *(other for other in owner if owner[other] == blamed[position] or blamed[other] == blamed[position])}
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


def _finding(calls: list[Call], places: list[Place], number: int, owner: dict[int, int], component: list[int]) -> Finding:
    place, cause = places[number], cause_of(places[number])
    if cause is not CAUSES[-1] or any(call.feeds(place.call) for call in calls[:number]):
        return described(place, cause)
    before = places[max(owner[position] for position in component)]
    return described(place, cause, f"between {before.name} and {place.name}")
