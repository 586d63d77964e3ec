"""Four other ways to see the gradients of a small network train: what people do, and the limit.

Each is a function of the number of units. It builds a tanh network with two hidden layers of this width, trains it
on the explorer's digits with Adam and, but for the limit, draws gradients and loss.
"""

import importlib.util
import io
import itertools
from collections.abc import Callable
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from benchmarks.limit import compiled_loop
from helpers.models import mlp
from zerostart.explorer.training import examples

STEPS, LAYERS, RATE = 200, 2, 0.001
X, Y = examples()


def picture(gradients: Any, losses: Any) -> bytes:
    """Draw the way people do."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4))
    axes[0].imshow(np.log10(np.array(gradients).T + 1e-12), aspect="auto")
    axes[1].plot(losses)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    return buffer.getvalue()


class TapeEachEpoch(keras.callbacks.Callback):
    """Computes all gradients once more after each epoch, with a GradientTape."""

    def __init__(self, model: keras.Model) -> None:
        """Prepare to watch a model."""
        super().__init__()
        self.watched, self.sizes = model, []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Write the sizes of the gradients down."""
        with tf.GradientTape() as tape:
            loss = self.watched.loss(Y, self.watched(X, training=True))
        gradients = tape.gradient(loss, self.watched.trainable_variables)
        self.sizes.append([float(tf.sqrt(tf.reduce_mean(gradient**2))) for gradient in gradients])


def fit_with_tape(units: int) -> bytes:
    """Train with `fit`, an epoch a step, and a callback."""
    model = mlp((units,) * LAYERS, kernel_initializer="glorot_uniform")
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    tape = TapeEachEpoch(model)
    history = model.fit(X, Y, epochs=STEPS, batch_size=len(X), verbose=0, callbacks=[tape])
    return picture(tape.sizes, history.history["loss"])


def numpy_by_hand(units: int) -> bytes:
    """Write forward pass, backward pass and Adam out."""
    generator = np.random.default_rng(0)
    sizes = [X.shape[1], *[units] * LAYERS, int(Y.max()) + 1]
    weights = []
    for rows, columns in itertools.pairwise(sizes):
        limit = np.sqrt(6 / (rows + columns))
        weights += [generator.uniform(-limit, limit, (rows, columns)).astype("float32"), np.zeros(columns, "float32")]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    norms, losses, target = [], [], np.eye(sizes[-1], dtype="float32")[Y]
    for step in range(1, STEPS + 1):
        loss, gradients = _backpropagation(weights, target)
        losses.append(loss)
        norms.append([np.sqrt(np.mean(gradient**2)) for gradient in gradients])
        for weight, gradient, m, v in zip(weights, gradients, first, second, strict=True):
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient**2 - v)
            weight -= RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * m / (np.sqrt(v) + 1e-7)
    return picture(norms, losses)


def _backpropagation(weights: list[np.ndarray], target: np.ndarray) -> tuple[float, list[np.ndarray]]:
    values = [X]
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        values.append(np.tanh(values[-1] @ kernel + bias))
    logits = values[-1] @ weights[-2] + weights[-1]
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    error, gradients = (share - target) / len(X), []
    for layer in range(LAYERS, -1, -1):
        gradients[:0] = [values[layer].T @ error, error.sum(axis=0)]
        error = error @ weights[2 * layer].T * (1 - values[layer] ** 2)
    return float(-np.mean(np.log((share * target).sum(axis=1)))), gradients


def torch_hooks(units: int) -> bytes:
    """Train with PyTorch; a hook on every parameter writes the size of its gradient down."""
    import torch

    sizes = [X.shape[1], *[units] * LAYERS, int(Y.max()) + 1]
    layers = [part for a, b in itertools.pairwise(sizes) for part in (torch.nn.Linear(a, b), torch.nn.Tanh())]
    model = torch.nn.Sequential(*layers[:-1])
    x, y, norms, losses = torch.tensor(X), torch.tensor(Y.astype("int64")), [], []
    for parameter in model.parameters():
        parameter.register_hook(lambda gradient: norms[-1].append(float(gradient.square().mean().sqrt())))
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(STEPS):
        norms.append([])
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return picture(norms, losses)


def one_compiled_loop(units: int) -> Callable[[], Any]:
    """Return the limit for a network of this width; it draws nothing."""
    model = mlp((units,) * LAYERS, kernel_initializer="glorot_uniform")
    optimizer = keras.optimizers.Adam(RATE)
    optimizer.build(model.trainable_variables)
    return compiled_loop(model, optimizer, X, Y, STEPS)


def has_torch() -> bool:
    """Tell whether PyTorch is installed."""
    return importlib.util.find_spec("torch") is not None
