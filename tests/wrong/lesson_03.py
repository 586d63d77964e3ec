"""What may be wrong in lesson 3: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {}

FAULTS = {
    "gradients are twice as large": """apply = zerostart.recorder.GradientKeeper.apply
zerostart.recorder.GradientKeeper.apply = lambda self, grads, variables=None: apply(self, [2 * g for g in grads], variables)""",
    "no gradient is recorded": """zerostart.recorder._root_mean_square = lambda gradient: ops.zeros(())""",
    "the slope of relu at 0 is 1": """keras.src.backend.nn.relu = lambda x: ops.maximum(x, 0.0)""",
}
