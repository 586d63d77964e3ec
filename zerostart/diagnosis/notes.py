"""What is no illness of the start, but worth knowing."""

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.calls import Call, calls_of
from zerostart.diagnosis.causes import RELU
from zerostart.diagnosis.descent import Descent
from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import FINE, Finding, joined, layer_name
from zerostart.diagnosis.units import is_shift, layers_by_variable
from zerostart.diagnosis.usual import Usual

MANY = 0.3  # share of a layer's units; fewer dead ones are usual
CHANCE = 1.5  # times the root of their number: two standard deviations between two random starts


def stale_optimizer(model: keras.Model) -> list[Finding]:
    """Tell whether the optimizer remembers other weights than these."""
    optimizer = getattr(model, "optimizer", None)
    steps = int(ops.convert_to_numpy(optimizer.iterations.value)) if optimizer and optimizer.built else 0
    reset = [variable for variable in model.trainable_variables if steps and _was_reset(variable, optimizer)]
    names = joined(f"{layer_name(model, variable)} ({variable.name})" for variable in reset)
    cause = (
        f"It has taken {steps} steps and remembers gradients of {names}, whose entries are all equal: they were set "
        "anew since. What it remembers would move even weights that get no gradient, and would part equal units. The "
        "verdict is about these weights with a fresh optimizer."
    )
    cure = "model.compile(optimizer=type(model.optimizer)(), loss=model.loss)"
    return [Finding("optimizer", "its state is older than the weights", cause, cure, "note")] if reset else []


def _was_reset(variable: keras.Variable, optimizer: keras.optimizers.Optimizer) -> bool:
    """Tell whether the optimizer has moved the variable although its entries are all zero, or all equal."""
    value = ops.convert_to_numpy(variable.value)
    if variable.constraint or (value != value.flat[0]).any():
        return False
    mark = variable.path.replace("/", "_")
    slots = [slot for slot in optimizer.variables if tuple(slot.shape) == value.shape and mark in slot.path]
    slots = [ops.convert_to_numpy(slot.value) for slot in slots]
    return any(slot.any() if not value.any() else (slot != slot.flat[0]).any() for slot in slots)


def dead_units(experiment: Experiment, usual: Usual, calls: list[Call]) -> list[Finding]:
    """Name the layers with many more dead units than after a usual start; `calls` were made at the present one."""
    suspect = [
        number
        for number, call in enumerate(calls)
        if call.activation in RELU and not call.unfed and MANY < _dead(call).mean() < 1
    ]
    experiment.assign(usual.weights)
    usually, findings = calls_of(experiment) if suspect else [], []
    for number in suspect:
        dead, before = _dead(calls[number]), _dead(usually[number])
        if dead.sum() - before.sum() > max(MANY * len(dead), CHANCE * len(dead) ** 0.5):
            problem = f"{dead.sum()} of its {len(dead)} units are dead"
            cause = f"They give 0 for every row; after a usual start {before.sum()} would. The others learn."
            cure = "If you want them back: biases at 0, smaller weights, or leaky_relu."
            findings.append(Finding(calls[number].name, problem, cause, cure, "note"))
    return findings


def _dead(call: Call) -> np.ndarray:
    """Tell for each unit whether it gives 0 for every row."""
    return ~call.values.reshape(-1, call.values.shape[-1]).any(axis=0)


def frozen_layers(model: keras.Model) -> list[Finding]:
    """Name the layers with `trainable=False`."""
    layers = layers_by_variable(model)
    names = [layer_name(model, weight) for weight in model.weights if not layers[id(weight)].trainable]
    cause = "trainable is False. Their weights were left out of the examination."
    return [Finding(joined(names), "not trained, as you asked", cause, FINE, "note")] if names else []


def zeros_that_are_fine(experiment: Experiment, seen: Descent) -> list[Finding]:
    """Name what starts at zero, or close to it, and learns all the same."""
    findings, biases = [], []
    for position in sorted(seen.woke):
        variable, start, step = experiment.variables[position], experiment.start[position], seen.woke[position]
        name, of_zero = experiment.names[position], not start.any()
        if of_zero and is_shift(variable):
            biases.append(name)
        elif of_zero:
            when = f"after {step} step{'s' * (step > 1)}" if step else "at once"
            cause = f"It receives a gradient {when}: what feeds it is not 0, and neither is what comes back to it."
            findings.append(Finding(name, f"its {variable.name} starts at zero, which is fine", cause, FINE, "note"))
        elif position in experiment.kernels and experiment.size(position) < 0.01:
            cause = "Alone it can grow fast; several such layers would wait long near zero."
            findings.append(Finding(name, f"its {variable.name} starts close to zero", cause, FINE, "note"))
    cause = "That is the usual start: random kernels are enough to make units different."
    together = Finding(joined(biases), "biases start at zero, which is fine", cause, FINE, "note")
    return findings + [together] * bool(biases)
