"""Moments, and normalisation by them or by a norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import equal, greater, where
from tensorsmith.ops.creation import ones_like
from tensorsmith.ops.elementwise import add_n, divide, maximum, multiply, sqrt, square
from tensorsmith.ops.indexed_slices import IndexedSlices
from tensorsmith.ops.linalg import norm
from tensorsmith.ops.reductions import mean_of, reduce_mean, reduce_sum, reduced
from tensorsmith.ops.rounding import is_finite
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, op, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _twice(specs: Specs, settings: dict) -> Any:
    shape, dtype = specs[0]
    found = reduced(shape, settings["axes"], settings["keepdims"]), dtype
    return found, found


@primitive(name="moments", kinds="f", shapes=_twice, quiet=True)
def _moments(xp, x: Array, axes: Any = None, keepdims: bool = False):
    # 16-bit floats in float32: the sum of squares overflows soon
    wide = x.astype("float32") if x.dtype.itemsize < 4 else x
    mean = mean_of(xp, wide, axes, True)
    variance = mean_of(xp, xp.square(wide - mean), axes, keepdims)
    if not keepdims:
        mean = xp.reshape(mean, variance.shape)
    return mean.astype(x.dtype), variance.astype(x.dtype)


@public
def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance over `axes`.

    >>> import tensorsmith as tf
    >>> mean, variance = tf.nn.moments(tf.constant([1.0, 3.0]), axes=[0])
    >>> mean.numpy().item(), variance.numpy().item()
    (2.0, 1.0)
    """
    axes = plain(axes, "axes")
    return tuple(apply(_moments, (x,), {"axes": axes, "keepdims": bool(keepdims)}))  # type: ignore[attr-defined,return-value]


@op(kinds="f", shapes=lambda specs, settings: [specs[0]], quiet=True)
def batch_normalization(
    xp, x: Array, mean: Array, variance: Array, offset: Array | None = None, scale: Array | None = None,
    variance_epsilon: float = 0.001,
):  # fmt: skip
    """(x - mean) / sqrt(variance + variance_epsilon) * scale + offset, everything broadcasting to x.

    Source: Ioffe and Szegedy (2015), Batch Normalization.

    >>> import tensorsmith as tf
    >>> tf.nn.batch_normalization([1.0, 3.0], [2.0], [1.0], None, None, 0.0).numpy()
    array([-1.,  1.], dtype=float32)
    """
    inverse = 1 / xp.sqrt(variance + np.asarray(variance_epsilon, x.dtype))
    if scale is not None:
        inverse = inverse * scale
    moved = -mean * inverse if offset is None else offset - mean * inverse
    return x * inverse + moved


@op(name="l2_normalize", kinds="f", shapes=lambda specs, settings: [specs[0]], quiet=True)
def l2_normalize(xp, x: Array, axis: Any = None, epsilon: float = 1e-12):
    """x / sqrt(max(sum(x**2), epsilon)) along `axis`: of length 1.

    >>> import tensorsmith as tf
    >>> tf.math.l2_normalize([3.0, 4.0]).numpy()
    array([0.6, 0.8], dtype=float32)
    """
    squares = xp.sum(xp.square(x), axis=axis, keepdims=True)
    return x / xp.sqrt(xp.maximum(squares, np.asarray(epsilon, x.dtype)))


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The tensor divided by its norm along `axis`, and that norm.

    >>> import tensorsmith as tf
    >>> tf.linalg.normalize([3.0, 4.0])[0].numpy()
    array([0.6, 0.8], dtype=float32)
    """
    tensor = convert(tensor)
    size = norm(tensor, ord=ord, axis=axis, keepdims=True)
    return divide(tensor, size), size


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The part of the elements that are 0.

    >>> import tensorsmith as tf
    >>> tf.math.zero_fraction([0.0, 1.0, 0.0, 0.0]).numpy().item()
    0.75
    """
    value = convert(value)
    nothing: Any = 0 if value.dtype.is_numeric else b"" if value.dtype == "string" else False
    return reduce_mean(cast(equal(value, nothing), "float32"))


def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """The norm of several tensors taken together: sqrt(sum of all squares); None among them counts nothing.

    >>> import tensorsmith as tf
    >>> tf.linalg.global_norm([[3.0], [4.0]]).numpy().item()
    5.0
    """
    return sqrt(add_n([reduce_sum(square(_rows(t))) for t in t_list if t is not None]))


def _rows(t: Any) -> Any:
    return t.values if isinstance(t, IndexedSlices) else t


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """t, made shorter where its norm is above `clip_norm`; IndexedSlices stay what they are, here and below.

    >>> import tensorsmith as tf
    >>> tf.clip_by_norm([3.0, 4.0], 1.0).numpy()
    array([0.6, 0.8], dtype=float32)
    """
    if isinstance(t, IndexedSlices):
        return t.with_values(clip_by_norm(t.values, clip_norm, axes))
    t = convert(t)
    squares = reduce_sum(square(t), axis=axes, keepdims=True)
    # a vector of zeros has no direction: the root of 1 keeps its derivative finite
    some = greater(squares, 0)
    size = sqrt(where(some, squares, ones_like(squares)))
    return divide(multiply(t, clip_norm), maximum(where(some, size, squares), clip_norm))


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """Tensors made shorter by one factor where their global norm is above `clip_norm`, and that norm.

    >>> import tensorsmith as tf
    >>> clipped, size = tf.clip_by_global_norm([[3.0], [4.0]], 1.0)
    >>> [t.numpy().tolist() for t in clipped], size.numpy().item()
    ([[0.6000000238418579], [0.800000011920929]], 5.0)
    """
    size = global_norm(t_list) if use_norm is None else convert(use_norm)
    factor = divide(clip_norm, maximum(size, clip_norm))
    # of an infinite norm nothing can be told: NaN shows it
    factor = where(is_finite(size), factor, float("nan"))
    return [
        None
        if t is None
        else t.with_values(multiply(t.values, factor))
        if isinstance(t, IndexedSlices)
        else multiply(t, factor)
        for t in t_list
    ], size
