"""The variables of a model: what they are, where they belong, and code that names and mends them."""

from typing import Any

import keras
import numpy as np
from keras import layers


def is_kernel(variable: keras.Variable) -> bool:
    """Tell a kernel (or any other weight matrix) from biases, scales and gates."""
    return len(variable.shape) > 1 and not variable.name.endswith("bias")


def is_shift(variable: keras.Variable) -> bool:
    """Tell biases, which usually start at zero, from scales and gates."""
    return "bias" in variable.name or variable.name == "beta"


def layers_by_variable(model: keras.Model) -> dict[int, keras.layers.Layer]:
    """Return the innermost layer of each variable, by the variable's `id`."""
    return {id(variable): layer for layer in model._flatten_layers() for variable in layer.weights}


def layer_name(model: keras.Model, variable: keras.Variable) -> str:
    """Return the name of the variable's layer, with the layers around it, without the model's own name."""
    return variable.path.removeprefix(f"{model.name}/").rpartition("/")[0] or model.name


def length(array: np.ndarray) -> float:
    """Return the Euclidean norm, also of numbers whose squares would vanish or overflow."""
    largest = float(np.abs(array).max(initial=0))
    return largest * float(np.linalg.norm(array / largest)) if 0 < largest < np.inf else largest


def usual_limit(variable: keras.Variable, layer: Any) -> float:
    """Return the largest weight of a usual start: Glorot's uniform distribution ends there."""
    *window, inputs, units = variable.shape
    if isinstance(layer, layers.EinsumDense):  # its axes are inputs and outputs, not places of a window
        units = int(np.prod([size for size in layer.partial_output_shape if size]))
        window, inputs = [], int(np.prod(variable.shape)) // units
    return float(np.sqrt(6 / (np.prod(window) * (inputs + units))))


def in_code(model: keras.Model, variable: keras.Variable) -> str:
    """Return code that gives the variable."""
    for layer in model.layers:
        if getattr(layer, variable.name, None) is variable:
            return f'model.get_layer("{layer.name}").{variable.name}'
    return f"model.variables[{[id(other) for other in model.variables].index(id(variable))}]"


def redrawn(model: keras.Model, *kernels: keras.Variable) -> str:
    """Return code that gives kernels random values in place."""
    shapes = [(in_code(model, kernel), tuple(kernel.shape)) for kernel in kernels]
    draw = {True: "keras.initializers.GlorotUniform()", False: "keras.ops.ones"}
    return "; ".join(f"{code}.assign({draw[len(shape) > 1]}({shape}))" for code, shape in shapes)


def with_activation(model: keras.Model, layer: Any, activation: str) -> str:
    """Return code that gives a layer another activation, as far as it has one."""
    if not hasattr(layer, "activation") or not any(known is layer for known in model.layers):
        return f'Put keras.layers.Activation("{activation}") in place of {layer.name}.'
    compiled = "; model.compile(model.optimizer, loss=model.loss)" * bool(model.compiled and model.loss)
    return f'model.get_layer("{layer.name}").activation = keras.activations.{activation}{compiled}'
