import random

import keras
import numpy as np
import pytest
from keras import layers, ops

import helpers
from helpers import ZeroInitializedLayer, digits, residual_mlp
from zerostart.diagnosis import diagnose

DATA = digits()
X, Y = DATA.x_train[:150], DATA.y_train[:150]
IMAGES = X.reshape(-1, 8, 8, 1)
SERIES = X.reshape(-1, 8, 8)
TOKENS = (SERIES[:, :, 0:5].sum(-1) * 3).astype("int32") % 12
WIDTHS = (1, 2, 7, 33)
RANDOM, ZEROS = "glorot_uniform", "zeros"


@pytest.fixture(autouse=True)
def fixed_seed():
    keras.utils.set_random_seed(1)


def verdict(model, x=X, y=Y, **arguments):
    return diagnose(model, x, y, **arguments).verdict


def mlp(hidden, *, kernel_initializer=ZEROS, **arguments):
    return helpers.mlp(hidden, kernel_initializer=kernel_initializer, **arguments)


def stack(*parts, shape=(64,), dtype=None):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *parts])


def head(kernel=ZEROS, units=10):
    return layers.Dense(units, kernel_initializer=kernel, name="head")


def unless_one_unit(width, expected):
    return "learns" if width == 1 else expected


# The theorems, at every width.


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_all_zero_is_frozen(activation, width):
    assert verdict(mlp((width, width), activation=activation)) == "frozen"


@pytest.mark.parametrize("activation", ["linear", "gelu", "silu", "elu", "leaky_relu", "softsign", "mish"])
def test_all_zero_is_frozen_for_every_activation_that_is_zero_at_zero(activation):
    assert verdict(mlp((5,), activation=activation)) == "frozen"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("activation", ["sigmoid", "softplus"])
def test_zero_is_symmetric_if_the_activation_is_not_zero_at_zero(activation, width):
    assert verdict(mlp((width, width), activation=activation)) == unless_one_unit(width, "symmetric")


@pytest.mark.parametrize("activation", ["hard_sigmoid", "exponential"])
def test_zero_is_symmetric_for_other_such_activations(activation):
    assert verdict(mlp((7, 7), activation=activation)) == "symmetric"


def test_balanced_rows_hide_nothing():
    """On XOR the gradients of all rows cancel exactly: full-batch descent stays for ever, minibatches leave."""
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32"), np.array([0, 1, 1, 0])
    assert verdict(mlp((7,), inputs=2, outputs=2, activation="sigmoid"), x, y) == "symmetric"
    assert verdict(mlp((7,), inputs=2, outputs=2, activation="tanh"), x, y) == "frozen"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("word, tanh, relu", [("RRZ", "learns", "learns"), ("RZR", "learns", "frozen")])
def test_one_zero_kernel(word, tanh, relu, width):
    positive = keras.initializers.RandomUniform(0.01, 0.2)  # keeps a single relu unit alive
    kernels = [positive if letter == "R" else ZEROS for letter in word]
    for activation, expected in (("tanh", tanh), ("relu", relu)):
        model = mlp((width, width), activation=activation, kernel_initializer=kernels[:2], head_initializer=kernels[2])
        assert verdict(model) == expected


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "word, activation, expected",
    [
        ("ZRR", "tanh", "learns"),
        ("ZRR", "relu", "frozen"),
        ("RZZ", "tanh", "frozen"),
        ("ZRZ", "tanh", "frozen"),
        # The second layer's bias moves, so the head gets a gradient, from an input that is the same for all rows.
        ("ZZR", "tanh", "partly frozen"),
        ("ZZR", "relu", "frozen"),
    ],
)
def test_count_the_zeros(word, activation, expected, width):
    kernels = [RANDOM if letter == "R" else ZEROS for letter in word]
    model = mlp((width, width), activation=activation, kernel_initializer=kernels[:2], head_initializer=kernels[2])
    assert verdict(model) == expected


