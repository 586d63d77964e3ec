"""Whatever is passed to a public name: a right result, or an error that says what came. Nothing else changes.

Each case leaves all arguments of a call good but one, which gets a generated value, the same on every run.
"""

import random
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import helpers
import zerostart
from exercises import check
from helpers import ZeroInitializedLayer, circles, mlp, residual_mlp, spirals

WORDS = st.text(max_size=8) | st.sampled_from(["zeros", "Zero", "tanh", "relu", "mse", "adam", "hidden_1"])
NUMBERS = st.integers(-3, 12) | st.floats(width=32)
ARRAYS = arrays(st.sampled_from(["float32", "int64", "bool"]), array_shapes(max_dims=3, max_side=8))
ANYTHING = st.none() | st.booleans() | WORDS | NUMBERS | ARRAYS | st.lists(NUMBERS, max_size=3) | st.just(object())

MODEL = mlp((3,), inputs=4, outputs=2, kernel_initializer="glorot_uniform")
DATA = {"x": np.eye(4, dtype="float32"), "y": np.arange(4) % 2}
ON = {"model": MODEL, **DATA, "loss": None}
KERNEL, RECORDING = np.arange(12.0).reshape(4, 3), zerostart.train(MODEL, **DATA, steps=2)
ZEROS = dict.fromkeys(("kernel_initializer", "head_initializer", "bias_initializer"), "zeros")
BRANCH = dict.fromkeys(("gate_initializer", "projection_initializer"), "zeros")

# name -> (the function, good arguments)
CASES = {
    "mlp": (mlp, {"hidden": (3,), "inputs": 4, "outputs": 2, "activation": "tanh", **ZEROS}),
    "residual_mlp": (
        residual_mlp,
        {"blocks": 2, "width": 3, "inputs": 4, "outputs": 2, "activation": "silu", **BRANCH},
    ),
    "ZeroInitializedLayer": (ZeroInitializedLayer, {"units": 3, "activation": None}),
    "circles": (circles, {"points": 6, "noise": 0.1, "seed": 0}),
    "spirals": (spirals, {"points": 6, "classes": 2, "noise": 0.1, "seed": 0}),
    "unit_spread": (zerostart.unit_spread, {"kernel": KERNEL}),
    "unit_groups": (zerostart.unit_groups, {"kernel": KERNEL, "bias": np.zeros(3), "tolerance": 0.1}),
    "effective_width": (zerostart.effective_width, {"kernel": KERNEL, "bias": np.zeros(3), "tolerance": 0.1}),
    "numerical_rank": (zerostart.numerical_rank, {"kernel": KERNEL, "tolerance": 0.1}),
    "train": (zerostart.train, {**ON, "steps": 2, "batch_size": 4, "optimizer": "sgd", "seed": 0}),
    "gradients": (zerostart.gradients, ON),
    "diagnose": (zerostart.diagnose, ON),
    "plot_gradient_flow": (helpers.plot_gradient_flow, {"recording": RECORDING, "ax": None}),
    "plot_losses": (helpers.plot_losses, {"recordings": {"zeros": RECORDING}, "ax": None, "landmarks": {"ln 10": 2.3}}),
    "plot_network": (helpers.plot_network, {"model": MODEL, "ax": None, "limit": 3}),
    "plot_neuron_symmetry": (helpers.plot_neuron_symmetry, {"model": MODEL, "ax": None, "layer": None, "limit": 3}),
    "check": (check, {"number": "2.1", "answer": 1}),
}
EXAMPLES = {"train": 100, "gradients": 60, "diagnose": 30, "check": 30} | dict.fromkeys(
    [name for name in CASES if name.startswith("plot")], 25
)
# What Keras itself refuses clearly carries no name of ours, but says "Could not interpret" and what came.
CLEAR = re.compile(r"Could not interpret|identifier|initializer")


def state():
    return [weight.tobytes() for weight in MODEL.get_weights()] + [np.random.get_state()[1].tobytes()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_a_right_result_or_an_error_that_names_the_argument(name):
    function, good = CASES[name]
    start, refused = MODEL.get_weights(), []

    @settings(
        max_examples=EXAMPLES.get(name, 120),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changed=st.sampled_from(list(good)), value=ANYTHING)
    def ask(changed, value):
        before, seeds = state(), random.getstate()
        caller = value.copy() if isinstance(value, np.ndarray) else None
        try:
            function(**good | {changed: value})
        except (TypeError, ValueError) as problem:
            refused.append(changed)
            assert re.search(rf"\b{changed}\b", str(problem)) or CLEAR.search(str(problem)), repr(problem)
            assert state() == before
        if name in ("gradients", "diagnose"):
            assert state() == before and random.getstate() == seeds
        if caller is not None:
            np.testing.assert_array_equal(value, caller)
        MODEL.set_weights(start)
        plt.close("all")

    ask()
    assert refused


def test_every_public_name_is_asked():
    asked = {name for name in CASES}
    results = {"Recording", "Training", "Diagnosis"}  # train asks Training; the others are results
    assert set(zerostart.__all__) - results <= asked
