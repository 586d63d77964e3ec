"""Dead, symmetric or fine? An answer for any Keras model, from watching a few training steps."""

import html
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from zerostart.diagnosis.findings import Finding, findings_of
from zerostart.diagnosis.probe import kernel_positions, observe
from zerostart.data import Rows, rows_of
from zerostart.models import check_model, fixed_batch_size, untouched
from zerostart.verdict import MEANINGS, verdict_of

ROWS = 64
MOST_READ = 1000  # rows of a dataset
ENTRIES = 2**20  # of x; large images are examined with fewer rows


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


def diagnose(model: keras.Model, x: Any, y: Any = None, *, loss: Any = None) -> Diagnosis:
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
    rows = _few_rows(model, rows_of(x, y, dtype=model.variable_dtype, most=MOST_READ))
    with untouched(model):
        walk = observe(model, rows, loss)
    kernels = kernel_positions(model)
    asleep = [position not in walk.woke for position in kernels]
    return Diagnosis(verdict_of(asleep, bool(walk.families)), findings_of(model, walk))


def _few_rows(model: keras.Model, rows: Rows) -> Rows:
    """Return some rows, drawn at random: rows may be sorted by class."""
    entries = sum(part[0].size for part in keras.tree.flatten(rows.x))
    count = min(len(rows), ROWS, max(ENTRIES // entries, 8))
    count = max(count, fixed_batch_size(model) or 1)
    chosen = np.sort(np.random.default_rng(0).choice(len(rows), count, replace=False))
    return rows.change(lambda part: part[chosen])


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
