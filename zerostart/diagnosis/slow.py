"""Is the start far too small or far too large, do gradients fade, are the targets out of reach? Measured, not guessed.

A usual start of the same model, on the same data, is the measure. What is slow with that too is not called a bad start.
"""

import numpy as np

from zerostart.diagnosis.blocked import user_of
from zerostart.diagnosis.calls import Call, calls_of
from zerostart.diagnosis.causes import SATURATED, described, share_at_ends
from zerostart.diagnosis.descent import Descent
from zerostart.diagnosis.experiment import Experiment, Usual
from zerostart.diagnosis.findings import STANDARDIZED, Finding, joined
from zerostart.diagnosis.targets import DISTANCES, Fit, fits
from zerostart.diagnosis.variables import length, redrawn

TOO_SMALL = 1e-3  # gradients, in relation to those of a usual start
FADED = 3e-4  # what moving the first kernels by their length does to the loss, in relation to the others
RATE = 1e-3  # of Adam, whose first steps move every weight by this much
FAR = 30_000  # such steps that targets may be away
OVER = 10  # times the targets that such a step may move an output
LOGITS = 30  # that such a step may move a logit: each step is sure of other answers
TOO_LARGE = 5  # loss, in relation to that of a usual start


def slow(experiment: Experiment, seen: Descent, usual: Usual, kernels: list[int], calls: list[Call]) -> list[Finding]:
    """Return what makes the start slow. `calls` were made at the start, where every kernel has a gradient or will."""
    found = _saturated(experiment, calls)
    if seen.losses[0] > 0.5 * usual.loss:  # a trained network has small gradients for a good reason
        found = found or _too_small(experiment, seen, usual, kernels) or _fading(experiment, seen, kernels, calls)
    return found or _too_large(experiment, seen, usual, kernels) or _out_of_reach(experiment, seen)


def _saturated(experiment: Experiment, calls: list[Call]) -> list[Finding]:
    for call in calls:
        is_output = any(part is output for part in call.outputs for output in calls[-1].outputs)
        if call.takes_gradients and not call.inner and not is_output and share_at_ends(call) > 0.9:
            return [described(experiment.model, call, SATURATED)]
    return []


def _of_wrong_size(experiment: Experiment, wrong: np.ndarray, problem: str, cause: str) -> Finding:
    cure = redrawn(experiment.model, *(experiment.variables[position] for position in wrong))
    return Finding(joined(experiment.names[position] for position in wrong), problem, cause, cure)


def _too_small(experiment: Experiment, seen: Descent, usual: Usual, kernels: list[int]) -> list[Finding]:
    gradients, usually = seen.waking[kernels], usual.lengths[kernels].max()
    sizes = np.array([*map(experiment.size, kernels)])
    growth = gradients / np.where(sizes > 0, sizes, 1.0)  # two kernels grow together as fast as they are large
    if gradients.max() > TOO_SMALL * usually or growth.max() > 0.1 * usually or sizes.min() > 0.5:
        return []
    problem = f"their kernels start far too small: at most {sizes[sizes < 0.5].max():.1g} times the usual size"
    cause = (
        f"Every layer shrinks the gradients of the others, down to {gradients.max() / usually:.0e} of what they are "
        "after a usual start. The network waits long near zero."
    )
    return [_of_wrong_size(experiment, np.array(kernels)[sizes < 0.5], problem, cause)]


def _too_large(experiment: Experiment, seen: Descent, usual: Usual, kernels: list[int]) -> list[Finding]:
    sizes = np.array([*map(experiment.size, kernels)])
    if seen.losses[0] < TOO_LARGE * usual.loss or sizes.max() < 2.5:
        return []
    problem = f"the start is far too large: kernels of up to {sizes.max():.0f} times the usual size"
    cause = (
        f"The loss begins at {seen.losses[0]:.3g}; after a usual start it begins at {usual.loss:.3g}. Usual steps are "
        "small beside such weights."
    )
    return [_of_wrong_size(experiment, np.array(kernels)[sizes > 2.5], problem, cause)]


def _fading(experiment: Experiment, seen: Descent, kernels: list[int], calls: list[Call]) -> list[Finding]:
    model, variables = experiment.model, experiment.variables
    called = {position: user_of(calls, variables[position]) for position in kernels}
    order = sorted((position for position in kernels if called[position] is not None), key=called.get)
    if len(order) < 3:
        return []
    lengths = np.array([length(experiment.start[position]) or experiment.usual_length(position) for position in order])
    effects = seen.waking[order] * lengths
    share = _share_of_first(effects)
    if share < FADED:  # equal weights of a head may cancel what comes back, but not after a step
        both = zip(experiment.start, seen.first, strict=True)
        changed = [start - 0.1 * length(start) * step / max(length(step), 1e-30) for start, step in both]
        later = np.array([length(gradient) for gradient in experiment.gradients(changed)])
        share = max(share, _share_of_first(later[order] * lengths))
    if share > FADED:
        return []
    first, last = (experiment.names[position] for position in (order[0], order[int(effects.argmax())]))
    flat_ones = [call.operation for call in calls if call.activation in ("sigmoid", "hard_sigmoid")]
    inner = [layer.name for layer in flat_ones if layer in model.layers[:-1] and hasattr(layer, "activation")]
    problem = f"gradients fade on the way from {last} to {first}, to {share:.0e} of what they were"
    slope = ": the slope of sigmoid is at most 1/4" * bool(inner)
    change = f"for name in {inner}: model.get_layer(name).activation = keras.activations.tanh"
    cure = change if inner else "Put normalization or skip connections in between, or start with larger kernels."
    return [Finding(first, problem, f"Each layer in between passes only a part of them{slope}.", cure)]


def _share_of_first(effects: np.ndarray) -> float:
    return float(effects[: max(1, len(effects) // 10)].max() / effects.max())


def _out_of_reach(experiment: Experiment, seen: Descent) -> list[Finding]:
    """Compare a step of Adam with the way that outputs and logits have to go."""
    stepped = [start - RATE * np.sign(first) for start, first in zip(experiment.start, seen.first, strict=True)]
    before, after = (_fits_at(experiment, weights) for weights in (experiment.start, stepped))
    for fit, moved in zip(before, after, strict=True):
        if fit.kind in DISTANCES:
            step, distance = _size(moved.outputs - fit.outputs), _size(fit.y)
            targets = f"the targets are from {fit.y.min():.4g} to {fit.y.max():.4g}"
            moves = f"A step of Adam moves an output by about {step:.1g}, and {targets}."
            if np.abs(fit.y).max() > 30 and distance > FAR * step:
                return [Finding("y", "the targets are far away", moves, "y = (y - y.mean(axis=0)) / y.std(axis=0)")]
            if step > OVER * distance > 0:
                return [Finding("x", "it is so large that usual steps go far beyond the targets", moves, STANDARDIZED)]
        elif fit.kind.endswith("crossentropy") and (jump := _size(moved.logits - fit.logits)) > LOGITS:
            problem = "it is so large that usual steps go from one sure answer to another"
            moves = f"A step of Adam moves a logit by about {jump:.1g}, and 10 are enough to be sure of a class."
            return [Finding("x", problem, moves, STANDARDIZED)]
    return []


def _fits_at(experiment: Experiment, weights: list[np.ndarray]) -> list[Fit]:
    experiment.assign(weights)
    return list(fits(experiment, calls_of(experiment, training=False)))


def _size(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype="float64"))))
