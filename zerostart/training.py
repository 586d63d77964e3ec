"""Trains a model and writes down, at every step, the loss, the gradients and the spread between units.

Training is plain Keras, `compile` and `fit`; `recorder.py` says how it is watched. Row k of a record belongs to the
weights before update k, counted from 0.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.checks import integer, of_type
from zerostart.data import rows_of
from zerostart.models import check_model, fixed_batch_size, restored, variable_paths
from zerostart.recorder import FEW, GradientKeeper, RecordedModel, noting


@dataclass(frozen=True, repr=False)
class Recording:
    """What happened during one training.

    Attributes:
        loss: Loss before each update, shape `(steps,)`.
        names: Paths of the trainable variables, in the model's order.
        gradient_rms: For each path the root mean square of its gradient, shape `(steps,)`. A value is
            exactly 0.0 if and only if every entry of that gradient is.
        unit_spread: For each kernel's path its `unit_spread`, shape `(steps,)`.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="head")], name="model")
        >>> train(model, np.eye(2), [0.0, 1.0], steps=5).names
        ('model/head/kernel', 'model/head/bias')
    """

    loss: np.ndarray
    names: tuple[str, ...]
    gradient_rms: dict[str, np.ndarray]
    unit_spread: dict[str, np.ndarray]

    def __repr__(self) -> str:
        """Summarize in one line."""
        return f"Recording({len(self.loss)} steps, loss {self.loss[0]:.3f} -> {self.loss[-1]:.3f})"


class Training:
    """Trains one model again and again, from whatever weights it has, and compiles only once.

    You want it for a sweep: many starts, seeds or batch sizes of one network. For one training there is `train`.
    As with `compile`, what the model, the loss and the optimizer are is read when the training is made.

    Args:
        model: A built Keras model. How you compiled it is not changed. A `train_step` of your own is not used.
        x: Array of shape `(n, ...)`, a dict or list of arrays, or a dataset or generator of batches `(x, y)`, of which
            at most 1,000 are read.
        y: Integer array of shape `(n,)` (classes), or float array (targets); several in a dict or list for several
            outputs; None if the batches of `x` hold it or the model brings its own loss.
        optimizer: A name or an optimizer. Every run starts with a fresh copy, so no moments are carried over.
        loss: A Keras loss, or several as in `compile`. `None` takes the loss that the model was compiled with, or
            chooses: cross-entropy for numbers of classes that fit the outputs, else mean squared error.
        eager: Whether to run step by step and compile nothing.

    Raises:
        TypeError, ValueError: an argument is unusable; nothing has been trained.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer="zeros")])
        >>> Training(model, np.eye(2), [0, 1]).run(steps=5)
        Recording(5 steps, loss 0.693 -> 0.689)
    """

    def __init__(
        self,
        model: keras.Model,
        x: Any,
        y: Any = None,
        *,
        optimizer: Any = "adam",
        loss: Any = None,
        eager: bool = False,
    ) -> None:
        """Check everything on a few rows."""
        check_model(model)
        self.model, self._loss, self._eager = model, loss, eager
        self._optimizer = of_type("optimizer", keras.optimizers.get(optimizer), keras.optimizers.Optimizer)
        self._rows, self._batch_size = rows_of(x, y, dtype=model.variable_dtype), fixed_batch_size(model)
        self._graph: RecordedModel | None = self._compiled()

    def run(self, steps: int = 200, *, batch_size: int | None = None, seed: int = 0) -> Recording:
        """Train the model in place. If the training is interrupted, the model gets back its weights.

        Args:
            steps: Number of updates.
            batch_size: Rows per update, drawn without replacement, epoch by epoch. `None`: all, or the number that
                the model always takes.
            seed: Seed of the order of the rows.

        Returns:
            A `Recording`.
        """
        steps, seed = integer("steps", steps), integer("seed", seed, least=0)
        order = _order_of_rows(len(self._rows), steps, self._batch_size if batch_size is None else batch_size, seed)
        variables = self.model.trainable_variables
        graph, self._graph = self._graph, None  # an interrupted graph is of no further use: on JAX it is empty
        if graph is None or graph.variables_seen != [id(variable) for variable in variables]:
            graph = self._compiled()
        with restored(self.model, always=False):
            loss, noted = graph.run(order)
        self._graph = graph
        names = variable_paths(variables)
        kernels = [name for name, variable in zip(names, variables, strict=True) if len(variable.shape) > 1]
        gradient_rms, unit_spread = np.split(noted.T, [len(names)])
        return Recording(
            loss, names, dict(zip(names, gradient_rms, strict=True)), dict(zip(kernels, unit_spread, strict=True))
        )

    def _compiled(self) -> "RecordedModel":
        optimizer = noting(self._optimizer, self.model.trainable_variables)
        return RecordedModel(self.model, self._rows, self._loss, optimizer, eager=self._eager)


def train(
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    steps: int = 200,
    batch_size: int | None = None,
    optimizer: Any = "adam",
    loss: Any = None,
    seed: int = 0,
) -> Recording:
    """Train a model in place, once, and record every step. For arguments and errors see `Training` and its `run`.

    Returns:
        A `Recording`.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> train(model, np.eye(2), [0.0, 1.0], steps=5).loss.shape
        (5,)
    """
    few = integer("steps", steps) <= FEW
    training = Training(model, x, y, optimizer=optimizer, loss=loss, eager=few)
    return training.run(steps, batch_size=batch_size, seed=seed)


def gradients(model: keras.Model, x: Any, y: Any = None, *, loss: Any = None) -> dict[str, np.ndarray]:
    """Return the gradient of the loss with respect to every trainable variable. The model is left as it was.

    These are the gradients that the first full-batch step of a training would use. For arguments and errors see
    `Training`.

    Returns:
        For each variable's path an array of the variable's shape.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="head")], name="model")
        >>> gradients(model, np.eye(2), [0.0, 1.0])["model/head/kernel"].shape
        (2, 1)
    """
    check_model(model)
    rows = rows_of(x, y, dtype=model.variable_dtype)
    keeper = GradientKeeper()
    graph = RecordedModel(model, rows, loss, keeper, eager=True)
    with restored(model):
        graph.step(_order_of_rows(len(rows), 1, fixed_batch_size(model), seed=0))
    names = variable_paths(model.trainable_variables)
    return {name: ops.convert_to_numpy(kept.value) for name, kept in zip(names, keeper.kept, strict=True)}


def _order_of_rows(rows: int, steps: int, batch_size: int | None, seed: int) -> np.ndarray:
    """Return the row numbers of each step, shape `(steps, batch_size)`, or `(steps, 0)` for the full batch."""
    if batch_size is None:
        return np.zeros((steps, 0), "int32")
    batch_size = integer("batch_size", batch_size, most=rows)
    generator, per_epoch = np.random.default_rng(seed), rows // batch_size
    epochs = [generator.permutation(rows)[: per_epoch * batch_size] for _ in range(-(-steps // per_epoch))]
    return np.concatenate(epochs).reshape(-1, batch_size)[:steps].astype("int32")
