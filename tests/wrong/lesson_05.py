"""What may be wrong in lesson 5: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {}

FAULTS = {
    "the second factor of LoRA is random": """enable = keras.layers.Dense.enable_lora
keras.layers.Dense.enable_lora = lambda self, rank, a_initializer="he_uniform": enable(
    self, rank, a_initializer=a_initializer, b_initializer="glorot_uniform")""",
    "a gate of zero is 0.001": """keras.initializers.Zeros.__call__ = lambda self, shape, dtype=None: ops.full(shape, 1e-3, dtype)""",
}
