import helpers.compiled
import helpers.seam
import keras
import numpy as np
import pytest
from keras import ops

from helpers import digits, gradients, mlp, train, unit_spread

DATA = digits()
X, Y = DATA.x_train[:200], DATA.y_train[:200]


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


@pytest.mark.parametrize("steps", [3, 30])  # one runs eagerly, the other compiled
def test_every_recorded_row_is_right(steps):
    model = random_mlp()
    weights = model.get_weights()
    recording = train(model, X, Y, steps=steps, optimizer=keras.optimizers.SGD(0.1))
    for step in range(steps):
        loss, by_hand = gradients_by_hand(weights, X, Y)
        assert recording.loss[step] == pytest.approx(loss, abs=2e-5)
        rms = [np.sqrt(np.mean(gradient**2)) for gradient in by_hand]
        assert [values[step] for values in recording.gradient_rms.values()] == pytest.approx(rms, rel=1e-3)
        spread = [unit_spread(w) for w in weights[::2]]
        assert [values[step] for values in recording.unit_spread.values()] == pytest.approx(spread, rel=1e-4)
        weights = [w - 0.1 * gradient for w, gradient in zip(weights, by_hand, strict=True)]
    assert all(np.allclose(w, expected, atol=1e-4) for w, expected in zip(model.get_weights(), weights, strict=True))


def test_training_is_the_same_as_plain_fit():
    recorded, plain = random_mlp(), random_mlp()
    train(recorded, X, Y, steps=20)
    plain.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    plain.fit(X, Y, epochs=20, batch_size=len(X), shuffle=False, verbose=0)
    for one, other in zip(recorded.get_weights(), plain.get_weights(), strict=True):
        assert np.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("width", [1, 2, 7, 16, 33, 257])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_all_zero_networks_are_frozen_exactly(width, activation):
    model = mlp((width, width), activation=activation)
    recording = train(model, X, Y, steps=12)
    for path, rms in recording.gradient_rms.items():
        assert np.all(rms == 0.0) != (path == "mlp/head/bias")
    assert all(np.all(spread == 0.0) for spread in recording.unit_spread.values())
    prior = np.bincount(Y) / len(Y)
    assert recording.loss.min() >= -(prior * np.log(prior)).sum() - 1e-5


def test_a_tiny_gradient_is_not_taken_for_zero():
    model = mlp((3, 3, 3, 3), kernel_initializer=keras.initializers.RandomNormal(stddev=1e-6, seed=0))
    rms = train(model, X, Y, steps=2).gradient_rms["mlp/hidden_1/kernel"][0]
    gradient = gradients(model, X, Y)["mlp/hidden_1/kernel"]
    assert 0 < np.abs(gradient).max() < 1e-22  # the square would vanish in float32
    assert rms == pytest.approx(np.sqrt(np.mean(gradient.astype("float64") ** 2)), rel=0.1)


def test_a_second_training_repeats_the_first_exactly():
    model = random_mlp()
    start = model.get_weights()
    first = train(model, X, Y, steps=20, batch_size=32)
    other_data = train(model, X[::-1].copy(), Y[::-1].copy(), steps=20, batch_size=32)
    model.set_weights(start)
    again = train(model, X, Y, steps=20, batch_size=32)
    assert np.array_equal(first.loss, again.loss) and not np.array_equal(first.loss, other_data.loss)
    assert all(np.array_equal(first.gradient_rms[n], again.gradient_rms[n]) for n in first.names)


def test_a_changed_model_is_compiled_anew():
    model = random_mlp()
    train(model, X, Y, steps=12)
    model.layers[0].trainable = False
    kernel = model.layers[0].get_weights()[0]
    recording = train(model, X, Y, steps=12)
    assert np.array_equal(model.layers[0].get_weights()[0], kernel) and len(recording.names) == 4
    model.layers[1].activation = keras.activations.relu
    expected = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(Y, model(X)))
    assert train(model, X, Y, steps=12).loss[0] == pytest.approx(expected, abs=1e-5)


