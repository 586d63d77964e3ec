"""A few steps of gradient descent, to see which kernels ever get a gradient and which units stay identical.

Each step moves a variable by a fixed length, however small its gradient, so one step does what many steps of a real
training do. The length is the same for all units of a layer: a step treats equal units equally, like every usual
optimizer.
"""

from dataclasses import dataclass, field

import numpy as np
from keras import ops

from zerostart.diagnosis.experiment import Experiment, flat
from zerostart.diagnosis.twins import Family, families_of
from zerostart.diagnosis.variables import length

PATIENCE = 4  # steps without news after which a kernel counts as one that never gets a gradient
MOST = 200  # steps at all
ROUNDING = 1e-5  # a gradient so much smaller than the next larger one is what rounding leaves of a sum of zero


@dataclass
class Descent:
    """What was seen. Variables are known by their position in `model.trainable_variables`."""

    received: list[np.ndarray]  # which entries of each variable ever received a gradient
    largest: np.ndarray  # length of each variable's largest gradient
    waking: np.ndarray  # and of its first one
    weights: list[np.ndarray]  # after the last step
    families: list[Family]  # what stayed identical and has the same effect on the outputs
    woke: dict[int, int] = field(default_factory=dict)  # the step at which a variable first received a gradient
    first: list[np.ndarray] = field(default_factory=list)  # the gradients at the start
    losses: list[float] = field(default_factory=list)  # one for each step, up to one whose gradients are not finite


def descend(experiment: Experiment) -> Descent:
    """Step until all kernels have a gradient and no two units are suspect, or until nothing new happens."""
    weights, norms, news = list(experiment.start), np.zeros(len(experiment.start)), 0
    received, families = [np.zeros(value.shape, bool) for value in weights], families_of(experiment.model, weights)
    seen = Descent(received, norms, norms.copy(), weights, families)
    while len(seen.losses) < min(news + PATIENCE + 1, MOST):
        gradients = experiment.gradients(weights, fresh=bool(seen.losses))
        seen.first, step = seen.first or gradients, len(seen.losses)
        seen.losses.append(experiment.last_loss)
        norms = np.array([length(gradient) for gradient in gradients])
        if not np.isfinite(norms).all():
            break
        newly = _newly_awake(norms, seen)
        seen.largest, news = np.maximum(seen.largest, norms), step if newly else news
        seen.waking[newly] = norms[newly]
        seen.woke.update(dict.fromkeys(newly, step))
        if not seen.families and set(experiment.kernels) <= set(seen.woke):
            break
        for position in seen.woke:
            seen.received[position] |= gradients[position] != 0
            if norms[position]:
                move = _size(weights[position], first=position in newly) / norms[position]
                weights[position] = weights[position] - move * gradients[position]
                constraint = experiment.variables[position].constraint
                if constraint:
                    weights[position] = ops.convert_to_numpy(constraint(ops.convert_to_tensor(weights[position])))
        _part(seen, norms)
    experiment.assign(weights)
    seen.families = [
        family for family in seen.families if _received(seen, family) and _same_effect(experiment, seen, family)
    ]
    return seen


def _size(value: np.ndarray, *, first: bool) -> float:
    """Return how far a variable moves: first far enough to matter even if it starts at zero, then a little."""
    return max(0.1 * length(value), 0.5 if value.ndim > 1 else 0.1) if first else 0.025 * max(length(value), 1.0)


def _newly_awake(norms: np.ndarray, seen: Descent) -> list[int]:
    """Return the sleeping variables whose gradient is not zero, and no rounding compared with the larger ones."""
    sleeping = sorted((p for p in range(len(norms)) if p not in seen.woke and norms[p]), key=lambda p: -norms[p])
    smallest, awake = min((seen.largest[position] for position in seen.woke), default=max(norms)), []
    for position in sleeping:
        if norms[position] < ROUNDING * smallest:
            break
        smallest = min(smallest, norms[position])
        awake.append(position)
    return awake


def _part(seen: Descent, norms: np.ndarray) -> None:
    """Split the families whose members became different; only soon after waking, before rounding adds up."""
    for family in seen.families:
        awake = [seen.woke[owner] for owner in set(family.owners) if owner in seen.woke]
        if awake and len(seen.losses) - max(awake) <= PATIENCE + 1:
            family.split(family.values(seen.weights) * family.signs[:, np.newaxis])
            if family.what == "layers":
                family.split(norms[family.owners][:, np.newaxis])
    seen.families = [family for family in seen.families if family.different < len(family.groups)]


def _received(seen: Descent, family: Family) -> bool:
    """Tell whether at least two identical members have received a gradient; each other one gets its own group."""
    without = np.flatnonzero(~family.values(seen.received).any(axis=1))
    family.groups[without] = family.groups.max() + 1 + np.arange(len(without))
    return family.different < len(family.groups)


def _same_effect(experiment: Experiment, seen: Descent, family: Family) -> bool:
    """Tell whether changing one of two identical members changes the outputs like changing the other.

    The outputs of a head may have equal weights, for classes that do not occur. They still are different outputs.
    """
    before, changes = flat(experiment.outputs()), []
    direction = np.random.default_rng(0).normal(size=len(family.places))
    for member in family.copies[:2]:
        owner, places = family.owners[member], family.places[:, member]
        variable, changed = experiment.variables[owner], seen.weights[owner].flatten()
        move = family.signs[member] * direction / length(direction) * max(length(changed[places]), 0.1)
        changed[places] += move.astype(changed.dtype)
        variable.assign(changed.reshape(variable.shape))
        changes.append(flat(experiment.outputs()) - before)
        variable.assign(seen.weights[owner])
    return bool(np.abs(changes[0] - changes[1]).max() <= 0.1 * np.abs(changes).max())
