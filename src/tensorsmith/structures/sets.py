"""union, intersection, difference, size over the last axis: each row of a tensor is a set."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Array
from tensorsmith.structures.sparse import SparseTensor, is_sparse
from tensorsmith.tensor.apply import op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_INT64 = np.dtype("int64")
_DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "string")
_COMBINE = {"union": set.union, "intersection": set.intersection, "difference": set.difference}

Rows = dict[tuple[int, ...], set]


def _result_shapes(specs: Any, settings: Any) -> Any:
    (shape, dtype), _, places, _ = specs[:4]
    rank = len(shape) if places is None else places[0][1]
    return ((None, rank), _INT64), ((None,), dtype), ((rank,), _INT64)


@op(eager=True, differentiable=False, same=("a", "b"), shapes=_result_shapes)
def set_operation(
    xp,
    a: Array,
    b: Array,
    a_indices: Array | None = None,
    a_shape: Array | None = None,
    b_indices: Array | None = None,
    b_shape: Array | None = None,
    kind="union",
    check=True,
):
    """The sets of each row of a and b combined, as the indices, rising values and shape of a sparse tensor.

    Each is dense, or the values of a sparse tensor with its indices and shape; `check` asks whether indices rise.
    """
    who = f"sets.{kind}"
    first, lead = _sets(who, a, a_indices, a_shape, check)
    second, other = _sets(who, b, b_indices, b_shape, check)
    if lead != other:
        raise InvalidArgumentError(explain(who, "the shapes differ before the last axis", {"a": lead, "b": other}))
    nothing: set = set()
    found = [
        (row, sorted(_COMBINE[kind](first.get(row, nothing), second.get(row, nothing))))
        for row in sorted({*first, *second})
    ]
    indices = [(*row, place) for row, members in found for place in range(len(members))]
    values = np.empty(len(indices), a.dtype)
    values[:] = [member for _, members in found for member in members]
    width = max((len(members) for _, members in found), default=0)
    return np.array(indices, _INT64).reshape(-1, len(lead) + 1), values, np.array([*lead, width], _INT64)


@op(
    eager=True,
    differentiable=False,
    same=False,
    shapes=lambda specs, settings: [((None,) * (specs[1][0][1] - 1), np.dtype("int32"))],
)
def set_sizes(xp, values: Array, indices: Array, shape: Array, check=True):
    """The number of different values in each row of a sparse tensor."""
    rows, lead = _sets("sets.size", values, indices, shape, check)
    out = np.zeros(lead, np.int32)
    for row, members in rows.items():
        out[row] = len(members)
    return out


def _sets(who: str, values: np.ndarray, indices: Any, shape: Any, check: bool) -> tuple[Rows, tuple[int, ...]]:
    """The sets of the rows that have any, and the shape of the rows."""
    sizes = values.shape if shape is None else tuple(shape.tolist())
    if len(sizes) < 2:
        raise InvalidArgumentError(
            explain(
                who,
                "an input must have at least two axes",
                {"shape": tuple(sizes)},
                "the last axis holds a set",
                "Add an axis: x[tf.newaxis].",
            )
        )
    rows: Rows = {}
    if indices is None:
        for row in np.ndindex(*sizes[:-1]):
            rows[row] = set(values[row].tolist())
        return rows, sizes[:-1]
    before: list[int] = []
    for number, place in enumerate(indices.tolist()):
        wrong = ""
        if any(not 0 <= at < size for at, size in zip(place, sizes)):
            wrong = "an index is out of bounds"
        elif check and place == before:
            wrong = "an index is repeated"
        elif check and place < before:
            wrong = "the indices are out of order"
        if wrong:
            raise InvalidArgumentError(
                explain(
                    who,
                    wrong,
                    {"number": number, "index": place, "dense_shape": sizes},
                    way_out="Use tf.sparse.reorder." if "order" in wrong else "",
                )
            )
        before = place
        rows.setdefault(tuple(place[:-1]), set()).add(values[number])
    return rows, sizes[:-1]


def _source(who: str, value: Any, like: np.dtype | None = None) -> Any:
    """A dense or sparse tensor of a dtype and rank that sets can have."""
    source = value if is_sparse(value) else convert(value, None, like)
    if source.dtype.name not in _DTYPES:
        raise TypeError(
            explain(who, "sets are not made of this dtype", {"input": describe(source)}, f"it must be one of {_DTYPES}")
        )
    return source


def _parts(source: Any) -> tuple[Tensor, Tensor | None, Tensor | None]:
    if is_sparse(source):
        return source.values, source.indices, convert(source.dense_shape, "int64")
    return source, None, None


def _combined(a: Any, b: Any, kind: str, check: bool) -> SparseTensor:
    who = f"sets.{kind}"
    first = _source(who, a, None if is_sparse(a) or not is_sparse(b) else b.dtype.numpy_dtype)
    second = _source(who, b, first.dtype.numpy_dtype)
    if first.dtype != second.dtype:
        raise TypeError(explain(who, "the dtypes differ", {"a": describe(first), "b": describe(second)}))
    shapes = [TensorShape(part.shape) for part in (first, second)]
    if None not in (shapes[0].rank, shapes[1].rank) and not shapes[0][:-1].is_compatible_with(shapes[1][:-1]):
        raise InvalidArgumentError(
            explain(who, "the shapes differ before the last axis", {"a": str(shapes[0]), "b": str(shapes[1])})
        )
    left, right = _parts(first), _parts(second)
    found = set_operation(left[0], right[0], *left[1:], *right[1:], kind=kind, check=check)
    return SparseTensor(*found)


def union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """The values that are in either row, rising, as a sparse tensor.

    a, b              dense or sparse, of one dtype (int8 to int64, uint8, uint16 or string), alike in shape but for the
                      last axis. (Filling zeros of dense ones count as values.)
    validate_indices  whether indices of sparse ones that are repeated, or do not rise, are refused.

    Raises InvalidArgumentError for fewer than two axes, where shapes differ, and for such indices; TypeError for other
    dtypes.

    >>> union([[1, 5]], [[5, 6]]).values.numpy()
    array([1, 5, 6], dtype=int32)
    """
    return _combined(a, b, "union", validate_indices)


def intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """The values that are in both rows, rising, as a sparse tensor. Arguments and errors as those of `union`.

    >>> intersection([[1, 5]], [[5, 6]]).values.numpy()
    array([5], dtype=int32)
    """
    return _combined(a, b, "intersection", validate_indices)


def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """The values of a's row that are not in b's (the other way round where `aminusb` is False), rising.

    Arguments and errors as those of `union`.

    >>> difference([[1, 5]], [[5, 6]]).values.numpy()
    array([1], dtype=int32)
    """
    return _combined(a, b, "difference", validate_indices) if aminusb else difference(b, a, True, validate_indices)


def size(a: Any, validate_indices: bool = True) -> Tensor:
    """The number of different values in each row of a sparse tensor, int32, with one axis less.

    Errors as those of `union`; TypeError for what is not sparse.

    >>> size(union([[1, 5]], [[5, 6]])).numpy()
    array([3], dtype=int32)
    """
    if not is_sparse(a):
        raise TypeError(
            explain("sets.size", "a SparseTensor is needed", {"a": describe(a)}, way_out="Use tf.sparse.from_dense(a).")
        )
    source = _source("sets.size", a)
    values, indices, shape = _parts(source)
    found = set_sizes(values, indices, shape, check=validate_indices)
    known = TensorShape(source.shape)
    if known.rank:
        found.set_shape(known[:-1])
    return found
