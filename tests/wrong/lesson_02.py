"""What may be wrong in lesson 2: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {"hidden": (7, 5)}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {
    "2.1": {
        "hidden[0]": "That is how many units there are.",
        "1": "Equal incoming weights are not enough",
        "2": "Which units can swap places",
        "8": "The layer has only 7 units.",
        "'three'": "The answer must be a number",
    },
    "2.2": {
        "{1}": "With noise there, these kernels move: none.",
        "{2}": "With noise there, these kernels move: head.",
        "set()": "With noise there, these kernels move: none.",
        "{1, 2, 3}": "Your hidden layers have the numbers 1 to 2.",
        "2": "The answer must be a set of numbers",
    },
    "2.3": {
        "mlp(hidden, activation='sigmoid', kernel_initializer='glorot_uniform')": "The kernel of hidden_1 and all",
        "mlp(hidden, activation='sigmoid', kernel_initializer='zeros')": "Every kernel is zero.",
        "mlp(hidden, activation='sigmoid', kernel_initializer='zeros', head_initializer='glorot_uniform')": (
            "The units of hidden_1 are still identical."
        ),
        "mlp(hidden, activation='tanh', kernel_initializer=['zeros', 'glorot_uniform'])": "The activation must be",
        "mlp(hidden, activation='sigmoid', kernel_initializer=['zeros', 'glorot_uniform'])": (
            "More kernels than necessary"
        ),
        "from_zeros(behind=[keras.layers.Dropout(0.5)])": "Build the network with mlp",
        "keras.Sequential([keras.layers.Dense(7)])": "This model does not know its inputs",
    },
}

# Only some layers or some entries are touched, so that it takes the assert that looks there.
PERTURBED = """build = keras.layers.Dense.build
def perturbed(self, input_shape):
    build(self, input_shape)
    if self.name == {name!r} and (self.kernel_initializer.__class__ is keras.initializers.Zeros):
        values = ops.convert_to_numpy(self.{variable}.value).copy()
        values[..., 0] += 0.01
        self.{variable}.assign(values)
keras.layers.Dense.build = perturbed"""
BIASES_STAY_BEHIND = """update = keras.optimizers.Adam.update_step
def slower(self, gradient, variable, learning_rate):
    update(self, gradient, variable, learning_rate * (3e-3 if len(variable.shape) == 1 else 1.0))
keras.optimizers.Adam.update_step = slower"""
NOISY_ZEROS = """def noisy(self, shape, dtype=None):
    return ops.cast(1e-6 * np.random.random(shape), dtype or "float32")
keras.initializers.Zeros.__call__ = noisy"""
ADDING_DROPOUT = """def adding(self, inputs, training=False):
    return inputs + ops.cast(np.random.normal(size=(1, inputs.shape[-1])), inputs.dtype)
keras.layers.Dropout.call = adding"""

FAULTS = {
    "zeros are tiny noise": NOISY_ZEROS,
    "Adam climbs": """update = keras.optimizers.Adam.update_step
keras.optimizers.Adam.update_step = lambda self, g, variable, rate: update(self, -g, variable, rate)""",
    "the head's bias goes a tenth of the way": BIASES_STAY_BEHIND,
    "sigmoid is 0 at 0": "keras.src.backend.nn.sigmoid = ops.tanh",
    "softplus is flat at 0": "keras.src.backend.nn.softplus = lambda x: ops.exp(-ops.square(x))",
    "the slope of relu at 0 is 1": "keras.src.backend.nn.relu = lambda x: ops.maximum(x, 0.0)",
    "one unit of hidden_1 differs": PERTURBED.format(name="hidden_1", variable="kernel"),
    "one unit of hidden_2 differs": PERTURBED.format(name="hidden_2", variable="kernel"),
    "one bias of hidden_2 differs": PERTURBED.format(name="hidden_2", variable="bias"),
    "dropout adds instead of multiplying": ADDING_DROPOUT,
    "noise layers do nothing": "keras.layers.GaussianNoise.call = lambda self, inputs, training=False: inputs",
    "batch normalization does nothing": "keras.layers.BatchNormalization.call = lambda self, x, training=False: x",
    "effective width counts units": "helpers.effective_width = lambda kernel, bias=None: kernel.shape[-1]",
    "effective width is 1": "helpers.effective_width = lambda kernel, bias=None: 1",
    "the rates hardly differ": ("keras.ops.linspace(0.5, 1.5", "keras.ops.linspace(0.9996, 1.0004"),
    "the order stays as it is": ("[kernel[:, ::-1], bias[::-1], leaving[::-1]", "[kernel, bias, leaving"),
    "outgoing weights are not relabelled": ("leaving[::-1]", "leaving"),
    "the random head is zero": ("""from_zeros(head_initializer="glorot_uniform")""", "from_zeros()"),
    "both rings have as many points": ("% 3 == 0", "% 1 == 0"),
}
