"""Slices and gathers of ragged tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.function.rounds import Rounds
from tensorsmith.ops.debugging import hold
from tensorsmith.structures.lifting import quietly, several
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.row_partition import positions_in_rows, positions_of_rows, row_lengths
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def gather_rows(source: Any, rows: Any) -> Any:
    """The rows [k] of a ragged or dense tensor, in the order asked."""
    if not is_ragged(source):
        return functions["gather"](source, rows, axis=0)
    places, splits = quietly(several(positions_of_rows), source.row_splits, rows)
    return RaggedTensor(gather_rows(source.values, places), splits)


def getitem(ragged: RaggedTensor, key: Any) -> Any:
    """`ragged[key]`: a number or slice for the rows, then one for the inside of the rows, then for the values.

    A number for the rows gives one row, a Tensor when there is one ragged axis. Raises InvalidArgumentError
    (an IndexError in Python's sense) for a row or a column that is not there.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    at = next((i for i, k in enumerate(keys) if k is Ellipsis), None)
    if at is not None:
        missing = len(ragged.shape) - (len(keys) - 1 - sum(k is None for k in keys))
        keys[at : at + 1] = [slice(None)] * missing
    if not keys:
        return ragged
    first, rest = keys[0], tuple(keys[1:])
    if first is None:
        # a new axis in front: one row that holds all
        splits = quietly(lambda n: functions["stack"]([functions["zeros_like"](n), n]), ragged.nrows())
        whole = RaggedTensor(ragged, splits, ragged.shape[0])
        return _inside(whole, rest) if rest else whole
    if not isinstance(first, slice):
        row = _row(ragged, first)
        return row[rest] if rest else row
    rows = _sliced_rows(ragged, first)
    return _inside(rows, rest) if rest else rows


def _row(ragged: RaggedTensor, index: Any) -> Any:
    number = convert(index)
    if isinstance(number, Symbol):
        at = quietly(lambda n, count: _from_front(functions["cast"](n, count.dtype), count), number, ragged.nrows())
        return gather_rows(ragged, functions["reshape"](at, (1,))).values
    if not number.dtype.is_integer or number.ndim:
        raise TypeError(f"A RaggedTensor is indexed by integers and slices, not by {index!r}.")
    at, count = int(number), ragged.shape[0]
    if count is None:
        places = quietly(lambda n: functions["reshape"](n + at if at < 0 else functions["zeros_like"](n) + at, (1,)),
                         ragged.nrows())  # fmt: skip
        return gather_rows(ragged, places).values
    if not -count <= at < count:
        # IndexError, not InvalidArgumentError: Python's iteration protocol and its users ask for it
        raise IndexError(explain("RaggedTensor", "there is no such row", {"index": at, "rows": count}))
    return gather_rows(ragged, np.array([at % count])).values


def _from_front(number: Tensor, count: Tensor) -> Tensor:
    return functions["where"](number < 0, number + count, number)


def _sliced_rows(ragged: RaggedTensor, rows: slice) -> RaggedTensor:
    if rows == slice(None):
        return ragged
    if ragged.shape[0] is None:
        places = functions["range"](ragged.nrows())[rows]
        return gather_rows(ragged, places)
    return gather_rows(ragged, np.arange(ragged.shape[0], dtype=np.int64)[_plain(rows)])


def _plain(part: slice) -> slice:
    """A slice of Python integers."""
    return slice(*(None if end is None else int(end) for end in (part.start, part.stop, part.step)))


def _inside(ragged: RaggedTensor, keys: tuple) -> Any:
    """The keys behind the first, applied inside every row."""
    key, rest = keys[0], keys[1:]
    if key is None:
        # every row is the only element of a row
        splits = quietly(
            lambda s: functions["range"](functions["cast"](functions["shape"](s)[0], s.dtype)), ragged.row_splits
        )
        return RaggedTensor(_inside(ragged, rest) if rest else ragged, splits, 1)
    if isinstance(key, slice):
        part = ragged
        if key != slice(None):
            plain = _plain(key)
            places, splits = quietly(
                positions_in_rows, ragged.row_splits, start=plain.start, stop=plain.stop, step=plain.step
            )
            part = RaggedTensor(gather_rows(ragged.values, places), splits)
        if not rest:
            return part
        return part.with_values(_inside_values(part.values, rest))
    return _inside_values(_column(ragged, int(convert(key))), rest)


def _inside_values(values: Any, keys: tuple) -> Any:
    """Keys for the axes behind the first of ragged or dense values."""
    if not keys:
        return values
    return _inside(values, keys) if is_ragged(values) else values[(slice(None), *keys)]


def _column(ragged: RaggedTensor, at: int) -> Any:
    """Element `at` of every row; InvalidArgumentError where a row is too short."""
    lengths = quietly(row_lengths, ragged.row_splits)
    if isinstance(lengths, Symbol):
        holds = quietly(lambda n: functions["reduce_all"](n > at if at >= 0 else n >= -at), lengths)
        hold("RaggedTensor", holds, {"lengths": lengths}, f"a row has no element {at}", "all rows must have it")
    else:
        sizes = np.asarray(lengths._array)
        short = (sizes <= at) if at >= 0 else (sizes < -at)
        if short.any():
            row = int(short.argmax())
            raise InvalidArgumentError(
                explain("RaggedTensor", f"row {row} has no element {at}", {"length of the row": int(sizes[row])})
            )
    starts = ragged.row_splits[:-1] if at >= 0 else ragged.row_splits[1:]
    return gather_rows(ragged.values, quietly(functions["add"], starts, at))


def _rounds(ragged: RaggedTensor) -> Rounds:
    """What a for statement of a traced function runs over: the rows."""
    count = ragged.shape[0]
    return Rounds(ragged.nrows("int32") if count is None else count, lambda number: _row(ragged, number))


RaggedTensor.__getitem__ = getitem  # type: ignore[attr-defined]
RaggedTensor._rounds = _rounds  # type: ignore[attr-defined]
