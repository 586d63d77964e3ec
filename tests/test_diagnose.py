"""`diagnose` against theorems, against a check by hand, and on models as people write them; its cures are run."""

import itertools
import random

import keras
import numpy as np
import pytest
from keras import layers, ops
from test_what_fit_takes import ACCEPTED

import helpers
from helpers import ZeroInitializedLayer, digits, effective_width, residual_mlp, train
from zerostart.diagnosis import diagnose

DATA = digits()
X, Y = DATA.x_train[:150], DATA.y_train[:150]
IMAGES, SERIES, ONE_HOT, SUM = X.reshape(-1, 8, 8, 1), X.reshape(-1, 8, 8), np.eye(10)[Y], X.sum(axis=1)
TOKENS = (SERIES[:, :, 0:5].sum(-1) * 3).astype("int32") % 12
RANDOM, ZEROS, ONES, LOGITS = "glorot_uniform", "zeros", "ones", keras.losses.SparseCategoricalCrossentropy(True)


@pytest.fixture(autouse=True)
def fixed_seed():
    keras.utils.set_random_seed(1)


def constant(value):
    return keras.initializers.Constant(value)


def normal(size):
    return keras.initializers.RandomNormal(stddev=size, seed=3)


def mlp(hidden=(7, 7), activation="tanh", kernels=ZEROS, last=None, **arguments):
    arguments |= {"head_initializer": last} if last is not None else {}
    return helpers.mlp(hidden, activation=activation, kernel_initializer=kernels, **arguments)


def head(kernel=RANDOM, units=10, **arguments):
    return layers.Dense(units, kernel_initializer=kernel, name="head", **arguments)


def net(*parts, shape=(64,), loss=None, dtype=None):
    model = keras.Sequential([keras.Input(shape, dtype=dtype), *parts])
    if loss is not None:
        model.compile("adam", loss)
    return model


def graph(build, shape=(64,), loss=LOGITS):
    inputs = keras.Input(shape)
    model = keras.Model(inputs, build(inputs))
    model.compile("adam", loss)
    return model


def images_net(*parts):
    return net(*parts, shape=(8, 8, 1))


def series_net(*parts):
    return net(*parts, shape=(8, 8))


# The check by hand is the oracle: which kernels get a gradient in some plain steps, and do units stay identical?


def by_hand(model):
    recording = train(model, X, Y, steps=10, optimizer=keras.optimizers.SGD(0.3))
    asleep = [not np.any(recording.gradient_rms[path]) for path in recording.unit_spread]
    hidden = [layer for layer in model.layers[:-1] if isinstance(layer, layers.Dense)]
    same = any(layer.units > 1 and effective_width(layer.kernel, layer.bias) == 1 for layer in hidden)
    if any(asleep):
        return "frozen" if all(asleep) else "partly frozen"
    return "symmetric" if same else "learns"


WORDS = ["".join(word) for count in (2, 3) for word in itertools.product("RZ", repeat=count)]


@pytest.mark.parametrize("width", [1, 2, 33])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_every_placement_of_zeros_is_judged_as_by_hand(activation, width):
    for word in WORDS:
        positive = keras.initializers.RandomUniform(0.01, 0.2, seed=5)  # no relu unit is dead by chance
        kernels = [positive if letter == "R" else ZEROS for letter in word]
        model = mlp((width,) * (len(word) - 1), activation, kernels[:-1], kernels[-1])
        assert diagnose(model, X, Y).verdict == by_hand(model), word


@pytest.mark.parametrize(
    "activation", ["linear", "gelu", "silu", "elu", "leaky_relu", "softsign", "mish", "softplus", "exponential"]
)
def test_all_zero_is_judged_as_by_hand(activation):
    model = mlp((4,), activation)
    assert diagnose(model, X, Y).verdict == by_hand(model)


# Each row: the model, its data, the verdict, the place of the first ill, a word of the report.


def conv(activation, kernel=ZEROS, filters=6, **arguments):
    return layers.Conv2D(filters, 3, activation=activation, kernel_initializer=kernel, **arguments)


def recurrent(layer, width=7, kernel=ZEROS):
    return layer(width, kernel_initializer=kernel, recurrent_initializer=kernel)


