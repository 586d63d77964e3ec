"""Trains any small network of the explorer without compiling anything anew.

Compiling a graph for every new width would take longer than the training itself. So one padded network stands for
all smaller ones: its sizes, its activation and its optimizer are data that the compiled graph reads. A unit that
the small network does not have is multiplied by 0, gets a gradient of exactly 0 and stays 0. A layer that it does
not have hands its inputs on. What remains are the sums of the small network, computed by Keras. Zeros that are
added may round a sum differently, so a symmetry that only rounding breaks may break at another step.
"""

import functools
import itertools
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from helpers.checks import integer, non_negative
from helpers.data import digits
from helpers.seam import RecordedTraining
from helpers.seam import _step_numbers as step_numbers
from helpers.tasks import Task

ACTIVATIONS = ("tanh", "relu", "gelu", "sigmoid", "softplus", "linear")
INITIALIZERS = ("zeros", "ones", "glorot_uniform", "he_normal", "orthogonal", "random_normal")
OPTIMIZERS = ("adam", "sgd", "momentum", "rmsprop")
MOST_UNITS, MOST_LAYERS, MOST_STEPS = 256, 8, 2000
ROWS, PIXELS, CLASSES = 128, 64, 10
STEPS_AT_ONCE = 10  # between two looks at the clock and at the units


@dataclass(frozen=True)
class Setting:
    """What the reader chose. Creating one raises `ValueError` or `TypeError`, which names the bad value.

    Example:
        >>> Setting(units=0)
        Traceback (most recent call last):
        ValueError: units: expected an integer of at least 1, got 0
    """

    activation: str = "tanh"
    kernel_initializer: str = "zeros"
    head_initializer: str = "same"
    scale: float = 1.0
    units: int = 16
    layers: int = 2
    optimizer: str = "adam"
    steps: int = 200
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no network can be made of."""
        _one_of("activation", self.activation, ACTIVATIONS)
        _one_of("kernel_initializer", self.kernel_initializer, INITIALIZERS)
        _one_of("head_initializer", self.head_initializer, ("same", *INITIALIZERS))
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        for name, most in (("units", MOST_UNITS), ("layers", MOST_LAYERS), ("steps", MOST_STEPS)):
            if integer(name, getattr(self, name)) > most:
                raise ValueError(f"{name}: expected at most {most}, got {getattr(self, name)}")
        non_negative("scale", self.scale)
        if non_negative("dropout", self.dropout) >= 1:
            raise ValueError(f"dropout: expected a number from 0 to below 1, got {self.dropout}")

    def __str__(self) -> str:
        """Describe the setting in one line."""
        head = "" if self.head_initializer == "same" else f", head {self.head_initializer}"
        times = "" if self.scale == 1 else f" x {self.scale:g}"
        dropout = f", dropout {self.dropout:g}" if self.dropout else ""
        size = f"{self.layers} x {self.units} {self.activation}"
        return f"{size}, {self.kernel_initializer}{head}{times}, {self.optimizer}{dropout}, {self.steps} steps"

    def initial_kernels(self) -> list[np.ndarray]:
        """Return the kernels that Keras's own initializers draw, hidden layers first, the head last."""
        head = self.kernel_initializer if self.head_initializer == "same" else self.head_initializer
        names = [self.kernel_initializer] * self.layers + [head]
        sizes = [PIXELS, *[self.units] * self.layers, CLASSES]
        return [
            np.float32(self.scale) * ops.convert_to_numpy(initializer(name, seed)((rows, columns)))
            for seed, (name, rows, columns) in enumerate(zip(names, sizes[:-1], sizes[1:], strict=True))
        ]


@dataclass(frozen=True)
class Run:
    """What happened in one training. Row t belongs to the weights before update t.

    Attributes:
        setting: What was trained.
        loss: Loss at every step.
        gradients: Variable -> root mean square of its gradient at every step, from the input to the output.
        seen_at: Steps at which the units were compared.
        spread: For each hidden layer the `unit_spread` at these steps, shape `(layers, looks)`.
        width: For each hidden layer the `effective_width` at these steps.
        different: For each hidden layer how many units differ at the end, counting what they send on as well.
        start: Kernels before the training.
        kernels: Kernels after it.
        accuracy: Share of the rows that the trained network puts in the right class.
    """

    setting: Setting
    loss: np.ndarray
    gradients: dict[str, np.ndarray]
    seen_at: np.ndarray
    spread: np.ndarray
    width: np.ndarray
    different: list[int]
    start: list[np.ndarray]
    kernels: list[np.ndarray]
    accuracy: float


