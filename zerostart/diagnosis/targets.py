"""Do loss, outputs and targets fit each other? Answered by looking at their values."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.calls import Call
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding, activation_cure

LOGARITHMS = (
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "sparse_categorical_crossentropy",
    "kl_divergence",
)
DISTANCES = (
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "huber",
    "log_cosh",
)
ANY = (-np.inf, np.inf)
RECOVERED = (
    "On TensorFlow Keras looks behind the activation and takes its logits, so it trains; on JAX and PyTorch it would "
    "not."
)


@dataclass(frozen=True)
class Fit:
    """One output, its loss and its targets.

    Attributes:
        model: The model.
        name: Name of the output, or `"outputs"` if there is only one.
        loss: The loss.
        y: The targets.
        outputs: What the model gives for a few rows.
        head: The call that gives the output; None if that is an operation inside `call`.
        single: Whether this is the only output.
    """

    model: keras.Model
    name: str
    loss: Any
    y: np.ndarray
    outputs: np.ndarray
    head: Call | None
    recovers_logits: bool
    single: bool

    @property
    def kind(self) -> str:
        """The name of the loss function."""
        return getattr(getattr(self.loss, "fn", self.loss), "__name__", type(self.loss).__name__)

    @property
    def from_logits(self) -> bool:
        """Whether the loss takes logits."""
        return bool(getattr(self.loss, "_fn_kwargs", {}).get("from_logits", False))

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and largest number that the output can be."""
        operation = self.head and self.head.operation
        activation = getattr(operation, "activation", None)
        if activation is None and operation is not None and not getattr(operation, "weights", []):
            activation, shape = operation, self.head.taken.shape
        else:
            shape = self.outputs.shape
        if not callable(activation):
            low, high = self.outputs.min(), self.outputs.max()
            is_probability = low >= 0 and high <= 1 and len(shape) > 1 and shape[-1] > 1
            sums = is_probability and np.allclose(self.outputs.sum(axis=-1), 1, atol=1e-3)
            return (0.0, 1.0) if sums else ANY
        ends = [_ends(activation, shape, scale) for scale in (30.0, 1000.0)]
        low, high = ends[0]
        return (-np.inf if ends[1][0] < 1.5 * low - 1 else low, np.inf if ends[1][1] > 1.5 * high + 1 else high)

    @property
    def said(self) -> str:
        """The range in words."""
        low, high = self.range
        return "any number" if (low, high) == ANY else f"from {low:.3g} to {high:.3g}".replace("inf", "any number")

    @property
    def targets(self) -> str:
        """The range of the targets in words."""
        return f"from {self.y.min():.4g} to {self.y.max():.4g}"

    def compiled(self, loss: str) -> str:
        """Return code that compiles the model with another loss."""
        if self.single and self.model.compiled:
            return f"model.compile(model.optimizer, loss={loss})"
        return f"loss = {loss}" if self.single else f'Give the output "{self.name}" the loss {loss}.'

    def activated(self, activation: str) -> str:
        """Return code that gives the head another activation."""
        operation = self.head and self.head.operation
        if hasattr(operation, "activation"):
            return activation_cure(self.model, operation, activation)
        return f"End the model with {activation}."


def _ends(activation: Callable[..., Any], shape: tuple[int, ...], scale: float) -> tuple[float, float]:
    values = np.random.default_rng(0).normal(size=shape).astype("float32") * scale
    found = ops.convert_to_numpy(activation(ops.convert_to_tensor(values)))
    low, high = np.nanmin(found), np.nanmax(found)
    return float(np.round(low, 6)), float(np.round(high, 6))


@dataclass(frozen=True)
class Misfit:
    """One row of the table: when it holds, and what to say then."""

    holds: Callable[[Fit], bool]
    layer: str
    problem: str
    cause: str
    cure: Callable[[Fit], str]


def _with_logits(fit: Fit) -> str:
    if fit.range != ANY or fit.kind == "kl_divergence":
        return fit.activated("sigmoid" if "binary" in fit.kind else "softmax")
    return fit.compiled(f"{_class_of(fit.kind)}(from_logits=True)")


def _class_of(kind: str) -> str:
    return "keras.losses." + "".join(word.capitalize() for word in kind.split("_"))


def _is_fraction(fit: Fit) -> bool:
    return fit.y.dtype.kind == "f" and bool(np.any(fit.y != np.floor(fit.y)))


