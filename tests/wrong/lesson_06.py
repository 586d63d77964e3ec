"""What may be wrong in lesson 6: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {}

FAULTS = {
    "tanh is twice as steep": """true_tanh = keras.src.backend.numpy.tanh
keras.src.backend.numpy.tanh = lambda x: true_tanh(2 * x)""",
}
