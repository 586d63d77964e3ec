"""Exercises of lesson 01, What zeros does."""

from typing import Any

import keras
import numpy as np
from keras import ops

from exercises.kinds import Exercise, Hint
from helpers.layers import ZeroInitializedLayer
from zerostart.training import gradients


def _first_weights(layer: Any, inputs: int) -> list[np.ndarray]:
    """Return the weights that a fresh copy of the layer starts with. The reader's layer is left alone."""
    copy = type(layer).from_config(layer.get_config())
    copy.build((None, inputs))
    return [ops.convert_to_numpy(weight) for weight in copy.weights]


def _is_dense(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Dense)


def _same_start(layer: Any, inputs: int, units: int) -> bool:
    wanted, found = _first_weights(ZeroInitializedLayer(units), inputs), _first_weights(layer, inputs)
    return len(found) == len(wanted) and all(map(np.array_equal, found, wanted))


def _moves(model: Any, inputs: int) -> list[bool]:
    """Return, for each kernel, whether its first gradient has an entry that is not exactly zero."""
    x = np.random.default_rng(0).normal(size=(32, inputs)).astype("float32")
    y = x.sum(axis=1, keepdims=True) + 1
    return [bool(np.any(gradient != 0.0)) for gradient in gradients(model, x, y).values() if gradient.ndim == 2]


def _shapes(model: Any) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in model.trainable_variables if len(weight.shape) == 2]


def _two_layers(model: Any, inputs: int, units: int) -> bool:
    return _shapes(model) == [(inputs, units), (units, 1)]


EXERCISES: dict[str, Exercise] = {
    "1.1": Exercise(
        right=lambda answer, inputs, units: answer == inputs * units + 1,
        because="The hidden kernel and the head's bias start at zero, and nothing else does.",
        hints=(
            Hint(
                example="inputs * units",
                applies=lambda answer, inputs, units: answer == inputs * units,
                text="That is the hidden kernel. Look at the head: it has a kernel and a bias, "
                "and the table in section 2 says how each of them starts.",
            ),
            Hint(
                example="inputs * units + units + 1",
                applies=lambda answer, inputs, units: answer == inputs * units + units + 1,
                text="That is the number of all weights in the summary. If all of them were zero, the network "
                "could not learn; see section 6. Which ones are random?",
            ),
        ),
        otherwise="Go through the three variables one by one: the hidden kernel, the head's kernel, the head's "
        "bias. How many numbers has each, and are they zero?",
    ),
    "1.2": Exercise(
        right=lambda answer, inputs, units: _is_dense(answer) and _same_start(answer, inputs, units),
        because="A dense layer with a zero kernel and no bias is the course's layer.",
        hints=(
            Hint(
                example="ZeroInitializedLayer(units)",
                applies=lambda answer, inputs, units: isinstance(answer, ZeroInitializedLayer),
                text="That is the course's layer itself. Make one from keras.layers.Dense.",
            ),
            Hint(
                example="keras.layers.Dense",
                applies=lambda answer, inputs, units: isinstance(answer, type),
                text="That is a class. Call it, so that it becomes a layer.",
            ),
            Hint(
                example="keras.layers.Dense(units + 1, kernel_initializer='zeros', use_bias=False)",
                applies=lambda answer, inputs, units: _is_dense(answer) and answer.units != units,
                text="This layer has another number of units than yours.",
            ),
            Hint(
                example="keras.layers.Dense(units)",
                applies=lambda answer, inputs, units: (
                    _is_dense(answer) and bool(np.any(_first_weights(answer, inputs)[0] != 0.0))
                ),
                text="This kernel does not start at zero: Dense makes a random one unless you name another "
                "initializer for it.",
            ),
            Hint(
                example="keras.layers.Dense(units, kernel_initializer='zeros')",
                applies=lambda answer, inputs, units: _is_dense(answer) and answer.use_bias,
                text="The kernel is right, but this layer has one variable too many.",
            ),
        ),
        otherwise="The answer must be a keras.layers.Dense. Compare its weights with those of "
        "ZeroInitializedLayer(units), after build((None, inputs)) on both.",
    ),
    "1.3": Exercise(
        right=lambda answer, inputs, units: (
            _two_layers(answer, inputs, units) and _moves(answer, inputs) == [False, True]
        ),
        because="A zero head sends nothing back, so the hidden kernel waits for one step.",
        hints=(
            Hint(
                example="both_zero.layers",
                applies=lambda answer, inputs, units: not isinstance(answer, keras.Model),
                text="The answer must be a model, such as a keras.Sequential that begins with keras.Input((inputs,)).",
            ),
            Hint(
                example="keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(1)])",
                applies=lambda answer, inputs, units: not _two_layers(answer, inputs, units),
                text="The model needs exactly two kernels: one from the inputs to your units, and one from your "
                "units to one output.",
            ),
            Hint(
                example="both_zero",
                applies=lambda answer, inputs, units: _moves(answer, inputs) == [False, False],
                text="Here no kernel moves. The head's gradient is (X W1)^T delta: what must W1 not be?",
            ),
            Hint(
                example="model",
                applies=lambda answer, inputs, units: _moves(answer, inputs) == [True, False],
                text="This is the other way round: the hidden kernel moves and the head's kernel does not.",
            ),
            Hint(
                example="keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(units), keras.layers.Dense(1)])",
                applies=lambda answer, inputs, units: _moves(answer, inputs) == [True, True],
                text="Both kernels move. The hidden kernel's gradient is (X^T delta) w2^T: what stops it?",
            ),
        ),
        otherwise="Section 5 has one formula for each kernel. Ask of each factor whether it is zero at the start.",
    ),
}
