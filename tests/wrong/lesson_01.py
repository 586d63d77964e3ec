"""What may be wrong in lesson 1: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {}

FAULTS = {
    "zeros are 0.001": """keras.initializers.Zeros.__call__ = lambda self, shape, dtype=None: ops.full(shape, 1e-3, dtype)""",
    "ZeroInitializedLayer starts at random": """def build(self, input_shape):
    self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="kernel")
helpers.ZeroInitializedLayer.build = build""",
}