def run(setting: Setting, go_on: Callable[[float], bool] = lambda share: True) -> Run | None:
    """Train a network as `setting` says, on 128 digits.

    Args:
        setting: What to train.
        go_on: Is called after every few steps with the share that is done. `False` abandons the training.

    Returns:
        A `Run`, or `None` if it was abandoned.

    Example:
        >>> run(Setting(units=3, steps=10)).loss.shape
        (10,)
    """
    engine = engine_for(setting)
    with engine.lock:
        return engine.run(setting, go_on)


def engine_for(setting: Setting) -> "Engine":
    """Return the smallest engine that can run `setting`. It is built at the first use."""
    width = next(width for width in (32, 128, MOST_UNITS) if setting.units <= width)
    depth = 4 if setting.layers <= 4 else MOST_LAYERS
    key = (width, depth, setting.dropout > 0)
    with _building[key]:
        return _engine(*key)


_building: defaultdict[tuple, threading.Lock] = defaultdict(threading.Lock)


@functools.lru_cache(maxsize=6)
def _engine(width: int, depth: int, has_dropout: bool) -> "Engine":
    return Engine(width, depth, has_dropout)


@functools.lru_cache(maxsize=1)
def examples() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits that every run trains on: `x` of shape `(128, 64)` and `y` of shape `(128,)`."""
    data = digits()
    return data.x_train[:ROWS], data.y_train[:ROWS]


def initializer(name: str, seed: int) -> keras.initializers.Initializer:
    """Return one of the `INITIALIZERS`; random ones always draw the same numbers."""
    found = keras.initializers.get(name)
    return type(found)(seed=seed) if hasattr(found, "seed") else found


def new_optimizer(name: str) -> keras.optimizers.Optimizer:
    """Return one of the `OPTIMIZERS`, as Keras makes them; `"momentum"` is SGD with momentum 0.9."""
    return keras.optimizers.SGD(momentum=0.9) if name == "momentum" else keras.optimizers.get(name)


class PaddedNetwork(keras.layers.Layer):
    """A multilayer perceptron whose width, depth and activation are data."""

    def __init__(self, width: int, depth: int, has_dropout: bool) -> None:
        """Create weights for the largest network. The kernels between hidden layers lie in a stack."""
        super().__init__(name="padded_network")
        self.first = self.add_weight(shape=(PIXELS, width), initializer="zeros", name="first")
        self.middle = self.add_weight(shape=(depth - 1, width, width), initializer="zeros", name="middle")
        self.head = self.add_weight(shape=(width, CLASSES), initializer="zeros", name="head")
        self.biases = self.add_weight(shape=(depth, width), initializer="zeros", name="biases")
        self.head_bias = self.add_weight(shape=(CLASSES,), initializer="zeros", name="head_bias")
        self.exists = self.add_weight(shape=(depth, width), trainable=False, name="exists")  # 1: a unit, 0: padding
        self.skips = self.add_weight(shape=(depth, 1), trainable=False, name="skips")  # 1: no such layer
        self.chosen = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, autocast=False)
        self.dropout = self.add_weight(shape=(), initializer="zeros", trainable=False, name="dropout")
        self.random = keras.random.SeedGenerator(seed=0) if has_dropout else None
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the logits."""
        middle, biases, exists, skips = (
            ops.unstack(ops.convert_to_tensor(stack)) for stack in (self.middle, self.biases, self.exists, self.skips)
        )
        h = self._dropped(exists[0] * self._activated(ops.matmul(inputs, self.first) + biases[0]), training)
        for kernel, bias, exist, skip in zip(middle, biases[1:], exists[1:], skips[1:], strict=True):
            h = self._dropped(exist * self._activated(ops.matmul(h, kernel) + bias), training) + skip * h
        return ops.matmul(h, self.head) + self.head_bias

    def load(self, setting: Setting, kernels: list[np.ndarray]) -> None:
        """Become the network of `setting`, with these kernels and with biases of zero."""
        depth, width = self.exists.shape
        layer, unit = np.arange(depth)[:, np.newaxis], np.arange(width)
        self.exists.assign(np.float32((layer < setting.layers) & (unit < setting.units)))
        self.skips.assign(np.float32(layer >= setting.layers))
        self.chosen.assign(ACTIVATIONS.index(setting.activation))
        self.dropout.assign(setting.dropout)
        self.first.assign(_padded(kernels[:1], (1, PIXELS, width))[0])
        self.middle.assign(_padded(kernels[1:-1], (depth - 1, width, width)))
        self.head.assign(_padded(kernels[-1:], (1, width, CLASSES))[0])
        self.biases.assign(np.zeros((depth, width)))
        self.head_bias.assign(np.zeros(CLASSES))
        if self.random:
            self.random.state.assign(keras.random.SeedGenerator(seed=0).state)

    def kernels(self, setting: Setting) -> list[np.ndarray]:
        """Return the kernels of the small network."""
        units = setting.units
        middle = ops.convert_to_numpy(self.middle)[: setting.layers - 1, :units, :units]
        return [_copy(self.first)[:, :units], *middle.copy(), _copy(self.head)[:units]]

    def hidden_biases(self, setting: Setting) -> np.ndarray:
        """Return the biases of the small network's hidden layers, shape `(layers, units)`."""
        return _copy(self.biases)[: setting.layers, : setting.units]

    def _activated(self, z: Any) -> Any:
        branches = [keras.activations.get(name) for name in ACTIVATIONS]
        return ops.switch(ops.convert_to_tensor(self.chosen), branches, z)

    def _dropped(self, h: Any, training: bool | None) -> Any:
        """Do what `keras.layers.Dropout` does, with a rate that may change."""
        if not training or self.random is None:
            return h
        rate = ops.convert_to_tensor(self.dropout)
        kept = ops.cast(keras.random.uniform(ops.shape(h), seed=self.random) >= rate, h.dtype)
        return h * kept / (1 - rate)


