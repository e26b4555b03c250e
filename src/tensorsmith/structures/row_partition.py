"""Where rows begin and end: splits, lengths, row ids, and the positions that indexing rows needs.

A partition of n values into r rows is `row_splits` [r + 1]: row i holds the values splits[i] to splits[i + 1].
Results whose size hangs on the values of the splits come from operations marked `eager`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.program.op import Array
from tensorsmith.tensor.apply import op


def _like_splits(count: Any) -> Any:
    """A shape rule: one vector of `count(specs)` elements of the splits' dtype."""
    return lambda specs, settings: [((count(specs),), specs[0][1])]


def _less_one(specs: Any) -> Any:
    size = specs[0][0][0]
    return None if size is None else size - 1


@op(differentiable=False, kinds="iu", shapes=_like_splits(_less_one))
def row_lengths(xp, row_splits: Array):
    """The number of values in each row [r]."""
    return row_splits[1:] - row_splits[:-1]


@op(differentiable=False, same=False, shapes=_like_splits(lambda specs: specs[1][0][0]))
def row_ids(xp, row_splits: Array, values: Array):
    """The row [n] in which each of the values [n, ...] lies."""
    places = xp.arange(values.shape[0], dtype=row_splits.dtype)
    return xp.searchsorted(row_splits[1:], places, side="right").astype(row_splits.dtype)


@op(differentiable=False, same=False, shapes=_like_splits(lambda specs: specs[1][0][0]))
def column_ids(xp, row_splits: Array, values: Array):
    """The place [n] that each of the values [n, ...] has in its row."""
    places = xp.arange(values.shape[0], dtype=row_splits.dtype)
    rows = xp.searchsorted(row_splits[1:], places, side="right")
    return places - row_splits[rows]


@op(differentiable=False, kinds="iu", shapes=lambda specs, settings: [((_plus_one(specs[0][0][0]),), specs[0][1])])
def splits_from_lengths(xp, lengths: Array):
    """Row splits [r + 1] from row lengths [r]."""
    return xp.concatenate([xp.zeros(1, lengths.dtype), xp.cumsum(lengths, dtype=lengths.dtype)])


def _plus_one(size: int | None) -> int | None:
    return None if size is None else size + 1


@op(differentiable=False, kinds="iu", shapes=lambda specs, settings: [((settings["rows"] + 1,), specs[0][1])])
def splits_from_row_ids(xp, ids: Array, rows=0):
    """Row splits [rows + 1] from the rows [n] of the values, which rise."""
    return xp.searchsorted(ids, xp.arange(rows + 1, dtype=ids.dtype), side="left").astype(ids.dtype)


@op(eager=True, differentiable=False, kinds="iu", shapes=_like_splits(lambda specs: None))
def column_range(xp, row_splits: Array):
    """0, 1, ... up to the length of the longest row."""
    longest = int((row_splits[1:] - row_splits[:-1]).max()) if len(row_splits) > 1 else 0
    return np.arange(longest, dtype=row_splits.dtype)


@op(differentiable=False, kinds="iu", shapes=lambda specs, settings: [(specs[0][0], np.dtype(np.int64))])
def row_order(xp, ids: Array):
    """The permutation that sorts row ids [n] and keeps the order within a row."""
    return xp.argsort(ids, stable=True).astype(np.int64)


def _positions_and_splits(splits: Any) -> Any:
    """A shape rule: positions, whose number hangs on values, and `splits(specs)` row splits."""
    return lambda specs, settings: (((None,), specs[0][1]), ((splits(specs),), specs[0][1]))


@op(
    eager=True,
    differentiable=False,
    kinds="iu",
    same=False,
    shapes=_positions_and_splits(lambda s: _plus_one(s[1][0][0])),
)
def positions_of_rows(xp, row_splits: Array, rows: Array):
    """The positions of the values of these rows [k], one row after another, and the splits [k + 1] of what they make."""
    wrong = (rows < 0) | (rows >= len(row_splits) - 1)
    if wrong.any():
        raise InvalidArgumentError(
            explain("gather", "there is no such row", {"row": int(rows[wrong][0]), "rows": len(row_splits) - 1})
        )
    starts, ends = row_splits[rows], row_splits[rows + 1]
    return spans(starts, ends)


@op(eager=True, differentiable=False, kinds="iu", shapes=_positions_and_splits(lambda s: s[0][0][0]))
def positions_in_rows(xp, row_splits: Array, start=None, stop=None, step=1):
    """The positions of `row[start:stop:step]` of every row, and the splits of what they make."""
    first, last = row_splits[:-1], row_splits[1:]
    lengths = last - first
    parts = [range(int(size))[slice(start, stop, step)] for size in lengths]
    counts = np.array([len(part) for part in parts], row_splits.dtype)
    splits = np.concatenate([np.zeros(1, row_splits.dtype), np.cumsum(counts, dtype=row_splits.dtype)])
    dtype = row_splits.dtype
    places = [np.arange(part.start, part.stop, part.step, dtype=dtype) + at for part, at in zip(parts, first)]
    return np.concatenate([np.zeros(0, row_splits.dtype), *places]).astype(row_splits.dtype), splits


def spans(starts: Any, ends: Any) -> tuple[Any, Any]:
    """start, start + 1, ... end - 1 of each span in turn, and the splits between the spans."""
    lengths = np.maximum(ends - starts, 0)
    splits = np.concatenate([np.zeros(1, starts.dtype), np.cumsum(lengths, dtype=starts.dtype)])
    within = np.arange(splits[-1], dtype=starts.dtype) - np.repeat(splits[:-1], lengths)
    return np.repeat(starts, lengths) + within, splits
