"""`diagnose` against theorems, against a check by hand, and on models as people write them; its cures are run."""

import itertools
import random

import keras
import numpy as np
import pytest
from keras import layers, ops
from test_training import state_of
from test_what_fit_takes import ACCEPTED, compiled, stack

import helpers
from helpers import ZeroInitializedLayer, digits, effective_width, residual_mlp, train
from zerostart.diagnosis import diagnose

DATA = digits()
X, Y = DATA.x_train[:150], DATA.y_train[:150]
IMAGES, SERIES, SUM = X.reshape(-1, 8, 8, 1), X.reshape(-1, 8, 8), X.sum(axis=1)
TOKENS = (SERIES[:, :, 0:5].sum(-1) * 3).astype("int32") % 12
RANDOM, ZEROS, LOGITS = "glorot_uniform", "zeros", keras.losses.SparseCategoricalCrossentropy(True)


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


def dense(kernel=RANDOM, activation=None, units=7, **arguments):
    return layers.Dense(units, activation, kernel_initializer=kernel, name="hidden", **arguments)


def head(kernel=RANDOM, units=10, **arguments):
    return layers.Dense(units, kernel_initializer=kernel, name="head", **arguments)


def net(*parts, last=RANDOM, shape=(64,), **arguments):
    return stack(*parts, head(last), shape=shape, **arguments)


def images_net(*parts, last=RANDOM):
    return net(*parts, layers.Flatten(), last=last, shape=(8, 8, 1))


def series_net(*parts, last=RANDOM):
    return net(*parts, last=last, shape=(8, 8))


def ending(units, activation, loss, hidden=(7,)):
    """A network with a head and a loss of its own."""
    parts = [dense(activation="tanh", units=number) for number in hidden]
    return compiled(stack(*parts, head(units=units, activation=activation)), loss)


def graph(build, shape=(64,)):
    inputs = keras.Input(shape)
    return keras.Model(inputs, head()(build(inputs)))


# The check by hand is the oracle: which kernels get a gradient in some plain steps, and do units stay identical?


def by_hand(model):
    recording = train(model, X, Y, steps=10, optimizer=keras.optimizers.SGD(0.3))
    asleep = [not np.any(recording.gradient_rms[path]) for path in recording.unit_spread]
    hidden = [layer for layer in model.layers[:-1] if isinstance(layer, layers.Dense)]
    same = any(layer.units > 1 and effective_width(layer.kernel, layer.bias) == 1 for layer in hidden)
    if any(asleep):
        return "frozen" if all(asleep) else "partly frozen"
    return "symmetric" if same else "learns"


WORDS = ["".join(word) for count in (1, 2, 3) for word in itertools.product("RZ", repeat=count)]
OTHERS = ["linear", "gelu", "silu", "elu", "leaky_relu", "softsign", "mish", "softplus", "exponential"]
PLACED = [*itertools.product(["tanh", "relu", "sigmoid"], [1, 2, 33], [WORDS]), *((name, 4, ["ZZ"]) for name in OTHERS)]


@pytest.mark.parametrize(("activation", "width", "words"), PLACED)
def test_every_placement_of_zeros_is_judged_as_by_hand(activation, width, words):
    for word in words:
        positive = keras.initializers.RandomUniform(0.01, 0.2, seed=5)  # no relu unit is dead by chance
        kernels = [positive if letter == "R" else ZEROS for letter in word]
        model = mlp((width,) * (len(word) - 1), activation, kernels[:-1], kernels[-1])
        assert diagnose(model, X, Y).verdict == by_hand(model), word


def conv(activation, kernel=ZEROS):
    return layers.Conv2D(
        6, 3, activation=activation, kernel_initializer=kernel, name="conv" if kernel == ZEROS else None
    )


def recurrent(layer, kernel=ZEROS):
    return layer(7, kernel_initializer=kernel, recurrent_initializer=kernel)


def embedding_net(last):
    parts = layers.Embedding(12, 3, embeddings_initializer=ZEROS), layers.GlobalAveragePooling1D()
    return net(*parts, last=last, shape=(8,), dtype="int32")


