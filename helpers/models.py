"""The networks that the lessons train: a multilayer perceptron, and a deep one with residual branches."""

from typing import Any

import keras
from keras import ops

from zerostart.checks import integer


def mlp(
    hidden: tuple[int, ...] = (64, 64),
    *,
    kernel_initializer: Any,
    head_initializer: Any = None,
    bias_initializer: Any = "zeros",
    activation: Any = "tanh",
    inputs: int = 64,
    outputs: int = 10,
) -> keras.Sequential:
    """Build a multilayer perceptron. The last layer, the head, is linear: it gives logits.

    Args:
        hidden: Units of each hidden layer. `()` leaves only the head.
        kernel_initializer: Initializer of every hidden kernel, or a list with one for each hidden layer.
        head_initializer: Initializer of the head's kernel. `None` means the same as the last hidden kernel.
        bias_initializer: Initializer of every bias.
        activation: Activation of the hidden layers; anything `keras.activations.get` accepts.
        inputs: Features of one example.
        outputs: Units of the head.

    Returns:
        An uncompiled `keras.Sequential` that maps `(batch, inputs)` to `(batch, outputs)`. Its layers are
        named `hidden_1`, `hidden_2`, ... and `head`.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, an activation or initializer is unknown, or the list has another length.

    Example:
        >>> [layer.name for layer in mlp((4, 4), kernel_initializer="zeros").layers]
        ['hidden_1', 'hidden_2', 'head']
    """
    if not isinstance(hidden, (tuple, list)):
        raise TypeError(f"hidden: expected a tuple with the units of each hidden layer, got {hidden!r}")
    one_for_each = isinstance(kernel_initializer, (tuple, list))
    kernels = kernel_initializer if one_for_each else [kernel_initializer] * len(hidden)
    if len(kernels) != len(hidden):
        raise ValueError(f"kernel_initializer: expected one for each of the {len(hidden)} layers, got {len(kernels)}")
    if head_initializer is None:
        head_initializer = kernels[-1] if kernels else kernel_initializer

    def dense(name: str, units: int, kernel: Any, activation: Any = None) -> keras.layers.Dense:
        initializers = {"kernel_initializer": own(kernel), "bias_initializer": own(bias_initializer)}
        return keras.layers.Dense(integer("hidden", units), activation, name=name, **initializers)

    layers = [
        dense(f"hidden_{number}", units, kernel, activation)
        for number, (units, kernel) in enumerate(zip(hidden, kernels, strict=True), start=1)
    ]
    head = dense("head", integer("outputs", outputs), head_initializer)
    return keras.Sequential([keras.Input((integer("inputs", inputs),), name="inputs"), *layers, head], name="mlp")


def residual_mlp(
    blocks: int = 64,
    width: int = 16,
    *,
    gate_initializer: Any = "zeros",
    kernel_initializer: Any = "glorot_uniform",
    projection_initializer: Any = None,
    skip: bool = True,
    activation: Any = "silu",
    inputs: int = 64,
    outputs: int = 10,
) -> keras.Sequential:
    """Build a deep residual network.

    Each block computes `h + gate * (activation(h @ inner_kernel + bias) @ projection)`. A gate of zero on every branch
    is ReZero (Bachlechner et al. 2020, arXiv 2003.04887).

    Args:
        blocks: Number of blocks.
        width: Units of every block.
        gate_initializer: Initializer of the gates, one number for each block. `"ones"` leaves them open.
        kernel_initializer: Initializer of the inner kernels, of the stem and of the head.
        projection_initializer: Initializer of the projections. `None` means the same as `kernel_initializer`.
        skip: Whether a block adds its input to its output. `False` gives a plain deep network.
        activation: Activation inside each block.
        inputs: As in `mlp`.
        outputs: As in `mlp`.

    Returns:
        An uncompiled `keras.Sequential` that maps `(batch, inputs)` to `(batch, outputs)`. Its layers are named
        `stem`, `blocks` and `head`; stem and head are linear. For errors see `mlp`.

    Example:
        >>> [tuple(weight.shape) for weight in residual_mlp(3, 5).get_layer("blocks").trainable_weights]
        [(3, 5, 5), (3, 5), (3, 5, 5), (3,)]
    """
    middle = ResidualBlocks(
        integer("blocks", blocks),
        gate_initializer=gate_initializer,
        kernel_initializer=kernel_initializer,
        projection_initializer=kernel_initializer if projection_initializer is None else projection_initializer,
        skip=skip,
        activation=activation,
        name="blocks",
    )
    stem, head = (
        keras.layers.Dense(integer(size, units), kernel_initializer=own(kernel_initializer), name=name)
        for size, units, name in (("width", width, "stem"), ("outputs", outputs, "head"))
    )
    first = keras.Input((integer("inputs", inputs),), name="inputs")
    return keras.Sequential([first, stem, middle, head], name="residual_mlp")


@keras.saving.register_keras_serializable(package="starting_from_zero")
class ResidualBlocks(keras.layers.Layer):
    """The blocks of `residual_mlp`, which documents the arguments.

    The weights of all blocks lie in stacks, because a network of four large variables starts much faster than one of
    hundreds of small ones: `inner_kernel` and `projection` of shape `(blocks, width, width)`, `bias` of shape
    `(blocks, width)`, `gate` of shape `(blocks,)`. The strength of the skip, 1 or 0, is a weight that is not trained.
    """

    def __init__(
        self,
        blocks: int,
        *,
        gate_initializer: Any = "zeros",
        kernel_initializer: Any = "glorot_uniform",
        projection_initializer: Any = "glorot_uniform",
        skip: bool = True,
        activation: Any = "silu",
        **kwargs: Any,
    ) -> None:
        """Keep the arguments."""
        super().__init__(**kwargs)
        self.blocks, self.skip, self.activation = blocks, skip, keras.activations.get(activation)
        self.gate_initializer = own(gate_initializer)
        self.kernel_initializer = own(kernel_initializer)
        self.projection_initializer = own(projection_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the stacks."""
        count, width = self.blocks, input_shape[-1]
        kernels, projections = _stack_of(self.kernel_initializer), _stack_of(self.projection_initializer)
        self.inner_kernel = self.add_weight(shape=(count, width, width), initializer=kernels, name="inner_kernel")
        self.bias = self.add_weight(shape=(count, width), initializer="zeros", name="bias")
        self.projection = self.add_weight(shape=(count, width, width), initializer=projections, name="projection")
        self.gate = self.add_weight(shape=(count,), initializer=self.gate_initializer, name="gate")
        strength = "ones" if self.skip else "zeros"
        self.skip_strength = self.add_weight(shape=(), initializer=strength, trainable=False, name="skip_strength")

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
            **{name: keras.initializers.serialize(getattr(self, name)) for name in initializers},
            "blocks": self.blocks,
            "skip": self.skip,
            "activation": keras.activations.serialize(self.activation),
        }


def own(initializer: Any) -> Any:
    """Return an initializer of this weight's own: a shared random one without a seed would repeat its numbers."""
    found = keras.initializers.get(initializer)
    return found.clone() if isinstance(found, keras.initializers.Initializer) else found


def _stack_of(initializer: Any) -> Any:
    """Return an initializer that fills a stack matrix by matrix, each with numbers of its own."""
    return lambda shape, dtype=None: ops.stack([own(initializer)(shape[1:], dtype=dtype) for _ in range(shape[0])])
