"""`pip install ./zerostart` in somebody else's environment: nothing of theirs is replaced, nothing else comes."""

import os
import shutil
import subprocess
import sys

import pytest
from lessons import ROOT

USE = """
import os, sys
import helpers  # the reader's own file of that name
assert helpers.__file__.startswith(os.getcwd())
import keras
import numpy as np
before = dict(os.environ)
import zerostart
assert dict(os.environ) == before
assert not {"matplotlib", "ipywidgets", "anywidget"} & set(sys.modules) - OF_KERAS
zeros = {"kernel_initializer": "zeros"}
layers = [keras.layers.Dense(3, "tanh", **zeros), keras.layers.Dense(2, **zeros)]
model = keras.Sequential([keras.Input((4,)), *layers])
x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2
assert zerostart.diagnose(model, x, y).verdict == "frozen"
assert zerostart.train(model, x, y, steps=30).loss.shape == (30,)
""".replace("OF_KERAS", "{'matplotlib'}")  # which Keras imports if it is there
ENVIRONMENTS = {
    "a year old": ("tensorflow", "keras==3.10.0 tensorflow-cpu==2.19.0 numpy==2.0.2"),
    "today": ("tensorflow", "keras tensorflow-cpu"),
    "JAX alone": ("jax", "keras jax"),
}


@pytest.mark.skipif(not shutil.which("uv") or sys.platform != "linux", reason="needs uv, and Linux for tensorflow-cpu")
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_stranger_installs_it(name, tmp_path):
    backend, packages = ENVIRONMENTS[name]
    python = tmp_path / "venv" / "bin" / "python"

    def uv(*command):
        done = subprocess.run(["uv", *command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    uv("venv", "--python", sys.executable, "venv")
    uv("pip", "install", "--python", str(python), *packages.split())
    before = uv("pip", "freeze", "--python", str(python)).splitlines()
    shutil.copytree(ROOT / "zerostart", tmp_path / "source")  # where what is built may lie about
    uv("pip", "install", "--python", str(python), "./source")
    after = uv("pip", "freeze", "--python", str(python)).splitlines()
    assert [line for line in after if not line.startswith("zerostart")] == before
    (tmp_path / "helpers.py").write_text("")
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-c", USE], cwd=tmp_path, env={**kept, "KERAS_BACKEND": backend}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not done.stdout