def attention_net(*zeroed):
    attention = layers.MultiHeadAttention(2, 4, name="attention")
    model = graph(lambda x: layers.Flatten()(layers.Add()([x, attention(x, x)])), (8, 8))
    for name in zeroed:
        getattr(attention, f"_{name}_dense").kernel.assign(0 * getattr(attention, f"_{name}_dense").kernel.value)
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


def gated_net(gate, last):
    def build(hidden):
        hidden = layers.Dense(5)(hidden)
        for _ in range(3):
            branch = layers.Dense(5, kernel_initializer=last)(layers.Dense(5, "tanh")(hidden))
            hidden = layers.Add()([hidden, layers.BatchNormalization(gamma_initializer=gate)(branch)])
        return hidden

    return graph(build)


def joined_heads(join):
    inputs = keras.Input((64,))
    return compiled(keras.Model(inputs, join(layers.Dense(10)(inputs), layers.Dense(10)(inputs))), LOGITS)


def biased(value):
    return {"bias_initializer": constant(value)}


def parallel_net(join):
    shared = keras.initializers.GlorotUniform()
    branches = [layers.Dense(6, "tanh", kernel_initializer=shared, name=name) for name in ("left", "right")]
    return graph(lambda x: join()([branch(x) for branch in branches]))


def residual_images(inputs):
    hidden = layers.Conv2D(6, 3, padding="same")(inputs)
    branch = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same")(hidden)))
    hidden = layers.Add()([hidden, layers.Conv2D(6, 3, padding="same")(branch)])
    return layers.GlobalAveragePooling2D()(hidden)


def transformer(inputs):
    hidden = layers.Dense(8)(inputs)
    hidden = layers.LayerNormalization()(layers.Add()([hidden, layers.MultiHeadAttention(2, 4)(hidden, hidden)]))
    wide = layers.Dense(8)(layers.Dense(16, "gelu")(hidden))
    return layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([hidden, wide])))


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
        self.rows = self.add_weight(shape=(9, 64), initializer=initializer, name="rows")

    def call(self, inputs):
        return ops.tanh(ops.matmul(inputs, ops.transpose(self.rows)))


class Written(keras.Model):
    """A subclassed model; `change` stands between its two layers."""

    def __init__(self, change, side=None):
        super().__init__(name="written")
        self.change, self.side = change, side
        self.first, self.head = layers.Dense(6, "tanh", name="first"), head()
        self(X[:2])

    def call(self, inputs):
        return self.head(self.change(self, self.first(inputs)))


def made_in_call(model, hidden):
    return layers.Dense(6, name="anew")(hidden)


ELSEWHERE = [layers.Dense(6, name="inside")]  # Keras does not look for layers here
SMALL = constant(0.05)


DATA_OF = {(64,): X, (8, 8, 1): IMAGES, (8, 8): SERIES, (1, 8): SERIES[:, :1], (8,): TOKENS}

