"""What may be wrong in lesson 2: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {}

FAULTS = {
    "zeros are tiny noise": """keras.initializers.Zeros.__call__ = lambda self, shape, dtype=None: ops.cast(1e-6 * np.random.random(shape), dtype or 'float32')""",
    "gradients have the wrong sign": """apply = helpers.seam.RecordingOptimizer.apply
helpers.seam.RecordingOptimizer.apply = lambda self, grads, variables=None: apply(self, [-g for g in grads], variables)""",
    "sigmoid is 0 at 0": """keras.src.backend.nn.sigmoid = ops.tanh""",
    "one unit differs from the others": """build = keras.layers.Dense.build
def perturbed(self, input_shape):
    build(self, input_shape)
    kernel = ops.convert_to_numpy(self.kernel.value).copy()
    kernel[:, 0] += 0.01
    self.kernel.assign(kernel)
keras.layers.Dense.build = perturbed""",
    "dropout adds instead of multiplying": """keras.layers.Dropout.call = lambda self, inputs, training=False: inputs + ops.cast(np.random.normal(size=(1, inputs.shape[-1])), inputs.dtype)""",
    "noise layers do nothing": """keras.layers.GaussianNoise.call = lambda self, inputs, training=False: inputs""",
    "effective width counts units": """helpers.effective_width = lambda kernel, bias=None: kernel.shape[-1]""",
}
