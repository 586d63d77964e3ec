"""What may be wrong in lesson 5: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {
    "5.1": {
        "2": "The answer must be two things",
        "('hidden_1', 2)": "The answer must be a model",
        "mlp(hidden, kernel_initializer='glorot_uniform'), 'two'": "The answer must be a number",
        "mlp(hidden, kernel_initializer='glorot_uniform', inputs=3), 2": "Begin the model with keras.Input((64,))",
        "mlp(hidden, kernel_initializer='glorot_uniform', head_initializer='zeros'), 1": "In this network nothing",
        "mlp((4, 4), activation='sigmoid', kernel_initializer='zeros'), 1": "In this network mlp/hidden_1/",
    },
    "5.3": {
        "-3.9": "The answer must be a function",
        "lambda share: None": "The answer must be a number",
        "lambda share: 1 / 0": "Your function raised ZeroDivisionError",
        "lambda share: np.log(share)": "That is right for a softmax",
        "lambda share: np.log((1 - share) / share)": "The sign is wrong",
        "lambda share: 1 / (1 + np.exp(-share))": "That is the sigmoid of the share.",
        "lambda share: share": "The bias goes through the sigmoid",
        "lambda share: 0.0": "Solve 1 / (1 + exp(-b))",
    },
    "5.2": {
        "layers.Dense(pixels, kernel_initializer='zeros')": "The answer must be a model",
        "keras.Sequential([layers.Dense(rank, 'relu')])": "This model does not know its inputs",
        "mlp((), outputs=pixels, kernel_initializer='zeros')": "The adapter needs two dense layers",
        "mlp((rank,), outputs=pixels, kernel_initializer='zeros')": "One relu",
        "mlp((rank,), outputs=pixels, activation='relu', kernel_initializer='glorot_uniform')": "This adapter changes",
        "mlp((rank,), outputs=pixels, activation='relu', kernel_initializer='zeros')": "Both kernels are zero",
        "mlp((rank,), outputs=pixels, activation='relu', kernel_initializer='zeros', "
        "head_initializer='glorot_uniform')": "One zero is right",
    },
}

FAULTS = {
    "the second factor of LoRA is random": """enable = keras.layers.Dense.enable_lora
keras.layers.Dense.enable_lora = lambda self, rank, a_initializer="he_uniform": enable(
    self, rank, a_initializer=a_initializer, b_initializer="glorot_uniform")""",
    "a zero is 0.001": (
        "keras.initializers.Zeros.__call__ = lambda self, shape, dtype=None: ops.full(shape, 1e-3, dtype)"
    ),
    "relu has a slope at 0": "keras.src.backend.nn.relu = lambda x: ops.maximum(x, 0.0)",
    "the forget gate starts at 0": """init = keras.layers.LSTMCell.__init__
keras.layers.LSTMCell.__init__ = lambda self, *args, **options: init(
    self, *args, **{**options, "unit_forget_bias": False})""",
    "attention looks at the first row": """softmax = keras.layers.Softmax.call
keras.layers.Softmax.call = lambda self, inputs, mask=None: softmax(
    self, inputs + ops.cast(ops.arange(inputs.shape[-1]) == 0, inputs.dtype), mask)""",
    "a path has a typo": ("[middle.bias.path]", '["blocks/bais"]'),
    "the paths forget the biases": (
        "return [*through(paths, layer.kernel), [layer.bias.path]]",
        "return through(paths, layer.kernel)",
    ),
    "a path forgets a kernel": (
        "branch = through(inside, middle.projection, middle.gate)",
        "branch = through(inside, middle.gate)",
    ),
    "the rule takes the last path": ("first[weight] = min(first[weight], step)", "first[weight] = step"),
    "a gradient is late": ("int(np.argmax(sizes > 0))", "int(np.argmax(sizes > 0)) + 1"),
    "two networks that end apart": (
        "losses[initializer] = training.run(steps).loss[-1]",
        "losses[initializer] = training.run(1 if losses else steps).loss[-1]",
    ),
    "open gates start like zero gates": ('"open gates": ("ones", True)', '"open gates": ("zeros", True)'),
    "the plain network has a skip": ('"plain": ("ones", False)', '"plain": ("zeros", True)'),
    "zero gates are half open": ('{"zero gates": ("zeros", True)', '{"zero gates": ("ones", True)'),
    "a layer used twice is used once": ("layers.Multiply()([h, h])", "layers.Add()([h, h])"),
    "the classes differ": ('"head_initializer": "ones"}', '"head_initializer": "glorot_uniform"}'),
    "gamma starts at 1": ('gamma_initializer="zeros"', 'gamma_initializer="ones"'),
}
