"""A training records what hand-written backpropagation computes, and leaves everything else alone."""

import random

import keras
import numpy as np
import pytest
from keras import layers, ops

from helpers import Training, digits, gradients, mlp, train, unit_spread
from zerostart.models import untouched
from zerostart.training import _order_of_rows

DATA = digits()
X, Y = DATA.x_train[:200], DATA.y_train[:200]
CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def random_mlp(hidden=(5, 4), **arguments):
    keras.utils.set_random_seed(0)
    return mlp(hidden, kernel_initializer="glorot_uniform", **arguments)


def gradients_by_hand(weights, x, y):
    """Backpropagation through two tanh layers and a softmax, in NumPy."""
    w1, b1, w2, b2, w3, b3 = (w.astype("float64") for w in weights)
    h1 = np.tanh(x @ w1 + b1)
    h2 = np.tanh(h1 @ w2 + b2)
    logits = h2 @ w3 + b3
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    d3 = (p - np.eye(10)[y]) / len(y)
    d2 = d3 @ w3.T * (1 - h2**2)
    d1 = d2 @ w2.T * (1 - h1**2)
    return loss, [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)]


def test_gradients_are_those_of_backpropagation_by_hand():
    model = random_mlp()
    _, expected = gradients_by_hand(model.get_weights(), X, Y)
    found = gradients(model, X, Y)
    assert list(found) == [variable.path for variable in model.trainable_variables]
    for by_hand, gradient in zip(expected, found.values(), strict=True):
        assert gradient.shape == by_hand.shape and np.allclose(gradient, by_hand, atol=1e-6)


@pytest.mark.parametrize("steps", [3, 30, 130])  # eager; compiled; in two calls of the compiled graph
def test_every_recorded_row_is_right(steps):
    model = random_mlp()
    weights = model.get_weights()
    recording = train(model, X, Y, steps=steps, optimizer=keras.optimizers.SGD(0.1))
    assert (*recording.gradient_rms,) == recording.names and (*recording.unit_spread,) == recording.names[::2]
    for step in range(steps):
        loss, by_hand = gradients_by_hand(weights, X, Y)
        assert recording.loss[step] == pytest.approx(loss, abs=2e-5)
        rms = [np.sqrt(np.mean(gradient**2)) for gradient in by_hand]
        assert [values[step] for values in recording.gradient_rms.values()] == pytest.approx(rms, rel=2e-3)
        spread = [unit_spread(w) for w in weights[::2]]
        assert [values[step] for values in recording.unit_spread.values()] == pytest.approx(spread, rel=1e-3)
        weights = [w - 0.1 * gradient for w, gradient in zip(weights, by_hand, strict=True)]
    assert all(np.allclose(w, expected, atol=1e-4) for w, expected in zip(model.get_weights(), weights, strict=True))


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "adamw", "lion", "muon"])
def test_training_is_the_same_as_plain_fit(optimizer):
    recorded, plain = random_mlp(), random_mlp()
    train(recorded, X, Y, steps=20, optimizer=optimizer)
    plain.compile(optimizer, CROSS_ENTROPY, jit_compile=False)
    plain.fit(X, Y, epochs=20, batch_size=len(X), shuffle=False, verbose=0)
    for one, other in zip(recorded.get_weights(), plain.get_weights(), strict=True):
        assert np.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_zero_is_recorded_exactly_where_it_is_exact(activation):
    recording = train(mlp((7, 7), kernel_initializer="zeros", activation=activation), X, Y, steps=12)
    moving = [path for path, rms in recording.gradient_rms.items() if np.any(rms != 0.0)]
    assert moving == ["mlp/head/bias"] and np.all(recording.gradient_rms["mlp/head/bias"] > 0)
    assert not any(map(np.any, recording.unit_spread.values()))
    tiny = mlp((3, 3, 3, 3), kernel_initializer=keras.initializers.RandomNormal(stddev=1e-6, seed=0))
    rms = train(tiny, X, Y, steps=1).gradient_rms["mlp/hidden_1/bias"][0]
    assert 0 < rms < 1e-20  # its square is no float32


class Idle(layers.Layer):
    def build(self, _):
        self.kernel = self.add_weight(shape=(2, 3), name="kernel")

    def call(self, inputs):
        return inputs


class TwoAlike(keras.Model):
    def __init__(self):
        super().__init__(name="model")
        self.first, self.second = Idle(name="same"), layers.Dense(10, name="same")

    def call(self, inputs):
        return self.second(self.first(inputs))


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_weights_that_do_nothing_or_share_a_path_have_their_own_row():
    model = TwoAlike()
    model(X)
    found, rms = gradients(model, X, Y), train(model, X, Y, steps=1).gradient_rms
    assert [*found] == [*rms] == ["model/same/kernel", "model/same/kernel#2", "model/same/bias"]
    assert [np.any(gradient) for gradient in found.values()] == [values[0] > 0 for values in rms.values()]
    assert found["model/same/kernel"].shape == (2, 3) and rms["model/same/kernel"][0] == 0.0 < rms["model/same/bias"][0]


def test_a_run_starts_with_a_fresh_optimizer_from_the_weights_of_now():
    model = random_mlp()
    start, training = model.get_weights(), Training(model, X, Y)
    first = training.run(20, batch_size=32)
    assert training.run(20, batch_size=32).loss[0] != first.loss[0]
    model.set_weights(start)
    assert np.array_equal(training.run(20, batch_size=32).loss, first.loss)
    model.set_weights(start)
    assert np.array_equal(train(model, X, Y, steps=20, batch_size=32).loss, first.loss)
    model.set_weights(start)
    assert not np.array_equal(training.run(20, batch_size=32, seed=1).loss, first.loss)


