"""A deep residual network, whose branches open with gates."""

from typing import Any

import keras
from keras import ops

from helpers.checks import affordable, boolean, integer, look_up, used_by_keras
from helpers.models import fresh_initializer


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

    Source: a gate of zero on every branch is ReZero (Bachlechner et al. 2020, arXiv 2003.04887).

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
        >>> [tuple(weight.shape) for weight in residual_mlp(3, 5).get_layer("blocks").trainable_weights]
        [(3, 5, 5), (3, 5), (3, 5, 5), (3,)]
    """
    width = integer("width", width)
    inputs = integer("inputs", inputs)
    outputs = integer("outputs", outputs)
    affordable("blocks", 2 * integer("blocks", blocks) * width**2)
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
        keras.layers.Dense(
            units, kernel_initializer=fresh_initializer("kernel_initializer", kernel_initializer), name=name
        )
        for units, name in ((width, "stem"), (outputs, "head"))
    ]
    with used_by_keras("activation", "gate_initializer", "kernel_initializer", "projection_initializer"):
        return keras.Sequential([keras.Input((inputs,), name="inputs"), ends[0], middle, ends[1]], name="residual_mlp")


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
        self.blocks = integer("blocks", blocks)
        self.activation = look_up("activation", keras.activations.get, activation)
        self.gate_initializer = fresh_initializer("gate_initializer", gate_initializer)
        self.kernel_initializer = fresh_initializer("kernel_initializer", kernel_initializer)
        self.projection_initializer = fresh_initializer("projection_initializer", projection_initializer)
        self.skip = boolean("skip", skip)

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
        return ops.stack(
            [fresh_initializer("initializer", initializer)(shape[1:], dtype=dtype) for _ in range(shape[0])]
        )

    return fill
