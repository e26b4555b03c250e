"""The standard's functions over axes: sums, means, extremes, running sums, all and any."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.array_api.array import Array
from tensorsmith.array_api.data_types import DEFAULT_INTEGER
from tensorsmith.array_api.elementwise import checked
from tensorsmith.array_api.manipulation import place, places
from tensorsmith.array_api.promotion import meet, tensor_of
from tensorsmith.core import dtypes
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import explain
from tensorsmith.ops import comparison, cumulative, elementwise, reductions, shaping
from tensorsmith.ops.casting import cast
from tensorsmith.ops.creation import fill
from tensorsmith.ops.indexing import getitem
from tensorsmith.tensor.tensor import Tensor


def summed_dtype(dtype: DType, wanted: Any) -> DType:
    """The dtype of a sum: that of the array, but for integers at least 64 bits."""
    if wanted is not None:
        return dtypes.as_dtype(wanted)
    if dtype.is_integer:
        return dtypes.uint64 if dtype.is_unsigned else DEFAULT_INTEGER
    return dtype


def _over(who: str, tensor: Tensor, axis: Any) -> Any:
    return None if axis is None else places(who, axis, tensor.ndim)


def sum(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The sum over the axes; of integers with 64 bits.

    >>> import tensorsmith.array_api as xp
    >>> xp.sum(xp.asarray([100, 100], dtype=xp.int8))
    Array(200, dtype=int64)
    """
    tensor = checked("sum", tensor_of(x, "sum"), "numeric")
    tensor = cast(tensor, summed_dtype(tensor.dtype, dtype))
    return Array(reductions.reduce_sum(tensor, axis=_over("sum", tensor, axis), keepdims=keepdims))


def prod(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Array:
    """The product over the axes; of integers with 64 bits."""
    tensor = checked("prod", tensor_of(x, "prod"), "numeric")
    tensor = cast(tensor, summed_dtype(tensor.dtype, dtype))
    return Array(reductions.reduce_prod(tensor, axis=_over("prod", tensor, axis), keepdims=keepdims))


def max(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The greatest over the axes; NaN where one is."""
    tensor = checked("max", tensor_of(x, "max"), "real")
    return Array(reductions.reduce_max(tensor, axis=_over("max", tensor, axis), keepdims=keepdims))


def min(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The smallest over the axes; NaN where one is."""
    tensor = checked("min", tensor_of(x, "min"), "real")
    return Array(reductions.reduce_min(tensor, axis=_over("min", tensor, axis), keepdims=keepdims))


def mean(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Array:
    """The mean over the axes."""
    tensor = checked("mean", tensor_of(x, "mean"), "floating")
    return Array(reductions.reduce_mean(tensor, axis=_over("mean", tensor, axis), keepdims=keepdims))


def _variance(who: str, x: Any, axis: Any, correction: float, keepdims: bool) -> Tensor:
    tensor = checked(who, tensor_of(x, who), "real floating")
    axes = places(who, axis, tensor.ndim)
    away = tensor - reductions.reduce_mean(tensor, axis=axes, keepdims=True)
    total = reductions.reduce_sum(elementwise.square(away), axis=axes, keepdims=keepdims)
    sizes = [tensor.shape[each] for each in axes]
    if None in sizes:
        known = shaping.shape(tensor)
        count: Any = cast(math.prod((known[each] for each in axes), start=1), tensor.dtype)
    else:
        count = float(math.prod(sizes))  # type: ignore[arg-type]
    # fewer elements than the correction tell nothing: 0 / 0, and not less than 0
    count = elementwise.maximum(
        cast(count, tensor.dtype) - float(correction), Tensor(np.zeros((), tensor.dtype.numpy_dtype))
    )
    return elementwise.divide(total, count)


def var(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    """The variance over the axes: the sum of squared distances from the mean over (n - correction)."""
    return Array(_variance("var", x, axis, correction, keepdims))


def std(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    """The standard deviation over the axes: the square root of the variance."""
    return Array(elementwise.sqrt(_variance("std", x, axis, correction, keepdims)))


def _running(who: str, run: Any, first: int, x: Any, axis: int | None, dtype: Any, include_initial: bool) -> Array:
    tensor = checked(who, tensor_of(x, who), "numeric")
    if axis is None:
        if tensor.ndim != 1:
            raise ValueError(explain(who, "the axis must be given for any but a vector", {"shape": tensor.shape}))
        axis = 0
    axis = place(who, axis, tensor.ndim)
    tensor = cast(tensor, summed_dtype(tensor.dtype, dtype))
    found = run(tensor, axis=axis)
    if include_initial:
        shape = list(tensor.shape)
        shape[axis] = 1
        if None in shape:
            known = shaping.shape(tensor)
            shape = [known[at] if size is None else size for at, size in enumerate(shape)]
        found = shaping.concat([fill(shape, _number(first, tensor)), found], axis)
    return Array(found)


def _number(value: int, like: Tensor) -> Tensor:
    return Tensor(np.asarray(value, like.dtype.numpy_dtype))


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:  # fmt: skip
    """Running sums along an axis, which may be left out for a vector; include_initial: with a 0 in front."""
    return _running("cumulative_sum", cumulative.cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:  # fmt: skip
    """Running products along an axis, which may be left out for a vector; include_initial: with a 1 in front."""
    return _running("cumulative_prod", cumulative.cumprod, 1, x, axis, dtype, include_initial)


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Array:
    """The differences of neighbours along an axis, n times over; with elements put in front and behind first."""
    tensor = checked("diff", tensor_of(x, "diff"), "numeric")
    axis = place("diff", axis, tensor.ndim)
    parts = [None if part is None else tensor_of(part, "diff") for part in (prepend, tensor, append)]
    dtype = meet("diff", *(part.dtype for part in parts if part is not None))
    tensor = shaping.concat([cast(part, dtype) for part in parts if part is not None], axis)
    before = (slice(None),) * axis
    for _ in range(n):
        tensor = elementwise.subtract(
            getitem(tensor, (*before, slice(1, None))), getitem(tensor, (*before, slice(None, -1)))
        )
    return Array(tensor)


def _truths(who: str, x: Any) -> Tensor:
    tensor = tensor_of(x, who)
    return tensor if tensor.dtype.is_bool else comparison.not_equal(tensor, _number(0, tensor))


def all(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A001
    """True where all over the axes are (are not 0)."""
    tensor = _truths("all", x)
    return Array(reductions.reduce_all(tensor, axis=_over("all", tensor, axis), keepdims=keepdims))


def any(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A001
    """True where any over the axes is (is not 0)."""
    tensor = _truths("any", x)
    return Array(reductions.reduce_any(tensor, axis=_over("any", tensor, axis), keepdims=keepdims))
