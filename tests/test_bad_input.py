"""Whatever is passed to a public name: a right result, or an error that names the argument. Nothing else changes.

Each case leaves all arguments of a call good but one, which gets a generated value. The values are the same on every
run; `-s` prints how many were refused and how many gave a right result.
"""

import contextlib
import random
import re
from collections import Counter

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import helpers
from exercises import check
from helpers import (
    ZeroInitializedLayer,
    circles,
    diagnose,
    digits,
    effective_width,
    gradients,
    mlp,
    numerical_rank,
    plot_gradient_flow,
    plot_losses,
    plot_network,
    plot_neuron_symmetry,
    residual_mlp,
    spirals,
    train,
    unit_groups,
    unit_spread,
)

X, Y = digits().x_train[:12], digits().y_train[:12]
MODEL = mlp((3,), kernel_initializer="glorot_uniform")
NOT_BUILT = keras.Sequential([keras.layers.Dense(2)])
NOTHING_TO_TRAIN = keras.Sequential([keras.Input((64,)), keras.layers.ReLU()])
RECORDING = train(MODEL, X, Y, steps=2)
KERNEL, BIAS = np.arange(12.0).reshape(3, 4), np.arange(4.0)

SMALL, HUGE = 9, 2**21
integers = st.one_of(st.integers(-5, SMALL), st.integers(HUGE), st.integers(max_value=-HUGE))
numbers = st.one_of(integers, st.floats(), st.floats(0, 1), st.booleans(), st.complex_numbers())
names = st.one_of(
    st.text(max_size=6), st.binary(max_size=3), st.sampled_from(["zeros", "tanh", "relu", "adam", "sgd", "mse", "8.9"])
)
several = st.one_of(
    st.lists(numbers, max_size=3),
    st.lists(names, max_size=3),
    st.lists(st.lists(numbers, max_size=2), max_size=3),
    st.tuples(integers, integers),
    st.dictionaries(names, numbers, max_size=2),
    st.sets(st.integers(), max_size=2),
)
tables = st.one_of(
    arrays(np.float64, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)),
    arrays(np.float32, st.sampled_from([(12, 64), (12,), (12, 10), (3, 4)]), fill=st.floats(width=32)),
    arrays(np.int64, st.sampled_from([(12, 64), (12,), (12, 1), (3, 4), (4,)]), fill=st.integers(-(2**62), 2**62)),
    arrays(np.int8, array_shapes(max_dims=2, max_side=4)),
    arrays(st.sampled_from(["?", "U3", "complex64", "datetime64[s]"]), st.sampled_from([(12,), (3, 4)])),
    st.sampled_from([X, Y, X[:5], Y[:5], X * np.nan, X.astype("float64") * 1e300, X + np.inf]),
    st.sampled_from([np.array([None, 1]), np.ma.masked_all((3, 4)), np.array("a"), np.eye(3, 4, dtype="float16")]),
)
models = [MODEL, NOT_BUILT, NOTHING_TO_TRAIN]
objects = st.sampled_from(
    [
        *(None, ..., object(), int, len, print, range(3), NotImplemented, keras, plt, RECORDING, *models),
        *(keras.Variable(KERNEL), keras.KerasTensor((12, 64)), keras.initializers.Zeros, keras.optimizers.SGD()),
    ]
)
anything = st.one_of(numbers, names, several, tables, objects)


def same(result, expected):
    assert result == expected


def right_mlp(model, hidden=(3,), inputs=4, outputs=2, **others):
    assert [layer.units for layer in model.layers] == [*hidden, outputs] and model.input_shape == (None, inputs)


def right_residual(model, blocks=2, width=3, inputs=4, outputs=2, **others):
    assert model.get_layer("blocks").gate.shape == (blocks,) and model.get_layer("stem").units == width
    assert model.input_shape == (None, inputs) and model.output_shape == (None, outputs)


def right_layer(layer, units=3, **others):
    assert not np.any(layer(np.ones((2, 5)))) or "activation" in others
    assert layer.kernel.shape == (5, units)


def right_points(result, points=6, classes=2, **others):
    x, y = result
    assert x.shape == (points, 2) and np.isfinite(x).all() and np.array_equal(y, np.arange(points) % classes)


def right_spread(spread, kernel):
    kernel = np.asarray(kernel.value if isinstance(kernel, keras.Variable) else kernel).astype("longdouble")
    assert spread == pytest.approx(float((kernel.max(-1) - kernel.min(-1)).max()), rel=1e-6)


def right_groups(groups, kernel, bias=None, tolerance=1e-3):
    kernel = np.asarray(kernel.value if isinstance(kernel, keras.Variable) else kernel).astype("longdouble")
    columns = kernel.reshape(-1, kernel.shape[-1])
    columns = columns if bias is None else np.vstack([columns, np.asarray(bias).astype("longdouble")])
    allowed = tolerance * np.sqrt((columns**2).sum(0)).max()
    for unit, group in enumerate(groups):
        first = np.flatnonzero(groups == group)[0]
        assert np.sqrt(((columns[:, unit] - columns[:, first]) ** 2).sum()) <= allowed * (1 + 1e-9)


def right_width(width, **arguments):
    assert width == unit_groups(**arguments).max() + 1


def right_rank(rank, kernel, tolerance=1e-3):
    shape = np.shape(kernel)
    assert 0 <= rank <= min(shape[-1], np.prod(shape[:-1], dtype=int))


def right_training(recording, steps=2, **others):
    assert recording.loss.shape == (steps,)


