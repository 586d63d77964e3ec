"""Do loss, outputs and targets fit each other? Answered by looking at their values."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.calls import Call
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding
from zerostart.diagnosis.variables import with_activation
from zerostart.losses import name_of_loss

BINARY = ("binary_crossentropy", "binary_focal_crossentropy")
DISTANCES = (
    *("mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error"),
    *("mean_squared_logarithmic_error", "huber", "log_cosh"),
)
ANY = (-np.inf, np.inf)


@dataclass(frozen=True)
class Fit:
    """One output, its loss and its targets."""

    model: keras.Model
    name: str
    loss: Any
    y: np.ndarray
    outputs: np.ndarray  # what the model gives for a few rows
    logits: np.ndarray  # what its last activation takes there
    head: Call | None  # the call that gives the output; None if that is an operation inside `call`
    single: bool  # whether this is the only output

    @property
    def kind(self) -> str:
        """The name of the loss function."""
        return name_of_loss(self.loss)

    @property
    def takes_logits(self) -> bool:
        """Whether the loss takes logits."""
        return bool(getattr(self.loss, "_fn_kwargs", {}).get("from_logits", False))

    @cached_property
    def range(self) -> tuple[float, float]:
        """The smallest and largest number that the output can be, found by giving its activation large numbers."""
        operation, shape = self.head and self.head.operation, self.outputs.shape
        activation = getattr(operation, "activation", None)
        if activation is None and self.head and _takes_one_tensor(self.head):
            activation, shape = operation, self.head.taken.shape
        if not callable(activation):
            sums = self.outputs.min() >= 0 and len(shape) > 1 and shape[-1] > 1 and _sum_to_one(self.outputs)
            return (0.0, 1.0) if sums else ANY
        (low, high), (lower, higher) = (_ends(activation, shape, scale) for scale in (30.0, 1000.0))
        return (-np.inf if lower < 1.5 * low - 1 else low, np.inf if higher > 1.5 * high + 1 else high)

    def compiled(self, loss: str) -> str:
        """Return code that compiles the model with another loss."""
        if self.single and self.model.compiled:
            return f"model.compile(model.optimizer, loss={loss})"
        return f"loss = {loss}" if self.single else f'Give the output "{self.name}" the loss {loss}.'

    def activated(self, activation: str) -> str:
        """Return code that gives the head another activation."""
        operation = self.head and self.head.operation
        return with_activation(self.model, operation, activation) if operation else f"End the model with {activation}."


def _numbers(fit: Fit) -> str:
    return "any number" if fit.range == ANY else "from {:.3g} to {:.3g}".format(*fit.range).replace("inf", "any number")


def _sum_to_one(values: np.ndarray) -> bool:
    return bool(np.allclose(values.sum(axis=-1), 1, atol=1e-3))


def _takes_one_tensor(call: Call) -> bool:
    """Tell whether a call without weights can be tried on another tensor, as an activation can."""
    needed = [one for one in inspect.signature(call.operation.call).parameters.values() if one.default is one.empty]
    return len(call.inputs) == len(needed) == 1 and not getattr(call.operation, "weights", [])


def _ends(activation: Callable[..., Any], shape: tuple[int, ...], scale: float) -> tuple[float, float]:
    values = np.random.default_rng(0).normal(size=shape).astype("float32") * scale
    found = ops.convert_to_numpy(activation(ops.convert_to_tensor(values)))
    return round(float(np.nanmin(found)), 6), round(float(np.nanmax(found)), 6)


def misfits(experiment: Experiment, calls: list[Call]) -> list[Finding]:
    """Return what does not fit, at most one thing for each output."""
    findings = []
    for fit in fits(experiment, calls):
        found = next(chain(_loss_and_outputs(fit), _loss_and_targets(fit), _outputs_and_targets(fit)), None)
        if found:
            where = found.layer if fit.single else f"{found.layer} of {fit.name}"
            findings.append(Finding(where, found.problem, found.cause, found.cure, found.kind))
    return findings


def _loss_and_outputs(fit: Fit) -> Iterator[Finding]:
    kind, (low, high) = fit.kind, fit.range
    numbers = _numbers(fit)
    name = "keras.losses." + "".join(word.capitalize() for word in kind.split("_"))
    is_entropy = kind.endswith("crossentropy") or kind == "kl_divergence"
    if kind.endswith("categorical_crossentropy") and fit.outputs.shape[-1] == 1:
        problem = "a cross-entropy over one output is the same whatever the output is"
        cause = "It compares the outputs of a row with one another, and there is only one."
        cure = f"{fit.activated('sigmoid')}; {fit.compiled('keras.losses.BinaryCrossentropy()')}"
        yield Finding("loss", problem, cause, cure)
    if is_entropy and not fit.takes_logits and (low < 0 or high > 1):
        problem = f"the loss {kind} expects probabilities, but {fit.name} can be {numbers}"
        cause = "It cuts what it gets to [0, 1] before it takes the logarithm: outside of it no gradient comes back."
        use = fit.activated("sigmoid" if kind in BINARY else "softmax")
        logits = fit.range == ANY and kind != "kl_divergence"
        yield Finding("loss", problem, cause, fit.compiled(f"{name}(from_logits=True)") if logits else use)
    if fit.takes_logits and fit.range != ANY:
        problem = f"the loss {kind} expects logits (from_logits=True), but {fit.name} can only be {numbers}"
        cause = "It makes probabilities of them once more; of so small a range they can never be near 0 or 1."
        cure = fit.compiled(f"{name}()") if fit.range == (0, 1) else fit.activated("linear")
        recovers = fit.head is not None and any(hasattr(part, "_keras_logits") for part in fit.head.outputs)
        harmless = "On TensorFlow Keras finds the logits behind the activation, so it trains; elsewhere it would not."
        yield Finding("loss", problem, harmless if recovers else cause, cure, "note" if recovers else "ill")
    if kind == "poisson" and low < 0:
        problem = f"the loss poisson expects outputs above 0, but {fit.name} can be {numbers}"
        yield Finding("loss", problem, "It takes their logarithm.", fit.activated("softplus"))


def _loss_and_targets(fit: Fit) -> Iterator[Finding]:
    kind, y, outputs = fit.kind, fit.y, fit.outputs
    problem = f"the targets are from {y.min():.4g} to {y.max():.4g}, but the loss {kind} expects "
    if kind in BINARY and (y.min() < 0 or y.max() > 1):
        cause = "For other targets it has no smallest value: it falls without end and means nothing."
        yield Finding("y", problem + "0 to 1", cause, "y = (y - y.min()) / (y.max() - y.min())")
    if kind == "categorical_crossentropy" and y.shape[-1:] == outputs.shape[-1:] and not _sum_to_one(y):
        cause = "It compares probabilities of classes that exclude each other. If several may be true, use sigmoid."
        cure = f"{fit.activated('sigmoid')}; {fit.compiled('keras.losses.BinaryCrossentropy()')}"
        yield Finding("y", f"the targets of a row do not sum to 1, as the loss {kind} expects", cause, cure)
    if kind == "sparse_categorical_crossentropy" and np.any(y != np.floor(y)):
        cure = "Give the number of each class; or, if these are quantities, use the loss mean_squared_error."
        cure = "y = np.round(y)" if np.abs(y - np.round(y)).max() < 0.01 else cure
        cause = "It takes them for numbers of classes and cuts them to whole numbers: 0.9 becomes 0."
        yield Finding("y", problem + "whole numbers", cause, cure)
    if "hinge" in kind and kind != "categorical_hinge" and not set(np.unique(y)) <= {-1, 0, 1}:
        yield Finding("y", problem + "-1 and 1", "It multiplies outputs and targets.", "Give -1 and 1.")


def _outputs_and_targets(fit: Fit) -> Iterator[Finding]:
    y, (low, high), shape = fit.y, fit.range, fit.outputs.shape
    each = fit.kind in DISTANCES or fit.kind in BINARY
    if each and len(shape) > 1 and shape[-1] > 1 and y.shape[1:] == (*shape[1:-1], 1):
        cause = "Each of them is compared with the same target."
        cure = "Give the last layer one unit; or, if the targets are classes, use sparse_categorical_crossentropy."
        yield Finding("y", "there is one target a row, but the model gives several numbers", cause, cure)
    margin = 0.01 * (high - low) if np.isfinite(high - low) else 1e-3
    if fit.kind in DISTANCES and low < high and (y.min() < low - margin or y.max() > high + margin):
        problem = f"the targets are from {y.min():.4g} to {y.max():.4g}, but {fit.name} can only be {_numbers(fit)}"
        cause = "No weights can reach the targets outside of that."
        yield Finding("y", problem, cause, fit.activated("linear"))


def fits(experiment: Experiment, calls: list[Call]) -> Iterator[Fit]:
    """Pair outputs, losses and targets as `compile` does."""
    outputs, y, loss = experiment.first_outputs, experiment.rows.y, experiment.graph.loss
    single = hasattr(outputs, "shape")
    names = sorted(outputs) if isinstance(outputs, dict) else getattr(experiment.model, "output_names", None) or []
    for number, output in enumerate(calls[-1].outputs):
        name = names[number] if number < len(names) else str(number)
        target, chosen = (y, loss) if single else (_part(y, name, number), _part(loss, name, number))
        if target is None or chosen is None or target.dtype.kind not in "biuf":
            continue
        heads = (call for call in calls if not call.inner and any(part is output for part in call.outputs))
        values, head, name = ops.convert_to_numpy(output), next(heads, None), "outputs" if single else name
        logits = values if head is None else _taken_by_activation(head)
        yield Fit(experiment.model, name, keras.losses.get(chosen), target, values, logits, head, single)


def _taken_by_activation(head: Call) -> np.ndarray:
    if not isinstance(head.operation, keras.layers.Dense):
        return head.taken
    bias, logits = head.operation.bias, ops.matmul(head.inputs[0], head.operation.kernel)
    return ops.convert_to_numpy(logits if bias is None else ops.add(logits, bias))


def _part(parts: Any, name: str, number: int) -> Any:
    if isinstance(parts, dict):
        return parts.get(name)
    return parts[number] if isinstance(parts, (list, tuple)) else parts
