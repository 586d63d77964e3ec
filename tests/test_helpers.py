"""The layer, the networks, the data, the figures and the ranges of the course."""

import itertools
import random
import re

import keras
import matplotlib
import numpy as np
import pytest
from keras import ops
from ranges import draw_parameters

from helpers import (
    STYLE,
    Recording,
    ZeroInitializedLayer,
    check_ranges,
    circles,
    digits,
    mlp,
    plot_gradient_flow,
    plot_losses,
    plot_network,
    plot_neuron_symmetry,
    residual_mlp,
    spirals,
)
from helpers.ranges import RANGES, in_words

matplotlib.use("agg")
import matplotlib.pyplot as plt

X = digits().x_train[:100]


def values(tensor):
    return ops.convert_to_numpy(tensor)


# The layer.


def test_without_arguments_it_is_the_layer_of_the_request():
    layer = ZeroInitializedLayer()
    output = layer(np.ones((3, 20), "float32"))
    assert output.shape == (3, 10) and [weight.name for weight in layer.weights] == ["kernel"]
    assert layer.kernel.shape == (20, 10) and not np.any(layer.get_weights()[0]) and not np.any(values(output))


@pytest.mark.parametrize("shape", [(5,), (3, 5), (1, 2, 3, 5)])
@pytest.mark.parametrize("units", [1, 7])
def test_it_computes_what_dense_computes_at_any_rank(shape, units):
    x = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
    layer = ZeroInitializedLayer(units, activation="relu", use_bias=True)
    dense = keras.layers.Dense(units, activation="relu")
    dense.build(x.shape), layer.build(x.shape)
    assert not any(map(np.any, layer.get_weights()))
    layer.set_weights(dense.get_weights())
    assert layer.compute_output_shape(x.shape) == (4, *shape[:-1], units)
    assert np.allclose(values(layer(x)), values(dense(x)), atol=1e-6)
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 5"):
        layer(x[..., :3])


def test_masks_and_mixed_precision_pass_through():
    model = keras.Sequential([keras.layers.Masking(), ZeroInitializedLayer(3), keras.layers.LSTM(2)])
    x = np.ones((1, 4, 2), "float32")
    x[0, 2:] = 0
    model(x)
    model.layers[1].kernel.assign(np.ones((2, 3)))
    assert np.allclose(values(model(x)), values(model(x[:, :2])), atol=1e-6)
    layer = ZeroInitializedLayer(3, dtype="mixed_float16")
    assert keras.backend.standardize_dtype(layer(x).dtype) == "float16" and layer.kernel.dtype == "float32"


# The networks.


@pytest.mark.parametrize("hidden", [(), (1,), (4, 16), (7, 3, 2)])
def test_mlp_computes_the_formula(hidden):
    model = mlp(hidden, inputs=5, outputs=3, kernel_initializer="orthogonal", bias_initializer="random_normal")
    assert [layer.name for layer in model.layers] == [f"hidden_{n + 1}" for n in range(len(hidden))] + ["head"]
    assert [w.shape for w in model.get_weights()[::2]] == list(itertools.pairwise([5, *hidden, 3]))
    h = x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    for layer in model.layers:
        h = h @ values(layer.kernel) + values(layer.bias)
        h = h if layer.name == "head" else np.tanh(h)
    assert np.allclose(values(model(x)), h, atol=1e-5)


def test_each_kernel_can_have_its_own_initializer_and_none_is_shared():
    model = mlp((4, 3), kernel_initializer=["ones", "zeros"], head_initializer="orthogonal", bias_initializer="ones")
    first, bias, second, _, head, head_bias = model.get_weights()
    assert np.all(first == 1) and not np.any(second) and np.any(head) and np.all(bias == 1) and np.all(head_bias == 1)
    assert not np.any(mlp((4, 3), kernel_initializer=["ones", "zeros"]).get_layer("head").kernel)
    same = mlp((8, 8, 8), inputs=8, outputs=8, kernel_initializer=keras.initializers.GlorotUniform())
    assert len({kernel.tobytes() for kernel in same.get_weights()[::2]}) == 4


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(("blocks", "width"), [(1, 1), (3, 5), (64, 2)])
def test_residual_mlp_computes_the_formula(blocks, width, skip):
    model = residual_mlp(blocks, width, activation="tanh", gate_initializer="random_normal", skip=skip)
    model.get_layer("blocks").bias.assign(np.random.default_rng(0).normal(size=(blocks, width)))
    entering = model.get_layer("stem")(X)
    h = values(entering)
    for kernel, bias, projection, gate in zip(*model.get_layer("blocks").get_weights()[:4], strict=True):
        h = skip * h + gate * (np.tanh(h @ kernel + bias) @ projection)
    assert np.allclose(values(model.get_layer("blocks")(entering)), h, atol=1e-5)


