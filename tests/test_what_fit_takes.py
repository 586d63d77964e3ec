"""What `fit` takes, `train` and `gradients` take; what no model can use is refused before anything runs."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers, ops
from test_training import CROSS_ENTROPY, X, Y, random_mlp, state_of

from helpers import gradients, train
from zerostart import diagnose
from zerostart.data import rows_of

ONE_HOT = np.eye(10)[Y]


def stack(*parts, shape=(64,), **arguments):
    return keras.Sequential([keras.Input(shape, **arguments), *parts])


def two_outputs():
    inputs = keras.Input((64,))
    model = keras.Model(inputs, [layers.Dense(1, name="size")(inputs), layers.Dense(10, name="digit")(inputs)])
    model.compile("sgd", {"size": "mse", "digit": CROSS_ENTROPY}, loss_weights={"size": 2.0, "digit": 0.5})
    return model


def two_inputs():
    left, right = keras.Input((30,), name="left"), keras.Input((34,), name="right")
    return keras.Model([left, right], layers.Dense(10)(layers.Concatenate()([left, right])))


class Penalty(layers.Layer):
    def call(self, inputs):
        self.add_loss(ops.mean(ops.square(inputs)))
        return inputs


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, number):
        rows = slice(50 * number, 50 * number + 50)
        return X[rows], Y[rows]


class Parts(keras.Model):
    """A model with a `train_step` only, as one writes a GAN."""

    def __init__(self):
        super().__init__()
        self.maker = layers.Dense(3)


def compiled(model, loss, optimizer="sgd"):
    model.compile(optimizer, loss)
    return model


def own(y_true, y_pred):
    """Dice: a loss of the reader's own, which does not look at the rows one by one."""
    y_true = ops.cast(y_true, y_pred.dtype)
    return 1 - 2 * ops.sum(y_true * y_pred) / (ops.sum(y_true) + ops.sum(y_pred) + 1)


def sigmoid():
    return stack(layers.Dense(1, "sigmoid"))


def softmax():
    return stack(layers.Dense(10, "softmax"))


def recurrent():
    masked = layers.Embedding(5, 4, mask_zero=True)
    return stack(masked, layers.LSTM(3), layers.Dense(10), shape=(10,), dtype="int32")


def built_by_a_call():
    model = keras.Sequential([layers.Dense(4, "relu"), layers.Dense(10)])
    model(X[:1])
    return model


SIZE = X.sum(1, keepdims=True) / 64
TOKENS = (4 * X[:, 20:30]).astype("int32")
ACCEPTED = {
    "outputs by name": (two_outputs, X, {"size": SIZE, "digit": Y}),
    "list of inputs": (lambda: compiled(two_inputs(), CROSS_ENTROPY), [X[:, :30], X[:, 30:]], Y),
    "sigmoid, integers": (lambda: compiled(sigmoid(), "binary_crossentropy"), X, Y % 2),
    "own loss, booleans": (lambda: compiled(sigmoid(), own), X, Y % 2 == 1),
    "one-hot integers": (lambda: compiled(softmax(), "categorical_crossentropy"), X, ONE_HOT.astype(int)),
    "a loss of the model": (lambda: compiled(stack(layers.Dense(3), Penalty()), None), X, None),
    "built by a call on one row": (lambda: compiled(built_by_a_call(), CROSS_ENTROPY), X, Y),
    "a mask": (lambda: compiled(recurrent(), CROSS_ENTROPY), TOKENS, Y),
}
# model -> targets and the loss that is chosen for it
CHOSEN = {
    "softmax": (softmax, Y, "sparse_categorical_crossentropy"),
    "a layer of softmax": (lambda: stack(layers.Dense(10), layers.Softmax()), Y, "sparse_categorical_crossentropy"),
    "logits": (random_mlp, Y, CROSS_ENTROPY),
    "a column of classes": (random_mlp, Y[:, np.newaxis], CROSS_ENTROPY),
    "sigmoid": (sigmoid, Y % 2, "binary_crossentropy"),
    "sigmoid, more than two": (sigmoid, Y, "mse"),
    "numbers": (lambda: random_mlp(outputs=1), SIZE[:, 0], "mse"),
}


def plain_fit(model, x, y):
    return model.fit(x, y, batch_size=len(X), epochs=1, shuffle=False, verbose=0).history["loss"][0]


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_first_loss_is_that_of_fit(name):
    build, x, y = ACCEPTED[name]
    model = build()
    recording = train(model, x, y, steps=1)
    assert all(np.any(gradient) for gradient in gradients(model, x, y).values())
    assert all(rms[0] > 0 for rms in recording.gradient_rms.values())
    compiled_recording = train(model, x, y, steps=12, optimizer=keras.optimizers.SGD(0.0))
    assert compiled_recording.loss == pytest.approx(plain_fit(model, x, y), rel=1e-5)


