"""Flatten and Reshape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.keras.layers.base import Layer
from tensorsmith.ops.shaping import concat, reshape, shape


class Flatten(Layer):
    """All axes but the batch as one: [B, ...] -> [B, n].

    >>> import tensorsmith as tf
    >>> Flatten()(tf.ones((2, 3, 4))).shape
    TensorShape([2, 12])
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format or "channels_last"

    def call(self, inputs: Any) -> Any:
        sizes = tuple(inputs.shape)[1:]
        if None not in sizes:
            return reshape(inputs, (-1, int(np.prod(sizes, dtype=np.int64))))
        return reshape(inputs, concat([shape(inputs)[:1], [-1]], 0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """[B, ...] -> [B, *target_shape]; one size of the target may be -1."""

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def call(self, inputs: Any) -> Any:
        target = self._target(tuple(inputs.shape))
        if -1 not in target:
            return reshape(inputs, (-1, *target))
        return reshape(inputs, concat([shape(inputs)[:1], list(target)], 0))

    def _target(self, given: tuple[Any, ...]) -> tuple[int, ...]:
        """The target shape, its -1 worked out where the input's sizes are known; ValueError where they do not fit."""
        target = self.target_shape
        if None in given[1:]:
            return target
        size = math.prod(given[1:])
        known = math.prod(d for d in target if d != -1)
        if -1 in target:
            wrong = f"which {known} does not divide" if known == 0 or size % known else ""
        else:
            wrong = f"the target {known}" if size != known else ""
        if wrong:
            raise ValueError(
                f"Reshape: the target shape {target} holds another number of elements than the input; "
                f"an input of shape {given} has {size} in each row, {wrong}."
            )
        return tuple(size // known if d == -1 else d for d in target)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": list(self.target_shape)}
