"""What `fit` takes, `train` and `gradients` take; what no model can use is refused before anything runs."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from test_training import CROSS_ENTROPY, X, Y, random_mlp, same_state, state_of

from helpers import gradients, train

ONE_HOT = np.eye(10)[Y]
PROBABILITIES = keras.losses.CategoricalCrossentropy()


def stack(*parts, shape=(64,), **arguments):
    return keras.Sequential([keras.Input(shape, **arguments), *parts])


def two_outputs(as_dict):
    inputs = keras.Input((64,))
    hidden = layers.Dense(4)(inputs)
    outputs = {"size": layers.Dense(1, name="size")(hidden), "digit": layers.Dense(10, name="digit")(hidden)}
    model = keras.Model(inputs, outputs if as_dict else list(outputs.values()))
    losses, weights = {"size": "mse", "digit": CROSS_ENTROPY}, {"size": 2.0, "digit": 0.5}
    model.compile("sgd", losses if as_dict else [*losses.values()], loss_weights=weights if as_dict else [2.0, 0.5])
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


def compiled(model, loss):
    model.compile("sgd", loss)
    return model


def dice(y_true, y_pred):
    y_true = ops.cast(y_true, y_pred.dtype)
    return 1 - 2 * ops.sum(y_true * y_pred) / (ops.sum(y_true) + ops.sum(y_pred) + 1)


SIZE = X.sum(1, keepdims=True) / 64
TOKENS = (4 * X[:, 20:30]).astype("int32")
ACCEPTED = {
    "dict of outputs": (lambda: two_outputs(True), X, {"size": SIZE, "digit": Y}),
    "list of outputs": (lambda: two_outputs(False), X, [SIZE, Y]),
    "list of inputs": (lambda: compiled(two_inputs(), CROSS_ENTROPY), [X[:, :30], X[:, 30:]], Y),
    "sigmoid, integers": (lambda: compiled(stack(layers.Dense(1, "sigmoid")), "binary_crossentropy"), X, Y % 2),
    "own loss, uint8": (lambda: compiled(stack(layers.Dense(1, "sigmoid")), dice), X, (Y % 2).astype("uint8")),
    "own loss, booleans": (lambda: compiled(stack(layers.Dense(1, "sigmoid")), dice), X, Y % 2 == 1),
    "one-hot integers": (lambda: compiled(stack(layers.Dense(10, "softmax")), PROBABILITIES), X, ONE_HOT.astype(int)),
    "a loss of its own": (lambda: compiled(stack(layers.Dense(3), Penalty()), None), X, None),
    "a mask": (
        lambda: compiled(stack(layers.Embedding(5, 4, mask_zero=True), layers.LSTM(3), layers.Dense(10),
                               shape=(10,), dtype="int32"), CROSS_ENTROPY), TOKENS, Y),
}  # fmt: skip


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


def test_batches_hold_rows_and_weights():
    model = random_mlp()
    expected, weights = float(CROSS_ENTROPY(Y, model(X))), np.arange(200) % 2
    still = {"steps": 1, "optimizer": keras.optimizers.SGD(0.0)}
    batches = Batches()
    generator = (batches[number] for number in range(4))
    for x in (batches, generator):
        assert train(model, x, **still).loss[0] == pytest.approx(expected, rel=1e-5)
    weighted = iter([(X, Y, weights)])
    expected = float(CROSS_ENTROPY(Y, model(X), sample_weight=weights))
    assert train(model, weighted, **still).loss[0] == pytest.approx(expected, rel=1e-5)


def test_a_dataset_of_tensorflow_is_recognised():
    pytest.importorskip("tensorflow")
    dataset = keras.utils.timeseries_dataset_from_array(X, Y, sequence_length=1, batch_size=64)
    model = stack(layers.Flatten(), layers.Dense(10), shape=(1, 64))
    assert train(model, dataset, steps=2).loss.shape == (2,)


def test_a_fixed_batch_size_is_kept():
    model = keras.Sequential([keras.Input(batch_shape=(10, 64)), layers.Dense(10)])
    assert len(train(model, X, Y, steps=12).loss) == 12 and gradients(model, X, Y)


@pytest.mark.parametrize("head, expected", [("softmax", "sparse_categorical_crossentropy"), ("linear", CROSS_ENTROPY)])
def test_the_chosen_loss_fits_the_head(head, expected):
    model = stack(layers.Dense(10, head))
    start = train(model, X, Y, steps=1, optimizer=keras.optimizers.SGD(0.0)).loss[0]
    assert start == pytest.approx(plain_fit(compiled(model, expected), X, Y), rel=1e-5)


def test_float_targets_mean_squared_error():
    model = random_mlp(outputs=1)
    expected = np.mean((ops.convert_to_numpy(model(X)) - SIZE) ** 2)
    assert train(model, X, SIZE[:, 0], steps=1).loss[0] == pytest.approx(expected, rel=1e-4)


NAN = X.copy()
NAN[3, 4] = np.nan
UNREDUCED = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"steps": 0}, ValueError, "steps.*at least 1.*got 0"),
        ({"steps": 1.5}, TypeError, "steps.*integer.*1.5"),
        ({"batch_size": 0}, ValueError, "batch_size.*got 0"),
        ({"batch_size": 201}, ValueError, "batch_size.*at most 200.*201"),
        ({"optimizer": "no such"}, ValueError, "optimizer.*no such"),
        ({"seed": -1}, ValueError, "seed.*at least 0.*-1"),
        ({"x": NAN}, ValueError, "x: expected finite"),
        ({"x": X[:, :63]}, ValueError, r"x: the model does not accept inputs of shape"),
        ({"x": X[:0], "y": Y[:0]}, ValueError, "x: expected a non-empty array"),
        ({"x": "digits"}, TypeError, "x: expected"),
        ({"x": None}, TypeError, "x: expected"),
        ({"x": iter([]), "y": None}, ValueError, "x: expected at least one batch"),
        ({"x": Batches()}, ValueError, "y: expected None, because the batches of x hold the targets"),
        ({"y": None}, ValueError, "y: expected targets"),
        ({"y": Y[:-1]}, ValueError, "y: expected one target per row of x, got 199 targets for 200 rows"),
        ({"y": Y + 1}, ValueError, "y: expected classes from 0 to 9, got 1 to 10"),
        ({"y": Y.astype("float32")}, ValueError, r"y: expected shape \(200, 10\)"),
        ({"y": np.where(Y == 0, np.inf, 1.0)}, ValueError, "y: expected finite"),
        ({"loss": "no such"}, ValueError, "loss.*no such"),
        ({"loss": UNREDUCED}, ValueError, "loss: expected one number"),
        ({"loss": "mse", "y": np.ones((200, 3))}, ValueError, "loss: cannot compare y of shape"),
        ({"model": "mlp"}, TypeError, "model: expected a keras.Model, got str"),
        ({"model": keras.Sequential([layers.Dense(10)])}, ValueError, "model: expected a built model"),
        ({"model": stack(layers.Softmax())}, ValueError, "model.*trainable"),
    ],
)
def test_bad_values_are_refused_before_anything_runs(arguments, error, words):
    model = random_mlp()
    before = state_of(model)
    arguments = {"model": model, "x": X, "y": Y, **arguments}
    with pytest.raises(error, match=words):
        train(**arguments)
    if not arguments.keys() & {"steps", "batch_size", "optimizer", "seed"}:
        with pytest.raises(error, match=words):
            gradients(**arguments)
    assert same_state(before, state_of(model))