def test_equal_networks_share_a_compiled_training_and_nothing_else(monkeypatch):
    def train_all(forget):
        models = [mlp((5,), kernel_initializer=keras.initializers.GlorotUniform(seed)) for seed in (1, 2, 3)]
        losses = []
        for model in (*models, models[0]):
            if forget:
                monkeypatch.setattr(helpers.compiled, "_kept", {})
            losses.append(train(model, X, Y, steps=12).loss)
        return losses, [model.get_weights() for model in models]

    for shared, alone in zip(train_all(forget=False), train_all(forget=True), strict=True):
        assert all(
            np.array_equal(a, b) for a, b in zip(keras.tree.flatten(shared), keras.tree.flatten(alone), strict=True)
        )
    assert len(helpers.compiled._kept) == 1


def test_a_network_that_was_changed_since_does_not_stand_in_for_another():
    first, second = random_mlp((5,)), random_mlp((5,))
    expected = train(first, X, Y, steps=12)
    first.layers[0].trainable = False
    recording = train(second, X, Y, steps=12)
    assert np.array_equal(recording.loss, expected.loss) and recording.names == expected.names


def test_minibatches_visit_every_row_once_an_epoch():
    seen = np.concatenate(zerostart.training._order_of_rows(10, 10, 2, seed=0)).reshape(2, 10)
    assert [sorted(epoch) for epoch in seen.tolist()] == [list(range(10))] * 2
    model, rows = random_mlp(), zerostart.training._order_of_rows(len(X), 2, 50, seed=3)[0]
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(Y[rows], model(X[rows]))
    recording = train(model, X, Y, steps=2, batch_size=50, seed=3)
    assert recording.loss[0] == pytest.approx(float(expected), abs=1e-5)


def test_float_targets_mean_squared_error():
    target = X @ np.linspace(-1, 1, 64).astype("float32")
    model = random_mlp(outputs=1)
    expected = np.mean((ops.convert_to_numpy(model(X))[:, 0] - target) ** 2)
    recording = train(model, X, target, steps=60, optimizer=keras.optimizers.Adam(0.01))
    assert recording.loss[0] == pytest.approx(expected, rel=1e-4) and recording.loss[-1] < 0.5 * expected


def test_several_inputs_and_a_loss_of_your_own():
    left, right = keras.Input((30,), name="left"), keras.Input((34,), name="right")
    model = keras.Model(
        {"left": left, "right": right}, keras.layers.Dense(10)(keras.layers.Concatenate()([left, right]))
    )
    parts = {"left": X[:, :30], "right": X[:, 30:]}
    one_hot = np.eye(10)[Y]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    recording = train(model, parts, one_hot, steps=15, loss=loss)
    assert recording.loss[-1] < recording.loss[0]
    assert all(np.any(gradient) for gradient in gradients(model, parts, Y).values())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX and PyTorch compute parts of it in float32")
def test_double_precision_is_kept():
    keras.config.set_dtype_policy("float64")
    try:
        model = random_mlp()
    finally:
        keras.config.set_dtype_policy("float32")
    _, by_hand = gradients_by_hand(model.get_weights(), X, Y)
    found = list(gradients(model, X.astype("float64"), Y).values())
    assert all(np.allclose(a, b, rtol=1e-9, atol=1e-14) for a, b in zip(found, by_hand, strict=True))


def state_of(model):
    """Everything that a learner may hold on to."""
    parts = {variable.path: ops.convert_to_numpy(variable.value).copy() for variable in model.variables}
    if model.compiled:
        parts |= {f"optimizer/{v.path}": ops.convert_to_numpy(v.value).copy() for v in model.optimizer.variables}
        parts |= {f"metric/{n}": ops.convert_to_numpy(v.value) for n, v in enumerate(model.metrics_variables)}
    return parts


def assert_same_state(before, after):
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[path], after[path]) for path in before)


