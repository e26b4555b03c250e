"""The part of `keras.ops` about order: sorted elements and their places, differences of neighbours, axes turned around;
reductions that pass over NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tensorsmith.core.errors import explain
from tensorsmith.ops import comparison, elementwise, reductions, sorting
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.creation import ones_like, zeros_like
from tensorsmith.ops.keras_math import both, floats
from tensorsmith.ops.keras_reductions import max as largest
from tensorsmith.ops.keras_reductions import min as smallest
from tensorsmith.ops.keras_shaping import flip, ravel
from tensorsmith.ops.rounding import is_nan
from tensorsmith.ops.shaping import expand_dims, moveaxis, reshape, shape, transpose
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class TopK(NamedTuple):
    """The greatest elements and their places."""

    values: Any
    indices: Any


def sort(x: Any, axis: int | None = -1) -> Tensor:
    """The elements along an axis in order, smallest first; of None all in a row.

    >>> sort([[3, 1], [2, 4]], axis=0).numpy()
    array([[2, 1],
           [3, 4]], dtype=int32)
    """
    return sorting.sort(ravel(x) if axis is None else x, axis=-1 if axis is None else axis)


def argsort(x: Any, axis: int | None = -1) -> Tensor:
    """The places (int32) of the elements along an axis in order; of None of all in a row.

    >>> argsort([3, 1, 2]).numpy()
    array([1, 2, 0], dtype=int32)
    """
    return sorting.argsort(ravel(x) if axis is None else x, axis=-1 if axis is None else axis, stable=True)


def top_k(x: Any, k: Any, sorted: bool = True) -> TopK:
    """The k greatest elements along the last axis, greatest first, and their places.

    >>> values, indices = top_k([3, 1, 2], 2)
    >>> values.numpy(), indices.numpy()
    (array([3, 2], dtype=int32), array([0, 2], dtype=int32))
    """
    return TopK(*sorting.top_k(x, k, sorted))


def in_top_k(targets: Any, predictions: Any, k: Any) -> Tensor:
    """True for each row whose target is among the k greatest of its predictions."""
    return sorting.in_top_k(targets, predictions, k)


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Tensor:
    """The places (int32) at which values of any shape would be put into a sorted vector.

    Raises ValueError for a sequence that is no vector.

    >>> searchsorted([1, 3, 5], [[3, 4]], side="right").numpy()
    array([[2, 2]], dtype=int32)
    """
    sequence, values = both(sorted_sequence, values)
    if sequence.ndim != 1:
        raise ValueError(explain("searchsorted", "the sequence is no vector", {"shape": tuple(sequence.shape)}))
    return reshape(sorting.searchsorted(sequence, reshape(values, [-1]), side=side), shape(values))


def digitize(x: Any, bins: Any) -> Tensor:
    """For each element how many of the rising `bins` are not above it.

    >>> digitize([0.5, 1.0, 9.0], [1.0, 2.0]).numpy()
    array([0, 1, 2], dtype=int32)
    """
    return searchsorted(bins, x, side="right")


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """True where an element of x1 is one of x2; with `invert` where it is none.

    >>> isin([1, 2, 3], [3, 1]).numpy()
    array([ True, False,  True])
    """
    x1, x2 = both(x1, x2)
    found = reductions.reduce_any(comparison.equal(expand_dims(x1, -1), ravel(x2)), axis=-1)
    return comparison.logical_not(found) if invert else found


# ---- neighbours


def _apart(x: Any, axis: int) -> tuple[Any, Any]:
    """All but the first, and all but the last, along an axis."""
    at = axis % x.ndim
    return x[(slice(None),) * at + (slice(1, None),)], x[(slice(None),) * at + (slice(None, -1),)]


def diff(a: Any, n: int = 1, axis: int = -1) -> Tensor:
    """The differences of neighbours along an axis, taken n times; of booleans whether they differ.

    >>> diff([1, 4, 9]).numpy()
    array([3, 5], dtype=int32)
    """
    a = convert(a)
    for _ in range(plain(n, "n")):
        ahead, behind = _apart(a, axis)
        a = comparison.not_equal(ahead, behind) if a.dtype.is_bool else elementwise.subtract(ahead, behind)
    return a


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The integral along an axis by trapezoids; x: where the values y stand, else they are `dx` apart.

    >>> trapezoid([0.0, 1.0, 4.0]).numpy().item()
    3.0
    """
    y = moveaxis(floats(y), axis, -1)
    step: Any = dx
    if x is not None:
        y, place = both(y, floats(x))
        step = diff(place if place.ndim == 1 else moveaxis(place, axis, -1))
    ahead, behind = _apart(y, -1)
    return reductions.reduce_sum((ahead + behind) / 2.0 * step, axis=-1)


