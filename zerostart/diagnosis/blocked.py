"""What is said of kernels that never receive a gradient: the root cause first, its victims in one line below it."""

from dataclasses import dataclass

import keras
import numpy as np

from zerostart.diagnosis.calls import Call, arriving, calls_of, is_zero
from zerostart.diagnosis.causes import NOT_DIFFERENTIABLE, described, illness_of, is_to_blame, open_at_zero
from zerostart.diagnosis.descent import ROUNDING, Descent
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding, joined, redrawn
from zerostart.diagnosis.units import is_shift, length
from zerostart.diagnosis.usual import Usual

ATTENTION = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
TINY = 1e-2  # a kernel so much smaller than usual has gradients that may look like rounding
LOSS = -1  # the place behind the last call


def unused(experiment: Experiment, usual: Usual, asleep: list[int]) -> dict[int, str]:
    """Return the kernels that nothing uses, each with the reason."""
    silent = [position for position in asleep if usual.lengths[position] <= ROUNDING * usual.lengths.max()]
    silent = [position for position in silent if not _matters(experiment, usual, position)]
    experiment.assign(usual.weights)
    calls = calls_of(experiment) if silent else []
    found = {position: _reason(calls, experiment.variables[position]) for position in silent}
    return {position: reason for position, reason in found.items() if reason}


def _matters(experiment: Experiment, usual: Usual, position: int) -> bool:
    """Tell whether other values of a variable change the loss, after a usual start."""
    variable = experiment.variables[position]
    experiment.assign(usual.weights)
    before = experiment.loss_of(experiment.outputs())
    variable.assign(keras.initializers.GlorotUniform(99)(tuple(variable.shape)) * 3)
    return abs(experiment.loss_of(experiment.outputs()) - before) > 1e-6 * abs(before)


def _reason(calls: list[Call], variable: keras.Variable) -> str:
    """Say why nothing uses a kernel; say nothing if something after it is ill."""
    number = user_of(calls, variable)
    if number is None:
        return "`call` never calls this layer."
    call = calls[number]
    around = [outer.operation for outer in calls if isinstance(outer.operation, ATTENTION)]
    if is_to_blame(call):
        return ""
    if "recurrent" in variable.name:
        return "What is read from this layer has seen only one step of the sequence, so there is no past to look at."
    if call.taken.shape[1:2] == (1,) and any(call.operation in outer._flatten_layers() for outer in around):
        return "The sequence has one token: its attention is 1 whatever query and key are."
    if any(late.fixed for late in calls[number:]):
        return ""
    if not any(call.feeds(late) for late in calls[number:]):
        return "Nothing takes what this layer gives."
    return "The loss does not depend on it."


def faint(experiment: Experiment, seen: Descent, asleep: list[int]) -> list[int]:
    """Return the kernels whose gradient is real, only faint: other kernels are tiny, and it grows as they do."""
    enlarged = list(seen.weights)
    for position in experiment.kernels:
        if 0 < experiment.size(position) < TINY:  # how large gradients are changes then, not which are zero
            enlarged[position] = experiment.start[position] / np.float32(experiment.size(position))
    if not asleep or all(one is other for one, other in zip(enlarged, seen.weights, strict=True)):
        return []
    lengths = np.array([length(gradient) for gradient in experiment.gradients(enlarged)])
    return [position for position in asleep if lengths[position] > ROUNDING * lengths.max()]


def untracked(experiment: Experiment, calls: list[Call]) -> list[Finding]:
    """Name layers that the model calls but does not know."""
    known, findings = {id(weight) for weight in experiment.model.variables}, {}
    for call in calls:
        if not call.inner and any(weight.trainable and id(weight) not in known for weight in call.weights):
            kept = any(call.operation is again.operation for again in calls_of(experiment))
            findings[call.name] = Finding(
                call.name,
                "it is called but not tracked, so it is never trained",
                "It is kept where Keras does not look, such as an object of your own."
                if kept
                else "It is made inside `call`, anew each time.",
                "Make it in `__init__` and keep it as an attribute of the model, or in a list or dict that is one.",
            )
    return list(findings.values())


def user_of(calls: list[Call], variable: keras.Variable) -> int | None:
    """Return the number of the innermost call that uses the variable."""
    users = (number for number, call in enumerate(calls) if any(weight is variable for weight in call.weights))
    return next(users, None)


