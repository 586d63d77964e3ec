"""What may be wrong in lesson 7: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {
    "7.1": {
        '{"A": "learns"}': "Answer with a dict",
        '{"A": "frozen", "B": "frozen", "C": "learns", "D": "symmetric"}': "Look at A again",
        '{"A": "learns", "B": "learns", "C": "learns", "D": "symmetric"}': "Look at B again",
        '{"A": "learns", "B": "frozen", "C": "symmetric", "D": "symmetric"}': "Look at C again",
        '{"A": "learns", "B": "frozen", "C": "learns", "D": "frozen"}': "Look at D again. At step 0",
        '{"A": "learns", "B": "frozen", "C": "learns", "D": "learns"}': "Look at D again. What tells",
    },
    "7.2": {
        '"frozen"': "The answer must be a model",
        'mlp((hidden,), kernel_initializer="glorot_uniform", inputs=3)': "Begin the model with keras.Input((64,))",
        'mlp((hidden,), kernel_initializer="zeros")': "There are zeros in",
        'mlp((hidden,), kernel_initializer="glorot_uniform")': "There are zeros in mlp/hidden_1/bias",
        'mlp((hidden,), kernel_initializer="glorot_uniform", bias_initializer="ones")': 'The verdict is "learns"',
        'mlp((hidden,), kernel_initializer="ones", bias_initializer="ones", activation="leaky_relu")': (
            'The verdict is "symmetric"'
        ),
    },
    "7.3": {
        'mlp((hidden,), kernel_initializer="glorot_uniform")': "The answer must be a function",
        "lambda: 1": "Your function raised TypeError",
        "lambda model: model.set_weights([w + 1 for w in model.get_weights()])": "You changed biases",
        "by_hand": "You changed biases",
        "lambda model: None": "A tanh network with zero kernels is still frozen",
        "lambda model: [layer.kernel.assign(0.1 + 0 * layer.kernel) for layer in model.layers]": "After your treatment",
        "lambda model: [layer.kernel.assign(keras.initializers.HeNormal()(layer.kernel.shape)) "
        "for layer in model.layers]": "You also treated",
    },
}

FAULTS = {
    "diagnose calls everything fine": """import zerostart.diagnosis
zerostart.diagnosis.diagnose = lambda model, x, y, *, loss=None: zerostart.diagnosis.Diagnosis("learns", ())""",
    "diagnose trains the model": """import zerostart.diagnosis
found = zerostart.diagnosis.diagnose
def meddling(model, x, y, *, loss=None):
    diagnosis = found(model, x, y, loss=loss)
    model.set_weights([weight + 1e-6 for weight in model.get_weights()])
    return diagnosis
zerostart.diagnosis.diagnose = meddling""",
    "cures do nothing": ("exec(finding.cure)", "pass"),
    "a gate with a bias above 0": ("use_bias=False, kernel_initializer", 'bias_initializer="ones", kernel_initializer'),
    "A is random": ('a_initializer="zeros"', 'a_initializer="he_uniform"'),
    "two initializers": ("kernel_initializer=shared", 'kernel_initializer="glorot_uniform"'),
    "copies with noise": ("np.tile(kernel, 2)", "np.tile(kernel, 2) + 0.1 * np.random.rand(*np.tile(kernel, 2).shape)"),
    "three equal sizes": ('"tenfold": 10.0', '"tenfold": 1.5'),
    "a hundredth is a half": ('"hundredth": 0.01', '"hundredth": 0.5'),
    "few sigmoid layers": ("model = mlp((hidden,) * depth, **deep)", "model = mlp((hidden,), **deep)"),
    "the report had sigmoid": ('layers.Dense(1, "softmax"', 'layers.Dense(1, "sigmoid"'),
    "softmax over two": ("some = np.array([[-3.0], [0.0], [5.0]])", "some = np.array([[-3.0, 1.0], [0.0, 0.0]])"),
}