class AnyOptimizer(keras.optimizers.Optimizer):
    """Applies every optimizer in turn, all but the chosen one with a learning rate of 0, and keeps a diary."""

    def __init__(self, network: PaddedNetwork) -> None:
        """Prepare a diary with a row for every step."""
        super().__init__(learning_rate=0.0, name="any_optimizer")
        self.inner_optimizers = [new_optimizer(name) for name in OPTIMIZERS]
        self.rates = [float(ops.convert_to_numpy(inner.learning_rate)) for inner in self.inner_optimizers]
        self.network = network

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the diary: one column for each kernel and each bias."""
        for inner in self.inner_optimizers:
            inner.build(variables)
        shape = (MOST_STEPS, 2 * self.network.exists.shape[0] + 2)
        self.gradient_diary = self.add_variable(shape, initializer="zeros", name="gradient_lengths")
        super().build(variables)

    @property
    def variables(self) -> list[keras.Variable]:
        """The diary and the states of all optimizers."""
        return self._variables + [variable for inner in self.inner_optimizers for variable in inner.variables]

    def choose(self, name: str) -> None:
        """Give one optimizer its usual learning rate and the others none."""
        for inner, other, rate in zip(self.inner_optimizers, OPTIMIZERS, self.rates, strict=True):
            inner.learning_rate = rate if other == name else 0.0

    def apply(self, grads: list[Any], trainable_variables: list[keras.Variable] | None = None) -> None:
        """Write the size of the gradients down, then update."""
        first, middle, head, biases, head_bias = [ops.convert_to_tensor(gradient) for gradient in grads]
        stacks = [first[np.newaxis], middle, head[np.newaxis], biases[:, np.newaxis], head_bias[np.newaxis, np.newaxis]]
        row = ops.concatenate([_lengths(stack) for stack in stacks])
        start = (self.inner_optimizers[0].iterations.value, 0)
        self.gradient_diary.assign(ops.slice_update(self.gradient_diary.value, start, row[np.newaxis]))
        for inner in self.inner_optimizers:
            inner.apply(grads, list(trainable_variables or self._trainable_variables))


class Engine:
    """A padded network and its compiled training."""

    def __init__(self, width: int, depth: int, has_dropout: bool) -> None:
        """Build and compile, and train once for a moment: that creates the graph."""
        self.lock = threading.Lock()
        self.network = PaddedNetwork(width, depth, has_dropout)
        x, y = examples()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.task = Task(x, y.astype("int32"), loss, len(y))
        self.training = RecordedTraining(self.network, self.task, MOST_STEPS)
        backend = keras.backend.backend()
        self.training.start(
            AnyOptimizer(self.network),
            loss,
            steps_per_execution=1 if backend == "torch" else STEPS_AT_ONCE,
            jit_compile=backend == "jax",
        )
        self.run(Setting(steps=STEPS_AT_ONCE), lambda share: True)

    def run(self, setting: Setting, go_on: Callable[[float], bool]) -> Run | None:
        """Train as the function `run` says."""
        start = setting.initial_kernels()
        self.training.restart(self.task, None)
        self.training.recorder.choose(setting.optimizer)
        self.network.load(setting, start)
        watch = Watch(setting, go_on)
        self.training.fit(**_numbers(setting.steps), shuffle=False, verbose=0, callbacks=[watch])
        return None if watch.abandoned else self._result(setting, start, watch)

    def _result(self, setting: Setting, start: list[np.ndarray], watch: "Watch") -> Run:
        logits = ops.convert_to_numpy(self.network(self.task.x, training=False))
        spread, width = np.array(watch.looks).transpose(1, 2, 0)
        kernels, biases = self.network.kernels(setting), self.network.hidden_biases(setting)
        around = [np.vstack([before, after.T]) for before, after in itertools.pairwise(kernels)]
        return Run(
            setting=setting,
            loss=_copy(self.training.loss_diary)[: setting.steps],
            gradients=self._gradients(setting, start),
            seen_at=np.array(watch.seen_at),
            spread=spread,
            width=width,
            different=[different_units(*layer) for layer in zip(around, biases, strict=True)],
            start=start,
            kernels=kernels,
            accuracy=float(np.mean(logits.argmax(axis=1) == self.task.y)),
        )

    def _gradients(self, setting: Setting, start: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Turn the lengths of the padded gradients into root mean squares over the entries that exist."""
        depth, layers = self.network.exists.shape[0], setting.layers
        diary = _copy(self.training.recorder.gradient_diary)[: setting.steps].T
        kernels, biases = [*diary[:layers], diary[depth]], [*diary[depth + 1 : depth + 1 + layers], diary[-1]]
        names = [*(f"hidden_{layer + 1}" for layer in range(layers)), "head"]
        flow = {}
        for name, kernel, of_kernel, of_bias in zip(names, start, kernels, biases, strict=True):
            flow[f"{name}/kernel"] = of_kernel / np.sqrt(np.float32(kernel.size))
            flow[f"{name}/bias"] = of_bias / np.sqrt(np.float32(kernel.shape[1]))
        return flow


