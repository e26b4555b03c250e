"""Pooling over all steps of a sequence."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.keras import config
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.input import InputSpec
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.reductions import reduce_max, reduce_mean, reduce_sum
from tensorsmith.ops.shaping import expand_dims
from tensorsmith.structures.ragged import RaggedTensor

_FORMATS = ("channels_last", "channels_first")


class _GlobalPooling(Layer):
    """Takes the axis of the steps away, or leaves size 1 of it."""

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.image_data_format() if data_format is None else str(data_format).lower()
        if self.data_format not in _FORMATS:
            raise ValueError(
                explain(
                    type(self).__name__,
                    "there is no such data format",
                    {"data_format": data_format},
                    f"it is {' or '.join(_FORMATS)}",
                )
            )
        self.keepdims = bool(keepdims)
        self.input_spec = InputSpec(ndim=3)

    def _steps_axis(self, inputs: Any) -> int:
        """Which axis is that of the steps. Raises ValueError where it cannot be that of a ragged tensor."""
        if self.data_format == "channels_last":
            return 1
        if isinstance(inputs, RaggedTensor):
            raise ValueError(
                explain(
                    f"{type(self).__name__} {self.name!r}",
                    "the features of a ragged tensor stand last",
                    {"data_format": self.data_format},
                    "its rows are of several lengths",
                    "Leave data_format out.",
                )
            )
        return 2

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, *rest = tuple(input_shape)
        features = rest[1] if self.data_format == "channels_last" else rest[0]
        if not self.keepdims:
            return (batch, features)
        return (batch, 1, features) if self.data_format == "channels_last" else (batch, features, 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over the steps; of those that the mask [B, T] has, where there is one.

    data_format  "channels_last": inputs are [B, T, n]; "channels_first": [B, n, T].
    keepdims     True: the axis of the steps stays, with size 1.
    Shapes: inputs [B, T, n], dense or ragged along T -> [B, n]. A row without steps gives NaN.

    >>> import tensorsmith as tf
    >>> GlobalAveragePooling1D()(tf.constant([[[1.0, 2.0], [3.0, 6.0]]])).numpy()
    array([[2., 4.]], dtype=float32)
    >>> rows = tf.RaggedTensor.from_row_lengths([[1.0], [2.0], [6.0]], [1, 2])
    >>> GlobalAveragePooling1D()(rows).numpy()
    array([[1.],
           [4.]], dtype=float32)
    """

    def call(self, inputs: Any, mask: Any = None) -> Any:
        axis = self._steps_axis(inputs)
        if mask is None:
            return reduce_mean(inputs, axis, keepdims=self.keepdims)
        counts = expand_dims(cast(mask, "bool"), 3 - axis)
        total = reduce_sum(where(counts, inputs, zeros_like(inputs)), axis, keepdims=self.keepdims)
        return total / reduce_sum(cast(counts, inputs.dtype), axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: no steps are left."""


class GlobalMaxPooling1D(_GlobalPooling):
    """The greatest value over the steps. A mask changes nothing: to leave padding out, give ragged inputs.

    data_format  "channels_last": inputs are [B, T, n]; "channels_first": [B, n, T].
    keepdims     True: the axis of the steps stays, with size 1.
    Shapes: inputs [B, T, n], dense or ragged along T -> [B, n]. A ragged row without steps gives the least number of the dtype.

    >>> import tensorsmith as tf
    >>> GlobalMaxPooling1D()(tf.constant([[[1.0, 7.0], [3.0, 6.0]]])).numpy()
    array([[3., 7.]], dtype=float32)
    """

    def call(self, inputs: Any) -> Any:
        return reduce_max(inputs, self._steps_axis(inputs), keepdims=self.keepdims)


GlobalAvgPool1D, GlobalMaxPool1D = GlobalAveragePooling1D, GlobalMaxPooling1D
