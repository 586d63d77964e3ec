"""What every layer takes and puts out when the model is run, and what comes back to it from the loss.

Every layer, and every operation of a functional model, is called through `keras.Operation.__call__`. While that is
watched, a run of the model shows all calls in their order, of any kind of model and on every backend.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.variables import is_kernel, is_shift
from zerostart.models import outputs_of
from zerostart.recorder import GradientKeeper, RecordedModel

CLOSED = (keras.layers.RNN, keras.layers.TimeDistributed)  # they call their inner layers once a time step


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer or of an operation, with the tensors that it took and gave."""

    operation: Any
    name: str  # with the layers around it
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    inner: bool  # whether other calls were made inside

    @cached_property
    def values(self) -> np.ndarray:
        """The first output as an array."""
        return ops.convert_to_numpy(self.outputs[0]) if self.outputs else np.zeros(1)

    @cached_property
    def taken(self) -> np.ndarray:
        """The first input as an array."""
        return ops.convert_to_numpy(self.inputs[0]) if self.inputs else np.ones(1)

    @property
    def activation(self) -> str:
        """The name of its activation, or of the operation itself."""
        found = getattr(self.operation, "activation", None)
        return getattr(found, "__name__", type(self.operation).__name__).lower()

    @property
    def weights(self) -> list[keras.Variable]:
        """The weights of the layer, without those of layers that it calls."""
        own = getattr(self.operation, "_trainable_variables", [])
        return own if self.inner else getattr(self.operation, "weights", [])

    @property
    def kernels(self) -> list[keras.Variable]:
        """The layer's own kernels; its scales if it has none."""
        scales = [weight for weight in self.weights if weight.trainable and not is_shift(weight)]
        return [weight for weight in self.weights if is_kernel(weight)] or scales

    @property
    def zeros(self) -> list[keras.Variable]:
        """Those of its kernels that are zero."""
        return [kernel for kernel in self.kernels if not ops.convert_to_numpy(kernel.value).any()]

    @property
    def takes_gradients(self) -> bool:
        """Whether a gradient can come back to the output."""
        return len(self.outputs) == 1 and keras.backend.is_float_dtype(self.outputs[0].dtype)

    @property
    def unfed(self) -> bool:
        """Whether all that goes in is zero. The number 0 of a token is no zero."""
        floats = [part for part in self.inputs if keras.backend.is_float_dtype(part.dtype)]
        return bool(floats) and all(is_zero(ops.convert_to_numpy(part)) for part in floats)

    @property
    def fixed(self) -> bool:
        """Whether it gives the same for all rows, although they differ."""
        return not varies(self.values) and varies(self.taken)

    def feeds(self, other: "Call") -> bool:
        """Tell whether the other call takes what this one gives."""
        return any(given is taken for given in self.outputs for taken in other.inputs)


def is_zero(values: np.ndarray) -> bool:
    """Tell whether an array is 0, up to what a smooth activation leaves far below 0."""
    return bool(np.abs(values).max(initial=0) < 1e-12)


def varies(values: np.ndarray) -> bool:
    """Tell whether an array differs between its rows, beyond rounding."""
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.abs(values - values[:1]).max(initial=0) > 1e-6 * np.abs(values).max(initial=0))


@contextlib.contextmanager
def _watched(see: Callable[..., Any]) -> Iterator[None]:
    """Let `see(operation, inputs, outputs, inner)` say what each call returns."""
    original, open_calls, closed = keras.Operation.__call__, [False], []

    def call(operation: Any, *arguments: Any, **named: Any) -> Any:
        if closed:
            return original(operation, *arguments, **named)
        open_calls.append(False)
        closed.extend([operation] * isinstance(operation, CLOSED))
        try:
            outputs = original(operation, *arguments, **named)
        finally:
            closed.clear()
            inner = open_calls.pop()
        open_calls[-1] = True
        return see(operation, _tensors((arguments, named)), outputs, inner)

    keras.Operation.__call__ = call
    try:
        yield
    finally:
        keras.Operation.__call__ = original


def _tensors(nested: Any) -> tuple[Any, ...]:
    parts = [part for part in keras.tree.flatten(nested) if ops.is_tensor(part)]
    return tuple(part for part in parts if keras.backend.standardize_dtype(part.dtype) not in ("bool", "string"))


def calls_of(experiment: Experiment, *, training: bool = True) -> list[Call]:
    """Run the model on the first rows and return all calls in the order they ended."""
    calls: list[Call] = []

    def see(operation: Any, inputs: tuple[Any, ...], outputs: Any, inner: bool) -> Any:
        name = (getattr(operation, "path", None) or operation.name).removeprefix(f"{experiment.model.name}/")
        calls.append(Call(operation, name, inputs, _tensors(outputs), inner))
        return outputs

    with _watched(see):
        experiment.graph(ops.convert_to_tensor(experiment.numbers), training=training)
    return calls


class _Tapped(keras.Model):
    """The model, with a zero added to what each layer puts out: the gradient of the zero is what comes back there."""

    def __init__(self, model: keras.Model, calls: list[Call]) -> None:
        super().__init__(name=model.name, dtype=model.dtype_policy)
        self.model, self.built = model, True
        self.taps = [self._tap(call, calls[-1]) for call in calls]
        for name in ("inputs", "output_names"):
            if getattr(model, name, None):
                setattr(self, name, getattr(model, name))

    def _tap(self, call: Call, last: Call) -> keras.Variable | None:
        if call.inner or not call.takes_gradients:
            return None
        if hasattr(call.outputs[0], "_keras_logits") and any(call.outputs[0] is part for part in last.outputs):
            return None  # behind these probabilities Keras looks for their logits, but not behind a sum
        return self.add_weight(shape=call.outputs[0].shape, initializer="zeros", name="tap")

    def call(self, x: Any, training: bool | None = None) -> Any:
        taps = iter(self.taps)

        def see(operation: Any, inputs: tuple[Any, ...], outputs: Any, inner: bool) -> Any:
            tap = next(taps, None)
            fits = tap is not None and getattr(outputs, "shape", None) == tap.shape
            return ops.add(outputs, ops.cast(tap, outputs.dtype)) if fits else outputs

        with _watched(see):
            return outputs_of(self.model, x, training)


def arriving(experiment: Experiment, calls: list[Call]) -> list[np.ndarray | None]:
    """Return for each call what comes back to its output from the loss; None where it cannot be seen."""
    graph, tapped, keeper = experiment.graph, _Tapped(experiment.model, calls), GradientKeeper()
    tapped.compile(loss=graph.loss, loss_weights=graph._compile_loss and graph._compile_loss._user_loss_weights)
    rows = experiment.rows.change(lambda part: part[experiment.numbers[0]])
    RecordedModel(tapped, rows, None, keeper, eager=True).step(np.zeros((1, 0), "int32"))
    kept = {id(variable): gradient for variable, gradient in zip(tapped.trainable_variables, keeper.kept, strict=True)}
    return [None if tap is None else ops.convert_to_numpy(kept[id(tap)].value) for tap in tapped.taps]
