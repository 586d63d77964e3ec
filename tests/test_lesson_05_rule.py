"""Lesson 5: does its rule say when each weight of a network first has a gradient? Tried on random small networks."""

import random

import keras
import numpy as np
import pytest
from keras import layers
from lessons import code_cells, read_lesson

from helpers import digits, train

ACTIVATIONS = ["linear", "tanh", "gelu", "silu", "elu", "selu", "celu", "softsign", "mish", "leaky_relu"]
LESSON = {}
for cell in code_cells(read_lesson("05")):
    if "def first_steps" in cell.source or "def dense" in cell.source:
        exec("import numpy as np\n" + cell.source, LESSON)
through, dense, first_steps, never = (LESSON[name] for name in ("through", "dense", "first_steps", "never"))


def part(draw, h, paths, depth):
    """Put a random part behind `h`; return what leaves it, and its paths."""
    kind = draw.choice(["dense", "row", "skip", "add", "multiply", "twice"]) if depth else "dense"
    if kind in ("dense", "twice"):
        bias = draw.random() < 0.7
        layer = layers.Dense(h.shape[-1], draw.choice(ACTIVATIONS), use_bias=bias)
        for _ in range(1 + (kind == "twice")):
            h = layer(h)
            paths = dense(paths, layer) if bias else through(paths, layer.kernel)
        return h, paths
    one, first = part(draw, h, paths, depth - 1)
    if kind == "row":
        return part(draw, one, first, depth - 1)
    other, second = (h, paths) if kind == "skip" else part(draw, h, paths, depth - 1)
    if kind == "multiply":
        return layers.Multiply()([one, other]), [[*a, *b] for a in first for b in second]
    return layers.Add()([one, other]), [*first, *second]


def network(draw):
    """Return a random network for the digits, and its paths."""
    inputs = keras.Input((64,))
    stem, head = layers.Dense(draw.choice([1, 2, 5, 9])), layers.Dense(10)
    h = stem(inputs)
    h, paths = part(draw, h, dense([[]], stem), depth=2)
    outputs = head(h)
    return keras.Model(inputs, outputs), dense(paths, head)


@pytest.mark.parametrize("seed", range(24))
def test_the_rule_says_when_each_weight_moves(seed):
    draw, data = random.Random(seed), digits()
    keras.utils.set_random_seed(seed)
    model, paths = network(draw)
    share = draw.random()
    for variable in model.trainable_weights:
        if "bias" not in variable.path and draw.random() < share:
            variable.assign(np.zeros(variable.shape))
    zeros = {v.path for v in model.weights if not np.any(keras.ops.convert_to_numpy(v))}
    rule = first_steps(paths, zeros)
    steps = min(10, 2 + max(step for step in rule.values() if step < never))
    descent = keras.optimizers.SGD(0.05)
    sizes = train(model, data.x_train[:256], data.y_train[:256], steps=steps, optimizer=descent).gradient_rms
    measured = {path: int(np.argmax(size > 0)) if np.any(size) else never for path, size in sizes.items()}
    assert measured == rule