@pytest.mark.parametrize("width", WIDTHS)
def test_a_hidden_bias_revives_relu(width):
    bias = keras.initializers.Constant(0.1)
    positive = keras.initializers.RandomUniform(0.01, 0.2)
    kernels = [ZEROS, positive]
    model = mlp((width, width), activation="relu", kernel_initializer=kernels, bias_initializer=bias)
    assert verdict(model) == "learns"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_example_of_the_request_learns(width):
    model = stack(ZeroInitializedLayer(width), layers.Dense(1))
    model.compile(optimizer="adam", loss="mse")
    assert verdict(model, y=X.sum(axis=1)) == "learns"


def test_units_that_are_close_by_chance_are_no_copies():
    assert verdict(stack(ZeroInitializedLayer(500), layers.Dense(1)), y=X.sum(axis=1)) == "learns"


def test_a_gradient_of_rounding_is_none():
    """All outputs give the same gradient back to the hidden units, so it sums to zero: p - y does."""
    for width in (5, 16, 33):
        model = mlp((width,), head_initializer=keras.initializers.Constant(0.3))
        assert verdict(model) == "frozen"


@pytest.mark.parametrize("width", WIDTHS)
def test_constant_kernels_are_symmetric(width):
    constant = keras.initializers.Constant(0.05)
    model = mlp((width, width), activation="tanh", kernel_initializer=constant)
    assert verdict(model) == unless_one_unit(width, "symmetric")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_random_layer_after_a_constant_one_parts_its_units(width):
    constant = keras.initializers.Constant(0.05)
    assert verdict(mlp((width, width), kernel_initializer=[constant, RANDOM], head_initializer=RANDOM)) == "learns"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "layer, activation, expected",
    [
        (layers.Dropout(0.5), "sigmoid", "learns"),
        (layers.GaussianNoise(0.3), "sigmoid", "learns"),
        (layers.GaussianNoise(0.3), "tanh", "learns"),
        (layers.GaussianNoise(0.3), "relu", "partly frozen"),
        (layers.Dropout(0.5), "tanh", "frozen"),
    ],
)
def test_what_hidden_randomness_breaks(layer, activation, expected, width):
    hidden = layers.Dense(width, activation=activation, kernel_initializer=ZEROS)
    layer = type(layer).from_config(layer.get_config())
    assert verdict(stack(hidden, layer, head())) == expected


@pytest.mark.parametrize("width", WIDTHS)
def test_what_does_not_break_symmetry(width):
    def hidden(kernel=ZEROS, **arguments):
        return layers.Dense(width, activation="sigmoid", kernel_initializer=kernel, **arguments)

    symmetric = unless_one_unit(width, "symmetric")
    assert verdict(stack(layers.Dropout(0.5), hidden(), head())) == symmetric
    assert verdict(stack(layers.GaussianNoise(1.0), hidden(), head())) == symmetric
    constant = hidden(keras.initializers.Constant(0.05))
    assert verdict(stack(constant, layers.BatchNormalization(), head())) == symmetric
    assert verdict(stack(hidden(kernel_regularizer="l2"), head())) == symmetric


@pytest.mark.parametrize("width", WIDTHS)
def test_a_random_bias_breaks_symmetry(width):
    hidden = layers.Dense(width, "sigmoid", kernel_initializer=ZEROS, bias_initializer="random_normal")
    assert verdict(stack(hidden, head())) == "learns"


# Other layers.


def conv(activation, kernel=ZEROS, filters=6):
    return layers.Conv2D(filters, 3, activation=activation, kernel_initializer=kernel)


def recurrent(layer, width, kernel=ZEROS):
    return layer(width, kernel_initializer=kernel, recurrent_initializer=kernel)


def images_net(*parts):
    return stack(*parts, shape=(8, 8, 1))


