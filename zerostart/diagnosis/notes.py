"""What is no illness of the start, but worth knowing."""

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.calls import Call, calls_of
from zerostart.diagnosis.causes import RELU, Place, size_of
from zerostart.diagnosis.descent import Descent
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import FINE, Finding, joined, layer_name
from zerostart.diagnosis.units import is_kernel, layers_by_variable
from zerostart.diagnosis.usual import Usual


def notes(experiment: Experiment, seen: Descent, usual: Usual, calls: list[Call]) -> list[Finding]:
    """Return all notes; `calls` were made at the start."""
    return [
        *_stale_optimizer(experiment.model),
        *_dead_units(experiment, usual, calls),
        *_frozen_layers(experiment.model),
        *_zeros_that_are_fine(experiment, seen),
    ]


def _stale_optimizer(model: keras.Model) -> list[Finding]:
    optimizer = getattr(model, "optimizer", None)
    steps = int(ops.convert_to_numpy(optimizer.iterations.value)) if optimizer and optimizer.built else 0
    reset = [variable for variable in model.trainable_variables if steps and _was_reset(variable, optimizer)]
    if not reset:
        return []
    names = joined(f"{layer_name(model, variable)} ({variable.name})" for variable in reset)
    return [
        Finding(
            "optimizer",
            "its state is older than the weights",
            f"It has taken {steps} steps and remembers gradients of {names}, whose entries are all equal: they "
            "were set anew since. What it remembers would move even weights that get no gradient, and would part equal "
            "units. The verdict is about these weights with a fresh optimizer.",
            "model.compile(optimizer=type(model.optimizer)(), loss=model.loss)",
            "note",
        )
    ]


def _was_reset(variable: keras.Variable, optimizer: keras.optimizers.Optimizer) -> bool:
    """Tell whether the optimizer has moved the variable although its entries are all zero, or all equal."""
    value = ops.convert_to_numpy(variable.value)
    if variable.constraint or (value != value.flat[0]).any():
        return False
    mark = variable.path.replace("/", "_")
    slots = [slot for slot in optimizer.variables if tuple(slot.shape) == value.shape and mark in slot.path]
    slots = [ops.convert_to_numpy(slot.value) for slot in slots]
    return any(slot.any() if not value.any() else (slot != slot.flat[0]).any() for slot in slots)


def _dead_units(experiment: Experiment, usual: Usual, calls: list[Call]) -> list[Finding]:
    findings, model, usually = [], experiment.model, []
    for number, call in enumerate(calls):
        if Place(model, call).activation not in RELU or call.unfed or _dead(call).mean() < 0.3:
            continue
        experiment.assign(usual.weights)
        usually = usually or calls_of(experiment)
        dead, before = _dead(call), _dead(usually[number])
        if dead.mean() > before.mean() + 0.3 and not dead.all():
            findings.append(
                Finding(
                    Place(model, call).name,
                    f"{dead.sum()} of its {len(dead)} units are dead",
                    f"They give 0 for every row; after a usual start {before.sum()} would. The others learn.",
                    "If you want them back: biases at 0, smaller weights, or leaky_relu.",
                    "note",
                )
            )
    return findings


def _dead(call: Call) -> np.ndarray:
    """Tell for each unit whether it gives 0 for every row."""
    return ~call.values.reshape(-1, call.values.shape[-1]).any(axis=0)


def _frozen_layers(model: keras.Model) -> list[Finding]:
    layers = layers_by_variable(model)
    names = [layer_name(model, weight) for weight in model.weights if not layers[id(weight)].trainable]
    cause = "trainable is False. Their weights were left out of the examination."
    return [Finding(joined(names), "not trained, as you asked", cause, FINE, "note")] if names else []


def _zeros_that_are_fine(experiment: Experiment, seen: Descent) -> list[Finding]:
    if seen.families:
        return []  # what keeps units identical is not fine
    model, layers, findings, biases = experiment.model, layers_by_variable(experiment.model), [], []
    for position, variable in enumerate(experiment.variables):
        start = experiment.start[position]
        if position not in seen.woke:
            continue
        name = layer_name(model, variable)
        if not start.any() and ("bias" in variable.name or variable.name == "beta"):
            biases.append(name)
        elif not start.any():
            step = seen.woke[position]
            when = "at once" if step == 0 else f"after {step} step{'s' * (step > 1)}"
            cause = f"It receives a gradient {when}: what feeds it is not 0, and neither is what comes back to it."
            findings.append(Finding(name, f"its {variable.name} starts at zero, which is fine", cause, FINE, "note"))
        elif is_kernel(variable) and size_of(start, variable, layers.get(id(variable))) < 0.01:
            cause = "Alone it can grow fast; several such layers would wait long near zero (lesson 6)."
            findings.append(Finding(name, f"its {variable.name} starts close to zero", cause, FINE, "note"))
    if biases:
        cause = "That is the usual start: random kernels are enough to make units different."
        findings.append(Finding(joined(biases), "biases start at zero, which is fine", cause, FINE, "note"))
    return findings
