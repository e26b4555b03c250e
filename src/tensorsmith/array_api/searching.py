"""The standard's functions that find, sort and tell apart elements."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorsmith.array_api.array import Array
from tensorsmith.array_api.data_types import INDEXING
from tensorsmith.array_api.elementwise import checked
from tensorsmith.array_api.manipulation import flat, from_the_end, place
from tensorsmith.array_api.promotion import tensor_of, together
from tensorsmith.core.errors import explain
from tensorsmith.ops import comparison, gathering, reductions, shaping, sorting
from tensorsmith.ops.casting import cast
from tensorsmith.ops.complex_numbers import imag, real
from tensorsmith.ops.cumulative import cumsum
from tensorsmith.ops.indexing import getitem
from tensorsmith.tensor.tensor import Tensor


def _best(who: str, find: Any, x: Any, axis: int | None, keepdims: bool) -> Array:
    tensor = checked(who, tensor_of(x, who), "real")
    if axis is None:
        found = find(flat(tensor), axis=0)
        return Array(shaping.reshape(found, [1] * tensor.ndim) if keepdims else found)
    axis = place(who, axis, tensor.ndim)
    found = find(tensor, axis=axis)
    return Array(shaping.expand_dims(found, axis) if keepdims else found)


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place (int64) of the greatest, the first of equals, along an axis or of all in a row."""
    return _best("argmax", reductions.argmax, x, axis, keepdims)


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place (int64) of the smallest, the first of equals, along an axis or of all in a row."""
    return _best("argmin", reductions.argmin, x, axis, keepdims)


def count_nonzero(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Array:
    """How many elements over the axes are not 0."""
    return Array(reductions.count_nonzero(tensor_of(x, "count_nonzero"), axis=axis, keepdims=keepdims))


def nonzero(x: Any, /) -> tuple[Array, ...]:
    """The places of the elements that are not 0, one array for each axis."""
    tensor = tensor_of(x, "nonzero")
    if not tensor.ndim:
        raise ValueError(explain("nonzero", "an array of shape () has no places"))
    found = comparison.where(tensor if tensor.dtype.is_bool else comparison.not_equal(tensor, _zero(tensor)))
    return tuple(Array(getitem(found, (slice(None), axis))) for axis in range(tensor.ndim))


def _zero(x: Tensor) -> Tensor:
    return Tensor(np.zeros((), x.dtype.numpy_dtype))


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Array:
    """The places at which x2 would be put in so that the vector x1 (in the order `sorter`) stays sorted."""
    ordered, values = together("searchsorted", x1, x2)
    if sorter is not None:
        ordered = gathering.gather(ordered, from_the_end(tensor_of(sorter, "searchsorted"), shaping.size(ordered)))
    return Array(sorting.searchsorted(ordered, values, side=side, out_type=INDEXING))


def where(condition: Any, x1: Any, x2: Any, /) -> Array:
    """x1 where the condition is true, x2 elsewhere; both may be numbers, one must be an array."""
    a, b = together("where", x1, x2)
    return Array(comparison.where(checked("where", tensor_of(condition, "where"), "bool"), a, b))


# ---- sorting


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """The places of the elements along an axis in order; equal ones always stay in theirs."""
    tensor = checked("argsort", tensor_of(x, "argsort"), "real")
    if not tensor.ndim:
        return Array(Tensor(np.zeros((), INDEXING.numpy_dtype)))
    axis = place("argsort", axis, tensor.ndim)
    return Array(cast(sorting.argsort(tensor, axis, "DESCENDING" if descending else "ASCENDING"), INDEXING))


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """The elements along an axis in order, NaN last (first when descending)."""
    tensor = checked("sort", tensor_of(x, "sort"), "real")
    if not tensor.ndim:
        return Array(tensor)
    axis = place("sort", axis, tensor.ndim)
    return Array(sorting.sort(tensor, axis, "DESCENDING" if descending else "ASCENDING"))


# ---- sets


class UniqueAll(NamedTuple):
    """The different elements, where each stands first, where each element stands among them, and how often each is there."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """The different elements, and how often each is there."""

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """The different elements, and where each element stands among them."""

    values: Array
    inverse_indices: Array


def _in_order(x: Tensor) -> Tensor:
    if not x.dtype.is_complex:
        return sorting.argsort(x)
    # by the real part, then by the imaginary one
    by_second = sorting.argsort(imag(x))
    return gathering.gather(by_second, sorting.argsort(gathering.gather(real(x), by_second)))


def unique_all(x: Any, /) -> UniqueAll:
    """The different elements, sorted, with all that is known of them; each NaN is another one.

    Its size hangs on values: a program that holds it runs on NumPy.

    >>> import tensorsmith.array_api as xp
    >>> xp.unique_all(xp.asarray([7, 5, 7])).counts
    Array([1, 2], dtype=int64)
    """
    tensor = tensor_of(x, "unique")
    row = flat(tensor)
    order = _in_order(row)
    ordered = gathering.gather(row, order)
    others = comparison.not_equal(getitem(ordered, slice(1, None)), getitem(ordered, slice(None, -1)))
    # the first place differs from the one before, which is not there
    first = comparison.equal(getitem(order, slice(None, 1)), getitem(order, slice(None, 1)))
    starts_here = shaping.concat([first, others], 0)
    starts = shaping.reshape(comparison.where(starts_here), [-1])
    ends = shaping.concat([starts, shaping.reshape(shaping.size(row, out_type=INDEXING), [1])], 0)
    rank = cumsum(cast(starts_here, INDEXING)) - 1
    inverse = gathering.gather(rank, sorting.argsort(order))
    return UniqueAll(
        Array(gathering.gather(ordered, starts)),
        Array(cast(gathering.gather(order, starts), INDEXING)),
        Array(shaping.reshape(inverse, shaping.shape(tensor))),
        Array(ends[1:] - ends[:-1]),
    )


def unique_counts(x: Any, /) -> UniqueCounts:
    """The different elements, sorted, and how often each is there."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Any, /) -> UniqueInverse:
    """The different elements, sorted, and for each element of x where it stands among them."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Any, /) -> Array:
    """The different elements, sorted."""
    return unique_all(x).values
