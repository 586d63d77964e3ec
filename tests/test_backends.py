"""What other backends need that TensorFlow does not."""

import os
import subprocess
import sys

import pytest
from lessons import ROOT

TRAIN = """
import numpy as np
from helpers import diagnose, gradients, mlp, train
x, y = np.eye(4, dtype="float32"), np.arange(4)
model = mlp((3,), inputs=4, outputs=4, kernel_initializer="glorot_uniform")
for steps in (3, 12):  # eager and compiled
    for batch_size in (None, 2):
        assert train(model, x, y, steps=steps, batch_size=batch_size).loss.shape == (steps,)
gradients(model, x, y)
diagnose(model, x, y)
"""


def test_jax_with_64_bits():
    pytest.importorskip("jax", reason="needs `uv run --extra jax`")
    changes = {"KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1"}
    subprocess.run([sys.executable, "-c", TRAIN], cwd=ROOT, env={**os.environ, **changes}, check=True)
