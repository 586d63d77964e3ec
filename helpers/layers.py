"""A layer whose kernel starts at zero."""

from typing import Any

import keras
from keras import ops

from zerostart.checks import integer


@keras.saving.register_keras_serializable(package="starting_from_zero")
class ZeroInitializedLayer(keras.layers.Layer):
    """A dense layer whose kernel (and bias, if any) starts at exactly zero.

    It computes `activation(inputs @ kernel + bias)` on the last axis, like `keras.layers.Dense`.

    Args:
        units: Number of outputs, at least 1.
        activation: Anything `keras.activations.get` accepts; `None` is linear.
        use_bias: Whether to add a bias.
        **kwargs: `name`, `dtype`, `trainable`: passed on to `keras.layers.Layer`.

    Input shape: `(batch, ..., features)`, rank 2 or more. Output shape: `(batch, ..., units)`.

    Raises:
        TypeError: `units` is not an integer.
        ValueError: `units` is below 1, or `activation` is unknown.

    Example:
        >>> layer = ZeroInitializedLayer(units=3)
        >>> tuple(layer(keras.ops.ones((2, 5))).shape)
        (2, 3)
    """

    def __init__(self, units: int = 10, activation: Any = None, use_bias: bool = False, **kwargs: Any) -> None:
        """Check and keep the arguments."""
        super().__init__(**kwargs)
        self.units = integer("units", units)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the kernel of shape `(features, units)` and the bias of shape `(units,)`."""
        features = input_shape[-1]
        self.kernel = self.add_weight(shape=(features, self.units), initializer="zeros", name="kernel")
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any) -> Any:
        """Return `activation(inputs @ kernel + bias)`."""
        outputs = ops.matmul(inputs, self.kernel)
        return self.activation(ops.add(outputs, self.bias) if self.use_bias else outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return `input_shape` with its last axis replaced by `units`."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild this layer."""
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "units": self.units, "activation": activation, "use_bias": self.use_bias}