# How it is built; then the data, where they are not the digits in the shape that the model takes.
LEARNS = {
    "the request": (lambda: compiled(stack(ZeroInitializedLayer(5), layers.Dense(1)), "mse"), X, SUM),
    "classes that never occur": lambda: mlp((6,), kernels=RANDOM, outputs=40),
    "a hidden bias": lambda: mlp((7,), "relu", ZEROS, RANDOM, bias_initializer=constant(0.1)),
    "constant, one unit": lambda: mlp((1, 1), kernels=SMALL),
    "constant, then random": lambda: mlp(kernels=[SMALL, RANDOM], last=RANDOM),
    "tiny, one hidden layer": lambda: mlp((7,), kernels=normal(1e-4)),
    "hidden dropout": lambda: net(dense(ZEROS, "sigmoid"), layers.Dropout(0.5), last=ZEROS),
    "random bias": lambda: mlp((7,), "sigmoid", bias_initializer="random_normal"),
    "conv tanh": lambda: images_net(conv("tanh")),
    "zero convolution": lambda: images_net(conv("tanh", RANDOM), conv(None)),
    "zero embedding": lambda: embedding_net(RANDOM),
    "zero lstm": lambda: series_net(recurrent(layers.LSTM)),
    "zero query": lambda: attention_net("query"),
    "lora": lambda: lora_net("normal"),
    "zero gates": lambda: gated_net(ZEROS, RANDOM),
    "zero projections": lambda: gated_net("ones", ZEROS),
    "zero gates of the course": lambda: residual_mlp(8, 7),
    "equal branches, joined": lambda: parallel_net(layers.Concatenate),
    "noise between copies": lambda: copied(8, 4, noise=2e-4),
    "mirrored relu": lambda: copied(12, 6, "relu", sign=-1),
    "transposed": lambda: net(Transposed(RANDOM)),
    "ends in a product": lambda: joined_heads(lambda one, other: layers.Multiply()([one, other])),
    "ends in arithmetic": lambda: joined_heads(lambda one, other: 1 - one * other),
    # Healthy models are not called ill.
    "softmax over many": lambda: net(layers.Dense(1500, "softmax")),
    "selu": lambda: mlp((16,) * 5, "selu", "lecun_normal"),
    "deep relu": lambda: mlp((32,) * 12, "relu", "he_normal"),
    "normalized": lambda: net(layers.Dense(16), layers.BatchNormalization(), layers.ReLU()),
    "dropout": lambda: net(layers.Dense(32, "relu"), layers.Dropout(0.5)),
    "prelu": lambda: net(layers.Dense(16), layers.PReLU()),
    "conv": lambda: images_net(conv("relu", RANDOM), layers.MaxPooling2D(), conv("relu", RANDOM)),
    "separable": lambda: images_net(conv("relu", RANDOM), layers.SeparableConv2D(8, 3)),
    "depthwise": lambda: images_net(conv("relu", RANDOM), layers.DepthwiseConv2D(3), layers.ReLU()),
    "back to an image": lambda: images_net(conv("relu", RANDOM), layers.Conv2DTranspose(3, 3)),
    "residual": lambda: graph(residual_images, (8, 8, 1)),
    "lstm": lambda: series_net(layers.Bidirectional(layers.LSTM(6))),
    "gru": lambda: series_net(layers.GRU(6, return_sequences=True), layers.GRU(6)),
    "transformer": lambda: graph(transformer, (8, 8)),
    "conv1d": lambda: series_net(layers.Conv1D(8, 3), layers.GlobalMaxPooling1D()),
}

# Parts that nothing uses are no illness, and are said.
UNUSED = {
    "one step": lambda: net(layers.GRU(6), shape=(1, 8)),
    "round": lambda: graph(lambda x: ops.round(3 * layers.Dense(6)(x))),
    "comes back": lambda: Written(lambda model, hidden: ops.stop_gradient(hidden)),
    "Nothing takes": lambda: Written(lambda model, hidden: [model.side(hidden), hidden][1], side=layers.Dense(3)),
}

