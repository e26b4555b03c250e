"""IndexedSlices: some rows of a tensor of which the others are 0."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import dtypes, ports
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.ops.elementwise import negative
from tensorsmith.ops.gathering import scatter_nd
from tensorsmith.ops.shaping import expand_dims
from tensorsmith.program.op import Op
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


class IndexedSlices:
    """Rows of a tensor: `values[i]` stands at row `indices[i]` of a tensor of `dense_shape`, all else being 0.

    A row that is named twice counts twice. Where a tensor is wanted, the whole one is made (`dense_shape` must be
    known then); casts, negation and clipping leave it what it is.

    >>> import tensorsmith as tf
    >>> rows = tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([1]), tf.constant([3, 2]))
    >>> tf.convert_to_tensor(rows).numpy()
    array([[0., 0.],
           [1., 2.],
           [0., 0.]], dtype=float32)
    """

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self.values, self.indices = convert(values), convert(indices)
        self.dense_shape = None if dense_shape is None else convert(dense_shape)

    @property
    def dtype(self) -> DType:
        return self.values.dtype

    @property
    def device(self) -> str:
        return self.values.device

    @property
    def name(self) -> str:
        return self.values.name

    @property
    def shape(self) -> TensorShape:
        """Of the whole tensor; unknown without `dense_shape`."""
        if self.dense_shape is None:
            return TensorShape(None)
        if isinstance(self.dense_shape, Symbol):
            return TensorShape([None]).concatenate(self.values.shape[1:])
        return TensorShape(self.dense_shape.tolist())

    def get_shape(self) -> TensorShape:
        return self.shape

    def consumers(self) -> list[Any]:
        return []

    def __neg__(self) -> IndexedSlices:
        return self.with_values(negative(self.values))

    def with_values(self, values: Any) -> IndexedSlices:
        """The same rows with other values."""
        return IndexedSlices(values, self.indices, self.dense_shape)

    # ---- as the arguments and results of traced functions

    def _parts(self) -> list[Tensor]:
        return [self.values, self.indices, *([] if self.dense_shape is None else [self.dense_shape])]

    def _from_parts(self, parts: list[Any]) -> IndexedSlices:
        return IndexedSlices(*parts)

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self.indices!r}, values={self.values!r}, dense_shape={self.dense_shape!r})"


def dense(slices: IndexedSlices, dtype: Any = None) -> Tensor:
    """The whole tensor. Raises ValueError where its shape is not known, or its dtype is not `dtype`."""
    if slices.dense_shape is None:
        raise ValueError(
            explain(
                "convert_to_tensor",
                "IndexedSlices without a dense_shape cannot become a tensor",
                {"values": slices.values.shape, "indices": slices.indices.shape},
                way_out="Give it: tf.IndexedSlices(values, indices, dense_shape).",
            )
        )
    if dtype is not None and dtypes.as_dtype(dtype) is not slices.dtype:
        raise ValueError(
            f"Tensor conversion requested dtype {dtypes.as_dtype(dtype).name} for IndexedSlices with dtype "
            f"{slices.dtype.name}."
        )
    return scatter_nd(expand_dims(slices.indices, -1), slices.values, slices.dense_shape)


# what is 0 stays 0 by them, or, for clipping, TensorFlow clips the rows alone
_KEPT = frozenset({"identity", "negative", "cast", "clip_by_value", "stop_gradient"})


def _lift(op: Op, arguments: tuple, settings: dict) -> Any:
    first = arguments[0]
    if op.name in _KEPT and isinstance(first, IndexedSlices):
        return first.with_values(apply(op, (first.values, *arguments[1:]), settings))

    def whole(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [whole(part) for part in value]
        return dense(value) if isinstance(value, IndexedSlices) else value

    return apply(op, whole(arguments), settings)


ports.converters[IndexedSlices] = dense
ports.lifters[IndexedSlices] = _lift
