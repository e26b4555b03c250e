"""Sums, means, extremes, logsumexp, places of extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.ops.guards import gives_places
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import op

_FLOAT32, _INT64 = np.dtype("float32"), np.dtype("int64")
Axis = int | tuple[int, ...] | None


def reduced(shape: tuple[int | None, ...], axis: Axis, keepdims: bool) -> tuple[int | None, ...]:
    """The shape that is left of `shape` when `axis` (None: all) is reduced.

    >>> reduced((None, 3, 4), (1,), keepdims=True)
    (None, 1, 4)
    """
    rank = len(shape)
    given = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    gone = set()
    for a in given:
        if not -rank <= a < rank:
            raise ValueError(f"axis {a} is out of bounds for a tensor of {rank} axes")
        gone.add(a % rank)
    if keepdims:
        return tuple(1 if at in gone else size for at, size in enumerate(shape))
    return tuple(size for at, size in enumerate(shape) if at not in gone)


def _reduction(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    return [(reduced(shape, settings.get("axis"), settings.get("keepdims", False)), dtype)]


def count_of(x: Any, axis: Axis) -> int:
    """How many elements of x go into one element of a reduction."""
    shape = x.shape
    if axis is None:
        return math.prod(shape)
    return math.prod([shape[a] for a in axis]) if isinstance(axis, tuple) else shape[axis]


def still(xp: Any, x: Any) -> Any:
    """x as a constant to derivatives."""
    if xp is np:
        return x
    from tensorsmith.program.execute import jax

    return jax().lax.stop_gradient(x)


@op(kinds="fiuc", shapes=_reduction)
def reduce_sum(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """The sum over `axis` (an axis, several, or None for all); the dtype stays.

    >>> import tensorsmith as tf
    >>> tf.reduce_sum([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
    array([4., 6.], dtype=float32)
    """
    return sum_of(xp, input_tensor, axis, keepdims)


def sum_of(xp: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """The sum in the dtype of x. (np.sum is a wrapper that costs as much again as a small sum.)"""
    if xp is np:
        add: Any = np.add  # its stub wants literals for keepdims
        return add.reduce(x, axis, x.dtype, None, keepdims)
    return xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def mean_of(xp: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """The mean; of 16-bit floats summed in float32, as their sum soon overflows."""
    dtype = x.dtype
    if dtype.itemsize < 4:
        return mean_of(xp, x.astype(_FLOAT32), axis, keepdims).astype(dtype)
    # not xp.mean: NumPy's warns of an empty slice, whose mean is NaN and shows it
    count = count_of(x, axis)
    # a size that an exported program leaves open is no number
    return sum_of(xp, x, axis, keepdims) / (dtype.type(count) if isinstance(count, int) else xp.asarray(count, dtype))


@op(kinds="fiuc", shapes=_reduction, quiet=True)
def reduce_mean(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """The mean over `axis`; the dtype stays, so that integers give the mean rounded down towards zero.

    >>> import tensorsmith as tf
    >>> tf.reduce_mean([[1.0, 2.0], [3.0, 4.0]]).numpy().item()
    2.5
    """
    x = input_tensor
    if x.dtype.kind in "iu":
        total = xp.sum(x, axis=axis, keepdims=keepdims, dtype=np.dtype("int64"))
        count = max(count_of(x, axis), 1)
        return (xp.sign(total) * (xp.abs(total) // count)).astype(x.dtype)
    return mean_of(xp, x, axis, keepdims)


@op(kinds="fiuc", shapes=_reduction)
def reduce_prod(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """The product over `axis`; the dtype stays.

    >>> import tensorsmith as tf
    >>> tf.reduce_prod([2, 3, 4]).numpy().item()
    24
    """
    return xp.prod(input_tensor, axis=axis, keepdims=keepdims, dtype=input_tensor.dtype)


def _lowest(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind in "fV" else np.iinfo(dtype).min


def _highest(dtype: np.dtype) -> Any:
    return np.inf if dtype.kind in "fV" else np.iinfo(dtype).max


@op(kinds="fiu", shapes=_reduction)
def reduce_max(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """The greatest over `axis`; NaN where there is one; the lowest value of the dtype where there are no elements.

    >>> import tensorsmith as tf
    >>> tf.reduce_max([[1, 5], [3, 2]], axis=1).numpy()
    array([5, 3], dtype=int32)
    """
    if input_tensor.size == 0:
        return xp.max(input_tensor, axis=axis, keepdims=keepdims, initial=_lowest(input_tensor.dtype))
    return xp.max(input_tensor, axis=axis, keepdims=keepdims)


@op(kinds="fiu", shapes=_reduction)
def reduce_min(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """The smallest over `axis`; NaN where there is one; the highest value of the dtype where there are no elements.

    >>> import tensorsmith as tf
    >>> tf.reduce_min([[1, 5], [3, 2]], axis=1).numpy()
    array([1, 2], dtype=int32)
    """
    if input_tensor.size == 0:
        return xp.min(input_tensor, axis=axis, keepdims=keepdims, initial=_highest(input_tensor.dtype))
    return xp.min(input_tensor, axis=axis, keepdims=keepdims)


@op(kinds="b", shapes=_reduction)
def reduce_all(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """True where all over `axis` are.

    >>> import tensorsmith as tf
    >>> tf.reduce_all([[True, True], [True, False]], axis=1).numpy()
    array([ True, False])
    """
    return xp.all(input_tensor, axis=axis, keepdims=keepdims)


@op(kinds="b", shapes=_reduction)
def reduce_any(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """True where any over `axis` is.

    >>> import tensorsmith as tf
    >>> tf.reduce_any([[True, False], [False, False]], axis=1).numpy()
    array([ True, False])
    """
    return xp.any(input_tensor, axis=axis, keepdims=keepdims)


def variance_of(xp: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """The mean squared distance from the mean."""
    return mean_of(xp, xp.square(x - mean_of(xp, x, axis, keepdims=True)), axis, keepdims)


@op(kinds="f", shapes=_reduction, quiet=True)
def reduce_variance(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """The variance over `axis`: mean((x - mean(x))**2).

    >>> import tensorsmith as tf
    >>> tf.math.reduce_variance([1.0, 3.0]).numpy().item()
    1.0
    """
    return variance_of(xp, input_tensor, axis, keepdims)


@op(kinds="f", shapes=_reduction, quiet=True)
def reduce_std(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """The standard deviation over `axis`: the square root of the variance.

    >>> import tensorsmith as tf
    >>> tf.math.reduce_std([1.0, 3.0]).numpy().item()
    1.0
    """
    return xp.sqrt(variance_of(xp, input_tensor, axis, keepdims))


def logsumexp_of(xp: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """log(sum(exp(x))), the greatest taken out first so that nothing overflows."""
    if x.size == 0:
        return xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=keepdims))
    top = still(xp, xp.max(x, axis=axis, keepdims=True))
    # inf - inf would be NaN where all are -inf, or one is inf
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    total = xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else xp.reshape(total, reduced(x.shape, axis, False))


@op(kinds="f", shapes=_reduction, quiet=True)
def reduce_logsumexp(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """log(sum(exp(x))) over `axis`, without overflow.

    >>> import tensorsmith as tf
    >>> tf.reduce_logsumexp([1000.0, 1000.0]).numpy() - 1000.0 == tf.math.log(2.0)
    <tf.Tensor: shape=(), dtype=bool, numpy=False>
    """
    return logsumexp_of(xp, input_tensor, axis, keepdims)


@op(kinds="f", shapes=_reduction, quiet=True)
def reduce_euclidean_norm(xp, input_tensor: Array, axis: Any = None, keepdims: bool = False):
    """sqrt(sum(x**2)) over `axis`.

    >>> import tensorsmith as tf
    >>> tf.math.reduce_euclidean_norm([3.0, 4.0]).numpy().item()
    5.0
    """
    return xp.sqrt(xp.sum(xp.square(input_tensor), axis=axis, keepdims=keepdims))


def _counted(specs: Specs, settings: dict) -> Specs:
    return [(_reduction(specs, settings)[0][0], settings.get("dtype", np.dtype("int64")))]


@op(kinds="fiucb", shapes=_counted, differentiable=False)
def count_nonzero(xp, input: Array, axis: Any = None, keepdims: bool = False, dtype: Any = _INT64):
    """How many elements over `axis` are not 0 (not False).

    >>> import tensorsmith as tf
    >>> tf.math.count_nonzero([[1, 0], [2, 3]], axis=0).numpy()
    array([2, 1])
    """
    return xp.sum(input != 0, axis=axis, keepdims=keepdims, dtype=dtype)


def _placed(specs: Specs, settings: dict) -> Specs:
    axis = settings.get("axis")
    return [(reduced(specs[0][0], 0 if axis is None else axis, False), settings.get("output_type", np.dtype("int64")))]


@op(kinds="fiub", shapes=_placed, differentiable=False)
def argmax(xp, input: Array, axis: Any = None, output_type: Any = _INT64):
    """The place of the greatest over `axis` (by default 0), the first of equals.

    >>> import tensorsmith as tf
    >>> tf.argmax([[1.0, 5.0], [3.0, 2.0]], axis=1).numpy()
    array([1, 0])
    """
    return xp.argmax(input, axis=0 if axis is None else axis).astype(output_type)


@op(kinds="fiub", shapes=_placed, differentiable=False)
def argmin(xp, input: Array, axis: Any = None, output_type: Any = _INT64):
    """The place of the smallest over `axis` (by default 0), the first of equals.

    >>> import tensorsmith as tf
    >>> tf.argmin([[1.0, 5.0], [3.0, 2.0]], axis=1).numpy()
    array([0, 1])
    """
    return xp.argmin(input, axis=0 if axis is None else axis).astype(output_type)


for _place in (argmax, argmin):
    gives_places(_place.op, lambda settings: settings.get("axis") or 0)
