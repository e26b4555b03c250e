"""Specs of what holds tensors in other ways: IndexedSlices, tensor arrays, and None."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import dtypes
from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, TypeSpec
from tensorsmith.ops.indexed_slices import IndexedSlices
from tensorsmith.structures.tensor_array import TensorArray


class _ContainerSpec(TypeSpec):
    """A spec whose values do not tell it by themselves: `_of(value)` gives it."""

    __slots__ = ()

    @classmethod
    def from_value(cls, value: Any) -> Any:
        """The spec of a value."""
        return cls._of(value)

    @classmethod
    def _of(cls, value: Any) -> Any:
        raise NotImplementedError

    def _pairs(self, other: Any) -> Any:
        return super()._pairs(self._of(other) if isinstance(other, self.value_type) else other)

    def _type_spec(self) -> Any:
        return self

    def _static(self) -> Any:
        return self._told()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._told()))})"


class IndexedSlicesSpec(_ContainerSpec):
    """What IndexedSlices are without values: shape of the whole, dtypes of values, indices and dense_shape (None without).

    It stands for them in the `input_signature` of a `tf.function`.

    >>> import tensorsmith as tf
    >>> tf.IndexedSlicesSpec([3, 2])
    IndexedSlicesSpec(TensorShape([3, 2]), tf.float32, tf.int64, None, TensorShape([None]))
    """

    __slots__ = ("_dense_shape_dtype", "_indices_dtype", "_indices_shape", "dtype", "shape")
    value_type = IndexedSlices

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        indices_dtype: Any = dtypes.int64,
        dense_shape_dtype: Any = None,
        indices_shape: Any = None,
    ) -> None:
        self.shape = TensorShape(shape)
        self.dtype: DType = as_dtype(dtype)
        self._indices_dtype: DType = as_dtype(indices_dtype)
        self._dense_shape_dtype: DType | None = None if dense_shape_dtype is None else as_dtype(dense_shape_dtype)
        self._indices_shape = TensorShape([None] if indices_shape is None else indices_shape)

    @classmethod
    def _of(cls, value: IndexedSlices) -> IndexedSlicesSpec:
        whole = value.dense_shape
        return cls(
            value.shape, value.dtype, value.indices.dtype, None if whole is None else whole.dtype, value.indices.shape
        )

    def _told(self) -> tuple[Any, ...]:
        return self.shape, self.dtype, self._indices_dtype, self._dense_shape_dtype, self._indices_shape

    def _parts(self) -> list[TensorSpec]:
        rank = self.shape.rank
        values = None if rank is None else self._indices_shape.concatenate(self.shape[1:])
        parts = [TensorSpec(values, self.dtype), TensorSpec(self._indices_shape, self._indices_dtype)]
        return parts if self._dense_shape_dtype is None else [*parts, TensorSpec([rank], self._dense_shape_dtype)]

    def _from_parts(self, parts: list[Any]) -> IndexedSlices:
        return IndexedSlices(*parts)


class TensorArraySpec(_ContainerSpec):
    """What a tensor array is without its elements.

    element_shape, dtype  of each of them.
    dynamic_size          whether writing past the end makes it longer.
    infer_shape           whether all elements must have one shape.

    It stands for one in the `input_signature` of a `tf.function`.

    >>> import tensorsmith as tf
    >>> tf.TensorArraySpec([2], tf.int32)
    TensorArraySpec(TensorShape([2]), tf.int32, False, True)
    """

    __slots__ = ("_dynamic_size", "_element_shape", "_infer_shape", "dtype")
    value_type = TensorArray

    def __init__(
        self,
        element_shape: Any = None,
        dtype: Any = dtypes.float32,
        dynamic_size: bool = False,
        infer_shape: bool = True,
    ) -> None:
        self._element_shape = TensorShape(element_shape)
        self.dtype: DType = as_dtype(dtype)
        self._dynamic_size, self._infer_shape = bool(dynamic_size), bool(infer_shape)

    @classmethod
    def _of(cls, value: TensorArray) -> TensorArraySpec:
        return cls(value.element_shape, value.dtype, value.dynamic_size, value._infer)

    def _told(self) -> tuple[Any, ...]:
        return self._element_shape, self.dtype, self._dynamic_size, self._infer_shape

    @property
    def shape(self) -> TensorShape:
        """Of a tensor array itself: a scalar."""
        return TensorShape([])

    def _parts(self) -> list[TensorSpec]:
        # as rows (`function/array_rows.py`), or as one dense tensor
        if self._dynamic_size or not self._infer_shape or self.dtype is dtypes.string:
            return [TensorSpec([], dtypes.string)]
        element = self._element_shape
        return [TensorSpec(None if element.rank is None else [None, *element], self.dtype)]

    def _from_parts(self, parts: list[Any]) -> TensorArray:
        empty = TensorArray(
            self.dtype,
            size=0,
            dynamic_size=self._dynamic_size,
            infer_shape=self._infer_shape,
            element_shape=self._element_shape,
        )
        return empty._from_parts(parts)


class NoneTensorSpec(_ContainerSpec):
    """What None is the only value of: an argument that is not given.

    >>> import tensorsmith as tf
    >>> tf.NoneTensorSpec().is_compatible_with(None)
    True
    """

    __slots__ = ()
    value_type = type(None)

    @classmethod
    def _of(cls, value: None) -> NoneTensorSpec:
        return cls()

    def _told(self) -> tuple[Any, ...]:
        return ()

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """True for None and for a NoneTensorSpec."""
        return spec_or_value is None or isinstance(spec_or_value, NoneTensorSpec)

    def is_subtype_of(self, other: TypeSpec) -> bool:
        """True of itself alone."""
        return isinstance(other, NoneTensorSpec)

    def most_specific_common_supertype(self, others: Any) -> Any:
        """Itself, where there is nothing but its kind."""
        return self if all(isinstance(other, NoneTensorSpec) for other in others) else None

    def _parts(self) -> list[TensorSpec]:
        return []

    def _from_parts(self, parts: list[Any]) -> None:
        return None


CONTAINERS: tuple[Any, ...] = (IndexedSlicesSpec, TensorArraySpec, NoneTensorSpec)
