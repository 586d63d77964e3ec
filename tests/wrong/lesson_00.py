"""What may be wrong in lesson 0: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {}

# A layer that begins with another value than the page says.
ONES = """init = keras.layers.{layer}.__init__
def with_ones(self, *arguments, **settings):
    init(self, *arguments, **{{**settings, "{setting}": "ones"}})
keras.layers.{layer}.__init__ = with_ones"""

CONSTANT = """def call(self, shape, dtype=None):
    return ops.full(shape, {value}, dtype)
keras.initializers.{initializer}.__call__ = call"""

FAULTS = {
    "Glorot gives every unit the same weights": CONSTANT.format(initializer="GlorotUniform", value=0.1),
    "the digits are relabelled": """true_digits, shuffle = helpers.digits, np.random.default_rng(0).permutation
def relabelled():
    data = true_digits()
    return data._replace(y_train=shuffle(data.y_train), y_test=shuffle(data.y_test))
helpers.digits = relabelled""",
    "zeros are 1e-6": CONSTANT.format(initializer="Zeros", value=1e-6),
    "the slope of relu at 0 is 1": "keras.src.backend.nn.relu = lambda x: ops.maximum(x, 0.0)",
    "sigmoid is 0 at 0": "keras.src.backend.nn.sigmoid = ops.tanh",
    "biases start at one": ONES.format(layer="Dense", setting="bias_initializer"),
    "a shift starts at one": ONES.format(layer="LayerNormalization", setting="beta_initializer"),
    "both factors of LoRA are random": """enable_lora = keras.layers.Dense.enable_lora
def both(self, rank, **start):
    enable_lora(self, rank, b_initializer="he_uniform", **start)
keras.layers.Dense.enable_lora = both""",
    "a branch with a zero gate adds its input": """true_gated = helpers.models.ResidualBlocks.call
helpers.models.ResidualBlocks.call = lambda self, inputs: true_gated(self, inputs) + inputs""",
    "another hidden kernel than the zero one": ("zeros if place == k", "zeros if place < k"),
    "deeper networks have larger gradients": ("(*hidden, hidden[-1])", "hidden[:-1]"),
    "the loss is a hill": ("halfway = loss_of(", "halfway = 2 * highest - loss_of("),
    "the kernels of the head do not wait": (
        "waiting = train(network(head_initializer=zeros)",
        "waiting = train(network()",
    ),
    "the two zeros do not multiply each other": (
        "pair = network(one_zero, phi, head_initializer=zeros)",
        "pair = network(one_zero, phi, **head)",
    ),
}
