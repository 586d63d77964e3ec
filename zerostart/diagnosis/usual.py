"""The same model with a usual start, for comparison: kernels from Glorot, scales of 1, biases of 0."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zerostart.diagnosis.descent import flat
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.units import is_kernel, is_shift, length, usual_limit

DRAWS = 3  # a single relu unit gives 0 for every row after every other draw


@dataclass
class Usual:
    """What the model does after a few usual starts."""

    weights: list[np.ndarray]  # the last such start
    lengths: np.ndarray  # of each variable's gradient, the largest of them
    loss: float  # the smallest of them
    outputs: list[np.ndarray]  # all outputs as one vector, for each start
    suspect: bool  # whether outputs or loss are the same as at the model's own start


def usual_start(experiment: Experiment, loss: float, *, several: bool) -> Usual:
    """Look at the model after a usual start, or several of them; its weights stay at the last one.

    `loss` is that of the model's own start.
    """
    lengths, losses, outputs, suspect = [], [], [], False
    for seed in range(DRAWS):
        own = zip(experiment.variables, experiment.start, experiment.layers, strict=True)
        weights = [_drawn(variable, value, layer, seed) for variable, value, layer in own]
        lengths.append([length(gradient) for gradient in experiment.gradients(weights)])
        losses.append(experiment.last_loss)
        outputs.append(flat(experiment.outputs()))
        suspect |= close(outputs[0], flat(experiment.first_outputs)) or abs(loss - losses[0]) <= 1e-6 * abs(loss)
        if not several and not suspect:
            break
    return Usual(weights, np.nanmax(lengths, axis=0), float(np.nanmin(losses)), outputs, suspect)


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether outputs are the same up to rounding."""
    return bool(np.abs(one - other).max() <= 1e-6 * max(np.abs(one).max(), 1e-30))


def _drawn(variable: keras.Variable, value: np.ndarray, layer: Any, seed: int) -> np.ndarray:
    """Return usual values of a variable. A scale or gate of 0 would hide what is behind it."""
    if is_kernel(variable):
        limit = usual_limit(variable, layer)
        return np.random.default_rng(seed).uniform(-limit, limit, value.shape).astype(value.dtype)
    if is_shift(variable):
        return np.zeros_like(value)
    return value if value.any() else np.ones_like(value)
