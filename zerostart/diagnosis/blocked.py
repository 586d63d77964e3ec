"""What is said of kernels that never receive a gradient: the root cause first, its victims in one line below it."""

from dataclasses import dataclass

import keras
import numpy as np

from zerostart.diagnosis.calls import Call, arriving, calls_of, is_zero
from zerostart.diagnosis.causes import NOT_DIFFERENTIABLE, described, illness_of, is_to_blame, open_at_zero
from zerostart.diagnosis.descent import ROUNDING, Descent
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding, joined
from zerostart.diagnosis.variables import is_shift, length, redrawn

TINY = 1e-2  # a kernel so much smaller than usual has gradients that may look like rounding
LOSS = -1  # the place behind the last call


def really_asleep(experiment: Experiment, seen: Descent, asleep: list[int]) -> list[int]:
    """Leave out kernels whose gradient is real, only faint: other kernels are tiny, and it grows as they do."""
    enlarged = list(seen.weights)
    for position in experiment.kernels:
        if 0 < experiment.size(position) < TINY:  # how large gradients are changes then, not which are zero
            enlarged[position] = experiment.start[position] / np.float32(experiment.size(position))
    if not asleep or all(one is other for one, other in zip(enlarged, seen.weights, strict=True)):
        return asleep
    lengths = np.array([length(gradient) for gradient in experiment.gradients(enlarged)])
    return [position for position in asleep if lengths[position] <= ROUNDING * lengths.max()]


def user_of(calls: list[Call], variable: keras.Variable) -> int | None:
    """Return the number of the innermost call that uses the variable."""
    users = (number for number, call in enumerate(calls) if any(weight is variable for weight in call.weights))
    return next(users, None)


@dataclass(frozen=True)
class _Flow:
    """What went through the model and what came back; finds the place where nothing gets through."""

    calls: list[Call]
    back: list[np.ndarray | None]

    def place_of(self, number: int, noise: bool) -> int:
        """Return the number of the call to blame for the kernel of this one, or `LOSS`.

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

    def _first_silent(self, number: int) -> int:
        """Return the first call that gives 0 on the way to this one, or at all before it; itself if there is none."""
        silent = [early for early in range(number) if is_zero(self.calls[early].values)]
        before, waiting = set(), [number]
        while waiting:
            late = waiting.pop()
            new = {early for early in silent if early < late and self.calls[early].feeds(self.calls[late])} - before
            before |= new
            waiting += new
        return next((early for early in sorted(before or silent) if not self.calls[early].unfed), number)

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
    experiment.assign(seen.weights)
    if not asleep:
        return [], []
    calls = calls_of(experiment)
    asleep = [*asleep, *_closed_gates(experiment, seen)]
    flow = _Flow(calls, arriving(experiment, calls))
    owner = {position: user_of(calls, experiment.variables[position]) for position in asleep}
    blamed = {position: flow.place_of(owner[position], seen.largest[position] > 0) for position in asleep}
    findings, cut = [], []
    for component in _components(owner, blamed):
        places = sorted({blamed[position] for position in component})
        zeros = [position for position in component if not experiment.start[position].any()] * (LOSS not in places)
        victims = [position for position in component if position not in zeros and owner[position] not in places]
        found, last = [], max(owner[position] for position in component)
        if len(zeros) > 1:
            found = [_zeros(experiment, zeros, calls[owner[zeros[-1]]])]
            places = [place for place in places if is_to_blame(calls[place])]
        found += [_place(experiment.model, calls, place, last) for place in places]
        kind = "victim" if any(finding.kind == "ill" for finding in found) else "note"
        cut += component if kind == "note" else []
        names = joined(experiment.names[position] for position in victims)
        above = joined(finding.layer for finding in found)
        told = Finding(names, "never receives a gradient", f"Cut off by {above}.", f"Mend {above}.", kind)
        findings += found + [told] * bool(victims)
    return findings, cut


def _closed_gates(experiment: Experiment, seen: Descent) -> list[int]:
    """Return the scales and gates that start at zero and stay there: they may block kernels."""
    others = set(range(len(experiment.start))) - set(experiment.kernels) - set(seen.woke)
    zero = [position for position in sorted(others) if not experiment.start[position].any()]
    return [position for position in zero if not is_shift(experiment.variables[position])]


def _components(owner: dict[int, int], blamed: dict[int, int]) -> list[list[int]]:
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


def _place(model: keras.Model, calls: list[Call], place: int, last: int) -> Finding:
    """Describe the place to blame. `last` is the number of the last call that it cuts off."""
    if place == LOSS:
        cause, cure = "Here its slope is 0: other outputs change nothing.", "Look at the loss, and at weights of rows."
        return Finding("loss", "no gradient comes back from it", cause, cure)
    found = described(model, calls[place])
    if illness_of(calls[place]) is not NOT_DIFFERENTIABLE or place <= last:
        return found
    seen = any(early.feeds(calls[place]) for early in calls[:place])
    name = found.layer if seen else f"between {calls[last].name} and {found.layer}"
    return Finding(name, found.problem, found.cause, found.cure, "note")
