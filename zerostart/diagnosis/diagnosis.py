"""Can a model learn from where it starts? An answer for any Keras model, from watching a few training steps."""

import warnings
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zerostart.data import Rows, rows_of
from zerostart.diagnosis import notes
from zerostart.diagnosis.blocked import explain, faint, untracked, unused
from zerostart.diagnosis.broken import cannot_change, not_finite, nothing_given
from zerostart.diagnosis.calls import calls_of
from zerostart.diagnosis.descent import descend
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding, joined, page, text
from zerostart.diagnosis.slow import slow
from zerostart.diagnosis.targets import misfits
from zerostart.diagnosis.twins import twins
from zerostart.diagnosis.usual import usual_start
from zerostart.models import check_model, fixed_batch_size, untouched
from zerostart.verdict import MEANINGS, verdict_of

NOT_LOOKED_AT = (
    "Not looked at: the learning rate and the optimizer, penalties on weights, whether the labels are right, whether "
    "it does well on new data."
)
ROWS, READ = 256, 1024  # rows that are looked at; rows that are read from a dataset


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What `diagnose` found.

    Attributes:
        verdict: `"frozen"`, `"partly frozen"`, `"symmetric"`, `"slow"` or `"learns"`.
        findings: Each has `layer`, `problem`, `cause`, `cure` and `kind`, the root cause first.

    Example:
        >>> diagnose(mlp((3,), inputs=2, outputs=2, kernel_initializer="zeros"), np.eye(2), [0, 1]).findings[0].layer
        'hidden_1, head'
    """

    verdict: str
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        """Summarize in one line."""
        return f"Diagnosis({self.verdict!r}, {len(self.findings)} findings)"

    def __str__(self) -> str:
        """Return the report as text."""
        return text(self._headline, self.findings, self._end)

    def _repr_html_(self) -> str:
        """Return the report as a table for Jupyter."""
        return page(self._headline, self.findings, self._end)

    @property
    def _headline(self) -> str:
        return f"Verdict: {self.verdict} - {MEANINGS[self.verdict]}."

    @property
    def _end(self) -> str:
        return NOT_LOOKED_AT if self.verdict == "learns" else ""


def diagnose(model: keras.Model, x: Any, y: Any = None, *, loss: Any = None) -> Diagnosis:
    """Tell whether a model can learn from where its weights are now, and if not, why and what to do.

    You want it before `fit`, or when a loss does not fall. It looks at what each layer gives, trains for a few steps,
    compares with a usual start of the same model, and puts everything back: weights, optimizer, metrics, random state.
    The verdict is the first that applies:

    - `"frozen"`: no kernel ever receives a gradient; at most biases move.
    - `"partly frozen"`: some kernel that the model uses never does.
    - `"symmetric"`: units, attention heads or layers are identical (or mirrored), stay so, and do the same.
    - `"slow"`: the start is far too small or far too large, gradients fade on the way, or loss, outputs and targets do
      not fit.
    - `"learns"`: none of these.

    The verdict is about the start. It does not look at the learning rate, at penalties on weights, or at whether the
    labels are right. A `train_step` of your own is not used.

    Args:
        model: A built Keras model. Layers with `trainable=False` are left out.
        x: What `fit` takes: an array, a dict or list of arrays; a dataset, `keras.utils.PyDataset` or generator of
            batches `(x, y)` or `(x, y, weights)`, of which a few are read.
        y: Targets, or several in a dict or list; None if the batches of `x` hold them or the model brings its own loss.
        loss: As in `compile`. `None` takes the loss that the model was compiled with, or else chooses: cross-entropy
            for integer classes, mean squared error for everything else.

    Returns:
        A `Diagnosis`; print it.

    Raises:
        TypeError: `model` is no Keras model, or `x` or `y` holds no numbers.
        ValueError: the model is not built or has nothing to train; `x` or `y` is empty, has NaN or does not fit; the
            loss gives no single number.

    Example:
        >>> diagnose(mlp((3,), inputs=2, outputs=2, kernel_initializer="zeros"), np.eye(2), [0, 1]).verdict
        'frozen'
    """
    check_model(model)
    rows = _few_rows(model, rows_of(x, y, dtype=model.variable_dtype, most=READ))
    with untouched(model), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Keras warns of is in the report
        experiment = Experiment(model, rows, loss)
        try:
            return _examine(experiment)
        finally:
            experiment.finish()


def _few_rows(model: keras.Model, rows: Rows) -> Rows:
    """Return some rows, drawn at random: rows may be sorted by class."""
    count = max(min(len(rows), ROWS), fixed_batch_size(model) or 1)
    chosen = np.sort(np.random.default_rng(0).choice(len(rows), count, replace=False))
    return rows.change(lambda part: part[chosen])


def _examine(experiment: Experiment) -> Diagnosis:
    model, kernels, calls = experiment.model, experiment.kernels, calls_of(experiment)
    nothing = nothing_given(experiment.rows)
    if nothing:
        return Diagnosis("frozen" if "0" in nothing[0].problem else "slow", tuple(nothing))
    fit = misfits(experiment, calls)
    seen = descend(experiment)
    if not all(np.isfinite(found).all() for found in [*seen.first, seen.losses[0]]):
        experiment.assign(experiment.start)
        return Diagnosis("frozen", (*fit, *not_finite(experiment, calls, seen.losses[0], seen.first)))
    asleep = seen.asleep(kernels)
    usual = usual_start(experiment, seen.losses[0], several=bool(asleep))
    fixed = cannot_change(experiment, usual) if usual.suspect else []
    if fixed:
        return Diagnosis("frozen", _said_once(fit, fixed))
    reasons = unused(experiment, usual, asleep)
    asleep = [position for position in asleep if position not in reasons]
    weak = faint(experiment, seen, asleep)
    experiment.assign(seen.weights)
    asleep = [position for position in asleep if position not in weak]
    blocked, cut = explain(experiment, seen, asleep)
    used = [position for position in kernels if position not in reasons]
    asleep = asleep if set(used) <= set(cut) else [position for position in asleep if position not in cut]
    same = twins(experiment, seen.families)
    going = [position for position in used if position not in cut]
    lagging = [] if fit or asleep or same or not going else slow(experiment, seen, usual, going, calls)
    experiment.assign(experiment.start)
    loose = untracked(experiment, calls)
    findings = _said_once(fit, [*loose, *blocked, *same, *lagging])
    ill = any(finding.kind == "ill" for finding in findings)
    never = [position in asleep for position in used] + [True for _ in loose]
    return Diagnosis(
        verdict_of(never or [True], bool(same), slow=ill),
        (
            *findings,
            *_unused_parts(experiment, reasons),
            *notes.stale_optimizer(model),
            *notes.dead_units(experiment, usual, calls),
            *notes.frozen_layers(model),
            *([] if same or lagging else notes.zeros_that_are_fine(experiment, seen)),
        ),
    )


def _said_once(fit: list[Finding], findings: list[Finding]) -> tuple[Finding, ...]:
    """Leave out what only repeats that the loss does not fit."""
    told = any(finding.kind == "ill" and finding.layer.startswith("loss") for finding in fit)
    return (*fit, *(finding for finding in findings if not (told and finding.layer == "loss")))


def _unused_parts(experiment: Experiment, reasons: dict[int, str]) -> list[Finding]:
    """Put into words which kernels nothing uses."""
    findings = []
    for reason in dict.fromkeys(reasons.values()):
        unused_ones = [position for position in reasons if reasons[position] == reason]
        kernels = joined(experiment.variables[position].name for position in unused_ones)
        problem = f"not used here, so without a gradient: {kernels}"
        names = joined(experiment.names[position] for position in unused_ones)
        findings.append(Finding(names, problem, reason, "Redrawing it would change nothing.", "note"))
    return findings
