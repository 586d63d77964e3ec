"""Trains any small network of the explorer without compiling anything anew."""

import functools
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from helpers.data import digits
from helpers.explorer.padded import PaddedNetwork, copied
from helpers.explorer.rule import AnyOptimizer
from helpers.explorer.setting import MOST_LAYERS, MOST_STEPS, MOST_UNITS, Setting
from helpers.explorer.watch import Watch, different_units, steps_per_execution
from helpers.seam import RecordedTraining, step_numbers
from helpers.tasks import Task

ROWS = 128
# Units, hidden layers and dropout that an engine can do, the fastest first. Each is built when it is first needed.
ENGINES = (
    (64, 2, False),
    (128, 4, True),
    (MOST_UNITS, 4, True),
    (128, MOST_LAYERS, True),
    (MOST_UNITS, MOST_LAYERS, True),
)


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
    with _one_at_a_time:
        return engine_for(setting).run(setting, go_on)


_one_at_a_time = threading.Lock()


def engine_for(setting: Setting) -> "Engine":
    """Return the fastest engine that can run `setting`."""
    for width, depth, drops in ENGINES:
        if setting.units <= width and setting.layers <= depth and (drops or not setting.dropout):
            return _engine(width, depth, drops)
    raise ValueError(f"too large: {setting}")


@functools.cache
def _engine(width: int, depth: int, drops: bool) -> "Engine":
    return Engine(width, depth, drops)


@functools.cache
def examples() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits that every run trains on: `x` of shape `(128, 64)` and `y` of shape `(128,)`."""
    data = digits()
    return data.x_train[:ROWS], data.y_train[:ROWS]


class Engine:
    """A padded network and its compiled training."""

    def __init__(self, width: int, depth: int, drops: bool) -> None:
        """Build and compile. The first run creates the graph."""
        self.network = PaddedNetwork(width, depth, drops)
        x, y = examples()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.task = Task(x, y.astype("int32"), loss, len(y))
        self.training = RecordedTraining(self.network, self.task, MOST_STEPS)
        self.training.start(
            AnyOptimizer(self.network),
            loss,
            steps_per_execution=steps_per_execution(),
            jit_compile=keras.backend.backend() == "jax",
        )

    def run(self, setting: Setting, go_on: Callable[[float], bool]) -> Run | None:
        """Train as the function `run` says."""
        start = setting.initial_kernels()
        self.training.restart(self.task, None)
        self.training.recorder.choose(setting.optimizer)
        self.network.load(setting, start)
        watch = Watch(setting, go_on)
        self.training.fit(**_numbers(setting.steps), shuffle=False, verbose=0, callbacks=[watch])
        return None if watch.abandoned else self._result(setting, start, watch)

    def _result(self, setting: Setting, start: list[np.ndarray], watch: Watch) -> Run:
        spread, width = np.array(watch.looks).transpose(1, 2, 0)
        kernels, biases = self.network.kernels(setting), self.network.all_biases(setting)
        around = [np.vstack([before, after.T]) for before, after in itertools.pairwise(kernels)]
        answers = logits(self.task.x, setting.activation, kernels, biases).argmax(axis=1)
        return Run(
            setting=setting,
            loss=copied(self.training.loss_diary)[: setting.steps],
            gradients=self._gradients(setting, start),
            seen_at=np.array(watch.seen_at),
            spread=spread,
            width=width,
            different=[different_units(*layer) for layer in zip(around, biases[:-1], strict=True)],
            start=start,
            kernels=kernels,
            accuracy=float(np.mean(answers == self.task.y)),
        )

    def _gradients(self, setting: Setting, start: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Turn the lengths of the padded gradients into root mean squares over the entries that exist."""
        depth, layers = self.network.depth, setting.layers
        diary = copied(self.training.recorder.diary)[: setting.steps].T
        kernels, biases = [*diary[:layers], diary[depth]], [*diary[depth + 1 : depth + 1 + layers], diary[-1]]
        names = [*(f"hidden_{layer + 1}" for layer in range(layers)), "head"]
        flow = {}
        for name, kernel, of_kernel, of_bias in zip(names, start, kernels, biases, strict=True):
            flow[f"{name}/kernel"] = of_kernel / np.sqrt(np.float32(kernel.size))
            flow[f"{name}/bias"] = of_bias / np.sqrt(np.float32(kernel.shape[1]))
        return flow


def logits(x: np.ndarray, activation: str, kernels: list[np.ndarray], biases: list[np.ndarray]) -> np.ndarray:
    """Return what the small network answers, without dropout."""
    h = x
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        h = keras.activations.get(activation)(ops.add(ops.matmul(h, kernel), bias))
    return ops.convert_to_numpy(ops.add(ops.matmul(h, kernels[-1]), biases[-1]))


@functools.lru_cache(maxsize=8)
def _numbers(steps: int) -> dict[str, object]:
    return step_numbers(steps)