def embedding_net(first, last, width=3):
    parts = layers.Embedding(12, width, embeddings_initializer=first), layers.GlobalAveragePooling1D(), head(last)
    return net(*parts, shape=(8,), dtype="int32")


def attention_net(*zeroed, width=4):
    attention = layers.MultiHeadAttention(2, width, name="attention")
    model = graph(lambda x: head()(layers.Flatten()(layers.Add()([x, attention(x, x)]))), (8, 8))
    for name in zeroed:
        getattr(attention, f"{name}_dense").kernel.assign(ops.zeros(getattr(attention, f"{name}_dense").kernel.shape))
    return model


def equal_heads():
    model = attention_net()
    attention = model.get_layer("attention")
    for name, axis in (("query", 1), ("key", 1), ("value", 1), ("output", 0)):
        kernel = getattr(attention, f"_{name}_dense").kernel
        one = np.take(ops.convert_to_numpy(kernel.value), [0], axis)
        kernel.assign(np.repeat(one, 2, axis))
    return model


def lora_net(a):
    model = mlp((7,), kernels=RANDOM)
    model.layers[0].enable_lora(2, a_initializer=a)
    return model


def gated_net(blocks, gate, last, width=5):
    def build(hidden):
        hidden = layers.Dense(width)(hidden)
        for _ in range(blocks):
            branch = layers.Dense(width, kernel_initializer=last)(layers.Dense(width, "tanh")(hidden))
            hidden = layers.Add()([hidden, layers.BatchNormalization(gamma_initializer=gate)(branch)])
        return head()(hidden)

    return graph(build)


def parallel_net(initializer, join):
    branches = [layers.Dense(6, "tanh", kernel_initializer=initializer, name=name) for name in ("left", "right")]
    return graph(lambda x: head()(join()([branch(x) for branch in branches])))


def copied(units, pairs, activation="tanh", sign=1, noise=0.0):
    """Return a network some of whose units have copies."""
    model = mlp((units,), activation, RANDOM)
    first, bias, last, last_bias = model.get_weights()
    first[:, -pairs:], last[-pairs:] = sign * first[:, :pairs], sign * last[:pairs]
    shaken = first + noise * np.abs(first).max() * np.random.default_rng(0).normal(size=first.shape)
    model.set_weights([shaken, bias, last, last_bias])
    return model


class Transposed(layers.Layer):
    """Weights of shape (units, inputs)."""

    def __init__(self, initializer):
        super().__init__(name="transposed")
        self.initializer = initializer

    def build(self, shape):
        self.rows = self.add_weight(shape=(9, shape[-1]), initializer=self.initializer, name="rows")

    def call(self, inputs):
        return ops.tanh(ops.matmul(inputs, ops.transpose(self.rows)))


class Written(keras.Model):
    """A subclassed model; `change` stands between its two layers."""

    def __init__(self, change=lambda model, hidden: hidden, **more):
        super().__init__(name="written")
        self.change, self.more = change, more
        self.first, self.head = layers.Dense(6, "tanh", name="first"), head()
        self(X[:2])

    def call(self, inputs):
        return self.head(self.change(self, self.first(inputs)))


class Box:
    def __init__(self):
        self.inside = layers.Dense(6, name="inside")


