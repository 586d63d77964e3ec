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
        "lambda share: 1 / (1 + np.exp(-share))": "That is what the sigmoid answers",
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
    "a gate of zero is 0.001": (
        "keras.initializers.Zeros.__call__ = lambda self, shape, dtype=None: ops.full(shape, 1e-3, dtype)"
    ),
    "the paths of the tower have a typo": ('["blocks/bias"]', '["block/bias"]'),
    "the paths forget the biases": (
        'return [*through(paths, f"{name}/kernel"), [f"{name}/bias"]]',
        'return through(paths, f"{name}/kernel")',
    ),
    "the rule takes the last path instead of the first": (
        "first[weight] = min(first[weight], step)",
        "first[weight] = step",
    ),
    "open gates start like zero gates": ('("open gates", "ones", True)', '("open gates", "zeros", True)'),
    "the plain network has a skip": ('("plain", "ones", False)', '("plain", "zeros", True)'),
    "relu has a slope at 0": "keras.activations.relu.__code__ = (lambda x, negative_slope=0.0, max_value=None, "
    "threshold=0.0: keras.src.ops.tanh(x)).__code__",
    "the forget gate starts at 0": """init = keras.layers.LSTMCell.__init__
keras.layers.LSTMCell.__init__ = lambda self, *a, **k: init(self, *a, **{**k, "unit_forget_bias": False})""",
    "zeros stay where they are in softmax regression": (
        "convex[initializer] = training.run(steps)",
        "convex[initializer] = training.run(steps); lowest[:] = [0.9 * lowest[0]] if lowest else []",
    ),
}
