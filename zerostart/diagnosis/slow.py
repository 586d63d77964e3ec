"""Is the start far too small or far too large, do gradients fade, are the targets out of reach? Measured, not guessed.

A usual start of the same model, on the same data, is the measure. What is slow with that too is not called a bad start.
"""

import numpy as np

from zerostart.diagnosis.calls import Call
from zerostart.diagnosis.causes import SATURATED, Flow, Place, described, size_of
from zerostart.diagnosis.descent import Descent, flat, length
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding, joined, layer_name, redrawn
from zerostart.diagnosis.targets import DISTANCES, fits
from zerostart.diagnosis.usual import Usual

TOO_SMALL = 1e-3  # gradients, in relation to those of a usual start
FADED = 3e-4  # gradient of the first kernels, in relation to the largest one, both in relation to their weights
RATE = 1e-3  # of Adam, whose first steps move every weight by this much
PATIENT, FAR = 200, 3000  # such steps that a start may need to come down to a usual one, or to its targets


def slow(experiment: Experiment, seen: Descent, usual: Usual, kernels: list[int], calls: list[Call]) -> list[Finding]:
    """Return what makes the start slow. `calls` were made at the start, where every kernel has a gradient or will."""
    found = _saturated(experiment, calls)
    if seen.losses[0] > 0.5 * usual.loss:  # a trained network has small gradients for a good reason
        found = found or _too_small(experiment, seen, usual, kernels) or _fading(experiment, seen, kernels, calls)
    moved = [start - RATE * np.sign(first) for start, first in zip(experiment.start, seen.first, strict=True)]
    found = found or _too_large(experiment, seen, usual, kernels, moved)
    return found + _out_of_reach(experiment, calls, moved)


def _too_small(experiment: Experiment, seen: Descent, usual: Usual, kernels: list[int]) -> list[Finding]:
    variables = [experiment.variables[position] for position in kernels]
    gradients, usually = seen.waking[kernels], usual.lengths[kernels]
    sizes = np.array([size_of(experiment.start[position]) for position in kernels])
    growth = gradients / np.maximum(sizes, 0.1)  # of zero kernels the first step is not the slow one
    if gradients.max() > TOO_SMALL * usually.max() or growth.max() > 0.1 * usually.max() or sizes.min() > 0.5:
        return []
    small = [variable for variable, size in zip(variables, sizes, strict=True) if size < 0.5]
    return [
        Finding(
            joined(layer_name(experiment.model, variable) for variable in small),
            f"their kernels start far too small: {sizes.min():.1g} to {sizes[sizes < 0.5].max():.1g} times the usual size",
            f"Every layer shrinks the gradients of the others, down to {gradients.max() / usually.max():.0e} of what they "
            "are after a usual start. The network waits long near zero (lesson 6).",
            "; ".join(redrawn(experiment.model, variable) for variable in small),
        )
    ]


def _fading(experiment: Experiment, seen: Descent, kernels: list[int], calls: list[Call]) -> list[Finding]:
    flow, model = Flow(calls, []), experiment.model
    called = {position: flow.call_with(experiment.variables[position]) for position in kernels}
    order = sorted((position for position in kernels if called[position] is not None), key=lambda p: called[p])
    if len(order) < 3:
        return []
    rates = np.array([seen.waking[position] / max(length(experiment.start[position]), 0.1) for position in order])
    share = rates[: max(1, len(order) // 10)].max() / rates.max()
    if share > FADED:
        return []
    first, last = (layer_name(model, experiment.variables[place]) for place in (order[0], order[int(rates.argmax())]))
    flat_ones = [call.operation for call in calls if Place(model, call).activation in ("sigmoid", "hard_sigmoid")]
    inner = [layer.name for layer in flat_ones if layer in model.layers[:-1] and hasattr(layer, "activation")]
    return [
        Finding(
            first,
            f"gradients fade on the way from {last} to {first}, to {share:.0e} of what they were",
            f"Each layer in between passes only a part of them{': the slope of sigmoid is at most 1/4' * bool(inner)}.",
            f"for name in {inner}: model.get_layer(name).activation = keras.activations.tanh"
            if inner
            else "Put normalization or skip connections in between, or start with larger kernels.",
        )
    ]


def _saturated(experiment: Experiment, calls: list[Call]) -> list[Finding]:
    model, outputs = experiment.model, calls[-1].outputs
    hidden = [call for call in calls if not call.inner and not any(part is call.outputs[0] for part in outputs)]
    for place in (Place(model, call) for call in hidden if call.is_float):
        if place.share_at_ends > 0.9:
            return [described(place, SATURATED)]
    return []


def _too_large(
    experiment: Experiment, seen: Descent, usual: Usual, kernels: list[int], moved: list[np.ndarray]
) -> list[Finding]:
    before = seen.losses[0]
    if before < 3 * usual.loss:
        return []
    experiment.gradients(moved)
    steps = (before - usual.loss) / max(before - experiment.last_loss, 1e-30)
    if steps < PATIENT:
        return []
    variables = [experiment.variables[position] for position in kernels]
    sizes = [size_of(experiment.start[position]) for position in kernels]
    large = [variable for variable, size in zip(variables, sizes, strict=True) if size > 3]
    names = joined(layer_name(experiment.model, variable) for variable in large) or experiment.model.name
    return [
        Finding(
            names,
            f"the start is far too large: kernels up to {max(sizes):.0f} times the usual size",
            f"The loss begins at {before:.3g}; after a usual start it begins at {usual.loss:.3g}. Coming down to that "
            f"would take about {steps:.0f} steps of Adam at its usual rate.",
            "; ".join(redrawn(experiment.model, variable) for variable in large) or "Start with smaller weights.",
        )
    ]


def _out_of_reach(experiment: Experiment, calls: list[Call], moved: list[np.ndarray]) -> list[Finding]:
    findings = []
    for fit in fits(experiment, calls):
        if fit.kind not in DISTANCES or np.abs(fit.y).max() < 30:
            continue
        experiment.assign(experiment.start)
        before = flat(experiment.outputs())
        experiment.assign(moved)
        step = np.sqrt(np.mean((flat(experiment.outputs()) - before) ** 2))
        distance = np.sqrt(np.mean(np.square(fit.y.astype("float64"))))
        if distance > FAR * step:
            cause = f"One step of Adam at its usual rate moves an output by about {step:.1g}: that is {distance / step:.0g} steps."
            cure = "y = (y - y.mean(axis=0)) / y.std(axis=0)"
            findings.append(Finding("y", f"the targets are far away: {fit.targets}, the outputs start near {np.mean(before):.2g}", cause, cure))
    return findings
