"""What may be wrong in lesson 0: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {}

FAULTS = {
    "Glorot gives every unit the same weights": """keras.initializers.GlorotUniform.__call__ = lambda self, shape, dtype=None: ops.full(shape, 0.1, dtype)""",
    "the digits are relabelled": """true_digits, shuffle = helpers.digits, np.random.default_rng(0).permutation
def relabelled():
    data = true_digits()
    return data._replace(y_train=shuffle(data.y_train), y_test=shuffle(data.y_test))
helpers.digits = relabelled""",
}
