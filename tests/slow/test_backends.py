"""What backends need so that they run quietly, on one machine with others, and with other settings."""

import pytest
from lessons import python

TRAIN = """
import numpy as np
from helpers import gradients, mlp, train
from zerostart import diagnose
x, y = np.eye(4, dtype="float32"), np.arange(4)
model = mlp((3,), inputs=4, outputs=4, kernel_initializer="glorot_uniform")
for steps in (3, 12):  # eager and compiled
    for batch_size in (None, 2):
        assert train(model, x, y, steps=steps, batch_size=batch_size).loss.shape == (steps,)
gradients(model, x, y)
print(diagnose(model, x, y).verdict)
"""
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY")
IMPORT = """
import os
for name, value in {own}.items():
    os.environ.update({{name: value}}) if value else os.environ.pop(name, None)
import helpers
print(*(os.environ[name] for name in {own}))
"""


def test_jax_with_64_bits():
    pytest.importorskip("jax", reason="needs `uv run --extra jax`")
    assert python(TRAIN, KERAS_BACKEND="jax", JAX_ENABLE_X64="1") == "learns\n"


@pytest.mark.parametrize(("own", "found"), [((None, None), "1 PASSIVE\n"), (("2", "ACTIVE"), "2 ACTIVE\n")])
def test_threads_do_not_fight_unless_you_say_so(own, found):
    assert python(IMPORT.format(own=dict(zip(THREADS, own, strict=True)))) == found
