import keras
import matplotlib
import numpy as np
import pytest

from helpers import STYLE, digits, mlp, plot_gradient_flow, plot_losses, plot_network, plot_neuron_symmetry, train
from zerostart.training import Recording

matplotlib.use("agg")
import matplotlib.pyplot as plt

X, Y = digits().x_train[:100], digits().y_train[:100]


@pytest.fixture(autouse=True)
def course_style():
    with plt.style.context(STYLE):
        yield
    plt.close("all")


def recording_of(rms):
    names = tuple(f"mlp/layer_{row}/kernel" for row in range(len(rms)))
    return Recording(np.ones(len(rms[0])), names, dict(zip(names, np.array(rms), strict=True)), {})


def random_mlp(hidden, **arguments):
    keras.utils.set_random_seed(0)
    return mlp(hidden, kernel_initializer="glorot_uniform", **arguments)


def test_gradient_flow_leaves_zeros_out_and_hatches_them():
    ax = plot_gradient_flow(recording_of([[0.0, 0.0, 1e-30], [0.0, 1e-3, 1.0]]))
    drawn = ax.collections[0].get_array()
    assert np.ma.getmaskarray(drawn).tolist() == [[True, True, False], [True, False, False]]
    other = plot_gradient_flow(recording_of([[5.0]]))
    assert ax.collections[0].norm is other.collections[0].norm  # two pictures can be compared
    assert ax.patch.get_hatch() and ax.get_legend().get_texts()[0].get_text() == "exactly 0"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["layer_0/kernel", "layer_1/kernel"]


def test_gradient_flow_without_any_gradient_or_with_many_rows():
    assert plot_gradient_flow(recording_of([[0.0], [0.0]])).collections[0].get_array().mask.all()
    assert len(plot_gradient_flow(recording_of(np.ones((200, 3)))).get_yticks()) <= 16


def labels(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("hidden", [(1,), (7,), (33, 4)])
def test_neuron_symmetry_numbers_identical_units_alike(hidden):
    ax = plot_neuron_symmetry(mlp(hidden))
    assert set(labels(ax)) == {"1"} and len(ax.images) == min(hidden[0], 32)
    assert ("all identical" in ax.get_title(loc="left")) == (hidden[0] > 1)
    different = plot_neuron_symmetry(random_mlp(hidden))
    assert labels(different) == [str(n + 1) for n in range(min(hidden[0], 32))]
    assert (f"{hidden[0]} units, {hidden[0]} different" if hidden[0] > 1 else "1 unit") in different.get_title(
        loc="left"
    )


def test_neuron_symmetry_draws_images_columns_and_named_layers():
    model = random_mlp((5, 3))
    assert plot_neuron_symmetry(model).images[0].get_array().shape == (8, 8)
    assert plot_neuron_symmetry(model, layer="hidden_2").images[0].get_array().shape == (5, 1)
    with pytest.raises(ValueError, match=r"layer: expected one of \['hidden_1', 'hidden_2', 'head'\], got 'hidden_9'"):
        plot_neuron_symmetry(model, layer="hidden_9")


def test_the_network_is_drawn_with_its_weights():
    model = mlp((2,), inputs=2, outputs=1)
    model.set_weights([np.array([[1.0, -0.5], [0.0, 0.5]]), np.zeros(2), np.array([[1.0], [1.0]]), np.zeros(1)])
    zero, positive, negative, _ = plot_network(model, title="small").collections
    assert [len(edges.get_segments()) for edges in (zero, positive, negative)] == [1, 4, 1]
    assert len({str(edges.get_linestyle()) for edges in (zero, positive, negative)}) == 3
    widths = positive.get_linewidths()
    assert max(widths) == widths[0] > widths[1] == negative.get_linewidths()[0]
    np.testing.assert_allclose(negative.get_segments()[0], [[0, 0.5], [1, -0.5]])


def test_a_wide_network_says_how_many_units_are_drawn():
    assert labels(plot_network(random_mlp((257,)))) == ["8 of 64", "8 of 257", "8 of 10"]


def test_losses_and_landmarks():
    ax = plot_losses({"a": recording_of([[1.0, 1.0]])}, landmarks={"ln 10": np.log(10)})
    assert len(ax.lines) == 2 and labels(ax) == ["ln 10"]


def test_axes_are_used_and_returned():
    ax = plt.subplots()[1]
    model = random_mlp((3,))
    assert plot_network(model, ax) is ax and plot_neuron_symmetry(model, ax) is ax
    assert plot_gradient_flow(train(model, X, Y, steps=2), ax) is ax
