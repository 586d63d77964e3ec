import keras
import numpy as np
import pytest
from helpers.residual import ResidualBlocks, residual_mlp
from keras import ops

from helpers import digits, gradients, train

DATA = digits()
X, Y = DATA.x_train[:100], DATA.y_train[:100]
STACKS = ("inner_kernel", "bias", "projection", "gate")


def made(blocks=3, width=5, **arguments):
    keras.utils.set_random_seed(0)
    return residual_mlp(blocks, width, **arguments)


def in_and_out(model, x=X):
    """Return what enters the blocks and what leaves them."""
    entering = model.get_layer("stem")(x)
    return ops.convert_to_numpy(entering), ops.convert_to_numpy(model.get_layer("blocks")(entering))


def moving(model):
    """Return the names of the stacks with a gradient."""
    found = gradients(model, X, Y)
    return {name for name in STACKS if np.any(found[f"residual_mlp/blocks/{name}"])}


@pytest.mark.parametrize(("blocks", "width"), [(1, 1), (3, 5), (64, 2)])
def test_shapes_and_names(blocks, width):
    model = made(blocks, width, inputs=7, outputs=4)
    assert model.input_shape == (None, 7) and model.output_shape == (None, 4)
    assert [layer.name for layer in model.layers] == ["stem", "blocks", "head"]
    stacks = {weight.name: tuple(weight.shape) for weight in model.get_layer("blocks").trainable_weights}
    square = (blocks, width, width)
    assert stacks == {"inner_kernel": square, "bias": (blocks, width), "projection": square, "gate": (blocks,)}


def test_it_computes_the_formula():
    model = made(activation="tanh", gate_initializer="random_normal")
    model.get_layer("blocks").bias.assign(np.random.default_rng(0).normal(size=(3, 5)))
    h, found = in_and_out(model)
    for kernel, bias, projection, gate in zip(*model.get_layer("blocks").get_weights()[:4], strict=True):
        h = h + gate * (np.tanh(h @ kernel + bias) @ projection)
    assert np.allclose(found, h, atol=1e-5)


def test_without_skip_it_is_a_plain_deep_network():
    model = made(activation="tanh", gate_initializer="ones", skip=False)
    h, found = in_and_out(model)
    for kernel, bias, projection, gate in zip(*model.get_layer("blocks").get_weights()[:4], strict=True):
        h = gate * (np.tanh(h @ kernel + bias) @ projection)
    assert np.allclose(found, h, atol=1e-5)


@pytest.mark.parametrize("zeros", ["gate_initializer", "projection_initializer", "kernel_initializer"])
@pytest.mark.parametrize("width", [1, 7, 33])
def test_with_a_zero_in_each_block_it_starts_as_the_identity(zeros, width):
    arguments = {"gate_initializer": "ones", "projection_initializer": "glorot_uniform", zeros: "zeros"}
    model = made(64, width, **arguments)
    model.get_layer("stem").kernel.assign(np.random.default_rng(0).normal(size=(64, width)))
    entering, leaving = in_and_out(model)
    assert np.any(entering) and np.array_equal(entering, leaving)


def test_open_gates_change_what_passes():
    entering, leaving = in_and_out(made(gate_initializer="ones"))
    assert np.abs(leaving - entering).max() > 0.01


def test_the_zero_moves_first_and_wakes_the_others():
    for arguments, zero in (
        ({}, {"gate"}),
        ({"gate_initializer": "ones", "projection_initializer": "zeros"}, {"projection"}),
    ):
        model = made(**arguments)
        assert moving(model) == zero
        train(model, X, Y, steps=1)
        assert moving(model) == set(STACKS)


def test_every_gate_has_a_gradient_at_the_start():
    found = gradients(made(64, 1), X, Y)
    assert np.all(found["residual_mlp/blocks/gate"] != 0.0)


def test_two_zeros_in_each_block_or_zero_gates_without_a_skip_never_move():
    assert moving(made(projection_initializer="zeros")) == set()
    assert moving(made(skip=False)) == set()


def test_every_block_has_its_own_random_numbers():
    for initializer in ("glorot_uniform", keras.initializers.GlorotUniform()):
        kernels, _, projections, _, _ = made(4, 8, kernel_initializer=initializer).get_layer("blocks").get_weights()
        assert len(np.unique([*kernels[:, 0, 0], *projections[:, 0, 0]])) == 8
        assert np.abs(kernels).max() <= np.sqrt(6 / 16) and kernels.std() == pytest.approx(np.sqrt(2 / 16), rel=0.2)


def test_config_round_trip():
    layer = ResidualBlocks(3, activation="tanh", gate_initializer="ones", skip=False)
    copy = ResidualBlocks.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert (copy.blocks, copy.activation, copy.skip) == (3, keras.activations.tanh, False)


def test_a_saved_model_loads_without_custom_objects(tmp_path):
    model = made(gate_initializer="ones")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"blocks": 0}, ValueError, "blocks.*at least 1.*0"),
        ({"blocks": 2.5}, TypeError, "blocks.*2.5"),
        ({"width": 0}, ValueError, "width.*at least 1.*0"),
        ({"width": (4,)}, TypeError, "width"),
        ({"inputs": 0}, ValueError, "inputs.*0"),
        ({"outputs": None}, TypeError, "outputs.*None"),
        ({"activation": "no such"}, ValueError, "activation.*no such"),
        ({"gate_initializer": 0}, ValueError, "gate_initializer.*0"),
        ({"kernel_initializer": "Zero"}, ValueError, "kernel_initializer.*Zero"),
        ({"projection_initializer": "nothing"}, ValueError, "projection_initializer.*nothing"),
        ({"skip": 1}, TypeError, "skip.*True or False.*1"),
    ],
)
def test_bad_values_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        residual_mlp(**arguments)