def right_gradients(found, model=MODEL, **others):
    assert [value.shape for value in found.values()] == [tuple(v.shape) for v in model.trainable_variables]


def right_diagnosis(diagnosis, **others):
    assert diagnosis.verdict in ("learns", "symmetric", "partly frozen", "frozen") and str(diagnosis)


def right_picture(result, **others):
    result.figure.canvas.draw()


def right_check(result, **others):
    assert result is None


TRAINING = {"model": MODEL, "x": X, "y": Y}
# name -> (the function, good arguments, what a right result is, number of generated values)
CASES = {
    "mlp": (
        mlp,
        {"hidden": (3,), "inputs": 4, "outputs": 2, "activation": "tanh"}
        | dict.fromkeys(("kernel_initializer", "head_initializer", "bias_initializer"), "zeros"),
        right_mlp,
        250,
    ),
    "residual_mlp": (
        residual_mlp,
        {"blocks": 2, "width": 3, "inputs": 4, "outputs": 2, "activation": "silu", "skip": True}
        | dict.fromkeys(("gate_initializer", "kernel_initializer", "projection_initializer"), "zeros"),
        right_residual,
        150,
    ),
    "ZeroInitializedLayer": (
        ZeroInitializedLayer,
        {"units": 3, "activation": None, "use_bias": True, "name": "zero", "dtype": "float32", "trainable": True},
        right_layer,
        200,
    ),
    "circles": (circles, {"points": 6, "noise": 0.1, "seed": 0}, right_points, 200),
    "spirals": (spirals, {"points": 6, "classes": 2, "noise": 0.1, "seed": 0}, right_points, 200),
    "unit_spread": (unit_spread, {"kernel": KERNEL}, right_spread, 250),
    "unit_groups": (unit_groups, {"kernel": KERNEL, "bias": BIAS, "tolerance": 0.1}, right_groups, 250),
    "effective_width": (effective_width, {"kernel": KERNEL, "bias": BIAS, "tolerance": 0.1}, right_width, 150),
    "numerical_rank": (numerical_rank, {"kernel": KERNEL, "tolerance": 0.1}, right_rank, 200),
    "train": (
        train,
        TRAINING | {"steps": 2, "batch_size": 4, "optimizer": "sgd", "loss": None, "seed": 0},
        right_training,
        200,
    ),
    "gradients": (gradients, TRAINING | {"loss": None}, right_gradients, 150),
    "diagnose": (diagnose, TRAINING | {"loss": None}, right_diagnosis, 100),
    "plot_gradient_flow": (plot_gradient_flow, {"recording": RECORDING, "ax": None}, right_picture, 30),
    "plot_losses": (
        plot_losses,
        {"recordings": {"zeros": RECORDING}, "ax": None, "landmarks": {"ln 10": 2.3}},
        right_picture,
        40,
    ),
    "plot_network": (plot_network, {"model": MODEL, "ax": None, "title": "", "limit": 3}, right_picture, 40),
    "plot_neuron_symmetry": (
        plot_neuron_symmetry,
        {"model": MODEL, "ax": None, "layer": "hidden_1", "limit": 3},
        right_picture,
        40,
    ),
    "check": (check, {"number": "2.1", "answer": 1}, right_check, 100),
}
COUNTS = Counter()
# The first two take no arguments, the next two are results, and tests/test_explorer.py tries the panel.
ELSEWHERE = {"digits", "STYLE", "Recording", "Diagnosis", "Explorer"}


def global_state():
    config = keras.config
    settings_of_keras = config.floatx(), config.dtype_policy().name, config.epsilon(), config.image_data_format()
    return [*settings_of_keras, config.is_traceback_filtering_enabled(), np.random.get_state()[1].tobytes()]


@contextlib.contextmanager
def nothing_changes(value, *, draws):
    """Fail if the value, the model or a global setting of Keras, NumPy or Python changes.

    `draws`: whether weights are drawn, for which Keras takes seeds from Python's random numbers.
    """
    caller = value.copy() if isinstance(value, np.ndarray) else None
    weights, seeds, state = MODEL.get_weights(), random.getstate(), global_state()
    yield
    for before, after in zip(weights, MODEL.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert global_state() == state and (draws or random.getstate() == seeds)
    if caller is not None:
        np.testing.assert_array_equal(value, caller)


def answer(function, arguments, changed, right):
    """Call the function. Return `"right"` or `"refused"`; anything else fails."""
    try:
        result = function(**arguments)
    except (TypeError, ValueError) as problem:
        assert re.search(rf"\b{changed}\b", str(problem)), f"does not name {changed}: {problem!r}"
        return "refused"
    right(result, **arguments)
    return "right"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_a_right_result_or_an_error_that_names_the_argument(name):
    function, good, right, number = CASES[name]
    start = MODEL.get_weights()

    @settings(
        max_examples=number, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(changed=st.sampled_from(list(good)), value=anything)
    def ask(changed, value):
        trained = name == "train"
        with contextlib.nullcontext() if trained else nothing_changes(value, draws=name in ("mlp", "residual_mlp")):
            COUNTS[name, answer(function, good | {changed: value}, changed, right)] += 1
        if trained:
            MODEL.set_weights(start)
        plt.close("all")

    ask()


def test_enough_was_asked_of_every_public_name():
    print({name: {end: count for (asked, end), count in COUNTS.items() if asked == name} for name in CASES})
    assert set(helpers.__all__) - ELSEWHERE <= set(CASES)
    if {name for name, _ in COUNTS} == set(CASES):
        assert sum(COUNTS.values()) >= 2000
