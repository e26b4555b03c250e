"""Activations as layers."""

from __future__ import annotations

from typing import Any

from tensorsmith.function.autograph import in_trace
from tensorsmith.keras import activations
from tensorsmith.keras.layers import masks
from tensorsmith.keras.layers.base import Layer
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import greater, where
from tensorsmith.ops.creation import zeros_like


class Activation(Layer):
    """activation(inputs), for a function or the name of one.

    >>> import tensorsmith as tf
    >>> Activation("relu")(tf.constant([-1.0, 2.0])).numpy()
    array([0., 2.], dtype=float32)
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return in_trace(self.activation)(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class ReLU(Layer):
    """max(inputs, 0), with an upper bound, a slope below the threshold, and the threshold as options.

    f(x) = max_value where x >= max_value, x where threshold <= x, negative_slope * (x - threshold) below.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if (max_value is not None and max_value < 0) or negative_slope is None or negative_slope < 0 or threshold < 0:
            raise ValueError(
                "ReLU: max_value, negative_slope and threshold must not be negative; given "
                f"max_value={max_value}, negative_slope={negative_slope}, threshold={threshold}."
            )
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return activations.relu(
            inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Layer):
    """inputs where positive, negative_slope * inputs elsewhere (Keras 2 calls the slope `alpha`)."""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = float(negative_slope)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(Layer):
    """inputs where positive, alpha * (exp(inputs) - 1) elsewhere."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(Layer):
    """exp(inputs) over its sum along `axis`, of what the mask has; 0 elsewhere.

    mask  booleans that broadcast to the inputs; that of the inputs [B, T, ...] itself is of their steps.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return activations.softmax(inputs, axis=self.axis)
        counts = greater(mask, 0.5) if mask.dtype.is_floating else cast(mask, "bool")
        if mask is masks.of(inputs):
            counts = masks.like(counts, inputs)
        low = -3e4 if inputs.dtype.name == "float16" else -1e9
        outputs = activations.softmax(where(counts, inputs, low), axis=self.axis)
        # where nothing counts along the axis they are alike, and not 0
        return where(counts, outputs, zeros_like(outputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
