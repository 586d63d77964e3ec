"""Puts what the probe saw into words: layer, problem, cause, cure."""

from dataclasses import dataclass

import keras
from keras import ops

from zerostart.diagnosis.probe import Walk, is_tiny, kernels_asleep
from zerostart.diagnosis.units import Family, columns_of, is_kernel, layers_by_variable


@dataclass(frozen=True)
class Finding:
    """One thing that is worth knowing about a model.

    Attributes:
        layer: Name of the layer, or of several, or `"optimizer"`.
        problem: What is the matter.
        cause: The fact behind it.
        cure: Code that mends it, or why there is nothing to mend.
    """

    layer: str
    problem: str
    cause: str
    cure: str


def findings_of(model: keras.Model, walk: Walk) -> tuple[Finding, ...]:
    """Return all findings: the ills first, then what looks like one and is not."""
    return (
        *_sleeping_kernels(model, walk),
        *_all_that_moves(model, walk),
        *_identical_units(model, walk),
        *_dead_units(model, walk),
        *_stale_optimizer(model),
        *_frozen_layers(model),
        *_tiny_kernels(model, walk),
        *_zeros_that_are_fine(model, walk),
    )


def layer_name(model: keras.Model, variable: keras.Variable) -> str:
    """Return the name of the variable's layer, with the layers around it, without the model's own name."""
    path = variable.path.removeprefix(f"{model.name}/")
    return path.rpartition("/")[0] or model.name


def _sleeping_kernels(model: keras.Model, walk: Walk) -> list[Finding]:
    asleep = kernels_asleep(model, walk)
    zeros = [
        position
        for position, value in enumerate(walk.start)
        if position not in walk.woke and not value.any() and "bias" not in model.trainable_variables[position].name
    ]
    weights = [model.trainable_variables[position] for position in zeros]
    names = ", ".join(dict.fromkeys(f"{layer_name(model, weight)} ({weight.name})" for weight in weights))
    findings = []
    for position in asleep:
        variable = model.trainable_variables[position]
        if position not in zeros and not zeros:
            cause = (
                "It does not start at zero, so this is another illness: its units are dead (relu below zero for every "
                "row) or saturated (tanh of large sums: its slope rounds to 0), its input is always 0, or the loss "
                "does not depend on it."
            )
            cure = f"Look at this layer's outputs, then start anew: {_redrawn(variable)}, with biases at 0."
        elif position not in zeros:
            cause = f"It does not start at zero, but it is cut off by weights that do and never move: {names}."
            cure = "Mend those; this one needs no change."
        elif len(zeros) > 1:
            cause = (
                f"These start at zero: {names}. A gradient is what arrives from the inputs times what comes back from "
                "the outputs; each of these zeros makes that product 0 for the others."
            )
            cure = _redrawn(variable)
            if variable.name == "lora_kernel_b":
                cure = "Leave this one at zero: it moves as soon as lora_kernel_a is random."
        else:
            cause = (
                "It starts at zero, and nothing comes back to it: its layer outputs 0, where the activation after it "
                "passes no gradient (relu), or its input is always 0."
            )
            cure = _redrawn(variable)
        problem = f"its {variable.name} never receives a gradient (exactly 0, or rounding, in {walk.steps} steps)"
        findings.append(Finding(layer_name(model, variable), problem, cause, cure))
    return findings


def _all_that_moves(model: keras.Model, walk: Walk) -> list[Finding]:
    asleep = kernels_asleep(model, walk)
    if not asleep or len(walk.woke) > 2:
        return []
    moving = [model.trainable_variables[position] for position in sorted(walk.woke)]
    names = ", ".join(f"{layer_name(model, variable)} ({variable.name})" for variable in moving) or "nothing"
    cause = "No other weight receives a gradient."
    if moving and not any(is_kernel(variable) for variable in moving):
        cause += " The loss may still fall a little: a bias of the head learns how frequent each class is, or the mean."
    return [Finding(names.partition(" (")[0], f"all that moves: {names}", cause, "Wake the kernels named above.")]


def _identical_units(model: keras.Model, walk: Walk) -> list[Finding]:
    return [
        _copied_kernels(model, family) if family.whole_kernels else _same_units(model, family)
        for family in walk.families
    ]


def _same_units(model: keras.Model, family: Family) -> Finding:
    variable = model.trainable_variables[family.owners[0]]
    units, different = len(family.groups), family.different
    return Finding(
        layer_name(model, variable),
        f"its {units} units are identical"
        if different == 1
        else f"only {different} of its {units} units are different",
        f"Units with equal incoming weights (in {variable.name}) and equal outgoing weights get equal gradients, "
        "so they stay equal: minibatches, another optimizer or more steps do not part them.",
        _redrawn(variable),
    )