def test_a_layer_that_is_no_longer_trained_is_noticed():
    model = random_mlp()
    training = Training(model, X, Y)
    training.run(12)
    model.layers[0].trainable = False
    kernel = model.layers[0].get_weights()[0]
    assert len(training.run(12).names) == 4
    assert np.array_equal(model.layers[0].get_weights()[0], kernel)


class Factor:
    """Something of the reader's own that changes between two trainings."""

    now = 1.0


class Scaled(layers.Layer):
    def call(self, inputs):
        return inputs * Factor.now


class ScaledPenalty(keras.regularizers.Regularizer):
    def __call__(self, weight):
        return Factor.now * ops.sum(ops.square(weight))


class ScaledDescent(keras.optimizers.SGD):
    power = 1  # get_config leaves it out

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient * Factor.now**self.power, variable, learning_rate)


def scaled_loss(y_true, y_pred):
    return Factor.now * ops.mean(ops.square(y_true - y_pred), axis=-1)


@pytest.mark.parametrize("steps", [3, 12])
@pytest.mark.parametrize("yours", ["layer", "loss", "regularizer", "optimizer"])
def test_what_is_yours_acts_in_its_present_form(yours, steps):
    keras.utils.set_random_seed(0)
    penalty = ScaledPenalty() if yours == "regularizer" else None
    first = Scaled() if yours == "layer" else layers.Identity()
    model = keras.Sequential([keras.Input((64,)), first, layers.Dense(1, kernel_regularizer=penalty)])
    mine = ScaledDescent()
    mine.power = 2
    arguments = {"loss": {"loss": scaled_loss}, "optimizer": {"optimizer": mine}}.get(yours, {})
    start, found = model.get_weights(), []
    for Factor.now in (1.0, 1.5, 1.0, -1.5):
        model.set_weights(start)
        found.append(train(model, X, X.sum(1) / 64, steps=steps, **arguments).loss[-1])
    assert found[0] != found[1] and found[0] == found[2]
    assert (found[1] == found[3]) == (yours == "optimizer")  # the power that was set later: even


def test_minibatches_visit_every_row_once_an_epoch():
    seen = _order_of_rows(10, 10, 2, seed=0).reshape(2, 10)
    assert [sorted(epoch) for epoch in seen.tolist()] == [list(range(10))] * 2
    model, rows = random_mlp(), _order_of_rows(len(X), 2, 50, seed=3)[0]
    expected = float(CROSS_ENTROPY(Y[rows], model(X[rows])))
    assert train(model, X, Y, steps=2, batch_size=50, seed=3).loss[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("policy", "precision"), [("float64", 1e-10), ("mixed_float16", 1e-2)])
def test_the_precision_of_the_model_is_kept(policy, precision):
    if policy == "float64" and keras.backend.backend() != "tensorflow":
        pytest.skip("JAX and PyTorch compute parts of it in float32")
    keras.config.set_dtype_policy(policy)
    try:
        model = random_mlp()
    finally:
        keras.config.set_dtype_policy("float32")
    _, by_hand = gradients_by_hand(model.get_weights(), X, Y)
    for expected, found in zip(by_hand, gradients(model, X.astype("float64"), Y).values(), strict=True):
        assert np.allclose(found, expected, rtol=0, atol=precision * np.abs(expected).max())
    assert np.all(np.diff(train(model, X, Y, steps=12).loss) < 0)


def state_of(model):
    """Everything that a learner may hold on to."""
    variables = {f"weight {variable.path}": variable for variable in model.variables}
    if model.compiled:
        variables |= {f"optimizer {variable.path}": variable for variable in model.optimizer.variables}
        variables |= {f"metric {number}": variable for number, variable in enumerate(model.metrics_variables)}
    values = {name: ops.convert_to_numpy(variable.value).tolist() for name, variable in variables.items()}
    flags = [part.trainable for part in (model, *model.layers, *model.variables)]
    settings = [getattr(model, name, None) for name in ("optimizer", "loss", "_compile_loss", "run_eagerly")]
    return values | {"settings": [*settings, *flags, *(variable.regularizer for variable in model.variables)]}


def compiled_model_with_state():
    keras.utils.set_random_seed(0)
    parts = [layers.Dense(6, "relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *parts])
    model.compile(keras.optimizers.Adam(0.01), CROSS_ENTROPY, metrics=["accuracy"])
    model.fit(X, Y, epochs=1, verbose=0)
    return model


def test_gradients_leave_no_trace_and_train_changes_the_weights_only():
    model = compiled_model_with_state()
    before = state_of(model)
    gradients(model, X, Y)
    assert state_of(model) == before
    mine, x, y = keras.optimizers.Adam(0.01), X.astype("float64"), Y.copy()
    train(model, x, y, steps=12, optimizer=mine)
    after = state_of(model)
    changed = {name for name in before if before[name] != after[name]}
    assert changed and all(name.startswith("weight ") for name in changed) and not mine.built
    assert np.array_equal(x, X) and np.array_equal(y, Y) and x.dtype == "float64"
    model.fit(X, Y, epochs=1, verbose=0)


def test_untouched_puts_back_weights_metrics_penalties_and_random_numbers():
    model, penalty = compiled_model_with_state(), keras.regularizers.L2(0.1)
    model.layers[0].kernel.regularizer = penalty

    def drawn():
        return random.random(), np.random.rand(), float(keras.random.uniform(()))

    keras.utils.set_random_seed(1)
    before, expected = state_of(model), drawn()
    keras.utils.set_random_seed(1)
    with untouched(model):
        drawn()
        assert not model.losses
        for variable in (*model.variables, *model.metrics_variables):
            variable.assign(np.ones(variable.shape))
    assert drawn() == expected and state_of(model) == before