# ---- turned


def flipud(x: Any) -> Tensor:
    """The rows, along the first axis, turned around."""
    return flip(x, 0)


def fliplr(x: Any) -> Tensor:
    """The columns, along the second axis, turned around."""
    return flip(x, 1)


def rot90(array: Any, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    """A plane of two axes turned k times by 90 degrees, from the first one towards the second.

    Raises ValueError for axes that are not two.

    >>> rot90([[1, 2], [3, 4]]).numpy()
    array([[2, 4],
           [1, 3]], dtype=int32)
    """
    x = convert(array)
    axes = [axis % x.ndim for axis in plain(axes, "axes")] if x.ndim > 1 else []
    if len(set(axes)) != 2:
        raise ValueError(
            explain("rot90", "two axes of two or more are turned", {"axes": axes, "shape": tuple(x.shape)})
        )
    first, second = axes
    times = plain(k, "k") % 4
    if times == 2:
        return flip(x, axes)
    if times in (1, 3):
        order = list(range(x.ndim))
        order[first], order[second] = second, first
        return transpose(flip(x, second), order) if times == 1 else flip(transpose(x, order), second)
    return x


# ---- ranges, and reductions without NaN


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The greatest less the smallest over `axis`.

    >>> ptp([3, 9, 4]).numpy().item()
    6
    """
    return elementwise.subtract(largest(x, axis, keepdims), smallest(x, axis, keepdims))


def _numbers_of(x: Any) -> tuple[Tensor, Tensor]:
    """x as floats, and where it is a number."""
    x = floats(x)
    return x, comparison.logical_not(is_nan(x))


def _past_nan(reduction: Callable[..., Tensor], neutral: float, none: float, doc: str) -> Any:
    def wrapped(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        x = convert(x)
        if not x.dtype.is_floating:
            return reduction(x, axis, keepdims)
        x, known = _numbers_of(x)
        found = reduction(where(known, x, cast(neutral, x.dtype)), axis, keepdims)
        return where(reductions.reduce_any(known, axis, keepdims), found, cast(none, x.dtype))

    wrapped.__doc__ = doc
    return wrapped


nanmax = _past_nan(largest, -float("inf"), float("nan"), "The greatest number over `axis`; NaN where there is none.")
nanmin = _past_nan(smallest, float("inf"), float("nan"), "The smallest number over `axis`; NaN where there is none.")
nansum = _past_nan(reductions.reduce_sum, 0.0, 0.0, "The sum of the numbers over `axis`.")
nanprod = _past_nan(reductions.reduce_prod, 1.0, 1.0, "The product of the numbers over `axis`.")


def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean of the numbers over `axis`; NaN where there is none.

    >>> nanmean([1.0, float("nan"), 3.0]).numpy().item()
    2.0
    """
    x, known = _numbers_of(x)
    count = reductions.reduce_sum(cast(known, x.dtype), axis, keepdims)
    total = reductions.reduce_sum(where(known, x, zeros_like(x)), axis, keepdims)
    return where(count > 0, elementwise.divide_no_nan(total, count), cast(float("nan"), x.dtype) * ones_like(count))


def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The variance of the numbers over `axis`; NaN where there is none."""
    x = floats(x)
    return nanmean(elementwise.square(x - nanmean(x, axis, keepdims=True)), axis, keepdims)


def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of the numbers over `axis`; NaN where there is none."""
    return elementwise.sqrt(nanvar(x, axis, keepdims))
