"""Masking."""

from __future__ import annotations

from typing import Any

from tensorsmith.keras import registry
from tensorsmith.keras.layers.base import Layer
from tensorsmith.ops.comparison import not_equal, where
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.reductions import reduce_any
from tensorsmith.ops.shaping import expand_dims
from tensorsmith.structures.ragged import RaggedTensor


class Masking(Layer):
    """The inputs, with a mask that leaves out each step of which all values are `mask_value`; these become 0.

    Shapes: inputs [B, T, n] -> [B, T, n], with a mask [B, T]. A ragged tensor has no padding, and stays as it is.

    >>> import tensorsmith as tf
    >>> Masking(mask_value=-1.0)(tf.constant([[[1.0, 2.0], [-1.0, -1.0]]]))._keras_mask.numpy()
    array([[ True, False]])
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = registry.deserialize_keras_object(mask_value) if isinstance(mask_value, dict) else mask_value

    def call(self, inputs: Any) -> Any:
        if isinstance(inputs, RaggedTensor):
            return inputs
        counts = expand_dims(self.compute_mask(inputs), -1)
        return where(counts, inputs, zeros_like(inputs))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if isinstance(inputs, RaggedTensor):
            return None
        return reduce_any(not_equal(inputs, self.mask_value), -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}
