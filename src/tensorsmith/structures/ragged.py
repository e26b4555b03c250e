"""RaggedTensor: flat values and row partitions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from tensorsmith.core import dtypes, ports
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.ops.sorting import searchsorted
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.row_partition import (
    column_range,
    row_ids,
    row_lengths,
    splits_from_lengths,
    splits_from_row_ids,
)
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


class RaggedTensor:
    """A tensor whose rows differ in length.

    values      [n, ...]: all rows one after another; a Tensor, or again a RaggedTensor.
    row_splits  [rows + 1] int64: row i is values[row_splits[i]:row_splits[i + 1]].

    Made by `tf.ragged.constant` and the `from_` methods. Elementwise operations, reductions, `tf.concat`,
    `tf.stack` and `tf.gather` take it.

    >>> import tensorsmith as tf
    >>> r = tf.ragged.constant([[1, 2], [3], []])
    >>> r * 10
    <tf.RaggedTensor [[10, 20], [30], []]>
    """

    __array_priority__ = 110

    def __init__(self, values: Any, row_splits: Any, uniform_row_length: int | None = None) -> None:
        self.values = values
        self.row_splits: Tensor = row_splits
        self._uniform = uniform_row_length

    # ---- made from

    @classmethod
    def from_row_splits(
        cls, values: Any, row_splits: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows between each two neighbours in `row_splits` [rows + 1].

        Raises InvalidArgumentError unless the splits begin at 0, never fall and end at the number of values.
        """
        values = _values(values)
        splits = _fitting(_partition(row_splits, "row_splits"), row_splits, values)
        if validate and not isinstance(splits, Symbol):
            array = np.asarray(splits._array)
            count = _count(values)
            if (
                not len(array)
                or array[0] != 0
                or (np.diff(array) < 0).any()
                or count is not None
                and array[-1] != count
            ):
                raise InvalidArgumentError(
                    explain(
                        "RaggedTensor.from_row_splits",
                        "row_splits do not fit the values",
                        {"row_splits": array.tolist(), "number of values": count},
                        "they must begin at 0, never fall, and end at the number of values",
                    )
                )
        return cls(values, splits)

    @classmethod
    def from_row_lengths(
        cls, values: Any, row_lengths: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows of these lengths [rows]."""
        lengths = _partition(row_lengths, "row_lengths")
        if validate and not isinstance(lengths, Symbol) and (np.asarray(lengths._array) < 0).any():
            raise InvalidArgumentError(
                explain("RaggedTensor.from_row_lengths", "a length is below 0", {"row_lengths": lengths.tolist()})
            )
        return cls.from_row_splits(values, quietly(splits_from_lengths, lengths), validate=validate)

    @classmethod
    def from_value_rowids(
        cls, values: Any, value_rowids: Any, nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows told by the row [n] of each value, which must not fall; `nrows` may add empty rows at the end."""
        ids = _partition(value_rowids, "value_rowids")
        if isinstance(nrows, Symbol) or isinstance(ids, Symbol) and nrows is None:
            values = _values(values)
            return cls(values, _fitting(_splits_of_rows(ids, nrows), value_rowids, values))
        if not isinstance(ids, Symbol):
            array, count = np.asarray(ids._array), _count(_values(values))
            if validate and ((np.diff(array) < 0).any() or (array < 0).any() or count not in (None, len(array))):
                wrong = "value_rowids fall" if (np.diff(array) < 0).any() else "value_rowids do not fit the values"
                raise InvalidArgumentError(
                    explain("RaggedTensor.from_value_rowids", wrong,
                            {"value_rowids": array.tolist(), "number of values": count},
                            "there must be one for each value, and they must begin at 0 or above and never fall")
                )  # fmt: skip
            least = int(array[-1]) + 1 if len(array) else 0
            nrows = least if nrows is None else int(nrows)
            if validate and nrows < least:
                raise InvalidArgumentError(
                    explain("RaggedTensor.from_value_rowids", "nrows is too small", {"nrows": nrows, "needed": least})
                )
        values = _values(values)
        return cls(values, _fitting(quietly(splits_from_row_ids, ids, rows=int(nrows)), value_rowids, values))

    @classmethod
    def from_row_starts(
        cls, values: Any, row_starts: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows that begin at these positions [rows]."""
        values, starts = _values(values), _partition(row_starts, "row_starts")

        def closed(starts: Tensor, head: Tensor) -> Tensor:
            end = functions["shape"](head, starts.dtype)[:1]
            return functions["concat"]([starts, end], axis=0)

        splits = _fitting(quietly(closed, starts, first_part(values)), row_starts, values)
        return cls.from_row_splits(values, splits, validate=validate)

    @classmethod
    def from_row_limits(
        cls, values: Any, row_limits: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows that end before these positions [rows]."""
        values, limits = _values(values), _partition(row_limits, "row_limits")
        splits = quietly(lambda t: functions["concat"]([Tensor(np.zeros(1, t.dtype.numpy_dtype)), t], axis=0), limits)
        return cls.from_row_splits(values, _fitting(splits, row_limits, values), validate=validate)

    @classmethod
    def from_uniform_row_length(
        cls, values: Any, uniform_row_length: Any, nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Rows that all have one length, which its shape then tells.

        Raises ValueError where the values do not make whole rows.

        >>> RaggedTensor.from_uniform_row_length([1, 2, 3, 4], 2).shape
        TensorShape([2, 2])
        """
        values = _values(values)
        length, count = int(uniform_row_length), _count(values)
        if nrows is None and count is None:
            splits = functions["range"](0, functions["shape"](first_part(values))[0] + 1, length)
            return cls(values, functions["cast"](splits, dtypes.int64), length)
        rows = int(nrows) if nrows is not None else (count or 0) // max(length, 1)
        if validate and count is not None and rows * length != count:
            raise ValueError(
                explain(
                    "RaggedTensor.from_uniform_row_length",
                    "the values do not make whole rows",
                    {"values": count, "uniform_row_length": length, "rows": rows},
                )
            )
        return cls(values, Tensor(np.arange(rows + 1, dtype=np.int64) * length), length)

    @classmethod
    def from_nested_row_splits(
        cls, flat_values: Any, nested_row_splits: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Several partitions, outermost first."""
        result: Any = flat_values
        for splits in reversed(list(nested_row_splits)):
            result = cls.from_row_splits(result, splits, validate=validate)
        return result

    @classmethod
    def from_nested_row_lengths(
        cls, flat_values: Any, nested_row_lengths: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Several partitions told by lengths, outermost first."""
        result: Any = flat_values
        for lengths in reversed(list(nested_row_lengths)):
            result = cls.from_row_lengths(result, lengths, validate=validate)
        return result

    @classmethod
    def from_nested_value_rowids(
        cls,
        flat_values: Any,
        nested_value_rowids: Any,
        nested_nrows: Any = None,
        name: str | None = None,
        validate: bool = True,
    ) -> RaggedTensor:
        """Several partitions told by the rows of the values, outermost first; ValueError where the lists differ in length."""
        ids = list(nested_value_rowids)
        rows = [None] * len(ids) if nested_nrows is None else list(nested_nrows)
        if len(rows) != len(ids):
            raise ValueError(
                explain("RaggedTensor.from_nested_value_rowids", "nested_nrows and nested_value_rowids differ in length",
                        {"nested_nrows": len(rows), "nested_value_rowids": len(ids)})
            )  # fmt: skip
        result: Any = flat_values
        for at in reversed(range(len(ids))):
            result = cls.from_value_rowids(result, ids[at], rows[at], validate=validate)
        return result

    # ---- what it is

    @property
    def dtype(self) -> DType:
        return self.values.dtype

    @property
    def shape(self) -> TensorShape:
        size = self.row_splits.shape[0]
        return TensorShape([None if size is None else size - 1, self._uniform, *self.values.shape[1:]])

    def get_shape(self) -> TensorShape:
        return self.shape

    @property
    def ragged_rank(self) -> int:
        return 1 + (self.values.ragged_rank if is_ragged(self.values) else 0)

    @property
    def flat_values(self) -> Tensor:
        return self.values.flat_values if is_ragged(self.values) else self.values

    @property
    def nested_row_splits(self) -> tuple[Tensor, ...]:
        return (self.row_splits, *(self.values.nested_row_splits if is_ragged(self.values) else ()))

    @property
    def uniform_row_length(self) -> Tensor | None:
        """The length of all rows where it was made with one, a scalar; else None."""
        return None if self._uniform is None else convert(self._uniform, self.row_splits.dtype)

    def consumers(self) -> list[Any]:
        """The operations that take it: none, as none is kept."""
        return []

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def nrows(self, out_type: Any = None, name: str | None = None) -> Tensor:
        """The number of rows, a scalar of the row splits' dtype."""
        dtype = out_type or self.row_splits.dtype
        if self.shape[0] is None:
            return functions["cast"](functions["shape"](self.row_splits)[0] - 1, dtype)
        return convert(self.shape[0], dtype)

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """The length of each row [rows]; for axis > 1 those of the inner rows, as a ragged tensor; for 0 their number."""
        rank = len(self.shape)
        if not -rank <= axis < rank:
            raise ValueError(explain("RaggedTensor.row_lengths", "there is no such axis", {"axis": axis, "rank": rank}))
        axis %= rank
        if axis == 0:
            return self.nrows()
        if axis == 1:
            return quietly(row_lengths, self.row_splits)
        if is_ragged(self.values):
            return self.with_values(self.values.row_lengths(axis - 1))
        values, dtype = self.values, self.row_splits.dtype
        size = functions["shape"](values, dtype)
        return self.with_values(quietly(lambda s: functions["fill"](s[: axis - 1], s[axis - 1]), size))

    def nested_row_lengths(self, name: str | None = None) -> tuple[Tensor, ...]:
        return tuple(quietly(row_lengths, splits) for splits in self.nested_row_splits)

    def row_starts(self, name: str | None = None) -> Tensor:
        return self.row_splits[:-1]

    def row_limits(self, name: str | None = None) -> Tensor:
        return self.row_splits[1:]

    def value_rowids(self, name: str | None = None) -> Tensor:
        """The row [n] in which each value lies."""
        return quietly(row_ids, self.row_splits, first_part(self.values))

    def nested_value_rowids(self, name: str | None = None) -> tuple[Tensor, ...]:
        """The rows in which the values of each partition lie, outermost first."""
        inner = self.values.nested_value_rowids() if is_ragged(self.values) else ()
        return (self.value_rowids(), *inner)

    def with_row_splits_dtype(self, dtype: Any) -> RaggedTensor:
        """The same with row splits of this dtype, int32 or int64; ValueError for another."""
        wanted = dtypes.as_dtype(dtype)
        if wanted not in (dtypes.int32, dtypes.int64):
            raise ValueError(explain("with_row_splits_dtype", "row splits are int32 or int64", {"dtype": wanted.name}))
        values = self.values.with_row_splits_dtype(wanted) if is_ragged(self.values) else self.values
        splits = self.row_splits
        if splits.dtype is not wanted:
            splits = quietly(lambda t: functions["cast"](t, wanted), splits)
        return RaggedTensor(values, splits, self._uniform)

    def bounding_shape(self, axis: Any = None, name: str | None = None, out_type: Any = None) -> Tensor:
        """The shape [rank] of the smallest dense tensor that holds all; the sizes of `axis`, where it is given."""
        dtype = out_type or self.row_splits.dtype
        sizes: list[Any] = [self.nrows()]
        part: Any = self
        while is_ragged(part):
            columns = quietly(column_range, part.row_splits)
            sizes.append(quietly(functions["shape"], columns)[0])
            part = part.values
        if len(part.shape) > 1:
            inner = quietly(functions["shape"], part)
            sizes += [inner[at] for at in range(1, len(part.shape))]
        whole = functions["stack"]([functions["cast"](size, dtype) for size in sizes])
        return whole if axis is None else functions["gather"](whole, axis)

    # ---- its parts

    @staticmethod
    def of_rows(rows: Any) -> RaggedTensor:
        """A ragged tensor of these rows: tensors, or ragged tensors, of one rank.

        >>> RaggedTensor.of_rows([convert([1, 2]), convert([3])])
        <tf.RaggedTensor [[1, 2], [3]]>
        """
        sizes = [row.nrows() if is_ragged(row) else row.shape[0] for row in rows]
        if None in sizes:
            sizes = [functions["cast"](functions["shape"](row)[0], dtypes.int64) for row in rows]
        lengths = functions["stack"](sizes) if isinstance(sizes[0], Tensor) else np.array(sizes, np.int64)
        return RaggedTensor.from_row_lengths(functions["concat"](list(rows), axis=0), lengths, validate=False)

    def with_values(self, new_values: Any) -> RaggedTensor:
        """Other values under the same row splits; ValueError where their number is known to be another."""
        values = _values(new_values)
        counts = _count(values), _count(self.values)
        if None not in counts and counts[0] != counts[1]:
            raise ValueError(
                explain("RaggedTensor.with_values", "the number of values differs",
                        {"new_values": counts[0], "values": counts[1]})
            )  # fmt: skip
        return RaggedTensor(values, _fitting(self.row_splits, None, values), self._uniform)

    def with_flat_values(self, new_values: Any) -> RaggedTensor:
        """Other innermost values under the same partitions."""
        inner = self.values.with_flat_values(new_values) if is_ragged(self.values) else new_values
        return self.with_values(inner)

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """The axes from outer to inner made one.

        Raises ValueError where there are no such axes, or the inner one is before the outer.
        """
        rank = len(self.shape)
        outer_axis, inner_axis = (axis + rank if axis < 0 else axis for axis in (outer_axis, inner_axis))
        if not 0 <= outer_axis <= inner_axis < rank:
            raise ValueError(
                explain("RaggedTensor.merge_dims", "there are no such axes",
                        {"outer_axis": outer_axis, "inner_axis": inner_axis, "rank": rank})
            )  # fmt: skip
        if outer_axis == inner_axis:
            return self
        if outer_axis == 0:
            part: Any = self
            for _ in range(inner_axis):
                part = part.values if is_ragged(part) else functions["reshape"](part, (-1, *part.shape[2:]))
            return part
        if is_ragged(self.values) and outer_axis == 1:
            splits = quietly(functions["gather"], self.values.row_splits, self.row_splits)
            merged = RaggedTensor(self.values.values, splits)
            return merged if inner_axis == 2 else merged.merge_dims(1, inner_axis - 1)
        inner = self.values
        if outer_axis > 1 and is_ragged(inner):
            return self.with_values(inner.merge_dims(outer_axis - 1, inner_axis - 1))
        shape = inner.shape
        if outer_axis == 1:
            return RaggedTensor.from_row_splits(
                functions["reshape"](inner, (-1, *shape[inner_axis:])),
                self.row_splits * int(np.prod(shape[1:inner_axis])),
                validate=False,
            )
        return self.with_values(functions["reshape"](inner, (*shape[: outer_axis - 1], -1, *shape[inner_axis:])))

    def _parts(self) -> list[Tensor]:
        return [self.flat_values, *self.nested_row_splits]

    def _from_parts(self, parts: list[Tensor]) -> RaggedTensor:
        inner = self.values._from_parts([parts[0], *parts[2:]]) if is_ragged(self.values) else parts[0]
        return RaggedTensor(inner, parts[1], self._uniform)

    def _static(self) -> tuple[int | None, ...]:
        return (self._uniform, *(self.values._static() if is_ragged(self.values) else ()))

    def _merged(self, other: RaggedTensor) -> RaggedTensor:
        values = self.values._merged(other.values) if is_ragged(self.values) else self.values
        return RaggedTensor(values, self.row_splits, self._uniform if self._uniform == other._uniform else None)

    # ---- as Python and NumPy see it

    def to_list(self) -> list[Any]:
        """The rows as nested Python lists.

        >>> import tensorsmith as tf
        >>> tf.ragged.constant([[1], [2, 3]]).to_list()
        [[1], [2, 3]]
        """
        splits = self.row_splits.tolist()
        inner = self.values.to_list() if is_ragged(self.values) else self.values.tolist()
        return [inner[a:b] for a, b in pairwise(splits)]

    def numpy(self) -> np.ndarray:
        """An array of rows: of dtype object, each row an array, where they differ in length."""
        splits = self.row_splits.tolist()
        inner = self.values.numpy()
        rows = [inner[a:b] for a, b in pairwise(splits)]
        if len({row.shape for row in rows}) == 1:
            return np.stack(rows)
        out = np.empty(len(rows), object)
        for at, row in enumerate(rows):
            out[at] = row
        return out

    def __len__(self) -> int:
        return len(self.row_splits) - 1

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))  # type: ignore[index]

    def __bool__(self) -> bool:
        raise TypeError("The truth value of a RaggedTensor is ambiguous; use tf.reduce_any or tf.reduce_all.")

    def __hash__(self) -> int:
        raise TypeError("RaggedTensor is unhashable, as it compares by value.")

    def __repr__(self) -> str:
        if any(isinstance(part, Symbol) for part in self._parts()):
            return f"tf.RaggedTensor(values={self.values}, row_splits={self.row_splits})"
        return f"<tf.RaggedTensor {_text(self.numpy())}>"

    __str__ = __repr__


def _text(part: Any) -> str:
    """Rows as TensorFlow prints them: NumPy breaks the lines and leaves out what is long, numbers are not aligned."""
    if not isinstance(part, np.ndarray):
        return repr(part) if isinstance(part, bytes) else str(part)
    if not part.size:
        # NumPy prints two empty rows as it prints none
        return str(part.tolist())
    # rows that differ in length are elements of an array of objects, and are printed by this same function
    return np.array2string(part, separator=", ", formatter={"all": _text})


def is_ragged(value: Any) -> bool:
    """True for a RaggedTensor.

    >>> is_ragged(RaggedTensor.from_row_splits([1, 2], [0, 2])), is_ragged([1])
    (True, False)
    """
    return isinstance(value, RaggedTensor)


def first_part(values: Any) -> Tensor:
    """A tensor with as many rows as `values`, ragged or not, has."""
    if not is_ragged(values):
        return values
    return quietly(row_lengths, values.row_splits)


def _values(values: Any) -> Any:
    values = values if is_ragged(values) else convert(values)
    if values.shape.rank == 0:
        raise InvalidArgumentError(
            explain("RaggedTensor", "the values have no axis to part", {"values": describe(values)})
        )
    return values


def _count(values: Any) -> int | None:
    return values.shape[0]


def _splits_of_rows(ids: Tensor, nrows: Tensor | None) -> Tensor:
    """The row splits of values in these rows, of which only the program will know how many there are."""
    cast, kind = functions["cast"], ids.dtype

    def splits(ids: Tensor, *nrows: Tensor) -> Tensor:
        if nrows:
            count = cast(nrows[0], kind)
        else:
            count = functions["reduce_max"](functions["concat"]([Tensor(np.array([-1], kind.numpy_dtype)), ids], 0)) + 1
        return cast(searchsorted(ids, functions["range"](count + 1)), kind)

    return quietly(splits, ids, *([] if nrows is None else [nrows]))


def _partition(value: Any, name: str) -> Tensor:
    tensor = convert(value)
    if tensor.dtype is dtypes.float32 and tensor.size == 0:
        return Tensor(np.zeros(0, np.int64))
    if not tensor.dtype.is_integer or tensor.ndim != 1:
        raise InvalidArgumentError(
            explain("RaggedTensor", f"{name} must be integers of one axis", {name: describe(tensor)})
        )
    if isinstance(value, (Tensor, np.ndarray)) and tensor.dtype in (dtypes.int32, dtypes.int64):
        return tensor
    return quietly(lambda t: functions["cast"](t, dtypes.int64), tensor)


def _fitting(splits: Tensor, given: Any, values: Any) -> Tensor:
    """The splits in the dtype of those inside ragged values; ValueError where the user gave a tensor of another dtype."""
    if not is_ragged(values) or splits.dtype is values.row_splits.dtype:
        return splits
    if isinstance(given, Tensor):
        raise ValueError(
            explain("RaggedTensor", "its row splits are of two dtypes",
                    {"given": splits.dtype.name, "of the values": values.row_splits.dtype.name}, "",
                    "Convert one with r.with_row_splits_dtype(dtype).")
        )  # fmt: skip
    return quietly(lambda t: functions["cast"](t, values.row_splits.dtype), splits)


def _to_tensor(value: RaggedTensor, dtype: Any) -> Tensor:
    raise TypeError(
        explain(
            "convert_to_tensor",
            "a RaggedTensor is not converted silently",
            {"shape": value.shape},
            "",
            "Use r.to_tensor(), which pads, or r.values.",
        )
    )


ports.converters[RaggedTensor] = _to_tensor
