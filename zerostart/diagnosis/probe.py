"""The experiment behind `diagnose`.

Which kernels ever get a gradient, and which units stay identical? A few steps of gradient descent answer both. Each
step moves a variable by a fixed length, however small its gradient, so one step does what many steps of a real
training do. The length is the same for all units of a layer: a step treats equal units equally, like every usual
optimizer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.units import Family, families_of, is_kernel
from zerostart.data import Rows
from zerostart.models import fixed_batch_size
from zerostart.recorder import GradientKeeper, RecordedModel

PATIENCE = 4  # steps without news after which a sleeping kernel counts as one that never wakes
ROUNDING = 1e-5  # a gradient so much smaller than the next larger one is what rounding leaves of a sum of zero
MINIBATCH = 48
TINY = 1e-2  # a kernel so much smaller than usual has gradients that may look like rounding


@dataclass(frozen=True)
class Pace:
    """How a walk goes.

    Attributes:
        first: Length of the first step of a variable.
        later: Length of its later steps, in relation to the first.
        steps: Number of steps at most.
        scale: Factor on the loss.
        enlarge: Whether tiny kernels start at a usual size. This changes how large gradients are, not which are zero.
    """

    first: float
    later: float
    steps: int
    scale: float
    enlarge: bool = False


# The gentle walk is like a training. The far one wakes even fifty sigmoid layers, one after the other: the large
# scale keeps their gradients from vanishing, and a variable that moves only once never goes back to where it slept.
GENTLE = Pace(first=0.1, later=0.25, steps=12, scale=1.0)
FAR = Pace(first=0.5, later=0.0, steps=1000, scale=2.0**118)
ENLARGED = replace(FAR, enlarge=True)


@dataclass
class Walk:
    """What was seen during some steps. Variables are known by their position in `model.trainable_variables`.

    Attributes:
        start: Value of each variable before the first step.
        woke: The step at which a variable first received a gradient; one that never did is missing.
        received: For each variable which of its entries ever received a gradient.
        families: Units, or whole kernels, that stayed identical and have the same effect on the outputs.
        steps: Number of gradients computed.
    """

    start: list[np.ndarray]
    woke: dict[int, int]
    received: list[np.ndarray]
    families: list[Family]
    steps: int = 0


class ScaledModel(RecordedModel):
    """Scales the loss, so that gradients do not vanish on their way through a deep net."""

    scale = 1.0

    def compute_loss(self, *arguments: Any, **named: Any) -> Any:
        """Return the scaled loss."""
        loss = super().compute_loss(*arguments, **named)
        return loss * ops.cast(self.scale, loss.dtype)


def observe(model: keras.Model, rows: Rows, loss: Any) -> Walk:
    """Train `model` for a few steps, gently, and then far if a kernel still sleeps.

    Returns:
        The walk that woke the most variables. Restoring the model is up to the caller.

    Raises:
        ValueError: The first gradient is not finite.
    """
    start = [ops.convert_to_numpy(variable.value).copy() for variable in model.trainable_variables]
    training = ScaledModel(model, rows, loss, GradientKeeper(), eager=True)
    walks = [_walk(training, rows, start, GENTLE)]
    if walks[0].steps == GENTLE.steps:  # still waking: a deep net, whose many steps are worth a compiled graph
        training.scale = FAR.scale
        training.run_eagerly = False
    for pace in (FAR, ENLARGED):
        if kernels_asleep(model, walks[-1]) and (pace is FAR or any(is_tiny(value) for value in start)):
            walks.append(_walk(training, rows, start, pace))
    if not walks[0].steps:
        raise ValueError("model: expected finite gradients, got NaN or infinity in the first training step")
    return max(walks, key=lambda walk: len(walk.woke))


def kernels_asleep(model: keras.Model, walk: Walk) -> list[int]:
    """Return the positions of the kernels that never received a gradient."""
    return [position for position in kernel_positions(model) if position not in walk.woke]


def kernel_positions(model: keras.Model) -> list[int]:
    """Return the positions of the trainable kernels; of all trainable variables if there is no kernel."""
    variables = model.trainable_variables
    kernels = [position for position, variable in enumerate(variables) if is_kernel(variable)]
    return kernels or list(range(len(variables)))


def relative_size(kernel: np.ndarray) -> float:
    """Return the RMS of a kernel's entries in relation to that of a usual random start, 1 / sqrt(inputs)."""
    return _norm(kernel) / np.sqrt(kernel.shape[-1])


def is_tiny(value: np.ndarray) -> bool:
    """Tell whether a kernel is tiny, but not zero."""
    return value.ndim > 1 and 0 < relative_size(value) < TINY


def _enlarged(value: np.ndarray) -> np.ndarray:
    return value * np.float32(2.0 ** -np.round(np.log2(relative_size(value)))) if is_tiny(value) else value


