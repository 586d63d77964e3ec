"""Exercises of lesson 7, diagnose your model."""

from typing import Any

import keras
import numpy as np
from keras import ops

from exercises.kinds import Exercise, Hint
from helpers.models import mlp
from zerostart.diagnosis import diagnose


def _verdicts(units: int) -> dict[str, str]:
    return {"A": "learns", "B": "frozen", "C": "learns", "D": "symmetric" if units > 1 else "learns"}


def _silent(model: keras.Model, x: np.ndarray) -> bool:
    return not np.any(ops.convert_to_numpy(model(x)))


def _treated(doctor: Any, units: int, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Let the reader's function treat a frozen network and a healthy one, and tell what came of it."""
    frozen = mlp((units,), activation="tanh")
    biases = [np.full(bias.shape, 0.1, dtype="float32") for bias in frozen.get_weights()[1::2]]
    frozen.set_weights([frozen.get_weights()[0], biases[0] * 0, frozen.get_weights()[2], biases[1]])
    healthy = mlp((units,), kernel_initializer="glorot_uniform", head_initializer="zeros")
    before = healthy.get_weights()
    doctor(frozen)
    doctor(healthy)
    return {
        "verdict": diagnose(frozen, x, y).verdict,
        "biases kept": np.array_equal(frozen.get_weights()[3], biases[1]) and not np.any(frozen.get_weights()[1]),
        "healthy kept": all(map(np.array_equal, healthy.get_weights(), before)),
    }


EXERCISES: dict[str, Exercise] = {
    "7.1": Exercise(
        right=lambda answer, units: answer == _verdicts(units),
        because="Count the zeros, look at the slope of the activation at 0, and compare outgoing weights too.",
        hints=(
            Hint(
                example='{"A": "frozen", "B": "frozen", "C": "learns", "D": "symmetric"}',
                applies=lambda answer, units: answer["A"] != "learns",
                text="Look at A again. One zero kernel starves the kernel behind it, but does it starve itself?",
            ),
            Hint(
                example='{"A": "learns", "B": "learns", "C": "learns", "D": "symmetric"}',
                applies=lambda answer, units: answer["B"] != "frozen",
                text="Look at B again. What is the slope of relu where all its inputs are 0?",
            ),
            Hint(
                example='{"A": "learns", "B": "frozen", "C": "symmetric", "D": "symmetric"}',
                applies=lambda answer, units: answer["C"] != "learns",
                text="Look at C again. Its units have equal incoming weights. Are their outgoing weights equal too?",
            ),
            Hint(
                example='{"A": "learns", "B": "frozen", "C": "learns", "D": "frozen"}',
                applies=lambda answer, units: answer["D"] == "frozen",
                text="Look at D again. At the first update nothing comes back to the hidden layer. And at the second?",
            ),
            Hint(
                example='{"A": "learns", "B": "frozen", "C": "learns", "D": "learns"}',
                applies=lambda answer, units: answer["D"] != _verdicts(units)["D"],
                text="Look at D again. What tells one of its hidden units from another, if you have more than one?",
            ),
        ),
        otherwise='Answer with a dict: a verdict such as "learns" for each of "A", "B", "C" and "D".',
    ),
    "7.2": Exercise(
        right=lambda answer, x, y: _silent(answer, x) and diagnose(answer, x, y).verdict == "learns",
        because="It says nothing at first, and every kernel wakes within a few updates.",
        hints=(
            Hint(
                example='mlp((hidden,), kernel_initializer="glorot_uniform")',
                applies=lambda answer, x, y: not _silent(answer, x),
                text="Its output is not 0 for every image. Which kernel has the last word?",
            ),
            Hint(
                example='mlp((hidden,), activation="tanh", kernel_initializer="zeros")',
                applies=lambda answer, x, y: "frozen" in diagnose(answer, x, y).verdict,
                text="It is silent, but some kernel will never receive a gradient: too many zeros.",
            ),
            Hint(
                example='mlp((hidden,), activation="sigmoid", kernel_initializer="zeros")',
                applies=lambda answer, x, y: diagnose(answer, x, y).verdict == "symmetric",
                text="It is silent and gradients flow, but some of its units are twins.",
            ),
        ),
        otherwise="The answer must be a model for the digits, made with mlp.",
    ),
    "7.3": Exercise(
        right=lambda answer, **facts: (
            _treated(answer, **facts) == {"verdict": "learns", "biases kept": True, "healthy kept": True}
        ),
        because="It woke the frozen network and left the healthy one, whose head starts at zero, as it was.",
        hints=(
            Hint(
                example='mlp((hidden,), kernel_initializer="glorot_uniform")',
                applies=lambda answer, **facts: isinstance(answer, keras.Model) or not callable(answer),
                text="This exercise asks for a function. Give its name, without calling it.",
            ),
            Hint(
                example="lambda model: model.set_weights([np.random.rand(*w.shape) for w in model.get_weights()])",
                applies=lambda answer, **facts: not _treated(answer, **facts)["biases kept"],
                text="You changed biases. Only kernels that never receive a gradient need new numbers.",
            ),
            Hint(
                example="lambda model: watch(model)",
                applies=lambda answer, **facts: "frozen" in _treated(answer, **facts)["verdict"],
                text="A frozen tanh network is still frozen, or partly, after your treatment.",
            ),
            Hint(
                example="lambda model: [w.assign(0.1 + 0 * w) for w in model.weights if len(w.shape) > 1]",
                applies=lambda answer, **facts: _treated(answer, **facts)["verdict"] == "symmetric",
                text="Your treatment woke the frozen network, but now its units are twins.",
            ),
            Hint(
                example="lambda model: [w.assign(keras.initializers.HeNormal()(w.shape)) for w in model.weights[::2]]",
                applies=lambda answer, **facts: not _treated(answer, **facts)["healthy kept"],
                text="You also treated a healthy network with a zero head. Which of its kernels ever get a gradient?",
            ),
        ),
        otherwise="Your function raised an error. It gets one argument, a network made by mlp with one hidden layer.",
    ),
}
