"""What may be wrong in lesson 1: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {"inputs": 6, "units": 5}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {
    "1.1": {
        "inputs * units": "That is the hidden kernel.",
        "inputs * units + units + 1": "That is the number of all weights",
        "units": "Go through the three variables",
        "'all of them'": "The answer must be a number",
    },
    "1.2": {
        "ZeroInitializedLayer(units)": "The answer must be a keras.layers.Dense.",
        "keras.layers.Dense": "That is a class.",
        "keras.layers.Dense(units + 1, kernel_initializer='zeros', use_bias=False)": "This layer has another number",
        "keras.layers.Dense(units)": "This kernel does not start at zero",
        "keras.layers.Dense(units, kernel_initializer='zeros')": "The kernel is right",
        "keras.layers.Dense(units, 'relu', kernel_initializer='zeros', use_bias=False)": "It starts right, but",
    },
    "1.3": {
        "both_zero.layers": "The answer must be a model",
        "keras.Sequential([keras.layers.Dense(units), keras.layers.Dense(1)])": "This model does not know its inputs",
        "keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(1)])": "The model needs exactly two kernels",
        "both_zero": "Here neither kernel moves.",
        "keras.models.clone_model(model)": "This is the other way round",
        "keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(units), keras.layers.Dense(1)])": "Both kernels",
    },
}

# A weight of a layer is changed as soon as the layer is built.
ASSIGNED = """build = keras.layers.{layer}.build
def changed(self, *shapes):
    build(self, *shapes)
    for weight in self.weights{which}:
        weight.assign(ops.full(weight.shape, 0.1))
keras.layers.{layer}.build = changed"""

ZEROS = """call = keras.initializers.Zeros.__call__
def changed(self, shape, dtype=None):
    {change}
    return call(self, shape, dtype)
keras.initializers.Zeros.__call__ = changed"""

FAULTS = {
    "zeros are 0.001": ZEROS.format(change="return ops.full(shape, 1e-3, dtype)"),
    "ZeroInitializedLayer starts at random": """def build(self, input_shape):
    self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="kernel")
helpers.ZeroInitializedLayer.build = build""",
    "the targets do not depend on the inputs": (
        "y = (x @ (slopes / np.linalg.norm(slopes)) + 1)",
        "y = (generator.normal(size=(rows, 1)) + 1)",
    ),
    "two of four biases of attention are not zero": ASSIGNED.format(layer="MultiHeadAttention", which="[1:4:2]"),
    "the kernels of a convolution are all 0.1": ASSIGNED.format(layer="Conv2D", which="[:1]"),
    "an integer makes a matrix": ZEROS.format(change="shape = (shape, shape) if isinstance(shape, int) else shape"),
    "the shape () makes nothing": ZEROS.format(change="shape = (0,) if shape == () and dtype is None else shape"),
    "Zeros accepts a negative size": ZEROS.format(change="shape = (0,) if -1 in np.ravel(shape) else shape"),
    "gradient descent climbs": """update = keras.optimizers.SGD.update_step
keras.optimizers.SGD.update_step = lambda self, g, variable, rate: update(self, -g, variable, rate)""",
    "the head starts at zero": (
        'head = keras.layers.Dense(1, name="head")',
        'head = keras.layers.Dense(1, name="head", kernel_initializer="zeros")',
    ),
    "the head's kernel is all ones": (
        "head.kernel.assign(keras.initializers.get(name)",
        'head.kernel.assign(keras.initializers.get("ones")',
    ),
    "the formula has a factor too few": ("delta = 2 / rows *", "delta = 1 / rows *"),
    "both zeros learn": (
        'last = keras.layers.Dense(1, kernel_initializer="zeros"',
        'last = keras.layers.Dense(1, kernel_initializer="ones"',
    ),
    "a file forgets the kernel": "helpers.ZeroInitializedLayer.load_own_variables = lambda self, store: None",
    "PReLU begins as a line": """init = keras.layers.PReLU.__init__
keras.layers.PReLU.__init__ = lambda self, **settings: init(self, alpha_initializer="ones", **settings)""",
    "an LSTM forgets": """init = keras.layers.LSTM.__init__
keras.layers.LSTM.__init__ = lambda self, units: init(self, units, unit_forget_bias=False)""",
}