def _walk(training: ScaledModel, rows: Rows, start: list[np.ndarray], pace: Pace) -> Walk:
    """Step until all kernels are awake and no two units are suspect, or until nothing new happens."""
    training.scale = pace.scale
    model = training.model
    variables = model.trainable_variables
    first = [_enlarged(value) for value in start] if pace.enlarge else start
    weights = [_assigned(variable, value) for variable, value in zip(variables, first, strict=True)]
    walk = Walk(start, {}, [np.zeros(value.shape, bool) for value in start], families_of(model, weights))
    draws = _draws(training.model, rows)
    news, highest = 0, [0.0] * len(start)
    while walk.steps < min(news + PATIENCE + 1, pace.steps) and (walk.families or kernels_asleep(model, walk)):
        gradients = _gradients(training, draws)
        norms = [_norm(gradient) for gradient in gradients]
        if not np.isfinite(norms).all():
            break
        newly_awake = _newly_awake(norms, [highest[position] for position in walk.woke], walk.woke)
        highest = np.maximum(highest, norms)
        walk.woke.update(dict.fromkeys(newly_awake, walk.steps))
        news = walk.steps if newly_awake else news
        walk.steps += 1
        for position in walk.woke:
            walk.received[position] |= gradients[position] != 0
            size = max(0.1 * _norm(weights[position]), pace.first)
            size *= 1 if position in newly_awake else pace.later
            if size and norms[position]:
                step = size * (gradients[position] / norms[position])
                weights[position] = _assigned(variables[position], weights[position] - step)
        _compare(walk, weights, norms)
    walk.families = [
        family
        for family in walk.families
        if _still_alike(walk, family) and _same_effect(model, rows.x, weights, family)
    ]
    return walk


def _gradients(training: ScaledModel, draws: Iterator[np.ndarray]) -> list[np.ndarray]:
    training.step(next(draws))
    return [ops.convert_to_numpy(kept.value).astype("float32") for kept in training.optimizer.kept]


def _draws(model: keras.Model, rows: Rows) -> Iterator[np.ndarray]:
    """Yield row numbers, another minibatch each time: with equally many rows of each class a gradient may cancel."""
    generator, count = np.random.default_rng(0), len(rows)
    size = fixed_batch_size(model) or min(count + count // 3 + 1, MINIBATCH)
    while True:
        once, again = generator.permutation(count), generator.integers(count, size=size)
        yield np.concatenate([once, again])[np.newaxis, :size].astype("int32")


def _norm(array: np.ndarray) -> float:
    """Return the Euclidean norm, also of numbers whose squares would vanish or overflow."""
    with np.errstate(over="ignore"):
        norm = float(np.linalg.norm(array))
    if 1e-15 < norm < 1e15:
        return norm
    largest = float(np.abs(array).max(initial=0))
    return largest * float(np.linalg.norm(array / largest)) if 0 < largest < np.inf else largest


def _newly_awake(norms: list[float], known: list[float], woke: dict[int, int]) -> list[int]:
    """Return the sleeping variables whose gradient is not zero, and no rounding compared with the `known` norms."""
    sleeping = sorted((p for p in range(len(norms)) if p not in woke and norms[p]), key=lambda p: -norms[p])
    smallest = min(known, default=max(norms))
    awake = []
    for position in sleeping:
        if norms[position] < ROUNDING * smallest:
            break
        smallest = min(smallest, norms[position])
        awake.append(position)
    return awake


def _assigned(variable: keras.Variable, value: np.ndarray) -> np.ndarray:
    """Give the variable this value, or what its constraint makes of it, and return that."""
    if variable.constraint:
        value = ops.convert_to_numpy(variable.constraint(ops.convert_to_tensor(value))).copy()
    variable.assign(value)
    return value


def _compare(walk: Walk, weights: list[np.ndarray], norms: list[float]) -> None:
    """Split the families whose members became different; only soon after waking, before rounding adds up."""
    for family in walk.families:
        awake = [walk.woke[owner] for owner in family.owners if owner in walk.woke]
        if awake and walk.steps - max(awake) <= PATIENCE:
            family.split(family.values(weights))
            if family.whole_kernels:
                family.split(np.array([[norms[owner] for owner in family.owners]]))
    walk.families = [family for family in walk.families if family.has_copies]


def _still_alike(walk: Walk, family: Family) -> bool:
    """Tell whether at least two identical members have received a gradient."""
    family.split_off(np.flatnonzero(~family.values(walk.received).any(axis=0)))
    return family.has_copies


def _same_effect(model: keras.Model, x: Any, weights: list[np.ndarray], family: Family) -> bool:
    """Tell whether changing one of two identical members changes the outputs like changing the other.

    The outputs of a head may have equal weights, for classes that do not occur. They still are different outputs.
    """
    before = _outputs(model, x)
    changes = [_outputs_with_change(model, x, weights, family, member) - before for member in family.copies[:2]]
    size = max(np.abs(change).max() for change in changes)
    return bool(np.abs(changes[0] - changes[1]).max() <= 0.1 * size)


def _outputs_with_change(
    model: keras.Model, x: Any, weights: list[np.ndarray], family: Family, member: int
) -> np.ndarray:
    variable = model.trainable_variables[family.owner(member)]
    value = weights[family.owner(member)]
    changed = value.ravel().copy()
    direction = np.random.default_rng(0).normal(size=len(family.places))
    entries = changed[family.places[:, member]]
    changed[family.places[:, member]] += direction / _norm(direction) * max(_norm(entries), 0.1)
    variable.assign(changed.reshape(value.shape))
    outputs = _outputs(model, x)
    variable.assign(value)
    return outputs


def _outputs(model: keras.Model, x: Any) -> np.ndarray:
    outputs = keras.tree.flatten(model(x, training=False))
    return np.concatenate([ops.convert_to_numpy(part).astype("float64").ravel() for part in outputs])
