import itertools

import keras
import numpy as np
import pytest

from helpers import mlp


def weights(model, name):
    return model.get_layer(name).get_weights()


@pytest.mark.parametrize("hidden", [(), (1,), (4, 16), (7, 3, 2)])
def test_shapes_and_zeros(hidden):
    model = mlp(hidden, inputs=5, outputs=3)
    assert model.input_shape == (None, 5) and model.output_shape == (None, 3)
    sizes = [5, *hidden, 3]
    assert [w.shape for w in model.get_weights()[::2]] == list(itertools.pairwise(sizes))
    assert not any(np.any(w) for w in model.get_weights())
    assert [layer.name for layer in model.layers] == [f"hidden_{n + 1}" for n in range(len(hidden))] + ["head"]


def test_it_computes_the_formula():
    keras.utils.set_random_seed(0)
    model = mlp((4, 3), inputs=2, outputs=2, activation="tanh", kernel_initializer="glorot_uniform")
    x = np.random.default_rng(0).normal(size=(5, 2)).astype("float32")
    w1, b1, w2, b2, w3, b3 = model.get_weights()
    assert np.allclose(
        keras.ops.convert_to_numpy(model(x)), np.tanh(np.tanh(x @ w1 + b1) @ w2 + b2) @ w3 + b3, atol=1e-5
    )


def test_each_kernel_can_have_its_own_initializer():
    model = mlp(
        (4, 3), kernel_initializer=["ones", "zeros"], head_initializer="glorot_uniform", bias_initializer="ones"
    )
    assert np.all(weights(model, "hidden_1")[0] == 1) and not np.any(weights(model, "hidden_2")[0])
    assert np.any(weights(model, "head")[0]) and np.all(weights(model, "head")[1] == 1)


def test_one_random_initializer_gives_each_layer_its_own_numbers():
    model = mlp((8, 8, 8), inputs=8, outputs=8, kernel_initializer=keras.initializers.GlorotUniform())
    kernels = model.get_weights()[::2]
    assert not any(np.array_equal(kernels[0], other) for other in kernels[1:])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"hidden": (0,)}, ValueError, "hidden: every layer needs at least 1 unit, got 0"),
        ({"hidden": (4, -3)}, ValueError, "hidden: every layer needs at least 1 unit, got -3"),
        ({"hidden": (4.5,)}, TypeError, "hidden.*4.5"),
        ({"hidden": 4}, TypeError, "hidden.*tuple.*4"),
        ({"hidden": "64"}, TypeError, "hidden"),
        ({"inputs": 0}, ValueError, "inputs.*0"),
        ({"outputs": None}, TypeError, "outputs.*None"),
        ({"activation": "no such"}, ValueError, "activation.*no such"),
        ({"kernel_initializer": "Zero"}, ValueError, "kernel_initializer.*Zero"),
        ({"kernel_initializer": None}, ValueError, "kernel_initializer.*None"),
        ({"kernel_initializer": ["zeros"]}, ValueError, "kernel_initializer.*list of 2.*got 1"),
        ({"head_initializer": "nothing"}, ValueError, "head_initializer.*nothing"),
        ({"bias_initializer": 0}, ValueError, "bias_initializer.*0"),
    ],
)
def test_bad_values_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        mlp(**arguments)