BOX = Box()
SMALL = constant(0.05)
ILL_BIAS, FULL_BIAS = ({"bias_initializer": constant(value)} for value in (-50.0, 50.0))
FACTS = {
    # T1 to T8
    "request": (lambda: net(ZeroInitializedLayer(5), layers.Dense(1), loss="mse"), X, SUM, "learns"),
    "request, wide": (lambda: net(ZeroInitializedLayer(500), layers.Dense(1), loss="mse"), X, SUM, "learns"),
    "logistic": (lambda: net(head(ZEROS)), X, Y, "learns"),
    "classes that never occur": (lambda: mlp((6,), kernels=RANDOM, outputs=40), X, Y, "learns"),
    "all zero": (mlp, X, Y, "frozen", "hidden_1, hidden_2, head", "block one another"),
    "zero before relu": (lambda: mlp((7, 7), "relu", [ZEROS, RANDOM], RANDOM), X, Y, "frozen", "hidden_1", "relu"),
    "a hidden bias": (lambda: mlp((7,), "relu", ZEROS, RANDOM, bias_initializer=constant(0.1)), X, Y, "learns"),
    "constant head": (lambda: mlp((16,), kernels=ZEROS, last=constant(0.3)), X, Y, "frozen", "", ""),
    "constant": (lambda: mlp(kernels=SMALL), X, Y, "symmetric", "hidden_1, hidden_2", "7 units are identical"),
    "constant, one unit": (lambda: mlp((1, 1), kernels=SMALL), X, Y, "learns"),
    "constant, then random": (lambda: mlp(kernels=[SMALL, RANDOM], last=RANDOM), X, Y, "learns"),
    "tiny, one hidden layer": (lambda: mlp((7,), kernels=normal(1e-4)), X, Y, "learns"),
    "tiny, deep": (lambda: mlp((7,) * 4, kernels=normal(1e-3)), X, Y, "slow", "hidden_1", "far too small"),
    "tiny and zeros": (lambda: mlp((7, 7), kernels=[normal(1e-6), ZEROS], last=ZEROS), X, Y, "frozen", "hidden_2", ""),
    "deep symmetric": (lambda: mlp((4,) * 5, "sigmoid"), X, Y, "symmetric", "hidden_1", "identical"),
    # T3: what breaks symmetry
    "hidden dropout": (
        lambda: net(layers.Dense(7, "sigmoid", kernel_initializer=ZEROS), layers.Dropout(0.5), head(ZEROS)),
        X, Y, "learns"),
    "dropped inputs": (
        lambda: net(layers.Dropout(0.5), layers.Dense(7, "sigmoid", kernel_initializer=ZEROS, name="h"), head(ZEROS)),
        X, Y, "symmetric", "h", "identical"),
    "batch normalization": (
        lambda: net(layers.Dense(7, kernel_initializer=SMALL, name="h"), layers.BatchNormalization(), head(ZEROS)),
        X, Y, "symmetric", "h", "identical"),
    "random bias": (lambda: mlp((7,), "sigmoid", bias_initializer="random_normal"), X, Y, "learns"),
    # T9, T10: other layers
    "conv relu": (lambda: images_net(conv("relu", name="c"), layers.Flatten(), head()), IMAGES, Y, "frozen", "c", ""),
    "conv tanh": (lambda: images_net(conv("tanh"), layers.Flatten(), head()), IMAGES, Y, "learns"),
    "conv sigmoid": (
        lambda: images_net(conv("sigmoid", name="c"), layers.GlobalAveragePooling2D(), head(ZEROS)),
        IMAGES, Y, "symmetric", "c", "identical"),
    "zero convolution": (lambda: images_net(conv("tanh", RANDOM), conv(None), layers.Flatten(), head()),
                         IMAGES, Y, "learns"),
    "zero embedding": (lambda: embedding_net(ZEROS, RANDOM), TOKENS, Y, "learns"),
    "embedding and head": (lambda: embedding_net(ZEROS, ZEROS), TOKENS, Y, "frozen", "embedding", "block"),
    "zero lstm": (lambda: series_net(recurrent(layers.LSTM), head()), SERIES, Y, "learns"),
    "zero gru and head": (lambda: series_net(recurrent(layers.GRU), head(ZEROS)), SERIES, Y, "frozen", "gru", ""),
    "constant lstm": (
        lambda: series_net(recurrent(layers.LSTM, kernel=constant(0.1)), head(ZEROS)),
        SERIES, Y, "symmetric", "lstm", "identical"),
    "query and key": (lambda: attention_net("_query", "_key"), SERIES, Y, "partly frozen", "attention/query", "key"),
    "value and output": (lambda: attention_net("_value", "_output"), SERIES, Y, "partly frozen", "attention/value", ""),
    "zero query": (lambda: attention_net("_query"), SERIES, Y, "learns"),
    "equal heads": (equal_heads, SERIES, Y, "symmetric", "attention/query", "heads are identical"),
    "lora": (lambda: lora_net("normal"), X, Y, "learns"),
    "lora, A zero": (lambda: lora_net(ZEROS), X, Y, "partly frozen", "hidden_1", "lora_kernel_a"),
    "zero gates": (lambda: gated_net(3, ZEROS, RANDOM), X, Y, "learns"),
    "zero projections": (lambda: gated_net(3, ONES, ZEROS), X, Y, "learns"),
    "gates and projections": (lambda: gated_net(2, ZEROS, ZEROS), X, Y, "partly frozen", "dense", "block"),
    "residual": (lambda: residual_mlp(8, 7), X, Y, "learns"),
    "equal branches": (lambda: parallel_net(keras.initializers.GlorotUniform(), layers.Add),
                       X, Y, "symmetric", "left, right", "copies"),
    "equal branches, joined": (lambda: parallel_net(keras.initializers.GlorotUniform(), layers.Concatenate),
                               X, Y, "learns"),
    # copies
    "one pair of many": (lambda: copied(230, 1), X, Y, "symmetric", "hidden_1", "229 of its 230"),
    "some pairs": (lambda: copied(40, 16, "relu"), X, Y, "symmetric", "hidden_1", "of its 40 units are different"),
    "rounding between copies": (lambda: copied(8, 4, noise=1e-7), X, Y, "symmetric", "hidden_1", ""),
    "noise between copies": (lambda: copied(8, 4, noise=2e-4), X, Y, "learns"),
    "mirrored": (lambda: copied(12, 6, sign=-1), X, Y, "symmetric", "hidden_1", "up to the sign"),
    "mirrored relu": (lambda: copied(12, 6, "relu", sign=-1), X, Y, "learns"),
    "transposed": (lambda: net(Transposed(SMALL), head(SMALL)), X, Y, "symmetric", "transposed", "9 units"),
    "transposed, random": (lambda: net(Transposed(RANDOM), head()), X, Y, "learns"),
    # outputs and losses
    "softmax over one": (
        lambda: net(layers.Dense(6, "tanh"), head(units=1, activation="softmax"), loss="binary_crossentropy"),
        X, Y % 2, "frozen", "head", "sigmoid"),
    "cross-entropy over one": (
        lambda: net(layers.Dense(6, "tanh"), head(units=1, activation="sigmoid"), loss="categorical_crossentropy"),
        X, Y[:, np.newaxis] % 2, "frozen", "loss", "BinaryCrossentropy"),
    "logits, no probabilities": (
        lambda: net(layers.Dense(6, "tanh"), head(), loss="sparse_categorical_crossentropy"),
        X, Y, "slow", "loss", "from_logits=True"),
    "tanh head": (
        lambda: net(head(units=1, activation="tanh"), loss="binary_crossentropy"),
        X, Y % 2, None, "loss", "from -1 to 1"),
    "targets out of range": (
        lambda: net(layers.Dense(6, "tanh"), head(units=1, activation="sigmoid"), loss="mse"),
        X, SUM, "slow", "y", "from 0 to 1"),
    "far away": (lambda: net(layers.Dense(6, "tanh"), head(units=1), loss="mse"), X, 1e6 + SUM, "slow", "y", "far"),
    "no whole classes": (
        lambda: net(head(units=2, activation="softmax"), loss="sparse_categorical_crossentropy"),
        X, SUM / SUM.max(), "slow", "y", "whole"),
    # places where nothing gets through
    "dead": (lambda: mlp((7,), "relu", "he_normal", **ILL_BIAS), X, Y, "frozen", "hidden_1", "dead"),
    "saturated by x": (lambda: mlp((7,), "tanh", RANDOM), 1e4 * X, Y, None, "hidden_1", "saturated"),
    "saturated above": (lambda: mlp((7,), "relu6", RANDOM, **FULL_BIAS), X, Y, None, "hidden_1", "saturated"),
    "saturated gates": (lambda: series_net(layers.LSTM(6), head()), 1e4 * SERIES, Y, None, "lstm", "saturated"),
    "saturated by kernels": (lambda: mlp((7,), "tanh", normal(30.0), RANDOM), X, Y, None, "hidden_1", "saturated"),
    "sure of every logit": (lambda: mlp((32,), "relu", RANDOM), 1e4 * X, Y, "slow", "x", "sure answer"),
    "sure of every class": (
        lambda: net(head(RANDOM, activation="softmax"), loss="sparse_categorical_crossentropy"),
        1e4 * X, Y, "slow", "x", "sure answer"),
    "nothing goes in": (lambda: mlp((7,), "tanh", RANDOM), 0 * X, Y, "frozen", "x", "0 in every row"),
    "too large": (lambda: mlp((32, 32), "relu", RANDOM, normal(9.0)), X, Y, "slow", "head", "far too large"),
    "fading": (lambda: mlp((16,) * 10, "sigmoid", RANDOM), X, Y, "slow", "hidden_1", "fade"),
    "NaN weight": (lambda: mlp((7,), last=constant(np.nan)), X, Y, "frozen", "head", "NaN"),
    "NaN forward": (lambda: graph(lambda x: head()(ops.log(x - 1))), X, Y, "frozen", "log", "NaN"),
    "NaN loss": (lambda: mlp((7,), kernels=RANDOM), X, np.full((150, 10), 1e25), "frozen", "loss", "NaN"),
    # parts that nothing uses are no illness
    "one step": (lambda: net(layers.GRU(6), head(), shape=(1, 8)), SERIES[:, :1], Y, "learns", "", "one step"),
    "rounded": (lambda: graph(lambda x: head()(ops.round(3 * layers.Dense(6)(x)))), X, Y, "learns", "", "round"),
    "stopped": (lambda: Written(lambda model, hidden: ops.stop_gradient(hidden)), X, Y, "learns", "", "comes back"),
    "thrown away": (
        lambda: Written(lambda model, hidden: [model.more["side"](hidden), hidden][1], side=layers.Dense(3)),
        X, Y, "learns", "", "Nothing takes"),
    "kept elsewhere": (lambda: Written(lambda model, hidden: BOX.inside(hidden)), X, Y, "partly frozen", "inside", ""),
    "made in call": (
        lambda: Written(lambda model, hidden: layers.Dense(6, name="anew")(hidden)),
        X, Y, "partly frozen", "anew", "inside"),
}  # fmt: skip
CODE = ("model.", "x =", "for name")  # how a cure begins that can be run


