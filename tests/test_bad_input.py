"""Whatever is passed to a public name: a right result, or an error that says what came. Nothing else changes.

Each case leaves all arguments of a call good but one, which gets a generated value, the same on every run.
"""

import functools
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

WORDS = st.text(max_size=8) | st.sampled_from(["zeros", "Zero", "tanh", "relu", "mse", "adam", "hidden_1"])
NUMBERS = st.integers(-3, 12) | st.floats(width=32)
ARRAYS = arrays(st.sampled_from(["float32", "int64", "bool"]), array_shapes(max_dims=3, max_side=8))
ANYTHING = st.none() | st.booleans() | WORDS | NUMBERS | ARRAYS | st.lists(NUMBERS, max_size=3) | st.just(object())

MODEL = helpers.mlp((3,), inputs=4, outputs=2, kernel_initializer="glorot_uniform")
ON = {"model": MODEL, "x": np.eye(4, dtype="float32"), "y": np.arange(4) % 2, "loss": None}
ZEROS = dict.fromkeys(("kernel_initializer", "head_initializer", "bias_initializer"), "zeros")
BRANCH = dict.fromkeys(("gate_initializer", "projection_initializer"), "zeros")
UNITS = {"kernel": np.arange(12.0).reshape(4, 3), "bias": np.zeros(3), "tolerance": 0.1}
POINTS = {"points": 6, "noise": 0.1, "seed": 0}
RECORDING = zerostart.train(**ON, steps=2)

# name -> good arguments
CASES = {
    "mlp": {"hidden": (3,), "inputs": 4, "outputs": 2, "activation": "tanh", **ZEROS},
    "residual_mlp": {"blocks": 2, "width": 3, "inputs": 4, "outputs": 2, "activation": "silu", **BRANCH},
    "ZeroInitializedLayer": {"units": 3, "activation": None},
    "circles": POINTS,
    "spirals": {"classes": 2, **POINTS},
    "unit_spread": {"kernel": UNITS["kernel"]},
    "unit_groups": UNITS,
    "effective_width": UNITS,
    "numerical_rank": {"kernel": UNITS["kernel"], "tolerance": 0.1},
    "train": {**ON, "steps": 2, "batch_size": 4, "optimizer": "sgd", "seed": 0},
    "gradients": ON,
    "diagnose": ON,
    "plot_gradient_flow": {"recording": RECORDING, "ax": None},
    "plot_losses": {"recordings": {"zeros": RECORDING}, "ax": None, "landmarks": {"ln 10": 2.3}},
    "plot_network": {"model": MODEL, "ax": None, "limit": 3},
    "plot_neuron_symmetry": {"model": MODEL, "ax": None, "layer": "hidden_1", "limit": 3},
    "check": {"number": "2.1", "answer": 1},
}
FUNCTIONS = (
    vars(helpers) | vars(zerostart) | {"diagnose": zerostart.diagnose, "check": functools.partial(check, units=3)}
)
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
    start, refused = MODEL.get_weights(), []

    @settings(
        max_examples=EXAMPLES.get(name, 120),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changed=st.sampled_from(list(CASES[name])), value=ANYTHING)
    def ask(changed, value):
        before, seeds = state(), random.getstate()
        caller = value.copy() if isinstance(value, np.ndarray) else None
        try:
            FUNCTIONS[name](**CASES[name] | {changed: value})
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
    results = {"Recording", "Training", "Diagnosis"}  # train asks Training; the others are results
    drawn = {name for name in vars(helpers) if name.startswith("plot_")}
    assert {*zerostart.__all__, *drawn, "ZeroInitializedLayer", "mlp", "residual_mlp"} - results <= CASES.keys()