BINARY, CLASSES, YES = "binary_crossentropy", "sparse_categorical_crossentropy", Y[:, np.newaxis] % 2
# The verdict, the place of the first ill, what is said; then as above.
ILL = {
    "all zero": ("frozen", "hidden_1, hidden_2, head", "block one another", mlp),
    "before relu": ("frozen", "hidden_1", "relu", lambda: mlp((7, 7), "relu", [ZEROS, RANDOM], RANDOM)),
    "constant head": ("frozen", "", "", lambda: mlp((16,), last=constant(0.3))),
    "constant": ("symmetric", "hidden_1, hidden_2", "7 units are identical", lambda: mlp(kernels=SMALL)),
    "tiny, deep": ("slow", "hidden_1", "far too small", lambda: mlp((7,) * 4, kernels=normal(1e-3))),
    "tiny and zeros": ("frozen", "hidden_2", "", lambda: mlp(kernels=[normal(1e-6), ZEROS], last=ZEROS)),
    "deep symmetric": ("symmetric", "hidden_1", "identical", lambda: mlp((4,) * 5, "sigmoid")),
    # What does not break symmetry.
    "dropped inputs": ("symmetric", "hidden", "", lambda: net(layers.Dropout(0.5), dense(SMALL), last=ZEROS)),
    "normalized": ("symmetric", "hidden", "", lambda: net(dense(SMALL), layers.BatchNormalization(), last=ZEROS)),
    # Other layers.
    "conv relu": ("frozen", "conv", "", lambda: images_net(conv("relu"))),
    "conv sigmoid": ("symmetric", "conv", "identical", lambda: images_net(conv("sigmoid"), last=ZEROS)),
    "embedding and head": ("frozen", "embedding", "block", lambda: embedding_net(ZEROS)),
    "zero gru and head": ("frozen", "gru", "", lambda: series_net(recurrent(layers.GRU), last=ZEROS)),
    "constant lstm": ("symmetric", "lstm", "", lambda: series_net(recurrent(layers.LSTM, SMALL), last=ZEROS)),
    "query and key": ("partly frozen", "attention/query", "key", lambda: attention_net("query", "key")),
    "value and output": ("partly frozen", "attention/value", "", lambda: attention_net("value", "output")),
    "equal heads": ("symmetric", "attention/query", "heads are identical", equal_heads),
    "lora, A zero": ("partly frozen", "hidden_1", "lora_kernel_a", lambda: lora_net(ZEROS)),
    "gates and projections": ("partly frozen", "dense", "block", lambda: gated_net(ZEROS, ZEROS)),
    "equal branches": ("symmetric", "left, right", "copies", lambda: parallel_net(layers.Add)),
    "kept elsewhere": ("partly frozen", "inside", "", lambda: Written(lambda model, hidden: ELSEWHERE[0](hidden))),
    "made in call": ("partly frozen", "anew", "inside", lambda: Written(made_in_call)),
    # Copies.
    "one pair of many": ("symmetric", "hidden_1", "229 of its 230", lambda: copied(230, 1)),
    "some pairs": ("symmetric", "hidden_1", "of its 40 units are different", lambda: copied(40, 16, "relu")),
    "rounding between copies": ("symmetric", "hidden_1", "", lambda: copied(8, 4, noise=1e-7)),
    "mirrored": ("symmetric", "hidden_1", "up to the sign", lambda: copied(12, 6, sign=-1)),
    "transposed": ("symmetric", "transposed", "9 units", lambda: net(Transposed(SMALL), last=SMALL)),
    # Outputs and losses.
    "softmax over one": ("frozen", "head", "sigmoid", lambda: ending(1, "softmax", BINARY), X, Y % 2),
    "over one": ("frozen", "loss", "Binary", lambda: ending(1, "sigmoid", "categorical_crossentropy"), X, YES),
    "logits, no probabilities": ("slow", "loss", "from_logits=True", lambda: ending(10, "linear", CLASSES)),
    "tanh head": (None, "loss", "from -1 to 1", lambda: ending(1, "tanh", BINARY), X, Y % 2),
    "targets out of range": ("slow", "y", "from 0 to 1", lambda: ending(1, "sigmoid", "mse"), X, SUM),
    "far away": ("slow", "y", "far", lambda: ending(1, "linear", "mse"), X, 1e6 + SUM),
    "no whole classes": ("slow", "y", "whole", lambda: ending(2, "softmax", CLASSES), X, SUM / SUM.max()),
    # Places where nothing gets through.
    "dead": ("frozen", "hidden_1", "dead", lambda: mlp((7,), "relu", RANDOM, **biased(-50.0))),
    "saturated by x": (None, "hidden_1", "saturated", lambda: mlp((7,), "tanh", RANDOM), 1e4 * X, Y),
    "saturated above": (None, "hidden_1", "saturated", lambda: mlp((7,), "relu6", RANDOM, **biased(50.0))),
    "saturated gates": (None, "lstm", "saturated", lambda: series_net(layers.LSTM(6)), 1e4 * SERIES, Y),
    "saturated by kernels": (None, "hidden_1", "saturated", lambda: mlp((7,), "tanh", normal(30.0), RANDOM)),
    "sure of every logit": ("slow", "x", "sure answer", lambda: mlp((32,), "relu", RANDOM), 1e4 * X, Y),
    # On TensorFlow Keras finds the logits behind the softmax, and it is slow; elsewhere no gradient comes back.
    "sure of every class": (None, "", "x = (x", lambda: ending(10, "softmax", CLASSES, ()), 1e4 * X, Y),
    "nothing goes in": ("slow", "x", "0 in every row", lambda: mlp((7,), "tanh", RANDOM), 0 * X, Y),
    "too large": ("slow", "head", "far too large", lambda: mlp((32, 32), "relu", RANDOM, normal(9.0))),
    "fading": ("slow", "hidden_1", "fade", lambda: mlp((16,) * 10, "sigmoid", RANDOM)),
    "NaN weight": ("frozen", "head", "NaN", lambda: mlp((7,), last=constant(np.nan))),
    "NaN forward": ("frozen", "log", "NaN", lambda: graph(lambda x: ops.log(x - 1))),
    "NaN loss": ("frozen", "loss", "NaN", lambda: mlp((7,), kernels=RANDOM), X, np.full((150, 10), 1e25)),
}