class Watch(keras.callbacks.Callback):
    """Looks at the units every few steps, and asks whether to go on."""

    def __init__(self, setting: Setting, go_on: Callable[[float], bool]) -> None:
        """Prepare to look."""
        super().__init__()
        self.setting, self.go_on = setting, go_on
        self.every = STEPS_AT_ONCE * -(-setting.steps // 200)
        self.done, self.abandoned = 0, False
        self.seen_at: list[int] = []
        self.looks: list[list[list[float]]] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Look at the network before the first step."""
        self._look()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Keras calls this after each execution."""
        at_once = 1 if keras.backend.backend() == "torch" else STEPS_AT_ONCE
        self.done = min(self.done + at_once, self.setting.steps)
        if self.done % self.every == 0 or self.done == self.setting.steps:
            self._look()
        if self.done % STEPS_AT_ONCE == 0 and not self.go_on(self.done / self.setting.steps):
            self.abandoned = self.model.stop_training = True

    def _look(self) -> None:
        network = self.model.model  # through the callback's model: on JAX this fetches the current weights
        kernels, biases = network.kernels(self.setting)[:-1], network.hidden_biases(self.setting)
        spread = [float(np.ptp(kernel, axis=1).max()) for kernel in kernels]
        width = [different_units(kernel, bias) for kernel, bias in zip(kernels, biases, strict=True)]
        self.seen_at.append(self.done)
        self.looks.append([spread, width])


def different_units(kernel: np.ndarray, bias: np.ndarray, tolerance: float = 1e-3) -> int:
    """Return the `effective_width` of a layer, from all distances at once: much faster for a wide layer.

    Example:
        >>> different_units(np.array([[1.0, 2.0, 1.0]]), np.zeros(3))
        2
    """
    units = np.vstack([kernel, bias]).T.astype("float64")
    if not np.isfinite(units).all():
        return len(units)
    squares = np.square(units).sum(axis=1)
    products = np.einsum("ui,vi->uv", units, units)  # without the threads of a matrix product, which cost more here
    near = squares[:, np.newaxis] + squares - 2 * products <= tolerance**2 * squares.max()
    if near.sum() <= len(units):
        return len(units)
    left, count = np.ones(len(units), dtype=bool), 0
    for unit in range(len(units)):
        if left[unit]:
            left &= ~near[unit]
            count += 1
    return count


@functools.lru_cache(maxsize=8)
def _numbers(steps: int) -> dict[str, Any]:
    return step_numbers(steps)


def _lengths(stack: Any) -> Any:
    """Return the length of each matrix in a stack; exactly 0.0 if and only if every entry is."""
    size = ops.abs(stack)
    largest = ops.max(size, axis=(1, 2))
    scale = ops.where(largest > 0, largest, ops.ones_like(largest))
    return largest * ops.sqrt(ops.sum(ops.square(size / scale[:, np.newaxis, np.newaxis]), axis=(1, 2)))


def _padded(kernels: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    stack = np.zeros(shape, "float32")
    for number, kernel in enumerate(kernels):
        stack[number, : kernel.shape[0], : kernel.shape[1]] = kernel
    return stack


def _copy(variable: keras.Variable) -> np.ndarray:
    return ops.convert_to_numpy(variable.value).copy()


def _one_of(name: str, value: Any, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise ValueError(f"{name}: expected one of {', '.join(accepted)}; got {value!r}")
