"""What `diagnose` finds, for the table of zerostart/README.md, and what it costs beside training steps of the model.

`uv run python -m benchmarks.diagnose`; `--large` adds ResNet50V2 at 224 pixels, which takes minutes.
"""

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from helpers import digits, mlp
from zerostart import diagnose

DATA = digits()
X, Y = DATA.x_train[:300], DATA.y_train[:300]
SERIES, PROBABILITIES = X.reshape(-1, 8, 8), "sparse_categorical_crossentropy"


def network(*hidden: layers.Layer, head: Any = "softmax", units: int = 10, loss: Any = PROBABILITIES) -> keras.Model:
    """Return a compiled network for the digits."""
    model = keras.Sequential([keras.Input(X.shape[1:]), *hidden, layers.Dense(units, head)])
    model.compile("adam", loss)
    return model


def dense(kernel: Any = "glorot_uniform", activation: str = "relu", bias: float = 0.0, units: int = 32) -> layers.Layer:
    """Return a hidden layer."""
    constant = keras.initializers.Constant(bias)
    return layers.Dense(units, activation, kernel_initializer=kernel, bias_initializer=constant)


def with_copies() -> keras.Model:
    """Return a network in which one of 64 units has a copy."""
    model = mlp((64,), kernel_initializer="glorot_uniform")
    first, bias, last, last_bias = model.get_weights()
    first[:, -1], last[-1] = first[:, 0], last[0]
    model.set_weights([first, bias, last, last_bias])
    return model


def one_step() -> keras.Model:
    """Return a recurrent network for sequences of one step: nothing uses its recurrent kernel."""
    model = keras.Sequential([keras.Input((1, 8)), layers.GRU(6), layers.Dense(10, "softmax")])
    model.compile("adam", PROBABILITIES)
    return model


SIGMOIDS = [dense(activation="sigmoid") for _ in range(10)]
LARGE = dense(units=128), dense("ones", units=128)
# What is wrong, a network that has it, its data, the verdicts that are right, a word that names the cause.
CASES: tuple[tuple[str, Callable[[], keras.Model], Any, Any, tuple[str, ...], str], ...] = (
    ("all kernels zero", lambda: mlp((32,), kernel_initializer="zeros"), X, Y, ("frozen",), "block one another"),
    ("one zero kernel, harmless", lambda: network(dense("zeros", "tanh")), X, Y, ("learns",), "fine"),
    ("one zero kernel, before relu", lambda: network(dense("zeros")), X, Y, ("frozen",), "starts at zero"),
    ("constant kernels", lambda: mlp((32,), kernel_initializer="ones"), X / 99, Y, ("symmetric",), "identical"),
    ("one pair of equal units", with_copies, X, Y, ("symmetric",), "63 of its 64"),
    ("dead relu units", lambda: network(dense(bias=-50.0)), X, Y, ("frozen", "partly frozen"), "dead"),
    ("inputs that saturate tanh", lambda: network(dense(activation="tanh")), X * 1e4, Y, ("slow",), "saturated"),
    ("gradients that fade", lambda: network(*SIGMOIDS), X, Y, ("slow",), "fade"),
    ("kernels far too large", lambda: network(*LARGE), X, Y, ("slow",), "far too large"),
    ("softmax over one unit", lambda: network(dense(), units=1, loss="mse"), X, Y % 2, ("frozen",), "sigmoid"),
    ("logits, not probabilities", lambda: network(dense(), head=None), X, Y, ("slow",), "from_logits=True"),
    ("targets out of range", lambda: network(dense(), head="tanh", units=1, loss="mse"), X, Y, ("slow",), "-1 to 1"),
    ("NaN in a weight", lambda: network(dense(bias=np.nan)), X, Y, ("frozen",), "NaN"),
    ("a part that nothing uses", one_step, SERIES[:, :1], Y, ("learns",), "one step"),
    ("nothing is wrong", lambda: network(dense(), dense()), X, Y, ("learns",), ""),
)  # fmt: skip


def print_findings() -> None:
    """Print for each case whether verdict and cause are right."""
    for name, build, x, y, verdicts, word in CASES:
        keras.utils.set_random_seed(0)
        found = diagnose(build(), x, y)
        right = found.verdict in verdicts and word in str(found)
        print(f"{name:30} {'yes' if right else 'NO ':4} {found.verdict}")


def seconds(work: Callable[[], Any]) -> float:
    """Return how long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def print_cost(name: str, model: keras.Model, x: np.ndarray, y: np.ndarray) -> None:
    """Print the seconds of `diagnose`, of one compilation and of ten training steps on batches of 32, and the ratio."""
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    start, batches = model.get_weights(), [(x[i : i + 32], y[i : i + 32]) for i in range(0, 320, 32)]
    compiled = seconds(lambda: model.train_on_batch(*batches[0]))
    steps = seconds(lambda: [model.train_on_batch(*batch) for batch in batches])
    model.set_weights(start)
    own = seconds(lambda: diagnose(model, x, y))
    ratio = own / (3 * steps + compiled)
    print(f"{name:30} diagnose {own:.2f} s, compilation {compiled:.2f} s, ten steps {steps:.2f} s: ratio {ratio:.2f}")


def main() -> None:
    """Print both."""
    warnings.simplefilter("ignore")  # Keras warns of a softmax over one unit too
    print_findings()
    print("\nratio: diagnose / (compilation + 3 x ten steps)")
    x, y = np.resize(X, (320, 64)), np.resize(Y, 320)
    print_cost("two hidden layers", network(dense(), dense(), head=None), x, y)
    print_cost("twelve hidden layers", network(*(dense("he_normal") for _ in range(12)), head=None), x, y)
    if "--large" in sys.argv:
        images = np.random.default_rng(0).normal(size=(320, 224, 224, 3)).astype("float32")
        options = {"weights": None, "classes": 10, "classifier_activation": None}
        print_cost("ResNet50V2, 224 pixels", keras.applications.ResNet50V2(**options), images, y)


if __name__ == "__main__":
    main()
