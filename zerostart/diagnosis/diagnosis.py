"""Dead, symmetric or fine? An answer for any Keras model, from watching a few training steps."""

import html
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from helpers.tasks import Task, check_model, checked_data, loss_value, prepare_task, symbolic_outputs
from helpers.untouched import untouched

from zerostart.diagnosis.findings import Finding, findings_of
from zerostart.diagnosis.probe import Walk, kernel_positions, kernels_asleep, observe

ROWS = 64
ENTRIES = 2**20  # of x; large images are examined with fewer rows

MEANINGS = {
    "frozen": "no kernel ever receives a gradient",
    "partly frozen": "some kernels never receive a gradient",
    "symmetric": "some units are identical and stay so: they do the work of one",
    "learns": "every kernel receives a gradient, and no two units stay identical",
}


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What `diagnose` found.

    Attributes:
        verdict: `"frozen"`, `"partly frozen"`, `"symmetric"` or `"learns"`.
        findings: Each has `layer`, `problem`, `cause` and `cure`. Some say that a zero is fine.

    Example:
        >>> diagnose(mlp((3,), inputs=2, outputs=2), np.eye(2), [0, 1]).findings[0].layer
        'hidden_1'
    """

    verdict: str
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        """Summarize in one line."""
        return f"Diagnosis({self.verdict!r}, {len(self.findings)} findings)"

    def __str__(self) -> str:
        """Return a short report."""
        lines = [f"Verdict: {self.verdict} - {MEANINGS[self.verdict]}."]
        for layers, finding in _merged(self.findings):
            lines += ["", f"{layers}: {finding.problem}", f"  cause: {finding.cause}", f"  cure:  {finding.cure}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return a table for Jupyter."""
        rows = [
            [html.escape(layers), html.escape(found.problem), html.escape(found.cause), html.escape(found.cure)]
            for layers, found in _merged(self.findings)
        ]
        head = "".join(f'<th style="text-align:left">{title}</th>' for title in ("layer", "problem", "cause", "cure"))
        body = "".join(
            "<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in row) + "</tr>" for row in rows
        )
        return (
            f"<p>Verdict: <b>{self.verdict}</b> - {MEANINGS[self.verdict]}.</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def diagnose(model: keras.Model, x: Any, y: Any, *, loss: Any = None) -> Diagnosis:
    """Tell whether a model can learn from where its weights are now.

    It trains the model for a few steps on at most 64 rows, watches every gradient and every unit, and puts
    everything back: weights, optimizer, metrics, random state. The verdict is the first that applies:

    - `"frozen"`: no kernel ever receives a gradient; at most biases move.
    - `"partly frozen"`: some trainable kernel never does.
    - `"symmetric"`: in some layer units (or in some model whole layers) are identical, stay so, and do the same.
    - `"learns"`: none of these, so every kernel wakes within some steps.

    The verdict is about the weights, with a fresh optimizer of the usual kind and without weight penalties. A
    compiled model's optimizer that remembers other weights is a finding. A `train_step` of your own is not used.

    Args:
        model: A built Keras model with one output. Layers with `trainable=False` are left out.
        x: Array of shape `(n, ...)`, or a dict or list of arrays.
        y: Integer classes of shape `(n,)`, or targets of the shape of the model's output (one-hot, or numbers).
        loss: A Keras loss. `None` takes the loss that the model was compiled with, or else chooses: softmax
            cross-entropy on logits for integer classes, mean squared error for everything else.

    Returns:
        A `Diagnosis`; print it.

    Raises:
        TypeError: `model` is no Keras model, or `x`, `y` or `loss` has a wrong type.
        ValueError: the model is not built, has nothing to train, several outputs or NaN in its weights; `x` or `y`
            is empty, has NaN or does not fit; the loss gives no single number.

    Example:
        >>> diagnose(mlp((3,), inputs=2, outputs=2), np.eye(2), [0, 1]).verdict
        'frozen'
    """
    check_model(model)
    loss = _chosen_loss(model, loss)
    x, y = _few_rows(*checked_data(x, y))
    shape = _output_shape(model, x)
    if loss is None and (y.shape[1:] == shape or shape[-1:] == (1,)):
        y = y.astype(model.variable_dtype)  # integers may be numbers too, or classes written as one-hot
    with untouched(model):
        task = prepare_task(model, x, y, loss)
        _check_finite_loss(model, task)
        walk = observe(model, task)
    return Diagnosis(_verdict(model, walk), findings_of(model, walk))


def _verdict(model: keras.Model, walk: Walk) -> str:
    asleep = kernels_asleep(model, walk)
    if len(asleep) == len(kernel_positions(model)):
        return "frozen"
    if asleep:
        return "partly frozen"
    return "symmetric" if walk.families else "learns"


def _few_rows(x: Any, y: np.ndarray) -> tuple[Any, np.ndarray]:
    """Return some rows, drawn at random: rows may be sorted by class."""
    entries = sum(part[0].size for part in keras.tree.flatten(x))
    count = min(len(y), ROWS, max(ENTRIES // entries, 8))
    rows = np.sort(np.random.default_rng(0).choice(len(y), count, replace=False))
    return keras.tree.map_structure(lambda part: part[rows], x), y[rows]


def _chosen_loss(model: keras.Model, loss: Any) -> Any:
    """Return the loss asked for, or the compiled one, or None."""
    parts = keras.tree.flatten(model.loss if loss is None and model.compiled else loss)
    if len(parts) != 1:
        raise ValueError(f"loss: expected one loss for one output, got {len(parts)}")
    return parts[0]


def _output_shape(model: keras.Model, x: Any) -> tuple[int | None, ...]:
    outputs = keras.tree.flatten(symbolic_outputs(model, x))
    if len(outputs) != 1:
        raise ValueError(f"model: expected one output, got {len(outputs)}")
    return tuple(outputs[0].shape[1:])


def _check_finite_loss(model: keras.Model, task: Task) -> None:
    (outputs,) = keras.tree.flatten(model(task.x, training=False))
    if not np.isfinite(loss_value(task.loss, task.y, outputs)).all():
        raise ValueError(
            "model: expected a finite loss, got NaN or infinity; look at the weights and at the scale of x"
        )


def _merged(findings: tuple[Finding, ...]) -> list[tuple[str, Finding]]:
    """Put findings of several layers together that differ in nothing but the layer."""
    layers: dict[tuple[str, str], list[str]] = {}
    firsts: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.problem, finding.cause)
        layers.setdefault(key, []).append(finding.layer)
        firsts.setdefault(key, finding)
    return [
        (
            ", ".join(layers[key]),
            replace(first, cure=f"{first.cure} (and so for the others)") if layers[key][1:] else first,
        )
        for key, first in firsts.items()
    ]