def built(build, *data):
    """Return a model and its data."""
    model = build()
    return model, *(data or (DATA_OF[getattr(model, "input_shape", (None, 64))[1:]], Y))


@pytest.mark.parametrize("name", [*LEARNS, *ACCEPTED, *UNUSED])
def test_what_learns_is_not_called_ill(name):
    case = (LEARNS | ACCEPTED | UNUSED)[name]
    found = diagnose(*built(*case) if isinstance(case, tuple) else built(case))
    assert found.verdict == "learns" and not any(finding.kind == "ill" for finding in found.findings), found
    assert not any("dead" in finding.problem for finding in found.findings), found
    assert "Not looked at" in str(found) and (name not in UNUSED or name in str(found)), found


@pytest.mark.parametrize("name", ILL)
def test_an_illness_is_told_with_its_place_and_its_cure_helps(name):
    verdict, place, word, *case = ILL[name]
    model, x, y = built(*case)
    found = diagnose(model, x, y)
    ills = [finding for finding in found.findings if finding.kind == "ill"]
    assert found.verdict == (verdict or found.verdict) and ills and "Not looked at" not in str(found), found
    assert ills[0].layer.startswith(place) and word in str(found), found
    if all(finding.cure.startswith(("model.", "x =", "for name")) for finding in ills):  # it can be run
        here = {"model": model, "keras": keras, "x": x}
        for finding in ills:
            exec(finding.cure, here)
        assert diagnose(here["model"], here["x"], y).verdict == "learns", found


def test_a_dataset_that_never_ends():
    batches = itertools.cycle([(X[:50], Y[:50], np.ones(50))])
    assert diagnose(mlp(kernels=RANDOM), batches).verdict == "learns"


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
    model = compiled(mlp((5,), kernels=RANDOM), LOGITS, "adam")
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
    compiled(model, LOGITS, "adam")
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
    page = found._repr_html_()
    assert str(found).startswith("Verdict: frozen") and repr(found).startswith("Diagnosis('frozen', ")
    assert page.count("<tr>") == page.count("</tr>") == len(found.findings) + 1
    assert all(finding.problem in page and finding.problem in str(found) for finding in found.findings)


# Nothing is changed.


def test_nothing_is_changed():
    hidden = layers.Dense(6, "sigmoid", kernel_initializer=ZEROS, kernel_regularizer="l2")
    parts = layers.BatchNormalization(), layers.Dropout(0.5), layers.Dropout(0.2, seed=3)
    model = compiled(net(hidden, *parts, layers.Dense(4, trainable=False), last=ZEROS), LOGITS, "adam")
    model.fit(X, Y, batch_size=75, verbose=0)
    values = model.get_weights()

    def drawn(examined):
        model.set_weights(values)
        keras.utils.set_random_seed(5)
        before = state_of(model)
        if examined:
            diagnose(model, X, Y)
        assert state_of(model) == before
        numbers = keras.random.normal((3,)), model(X[:9], training=True)
        return [random.random(), np.random.rand(), *(ops.convert_to_numpy(part).tolist() for part in numbers)]

    assert drawn(False) == drawn(True)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_everything_is_restored_after_an_error(error):
    model, calls = mlp((4,), "sigmoid"), itertools.count()

    def breaks(y, p):
        if next(calls):
            raise error
        return ops.mean(ops.square(y - p), axis=-1)

    with pytest.raises(error):
        diagnose(model, X, np.eye(10)[Y], loss=breaks)
    assert not any(weight.any() for weight in model.get_weights())
    assert diagnose(model, X, Y).verdict == "symmetric"
