"""Ragged tensors put together and cut apart: concat, stack, split."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.program.op import Array, Op
from tensorsmith.structures.between import from_tensor
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.ragged import RaggedTensor, first_part, is_ragged
from tensorsmith.structures.ragged_index import gather_rows, getitem
from tensorsmith.structures.ragged_shaping import axis_numbers, same_rows
from tensorsmith.structures.row_partition import row_ids, row_order
from tensorsmith.tensor.apply import apply, functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _as_ragged(part: Any) -> RaggedTensor:
    return part if is_ragged(part) else from_tensor(convert(part))


def _both_rows(specs: Any, settings: Any) -> Any:
    sizes = [shape[0] for shape, _ in specs]
    return [((None if None in sizes else sum(sizes) - 1,), specs[0][1])]


@op(differentiable=False, kinds="iu", shapes=_both_rows)
def join_splits(xp, splits: Array, more: Array):
    """The row splits of two ragged tensors one below the other."""
    return xp.concatenate([splits, more[1:] + splits[-1:]])


def concat(parts: list[Any], axis: int) -> Any:
    """Ragged tensors one after another along an axis: rows below rows (0), or row beside row (1)."""
    ragged = [_as_ragged(part) for part in parts]
    rank = len(ragged[0].shape)
    if not -rank <= axis < rank:
        raise InvalidArgumentError(explain("concat", "there is no such axis", {"axis": axis, "rank": rank}))
    axis %= rank
    result = ragged[0]
    for part in ragged[1:]:
        result = _below(result, part) if axis == 0 else _beside(result, part, axis)
    return result


def _join(a: Any, b: Any) -> Any:
    return concat([a, b], 0) if is_ragged(a) or is_ragged(b) else functions["concat"]([a, b], axis=0)


def _below(a: RaggedTensor, b: RaggedTensor) -> RaggedTensor:
    return RaggedTensor(_join(a.values, b.values), quietly(join_splits, a.row_splits, b.row_splits))


def _beside(a: RaggedTensor, b: RaggedTensor, axis: int) -> RaggedTensor:
    if None not in (a.shape[0], b.shape[0]) and a.shape[0] != b.shape[0]:
        raise InvalidArgumentError(
            explain("concat", "the numbers of rows differ", {"rows": [a.shape[0], b.shape[0]], "axis": axis})
        )
    if axis > 1:
        inner = (
            concat([a.values, b.values], axis - 1)
            if is_ragged(a.values) or is_ragged(b.values)
            else functions["concat"]([a.values, b.values], axis=axis - 1)
        )
        return a.with_values(inner)
    # the values of both in one list, put in the order of their rows; a stable sort keeps a's before b's
    ids = quietly(
        _joined,
        quietly(row_ids, a.row_splits, first_part(a.values)),
        quietly(row_ids, b.row_splits, first_part(b.values)),
    )
    order = quietly(row_order, ids)
    splits = quietly(operator.add, a.row_splits, b.row_splits)
    return RaggedTensor(gather_rows(_join(a.values, b.values), order), splits)


def _joined(a: Tensor, b: Tensor) -> Tensor:
    return functions["concat"]([a, b], axis=0)


def stack(values: list[Any], axis: int = 0, name: str | None = None) -> Any:
    """Ragged tensors as the rows (axis 0), or as the elements of the rows (axis 1), of one with an axis more.

    Vectors of any lengths become the rows of a ragged matrix, scalars a vector.
    """
    parts = list(values)
    if not any(is_ragged(part) for part in parts):
        parts = [convert(part) for part in parts]
        ranks = {len(part.shape) for part in parts}
        if ranks == {1} and axis in (0, -2):
            return RaggedTensor.of_rows(parts)
        if ranks <= {0, 1}:
            return functions["stack"](parts, axis=axis)
    ragged = [_as_ragged(part) for part in parts]
    rank = len(ragged[0].shape)
    (axis,) = axis_numbers(axis, rank + 1, "stack")
    if axis > 1:
        head = ragged[0]
        if not all(same_rows(head, part) for part in ragged[1:]):
            raise InvalidArgumentError(
                explain("stack", "the rows differ in length", {"axis": axis, "shapes": [part.shape for part in ragged]})
            )
        inner: list[Any] = [part.values for part in ragged]
        deeper = any(map(is_ragged, inner))
        return head.with_values(stack(inner, axis - 1) if deeper else functions["stack"](inner, axis=axis - 1))
    whole = concat(ragged, 0) if len(ragged) > 1 else ragged[0]
    if axis == 0:
        counts = functions["stack"]([part.nrows() for part in ragged])
        return RaggedTensor.from_row_lengths(whole, counts, validate=False)
    counts = [part.shape[0] for part in ragged if part.shape[0] is not None]
    if len(set(counts)) > 1:
        raise InvalidArgumentError(explain("stack", "the numbers of rows differ", {"rows": counts, "axis": axis}))
    size = ragged[0].nrows()
    rows = quietly(_interleaved, size, count=len(ragged))
    splits = quietly(lambda n: functions["range"](n + 1) * len(ragged), size)
    return RaggedTensor(gather_rows(whole, rows), splits, len(ragged))


def _interleaved(size: Tensor, count: int) -> Tensor:
    """The places of row 0 of each of `count` parts of this size, then those of row 1."""
    parts = [functions["range"](size) + size * at for at in range(count)]
    return functions["reshape"](functions["stack"](parts, axis=1), (-1,))


def _split(op: Op, arguments: tuple, settings: dict) -> list[Any]:
    ragged: RaggedTensor = arguments[0]
    (axis,) = axis_numbers(settings["axis"], len(ragged.shape), "split")
    sizes, depth = settings["sizes"], ragged.ragged_rank
    if axis > depth:
        parts = apply(op, [ragged.flat_values], {**settings, "axis": axis - depth})
        return [ragged.with_flat_values(part) for part in parts]
    have = ragged.shape[axis]
    if have is None:
        raise ValueError(
            explain("split", "a ragged axis cannot be split", {"axis": axis, "shape": ragged.shape},
                    "its rows differ in length" if axis else "the number of rows must be known")
        )  # fmt: skip
    bounds = np.cumsum([0, *(sizes if isinstance(sizes, tuple) else [have // sizes] * sizes)]).tolist()
    return [_piece(ragged, axis, first, last) for first, last in pairwise(bounds)]


def _piece(ragged: RaggedTensor, axis: int, first: int, last: int) -> RaggedTensor:
    if axis > 1:
        return ragged.with_values(_piece(ragged.values, axis - 1, first, last))
    part = getitem(ragged, (slice(None),) * axis + (slice(first, last),))
    return RaggedTensor(part.values, part.row_splits, last - first) if axis else part


def _concat(op: Op, arguments: tuple, settings: dict) -> Any:
    return concat(list(arguments[0]), int(settings["axis"]))


def _stack(op: Op, arguments: tuple, settings: dict) -> Any:
    return stack(list(arguments[0]), int(settings.get("axis") or 0))


JOINING = {"concat": _concat, "stack": _stack, "split": _split}
