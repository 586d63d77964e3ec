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
        variables = [experiment.variables[family.owners[member]] for member in family.copies]
        found = (_copies if family.what == "layers" else _same)(experiment.model, variables, family)
        shared.setdefault((found.problem, found.cause), {}).setdefault(found.layer, found.cure)
    return [Finding(joined(each), *said, "; ".join(each.values())) for said, each in shared.items()]


def _same(model: keras.Model, variables: list[keras.Variable], family: Family) -> Finding:
    kernel, members, different, what = variables[0], len(family.groups), family.different, family.what
    mirrored = " up to the sign" * family.mirrored
    problem, cure = f"its {members} {what} are identical{mirrored}", redrawn(model, kernel)
    if different > 1:
        some = ", ".join(map(str, family.copies[:6])) + ", ..." * (len(family.copies) > 6)
        problem = f"only {different} of its {members} {what} are different{mirrored}: {what} {some} are the same"
        noise = 0.1 * float(np.std(ops.convert_to_numpy(kernel.value)))
        random = f"keras.random.normal({tuple(kernel.shape)}, stddev={noise:.2g})"
        cure = f"{in_code(model, kernel)}.assign_add({random})"
    cause = (
        f"Their incoming weights (in {kernel.name}) and outgoing weights are equal{mirrored}, so their gradients are "
        "too: neither minibatches nor another optimizer part them."
    )
    return Finding(layer_name(model, kernel), problem, cause, cure)


def _copies(model: keras.Model, variables: list[keras.Variable], family: Family) -> Finding:
    return Finding(
        joined(layer_name(model, variable) for variable in variables),
        "these layers are copies of each other and stay so",
        "They start with equal weights and their outputs are used in the same way, so they get equal gradients. One "
        "random initializer without a seed, given to several layers, repeats its numbers.",
        redrawn(model, *variables[1:]),
    )
