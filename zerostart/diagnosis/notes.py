"""What is no illness of the start, but worth knowing."""

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.blocked import user_of
from zerostart.diagnosis.calls import Call, calls_of
from zerostart.diagnosis.causes import RELU, is_to_blame
from zerostart.diagnosis.descent import ROUNDING, Descent
from zerostart.diagnosis.experiment import Experiment, Usual
from zerostart.diagnosis.findings import FINE, Finding, joined
from zerostart.diagnosis.variables import is_shift, layer_name, layers_by_variable

ATTENTION = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
MANY = 0.3  # share of a layer's units; fewer dead ones are usual
CHANCE = 1.5  # times the root of their number: two standard deviations between two random starts


def unused(experiment: Experiment, usual: Usual, asleep: list[int]) -> dict[int, str]:
    """Return the kernels that nothing uses, each with the reason."""
    silent = [position for position in asleep if usual.lengths[position] <= ROUNDING * usual.lengths.max()]
    silent = [position for position in silent if not _matters(experiment, usual, position)]
    experiment.assign(usual.weights)
    calls = calls_of(experiment) if silent else []
    found = {position: _reason(calls, experiment.variables[position]) for position in silent}
    return {position: reason for position, reason in found.items() if reason}


def _matters(experiment: Experiment, usual: Usual, position: int) -> bool:
    """Tell whether other values of a variable change the loss, after a usual start."""
    variable = experiment.variables[position]
    experiment.assign(usual.weights)
    before = experiment.loss_of(experiment.outputs())
    variable.assign(keras.initializers.GlorotUniform(99)(tuple(variable.shape)) * 3)
    return abs(experiment.loss_of(experiment.outputs()) - before) > 1e-6 * abs(before)


def _reason(calls: list[Call], variable: keras.Variable) -> str:
    """Say why nothing uses a kernel; say nothing if something after it is ill."""
    number = user_of(calls, variable)
    if number is None:
        return "`call` never calls this layer."
    call, later = calls[number], calls[number:]
    if is_to_blame(call):
        return ""
    if "recurrent" in variable.name:
        return "What is read from this layer has seen only one step of the sequence, so there is no past to look at."
    around = [outer.operation for outer in calls if isinstance(outer.operation, ATTENTION)]
    if call.taken.shape[1:2] == (1,) and any(call.operation in outer._flatten_layers() for outer in around):
        return "The sequence has one token: its attention is 1 whatever query and key are."
    if any(late.fixed for late in later):
        return ""
    taken = any(map(call.feeds, later)) or any(part is given for part in call.outputs for given in calls[-1].outputs)
    return "The loss does not depend on it." if taken else "Nothing takes what this layer gives."


def unused_parts(experiment: Experiment, reasons: dict[int, str]) -> list[Finding]:
    """Put into words which kernels nothing uses."""
    findings = []
    for reason in dict.fromkeys(reasons.values()):
        positions = [position for position in reasons if reasons[position] == reason]
        kernels = joined(experiment.variables[position].name for position in positions)
        problem = f"not used here, so without a gradient: {kernels}"
        names = joined(experiment.names[position] for position in positions)
        findings.append(Finding(names, problem, reason, "Redrawing it would change nothing.", "note"))
    return findings


def stale_optimizer(model: keras.Model) -> list[Finding]:
    """Tell whether the optimizer remembers other weights than these."""
    optimizer = getattr(model, "optimizer", None)
    steps = int(ops.convert_to_numpy(optimizer.iterations.value)) if optimizer and optimizer.built else 0
    reset = [variable for variable in model.trainable_variables if steps and _was_reset(variable, optimizer)]
    names = joined(f"{layer_name(model, variable)} ({variable.name})" for variable in reset)
    cause = (
        f"It has taken {steps} steps and remembers gradients of {names}, which are 0: they were set anew since. What "
        "it remembers would move even weights that get no gradient, and would part equal units. The verdict is about "
        "these weights with a fresh optimizer."
    )
    cure = "model.compile(optimizer=type(model.optimizer)(), loss=model.loss)"
    return [Finding("optimizer", "its state is older than the weights", cause, cure, "note")] if reset else []


def _was_reset(variable: keras.Variable, optimizer: keras.optimizers.Optimizer) -> bool:
    """Tell whether the optimizer has moved the variable although its entries are all zero."""
    if variable.constraint or ops.convert_to_numpy(variable.value).any():
        return False
    slots = [slot for slot in optimizer.variables if variable.path.replace("/", "_") in slot.path]
    return any(ops.convert_to_numpy(slot.value).any() for slot in slots)


def dead_units(experiment: Experiment, usual: Usual, calls: list[Call]) -> list[Finding]:
    """Name the layers with many more dead units than after a usual start; `calls` were made at the present one."""
    relus = [number for number, call in enumerate(calls) if call.activation in RELU and not call.unfed]
    suspect = [number for number in relus if MANY < _dead(calls[number]).mean() < 1]
    experiment.assign(usual.weights)
    usually, findings = calls_of(experiment) if suspect else [], []
    for number in suspect:
        dead, before = _dead(calls[number]), _dead(usually[number])
        if dead.sum() - before.sum() > max(MANY * len(dead), CHANCE * len(dead) ** 0.5):
            problem = f"{dead.sum()} of its {len(dead)} units are dead"
            cause = f"They give 0 for every row; after a usual start {before.sum()} would."
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
    """Name what starts at zero and learns all the same."""
    findings, biases = [], []
    for position in sorted(seen.woke):
        variable, name, step = experiment.variables[position], experiment.names[position], seen.woke[position]
        if experiment.start[position].any():
            continue
        if is_shift(variable):
            biases.append(name)
        else:
            when = f"after {step} step{'s' * (step > 1)}" if step else "at once"
            cause = f"It receives a gradient {when}: what feeds it is not 0, and neither is what comes back to it."
            findings.append(Finding(name, f"its {variable.name} starts at zero, which is fine", cause, FINE, "note"))
    cause = "That is the usual start: random kernels are enough to make units different."
    together = Finding(joined(biases), "biases start at zero, which is fine", cause, FINE, "note")
    return findings + [together] * bool(biases)
