"""What may be wrong in lesson 3: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {"hidden": (7, 5)}  # parameters that the answers below need

OWN = "mlp((4, 3, 2), activation={activation!r}, kernel_initializer={kernels}, head_initializer='glorot_uniform')"
TWO_ZEROS = ["zeros", "zeros", "glorot_uniform"]

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {
    "3.1": {
        "None": "It does have one.",
        "0": "At step 0 it has none yet",
        "1": "At step 1 it has none yet",
        "3": "It has one earlier.",
        "'two'": "The answer must be a number",
    },
    "3.2": {
        f"({OWN.format(activation='sigmoid', kernels=TWO_ZEROS)}, 0)": "Measured: at step 1.",
        f"({OWN.format(activation='tanh', kernels=TWO_ZEROS)}, 2)": "Measured: never.",
        f"({OWN.format(activation='sigmoid', kernels=['zeros'] * 3)}, None)": "Measured: at step 2.",
        "(mlp((4, 3, 2), kernel_initializer='zeros'), 3)": "At least two kernels must be zero, and at least one",
        "(mlp((4, 3, 2), kernel_initializer='glorot_uniform'), 0)": "At least two kernels must be zero",
        "(mlp(hidden, kernel_initializer='zeros'), 2)": "Give it at least three hidden layers",
        "(keras.Sequential([keras.Input((64,)), keras.layers.Flatten()]), 0)": "Build the network with mlp.",
        "mlp((4, 3, 2), kernel_initializer='zeros')": "The answer must be a pair",
        "('network', 1)": "The answer must be a model",
    },
    "3.3": {
        "np.log(0.5)": "The answer must be a function",
        "lambda labels: np.bincount(labels) / len(labels)": "Those are the shares.",
        "lambda labels: np.zeros(labels.max() + 1)": "With equal numbers",
        "lambda labels: -np.log(np.bincount(labels) / len(labels))": "The softmax of your bias is not the share",
        "lambda labels: np.log2(np.bincount(labels) / len(labels))": "The softmax of your bias is not the share",
        "lambda labels: np.log(np.bincount(labels) - 1)": "It returns NaN or infinity.",
        "lambda labels: np.log(len(labels))": "For labels of 2 classes it must return 2 numbers",
        "lambda labels: labels.nothing": "Your function raised AttributeError",
    },
}

KEEPER = """apply = zerostart.recorder.GradientKeeper.apply
def changed(self, grads, variables=None):
    apply(self, [{change} for g in grads], variables)
zerostart.recorder.GradientKeeper.apply = changed"""
TINY = "keras.initializers.Zeros.__call__ = lambda self, shape, dtype=None: ops.full(shape, 1e-6, dtype)"

FAULTS = {
    "gradients are twice as large": KEEPER.format(change="2 * g"),
    "gradients of biases are twice as large": KEEPER.format(change="g * (3 - len(g.shape))"),
    "no gradient is recorded": "zerostart.recorder._root_mean_square = lambda gradient: ops.zeros(())",
    "the slope of relu at 0 is 1": "keras.src.backend.nn.relu = lambda x: ops.maximum(x, 0.0)",
    "sigmoid is 0 at 0": "keras.src.backend.nn.sigmoid = ops.tanh",
    "zeros are tiny": TINY,
    "the labels are balanced": (
        "rows = np.resize(rows, len(y))",
        "rows = np.concatenate([np.flatnonzero(y == digit)[:100] for digit in range(10)])",
    ),
    "the head's bias goes a small part of the way": (
        "keras.optimizers.SGD(float(bias_rate))",
        "keras.optimizers.SGD(0.01)",
    ),
    "network and vector go a small part of the way": ("data = digits()", "data, bias_rate = digits(), 0.1"),
    "no kernel of the chain is zero": ("np.zeros_like(start[2 * zero - 2])", "start[2 * zero - 2]"),
    "the zero head is tiny": ("np.zeros_like(start[-2])", "1e-6 * start[-2]"),
    "a hidden layer waits again at step 2": (
        "zero_head = training.run(2 * kernels)",
        "zero_head = training.run(2 * kernels)\nzero_head.gradient_rms['mlp/hidden_1/kernel'][2] = 0.0",
    ),
    "zeros of the table are tiny": ('values * (letter == "R")', 'values * (1.0 if letter == "R" else 1e-8)'),
    "hidden biases move": ("[first[layer.bias.path] for layer", "[[0] for layer"),
    "the balanced batch is not": ("[:10]", "[: 1 + digit]"),
}
