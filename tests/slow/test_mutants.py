"""Claims that can fail: with wrong behaviour planted in Keras or in the helpers, a lesson must stop at an assert."""

import pytest
from lessons import read_lesson, run
from nbformat.v4 import new_code_cell

PREPARE = """
import helpers, zerostart.training, helpers.seam
import keras
import numpy as np
from keras import ops
"""

# what is wrong -> (the lesson that must notice, code that makes it wrong)
MUTANTS = {
    "zeros are 0.001": (
        "01",
        "keras.initializers.Zeros.__call__ = lambda self, shape, dtype=None: ops.full(shape, 1e-3, dtype)",
    ),
    "zeros are tiny noise": (
        "02",
        "keras.initializers.Zeros.__call__ = lambda self, shape, dtype=None: "
        "ops.cast(1e-6 * np.random.random(shape), dtype or 'float32')",
    ),
    "ZeroInitializedLayer starts at random": (
        "01",
        """
def build(self, input_shape):
    self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="kernel")
helpers.ZeroInitializedLayer.build = build
""",
    ),
    "gradients are twice as large": (
        "03",
        """
apply = helpers.seam.GradientKeeper.apply
helpers.seam.GradientKeeper.apply = lambda self, grads, variables=None: apply(self, [2 * g for g in grads], variables)
""",
    ),
    "gradients have the wrong sign": (
        "02",
        """
apply = helpers.seam.RecordingOptimizer.apply
helpers.seam.RecordingOptimizer.apply = lambda self, grads, variables=None: apply(self, [-g for g in grads], variables)
""",
    ),
    "no gradient is recorded": (
        "03",
        "helpers.seam._root_mean_square = lambda gradient: ops.zeros(())",
    ),
    "the slope of relu at 0 is 1": (
        "03",
        "keras.src.backend.nn.relu = lambda x: ops.maximum(x, 0.0)",
    ),
    "sigmoid is 0 at 0": (
        "02",
        "keras.src.backend.nn.sigmoid = ops.tanh",
    ),
    "one unit differs from the others": (
        "02",
        """
build = keras.layers.Dense.build
def perturbed(self, input_shape):
    build(self, input_shape)
    kernel = ops.convert_to_numpy(self.kernel.value).copy()
    kernel[:, 0] += 0.01
    self.kernel.assign(kernel)
keras.layers.Dense.build = perturbed
""",
    ),
    "Glorot gives every unit the same weights": (
        "00",
        "keras.initializers.GlorotUniform.__call__ = lambda self, shape, dtype=None: ops.full(shape, 0.1, dtype)",
    ),
    "dropout adds instead of multiplying": (
        "02",
        "keras.layers.Dropout.call = lambda self, inputs, training=False: inputs + ops.cast("
        "np.random.normal(size=(1, inputs.shape[-1])), inputs.dtype)",
    ),
    "noise layers do nothing": (
        "02",
        "keras.layers.GaussianNoise.call = lambda self, inputs, training=False: inputs",
    ),
    "effective width counts units": (
        "02",
        "helpers.effective_width = lambda kernel, bias=None: kernel.shape[-1]",
    ),
    "the optimizer is not reset": (
        "04",
        """
restart = helpers.seam.RecordedTraining.restart
def with_memory(self, task, order):
    moments = self.recorder.inner_optimizer.variables[2:]  # all but the counter and the learning rate
    kept = [ops.convert_to_numpy(moment.value).copy() for moment in moments]
    restart(self, task, order)
    for moment, value in zip(moments, kept):
        moment.assign(value)
helpers.seam.RecordedTraining.restart = with_memory
""",
    ),
    "the digits are relabelled": (
        "00",
        """
true_digits, shuffle = helpers.digits, np.random.default_rng(0).permutation
def relabelled():
    data = true_digits()
    return data._replace(y_train=shuffle(data.y_train), y_test=shuffle(data.y_test))
helpers.digits = relabelled
""",
    ),
    "the second factor of LoRA is random": (
        "05",
        """
enable = keras.layers.Dense.enable_lora
keras.layers.Dense.enable_lora = lambda self, rank, a_initializer="he_uniform": enable(
    self, rank, a_initializer=a_initializer, b_initializer="glorot_uniform")
""",
    ),
    "a gate of zero is 0.001": (
        "05",
        "keras.initializers.Zeros.__call__ = lambda self, shape, dtype=None: ops.full(shape, 1e-3, dtype)",
    ),
    "diagnose calls everything healthy": (
        "07",
        "zerostart.diagnosis = lambda model, x, y, *, loss=None: helpers.Diagnosis('learns', ())",
    ),
    "tanh is twice as steep": (
        "06",
        "true_tanh = keras.src.backend.numpy.tanh\nkeras.src.backend.numpy.tanh = lambda x: true_tanh(2 * x)",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_lesson_notices(name):
    lesson, code = MUTANTS[name]
    notebook = read_lesson(lesson)
    notebook.cells.insert(0, new_code_cell(PREPARE + code))
    with pytest.raises(AssertionError):
        run(notebook)
