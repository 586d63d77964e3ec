"""The exercises of lesson 6, how close to zero."""

from typing import Any

import keras
import numpy as np

from exercises import called, exercise, model_of, number_of
from zerostart import train


@exercise("6.1", right="A factor closer to zero costs the same number of updates, wherever it starts.")
def predicted(
    answer: Any, x: np.ndarray, y: np.ndarray, learning_rate: float, level: float, scale: float
) -> str | None:
    """Ask for a shallow net closer to zero than `scale`, and for how many updates it needs."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        return "The answer must be two things: your net and your number."
    model, number = model_of(answer[0]), number_of(answer[1])
    if _hidden(model) != [(model.layers[0].units, "tanh")]:
        return "The net needs one hidden layer, with tanh."
    sizes = [np.abs(kernel).max() / np.sqrt(6 / sum(kernel.shape)) for kernel in model.get_weights()[::2]]
    if not all(sizes):
        return "A kernel of your net is exactly zero. It should only be close to zero."
    if max(sizes) > scale:
        return "Your net is not closer to zero than the smallest scale of the lesson."
    needed = _updates(model, x, y, learning_rate, level, most=2000)
    if number > 3 * needed:
        return "That is far too many. In proportion to 1/scale pays the deep net; the shallow one pays for factors."
    if number > 1.25 * needed:
        return "Your net needs fewer updates. How many factors of ten is it further, and what does each cost?"
    if number < 0.75 * needed:
        return "Your net needs more updates. How many factors of ten is it further, and what does each cost?"
    return None


@exercise("6.2", right="One factor is exactly zero and the others are not small, so it has a gradient at once.")
def quick_start(
    answer: Any, x: np.ndarray, y: np.ndarray, hidden: int, learning_rate: float, level: float, updates: int
) -> str | None:
    """Ask for a deep net whose logits start at exactly zero and that leaves within some updates."""
    model = model_of(answer)
    if _hidden(model) != [(hidden, "tanh")] * 2:
        return "The model needs two hidden layers with tanh and `hidden` units each."
    if np.any(keras.ops.convert_to_numpy(model(x))):
        return "The logits are not exactly 0, however small the kernels are. What makes a product exactly zero?"
    zeros = sum(not np.any(layer.get_weights()[0]) for layer in model.layers)
    if zeros == len(model.layers):
        return "All kernels are zero: the logits are right, but no kernel will ever move."
    if zeros > 1:
        return "Two kernels are zero, and each waits for the other. How many zeros does a product need?"
    if _updates(model, x, y, learning_rate, level, most=updates) >= updates:
        return "The logits are right, but the net leaves too late. Are the other kernels large enough?"
    return None


@exercise("6.3", right="It is the slope times the largest singular value of C, downwards.")
def curvature(answer: Any) -> str | None:
    """Ask for a function of x, y and slope that returns the smallest eigenvalue at the prior."""
    generator, ratios = np.random.default_rng(0), []
    for features, slope, labels in [
        (4, 1.0, [0, 0, 0, 1, 2, 0, 1]),
        (3, 0.5, [1, 1, 0, 1, 1]),
        (6, 2.0, [3, 1, 2, 0, 0]),
    ]:
        x, y = generator.normal(1, 1, (len(labels), features)), np.array(labels)
        delta = np.bincount(y) / len(y) - np.eye(y.max() + 1)[y]
        sigma = np.linalg.svd(x.T @ delta / len(y))[1]
        ratios.append(number_of(called(answer, x, y, slope)) / (-slope * sigma[0]) * np.array([1, 1 / len(y), slope]))
    right, summed, unsloped = (np.allclose(ratio, 1, rtol=1e-4) for ratio in np.transpose(ratios))
    if np.allclose(ratios, -np.abs(ratios)):
        return "Which way does the loss curve along the way out: up or down?"
    if summed:
        return "C is a mean over the examples. You have the sum."
    if unsloped:
        return "That is right for tanh, whose slope at 0 is 1. Other activations have another slope."
    return None if right else "Compute the share of each class, C at this prior, and its largest singular value."


def _hidden(model: keras.Model) -> list[tuple[int, str]]:
    """Return units and activation of each layer but the head."""
    return [(layer.units, keras.activations.serialize(layer.activation)) for layer in model.layers[:-1]]


def _updates(model: keras.Model, x: np.ndarray, y: np.ndarray, learning_rate: float, level: float, most: int) -> int:
    """Return after how many updates a copy of the model is below the level, or `most`."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    loss = train(copy, x, y, steps=most, optimizer=keras.optimizers.SGD(float(learning_rate))).loss
    return int(np.argmax([*(loss < level), True]))
