"""Exercises of lesson 6, how close to zero."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from exercises.kinds import Exercise, Hint
from zerostart.training import train


def _close(answer: Any, number: float) -> bool:
    return abs(float(answer) / number - 1) < 0.25


def _correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return E[x (p - y)^T] at the prior p."""
    share = np.bincount(y) / len(y)
    return x.T @ (share - np.eye(len(share))[y]) / len(y)


def _smallest(x: np.ndarray, y: np.ndarray, slope: float) -> float:
    return -slope * np.linalg.svd(_correlation(x, y))[1][0]


def _same_as(answer: Callable[..., Any], expected: Callable[..., float]) -> bool:
    """Tell whether two functions agree on some unbalanced data sets."""
    generator = np.random.default_rng(0)
    for features, slope, labels in [
        (4, 1.0, [0, 0, 0, 1, 2, 0, 1]),
        (3, 0.5, [1, 1, 0, 1, 1]),
        (6, 2.0, [3, 1, 2, 0, 0]),
    ]:
        x, y = generator.normal(1, 1, (len(labels), features)), np.array(labels)
        if not np.isclose(float(answer(x, y, slope)), expected(x, y, slope), rtol=1e-4):
            return False
    return True


def _uniform(x: np.ndarray, y: np.ndarray, slope: float) -> float:
    classes = y.max() + 1
    return -slope * np.linalg.svd(x.T @ (1 / classes - np.eye(classes)[y]) / len(y))[1][0]


def _fits(model: keras.Model, hidden: int) -> bool:
    *before, _ = model.layers
    return [(layer.units, layer.activation.__name__) for layer in before] == [(hidden, "tanh")] * 2


def _logits_are_zero(model: keras.Model, x: np.ndarray) -> bool:
    return not np.any(keras.ops.convert_to_numpy(model(x)))


def _zero_kernels(model: keras.Model) -> int:
    return sum(not np.any(keras.ops.convert_to_numpy(layer.kernel)) for layer in model.layers)


def _leaves(model: keras.Model, x: np.ndarray, y: np.ndarray, updates: int, learning_rate: float, level: float) -> bool:
    """Train a copy, so that the reader's own model stays as it is."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    loss = train(copy, x, y, steps=updates, optimizer=keras.optimizers.SGD(learning_rate)).loss
    return bool(loss.min() < level)


EXERCISES: dict[str, Exercise] = {
    "6.1": Exercise(
        right=lambda answer, per_decade: _close(answer, 6 * per_decade),
        because="Six factors of ten, each at the same price.",
        hints=(
            Hint(
                example="1_000_000 * per_decade",
                applies=lambda answer, per_decade: float(answer) > 100 * per_decade,
                text="That is a price in proportion to 1/scale, as in the deep net. The shallow net pays for factors.",
            ),
            Hint(
                example="6",
                applies=lambda answer, per_decade: float(answer) == 6,
                text="That is how many factors of ten there are in a million. What does each one cost?",
            ),
            Hint(
                example="per_decade",
                applies=lambda answer, per_decade: _close(answer, per_decade),
                text="That is the price of one factor of ten. How many of them are in a million?",
            ),
            Hint(
                example="np.log(1_000_000) * per_decade",
                applies=lambda answer, per_decade: _close(answer, np.log(1e6) * per_decade),
                text="A decade is a factor of ten, so count with the logarithm to base 10.",
            ),
        ),
        otherwise="How many times must you multiply by ten to get a million? Each time costs per_decade updates.",
    ),
    "6.2": Exercise(
        right=lambda answer: _same_as(answer, _smallest),
        because="It is the slope times the largest singular value of C, downwards.",
        hints=(
            Hint(
                example="smallest",
                applies=lambda answer: not callable(answer),
                text="This exercise asks for a function: it is called with several small data sets.",
            ),
            Hint(
                example="lambda x, y, slope: slope * np.linalg.svd("
                "x.T @ (np.bincount(y) / len(y) - np.eye(y.max() + 1)[y]) / len(y))[1][0]",
                applies=lambda answer: _same_as(answer, lambda x, y, slope: -_smallest(x, y, slope)),
                text="The size is right. But which way does the loss curve along the way out?",
            ),
            Hint(
                example="lambda x, y, slope: -slope * np.linalg.svd("
                "x.T @ (1 / (y.max() + 1) - np.eye(y.max() + 1)[y]) / len(y))[1][0]",
                applies=lambda answer: _same_as(answer, _uniform),
                text="You gave all classes the same share. At the prior bias, p is how often each class occurs.",
            ),
            Hint(
                example="lambda x, y, slope: -slope * np.linalg.norm("
                "x.T @ (np.bincount(y) / len(y) - np.eye(y.max() + 1)[y]) / len(y))",
                applies=lambda answer: _same_as(
                    answer, lambda x, y, slope: -slope * np.linalg.norm(_correlation(x, y))
                ),
                text="np.linalg.norm of a matrix adds up all its singular values squared. You need the largest alone.",
            ),
            Hint(
                example="lambda x, y, slope: -slope * np.linalg.svd("
                "x.T @ (np.bincount(y) / len(y) - np.eye(y.max() + 1)[y]))[1][0]",
                applies=lambda answer: _same_as(answer, lambda x, y, slope: len(y) * _smallest(x, y, slope)),
                text="C is a mean over the examples. You have the sum.",
            ),
            Hint(
                example="lambda x, y, slope: -np.linalg.svd("
                "x.T @ (np.bincount(y) / len(y) - np.eye(y.max() + 1)[y]) / len(y))[1][0]",
                applies=lambda answer: _same_as(answer, lambda x, y, slope: _smallest(x, y, 1.0)),
                text="That is right for tanh, whose slope at 0 is 1. Other activations have another slope.",
            ),
        ),
        otherwise="Compute the share of each class, then C, then its largest singular value; see section 2.",
    ),
    "6.3": Exercise(
        right=lambda answer, x, y, hidden, **allowed: (
            _fits(answer, hidden) and _logits_are_zero(answer, x) and _leaves(answer, x, y, **allowed)
        ),
        because="One factor is exactly zero and the others are not small, so it has a gradient at once.",
        hints=(
            Hint(
                example="times",
                applies=lambda answer, **_: not isinstance(answer, keras.Model),
                text="This exercise asks for a model, such as `mlp(...)` returns.",
            ),
            Hint(
                example="mlp((hidden,), kernel_initializer='glorot_uniform', head_initializer='zeros')",
                applies=lambda answer, hidden, **_: not _fits(answer, hidden),
                text="The model needs two hidden layers with tanh and `hidden` units each.",
            ),
            Hint(
                example="mlp((hidden, hidden), kernel_initializer=keras.initializers.RandomNormal(stddev=0.001))",
                applies=lambda answer, x, **_: not _logits_are_zero(answer, x),
                text="The logits are not exactly 0, however small the kernels are. What makes a product exactly zero?",
            ),
            Hint(
                example="mlp((hidden, hidden))",
                applies=lambda answer, **_: _zero_kernels(answer) == len(answer.layers),
                text="All kernels are zero: the logits are right, but no kernel will ever move.",
            ),
            Hint(
                example='mlp((hidden, hidden), kernel_initializer=["ones", "zeros"], head_initializer="zeros")',
                applies=lambda answer, **_: _zero_kernels(answer) > 1,
                text="Two kernels are zero, and each waits for the other. How many zeros does a product need?",
            ),
        ),
        otherwise="The logits are right, but the net leaves too late. Are the kernels that are not zero large enough?",
    ),
}
