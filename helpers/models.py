"""The networks of the course."""

from typing import Any

import keras
from keras import ops

from helpers.checks import integer, layer_widths


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
    kernels = _one_per_layer(kernel_initializer, len(hidden))
    heads = kernels[-1] if head_initializer is None else head_initializer
    _look_up("activation", keras.activations.get, activation)

    layers = [keras.Input((inputs,))]
    for number, (units, kernel) in enumerate(zip(hidden, kernels, strict=False), start=1):
        layers.append(
            keras.layers.Dense(
                units,
                activation=activation,
                kernel_initializer=_fresh("kernel_initializer", kernel),
                bias_initializer=_fresh("bias_initializer", bias_initializer),
                name=f"hidden_{number}",
            )
        )
    layers.append(
        keras.layers.Dense(
            outputs,
            kernel_initializer=_fresh("head_initializer", heads),
            bias_initializer=_fresh("bias_initializer", bias_initializer),
            name="head",
        )
    )
    return keras.Sequential(layers, name="mlp")


def residual_mlp(
    blocks: int = 64,
    width: int = 16,
    *,
    inputs: int = 64,
    outputs: int = 10,
    activation: Any = "silu",
    gate_initializer: Any = "zeros",
    kernel_initializer: Any = "glorot_uniform",
    projection_initializer: Any = None,
    skip: bool = True,
) -> keras.Sequential:
    """Build a deep residual network.

    Each block computes `h + gate * (activation(h @ inner_kernel + bias) @ projection)`.

    Args:
        blocks: Number of blocks.
        width: Units of every block.
        inputs: Features of one example.
        outputs: Units of the head.
        activation: Activation inside each block; anything `keras.activations.get` accepts.
        gate_initializer: Initializer of the gates, one number for each block. `"ones"` leaves them open.
        kernel_initializer: Initializer of the inner kernels, of the stem and of the head.
        projection_initializer: Initializer of the projections. `None` means the same as `kernel_initializer`.
        skip: Whether a block adds its input to its output. `False` gives a plain deep network.

    Returns:
        An uncompiled `keras.Sequential` that maps `(batch, inputs)` to `(batch, outputs)`. Its layers are named
        `stem`, `blocks` and `head`; stem and head are linear. `blocks` holds the weights of all blocks in stacks:
        `inner_kernel` and `projection` of shape `(blocks, width, width)`, `bias` of shape `(blocks, width)`, `gate` of
        shape `(blocks,)`.

    Raises:
        TypeError: a size is not an integer, or `skip` is not a bool.
        ValueError: a size is below 1, or an activation or initializer is unknown.

    Example:
        >>> [weight.shape for weight in residual_mlp(3, 5).get_layer("blocks").trainable_weights]
        [(3, 5, 5), (3, 5), (3, 5, 5), (3,)]
    """
    width = integer("width", width)
    inputs = integer("inputs", inputs)
    outputs = integer("outputs", outputs)
    middle = ResidualBlocks(
        blocks,
        activation=activation,
        gate_initializer=gate_initializer,
        kernel_initializer=kernel_initializer,
        projection_initializer=kernel_initializer if projection_initializer is None else projection_initializer,
        skip=skip,
        name="blocks",
    )
    ends = [
        keras.layers.Dense(units, kernel_initializer=_fresh("kernel_initializer", kernel_initializer), name=name)
        for units, name in ((width, "stem"), (outputs, "head"))
    ]
    return keras.Sequential([keras.Input((inputs,)), ends[0], middle, ends[1]], name="residual_mlp")


@keras.saving.register_keras_serializable(package="starting_from_zero")
class ResidualBlocks(keras.layers.Layer):
    """The blocks of `residual_mlp`, which documents the arguments.

    The weights of all blocks lie in stacks: a network of four large variables starts much faster than one of
    hundreds of small ones.
    """

    def __init__(
        self,
        blocks: int,
        *,
        activation: Any = "silu",
        gate_initializer: Any = "zeros",
        kernel_initializer: Any = "glorot_uniform",
        projection_initializer: Any = "glorot_uniform",
        skip: bool = True,
        **kwargs: Any,
    ) -> None:
        """Check and keep the arguments."""
        super().__init__(**kwargs)
        if not isinstance(skip, bool):
            raise TypeError(f"skip: expected True or False, got {skip!r}")
        self.blocks = integer("blocks", blocks)
        self.activation = _look_up("activation", keras.activations.get, activation)
        self.gate_initializer = _fresh("gate_initializer", gate_initializer)
        self.kernel_initializer = _fresh("kernel_initializer", kernel_initializer)
        self.projection_initializer = _fresh("projection_initializer", projection_initializer)
        self.skip = skip

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the stacks. The strength of the skip is a weight too, but not a trainable one."""
        count, width = self.blocks, input_shape[-1]
        kernel, projection = _stack_of(self.kernel_initializer), _stack_of(self.projection_initializer)
        self.inner_kernel = self.add_weight(shape=(count, width, width), initializer=kernel, name="inner_kernel")
        self.bias = self.add_weight(shape=(count, width), initializer="zeros", name="bias")
        self.projection = self.add_weight(shape=(count, width, width), initializer=projection, name="projection")
        self.gate = self.add_weight(shape=(count,), initializer=self.gate_initializer, name="gate")
        self.skip_strength = self.add_weight(
            shape=(), initializer="ones" if self.skip else "zeros", trainable=False, name="skip_strength"
        )

    def call(self, inputs: Any) -> Any:
        """Pass the inputs through one block after the other."""
        skip = ops.convert_to_tensor(self.skip_strength)

        def one_block(h: Any, weights: tuple[Any, ...]) -> tuple[Any, None]:
            inner_kernel, bias, projection, gate = weights
            branch = ops.matmul(self.activation(ops.add(ops.matmul(h, inner_kernel), bias)), projection)
            return ops.add(ops.multiply(skip, h), ops.multiply(gate, branch)), None

        stacks = (self.inner_kernel, self.bias, self.projection, self.gate)
        return ops.scan(one_block, inputs, tuple(ops.convert_to_tensor(stack) for stack in stacks))[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild this layer."""
        initializers = ("gate_initializer", "kernel_initializer", "projection_initializer")
        return {
            **super().get_config(),
            "blocks": self.blocks,
            "activation": keras.activations.serialize(self.activation),
            **{name: keras.initializers.serialize(getattr(self, name)) for name in initializers},
            "skip": self.skip,
        }


def _stack_of(initializer: Any) -> Any:
    """Return an initializer that fills a stack matrix by matrix, each with numbers of its own."""

    def fill(shape: tuple[int, ...], dtype: Any = None) -> Any:
        return ops.stack([_fresh("initializer", initializer)(shape[1:], dtype=dtype) for _ in range(shape[0])])

    return fill


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


def _fresh(name: str, initializer: Any) -> Any:
    """Return an initializer of this layer's own.

    A random initializer without a seed repeats its numbers when two layers share the instance.
    """
    found = _look_up(name, keras.initializers.get, initializer)
    return found.clone() if isinstance(found, keras.initializers.Initializer) else found


def _look_up(name: str, get: Any, identifier: Any) -> Any:
    """Return what Keras finds under `identifier`, or raise `ValueError` that names the argument."""
    try:
        found = get(identifier)
    except Exception as problem:
        raise ValueError(f"{name}: expected a name or object that Keras knows, got {identifier!r}") from problem
    if found is None:
        raise ValueError(f"{name}: expected a name or object that Keras knows, got {identifier!r}")
    return found
