"""The exercises of lesson 6, how close to zero."""

from typing import Any

import keras
import numpy as np

from exercises import exercise, model_of, number_of
from zerostart import train
from zerostart.models import restored

LONGEST = 2000  # updates that a check may take


@exercise("6.1", right="A factor closer to zero costs the same number of updates, wherever it starts.")
def predicted(
    answer: Any, x: np.ndarray, y: np.ndarray, learning_rate: float, level: float, scale: float
) -> str | None:
    """Ask for a shallow net closer to zero than `scale`, and for how many updates it needs."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        return "The answer must be two things: your net and your number."
    model, number = model_of(answer[0]), number_of(answer[1])
    units = model.layers[0].units if hasattr(model.layers[0], "units") else 0
    if problem := _misfit(model, [units], x, y):
        return problem
    kernels = model.get_weights()[::2]
    sizes = [np.abs(kernel).max() / np.sqrt(6 / sum(kernel.shape)) for kernel in kernels]
    if not all(sizes):
        return "A kernel of your net is exactly zero. It should only be close to zero."
    if max(sizes) > scale:
        return "Your net is not closer to zero than the smallest scale of the lesson."
    if not 0 < number < LONGEST:
        return f"The number of updates should lie between 0 and {LONGEST}."
    needed = _updates(model, x, y, learning_rate, level, most=int(1.4 * number) + 2)
    if number > 3 * needed:
        return "That is far too many. The deep net pays in proportion to 1/scale; the shallow one pays for factors."
    if abs(number / needed - 1) > 0.25:
        amount = "more" if number < needed else "fewer"
        return f"Your net needs {amount} updates. How many factors of ten is it further, and what does each cost?"
    return None


@exercise("6.2", right="One factor is exactly zero and the others are not small, so it has a gradient at once.")
def quick_start(
    answer: Any, x: np.ndarray, y: np.ndarray, hidden: int, learning_rate: float, level: float, updates: int
) -> str | None:
    """Ask for a deep net whose logits start at exactly zero and that leaves within some updates."""
    model = model_of(answer)
    if problem := _misfit(model, [hidden] * 2, x, y):
        return problem
    if np.any(keras.ops.convert_to_numpy(model(x))):
        return "The logits are not exactly 0, however small the kernels are. What makes a product exactly zero?"
    zeros = sum(not np.any(kernel) for kernel in model.get_weights()[::2])
    if zeros == len(model.layers):
        return "All kernels are zero: the logits are right, but no kernel will ever move."
    if zeros > 1:
        return "Two kernels are zero, and each waits for the other. How many zeros does a product need?"
    if _updates(model, x, y, learning_rate, level, most=updates) == updates:
        return "The logits are right, but the net leaves too late. Are the other kernels large enough?"
    return None


def _misfit(model: keras.Model, hidden: list[int], x: np.ndarray, y: np.ndarray) -> str | None:
    """Say what is wrong with a model that should be an `mlp` with these hidden layers and tanh."""
    kinds = [(getattr(layer, "units", 0), getattr(layer, "activation", None)) for layer in model.layers]
    tanh, linear = keras.activations.tanh, keras.activations.linear
    if kinds != [*((units, tanh) for units in hidden), (y.max() + 1, linear)] or model.input_shape[1:] != x.shape[1:]:
        return f"The net must be an `mlp` with tanh and hidden layers of {hidden} units."
    return None


def _updates(model: keras.Model, x: np.ndarray, y: np.ndarray, learning_rate: float, level: float, most: int) -> int:
    """Return after how many updates the model is below the level, or `most`."""
    with restored(model):
        loss = train(model, x, y, steps=most, optimizer=keras.optimizers.SGD(float(learning_rate))).loss
    return int(np.argmax([*(loss < level), True]))