@pytest.mark.parametrize("name", FACTS)
def test_facts_and_their_cures(name):
    build, x, y, verdict, place, word = (*FACTS[name], "", "")[:6]
    model = build()
    before = model.get_weights()
    found = diagnose(model, x, y)
    assert verdict in (found.verdict, None), found
    assert all(map(np.array_equal, model.get_weights(), before)) or name == "NaN weight"
    ills = [finding for finding in found.findings if finding.kind == "ill"]
    assert bool(ills) == (found.verdict != "learns") and word in str(found), found
    assert not ills or ills[0].layer.startswith(place), found
    assert ("Not looked at" in str(found)) == (found.verdict == "learns")
    if all(finding.cure.startswith(CODE) for finding in ills):
        here = {"model": model, "keras": keras, "x": x}
        for finding in ills:
            exec(finding.cure, here)
        assert diagnose(here["model"], here["x"], y).verdict == "learns", found


# Healthy models are not called ill.


def residual_images(inputs):
    hidden = layers.Conv2D(6, 3, padding="same")(inputs)
    branch = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same")(hidden)))
    hidden = layers.Add()([hidden, layers.Conv2D(6, 3, padding="same")(branch)])
    return head()(layers.GlobalAveragePooling2D()(hidden))


def transformer(inputs):
    hidden = layers.Dense(8)(inputs)
    hidden = layers.LayerNormalization()(layers.Add()([hidden, layers.MultiHeadAttention(2, 4)(hidden, hidden)]))
    wide = layers.Dense(8)(layers.Dense(16, "gelu")(hidden))
    return head()(layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([hidden, wide]))))


