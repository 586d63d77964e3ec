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
from zerostart.diagnosis.units import layers_by_variable, usual_limit
from zerostart.diagnosis.usual import Usual

TOO_SMALL = 1e-3  # gradients, in relation to those of a usual start
FADED = 3e-4  # what moving the first kernels by their length does to the loss, in relation to the others
RATE = 1e-3  # of Adam, whose first steps move every weight by this much
FAR = 30_000  # such steps that targets may be away
TOO_LARGE = 5  # loss, in relation to that of a usual start


def slow(experiment: Experiment, seen: Descent, usual: Usual, kernels: list[int], calls: list[Call]) -> list[Finding]:
    """Return what makes the start slow. `calls` were made at the start, where every kernel has a gradient or will."""
    found = _saturated(experiment, calls)
    if seen.losses[0] > 0.5 * usual.loss:  # a trained network has small gradients for a good reason
        found = found or _too_small(experiment, seen, usual, kernels) or _fading(experiment, seen, kernels, calls)
    return found or _too_large(experiment, seen, usual, kernels) or _out_of_reach(experiment, seen, calls)


def _usual_length(experiment: Experiment, position: int) -> float:
    """Return the length of a kernel, of a zero one that of a usual one."""
    value, variable = experiment.start[position], experiment.variables[position]
    layer = layers_by_variable(experiment.model).get(id(variable))
    return length(value) or float(np.sqrt(value.size / 3)) * usual_limit(variable, layer)


def _sizes(experiment: Experiment, kernels: list[int]) -> np.ndarray:
    """Return the size of each kernel, in relation to a usual one."""
    layers = layers_by_variable(experiment.model)
    variables = [(experiment.start[position], experiment.variables[position]) for position in kernels]
    return np.array([size_of(value, variable, layers.get(id(variable))) for value, variable in variables])


def _too_small(experiment: Experiment, seen: Descent, usual: Usual, kernels: list[int]) -> list[Finding]:
    variables = [experiment.variables[position] for position in kernels]
    gradients, usually = seen.waking[kernels], usual.lengths[kernels]
    sizes = _sizes(experiment, kernels)
    growth = gradients / np.where(sizes > 0, sizes, 1.0)  # two kernels grow together as fast as they are large
    if gradients.max() > TOO_SMALL * usually.max() or growth.max() > 0.1 * usually.max() or sizes.min() > 0.5:
        return []
    small = [variable for variable, size in zip(variables, sizes, strict=True) if size < 0.5]
    return [
        Finding(
            joined(layer_name(experiment.model, variable) for variable in small),
            f"their kernels start far too small: at most {sizes[sizes < 0.5].max():.1g} times the usual size",
            "Every layer shrinks the gradients of the others, down to "
            f"{gradients.max() / usually.max():.0e} of what they are after a usual start. The network waits long near "
            "zero (lesson 6).",
            "; ".join(redrawn(experiment.model, variable) for variable in small),
        )
    ]


def _fading(experiment: Experiment, seen: Descent, kernels: list[int], calls: list[Call]) -> list[Finding]:
    flow, model = Flow(calls, []), experiment.model
    called = {position: flow.call_with(experiment.variables[position]) for position in kernels}
    order = sorted((position for position in kernels if called[position] is not None), key=lambda p: called[p])
    if len(order) < 3:
        return []
    sizes = np.array([_usual_length(experiment, position) for position in order])
    share, rates = _share(seen.waking[order] * sizes)
    if share < FADED:  # equal weights of a head may cancel what comes back, but not after a step
        changed = [
            start - 0.1 * length(start) * step / max(length(step), 1e-30)
            for start, step in zip(experiment.start, seen.first, strict=True)
        ]
        later = [length(gradient) for gradient in experiment.gradients(changed)]
        share = max(share, _share(np.array(later)[order] * sizes)[0])
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


def _share(effects: np.ndarray) -> tuple[float, np.ndarray]:
    return float(effects[: max(1, len(effects) // 10)].max() / effects.max()), effects


def _saturated(experiment: Experiment, calls: list[Call]) -> list[Finding]:
    model, outputs = experiment.model, calls[-1].outputs
    hidden = [
        call
        for call in calls
        if call.is_float and not call.inner and not any(part is call.outputs[0] for part in outputs)
    ]
    for place in (Place(model, call) for call in hidden):
        if place.share_at_ends > 0.9:
            return [described(place, SATURATED)]
    return []


def _too_large(experiment: Experiment, seen: Descent, usual: Usual, kernels: list[int]) -> list[Finding]:
    variables, sizes = [experiment.variables[position] for position in kernels], _sizes(experiment, kernels)
    times = seen.losses[0] / max(usual.loss, 1e-30)
    if times < TOO_LARGE or sizes.max() < 2.5:
        return []
    large = [variable for variable, size in zip(variables, sizes, strict=True) if size > 2.5]
    return [
        Finding(
            joined(layer_name(experiment.model, variable) for variable in large),
            f"the start is far too large: kernels of up to {sizes.max():.0f} times the usual size",
            f"The loss begins at {seen.losses[0]:.3g}; after a usual start it begins at {usual.loss:.3g}. Usual "
            "steps are small beside such weights.",
            "; ".join(redrawn(experiment.model, variable) for variable in large),
        )
    ]


def _out_of_reach(experiment: Experiment, seen: Descent, calls: list[Call]) -> list[Finding]:
    findings = []
    moved = [start - RATE * np.sign(first) for start, first in zip(experiment.start, seen.first, strict=True)]
    for fit in fits(experiment, calls):
        if fit.kind not in DISTANCES or np.abs(fit.y).max() < 30:
            continue
        experiment.assign(experiment.start)
        before = flat(experiment.outputs())
        experiment.assign(moved)
        step = np.sqrt(np.mean((flat(experiment.outputs()) - before) ** 2))
        distance = np.sqrt(np.mean(np.square(fit.y.astype("float64"))))
        if distance > FAR * step:
            cause = f"A step of Adam moves an output by about {step:.1g}: that is {distance / step:.0g} steps away."
            cure = "y = (y - y.mean(axis=0)) / y.std(axis=0)"
            findings.append(
                Finding(
                    "y",
                    f"the targets are far away: {fit.targets}, the outputs start near {np.mean(before):.2g}",
                    cause,
                    cure,
                )
            )
    return findings
