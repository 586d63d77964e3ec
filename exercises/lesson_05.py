"""Exercises of lesson 05, When zeros is right."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from exercises.kinds import Exercise, Hint
from zerostart.training import train

SHARES = (0.01, 0.2, 0.5, 0.9)


def _same_as(answer: Any, expected: Callable[[float], float]) -> bool:
    """Tell whether the answer, a function, agrees with another one on some shares."""
    return all(np.isclose(float(answer(share)), expected(share), atol=1e-4) for share in SHARES)


def _shapes(model: Any) -> list[tuple[int, ...]]:
    return [tuple(layer.kernel.shape) for layer in model.layers]


def _fits(model: Any, x: np.ndarray, rank: int) -> bool:
    pixels = x.shape[1]
    activations = [layer.activation for layer in model.layers]
    relu_then_linear = activations == [keras.activations.relu, keras.activations.linear]
    return relu_then_linear and _shapes(model) == [(pixels, rank), (rank, pixels)]


def _starts_at_zero(model: Any, x: np.ndarray) -> bool:
    return not np.any(ops.convert_to_numpy(model(x)))


def _zero_kernels(model: Any) -> list[bool]:
    return [not np.any(ops.convert_to_numpy(layer.kernel)) for layer in model.layers]


def _awake(model: Any, x: np.ndarray, updates: int) -> list[bool]:
    """Return for each kernel whether it gets a gradient. A copy is trained, so the reader's model stays as it is."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    rms = train(copy, x, 1 - x, steps=updates).gradient_rms
    return [bool(np.any(sizes != 0.0)) for path, sizes in rms.items() if path.endswith("kernel")]


EXERCISES: dict[str, Exercise] = {
    "5.1": Exercise(
        right=lambda answer: answer == 2,
        because="The value moves at update 0, the query at 1, the key at 2.",
        hints=(
            Hint(
                example="None",
                applies=lambda answer: answer is None,
                text="Never would need a weight that waits for itself. Which zero waits for nothing?",
            ),
            Hint(
                example="0",
                applies=lambda answer: answer == 0,
                text="The gradient of the key comes back through output, value and query. Is one of them zero?",
            ),
            Hint(
                example="1",
                applies=lambda answer: answer == 1,
                text="The key waits for the value, and for the query too. When does the query move?",
            ),
        ),
        otherwise="Begin with the zero that waits for nothing, and count one update for each that waits for another.",
    ),
    "5.2": Exercise(
        right=lambda answer: _same_as(answer, lambda share: np.log(share / (1 - share))),
        because="It is the logarithm of the odds, which the sigmoid undoes.",
        hints=(
            Hint(
                example="-3.9",
                applies=lambda answer: not callable(answer),
                text="This exercise asks for a function: it is called with several shares.",
            ),
            Hint(
                example="lambda share: np.log(share)",
                applies=lambda answer: _same_as(answer, np.log),
                text="That is the log prior, right for a softmax with one output per class. A sigmoid has only one.",
            ),
            Hint(
                example="lambda share: np.log((1 - share) / share)",
                applies=lambda answer: _same_as(answer, lambda share: np.log((1 - share) / share)),
                text="The sign is wrong: with a rare class the sigmoid must answer less than a half.",
            ),
            Hint(
                example="lambda share: 1 / (1 + np.exp(-share))",
                applies=lambda answer: _same_as(answer, lambda share: 1 / (1 + np.exp(-share))),
                text="That is what the sigmoid answers when the bias is the share. You need the way back.",
            ),
            Hint(
                example="lambda share: share",
                applies=lambda answer: _same_as(answer, lambda share: share),
                text="The bias goes through the sigmoid first. What does the sigmoid make of this share?",
            ),
        ),
        otherwise="Solve 1 / (1 + exp(-b)) = share for b, and test your function with share 0.5: the bias must be 0.",
    ),
    "5.3": Exercise(
        right=lambda answer, x, rank, updates: (
            _fits(answer, x, rank) and _starts_at_zero(answer, x) and all(_awake(answer, x, updates))
        ),
        because="It adds nothing at the start, its last kernel moves first, and the other follows.",
        hints=(
            Hint(
                example="layers.Dense(pixels, kernel_initializer='zeros')",
                applies=lambda answer, **_: not isinstance(answer, keras.Sequential),
                text="The answer must be a keras.Sequential that begins with keras.Input((pixels,)).",
            ),
            Hint(
                example="keras.Sequential([keras.Input((pixels,)), layers.Dense(pixels, kernel_initializer='zeros')])",
                applies=lambda answer, x, rank, **_: not _fits(answer, x, rank),
                text="The adapter needs two dense layers: relu down to `rank` units, then linear back up to `pixels`.",
            ),
            Hint(
                example="mlp((rank,), outputs=pixels, activation='relu', kernel_initializer='glorot_uniform')",
                applies=lambda answer, x, **_: not _starts_at_zero(answer, x),
                text="This adapter changes the network before it has learned anything. It must return exactly zero.",
            ),
            Hint(
                example="mlp((rank,), outputs=pixels, activation='relu', kernel_initializer='zeros')",
                applies=lambda answer, **_: all(_zero_kernels(answer)),
                text="Both kernels are zero, and each waits for the other.",
            ),
            Hint(
                example="mlp((rank,), outputs=pixels, activation='relu', kernel_initializer='zeros', "
                "head_initializer='glorot_uniform')",
                applies=lambda answer, **_: _zero_kernels(answer) == [True, False],
                text="One zero is right, but relu stands behind this one. What is the slope of relu at 0?",
            ),
        ),
        otherwise="Some kernel never gets a gradient. Ask of each factor of its gradient whether it is zero. "
        "If a relu is never active, build the model again.",
    ),
}