def series_net(*parts):
    return stack(*parts, shape=(8, 8))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "activation, last, expected",
    [
        ("relu", ZEROS, "frozen"),
        ("tanh", ZEROS, "frozen"),
        ("relu", RANDOM, "frozen"),
        ("tanh", RANDOM, "learns"),
        ("sigmoid", ZEROS, "symmetric"),
    ],
)
def test_convolutions(activation, last, expected, width):
    model = images_net(conv(activation, filters=width), layers.Flatten(), head(last))
    assert verdict(model, IMAGES) == (unless_one_unit(width, expected) if expected == "symmetric" else expected)


@pytest.mark.parametrize("width", WIDTHS[1:])
def test_equal_filters_before_global_pooling(width):
    pooled = images_net(conv("sigmoid", filters=width), layers.GlobalAveragePooling2D(), head())
    assert verdict(pooled, IMAGES) == "symmetric"
    transposed = layers.Conv2DTranspose(width, 3, kernel_initializer=ZEROS, activation="sigmoid")
    assert verdict(images_net(transposed, layers.GlobalMaxPooling2D(), head()), IMAGES) == "symmetric"


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Conv2D(4, 1, kernel_initializer=ZEROS),
        lambda: layers.SeparableConv2D(4, 3, pointwise_initializer=ZEROS),
        lambda: layers.DepthwiseConv2D(3, depthwise_initializer=ZEROS),
    ],
)
def test_zero_convolutions(layer):
    for last, expected in ((RANDOM, "learns"), (ZEROS, "frozen")):
        assert verdict(images_net(conv("tanh", RANDOM), layer(), layers.Flatten(), head(last)), IMAGES) == expected


@pytest.mark.parametrize("width", WIDTHS)
def test_embedding(width):
    def net(first, last):
        embedding = layers.Embedding(12, width, embeddings_initializer=first)
        return stack(embedding, layers.GlobalAveragePooling1D(), head(last), shape=(8,), dtype="int32")

    assert verdict(net(ZEROS, RANDOM), TOKENS) == "learns"
    assert verdict(net("uniform", ZEROS), TOKENS) == "learns"
    assert verdict(net(ZEROS, ZEROS), TOKENS) == "frozen"


@pytest.mark.parametrize("width", (1, 7))
@pytest.mark.parametrize("layer", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_recurrent_layers(layer, width):
    assert verdict(series_net(recurrent(layer, width), head()), SERIES) == "frozen"
    assert verdict(series_net(recurrent(layer, width), head(RANDOM)), SERIES) == "learns"
    same = keras.initializers.Constant(0.1)
    constant = series_net(recurrent(layer, width, same), head())
    assert verdict(constant, SERIES) == unless_one_unit(width, "symmetric")


def test_a_recurrent_kernel_without_a_past_stays_at_zero():
    model = stack(layers.SimpleRNN(5, recurrent_initializer=ZEROS), head(), shape=(1, 8))
    found = diagnose(model, SERIES[:, :1], Y)
    assert found.verdict == "partly frozen"
    assert "recurrent_kernel" in found.findings[0].problem


def attention_net(zeroed, width):
    inputs = keras.Input((8, 8))
    attention = layers.MultiHeadAttention(2, width, name="attention")
    hidden = layers.Add()([inputs, attention(inputs, inputs)])
    model = keras.Model(inputs, head(RANDOM)(layers.Flatten()(hidden)))
    for variable in attention.trainable_variables:
        if variable.name == "kernel" and variable.path.split("/")[-2] in zeroed:
            variable.assign(ops.zeros(variable.shape))
    return model


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "zeroed, expected, asleep",
    [
        ((), "learns", set()),
        (("query", "key"), "partly frozen", {"query", "key"}),
        (("query",), "learns", set()),
        (("attention_output",), "learns", set()),
        (("value", "attention_output"), "partly frozen", {"query", "key", "value", "attention_output"}),
    ],
)
def test_attention(zeroed, expected, asleep, width):
    found = diagnose(attention_net(zeroed, width), SERIES, Y)
    assert found.verdict == expected
    named = {finding.layer.split("/")[-1] for finding in found.findings if "never" in finding.problem}
    assert named == asleep


