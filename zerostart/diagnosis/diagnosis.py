"""Can a model learn from where it starts? An answer for any Keras model, from watching a few training steps."""

import warnings
from typing import Any

import keras
import numpy as np

from zerostart.data import Rows, rows_of
from zerostart.diagnosis.blocked import explain, really_asleep
from zerostart.diagnosis.broken import cannot_change, not_finite, nothing_given, untracked
from zerostart.diagnosis.calls import calls_of
from zerostart.diagnosis.descent import descend
from zerostart.diagnosis.experiment import Experiment, usual_start
from zerostart.diagnosis.findings import Diagnosis, Finding
from zerostart.diagnosis.notes import (
    dead_units,
    frozen_layers,
    stale_optimizer,
    unused,
    unused_parts,
    zeros_that_are_fine,
)
from zerostart.diagnosis.slow import slow
from zerostart.diagnosis.targets import misfits
from zerostart.diagnosis.twins import twins
from zerostart.models import check_model, fixed_batch_size, untouched
from zerostart.verdict import verdict_of

ROWS, READ = 256, 1024  # rows that are looked at; rows that are read from a dataset


def diagnose(model: keras.Model, x: Any, y: Any = None, *, loss: Any = None) -> Diagnosis:
    """Tell whether a model can learn from where its weights are now, and if not, why and what to do.

    You want it before `fit`, or when a loss does not fall. It looks at what each layer gives, trains for a few steps,
    compares with a usual start of the same model, and puts the model back: weights, optimizer, metrics, random state.
    The verdict is the first that applies:

    - `"frozen"`: no kernel ever receives a gradient, at most biases move; or numbers are NaN.
    - `"partly frozen"`: some kernel that the model uses never does.
    - `"symmetric"`: units, attention heads or layers are identical (or mirrored), stay so, and do the same.
    - `"slow"`: the start is far too small or far too large, units are saturated, gradients fade on the way, or data,
      loss and outputs do not fit.
    - `"learns"`: none of these.

    The verdict is about the start. It does not look at the learning rate, at penalties on weights, or at whether the
    labels are right. A `train_step` of your own is not used.

    Args:
        model: A built Keras model. Layers with `trainable=False` are left out.
        x: What `fit` takes: an array, a dict or list of arrays; a dataset, `keras.utils.PyDataset` or generator of
            batches `(x, y)` or `(x, y, weights)`, of which a few are read.
        y: Targets, or several in a dict or list; None if the batches of `x` hold them or the model brings its own loss.
        loss: As in `compile`. `None` takes the loss that the model was compiled with, or else chooses: cross-entropy
            for numbers of classes that fit the outputs, else mean squared error.

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
    fixed = fixed_batch_size(model) or 1
    if len(rows) < fixed:
        raise ValueError(f"x: expected at least {fixed} rows, as many as the model always takes, got {len(rows)}")
    count = max(min(len(rows), ROWS), fixed)
    chosen = np.sort(np.random.default_rng(0).choice(len(rows), count, replace=False))
    return rows.change(lambda part: part[chosen])


def _examine(experiment: Experiment) -> Diagnosis:
    kernels, calls = experiment.kernels, calls_of(experiment)
    nothing = nothing_given(experiment.rows)
    fit = [*nothing, *misfits(experiment, calls)]
    seen = descend(experiment)
    if not all(np.isfinite(found).all() for found in [*seen.first, seen.losses[0]]):
        experiment.assign(experiment.start)
        return Diagnosis("frozen", (*fit, not_finite(experiment, calls, seen.losses[0], seen.first)))
    asleep = [position for position in kernels if position not in seen.woke]
    usual = usual_start(experiment, seen.losses[0], several=bool(asleep))
    fixed = cannot_change(experiment, usual) if len(usual.outputs) > 1 and not nothing else []
    if fixed:
        return Diagnosis("frozen", _said_once(fit, fixed))
    reasons = unused(experiment, usual, asleep)
    used = [position for position in kernels if position not in reasons]
    asleep = really_asleep(experiment, seen, [position for position in asleep if position in used])
    blocked, cut = explain(experiment, seen, asleep)
    going = [position for position in used if position not in cut] or used
    asleep = [position for position in asleep if position in going]
    same = twins(experiment.model, seen.families)
    lagging = [] if fit or asleep or same or not going else slow(experiment, seen, usual, going, calls)
    experiment.assign(experiment.start)
    loose = untracked(experiment, calls)
    findings = _said_once(fit, [*loose, *blocked, *same, *lagging])
    never = [position in asleep for position in used] + [True for _ in loose]
    verdict = verdict_of(never or [True], bool(same), slow=any(finding.kind == "ill" for finding in findings))
    notes = [*unused_parts(experiment, reasons), *stale_optimizer(experiment.model)]
    notes += [*dead_units(experiment, usual, calls), *frozen_layers(experiment.model)]
    notes += [] if same or lagging else zeros_that_are_fine(experiment, seen)
    return Diagnosis(verdict, (*findings, *notes))


def _said_once(fit: list[Finding], findings: list[Finding]) -> tuple[Finding, ...]:
    """Leave out what only repeats that the loss does not fit."""
    told = any(finding.kind == "ill" and finding.layer.startswith("loss") for finding in fit)
    return (*fit, *(finding for finding in findings if not (told and finding.layer == "loss")))
