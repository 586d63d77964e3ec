"""Exercises of lesson 2, the symmetry problem."""

from typing import Any

import keras
import numpy as np

from exercises.kinds import Exercise, Hint
from zerostart.symmetry import effective_width
from zerostart.training import train


def _first_kernel(model: keras.Model) -> np.ndarray:
    return model.get_layer("hidden_1").get_weights()[0]


def _starts_at_zero(model: Any, **facts: Any) -> bool:
    return not np.any(_first_kernel(model)) and not np.any(model.get_layer("hidden_1").get_weights()[1])


def _different_units(model: keras.Model, x: np.ndarray, y: np.ndarray, steps: int) -> int:
    """Train a copy, so that the reader's own model stays as it is."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    train(copy, x, y, steps=steps)
    return effective_width(_first_kernel(copy))


def _parts(model: Any, x: np.ndarray, y: np.ndarray, steps: int) -> bool:
    units = _first_kernel(model).shape[1]
    return _starts_at_zero(model) and (units == 1 or _different_units(model, x, y, steps) > 1)


EXERCISES = {
    "2.1": Exercise(
        right=lambda answer, units: answer == 1,
        because="Identical units get identical updates, so they never part.",
        hints=(
            Hint(
                "hidden[0]",
                lambda answer, units: answer == units,
                "That is how many units there are. Effective width counts the different ones.",
            ),
            Hint(
                "0",
                lambda answer, units: answer == 0,
                "The units are alike, but they are not nothing: with sigmoid they do send a value.",
            ),
        ),
        otherwise="Think of two units that are identical now. Can one update tell them apart?",
    ),
    "2.2": Exercise(
        right=lambda answer: set(answer) == {"noise"},
        because="Noise is added to the units, so the head receives something that is not zero.",
        hints=(
            Hint(
                '{"dropout", "noise"}',
                lambda answer: "dropout" in answer,
                "Dropout multiplies the value of a unit by a mask. What is that value here?",
            ),
            Hint(
                '{"noise", "per-unit rates"}',
                lambda answer: "per-unit rates" in answer,
                "A learning rate multiplies the gradient. What is the gradient of the first kernel here?",
            ),
            Hint(
                '{"noise", "minibatches"}',
                lambda answer: "minibatches" in answer,
                "A minibatch chooses other rows. Is the gradient of the first kernel zero for some rows only?",
            ),
        ),
        otherwise='Answer with a set of names, for instance {"dropout"}. At least one of the four works.',
    ),
    "2.3": Exercise(
        right=_parts,
        because="The kernel that follows treats the units differently, so their gradients differ.",
        hints=(
            Hint(
                'mlp(hidden, activation="sigmoid", kernel_initializer="glorot_uniform")',
                lambda answer, **facts: not _starts_at_zero(answer),
                "The kernel and the bias of hidden_1 must start at zero.",
            ),
            Hint(
                'mlp(hidden, activation="sigmoid")',
                lambda answer, **facts: not any(np.any(weights) for weights in answer.get_weights()),
                "Everything starts at zero, so the units also send equal weights to the next layer.",
            ),
        ),
        otherwise="The units of hidden_1 did not part. Look at the kernel that follows directly after hidden_1.",
    ),
}
