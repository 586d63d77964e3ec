"""The exercises of lesson 03."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from exercises.kinds import Exercise, Hint

LABELS = (np.array([0, 0, 0, 1]), np.array([0, 2, 2, 2, 1, 2]), np.array([3, 0, 3, 3, 3]))


def _numbers(answer: Any) -> set[int]:
    """Return the kernels that the answer lists; a single number counts as a list of one."""
    return {int(number) for number in (answer if isinstance(answer, set) else np.ravel(answer))}


def _all_kernels(hidden: tuple[int, ...]) -> set[int]:
    return set(range(1, len(hidden) + 2))


def _entropy(labels: np.ndarray) -> float:
    share = np.unique(labels, return_counts=True)[1] / len(labels)
    return -float(np.sum(share * np.log(share)))


def _same_as(answer: Any, expected: Callable[[np.ndarray], float]) -> bool:
    """Tell whether the answer, a function, agrees with another one on some labels."""
    with np.errstate(all="ignore"):
        return all(np.isclose(float(answer(labels)), expected(labels), atol=1e-4) for labels in LABELS)


def _undefined(answer: Any) -> bool:
    with np.errstate(all="ignore"):
        return any(np.isnan(float(answer(labels))) for labels in LABELS)


def _zero_kernels(model: keras.Model) -> list[bool]:
    """Return for each kernel, from the first to the head, whether it is all zeros."""
    return [not np.any(keras.ops.convert_to_numpy(layer.kernel)) for layer in model.layers]


def _only_head(model: keras.Model) -> bool:
    *before, head = _zero_kernels(model)
    return head and not any(before)


def _relu_net(model: keras.Model, hidden: tuple[int, ...]) -> bool:
    layers = model.layers[:-1]
    relu = all(layer.activation is keras.activations.relu for layer in layers)
    return relu and tuple(layer.units for layer in layers) == tuple(hidden)


def _zero_biases(model: keras.Model) -> bool:
    return not any(np.any(keras.ops.convert_to_numpy(layer.bias)) for layer in model.layers)


EXERCISES: dict[str, Exercise] = {
    "3.1": Exercise(
        right=lambda answer, **_: _numbers(answer) == {1},
        because="Its input is not zero, no kernel behind it is zero, and the slope of tanh at 0 is 1.",
        hints=(
            Hint(
                example="[]",
                applies=lambda answer, **_: not _numbers(answer),
                text="None at all? Look at each kernel: which one has no zero before or behind it?",
            ),
            Hint(
                example="list(range(1, len(hidden) + 2))",
                applies=lambda answer, hidden, **_: _numbers(answer) == _all_kernels(hidden),
                text="True without any zero. Follow the input forward: what comes out of the zero kernel?",
            ),
            Hint(
                example="list(range(2, len(hidden) + 2))",
                applies=lambda answer, hidden, **_: _numbers(answer) == _all_kernels(hidden) - {1},
                text="You listed the kernels that are not zero. But a kernel is no factor of its own gradient.",
            ),
            Hint(
                example="[0]",
                applies=lambda answer, hidden, **_: not _numbers(answer) <= _all_kernels(hidden),
                text="There is no kernel with such a number. The first kernel is 1, the head has the highest number.",
            ),
        ),
        otherwise="Write down the two factors of each gradient and look for the zero kernel in them.",
    ),
    "3.2": Exercise(
        right=lambda answer, **_: _same_as(answer, _entropy),
        because="It is the entropy of the classes. If a loss stops there, the net does not see its input.",
        hints=(
            Hint(
                example="0.5",
                applies=lambda answer, **_: not callable(answer),
                text="This exercise asks for a function: it is called with several arrays of labels.",
            ),
            Hint(
                example="lambda labels: np.log(len(np.unique(labels)))",
                applies=lambda answer, **_: _same_as(answer, lambda labels: np.log(len(np.unique(labels)))),
                text="That is where the loss starts, with all classes equally likely. The output bias can do better.",
            ),
            Hint(
                example="lambda labels: np.log(labels.max() + 1)",
                applies=lambda answer, **_: _same_as(answer, lambda labels: np.log(labels.max() + 1)),
                text="That is where the loss starts, with all classes equally likely. The output bias can do better.",
            ),
            Hint(
                example="lambda labels: -sum(p * np.log2(p) for p in [np.mean(labels == k) for k in set(labels)])",
                applies=lambda answer, **_: _same_as(answer, lambda labels: _entropy(labels) / np.log(2)),
                text="That is the right quantity in bits. Keras takes natural logarithms.",
            ),
            Hint(
                example="lambda labels: 1 - np.bincount(labels).max() / len(labels)",
                applies=lambda answer, **_: _same_as(
                    answer, lambda labels: 1 - np.bincount(labels).max() / len(labels)
                ),
                text="That is the share of errors if you always name the most frequent class. Asked is the loss.",
            ),
            Hint(
                example="lambda labels: sum(p * np.log(p) for p in [np.mean(labels == k) for k in set(labels)])",
                applies=lambda answer, **_: _same_as(answer, lambda labels: -_entropy(labels)),
                text="The sign is missing: a cross-entropy is never negative.",
            ),
            Hint(
                example="lambda labels: -sum(p * np.log(p) for p in np.bincount(labels) / len(labels))",
                applies=lambda answer, **_: _undefined(answer),
                text="Labels with a missing class give NaN: 0 times the logarithm of 0. Leave such classes out.",
            ),
        ),
        otherwise="Start from the share of each class: what is the mean of minus its logarithm over all labels?",
    ),
    "3.3": Exercise(
        right=lambda answer, hidden, **_: _relu_net(answer, hidden) and _zero_biases(answer) and _only_head(answer),
        because="The head has no relu behind it: it moves at step 0, and the others can follow at step 1.",
        hints=(
            Hint(
                example="3",
                applies=lambda answer, **_: not isinstance(answer, keras.Model),
                text="This exercise asks for a model, such as `mlp(...)` returns.",
            ),
            Hint(
                example="mlp(hidden, activation='tanh', kernel_initializer='glorot_uniform', head_initializer='zeros')",
                applies=lambda answer, hidden, **_: not _relu_net(answer, hidden),
                text="The hidden layers must have your `hidden` sizes and relu. Pass both to `mlp`.",
            ),
            Hint(
                example="mlp(hidden, activation='relu', kernel_initializer='glorot_uniform', bias_initializer='ones')",
                applies=lambda answer, **_: not _zero_biases(answer),
                text="The biases must be zero. Other biases lift relu off its corner, and the rule changes.",
            ),
            Hint(
                example="mlp(hidden, activation='relu', kernel_initializer='zeros')",
                applies=lambda answer, **_: all(_zero_kernels(answer)),
                text="With every kernel zero, only the output bias moves. Which single zero does relu survive?",
            ),
            Hint(
                example="mlp(hidden, activation='relu', kernel_initializer='glorot_uniform')",
                applies=lambda answer, **_: not any(_zero_kernels(answer)),
                text="Every kernel can get gradient here, but none is zero. One of them may be.",
            ),
            Hint(
                example="mlp(hidden, activation='relu', kernel_initializer='zeros', head_initializer='glorot_uniform')",
                applies=lambda answer, **_: any(_zero_kernels(answer)[:-1]),
                text="Behind a zero hidden kernel every relu sits at 0, where its slope is 0: no error gets back.",
            ),
        ),
        otherwise="Look at the relu column of the table: which rows have no dash?",
    ),
}
