"""A list of tensors that loops write and read, also when compiled."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.errors import InvalidArgumentError, OutOfRangeError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.function import array_rows
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


class TensorArray:
    """A list of tensors of one dtype and, unless `infer_shape` is False, one shape.

    size              the number of elements, which may be known at run time only.
    dynamic_size      True: writing past the end makes it longer.
    clear_after_read  True (the default): an element can be read once, unless it is written anew.
    infer_shape       whether all elements must have one shape.
    element_shape     that shape, where it is known before.

    `write`, `unstack`, `scatter` and `split` give the array that holds the new elements: go on with that one.
    In a traced function with loops of known length and a fixed size it is one dense tensor; with
    `dynamic_size` its length is known at run time only, and the function runs on NumPy.

    >>> import tensorsmith as tf
    >>> squares = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
    >>> for i in range(3):
    ...     squares = squares.write(i, i * i)
    >>> squares.stack().numpy()
    array([0, 1, 4], dtype=int32)
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        if size is None and not isinstance(handle, TensorArray):
            raise ValueError(
                explain(
                    "TensorArray", "its size must be given", way_out="Pass size=0, dynamic_size=True to let it grow."
                )
            )
        self._dtype = as_dtype(dtype)
        self._dynamic, self._clear = bool(dynamic_size), clear_after_read is None or bool(clear_after_read)
        self._infer = bool(infer_shape)
        self._element = TensorShape(element_shape)
        # one of the two: a list of known elements (None: not written), or a symbol that a loop carries
        self._items: list[Tensor | None] | None = None
        self._flow: Tensor | None = None
        self._read: set[int] = set()
        length = convert(0 if size is None else size)
        if not length.dtype.is_integer or length.shape.rank:
            raise TypeError(explain("TensorArray", "its size is no whole number", {"size": describe(length)}))
        if isinstance(length, Symbol):
            self._flow = array_rows.rows_empty(length, fixed=not self._dynamic)
        else:
            self._items = [None for _ in range(int(length))]

    # ---- what it is

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def element_shape(self) -> TensorShape:
        return self._element

    @property
    def dynamic_size(self) -> bool:
        return self._dynamic

    @property
    def flow(self) -> Tensor:
        return self._flow if self._flow is not None else convert(0.0)

    @property
    def handle(self) -> TensorArray:
        return self

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements, a scalar int32."""
        if self._items is not None:
            return convert(len(self._items))
        return array_rows.rows_size(self._flow) if self._in_rows else convert(self._flow.shape[0])  # type: ignore[union-attr]

    @property
    def _in_rows(self) -> bool:
        return self._flow is not None and self._flow.dtype == "string"

    # ---- writing

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with element `index` set.

        Raises OutOfRangeError past the end of a fixed size, ValueError for another shape than the elements
        have, InvalidArgumentError for another dtype.
        """
        tensor = self._checked(value)
        place = convert(index)
        if self._items is not None and not isinstance(place, Symbol):
            at = int(place)
            if at < 0 or at >= len(self._items) and not self._dynamic:
                raise OutOfRangeError(
                    explain(
                        "TensorArray.write",
                        "the index lies outside the array",
                        {"index": at, "size": len(self._items)},
                        way_out="dynamic_size=True lets it grow." if at >= 0 else "",
                    )
                )
            result = self._changed(tensor.shape)
            items = result._items
            assert items is not None
            items.extend([None] * (at + 1 - len(items)))
            items[at] = tensor
            result._read.discard(at)
            return result
        flow = self._as_flow()
        write = array_rows.rows_write if flow.dtype == "string" else array_rows.array_write
        return self._carried(write(flow, place, tensor), tensor.shape)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """The array of the rows of value [n, ...]."""
        tensor = self._checked(value, rows=True)
        count, shape = tensor.shape[0], tensor.shape[1:]
        if count is None:
            return self._carried(array_rows.rows_unstack(tensor, fixed=not self._dynamic), shape)
        if not self._dynamic and self._items is not None and len(self._items) != count:
            raise InvalidArgumentError(
                explain(
                    "TensorArray.unstack",
                    "the number of rows is not the size",
                    {"rows": count, "size": len(self._items)},
                )
            )
        result = self._changed(shape)
        result._items, result._flow = [tensor[i] for i in range(count)], None
        return result

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with the elements at indices [n] set to the rows of value [n, ...]."""
        tensor, places = self._checked(value, rows=True), convert(indices)
        if not places.shape.is_compatible_with(tensor.shape[:1]):
            raise InvalidArgumentError(
                explain(
                    "TensorArray.scatter",
                    "there must be one index for each row",
                    {"indices": describe(places), "value": describe(tensor)},
                )
            )
        if isinstance(places, Symbol) or tensor.shape[0] is None:
            flow = self._as_flow()
            if flow.dtype == "string":
                raise InvalidArgumentError(
                    explain(
                        "TensorArray.scatter",
                        "the indices must be known where the array's size is not",
                        {"indices": describe(places)},
                        way_out="Write the rows one by one.",
                    )
                )
            return self._carried(array_rows.array_scatter(flow, places, tensor), tensor.shape[1:])
        result = self
        for row, place in enumerate(places.tolist()):
            result = result.write(place, tensor[row])
        return result

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """The array of consecutive parts of value along its first axis, element i of lengths[i] rows.

        Raises InvalidArgumentError where the lengths do not make up the rows, or are not as many as the elements of a
        fixed size.
        """
        tensor, sizes = self._typed(value), convert(lengths)
        if not tensor.shape.rank or sizes.shape.rank != 1:
            raise InvalidArgumentError(
                explain(
                    "TensorArray.split",
                    "rows and a vector of lengths are needed",
                    {"value": describe(tensor), "lengths": describe(sizes)},
                )
            )
        size = None if self._dynamic or self._items is None else len(self._items)
        if isinstance(sizes, Symbol) or tensor.shape[0] is None:
            flow = array_rows.rows_split(tensor, sizes, size=size, fixed=not self._dynamic)
            result = self._carried(flow, self._parts_of(tensor, None))
            # (a program must know the rank of what it will read)
            result._element = result._element.merge_with([None, *tensor.shape[1:]])
            return result
        counts = sizes.tolist()
        array_rows.check_lengths(counts, tensor.shape[0], size)
        result = self._changed(self._parts_of(tensor, counts[0] if len(set(counts)) == 1 else None))
        ends = np.cumsum([0, *counts]).tolist()
        result._items, result._flow = [tensor[a:b] for a, b in itertools.pairwise(ends)], None
        result._read.clear()
        return result

    def _parts_of(self, tensor: Tensor, count: int | None) -> TensorShape:
        """The shape of parts of a tensor along its first axis; InvalidArgumentError where elements are of another one."""
        shape = TensorShape([count, *tensor.shape[1:]])
        if not self._element.is_compatible_with(shape):
            raise InvalidArgumentError(
                explain(
                    "TensorArray.split",
                    "the parts have another shape than the elements",
                    {"parts": str(shape), "elements": str(self._element)},
                )
            )
        return shape

    # ---- reading

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """Element `index`.

        Raises OutOfRangeError where there is none, InvalidArgumentError when it was cleared by an earlier read.
        """
        place = convert(index)
        if self._items is not None and not isinstance(place, Symbol):
            at = int(place)
            self._find(at)
            value = self._whole(at)
            if self._clear and context.executing_eagerly():
                self._items[at] = None
                self._read.add(at)
            return value
        flow = self._as_flow()
        if flow.dtype != "string":
            return array_rows.array_read(flow, place)
        return array_rows.rows_read(flow, place, **self._form())

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at indices [n], stacked. It clears none of them."""
        nothing = isinstance(indices, (list, tuple)) and not indices
        places = functions["reshape"](convert(indices, "int32" if nothing else None), (-1,))
        if self._items is None or isinstance(places, Symbol):
            return functions["gather"](self.stack(), places, axis=0)
        numbers = [int(place) for place in places.tolist()]
        for at in numbers:
            self._find(at)
        return functions["stack"]([self._whole(at) for at in numbers]) if numbers else self._nothing()

    def _nothing(self) -> Tensor:
        return Tensor(np.zeros((0, *(size or 0 for size in self._element)), self._dtype.numpy_dtype))

    def stack(self, name: str | None = None) -> Tensor:
        """All elements as one tensor [size, ...]; those never written are zeros."""
        if self._items is not None:
            if not self._items:
                return self._nothing()
            return functions["stack"]([self._whole(at) for at in range(len(self._items))])
        assert self._flow is not None
        return array_rows.rows_stack(self._flow, **self._form()) if self._in_rows else self._flow

    def concat(self, name: str | None = None) -> Tensor:
        """All elements one after another along their first axis."""
        if self._items == [] and self._element.rank:
            return Tensor(np.zeros((0, *(size or 0 for size in self._element[1:])), self._dtype.numpy_dtype))
        if self._items is not None:
            return functions["concat"]([self._whole(at) for at in range(len(self._items))], axis=0)
        assert self._flow is not None
        if self._in_rows:
            return array_rows.rows_concat(self._flow, **self._form())
        return functions["reshape"](self._flow, (-1, *self._flow.shape[2:]))

    def identity(self) -> TensorArray:
        return self

    def close(self, name: str | None = None) -> None:
        """Drops the elements: its size is 0 then."""
        self._items, self._flow = [], None
        self._read.clear()

    # ---- the inside

    def _find(self, at: int) -> None:
        """Refuses to read an element that is not there, or no more."""
        size = len(self._items or [])
        if not 0 <= at < size:
            raise OutOfRangeError(
                explain("TensorArray.read", "the index lies outside the array", {"index": at, "size": size})
            )
        if at in self._read:
            raise InvalidArgumentError(
                explain(
                    "TensorArray.read",
                    "the element was read before, which cleared it",
                    {"index": at},
                    way_out="Make the array with clear_after_read=False to read more than once.",
                )
            )

    def _typed(self, value: Any) -> Tensor:
        tensor = convert(value, None, self._dtype.numpy_dtype)
        if tensor.dtype is not self._dtype:
            raise InvalidArgumentError(
                explain(
                    "TensorArray.write",
                    f"the value is {tensor.dtype.name}, the array {self._dtype.name}",
                    {"value": describe(tensor)},
                    "tensors are never converted silently",
                    f"Convert it: tf.cast(value, tf.{self._dtype.name}).",
                )
            )
        return tensor

    def _checked(self, value: Any, rows: bool = False) -> Tensor:
        tensor = self._typed(value)
        if rows and tensor.shape.rank == 0:
            raise InvalidArgumentError(
                explain("TensorArray.unstack", "a scalar has no rows", {"value": describe(tensor)})
            )
        shape = tensor.shape[1:] if rows else tensor.shape
        if not self._element.is_compatible_with(shape):
            raise ValueError(
                explain(
                    "TensorArray.write",
                    "the value has another shape than the elements",
                    {"value": tuple(shape), "elements": tuple(self._element)},
                    "",
                    "" if not self._infer else "infer_shape=False allows it.",
                )
            )
        return tensor

    def _changed(self, shape: Any) -> TensorArray:
        """The array that takes a new element: itself while operations run at once, as in TensorFlow; in a trace a new one."""
        result = self
        if not context.executing_eagerly():
            result = self._copy()
            result._items = None if self._items is None else list(self._items)
            result._read = set(self._read)
        if self._infer:
            result._element = self._element.merge_with(shape)
        return result

    def _copy(self) -> TensorArray:
        copy = object.__new__(TensorArray)
        copy.__dict__.update(self.__dict__)
        return copy

    def _carried(self, flow: Tensor, shape: Any) -> TensorArray:
        result = self._copy()
        result._items, result._flow = None, flow
        if self._infer:
            result._element = self._element.merge_with(shape)
        return result

    def _whole(self, at: int) -> Tensor:
        """Element `at`, zeros where it was not written."""
        value = self._items[at]  # type: ignore[index]
        if value is not None:
            return value
        shape = self._element
        if not shape.is_fully_defined():
            raise InvalidArgumentError(
                explain(
                    "TensorArray",
                    f"element {at} was never written and its shape is not known",
                    {"size": len(self._items or [])},
                    way_out="Give element_shape when the array is made.",
                )
            )
        return Tensor(np.full(tuple(shape), b"" if self._dtype == "string" else 0, self._dtype.numpy_dtype))

    def _form(self) -> dict[str, Any]:
        """What reading a list of rows must be told."""
        if self._element.rank is None:
            raise ValueError(
                explain(
                    "TensorArray.read",
                    "the shape of its elements is not known while a program is traced",
                    "",
                    "",
                    "Give element_shape when the array is made.",
                )
            )
        return {"shape": tuple(self._element), "dtype": self._dtype.numpy_dtype.str}

    def _as_flow(self) -> Tensor:
        """The elements as one value that a loop can carry."""
        if self._flow is not None:
            return self._flow
        items = self._items
        assert items is not None
        written = tuple(item is not None for item in items)
        if (
            self._dynamic
            or not self._infer
            or self._dtype == "string"
            or not self._element.is_fully_defined()
            and any(written)
        ):
            parts = [item for item in items if item is not None]
            if any(isinstance(part, Symbol) for part in parts):
                return array_rows.rows_of(parts, written=written, fixed=not self._dynamic)
            arrays = [None if item is None else np.asarray(item._array) for item in items]
            return Tensor(array_rows.boxed(array_rows.Rows(arrays, len(arrays), not self._dynamic)))
        if not any(written) and not self._element.is_fully_defined():
            return Tensor(array_rows.unset(len(items), self._dtype.numpy_dtype))
        if not items:
            return Tensor(np.zeros((0, *self._element), self._dtype.numpy_dtype))
        return functions["stack"]([self._whole(at) for at in range(len(items))])

    def _parts(self) -> list[Tensor]:
        return [self._as_flow()]

    def _from_parts(self, parts: list[Tensor]) -> TensorArray:
        return self._carried(parts[0], self._element)

    def _late(self) -> list[bool]:
        """Whether the shape of the one part is still open: nothing was written, and nothing told the shape of an element."""
        flow = self._as_flow()
        return [flow.dtype != "string" and not self._element.is_fully_defined() and 0 in tuple(flow.shape)]

    def _static(self) -> Any:
        return (self._dtype, self._dynamic, self._infer, str(self._element))

    def __len__(self) -> int:
        return len(self._items) if self._items is not None else int(self.size())

    def __repr__(self) -> str:
        return f"<tf.TensorArray dtype={self._dtype.name} size={len(self._items) if self._items is not None else 'at run time'}>"
