import keras
import numpy as np
import pytest

from helpers import ZeroInitializedLayer


def values(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_without_arguments_it_is_the_layer_of_the_request():
    layer = ZeroInitializedLayer()
    output = layer(np.ones((3, 20), "float32"))
    assert output.shape == (3, 10)
    assert [weight.path.split("/")[-1] for weight in layer.weights] == ["kernel"]
    assert layer.kernel.shape == (20, 10)
    assert not np.any(layer.get_weights()[0]) and not np.any(values(output))


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (1, 2, 3, 5)])
@pytest.mark.parametrize("units", [1, 7])
def test_it_computes_what_dense_computes_at_any_rank(shape, units):
    x = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
    layer = ZeroInitializedLayer(units, activation="relu", use_bias=True)
    dense = keras.layers.Dense(units, activation="relu")
    dense.build(x.shape), layer.build(x.shape)
    layer.set_weights(dense.get_weights())
    assert layer.compute_output_shape(x.shape) == (4, *shape[:-1], units)
    assert np.allclose(values(layer(x)), values(dense(x)), atol=1e-6)


def test_rank_one_is_refused():
    with pytest.raises(ValueError, match="min_ndim=2"):
        ZeroInitializedLayer(2)(np.ones(5, "float32"))


def test_config_round_trip():
    layer = ZeroInitializedLayer(3, activation="tanh", use_bias=True, name="mine")
    copy = ZeroInitializedLayer.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert (copy.units, copy.activation, copy.use_bias, copy.name) == (3, keras.activations.tanh, True, "mine")


def test_a_saved_model_loads_without_custom_objects(tmp_path):
    model = keras.Sequential([keras.Input((4,)), ZeroInitializedLayer(3, "sigmoid", True), keras.layers.Dense(1)])
    model.layers[0].set_weights([np.arange(12.0).reshape(4, 3), np.ones(3)])
    model.save(tmp_path / "model.keras")
    x = np.eye(4, dtype="float32")
    assert np.array_equal(
        keras.saving.load_model(tmp_path / "model.keras").predict(x, verbose=0), model.predict(x, verbose=0)
    )


def test_mixed_precision_keeps_float32_weights():
    layer = ZeroInitializedLayer(3, dtype="mixed_float16")
    assert keras.backend.standardize_dtype(layer(np.ones((2, 4), "float32")).dtype) == "float16"
    assert layer.kernel.dtype == "float32"


def test_masks_pass_through():
    model = keras.Sequential([keras.layers.Masking(), ZeroInitializedLayer(3), keras.layers.LSTM(2)])
    x = np.ones((1, 4, 2), "float32")
    x[0, 2:] = 0
    assert np.allclose(values(model(x)), values(model(x[:, :2])), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"units": 0}, ValueError, "units.*at least 1.*got 0"),
        ({"units": -1}, ValueError, "units.*at least 1.*got -1"),
        ({"units": 2.0}, TypeError, "units.*integer.*2.0"),
        ({"units": "ten"}, TypeError, "units.*integer.*ten"),
        ({"units": True}, TypeError, "units.*integer.*True"),
        ({"activation": "no such"}, ValueError, "activation.*no such"),
    ],
)
def test_bad_values_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        ZeroInitializedLayer(**arguments)
