"""Exercises of lesson 5, when zeros is right."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from exercises import called, exercise, model_of, number_of
from zerostart import train
from zerostart.models import restored

STEPS = 10
SHARES = np.array([0.01, 0.2, 0.5, 0.9])


def first_gradients(model: keras.Model, x: np.ndarray, y: np.ndarray) -> dict[str, int]:
    """Return the first step at which each weight has a gradient, for those that ever do. Faint ones count."""
    with restored(model):
        sizes = train(model, x, y, steps=STEPS, optimizer=keras.optimizers.Adam(0.01, epsilon=1e-16)).gradient_rms
    return {name: int(np.flatnonzero(size)[0]) for name, size in sizes.items() if np.any(size)}


@exercise("5.1", right="You found the last weight that moves, and counted the steps that it waits.")
def two_steps_late(answer: Any, x: np.ndarray, y: np.ndarray) -> str | None:
    """Ask for the last weight of a network that moves."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        return "The answer must be two things: your model, a comma, and the step that you predict."
    model, predicted = model_of(answer[0]), number_of(answer[1])
    if model.input_shape[1:] != x.shape[1:]:
        return f"Begin the model with keras.Input(({x.shape[1]},)), so that it reads the digits."
    first = first_gradients(model, x, y)
    last = max(first.values(), default=0)
    if last < 2:
        return f"In the first {STEPS} steps nothing that moves here waits longer than one. Let a zero wait for a zero."
    if predicted != last:
        name = max(first, key=first.get)
        return f"In this network {name} is the last to move, {'later' if last > predicted else 'sooner'} than that."
    return None


@exercise("5.3", right="It is the logarithm of the odds, which the sigmoid undoes.")
def rare_class(answer: Any) -> str | None:
    """Ask for the bias with which a sigmoid answers a share."""
    found = [number_of(called(answer, share)) for share in SHARES]
    log_odds = np.log(SHARES / (1 - SHARES))
    for other, hint in (
        (log_odds, None),
        (np.log(SHARES), "That is right for a softmax with one output for each class. A sigmoid has only one."),
        (-log_odds, "The sign is wrong: with a rare class the sigmoid must answer less than a half."),
        (1 / (1 + np.exp(-SHARES)), "That is the sigmoid of the share. You need the way back."),
        (SHARES, "The bias goes through the sigmoid first. What does the sigmoid make of this share?"),
    ):
        if np.allclose(found, other, atol=1e-4):
            return hint
    return "Solve 1 / (1 + exp(-b)) = share for b, and test your function with share 0.5: the bias must be 0."


@exercise("5.2", right="It adds nothing at the start, its last kernel moves first, and the other follows.")
def adapter(answer: Any, x: np.ndarray, rank: int) -> str | None:
    """Ask for an adapter that starts at zero and learns."""
    model = model_of(answer)
    kernels = [layer.kernel for layer in model.layers if isinstance(layer, layers.Dense)]
    if [tuple(kernel.shape) for kernel in kernels] != [(x.shape[1], rank), (rank, x.shape[1])]:
        return "The adapter needs two dense layers: down to `rank` units, then back up to `pixels`."
    rectified = [getattr(layer, "activation", None) is keras.activations.relu for layer in model.layers]
    if sum(rectified) + sum(isinstance(layer, layers.ReLU) for layer in model.layers) != 1 or rectified[-1]:
        return "One relu, behind the first dense layer; the second is linear."
    both_signs = np.concatenate([x, -x])  # so that every relu unit is active for some rows
    if np.any(ops.convert_to_numpy(model(both_signs))):
        return "This adapter changes the network before it has learned anything. It must return exactly zero."
    zero = [not np.any(ops.convert_to_numpy(kernel)) for kernel in kernels]
    if all(zero):
        return "Both kernels are zero, and each waits for the other."
    moving = first_gradients(model, both_signs, 1 - both_signs)
    if sum(name.endswith("kernel") for name in moving) < len(kernels):
        return "It returns zero, but a kernel never moves. What is the slope of relu at 0?"
    return None
