"""What is said of units, heads and layers that are identical and stay so."""

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.experiment import Experiment
from zerostart.diagnosis.findings import Finding, in_code, joined, layer_name, redrawn
from zerostart.diagnosis.units import Family


def twins(experiment: Experiment, families: list[Family]) -> list[Finding]:
    """Return a finding for each illness; layers that have the same one share it."""
    shared: dict[tuple[str, str], dict[str, str]] = {}
    for family in families:
        found = _copies(experiment, family) if family.what == "layers" else _same(experiment, family)
        shared.setdefault((found.problem, found.cause), {}).setdefault(found.layer, found.cure)
    return [Finding(joined(each), *said, "; ".join(each.values())) for said, each in shared.items()]


def _same(experiment: Experiment, family: Family) -> Finding:
    variable = experiment.variables[family.owners[0]]
    members, different, what = len(family.groups), family.different, family.what
    problem = (
        f"only {different} of its {members} {what} are different"
        if different > 1
        else f"its {members} {what} are identical"
    )
    if family.mirrored:
        problem += ", up to the sign"
    if different > 1:
        group = ", ".join(map(str, family.copies[:6])) + ", ..." * (len(family.copies) > 6)
        problem += f": {what} {group} are the same"
    return Finding(
        layer_name(experiment.model, variable),
        problem,
        f"Their incoming and their outgoing weights are equal{' up to the sign' * family.mirrored}, so their "
        "gradients are too: neither minibatches nor another optimizer part them.",
        redrawn(experiment.model, variable) if different == 1 else _shaken(experiment.model, variable),
    )


def _shaken(model: keras.Model, variable: keras.Variable) -> str:
    """Return code that adds a little noise."""
    size = 0.1 * float(np.std(ops.convert_to_numpy(variable.value)))
    return f"{in_code(model, variable)}.assign_add(keras.random.normal({tuple(variable.shape)}, stddev={size:.2g}))"


def _copies(experiment: Experiment, family: Family) -> Finding:
    variables = [experiment.variables[family.owner(member)] for member in family.copies]
    return Finding(
        joined(layer_name(experiment.model, variable) for variable in variables),
        "these layers are copies of each other and stay so",
        "They start with equal weights and their outputs are used in the same way, so they get equal gradients. One "
        "random initializer without a seed, given to several layers, repeats its numbers.",
        "; ".join(redrawn(experiment.model, variable) for variable in variables[1:]),
    )