def _copied_kernels(model: keras.Model, family: Family) -> Finding:
    variables = [model.trainable_variables[family.owner(member)] for member in family.copies]
    return Finding(
        ", ".join(layer_name(model, variable) for variable in variables),
        "these layers are copies of each other and stay so",
        "They start with equal weights and their outputs are used in the same way, so they get equal gradients. "
        "One random initializer without a seed, given to several layers, repeats its numbers.",
        f"Give each layer an initializer of its own; now: {_redrawn(variables[-1])}",
    )


def _dead_units(model: keras.Model, walk: Walk) -> list[Finding]:
    findings = []
    layers = layers_by_variable(model)
    for position, variable in enumerate(model.trainable_variables):
        if position not in walk.woke or not is_kernel(variable):
            continue
        places = columns_of(variable, layers.get(id(variable)))
        dead = ~walk.received[position].ravel()[places].any(axis=0)
        dead &= walk.start[position].ravel()[places].any(axis=0)
        if dead.any() and not dead.all():
            findings.append(
                Finding(
                    layer_name(model, variable),
                    f"{dead.sum()} of its {len(dead)} units are dead",
                    f"They received no gradient from any row in {walk.steps} steps, and their weights are not zero: "
                    "usually relu below zero for every row. This is not an illness of zero initialization.",
                    "A few dead units are harmless. If many: a smaller learning rate, biases at 0, or leaky_relu.",
                )
            )
    return findings


def _stale_optimizer(model: keras.Model) -> list[Finding]:
    optimizer = getattr(model, "optimizer", None)
    steps = int(ops.convert_to_numpy(optimizer.iterations.value)) if optimizer and optimizer.built else 0
    if not steps:
        return []
    reset = [variable for variable in model.trainable_variables if _was_reset(variable, optimizer)]
    if not reset:
        return []
    names = ", ".join(f"{layer_name(model, variable)} ({variable.name})" for variable in reset[:3])
    return [
        Finding(
            "optimizer",
            "its state is older than the weights",
            f"It has taken {steps} steps and remembers gradients of {names}, "
            "whose entries are all equal: they were set anew since. What it remembers would move even weights that "
            "get no gradient, and would part equal units. The verdict is about these weights with a fresh optimizer.",
            "Compile again, with a new optimizer: model.compile(optimizer=keras.optimizers.Adam(), loss=model.loss)",
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


def _frozen_layers(model: keras.Model) -> list[Finding]:
    layers = layers_by_variable(model)
    names = dict.fromkeys(
        layer_name(model, variable) for variable in model.weights if not layers[id(variable)].trainable
    )
    if not names:
        return []
    cause = "trainable is False. Their weights were left out of the examination."
    return [Finding(", ".join(names), "not trained, as you asked", cause, "Nothing to mend.")]


def _tiny_kernels(model: keras.Model, walk: Walk) -> list[Finding]:
    return [
        Finding(
            layer_name(model, variable),
            f"its {variable.name} starts close to zero",
            "It can learn. But a network with several such layers waits long near zero: every layer shrinks the "
            "gradient of the others (lesson 6).",
            _redrawn(variable),
        )
        for position, variable in enumerate(model.trainable_variables)
        if position in walk.woke and is_kernel(variable) and is_tiny(walk.start[position])
    ]


def _zeros_that_are_fine(model: keras.Model, walk: Walk) -> list[Finding]:
    if walk.families:
        return []  # what keeps units identical is not fine
    findings, biases = [], {}
    for position, variable in enumerate(model.trainable_variables):
        if walk.start[position].any() or position not in walk.woke:
            continue
        name = layer_name(model, variable)
        if "bias" in variable.name or variable.name == "beta":
            biases[name] = None
            continue
        step = walk.woke[position]
        when = "at once" if step == 0 else f"after {step} step{'s' * (step > 1)}"
        findings.append(
            Finding(
                name,
                f"its {variable.name} starts at zero, which is fine",
                f"It receives a gradient {when}: what feeds it is not 0, and neither is what comes back to it.",
                "Nothing to mend.",
            )
        )
    if biases:
        cause = "A bias of zero is the usual start: random kernels are enough to make units different."
        findings.append(Finding(", ".join(biases), "biases start at zero, which is fine", cause, "Nothing to mend."))
    return findings


def _redrawn(variable: keras.Variable) -> str:
    """Return code that gives a kernel random values in place."""
    return (
        f'next(w for w in model.weights if w.path == "{variable.path}")'
        f".assign(keras.initializers.GlorotUniform()({tuple(variable.shape)}))"
    )
