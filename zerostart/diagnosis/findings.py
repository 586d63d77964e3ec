"""One thing that is worth knowing about a model, and how its parts are named in it."""

from dataclasses import dataclass
from typing import Any

import keras

FINE = "Nothing to mend."


@dataclass(frozen=True)
class Finding:
    """One thing that is worth knowing about a model.

    Attributes:
        layer: Name of the layer, or of several, or of another part: `"loss"`, `"x"`, `"y"`, `"optimizer"`.
        problem: What is the matter.
        cause: The fact behind it.
        cure: Code that mends it, or what to do.
        kind: `"ill"`; `"victim"`, which is well again when what stands above it is mended; or `"note"`.
    """

    layer: str
    problem: str
    cause: str
    cure: str
    kind: str = "ill"


def layer_name(model: keras.Model, variable: keras.Variable) -> str:
    """Return the name of the variable's layer, with the layers around it, without the model's own name."""
    return variable.path.removeprefix(f"{model.name}/").rpartition("/")[0] or model.name


def joined(names: Any) -> str:
    """List each name once; of very many only the first ones."""
    names = list(dict.fromkeys(names))
    return ", ".join(names if len(names) <= 6 else [*names[:5], f"and {len(names) - 5} more"])


def in_code(model: keras.Model, variable: keras.Variable) -> str:
    """Return code that gives the variable."""
    layer, attribute = variable.path.rpartition("/")[0].rpartition("/")[2], variable.name
    for owner in model.layers:
        if owner.name == layer and getattr(owner, attribute, None) is variable:
            return f'model.get_layer("{layer}").{attribute}'
    position = next(place for place, other in enumerate(model.variables) if other is variable)
    return f"model.variables[{position}]"


def redrawn(model: keras.Model, variable: keras.Variable) -> str:
    """Return code that gives a kernel random values in place."""
    shape = tuple(variable.shape)
    values = f"keras.initializers.GlorotUniform()({shape})" if len(shape) > 1 else f"keras.ops.ones({shape})"
    return f"{in_code(model, variable)}.assign({values})"


def activation_cure(model: keras.Model, layer: Any, activation: str) -> str:
    """Return code that gives a layer another activation, as far as it has one."""
    if not hasattr(layer, "activation") or not any(known is layer for known in model.layers):
        return f'Put keras.layers.Activation("{activation}") in place of {layer.name}.'
    compiled = "; model.compile(model.optimizer, loss=model.loss)" * bool(model.compiled and model.loss)
    return f'model.get_layer("{layer.name}").activation = keras.activations.{activation}{compiled}'