def test_each_stack_has_its_initializer_and_every_block_its_own_numbers():
    for shared in ("glorot_uniform", keras.initializers.GlorotUniform()):
        kernels, bias, projections, gate, _ = residual_mlp(4, 8, kernel_initializer=shared).layers[1].get_weights()
        assert len(np.unique([*kernels[:, 0, 0], *projections[:, 0, 0]])) == 8 and not np.any(bias) and not np.any(gate)
        assert np.abs(kernels).max() <= np.sqrt(6 / 16) and kernels.std() == pytest.approx(np.sqrt(2 / 16), rel=0.2)
    other = residual_mlp(4, 8, gate_initializer="ones", projection_initializer="zeros")
    kernels, _, projections, gate, _ = other.layers[1].get_weights()
    assert np.any(kernels) and not np.any(projections) and np.all(gate == 1)


def test_a_saved_model_loads_without_custom_objects(tmp_path):
    blocks = residual_mlp(3, 5, gate_initializer="ones", activation="tanh", skip=False)
    model = keras.Sequential([*blocks.layers[:2], ZeroInitializedLayer(3, "sigmoid", True, name="mine")])
    model.build((None, 64))
    model.set_weights([np.random.default_rng(0).normal(size=weight.shape) for weight in model.get_weights()])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [layer.get_config() for layer in loaded.layers] == [layer.get_config() for layer in model.layers]
    assert not loaded.layers[1].skip and np.array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


# The data.


def test_digits_are_split_by_class_share_no_row_and_are_yours_to_change():
    data = digits()
    assert data.x_train.shape == (1437, 64) and data.x_test.shape == (360, 64) and data.x_train.dtype == "float32"
    assert data.x_train.min() == 0 and data.x_train.max() == 1 and data.y_train.dtype == "int64"
    whole = np.bincount(np.concatenate([data.y_train, data.y_test]))
    assert whole.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as published
    assert np.abs(np.bincount(data.y_test) - 0.2 * whole).max() < 1
    assert not {row.tobytes() for row in data.x_train} & {row.tobytes() for row in data.x_test}
    data.x_train[:] = 0
    assert digits().x_train.max() == 1


def test_circles_and_spirals_lie_where_they_should():
    x, y = circles(7, noise=0)
    assert x.shape == (7, 2) and x.dtype == "float32" and y.dtype == "int64" and np.bincount(y).tolist() == [4, 3]
    assert np.allclose(np.linalg.norm(x, axis=1), np.where(y == 0, 1.0, 0.5), atol=1e-6)
    x, y = spirals(90, classes=3, noise=0)
    turned = np.arctan2(*x.T[::-1]) - 4 * np.linalg.norm(x, axis=1) - 2 * np.pi * y / 3
    assert np.allclose(np.cos(turned), 1, atol=1e-5) and np.bincount(y).tolist() == [30, 30, 30]
    for make in (circles, spirals):
        plain, noisy, other = (make(2000, noise=noise, seed=seed)[0] for noise, seed in ((0, 0), (0.1, 0), (0, 1)))
        assert np.std(noisy - plain) == pytest.approx(0.1, rel=0.1) and not np.allclose(plain, other, atol=0.1)


# The figures.


@pytest.fixture
def course_style():
    with plt.style.context(STYLE):
        yield
    plt.close("all")


def recording_of(rms):
    names = tuple(f"mlp/layer_{row}/kernel" for row in range(len(rms)))
    return Recording(np.ones(len(rms[0])), names, dict(zip(names, np.array(rms), strict=True)), {})


