"""RaggedTensorSpec and SparseTensorSpec: what a ragged or sparse tensor is without its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, TypeSpec
from tensorsmith.structures.container_specs import CONTAINERS
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.ragged_index import gather_rows
from tensorsmith.structures.ragged_joining import concat, stack
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.structures.sparse_ops import concat as sparse_concat
from tensorsmith.structures.sparse_ops import slice as sparse_slice
from tensorsmith.structures.sparse_shaping import expand_dims, row_of
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class RaggedTensorSpec(TypeSpec):
    """A ragged tensor's dtype, shape, number of ragged axes, and dtype of row splits.

    shape        with None for each ragged axis; None where the rank is not told.
    ragged_rank  how many axes behind the first are ragged; by default all. 0 stands for a plain tensor: as what a row of
                 a ragged matrix is.

    It stands for a ragged tensor in the `input_signature` of a `tf.function` and in `fn_output_signature` of `tf.map_fn`.

    Raises ValueError where neither tells the number of axes, or ragged_rank is not smaller than the rank.

    >>> import tensorsmith as tf
    >>> spec = tf.RaggedTensorSpec([None, None], tf.int32)
    >>> spec
    RaggedTensorSpec(TensorShape([None, None]), tf.int32, 1, tf.int64)
    >>> spec.is_compatible_with(tf.ragged.constant([[1], [2, 3]]))
    True
    """

    __slots__ = ("dtype", "ragged_rank", "row_splits_dtype", "shape")

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        ragged_rank: int | None = None,
        row_splits_dtype: Any = dtypes.int64,
    ) -> None:
        self.shape = TensorShape(shape)
        self.dtype: DType = as_dtype(dtype)
        self.row_splits_dtype: DType = as_dtype(row_splits_dtype)
        rank = self.shape.rank
        if ragged_rank is None and rank is None:
            raise ValueError(explain("RaggedTensorSpec", "ragged_rank must be given where the rank is not known"))
        self.ragged_rank = max((rank or 1) - 1, 0) if ragged_rank is None else int(ragged_rank)
        if self.ragged_rank < 0 or rank is not None and self.ragged_rank >= max(rank, 1):
            raise ValueError(
                explain("RaggedTensorSpec", "ragged_rank must be less than the rank",
                        {"ragged_rank": ragged_rank, "shape": self.shape})
            )  # fmt: skip
        if self.row_splits_dtype not in (dtypes.int32, dtypes.int64):
            raise ValueError(
                explain("RaggedTensorSpec", "row splits are int32 or int64", {"row_splits_dtype": row_splits_dtype})
            )

    @classmethod
    def from_value(cls, value: Any) -> RaggedTensorSpec:
        """The spec of a ragged tensor."""
        return value._type_spec()

    @property
    def value_type(self) -> type:
        return RaggedTensor if self.ragged_rank else Tensor

    def _told(self) -> tuple[Any, ...]:
        return self.shape, self.dtype, self.ragged_rank, self.row_splits_dtype

    def _pairs(self, other: Any) -> Any:
        if not self.ragged_rank and isinstance(other, (Tensor, TensorSpec)):
            other = RaggedTensorSpec(other.shape, other.dtype, 0, self.row_splits_dtype)
        return super()._pairs(other)

    # ---- as a composite

    def _type_spec(self) -> RaggedTensorSpec:
        return self

    def _parts(self) -> list[TensorSpec]:
        sizes: Sequence[int | None] = self.shape if self.shape.rank is not None else [None] * (self.ragged_rank + 1)
        first = sizes[0] if self.ragged_rank else None
        rows = None if first is None else first + 1
        inner = [None if self.ragged_rank else sizes[0], *sizes[self.ragged_rank + 1 :]] if len(sizes) else []
        # of the inner partitions nobody knows how many rows they have
        splits = [rows, *[None] * (self.ragged_rank - 1)][: self.ragged_rank]
        return [TensorSpec(inner, self.dtype), *(TensorSpec([size], self.row_splits_dtype) for size in splits)]

    def _static(self) -> tuple[int | None, ...]:
        return tuple(self.shape[1 : self.ragged_rank + 1]) or (None,) * self.ragged_rank

    def _from_parts(self, parts: list[Any]) -> Any:
        value = parts[0]
        for splits, length in zip(parts[:0:-1], self._static()[::-1]):
            value = RaggedTensor(value, splits, length)
        return value

    # ---- of rows

    def _count(self, value: RaggedTensor) -> Tensor:
        return value.nrows()

    def _row(self, value: Any, at: Any) -> Any:
        return value[at]

    def _like_row(self, value: Any) -> RaggedTensorSpec | None:
        if not is_ragged(value) and not (isinstance(value, Tensor) and value.shape.rank):
            return None
        rank = value.ragged_rank if isinstance(value, RaggedTensor) else 0
        return RaggedTensorSpec([None, *value.shape[1:]], value.dtype, rank, self.row_splits_dtype)

    def _row_spec(self) -> RaggedTensorSpec:
        sizes = None if self.shape.rank is None else self.shape[1:]
        return RaggedTensorSpec(sizes, self.dtype, max(self.ragged_rank - 1, 0), self.row_splits_dtype)

    def _rows(self, value: RaggedTensor, first: Any, count: int) -> RaggedTensor:
        places = functions["range"](np.int64(count)) + functions["cast"](first, "int64")
        return gather_rows(value, places)

    def _rows_spec(self, count: int | None) -> RaggedTensorSpec:
        sizes = None if self.shape.rank is None else [count, *self.shape]
        return RaggedTensorSpec(sizes, self.dtype, self.ragged_rank + 1, self.row_splits_dtype)

    def _batch(self, rows: list[Any]) -> RaggedTensor:
        if not rows:
            sizes = None if self.shape.rank is None else (0, *self.shape)
            whole = RaggedTensorSpec(sizes, self.dtype, self.ragged_rank + 1, self.row_splits_dtype)
            flat, *splits = whole._parts()
            values = Tensor(np.zeros([size or 0 for size in flat.shape], self.dtype.numpy_dtype))
            return whole._from_parts([values, *(Tensor(np.zeros(1, s.dtype.numpy_dtype)) for s in splits)])
        whole = stack(rows) if is_ragged(rows[0]) else RaggedTensor.of_rows(rows)
        return whole.with_row_splits_dtype(self.row_splits_dtype)

    def _below(self, first: RaggedTensor, second: RaggedTensor) -> Any:
        return concat([first, second], 0)

    def __repr__(self) -> str:
        return f"RaggedTensorSpec({self.shape!r}, {self.dtype!r}, {self.ragged_rank}, {self.row_splits_dtype!r})"


class SparseTensorSpec(TypeSpec):
    """A sparse tensor's dtype and dense shape.

    >>> import tensorsmith as tf
    >>> tf.SparseTensorSpec([None, 3], tf.int32)
    SparseTensorSpec(TensorShape([None, 3]), tf.int32)
    """

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: Any = None, dtype: Any = dtypes.float32) -> None:
        self.shape = TensorShape(shape)
        self.dtype: DType = as_dtype(dtype)

    @classmethod
    def from_value(cls, value: Any) -> SparseTensorSpec:
        """The spec of a sparse tensor."""
        return value._type_spec()

    value_type = SparseTensor

    def _told(self) -> tuple[Any, ...]:
        return self.shape, self.dtype

    def _type_spec(self) -> SparseTensorSpec:
        return self

    def _parts(self) -> list[TensorSpec]:
        rank = self.shape.rank
        return [TensorSpec([None, rank], "int64"), TensorSpec([None], self.dtype), TensorSpec([rank], "int64")]

    def _static(self) -> TensorShape:
        return self.shape

    def _from_parts(self, parts: list[Any]) -> SparseTensor:
        return SparseTensor(*parts)._shaped(self.shape)

    def _count(self, value: SparseTensor) -> Tensor:
        return value.dense_shape[0]

    def _row(self, value: SparseTensor, at: Any) -> SparseTensor:
        return row_of(value, at)

    def _like_row(self, value: Any) -> SparseTensorSpec | None:
        return _of_sparse(value) if isinstance(value, SparseTensor) else None

    def _row_spec(self) -> SparseTensorSpec:
        return SparseTensorSpec(None if self.shape.rank is None else self.shape[1:], self.dtype)

    def _rows(self, value: SparseTensor, first: Any, count: int) -> SparseTensor:
        start = functions["stack"]([functions["cast"](first, "int64"), *[np.int64(0)] * (value.rank - 1)])
        whole = functions["cast"](value.dense_shape, "int64")
        size = functions["concat"]([[np.int64(count)], whole[1:]], axis=0)
        return sparse_slice(value, start, size)._shaped(TensorShape([count, *value.shape[1:]]))

    def _rows_spec(self, count: int | None) -> SparseTensorSpec:
        return SparseTensorSpec(None if self.shape.rank is None else [count, *self.shape], self.dtype)

    def _batch(self, rows: list[SparseTensor]) -> SparseTensor:
        if not rows:
            sizes = [size or 0 for size in self.shape]
            return SparseTensor(
                np.zeros((0, len(sizes) + 1), np.int64), Tensor(np.zeros(0, self.dtype.numpy_dtype)), [0, *sizes]
            )
        return sparse_concat(0, [expand_dims(row, 0) for row in rows], expand_nonconcat_dims=True)

    def _below(self, first: SparseTensor, second: SparseTensor) -> SparseTensor:
        return sparse_concat(0, [first, second], expand_nonconcat_dims=True)

    def __repr__(self) -> str:
        return f"SparseTensorSpec({self.shape!r}, {self.dtype!r})"


def type_spec_from_value(value: Any) -> TypeSpec:
    """The spec of a tensor, a ragged or sparse tensor, IndexedSlices, a tensor array, None, or of what can become a tensor.

    Raises TypeError for anything else.

    >>> type_spec_from_value([1, 2])
    TensorSpec(shape=(2,), dtype=tf.int32, name=None)
    """
    if isinstance(value, TypeSpec):
        return value
    if hasattr(type(value), "_type_spec"):
        return value._type_spec()
    for kind in CONTAINERS:
        if isinstance(value, kind.value_type):
            return kind.from_value(value)
    try:
        tensor = convert(value)
    except (TypeError, ValueError):
        raise TypeError(
            explain("type_spec_from_value", f"there is no spec of a {type(value).__name__}", {"value": repr(value)})
        ) from None
    return TensorSpec(tensor.shape, tensor.dtype)


def _of_ragged(value: RaggedTensor) -> RaggedTensorSpec:
    return RaggedTensorSpec(value.shape, value.dtype, value.ragged_rank, value.row_splits.dtype)


def _of_sparse(value: SparseTensor) -> SparseTensorSpec:
    return SparseTensorSpec(value.shape, value.dtype)


RaggedTensor._type_spec = _of_ragged  # type: ignore[attr-defined]
SparseTensor._type_spec = _of_sparse  # type: ignore[attr-defined]