@dataclass(frozen=True)
class _Flow:
    """What went through the model and what came back; finds the place where nothing gets through."""

    calls: list[Call]
    back: list[np.ndarray | None]

    def place_of(self, number: int, noise: bool) -> int | None:
        """Return the number of the call to blame for the kernel of this one; `LOSS`; or None: what the model was given.

        What comes back to it is `noise` if its gradient is not 0, but no more than rounding.
        """
        if self.calls[number].unfed:
            return self._first_silent(number)
        if is_to_blame(self.calls[number]) or (self._comes_back(number) and not (noise and self._is_rounding(number))):
            return number
        late = self._next_open(number)
        return self._first_silent(late) if late != LOSS and self.calls[late].unfed else late

    def _comes_back(self, number: int) -> bool:
        return self.back[number] is None or bool(self.back[number].any())

    def _is_rounding(self, number: int) -> bool:
        largest = max(length(found) for found in self.back if found is not None)
        return self.back[number] is not None and length(self.back[number]) < ROUNDING * largest

    def _first_silent(self, number: int) -> int | None:
        silent = [early for early in range(number) if is_zero(self.calls[early].values)]
        before, waiting = set(), [number]
        while waiting:
            late = waiting.pop()
            new = {early for early in silent if early < late and self.calls[early].feeds(self.calls[late])} - before
            before |= new
            waiting += new
        return next((early for early in sorted(before or silent) if not self.calls[early].unfed), None)

    def _next_open(self, number: int) -> int:
        """Follow the calls that take what this one gives, until one gets something back from the loss."""
        later = [late for late in range(number + 1, len(self.calls)) if not self.calls[late].inner]
        reached = {number}
        for late in later:
            if any(self.calls[early].feeds(self.calls[late]) for early in reached):
                if not self.calls[late].takes_gradients or self._comes_back(late):
                    return late
                reached.add(late)
        return next((late for late in later if self._comes_back(late)), LOSS)


def explain(experiment: Experiment, seen: Descent, asleep: list[int]) -> tuple[list[Finding], list[int]]:
    """Name the places where nothing gets through at the present weights, and the kernels that an operation cuts off."""
    if not asleep:
        return [], []
    model, variables, calls = experiment.model, experiment.variables, calls_of(experiment)
    asleep = [*asleep, *_closed_gates(experiment, seen)]
    flow = _Flow(calls, arriving(experiment, calls))
    owner = {position: user_of(calls, variables[position]) for position in asleep}
    blamed = {position: flow.place_of(owner[position], seen.largest[position] > 0) for position in asleep}
    findings, cut = [], []
    for component in _components(owner, blamed):
        zeros = [position for position in component if not experiment.start[position].any()]
        numbers = sorted({blamed[position] for position in component}, key=lambda n: -2 if n is None else n)
        roots = {position for position in component if owner[position] in numbers}
        found = []
        if LOSS not in numbers:
            roots |= set(zeros)
            if len(zeros) > 1:
                found = [_zeros(experiment, zeros, calls[owner[zeros[-1]]])]
                numbers = [number for number in numbers if number is not None and is_to_blame(calls[number])]
        last = max(owner[position] for position in component)
        found += [_place(model, calls, number, last) for number in numbers]
        kind = "victim" if any(finding.kind == "ill" for finding in found) else "note"
        cut += component if kind == "note" else []
        victims = joined(experiment.names[position] for position in component if position not in roots)
        above = joined(finding.layer for finding in found)
        told = [Finding(victims, "never receives a gradient", f"Cut off by {above}.", f"Mend {above}.", kind)]
        findings += found + told * bool(victims)
    return findings, cut


def _closed_gates(experiment: Experiment, seen: Descent) -> list[int]:
    """Return the scales and gates that start at zero and stay there: they may block kernels."""
    others = set(range(len(experiment.start))) - set(experiment.kernels) - set(seen.woke)
    zero = [position for position in sorted(others) if not experiment.start[position].any()]
    return [position for position in zero if not is_shift(experiment.variables[position])]


def _components(owner: dict[int, int], blamed: dict[int, int | None]) -> list[list[int]]:
    """Put kernels together that block each other, or are blocked by the same place."""
    sets: list[set[int]] = []
    for one in owner:
        linked = {one, *(other for other in owner if blamed[one] in (owner[other], blamed[other]))}
        for known in [known for known in sets if known & linked]:
            sets.remove(known)
            linked |= known
        sets.append(linked)
    return sorted(map(sorted, sets))


def _zeros(experiment: Experiment, zeros: list[int], last: Call) -> Finding:
    variables = [experiment.variables[position] for position in zeros]
    names = joined(f"{experiment.names[position]} ({experiment.variables[position].name})" for position in zeros)
    mended = variables[:-1] if open_at_zero(last) else variables  # one zero alone is harmless
    return Finding(
        joined(experiment.names[position] for position in zeros),
        f"they start at zero and block one another, so none ever receives a gradient: {names}",
        "A gradient is what arrives from the inputs times what comes back from the outputs; each of these zeros makes "
        "that product 0 for the others.",
        redrawn(experiment.model, *mended),
    )


def _place(model: keras.Model, calls: list[Call], number: int | None, last: int) -> Finding:
    """Describe the place to blame. `last` is the number of the last call that it cuts off."""
    if number is None:
        cause = "A gradient is a product with the input, so it is 0 too."
        return Finding("x", "it is 0 in every row", cause, "Look at how x is made.")
    if number == LOSS:
        cause, cure = "At these outputs its slope is 0.", "Look at the loss, and whether it fits the outputs."
        return Finding("loss", "no gradient comes back from it", cause, cure)
    found = described(model, calls[number])
    if illness_of(calls[number]) is not NOT_DIFFERENTIABLE or number <= last:
        return found
    seen = any(early.feeds(calls[number]) for early in calls[:number])
    name = found.layer if seen else f"between {calls[last].name} and {found.layer}"
    return Finding(name, found.problem, found.cause, found.cure, "note")
