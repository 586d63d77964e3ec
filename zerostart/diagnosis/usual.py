"""The same model with a usual start, for comparison: kernels from Glorot, scales of 1, biases of 0."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.descent import flat, length
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.units import is_kernel

DRAWS = 3  # a single relu unit gives 0 for every row after every other draw


@dataclass
class Usual:
    """What the model does after a usual start.

    Attributes:
        weights: One such start.
        lengths: For each variable the length of its gradient, the largest of a few such starts.
        loss: The loss, the smallest of them.
        outputs: All outputs, as one vector for each of them.
    """

    weights: list[np.ndarray]
    lengths: np.ndarray
    loss: float
    outputs: list[np.ndarray]


def usual_start(experiment: Experiment, *, draws: int = 1) -> Usual:
    """Look at the model after usual starts; its weights stay at the last of them."""
    lengths, losses, outputs = [], [], []
    for seed in range(draws):
        weights = [_drawn(variable, value, seed) for variable, value in zip(experiment.variables, experiment.start)]
        lengths.append([length(gradient) for gradient in experiment.gradients(weights)])
        losses.append(experiment.last_loss)
        outputs.append(flat(experiment.outputs()))
    return Usual(weights, np.nanmax(lengths, axis=0), np.nanmin(losses), outputs)


def _drawn(variable: keras.Variable, value: np.ndarray, seed: int) -> np.ndarray:
    """Return usual values of a variable. A scale or gate of 0 would hide what is behind it."""
    if is_kernel(variable):
        return ops.convert_to_numpy(keras.initializers.GlorotUniform(seed)(value.shape, variable.dtype)).copy()
    if "bias" in variable.name or variable.name == "beta":
        return np.zeros_like(value)
    return value if value.any() else np.ones_like(value)
