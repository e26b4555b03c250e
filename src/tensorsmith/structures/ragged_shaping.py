"""Operations on ragged tensors that put rows and elements in another order or under other axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.debugging import hold
from tensorsmith.program.op import Op
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.ragged_index import gather_rows, getitem
from tensorsmith.tensor.apply import apply, functions
from tensorsmith.tensor.tensor import Symbol, Tensor


def axis_numbers(given: Any, rank: int, who: str) -> list[int]:
    """Axis numbers counted from the front; InvalidArgumentError for one that is not there."""
    axes = [int(axis) for axis in np.atleast_1d(np.asarray(given))]
    for axis in axes:
        if not -rank <= axis < rank:
            raise InvalidArgumentError(explain(who, "there is no such axis", {"axis": axis, "rank": rank}))
    return [axis % rank for axis in axes]


def same_rows(a: RaggedTensor, b: RaggedTensor, who: str = "ragged tensors") -> bool:
    """False where the first partitions of both are known to differ; what is not known is checked when the program runs."""
    return equal_splits(a.row_splits, b.row_splits, who)


def equal_splits(x: Tensor, y: Tensor, who: str) -> bool:
    """`same_rows` of the splits alone."""
    if x is y:
        return True
    if isinstance(x, Symbol) or isinstance(y, Symbol):
        if None not in (x.shape[0], y.shape[0]) and x.shape[0] != y.shape[0]:
            return False
        a, b = (functions["cast"](splits, "int64") for splits in (x, y))
        holds = quietly(_all_equal, a, b)
        hold(who, holds, {"row_splits": a, "others": b}, "their rows differ in length", "the rows must be the same")
        return True
    return np.array_equal(x._array, y._array)


def _all_equal(a: Tensor, b: Tensor) -> Tensor:
    return functions["reduce_all"](functions["equal"](a, b))


def _tile(op: Op, arguments: tuple, settings: dict) -> Any:
    ragged, counts = arguments[0], settings["sizes"]
    rank = len(ragged.shape)
    if len(counts) != rank or any(count is None or count < 0 for count in counts):
        raise InvalidArgumentError(
            explain(
                "tile",
                "the multiples do not fit a ragged tensor",
                {"multiples": counts, "shape": ragged.shape},
                "one number that is not negative is needed for each axis",
            )
        )
    for axis, count in enumerate(counts):
        ragged = _repeated(ragged, axis, count)
    return ragged


def _repeated(part: Any, axis: int, count: int) -> Any:
    """Ragged or dense values, `count` times one after another along an axis."""
    if count == 1:
        return part
    if not is_ragged(part):
        return functions["tile"](part, [count if i == axis else 1 for i in range(len(part.shape))])
    if axis > 1:
        return part.with_values(_repeated(part.values, axis - 1, count))
    if count == 0:
        return getitem(part, (slice(None),) * axis + (slice(0, 0),))
    rows = _row_numbers(part)
    if axis == 0:
        return gather_rows(part, quietly(lambda r: functions["tile"](r, [count]), rows))
    # each row so many times below itself, then those made one row
    whole = gather_rows(part, quietly(lambda r: functions["repeat"](r, count), rows))
    return RaggedTensor(whole.values, quietly(lambda splits: splits[::count], whole.row_splits))


def _row_numbers(ragged: RaggedTensor) -> Any:
    return quietly(lambda splits: functions["range"](functions["shape"](splits)[0] - 1), ragged.row_splits)


def _reverse(op: Op, arguments: tuple, settings: dict) -> Any:
    ragged = arguments[0]
    for axis in axis_numbers(settings["axis"], len(ragged.shape), "reverse"):
        ragged = getitem(ragged, (slice(None),) * axis + (slice(None, None, -1),))
    return ragged


def _expand_dims(op: Op, arguments: tuple, settings: dict) -> Any:
    ragged = arguments[0]
    (axis,) = axis_numbers(settings["axis"], len(ragged.shape) + 1, "expand_dims")
    return _with_axis(ragged, axis)


def _with_axis(part: Any, axis: int) -> Any:
    if not is_ragged(part):
        return functions["expand_dims"](part, axis)
    if axis > 1:
        return part.with_values(_with_axis(part.values, axis - 1))
    if axis == 0:
        return getitem(part, None)
    return getitem(part, (slice(None), None))


def _squeeze(op: Op, arguments: tuple, settings: dict) -> Any:
    ragged, given = arguments[0], settings.get("axis")
    if given is None:
        raise ValueError(explain("squeeze", "axis must be given for a ragged tensor", {"shape": ragged.shape}))
    for axis in sorted(axis_numbers(given, len(ragged.shape), "squeeze"), reverse=True):
        ragged = _without_axis(ragged, axis)
    return ragged


def _without_axis(part: Any, axis: int) -> Any:
    if not is_ragged(part):
        return functions["squeeze"](part, axis)
    if axis > 1:
        return part.with_values(_without_axis(part.values, axis - 1))
    lengths = part.row_lengths() if axis else part.nrows()
    if isinstance(lengths, Symbol):
        holds = quietly(lambda n: functions["reduce_all"](functions["equal"](n, 1)), lengths)
        hold("squeeze", holds, {"sizes": lengths}, f"axis {axis} does not have the size 1", "it must have")
    elif not (np.asarray(lengths._array) == 1).all():
        raise InvalidArgumentError(
            explain(
                "squeeze",
                "the axis does not have the size 1",
                {"axis": axis, "sizes": np.unique(np.asarray(lengths._array)).tolist()},
            )
        )
    return part.values


def _size(op: Op, arguments: tuple, settings: dict) -> Any:
    return apply(op, (arguments[0].flat_values,), settings)


def _reshape(op: Op, arguments: tuple, settings: dict) -> Any:
    """The flat values under another, dense shape."""
    return apply(op, (arguments[0].flat_values, *arguments[1:]), settings)


SHAPING = {
    "reshape": _reshape,
    "tile": _tile,
    "reverse": _reverse,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "size": _size,
}
