"""Exercises of lesson 2, the symmetry problem. Every check trains the network that the answer speaks of."""

from typing import Any

import keras
import numpy as np

from exercises import exercise, model_of, number_of
from helpers.models import mlp
from zerostart import train
from zerostart.models import restored
from zerostart.symmetry import effective_width

FAINT = 1e-16  # Adam's epsilon: faint gradients count too


@exercise("2.1", right="Only units with the same outgoing weights can be swapped, so only they stay identical.")
def pattern(answer: Any, units: int) -> str | None:
    """Check the number of different units behind a head with three kinds of rows."""
    claimed, generator = number_of(answer), np.random.default_rng(0)
    model = mlp((units,), activation="sigmoid", kernel_initializer="zeros")
    model.get_layer("head").kernel.assign(np.outer(np.arange(units) % 3, generator.normal(size=10)))
    train(model, generator.random((50, 64)), np.arange(50) % 7, steps=2, optimizer=keras.optimizers.SGD(0.5))
    if claimed == effective_width(*model.layers[0].get_weights()):
        return None
    if claimed > units:
        return f"The layer has only {units} units."
    if claimed == 1:
        return "Equal incoming weights are not enough: look at the weights that leave the units."
    if claimed == units:
        return "That is how many units there are. Can none of them swap places without changing the network?"
    return "Which units can swap places without changing the network?"


@exercise("2.2", right="Now every kernel receives something that is not zero, and the error comes back layer by layer.")
def places_of_noise(answer: Any, hidden: tuple[int, ...], x: np.ndarray, y: np.ndarray) -> str | None:
    """Check a set of hidden layers by putting noise behind them."""
    if not isinstance(answer, (set, frozenset, list, tuple, range)):
        return "The answer must be a set of numbers such as {1}."
    chosen = {number_of(place) for place in answer}
    if not chosen <= set(range(1, len(hidden) + 1)):
        return f"Your hidden layers have the numbers 1 to {len(hidden)}."
    *before, head = mlp(hidden, activation="tanh", kernel_initializer="zeros").layers
    layers = [keras.Input(x.shape[1:])]
    for place, layer in enumerate(before, start=1):
        layers += [layer, keras.layers.GaussianNoise(0.5)] if place in chosen else [layer]
    model = keras.Sequential([*layers, head])
    train(model, x, y, steps=len(hidden) + 2, optimizer=keras.optimizers.Adam(0.01, epsilon=FAINT))
    moved = [layer.name for layer in (*before, head) if np.any(layer.get_weights()[0])]
    if len(moved) <= len(hidden):
        return f"With noise there, these kernels move: {', '.join(moved) or 'none'}. What do the others receive?"


@exercise("2.3", right="The kernel behind them treats the units differently, so they get different gradients.")
def zero_and_different(answer: Any, hidden: tuple[int, ...], x: np.ndarray, y: np.ndarray) -> str | None:
    """Check a network whose first units part although their kernel starts at zero."""
    model = model_of(answer)
    layers, dense = model.layers, keras.layers.Dense
    if any(type(layer) is not dense for layer in layers) or [layer.units for layer in layers[:-1]] != [*hidden]:
        return "Build the network with mlp, with your hidden layers and nothing else."
    if any(layer.activation is not keras.activations.sigmoid for layer in layers[:-1]):
        return "The activation must be sigmoid."
    kernels, biases = ([layer.get_weights()[place] for layer in layers] for place in (0, 1))
    if np.any(kernels[0]) or any(map(np.any, biases)):
        return "The kernel of hidden_1 and all biases must start at zero."
    if not any(map(np.any, kernels)):
        return "Every kernel is zero. Then the units of hidden_1 also send equal weights to the next layer."
    with restored(model):
        train(model, x, y, steps=len(hidden) + 3, optimizer=keras.optimizers.Adam(0.01, epsilon=FAINT))
        different = effective_width(*model.layers[0].get_weights())
    if different == 1 < hidden[0]:
        return "The units of hidden_1 are still identical. Look at the kernel right behind hidden_1."
    if not kernels[1].any():
        return "Of more units than one all would still be identical: the kernel right behind hidden_1 is zero."
    if sum(map(np.any, kernels)) > 1:
        return "More kernels than necessary are not zero: one is enough."