def lora_net(zero_a, width):
    model = mlp((width,), kernel_initializer=RANDOM)
    model.layers[0].enable_lora(2)
    if zero_a:
        model.layers[0].lora_kernel_a.assign(ops.zeros((64, 2)))
    return model


@pytest.mark.parametrize("width", WIDTHS)
def test_lora(width):
    assert verdict(lora_net(False, width)) == "learns"
    found = diagnose(lora_net(True, width), X, Y)
    assert found.verdict == "partly frozen"
    assert {finding.layer for finding in found.findings[:2]} == {"hidden_1"}


def gated_net(blocks, gate, last, width):
    inputs = keras.Input((64,))
    hidden = layers.Dense(width)(inputs)
    for _ in range(blocks):
        branch = layers.Dense(width, activation="tanh")(hidden)
        branch = layers.Dense(width, kernel_initializer=last)(branch)
        branch = layers.BatchNormalization(gamma_initializer=gate)(branch)
        hidden = layers.Add()([hidden, branch])
    return keras.Model(inputs, head(RANDOM)(hidden))


@pytest.mark.parametrize("width", (1, 7))
def test_residual_gates(width):
    assert verdict(gated_net(3, "zeros", RANDOM, width)) == "learns"
    assert verdict(gated_net(3, "ones", ZEROS, width)) == "learns"
    assert verdict(gated_net(2, "zeros", ZEROS, width)) == "partly frozen"
    assert verdict(residual_mlp(8, width)) == "learns"
    assert verdict(residual_mlp(8, width, projection_initializer=ZEROS)) == "partly frozen"


def test_logistic_regression_learns():
    assert verdict(stack(head())) == "learns"


def test_classes_that_never_occur_are_no_symmetry():
    assert verdict(stack(head(units=40))) == "learns"
    assert verdict(stack(layers.Dense(6, "tanh"), head(units=40))) == "learns"


class Perceptron(keras.Model):
    def __init__(self, kernel):
        super().__init__()
        self.first = layers.Dense(5, activation="sigmoid", kernel_initializer=kernel)
        self.last = layers.Dense(10, kernel_initializer=kernel)

    def call(self, inputs):
        return self.last(self.first(inputs))


class Scaled(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="zeros", name="scale")

    def call(self, inputs):
        return inputs * self.scale


def test_subclassed_models_and_custom_layers():
    for kernel, expected in ((ZEROS, "symmetric"), (RANDOM, "learns")):
        model = Perceptron(kernel)
        model(X[:1])
        assert verdict(model) == expected
    assert verdict(stack(layers.Dense(5), Scaled(), head(RANDOM))) == "learns"
    assert verdict(stack(layers.Dense(5), Scaled(), head(ZEROS))) == "frozen"


def parallel_net(initializer, join):
    inputs = keras.Input((64,))
    branches = [layers.Dense(6, activation="tanh", kernel_initializer=initializer)(inputs) for _ in range(2)]
    return keras.Model(inputs, head(RANDOM)(join()(branches)))


def test_a_shared_initializer_makes_copies():
    shared = keras.initializers.GlorotUniform()
    found = diagnose(parallel_net(shared, layers.Add), X, Y)
    assert found.verdict == "symmetric"
    assert "copies" in found.findings[0].problem
    assert verdict(parallel_net(shared, layers.Concatenate)) == "learns"
    assert verdict(parallel_net("glorot_uniform", layers.Add)) == "learns"
    chain = [layers.Dense(8, activation="tanh", kernel_initializer=shared) for _ in range(2)]
    assert verdict(stack(layers.Dense(8), *chain, head(RANDOM))) == "learns"


def test_copied_units():
    model = mlp((8,), kernel_initializer=RANDOM)
    first, bias, last, last_bias = model.get_weights()
    first[:, 4:], last[4:] = first[:, :4], last[:4]
    model.set_weights([first, bias, last, last_bias])
    found = diagnose(model, X, Y)
    assert found.verdict == "symmetric"
    assert "only 4 of its 8 units" in found.findings[0].problem
    noise = np.random.default_rng(0).normal(size=first.shape) * np.abs(first).max()
    for size, expected in ((1e-7, "symmetric"), (2e-4, "learns")):  # what rounding does, and what a person adds
        model.set_weights([first + size * noise, bias, last, last_bias])
        assert verdict(model) == expected
    last[4:] *= 0.5
    model.set_weights([first, bias, last, last_bias])
    assert verdict(model) == "learns"


