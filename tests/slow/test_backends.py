"""What backends need so that they run quietly, on one machine with others, and with other settings."""

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


@pytest.mark.parametrize("own", [{}, {"OPENBLAS_NUM_THREADS": "2", "OMP_WAIT_POLICY": "ACTIVE"}])
def test_threads_do_not_fight_unless_you_say_so(own):
    code = "import os, helpers; print(os.environ['OPENBLAS_NUM_THREADS'], os.environ['OMP_WAIT_POLICY'])"
    kept = {
        name: value for name, value in os.environ.items() if name not in ("OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY")
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=kept | own, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == list((own or {"threads": "1", "waiting": "PASSIVE"}).values())
    assert not done.stderr
