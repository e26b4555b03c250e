"""union, intersection, difference, size over the last axis: each row of a tensor is a set."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Array
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.sparse import SparseTensor, is_sparse
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_INT64 = np.dtype("int64")


def _result_shapes(specs: Any, settings: Any) -> Any:
    return ((None, 2), _INT64), ((None,), specs[0][1]), ((), _INT64)


@op(eager=True, differentiable=False, same=("a", "b"), shapes=_result_shapes)
def set_operation(xp, a: Array, a_rows: Array, b: Array, b_rows: Array, rows=1, kind="union"):
    """The sets of each row combined: values a [n] of rows a_rows [n] with values b [m] of rows b_rows [m].

    Gives indices [k, 2] (row, place in the row), the values [k], rising in each row, and the largest size.
    """
    combine = {"union": set.union, "intersection": set.intersection, "difference": set.difference}[kind]
    first, second = _sets(a, a_rows, rows), _sets(b, b_rows, rows)
    sets = [sorted(combine(x, y)) for x, y in zip(first, second)]
    indices = [(row, place) for row, members in enumerate(sets) for place in range(len(members))]
    values = np.empty(len(indices), a.dtype)
    values[:] = [member for members in sets for member in members]
    return np.array(indices, _INT64).reshape(-1, 2), values, np.array(max(map(len, sets), default=0), _INT64)


@op(
    differentiable=False,
    same=False,
    eager=True,
    shapes=lambda specs, settings: [((settings["rows"],), np.dtype("int32"))],
)
def set_sizes(xp, a: Array, a_rows: Array, rows=1):
    """The number of different values in each row."""
    return np.array([len(members) for members in _sets(a, a_rows, rows)], np.int32)


def _sets(values: np.ndarray, rows: np.ndarray, count: int) -> list[set]:
    sets: list[set] = [set() for _ in range(count)]
    for row, value in zip(rows.tolist(), values.tolist()):
        sets[row].add(value)
    return sets


def _parts(who: str, value: Any, like: np.dtype | None = None) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """The values [n] of a dense or sparse tensor, the row [n] of each, and the shape of the rows."""
    source = value if is_sparse(value) else convert(value, None, like)
    shape = tuple(source.shape)
    if len(shape) < 2 and not (is_sparse(source) and len(shape) >= 1):
        raise ValueError(
            explain(
                who,
                "its input must have at least two axes",
                {"input": describe(source)},
                "the last axis holds a set",
                "Add an axis: x[tf.newaxis].",
            )
        )
    lead = shape[:-1]
    if None in lead:
        raise ValueError(explain(who, "the sizes of all axes but the last must be known", {"input": describe(source)}))
    if is_sparse(source):
        steps = np.cumprod([1, *lead[::-1]])[::-1][1:].astype(np.int64)
        head = quietly(lambda i: functions["reduce_sum"](i[:, :-1] * Tensor(steps), axis=1), source.indices)
        return source.values, head, lead
    if shape[-1] is None:
        raise ValueError(explain(who, "the size of the last axis must be known", {"input": describe(source)}))
    ids = np.repeat(np.arange(int(np.prod(lead)), dtype=np.int64), shape[-1])
    return functions["reshape"](source, (-1,)), Tensor(ids), lead


def _combined(who: str, a: Any, b: Any, kind: str) -> SparseTensor:
    first, first_rows, lead = _parts(who, a)
    second, second_rows, other = _parts(who, b, first.dtype.numpy_dtype)
    if lead != other:
        raise InvalidArgumentError(
            explain(who, "the shapes differ before the last axis", {"a": describe(a), "b": describe(b)})
        )
    count = int(np.prod(lead))
    indices, values, width = set_operation(first, first_rows, second, second_rows, rows=count, kind=kind)
    if len(lead) != 1:
        indices = quietly(_unravelled, indices, lead)
    shape = quietly(
        lambda w: functions["concat"]([np.array(lead, np.int64), functions["reshape"](w, (1,))], axis=0), width
    )
    return SparseTensor(indices, values, shape)


def _unravelled(indices: Tensor, lead: tuple[int, ...]) -> Tensor:
    row, columns = indices[:, 0], []
    for size in lead[::-1]:
        columns.append(row % size)
        row = row // size
    return functions["stack"]([*columns[::-1], indices[:, 1]], axis=1)


def union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """The values that are in either row, rising, as a sparse tensor.

    a, b  dense or sparse, of one dtype, alike in shape but for the last axis. (Filling zeros count as values.)

    Raises InvalidArgumentError where shapes or dtypes differ, ValueError for fewer than two axes.

    >>> union([[1, 5]], [[5, 6]]).values.numpy()
    array([1, 5, 6], dtype=int32)
    """
    return _combined("sets.union", a, b, "union")


def intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """The values that are in both rows, rising, as a sparse tensor."""
    return _combined("sets.intersection", a, b, "intersection")


def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """The values of a's row that are not in b's (the other way round where `aminusb` is False), rising."""
    return (
        _combined("sets.difference", a, b, "difference")
        if aminusb
        else _combined("sets.difference", b, a, "difference")
    )


def size(a: Any, validate_indices: bool = True) -> Tensor:
    """The number of different values in each row, int32, with one axis less.

    >>> size(union([[1, 5]], [[5, 6]])).numpy()
    array([3], dtype=int32)
    """
    values, rows, lead = _parts("sets.size", a)
    counts = set_sizes(values, rows, rows=int(np.prod(lead)))
    return functions["reshape"](counts, lead)
