"""Exercises of lesson 7, diagnose your model."""

from typing import Any

import numpy as np
from keras import ops

from exercises import called, exercise, model_of
from helpers.models import mlp
from zerostart import diagnose

VERDICTS = {"A": "learns", "B": "frozen", "C": "learns", "D": "symmetric"}


@exercise("7.1", right="Count the zeros, look at the slope of the activation at 0, and compare outgoing weights too.")
def four_starts(answer: Any) -> str | None:
    """Ask for four verdicts."""
    if not isinstance(answer, dict) or answer.keys() != VERDICTS.keys():
        return 'Answer with a dict: a verdict such as "learns" for each of "A", "B", "C" and "D".'
    if answer["A"] != VERDICTS["A"]:
        return "Look at A again. One zero kernel starves the kernel behind it, but does it starve itself?"
    if answer["B"] != VERDICTS["B"]:
        return "Look at B again. What is the slope of relu where all its inputs are 0?"
    if answer["C"] != VERDICTS["C"]:
        return "Look at C again. Its units have equal incoming weights. Are their outgoing weights equal too?"
    if answer["D"] == "frozen":
        return "Look at D again. At step 0 nothing comes back to the hidden layer. And at step 1?"
    if answer["D"] != VERDICTS["D"]:
        return "Look at D again. What tells one of its hidden units from another?"
    return None


@exercise("7.2", right="No zero among the weights, and still nothing gets through.")
def frozen_without_a_zero(answer: Any, x: np.ndarray, y: np.ndarray) -> str | None:
    """Ask for a frozen network without a zero weight."""
    model = model_of(answer)
    if model.input_shape[1:] != x.shape[1:]:
        return f"Begin the model with keras.Input(({x.shape[1]},)), so that it reads the digits."
    for weight in model.trainable_weights:
        if not np.all(ops.convert_to_numpy(weight)):
            return f"There are zeros in {weight.path}."
    verdict = diagnose(model, x, y).verdict
    return None if verdict == "frozen" else f'The verdict is "{verdict}". What else than a zero can stop a gradient?'


@exercise("7.3", right="Your doctor mends the frozen network, and leaves alone one whose head starts at zero.")
def doctor(answer: Any, units: int, x: np.ndarray, y: np.ndarray) -> str | None:
    """Ask for a function that mends networks in place."""
    frozen = mlp((units,), kernel_initializer="zeros")
    frozen.layers[-1].bias.assign(np.full(frozen.output_shape[1:], 0.1))
    zero_head = mlp((units,), kernel_initializer="glorot_uniform", head_initializer="zeros")
    biases, before = frozen.get_weights()[1::2], zero_head.get_weights()
    for patient in (frozen, zero_head):
        called(answer, patient)
    if not all(map(np.array_equal, frozen.get_weights()[1::2], biases)):
        return "You changed biases. Only kernels that never receive a gradient need new numbers."
    verdict = diagnose(frozen, x, y).verdict
    if "frozen" in verdict:
        return f"A tanh network with zero kernels is still {verdict} after your treatment."
    if verdict == "symmetric":
        return "After your treatment the zero kernels move, but the units of the network are identical."
    if not all(map(np.array_equal, zero_head.get_weights(), before)):
        return "You also treated a network with a zero head. Which of its kernels ever get a gradient?"
    return None