# Rounding, depth, weights of all sizes.


def test_rounding_does_not_hide_symmetry():
    model = mlp((7, 7), activation="softplus", kernel_initializer=keras.initializers.Constant(0.02))
    noise = np.random.default_rng(0)
    model.set_weights([w + 1e-6 * noise.normal(size=w.shape) for w in model.get_weights()])
    assert verdict(model) == "symmetric"


@pytest.mark.parametrize("size", [1e-3, 1e-4, 1e-8])
@pytest.mark.parametrize("depth", [1, 2, 6])
@pytest.mark.parametrize("width", WIDTHS)
def test_tiny_weights_are_healthy(width, depth, size):
    tiny = keras.initializers.RandomNormal(stddev=size, seed=3)
    found = diagnose(mlp((width,) * depth, kernel_initializer=tiny), X, Y)
    assert found.verdict == "learns"
    assert "starts close to zero" in found.findings[0].problem


def test_tiny_weights_do_not_wake_what_zeros_freeze():
    tiny = keras.initializers.RandomNormal(stddev=1e-6, seed=3)
    assert verdict(mlp((7, 7), kernel_initializer=[tiny, ZEROS], head_initializer=ZEROS)) == "frozen"
    assert verdict(mlp((7, 7), activation="relu", kernel_initializer=[ZEROS, tiny])) == "frozen"


def test_saturated_units_are_another_illness():
    found = diagnose(mlp((7, 7), kernel_initializer="ones"), X, Y)
    assert found.verdict == "partly frozen"
    assert "saturated" in found.findings[0].cause


def test_nothing_is_called_fine_that_keeps_units_identical():
    found = diagnose(mlp((7,), activation="sigmoid"), X, Y)
    assert found.verdict == "symmetric"
    assert not any("fine" in finding.problem for finding in found.findings)


def test_not_yet_is_not_never():
    assert verdict(mlp((4,) * 15, activation="sigmoid")) == "symmetric"
    assert verdict(mlp((1,) * 12, activation="sigmoid")) == "learns"


# Healthy models are not called ill.


def functional(shape, build, outputs=10):
    inputs = keras.Input(shape)
    return keras.Model(inputs, layers.Dense(outputs)(build(inputs)))


def residual_images(inputs):
    hidden = layers.Conv2D(6, 3, padding="same")(inputs)
    branch = layers.Activation("relu")(layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same")(hidden)))
    hidden = layers.Add()([hidden, layers.Conv2D(6, 3, padding="same")(branch)])
    return layers.GlobalAveragePooling2D()(hidden)


def transformer(inputs):
    hidden = layers.Dense(8)(inputs)
    hidden = layers.Add()([hidden, layers.MultiHeadAttention(2, 4)(hidden, hidden)])
    hidden = layers.LayerNormalization()(hidden)
    wide = layers.Dense(8)(layers.Dense(16, activation="gelu")(hidden))
    return layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([hidden, wide])))


def inception(inputs):
    branches = [layers.Conv2D(4, size, padding="same", activation="relu")(inputs) for size in (1, 3, 5)]
    return layers.Flatten()(layers.Concatenate()(branches))


def relu_conv(filters=8):
    return layers.Conv2D(filters, 3, activation="relu")


def normalized():
    return stack(layers.Dense(16, use_bias=False), layers.BatchNormalization(), layers.ReLU(), head(RANDOM))


def tokens_net():
    return stack(layers.Embedding(12, 6), layers.LSTM(6), head(RANDOM), shape=(8,), dtype="int32")


def flat_images_net(*parts):
    return images_net(*parts, layers.Flatten(), head(RANDOM))