def compiled_model_with_state():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(6, "relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    model = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    model.fit(X, Y, epochs=1, verbose=0)
    return model


def test_gradients_leave_no_trace():
    model = compiled_model_with_state()
    before, optimizer, loss = state_of(model), model.optimizer, model.loss
    gradients(model, X, Y)
    assert_same_state(before, state_of(model))
    assert model.optimizer is optimizer and model.loss is loss
    model.fit(X, Y, epochs=1, verbose=0)


def test_train_changes_the_weights_and_nothing_else():
    model = compiled_model_with_state()
    before, optimizer = state_of(model), model.optimizer
    mine = keras.optimizers.Adam(0.01)
    train(model, X, Y, steps=12, optimizer=mine)
    after = state_of(model)
    changed = {path for path in before if not np.array_equal(before[path], after[path])}
    assert changed and not any(path.startswith(("optimizer/", "metric/")) for path in changed)
    assert model.optimizer is optimizer and not mine.built


def test_an_interrupted_training_leaves_the_model_as_it_was(monkeypatch):
    model = compiled_model_with_state()
    before = state_of(model)

    def stop(self):
        self.model.set_weights([w + 1 for w in self.model.get_weights()])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(helpers.seam.RecordedTraining, "run", stop)
        with pytest.raises(KeyboardInterrupt):
            train(model, X, Y, steps=12)
    assert_same_state(before, state_of(model))
    assert len(train(model, X, Y, steps=12).loss) == 12


NAN = X.copy()
NAN[3, 4] = np.nan


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"steps": 0}, ValueError, "steps.*at least 1.*got 0"),
        ({"steps": 1.5}, TypeError, "steps.*integer.*1.5"),
        ({"batch_size": 0}, ValueError, "batch_size.*got 0"),
        ({"batch_size": 201}, ValueError, "batch_size.*at most the 200 rows.*201"),
        ({"optimizer": "no such"}, ValueError, "optimizer.*no such"),
        ({"seed": -1}, ValueError, "seed.*at least 0.*-1"),
        ({"x": NAN}, ValueError, "x: expected finite"),
        ({"x": X[:, :63]}, ValueError, r"x: the model does not accept inputs of shape \(200, 63\)"),
        ({"x": X[:0], "y": Y[:0]}, ValueError, "x: expected a non-empty array"),
        ({"x": "digits"}, TypeError, "x: expected"),
        ({"x": None}, TypeError, "x: expected"),
        ({"y": Y[:-1]}, ValueError, "y: expected one target per row of x, got 199 targets for 200 rows"),
        ({"y": Y + 1}, ValueError, "y: expected classes from 0 to 9, got 1 to 10"),
        ({"y": Y - 1}, ValueError, "y: expected classes from 0 to 9, got -1 to 8"),
        ({"y": Y.astype("float32")}, ValueError, r"y: expected shape \(200, 10\)"),
        ({"y": np.where(Y == 0, np.inf, 1.0)}, ValueError, "y: expected finite"),
        ({"loss": "no such"}, ValueError, "loss.*no such"),
        ({"loss": 3}, (TypeError, ValueError), "loss.*3"),
        ({"loss": keras.losses.SparseCategoricalCrossentropy(reduction=None)}, ValueError, "loss: expected one number"),
        ({"loss": lambda y, p: keras.ops.mean(p, axis=0)}, ValueError, "loss: expected one number"),
        ({"loss": "mse", "y": np.ones((200, 3))}, ValueError, r"loss: cannot compare y of shape \(200, 3\)"),
        ({"model": "mlp"}, TypeError, "model: expected a keras.Model, got str"),
        ({"model": keras.Sequential([keras.layers.Dense(10)])}, ValueError, "model: expected a built model"),
        ({"model": keras.Sequential([keras.Input((64,)), keras.layers.Softmax()])}, ValueError, "model.*trainable"),
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
    assert_same_state(before, state_of(model))


def test_arrays_of_the_caller_are_not_changed():
    x, y = X.astype("float64"), Y.copy()
    train(random_mlp(), x, y, steps=3)
    assert np.array_equal(x, X) and np.array_equal(y, Y) and x.dtype == "float64"


class Scaled(keras.layers.Layer):
    factor = 1.0

    def call(self, inputs):
        return inputs * self.factor


@pytest.mark.parametrize("kind", ["class", "function"])
def test_a_setting_that_no_config_shows_is_not_overlooked(kind):
    """A compiled training may only be used again if nothing that it depends on has changed."""
    settings = Scaled()
    layer = settings if kind == "class" else keras.layers.Lambda(lambda inputs: inputs * settings.factor)
    model = keras.Sequential([keras.Input((64,)), layer, keras.layers.Dense(10)])
    weights = model.get_weights()
    losses = []
    for settings.factor in (1.0, 5.0):
        model.set_weights(weights)
        losses.append(train(model, X, Y, steps=12).loss[-1])
    assert losses[0] != losses[1]
