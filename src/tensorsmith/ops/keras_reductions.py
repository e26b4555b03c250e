"""The reductions of `keras.ops`, under Keras 3's names and argument names."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import dtypes
from tensorsmith.ops import cumulative, elementwise, reductions
from tensorsmith.ops.casting import cast
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.keras_math import floats, numbers
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The sum over `axis`."""
    return reductions.reduce_sum(numbers(x), axis=axis, keepdims=keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean over `axis`, of integers as float32.

    >>> mean([1, 2]).numpy().item()
    1.5
    """
    return reductions.reduce_mean(floats(x), axis=axis, keepdims=keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """The product over `axis`."""
    x = numbers(x)
    return reductions.reduce_prod(x if dtype is None else cast(x, dtype), axis=axis, keepdims=keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:  # noqa: A001
    """The greatest over `axis`."""
    found = reductions.reduce_max(x, axis=axis, keepdims=keepdims)
    return found if initial is None else elementwise.maximum(found, initial)


def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:  # noqa: A001
    """The smallest over `axis`."""
    found = reductions.reduce_min(x, axis=axis, keepdims=keepdims)
    return found if initial is None else elementwise.minimum(found, initial)


amax, amin = max, min


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The standard deviation over `axis`."""
    return reductions.reduce_std(floats(x), axis=axis, keepdims=keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The variance over `axis`."""
    return reductions.reduce_variance(floats(x), axis=axis, keepdims=keepdims)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over `axis`, without overflow."""
    return reductions.reduce_logsumexp(floats(x), axis=axis, keepdims=keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """True where all over `axis` are."""
    return reductions.reduce_all(cast(x, dtypes.bool_), axis=axis, keepdims=keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """True where any over `axis` is."""
    return reductions.reduce_any(cast(x, dtypes.bool_), axis=axis, keepdims=keepdims)


def _place(function: Any, x: Any, axis: Any, keepdims: bool) -> Tensor:
    from tensorsmith.ops.shaping import expand_dims, reshape

    x = convert(x)
    if axis is None:
        found = function(reshape(x, [-1]), axis=0, output_type=dtypes.int32)
        return reshape(found, [1] * x.ndim) if keepdims else found
    axis = plain(axis, "axis")
    found = function(x, axis=axis, output_type=dtypes.int32)
    return expand_dims(found, axis % x.ndim) if keepdims else found


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The place (int32) of the greatest over `axis`, of all elements in a row by default."""
    return _place(reductions.argmax, x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The place (int32) of the smallest over `axis`, of all elements in a row by default."""
    return _place(reductions.argmin, x, axis, keepdims)


def count_nonzero(x: Any, axis: Any = None) -> Tensor:
    """How many elements over `axis` are not 0 (int32)."""
    return reductions.count_nonzero(x, axis=axis, dtype=dtypes.int32)


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running sums along `axis`, of all elements in a row by default."""
    return _running(cumulative.cumsum, x, axis, dtype)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running products along `axis`, of all elements in a row by default."""
    return _running(cumulative.cumprod, x, axis, dtype)


def _running(function: Any, x: Any, axis: int | None, dtype: Any) -> Tensor:
    from tensorsmith.ops.shaping import reshape

    x = numbers(x) if dtype is None else cast(x, dtype)
    return function(reshape(x, [-1]), axis=0) if axis is None else function(x, axis=axis)


def average(x: Any, axis: Any = None, weights: Any = None) -> Tensor:
    """The mean over `axis`, each element counted by its weight."""
    x = floats(x)
    if weights is None:
        return mean(x, axis)
    weights = cast(weights, x.dtype)
    if isinstance(axis, int) and weights.ndim == 1 < x.ndim:
        from tensorsmith.ops.shaping import reshape

        weights = reshape(weights, [-1 if a == axis % x.ndim else 1 for a in range(x.ndim)])
    weights = elementwise.add(weights, zeros_like(x))
    return elementwise.divide(sum(x * weights, axis), sum(weights, axis))
