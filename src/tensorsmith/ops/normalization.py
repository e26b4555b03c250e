"""Moments, and normalisation by them or by a norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.ops.reductions import mean_of, reduced, still
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, op, plain, public
from tensorsmith.tensor.tensor import Tensor


def _twice(specs: Specs, settings: dict) -> Any:
    shape, dtype = specs[0]
    found = reduced(shape, settings["axes"], settings["keepdims"]), dtype
    return found, found


@op(name="moments", kinds="f", shapes=_twice, quiet=True)
def _moments(xp, x: Array, axes: Any = None, keepdims: bool = False):
    # 16-bit floats in float32: the sum of squares overflows soon
    wide = x.astype("float32") if x.dtype.itemsize < 4 else x
    mean = mean_of(xp, wide, axes, True)
    variance = mean_of(xp, xp.square(wide - still(xp, mean)), axes, keepdims)
    if not keepdims:
        mean = xp.reshape(mean, variance.shape)
    return mean.astype(x.dtype), variance.astype(x.dtype)


@public
def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Mean and variance over `axes`.

    >>> import tensorsmith as tf
    >>> mean, variance = tf.nn.moments(tf.constant([1.0, 3.0]), axes=[0])
    >>> mean.numpy().item(), variance.numpy().item()
    (2.0, 1.0)
    """
    axes = plain(axes, "axes")
    return tuple(apply(_moments.op, (x,), {"axes": axes, "keepdims": bool(keepdims)}))  # type: ignore[attr-defined,return-value]


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


    return x
