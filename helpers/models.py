"""The network that most lessons train: a multilayer perceptron."""

import itertools
from typing import Any

import keras

from helpers.checks import affordable, integer, layer_widths, look_up, used_by_keras


def mlp(
    hidden: tuple[int, ...] = (64, 64),
    *,
    inputs: int = 64,
    outputs: int = 10,
    activation: Any = "tanh",
    kernel_initializer: Any = "zeros",
    head_initializer: Any = None,
    bias_initializer: Any = "zeros",
) -> keras.Sequential:
    """Build a multilayer perceptron. The last layer, the head, is linear: it gives logits.

    Args:
        hidden: Units of each hidden layer. `()` leaves only the head.
        inputs: Features of one example.
        outputs: Units of the head.
        activation: Activation of the hidden layers; anything `keras.activations.get` accepts.
        kernel_initializer: Initializer of every hidden kernel, or a list with one for each hidden layer.
        head_initializer: Initializer of the head's kernel. `None` means the same as the hidden kernels
            (with a list: the same as its last entry).
        bias_initializer: Initializer of every bias.

    Returns:
        An uncompiled `keras.Sequential` that maps `(batch, inputs)` to `(batch, outputs)`. Its layers are
        named `hidden_1`, `hidden_2`, ... and `head`.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or an activation or initializer is unknown.

    Example:
        >>> [layer.name for layer in mlp((4, 4), inputs=2, outputs=3).layers]
        ['hidden_1', 'hidden_2', 'head']
    """
    hidden = layer_widths("hidden", hidden)
    inputs = integer("inputs", inputs)
    outputs = integer("outputs", outputs)
    sizes = (inputs, *hidden, outputs)
    affordable("hidden", sum(inner * outer for inner, outer in itertools.pairwise(sizes)))
    kernels = _one_per_layer(kernel_initializer, len(hidden))
    heads = kernels[-1] if head_initializer is None else head_initializer
    look_up("activation", keras.activations.get, activation)

    layers = [keras.Input((inputs,), name="inputs")]
    for number, (units, kernel) in enumerate(zip(hidden, kernels, strict=False), start=1):
        layers.append(
            keras.layers.Dense(
                units,
                activation=activation,
                kernel_initializer=fresh_initializer("kernel_initializer", kernel),
                bias_initializer=fresh_initializer("bias_initializer", bias_initializer),
                name=f"hidden_{number}",
            )
        )
    layers.append(
        keras.layers.Dense(
            outputs,
            kernel_initializer=fresh_initializer("head_initializer", heads),
            bias_initializer=fresh_initializer("bias_initializer", bias_initializer),
            name="head",
        )
    )
    with used_by_keras("activation", "kernel_initializer", "head_initializer", "bias_initializer"):
        return keras.Sequential(layers, name="mlp")


def _one_per_layer(initializer: Any, layers: int) -> list[Any]:
    """Repeat one initializer for every hidden layer, or check that a list holds one for each."""
    if not isinstance(initializer, (list, tuple)):
        return [initializer] * max(layers, 1)
    if len(initializer) != layers or not layers:
        raise ValueError(
            f"kernel_initializer: expected one initializer, or a list of {layers}, one for each hidden layer; "
            f"got {len(initializer)}"
        )
    return list(initializer)


def fresh_initializer(name: str, initializer: Any) -> Any:
    """Return an initializer of this layer's own.

    A random initializer without a seed repeats its numbers when two layers share the instance.
    """
    found = look_up(name, keras.initializers.get, initializer)
    return found.clone() if isinstance(found, keras.initializers.Initializer) else found
