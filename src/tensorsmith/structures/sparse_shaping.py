"""Sparse tensors under other axes: expand_dims, split, rows, shapes that are reset, empty rows that are filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.ops.debugging import hold
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.structures.sparse_ops import as_sparse, inside, reorder, retain
from tensorsmith.structures.sparse_ops import slice as sparse_slice
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def _with_column(table: Tensor, at: int, axis: int, value: int) -> Tensor:
    """A vector [r] or table [n, r] of integers with one more element, or column, of this value."""
    size = table.shape[axis]
    front, back = (table[:at], table[at:]) if axis == 0 else (table[:, :at], table[:, at:])
    new = functions["zeros_like"](table[:1] if axis == 0 else table[:, :1]) if size else None
    if new is None:
        shape = (1,) if axis == 0 else functions["stack"]([functions["shape"](table)[0], 1])
        new = functions["zeros"](shape, "int64")
    return functions["concat"]([front, functions["add"](new, value), back], axis=axis)


def expand_dims(sp_input: SparseTensor, axis: Any = None, name: str | None = None) -> SparseTensor:
    """The same elements with an axis of size 1 at `axis`, by default behind all others.

    Raises InvalidArgumentError where there is no such axis.

    >>> expand_dims(SparseTensor([[0, 1]], [5], [1, 2]), 0).shape
    TensorShape([1, 1, 2])
    """
    s = as_sparse("sparse.expand_dims", sp_input)
    at = -1 if axis is None else int(convert(axis))
    if not -s.rank - 1 <= at <= s.rank:
        raise InvalidArgumentError(explain("sparse.expand_dims", "there is no such axis", {"axis": at, "rank": s.rank}))
    at %= s.rank + 1
    indices = quietly(lambda i: _with_column(i, at, 1, 0), s.indices)
    result = SparseTensor(indices, s.values, quietly(lambda d: _with_column(d, at, 0, 1), s.dense_shape))
    result._shaped(TensorShape([*s.shape[:at], 1, *s.shape[at:]]))
    return result


def row_of(s: SparseTensor, at: Any) -> SparseTensor:
    """Row `at` of the first axis, which goes; a negative number counts from the end."""
    row = functions["cast"](convert(at), "int64")

    def here(indices: Tensor, row: Tensor, dense_shape: Tensor) -> Tensor:
        return functions["equal"](indices[:, 0], functions["floormod"](row, functions["maximum"](dense_shape[0], 1)))

    kept = retain(s, quietly(here, s.indices, row, s.dense_shape))
    result = SparseTensor(
        quietly(lambda i: i[:, 1:], kept.indices), kept.values, quietly(lambda d: d[1:], s.dense_shape)
    )
    result._shaped(s.shape[1:])
    return result


def split(
    sp_input: SparseTensor | None = None, num_split: int | None = None, axis: Any = None, name: str | None = None
) -> list[SparseTensor]:
    """`num_split` parts along an axis; where the size is no multiple, the first parts have one more.

    Raises ValueError where an argument is missing.

    >>> [part.values.numpy().tolist() for part in split(SparseTensor([[0, 0], [0, 2]], [1, 2], [1, 3]), 2, axis=1)]
    [[1], [2]]
    """
    if sp_input is None or num_split is None or axis is None:
        raise ValueError(explain("sparse.split", "sp_input, num_split and axis must be given"))
    s = as_sparse("sparse.split", sp_input)
    at, count = int(convert(axis)), int(convert(num_split))
    if not -s.rank <= at < s.rank:
        raise InvalidArgumentError(explain("sparse.split", "there is no such axis", {"axis": at, "rank": s.rank}))
    at %= s.rank
    size = s.shape[at]
    if size is None:
        raise ValueError(explain("sparse.split", "the size of the axis must be known", {"axis": at, "shape": s.shape}))
    if not 1 <= count <= size:
        raise InvalidArgumentError(
            explain("sparse.split", "num_split lies outside 1 to the size", {"num_split": count, "size": size})
        )
    least, more = divmod(size, count)
    parts, begin = [], 0
    for number in range(count):
        length = least + (number < more)
        start = np.zeros(s.rank, np.int64)
        start[at] = begin
        wanted = s.dense_shape
        if isinstance(wanted, Symbol):
            sizes = [*(wanted[i] for i in range(s.rank))]
            sizes[at] = convert(length, "int64")
            wanted = functions["stack"](sizes)
        else:
            sizes = np.array(wanted._array)
            sizes[at] = length
            wanted = Tensor(sizes)
        parts.append(sparse_slice(s, start, wanted))
        begin += length
    return parts


def reset_shape(sp_input: SparseTensor, new_shape: Any = None) -> SparseTensor:
    """The same elements in another dense shape: `new_shape`, or the smallest that holds them all.

    Raises InvalidArgumentError where the new shape is of another rank or smaller than the old one.

    >>> reset_shape(SparseTensor([[0, 1]], [5], [7, 9])).shape
    TensorShape([1, 2])
    """
    s = as_sparse("sparse.reset_shape", sp_input)
    if new_shape is None:
        tight = quietly(lambda i: functions["reduce_max"](functions["concat"]([i, _before(i)], axis=0), axis=0) + 1,
                        s.indices)  # fmt: skip
        result = SparseTensor(s.indices, s.values, tight)
        result._shaped(TensorShape([None] * s.rank))
        return result
    wanted = convert(new_shape)
    wanted = wanted if wanted.dtype == "int64" else functions["cast"](wanted, "int64")
    if wanted.shape != (s.rank,):
        raise InvalidArgumentError(
            explain("sparse.reset_shape", "new_shape has another rank", {"new_shape": wanted.shape, "rank": s.rank})
        )
    if isinstance(wanted, Symbol) or isinstance(s.dense_shape, Symbol):
        holds = quietly(lambda new, old: functions["reduce_all"](new >= old), wanted, s.dense_shape)
        told = {"new_shape": wanted, "shape": s.dense_shape}
        hold("sparse.reset_shape", holds, told, "new_shape is smaller than the shape", "no element may be left out")
    else:
        new, old = np.asarray(wanted._array), np.asarray(s.dense_shape._array)
        if (new < old).any():
            raise InvalidArgumentError(
                explain("sparse.reset_shape", "new_shape is smaller than the shape",
                        {"new_shape": new.tolist(), "shape": old.tolist()}, "no element may be left out")
            )  # fmt: skip
    return SparseTensor(s.indices, s.values, wanted)


def _before(indices: Tensor) -> Tensor:
    """An index before all: what a tensor without elements has."""
    return Tensor(np.full((1, indices.shape[1] or 0), -1, np.int64))


def fill_empty_rows(sp_input: SparseTensor, default_value: Any, name: str | None = None) -> tuple[SparseTensor, Tensor]:
    """(the tensor with `default_value` at the beginning of each row that had no element, which rows [n] had none).

    Raises TypeError for what is no SparseTensor, InvalidArgumentError where an index lies outside the shape.

    >>> filled, empty = fill_empty_rows(SparseTensor([[1, 0]], [5], [2, 3]), 0)
    >>> filled.values.numpy().tolist(), empty.numpy().tolist()
    ([0, 5], [True, False])
    """
    s = as_sparse("sparse.fill_empty_rows", sp_input)
    rows = quietly(lambda i, d: (i[:, :1], d[:1]), s.indices, s.dense_shape)
    inside("sparse.fill_empty_rows", SparseTensor(rows[0], s.values, rows[1]))
    default = convert(default_value, None, s.dtype.numpy_dtype)
    gather, concat = functions["gather"], functions["concat"]

    def rows_without(indices: Tensor, dense_shape: Tensor) -> Tensor:
        rows = functions["range"](dense_shape[0])
        there = functions["reduce_any"](functions["equal"](rows[:, None], indices[:, 0][None, :]), axis=1)
        return functions["logical_not"](there)

    def places(empty: Tensor) -> Tensor:
        rows = functions["reshape"](functions["nonzero_positions"](empty), (-1,))
        return functions["stack"]([rows, *[functions["zeros_like"](rows)] * (s.rank - 1)], axis=1)

    empty = quietly(rows_without, s.indices, s.dense_shape)
    more = quietly(places, empty)
    fill = gather(functions["reshape"](default, (1,)), quietly(lambda m: functions["zeros_like"](m[:, 0]), more))
    indices = quietly(lambda a, b: concat([a, b], axis=0), s.indices, more)
    result = SparseTensor(indices, concat([s.values, fill], axis=0), s.dense_shape)
    result._shaped(s.shape)
    return reorder(result), empty