def test_batches_hold_rows_and_weights(monkeypatch):
    model = random_mlp()
    expected, weights = float(CROSS_ENTROPY(Y, model(X))), np.arange(200) % 2
    still = {"steps": 1, "optimizer": keras.optimizers.SGD(0.0)}
    batches = Batches()
    generator = (batches[number] for number in range(4))
    monkeypatch.setattr("zerostart.data.MOST_BATCHES", 8)
    endless = itertools.cycle([batches[number] for number in range(4)])
    for x in (batches, generator, endless):
        assert train(model, x, **still).loss[0] == pytest.approx(expected, rel=1e-5)
    assert len(rows_of(endless)) == 400  # eight batches
    assert len(rows_of(endless, most=60)) == 100
    monkeypatch.setattr("zerostart.data.MOST_ENTRIES", 3 * 50 * 64)
    assert len(rows_of(endless)) == 150
    weighted = iter([(X, Y, weights)])
    expected = float(CROSS_ENTROPY(Y, model(X), sample_weight=weights))
    assert train(model, weighted, **still).loss[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", CHOSEN)
def test_the_chosen_loss_fits_head_and_targets(name):
    build, y, expected = CHOSEN[name]
    model = build()
    found = train(model, X, y, steps=1, optimizer=keras.optimizers.SGD(0.0)).loss[0]
    assert found == pytest.approx(plain_fit(compiled(model, expected), X, y), rel=1e-5)


def test_floats_come_in_the_dtype_of_the_model_and_texts_as_texts():
    parts = {"text": np.array(["a", "bc"], object), "size": np.array([0.5, 2]), "count": np.array([1, 2], "uint8")}
    found = rows_of(parts, dtype="float16").x
    assert [str(found[name].dtype) for name in parts] == ["<U2", "float16", "uint8"]


def test_a_dataset_of_tensorflow_is_recognised():
    pytest.importorskip("tensorflow")
    dataset = keras.utils.timeseries_dataset_from_array(X, Y, sequence_length=1, batch_size=64)
    model = stack(layers.Flatten(), layers.Dense(10), shape=(1, 64))
    assert train(model, dataset, steps=2).loss.shape == (2,)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="there Keras cannot train a layer with a state")
def test_a_fixed_batch_size_is_kept():
    memory = layers.LSTM(3, stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(10, 8, 8)), memory, layers.Dense(10)])
    assert len(train(model, X.reshape(-1, 8, 8), Y, steps=12).loss) == 12 and gradients(model, X.reshape(-1, 8, 8), Y)


NAN = np.where(np.arange(64) == 3, np.nan, X)
UNREDUCED = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
REFUSED = [  # what values that are generated do not reach; see test_bad_input.py
    ({"x": NAN}, "x: expected finite"),
    ({"x": 1e300 * X.astype("float64")}, "x: expected finite numbers that float32 can hold"),
    ({"x": X[:, :63]}, "x: the model does not accept inputs of shape"),
    ({"x": [X[:, :30], X[:9, 30:]]}, "x: expected 200 rows, as many as x has, got 9"),
    ({"x": X[:0], "y": Y[:0]}, "x: expected a non-empty array"),
    ({"x": iter([]), "y": None}, "x: expected at least one batch"),
    ({"x": Batches()}, "y: expected None, because the batches of x hold the targets"),
    ({"x": zip(X, Y, strict=True), "y": None}, "x: expected batches of rows"),
    ({"y": None, "loss": CROSS_ENTROPY}, "y: expected targets"),
    ({"y": Y[:-1]}, "y: expected one target per row of x, got 199 targets for 200 rows"),
    ({"y": Y + 1}, "y: expected classes from 0 to 9, got 1 to 10"),
    ({"y": Y - 1}, "y: expected classes from 0 to 9, got -1 to 8"),
    ({"y": Y + 1, "loss": "sparse_categorical_crossentropy"}, "y: expected classes from 0 to 9, got 1 to 10"),
    ({"y": np.eye(10)[Y], "loss": "sparse_categorical_crossentropy"}, "y: .* use categorical_crossentropy"),
    ({"loss": "categorical_crossentropy"}, "y: .* use sparse_categorical_crossentropy"),
    ({"y": Y.astype("float32")}, r"y: expected shape \(200, 10\)"),
    ({"y": np.where(Y == 0, np.inf, 1.0)}, "y: expected finite"),
    ({"loss": UNREDUCED}, "loss: expected one number"),
    ({"loss": "mse", "model": random_mlp(outputs=2), "y": SIZE[:, 0]}, "loss: cannot compare y of shape"),
    ({"model": keras.Sequential([layers.Dense(10)])}, "model: expected a built model"),
    ({"model": stack(layers.Softmax())}, "model.*trainable"),
    ({"model": Parts()}, "model: it has no `call`; hand over its parts, each with its own data: model.maker"),
]


@pytest.mark.parametrize("function", [train, gradients, diagnose])
@pytest.mark.parametrize(("changed", "words"), REFUSED)
def test_bad_values_are_refused_before_anything_runs(changed, words, function):
    arguments = {"model": random_mlp(), "x": X, "y": Y, **changed}
    before = state_of(arguments["model"])
    with pytest.raises(ValueError, match=words):
        function(**arguments)
    assert state_of(arguments["model"]) == before


def test_a_batch_is_no_larger_than_the_data():
    with pytest.raises(ValueError, match=r"batch_size.*at most 200.*201"):
        train(random_mlp(), X, Y, batch_size=201)