HEALTHY = {
    "linear": (lambda: stack(head(RANDOM)), X),
    "relu": (lambda: mlp((32, 32), activation="relu", kernel_initializer="he_normal"), X),
    "tanh": (lambda: mlp((32, 32), activation="tanh", kernel_initializer=RANDOM), X),
    "sigmoid": (lambda: mlp((16, 16), activation="sigmoid", kernel_initializer=RANDOM), X),
    "selu": (lambda: mlp((16,) * 5, activation="selu", kernel_initializer="lecun_normal"), X),
    "deep relu": (lambda: mlp((32,) * 12, activation="relu", kernel_initializer="he_normal"), X),
    "batch normalization": (normalized, X),
    "dropout": (lambda: stack(layers.Dense(32, "relu"), layers.Dropout(0.5), head(RANDOM)), X),
    "prelu": (lambda: stack(layers.Dense(16), layers.PReLU(), head(RANDOM)), X),
    "conv": (lambda: flat_images_net(relu_conv(), layers.MaxPooling2D(), relu_conv()), IMAGES),
    "separable conv": (lambda: flat_images_net(relu_conv(), layers.SeparableConv2D(8, 3)), IMAGES),
    "depthwise conv": (lambda: flat_images_net(relu_conv(), layers.DepthwiseConv2D(3), layers.ReLU()), IMAGES),
    "transposed conv": (lambda: flat_images_net(relu_conv(), layers.Conv2DTranspose(3, 3)), IMAGES),
    "residual": (lambda: functional((8, 8, 1), residual_images), IMAGES),
    "inception": (lambda: functional((8, 8, 1), inception), IMAGES),
    "simple rnn": (lambda: series_net(layers.SimpleRNN(8), head(RANDOM)), SERIES),
    "lstm": (lambda: series_net(layers.Bidirectional(layers.LSTM(6)), head(RANDOM)), SERIES),
    "gru": (lambda: series_net(layers.GRU(6, return_sequences=True), layers.GRU(6), head(RANDOM)), SERIES),
    "transformer": (lambda: functional((8, 8), transformer), SERIES),
    "embedding": (tokens_net, TOKENS),
    "conv1d": (lambda: series_net(layers.Conv1D(8, 3), layers.GlobalMaxPooling1D(), head(RANDOM)), SERIES),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_models_learn(name):
    build, x = HEALTHY[name]
    assert verdict(build(), x) == "learns"


# Inputs and targets of any kind.


def test_several_inputs():
    left, right = keras.Input((32,), name="left"), keras.Input((32,), name="right")
    model = keras.Model({"left": left, "right": right}, head()(layers.Concatenate()([left, right])))
    assert verdict(model, {"left": X[:, :32], "right": X[:, 32:]}) == "learns"
    model = keras.Model([left, right], head()(layers.Concatenate()([left, right])))
    assert verdict(model, [X[:, :32], X[:, 32:]]) == "learns"


def test_targets():
    one_hot = np.eye(10)[Y]
    for targets in (one_hot, one_hot.astype("int64"), one_hot.astype("float32")):
        assert verdict(stack(layers.Dense(10, "softmax", kernel_initializer=ZEROS)), y=targets) == "learns"
        assert verdict(mlp((4,)), y=targets, loss=keras.losses.CategoricalCrossentropy(from_logits=True)) == "frozen"
    assert verdict(stack(head(units=1)), y=Y % 2) == "learns"
    assert verdict(stack(layers.Dense(1, "sigmoid")), y=Y % 2, loss="binary_crossentropy") == "learns"
    assert verdict(stack(head(units=1)), y=X.sum(axis=1)) == "learns"
    per_row = lambda y, p: ops.mean(ops.square(y - p), axis=-1)  # noqa: E731
    assert verdict(mlp((4,), activation="sigmoid"), y=one_hot, loss=per_row) == "symmetric"


def test_sequences_of_targets():
    model = stack(layers.Dense(6, "tanh"), head(ZEROS, 3), shape=(8, 8))
    assert verdict(model, SERIES, (SERIES[:, :, 0] > 0).astype(int)) == "learns"


def test_the_compiled_loss_is_used():
    model = stack(layers.Dense(10, "softmax"))
    model.compile(loss="categorical_crossentropy")
    assert verdict(model, y=np.eye(10)[Y]) == "learns"


# What the findings say.


def test_each_sleeping_layer_is_named_and_cured():
    model = mlp((5, 5), activation="relu", kernel_initializer=[ZEROS, RANDOM], head_initializer=RANDOM)
    found = diagnose(model, X, Y)
    asleep = [finding for finding in found.findings if "never" in finding.problem]
    assert [finding.layer for finding in asleep] == ["hidden_1", "hidden_2", "head"]
    assert "starts at zero" in asleep[0].cause
    assert "hidden_1" in asleep[1].cause
    exec(asleep[0].cure, {"model": model, "keras": keras})
    assert verdict(model) == "learns"


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_every_cure_cures(activation):
    model = mlp((5, 5), activation=activation)
    for finding in diagnose(model, X, Y).findings:
        if "GlorotUniform" in finding.cure:
            exec(finding.cure, {"model": model, "keras": keras})
    assert verdict(model) == "learns"


def test_dead_relu_units_are_another_illness():
    model = mlp((6,), activation="relu", kernel_initializer="he_normal")
    first, bias, last, last_bias = model.get_weights()
    model.set_weights([first, bias - 100, last, last_bias])
    found = diagnose(model, X, Y)
    assert found.verdict == "frozen"
    assert "another illness" in found.findings[0].cause
    bias[:2] = -100
    model.set_weights([first, bias, last, last_bias])
    found = diagnose(model, X, Y)
    assert found.verdict == "learns"
    assert any(finding.problem == "2 of its 6 units are dead" for finding in found.findings)


def warned_of_the_optimizer(model):
    found = diagnose(model, X, Y, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return found.verdict, "optimizer" in [finding.layer for finding in found.findings]


def test_an_optimizer_that_remembers_other_weights():
    model = mlp((5,), activation="tanh", kernel_initializer=RANDOM)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    at_start = model.get_weights()
    assert warned_of_the_optimizer(model) == ("learns", False)
    model.fit(X, Y, batch_size=75, verbose=0)
    assert warned_of_the_optimizer(model) == ("learns", False)
    model.set_weights(at_start)
    assert warned_of_the_optimizer(model) == ("learns", True)
    model.set_weights([np.zeros_like(weight) for weight in at_start])
    assert warned_of_the_optimizer(model) == ("frozen", True)
    model.compile("adam", "mse")
    assert warned_of_the_optimizer(model) == ("frozen", False)


def test_frozen_layers_are_respected_and_said():
    model = mlp((5,), activation="tanh")
    model.layers[0].trainable = False
    found = diagnose(model, X, Y)
    assert found.verdict == "frozen"
    model.layers[0].kernel.assign(np.random.default_rng(0).normal(size=(64, 5)))
    found = diagnose(model, X, Y)
    assert found.verdict == "learns"
    assert any(finding.layer == "hidden_1" and "trainable" in finding.cause for finding in found.findings)


def test_zeros_on_purpose_are_called_fine():
    found = diagnose(mlp((5,), kernel_initializer=RANDOM, head_initializer=ZEROS), X, Y)
    problems = {finding.layer: finding.problem for finding in found.findings}
    assert "fine" in problems["head"]
    assert "fine" in problems["hidden_1, head"]


def test_zeros_that_make_units_equal_are_not_called_fine():
    found = diagnose(mlp((5,), activation="sigmoid"), X, Y)
    assert [finding.problem for finding in found.findings if finding.layer == "hidden_1"] == [
        "its 5 units are identical"
    ]


def test_the_result_reads_well():
    found = diagnose(mlp((5,)), X, Y)
    assert str(found).startswith("Verdict: frozen")
    assert repr(found) == f"Diagnosis('frozen', {len(found.findings)} findings)"
    page = found._repr_html_()
    for finding in found.findings:
        assert finding.layer and finding.problem and finding.cause and finding.cure
        assert finding.layer.split(",")[0] in page and finding.layer.split(",")[0] in str(found)
    assert page.count("<tr>") == page.count("</tr>") > 1


# Nothing is changed, and bad input is named.


def state(model):
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return {
        "values": [ops.convert_to_numpy(variable.value).tolist() for variable in variables],
        "trainable": [layer.trainable for layer in (model, *model.layers)],
        "flags": [(variable.trainable, variable.regularizer) for variable in model.variables],
        "compiled": (model.optimizer, model.loss, model._compile_loss, model.run_eagerly, model.compiled),
        "random": (random.getstate(), [str(part) for part in np.random.get_state()]),
    }


def random_numbers(model):
    return [ops.convert_to_numpy(part).tolist() for part in (keras.random.normal((3,)), model(X[:9], training=True))]


def test_nothing_is_changed():
    model = stack(
        layers.Dense(6, activation="sigmoid", kernel_initializer=ZEROS, kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dropout(0.2, seed=3),
        layers.Dense(4, trainable=False),
        head(),
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.fit(X, Y, batch_size=75, verbose=0)
    random_numbers(model)
    values = [ops.convert_to_numpy(variable.value) for variable in model.variables]

    def drawn(model, *, examined):
        for variable, value in zip(model.variables, values, strict=True):
            variable.assign(value)
        keras.utils.set_random_seed(5)
        if examined:
            before = state(model)
            diagnose(model, X, Y)
            assert state(model) == before
        return random_numbers(model)

    assert drawn(model, examined=False) == drawn(model, examined=True)


def test_everything_is_restored_after_an_error():
    model = mlp((4,), activation="sigmoid")

    def breaks(y, p):
        breaks.calls += 1
        if breaks.calls > 4:
            raise RuntimeError("broken loss")
        return ops.mean(ops.square(y - p), axis=-1)

    breaks.calls = 0
    with pytest.raises(RuntimeError):
        diagnose(model, X, np.eye(10)[Y], loss=breaks)
    assert not any(weight.any() for weight in model.get_weights())


def frozen(model):
    model.trainable = False
    return model


def with_nan(array):
    array = array.copy()
    array[-1] = np.nan
    return array


@pytest.mark.parametrize(
    "message, arguments",
    [
        ("model: expected a keras.Model", {"model": "mlp"}),
        ("model: expected a built model", {"model": keras.Sequential([layers.Dense(3)])}),
        ("model: expected at least one trainable", {"model": frozen(mlp((3,)))}),
        ("y: expected one target per row", {"y": Y[:-1]}),
        ("x: expected finite", {"x": with_nan(X)}),
        ("y: expected finite", {"y": with_nan(np.eye(10)[Y])}),
        ("x: expected a non-empty array", {"x": X[:0], "y": Y[:0]}),
        ("x: the model does not accept", {"x": X[:, :5]}),
        ("y: expected classes from 0 to 9", {"y": Y + 5}),
        ("loss: expected a name", {"loss": "crossentropy"}),
        ("loss: expected one number", {"loss": keras.losses.SparseCategoricalCrossentropy(reduction=None)}),
        ("loss: expected one number", {"loss": lambda y, p: ops.mean(p, axis=0)}),
        ("loss: cannot compare", {"loss": "mse", "y": np.ones((150, 3))}),
        ("loss: expected one loss", {"loss": ["mse", "mse"]}),
        ("model: expected a finite loss", {"y": np.full((150, 10), 1e25)}),  # its square is infinite, its slope is not
        ("model: expected a finite loss", {"model": mlp((3,), head_initializer=keras.initializers.Constant(np.nan))}),
    ],
)
def test_bad_input_is_named(message, arguments):
    with pytest.raises((TypeError, ValueError)) as problem:
        diagnose(**{"model": mlp((3,)), "x": X, "y": Y, **arguments})
    assert str(problem.value).startswith(message)