def flat_images_net(*parts):
    return images_net(*parts, layers.Flatten(), head())


HEALTHY = {
    "ends in a product": (
        lambda: graph(lambda inputs: layers.Multiply()([head()(inputs), layers.Dense(10)(inputs)])),
        X,
    ),
    "ends in arithmetic": (lambda: graph(lambda inputs: 1 - head()(inputs) * layers.Dense(10)(inputs)), X),
    "softmax over many": (lambda: net(layers.Dense(1500, "softmax"), head()), X),
    "relu": (lambda: mlp((32, 32), "relu", "he_normal"), X),
    "selu": (lambda: mlp((16,) * 5, "selu", "lecun_normal"), X),
    "deep relu": (lambda: mlp((32,) * 12, "relu", "he_normal"), X),
    "normalized": (lambda: net(layers.Dense(16), layers.BatchNormalization(), layers.ReLU(), head()), X),
    "dropout": (lambda: net(layers.Dense(32, "relu"), layers.Dropout(0.5), head()), X),
    "prelu": (lambda: net(layers.Dense(16), layers.PReLU(), head()), X),
    "conv": (lambda: flat_images_net(conv("relu", RANDOM), layers.MaxPooling2D(), conv("relu", RANDOM)), IMAGES),
    "separable": (lambda: flat_images_net(conv("relu", RANDOM), layers.SeparableConv2D(8, 3)), IMAGES),
    "depthwise": (lambda: flat_images_net(conv("relu", RANDOM), layers.DepthwiseConv2D(3), layers.ReLU()), IMAGES),
    "transposed": (lambda: flat_images_net(conv("relu", RANDOM), layers.Conv2DTranspose(3, 3)), IMAGES),
    "residual": (lambda: graph(residual_images, (8, 8, 1)), IMAGES),
    "lstm": (lambda: series_net(layers.Bidirectional(layers.LSTM(6)), head()), SERIES),
    "gru": (lambda: series_net(layers.GRU(6, return_sequences=True), layers.GRU(6), head()), SERIES),
    "transformer": (lambda: graph(transformer, (8, 8)), SERIES),
    "conv1d": (lambda: series_net(layers.Conv1D(8, 3), layers.GlobalMaxPooling1D(), head()), SERIES),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_models_learn(name):
    build, x = HEALTHY[name]
    found = diagnose(build(), x, Y)
    assert found.verdict == "learns" and not any("dead" in finding.problem for finding in found.findings), str(found)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_fit_takes(name):
    build, x, y = ACCEPTED[name]
    assert diagnose(build(), x, y).verdict == "learns"


def test_a_dataset_that_never_ends():
    def batches():
        while True:
            yield X[:50], Y[:50], np.ones(50)

    assert diagnose(mlp(kernels=RANDOM), batches()).verdict == "learns"


# What the report says beside the verdict.


def test_victims_stand_below_their_cause():
    found = diagnose(mlp((5, 5), "relu", [ZEROS, RANDOM], RANDOM), X, Y)
    assert [finding.kind for finding in found.findings[:2]] == ["ill", "victim"]
    assert "  so, hidden_2, head: never receives a gradient: Cut off by hidden_1." in str(found).splitlines()


def test_many_dead_units_are_noted():
    model = mlp((10,), "relu", "he_normal", last=RANDOM)
    model.layers[0].bias.assign([-100.0] * 6 + [0.0] * 4)
    found = diagnose(model, X, Y)
    assert found.verdict == "learns" and "6 of its 10 units are dead" in str(found)


def test_an_optimizer_that_remembers_other_weights():
    model = mlp((5,), kernels=RANDOM)
    model.compile("adam", LOGITS)
    at_start = model.get_weights()
    for weights, verdict, warned in (
        (None, "learns", False),
        (at_start, "learns", True),
        ([0 * weight for weight in at_start], "frozen", True),
    ):
        model.fit(X, Y, batch_size=75, verbose=0)
        model.set_weights(weights or model.get_weights())
        found = diagnose(model, X, Y)
        assert (found.verdict, "optimizer" in [f.layer for f in found.findings]) == (verdict, warned)
    model.compile("adam", LOGITS)
    assert "optimizer" not in [finding.layer for finding in diagnose(model, X, Y).findings]


def test_frozen_layers_are_left_out_and_said():
    model = mlp((5,))
    model.layers[0].trainable = False
    assert diagnose(model, X, Y).verdict == "frozen"
    model.layers[0].kernel.assign(np.random.default_rng(0).normal(size=(64, 5)))
    found = diagnose(model, X, Y)
    assert found.verdict == "learns" and "hidden_1: not trained, as you asked" in str(found)


def test_zeros_are_called_fine_only_if_they_are():
    found = diagnose(mlp((5,), kernels=RANDOM, last=ZEROS), X, Y)
    assert ("head", "its kernel starts at zero, which is fine") in [(f.layer, f.problem) for f in found.findings]
    assert "fine" not in str(diagnose(mlp((5,), "sigmoid"), X, Y))


def test_the_result_reads_well():
    found = diagnose(mlp((5,)), X, Y)
    assert str(found).startswith("Verdict: frozen")
    assert repr(found) == f"Diagnosis('frozen', {len(found.findings)} findings)"
    page = found._repr_html_()
    assert page.count("<tr>") == page.count("</tr>") == len(found.findings) + 1
    assert all(finding.problem in page and finding.problem in str(found) for finding in found.findings)


# Nothing is changed, and bad input is named.


class Parts(keras.Model):
    """A model with a `train_step` only, as one writes a GAN."""

    def __init__(self):
        super().__init__()
        self.maker = layers.Dense(3)


def state(model):
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return {
        "values": [ops.convert_to_numpy(variable.value).tolist() for variable in variables],
        "trainable": [layer.trainable for layer in (model, *model.layers)],
        "flags": [(variable.trainable, variable.regularizer) for variable in model.variables],
        "compiled": (model.optimizer, model.loss, model._compile_loss, model.run_eagerly, model.compiled),
        "random": (random.getstate(), [str(part) for part in np.random.get_state()]),
    }


def test_nothing_is_changed():
    hidden = layers.Dense(6, "sigmoid", kernel_initializer=ZEROS, kernel_regularizer="l2")
    frozen, drop, seeded = layers.Dense(4, trainable=False), layers.Dropout(0.5), layers.Dropout(0.2, seed=3)
    model = net(hidden, layers.BatchNormalization(), drop, seeded, frozen, head(ZEROS), loss=LOGITS)
    model.fit(X, Y, batch_size=75, verbose=0)
    values = model.get_weights()

    def drawn(examined):
        model.set_weights(values)
        keras.utils.set_random_seed(5)
        before = state(model)
        if examined:
            diagnose(model, X, Y)
        assert state(model) == before
        return [
            ops.convert_to_numpy(part).tolist() for part in (keras.random.normal((3,)), model(X[:9], training=True))
        ]

    assert drawn(False) == drawn(True)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_everything_is_restored_after_an_error(error):
    model, calls = mlp((4,), "sigmoid"), itertools.count()

    def breaks(y, p):
        if next(calls):
            raise error
        return ops.mean(ops.square(y - p), axis=-1)

    with pytest.raises(error):
        diagnose(model, X, ONE_HOT, loss=breaks)
    assert not any(weight.any() for weight in model.get_weights())
    assert diagnose(model, X, Y).verdict == "symmetric"


@pytest.mark.parametrize(
    "message, arguments",
    [
        ("model: expected a keras.Model", {"model": "mlp"}),
        ("model: it has no `call`; hand over its parts, each with its own data: model.maker", {"model": Parts()}),
        ("model: expected a built model", {"model": keras.Sequential([layers.Dense(3)])}),
        ("model: expected at least one trainable", {"model": net(layers.Softmax())}),
        ("y: expected one target per row", {"y": Y[:-1]}),
        ("x: expected finite", {"x": np.full_like(X, np.nan)}),
        ("x: expected a non-empty array", {"x": X[:0], "y": Y[:0]}),
        ("x: the model does not accept", {"x": X[:, :5]}),
        ("y: expected classes from 0 to 9", {"y": Y + 5}),
        ("loss: expected one number", {"loss": keras.losses.SparseCategoricalCrossentropy(reduction=None)}),
        ("loss: cannot compare", {"loss": "mse", "y": np.ones((150, 3))}),
    ],
)
def test_bad_input_is_named(message, arguments):
    with pytest.raises((TypeError, ValueError)) as problem:
        diagnose(**{"model": mlp((3,)), "x": X, "y": Y, **arguments})
    assert str(problem.value).startswith(message)