MISFITS = (
    Misfit(
        lambda fit: fit.kind.endswith("categorical_crossentropy") and fit.outputs.shape[-1] == 1,
        "loss",
        "a cross-entropy over one output is the same whatever the output is",
        "It compares the outputs of a row with one another, and there is only one.",
        lambda fit: f"{fit.activated('sigmoid')}; {fit.compiled('keras.losses.BinaryCrossentropy()')}",
    ),
    Misfit(
        lambda fit: fit.kind in LOGARITHMS and not fit.from_logits and (fit.range[0] < 0 or fit.range[1] > 1),
        "loss",
        "the loss {kind} expects probabilities, but {name} can be {said}",
        "It cuts what it gets to [0, 1] before it takes the logarithm: outside of it no gradient comes back.",
        _with_logits,
    ),
    Misfit(
        lambda fit: fit.from_logits and fit.range != ANY,
        "loss",
        "the loss {kind} expects logits (from_logits=True), but {name} can only be {said}",
        "It makes probabilities of them once more: of numbers in so small a range they can never be near 0 or 1.",
        lambda fit: fit.compiled(f"{_class_of(fit.kind)}()") if fit.range == (0, 1) else fit.activated("linear"),
    ),
    Misfit(
        lambda fit: fit.kind == "poisson" and fit.range[0] < 0,
        "loss",
        "the loss poisson expects outputs above 0, but {name} can be {said}",
        "It takes their logarithm.",
        lambda fit: fit.activated("softplus"),
    ),
    Misfit(
        lambda fit: fit.kind.startswith("binary_") and (fit.y.min() < 0 or fit.y.max() > 1),
        "y",
        "the targets are {targets}, but the loss {kind} expects 0 to 1",
        "For other targets it has no smallest value: it falls without end and means nothing.",
        lambda fit: "y = (y - y.min()) / (y.max() - y.min())",
    ),
    Misfit(
        lambda fit: (
            fit.kind == "categorical_crossentropy"
            and fit.y.shape[-1:] == fit.outputs.shape[-1:]
            and not np.allclose(fit.y.sum(axis=-1), 1, atol=1e-3)
        ),
        "y",
        "the targets of a row do not sum to 1, as the loss {kind} expects",
        "It compares probabilities of classes that exclude each other. If several may be true, each needs a sigmoid.",
        lambda fit: f"{fit.activated('sigmoid')}; {fit.compiled('keras.losses.BinaryCrossentropy()')}",
    ),
    Misfit(
        lambda fit: fit.kind == "sparse_categorical_crossentropy" and _is_fraction(fit),
        "y",
        "the targets are {targets} and not whole, but the loss {kind} cuts them to whole numbers",
        "It takes them for numbers of classes: 0.9 becomes 0.",
        lambda fit: (
            "y = np.round(y)"
            if np.abs(fit.y - np.round(fit.y)).max() < 0.01
            else "Give the number of each class; or, if these are quantities, use the loss mean_squared_error."
        ),
    ),
    Misfit(
        lambda fit: (
            (fit.kind in DISTANCES or fit.kind.startswith("binary_"))
            and fit.outputs.ndim > 1
            and fit.outputs.shape[-1] > 1
            and fit.y.shape == (*fit.y.shape[:1], *fit.outputs.shape[1:-1], 1)
        ),
        "y",
        "there is one target a row, but the model gives several numbers",
        "Each of them is compared with the same target.",
        lambda fit: (
            "Give the last layer one unit; or, if the targets are classes, use sparse_categorical_crossentropy."
        ),
    ),
    Misfit(
        lambda fit: fit.kind in DISTANCES and fit.range[0] < fit.range[1] and _outside(fit) > 0,
        "y",
        "the targets are {targets}, but {name} can only be {said}",
        "No weights can reach the targets outside of that.",
        lambda fit: fit.activated("linear"),
    ),
    Misfit(
        lambda fit: "hinge" in fit.kind and fit.kind != "categorical_hinge" and not set(np.unique(fit.y)) <= {-1, 0, 1},
        "y",
        "the targets are {targets}, but the loss {kind} expects -1 and 1",
        "It multiplies outputs and targets.",
        lambda fit: "Give -1 and 1, or use another loss.",
    ),
)


def _outside(fit: Fit) -> float:
    low, high = fit.range
    margin = 0.01 * (high - low) if np.isfinite(high - low) else 1e-3
    return float(np.mean((fit.y < low - margin) | (fit.y > high + margin)))


def misfits(experiment: Experiment, calls: list[Call]) -> list[Finding]:
    """Return what does not fit."""
    findings = []
    for fit in fits(experiment, calls):
        words = {"kind": fit.kind, "name": fit.name, "said": fit.said, "targets": fit.targets}
        for misfit in MISFITS:
            if misfit.holds(fit):
                harmless = misfit is MISFITS[2] and fit.recovers_logits
                problem, cause = misfit.problem.format(**words), misfit.cause.format(**words)
                if harmless:
                    cause = RECOVERED
                layer = misfit.layer if fit.single else f"{misfit.layer} of {fit.name}"
                findings.append(Finding(layer, problem, cause, misfit.cure(fit), "note" if harmless else "ill"))
                break
    return findings


def fits(experiment: Experiment, calls: list[Call]) -> Iterator[Fit]:
    """Pair outputs, losses and targets as `compile` does."""
    outputs, y, loss = experiment.first_outputs, experiment.rows.y, experiment.graph.loss
    single = hasattr(outputs, "shape")
    given = calls[-1].outputs
    names = sorted(outputs) if isinstance(outputs, dict) else getattr(experiment.model, "output_names", None) or []
    for number, output in enumerate(keras.tree.flatten(outputs)):
        name = names[number] if number < len(names) else str(number)
        target, chosen = (y, loss) if single else (_part(y, name, number), _part(loss, name, number))
        if target is None or chosen is None or target.dtype.kind not in "biuf":
            continue
        heads = [call for call in calls if not call.inner and any(part is given[number] for part in call.outputs)]
        yield Fit(
            experiment.model,
            "outputs" if single else name,
            keras.losses.get(chosen),
            target,
            ops.convert_to_numpy(output),
            heads[0] if heads else None,
            hasattr(given[number], "_keras_logits"),
            single,
        )


def _part(parts: Any, name: str, number: int) -> Any:
    if isinstance(parts, dict):
        return parts.get(name)
    return parts[number] if isinstance(parts, (list, tuple)) else parts