def labels(ax):
    return [text.get_text() for text in ax.texts]


def test_gradient_flow_leaves_zeros_out_and_hatches_them(course_style):
    ax = plot_gradient_flow(recording_of([[0.0, 0.0, 1e-30], [0.0, 1e-3, 1.0]]))
    assert np.ma.getmaskarray(ax.collections[0].get_array()).tolist() == [[True, True, False], [True, False, False]]
    assert ax.collections[0].norm is plot_gradient_flow(recording_of([[5.0]])).collections[0].norm  # comparable
    assert ax.patch.get_hatch() and ax.get_legend().get_texts()[0].get_text() == "exactly 0"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["layer_0/kernel", "layer_1/kernel"]
    assert len(plot_gradient_flow(recording_of(np.ones((200, 3)))).get_yticks()) <= 16


def test_neuron_symmetry_numbers_identical_units_alike(course_style):
    zeros = mlp((33, 4), kernel_initializer="zeros")
    ax = plot_neuron_symmetry(zeros)
    assert labels(ax) == ["1"] * 32 and ax.get_title(loc="left") == "hidden_1: 33 units, all identical, first 32 drawn"
    zeros.layers[1].bias.assign([0.0, 1.0, 0.0, 2.0])
    assert labels(plot_neuron_symmetry(zeros, layer="hidden_2")) == ["1", "2", "1", "3"]
    different = plot_neuron_symmetry(mlp((3,), kernel_initializer="glorot_uniform"))
    low, high = different.images[0].get_clim()
    assert labels(different) == ["1", "2", "3"] and different.images[0].get_array().shape == (8, 8) and low == -high < 0
    with pytest.raises(ValueError, match=r"layer: expected one of \['hidden_1'.*got 'hidden_9'"):
        plot_neuron_symmetry(zeros, layer="hidden_9")


def test_the_network_is_drawn_with_its_weights(course_style):
    model = mlp((2,), kernel_initializer="zeros", inputs=2, outputs=1)
    model.set_weights([np.array([[1.0, -2.0], [0.0, 0.5]]), np.zeros(2), np.array([[4.0], [0.0]]), np.zeros(1)])
    ax = plot_network(model, title="net")
    widths = [sorted(w for lines in ax.collections[kind:6:3] for w in lines.get_linewidths()) for kind in range(3)]
    assert widths == [[0.8, 0.8], pytest.approx([0.825, 1.35, 4.5]), pytest.approx([2.4])]  # zero, positive, negative
    assert labels(ax) == ["2", "2", "1"] and ax.get_title(loc="left") == "net"
    many = plot_network(mlp((100,), kernel_initializer="glorot_uniform"), limit=3)
    assert labels(many) == ["3 of 64", "3 of 100", "3 of 10"]


def test_losses_are_drawn_with_landmarks(course_style):
    ax = plot_losses({"zeros": recording_of([[0.0, 0.0]])}, landmarks={"ln 10": np.log(10)})
    assert np.array_equal(ax.lines[0].get_ydata(), [1, 1]) and ax.lines[1].get_ydata()[0] == np.log(10)
    assert labels(ax) == ["ln 10"] and ax.get_legend().get_texts()[0].get_text() == "zeros"


# The ranges.


BAD = [None, True, "no", (), -1e9, 1e9, float("nan"), ("no",), (True,)]


@pytest.mark.parametrize("lesson", RANGES)
def test_what_lies_in_the_ranges_is_accepted_and_nothing_else(lesson):
    """How a range is said is compared in test_lessons.py with the comment beside the parameter."""
    for seed in range(20):
        good = draw_parameters(lesson, random.Random(seed))
        check_ranges(lesson, **good)
    for name, value in good.items():
        for bad in [*BAD, 9 * value] if isinstance(value, tuple) else BAD:
            with pytest.raises(ValueError, match=f"^{name}: {re.escape(in_words(RANGES[lesson][name]))}.*, got .*$"):
                check_ranges(lesson, **{**good, name: bad})
    with pytest.raises(ValueError, match="expected the parameters"):
        check_ranges(lesson, **good, more=1)
