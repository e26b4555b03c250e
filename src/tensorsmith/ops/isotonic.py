"""Isotonic regression: the nearest sequence that only falls, or only rises."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.ops.shaping import moveaxis
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_INT32 = np.dtype("int32")


def _with_segments(specs: Specs, settings: dict) -> Any:
    return specs[0], (specs[0][0], _INT32)


@primitive(name="isotonic_regression", kinds="f", shapes=_with_segments)
def _isotonic(xp, inputs: Array, decreasing: bool = True):
    """Along the last axis, by the max-min formula: the greatest over j <= i of the least over k >= i of mean(x[j..k])."""
    x = -inputs if decreasing else inputs
    count = x.shape[-1]
    place = np.arange(count)
    # sums in double: they are differences of long ones
    sums = xp.cumsum(x.astype("float64"), axis=-1)
    total = sums[..., None, :] - sums[..., :, None] + x.astype("float64")[..., :, None]
    length = place[None, :] - place[:, None] + 1
    means = xp.where(length > 0, total / np.maximum(length, 1), np.inf)
    turned = means[..., ::-1]
    if xp is np:
        least = np.minimum.accumulate(turned, axis=-1)
    else:
        from tensorsmith.program.execute import jax

        least = jax().lax.cummin(turned, axis=turned.ndim - 1)
    least = xp.where(place[:, None] <= place, least[..., ::-1], -np.inf)
    level = xp.max(least, axis=-2)
    # a block is where its values are all one mean, up to how sums are rounded
    near = 1e-12 * (1 + xp.max(xp.abs(sums), axis=-1, keepdims=True)) if count else 0
    steps = level[..., 1:] - level[..., :-1] > near
    blocks = xp.cumsum(steps, axis=-1, dtype="int32")
    blocks = xp.concatenate([xp.zeros((*x.shape[:-1], min(count, 1)), "int32"), blocks], axis=-1)
    return (-level if decreasing else level).astype(inputs.dtype), blocks


@public
def isotonic_regression(inputs: Any, decreasing: bool = True, axis: int = -1) -> tuple[Tensor, Tensor]:
    """(the y that only falls along `axis` with the least sum of (y - inputs)**2, the number of each element's block).

    decreasing=False: that only rises. Memory goes with the square of the length.
    Source: Barlow et al. (1972), Statistical inference under order restrictions: the max-min formula.

    >>> import tensorsmith as tf
    >>> y, blocks = tf.nn.isotonic_regression([3.0, 1.0, 2.0])
    >>> y.numpy(), blocks.numpy()
    (array([3. , 1.5, 1.5], dtype=float32), array([0, 1, 1], dtype=int32))
    """
    x = convert(inputs)
    axis = plain(axis, "axis")
    last = axis in (-1, len(x.shape) - 1)
    level, blocks = apply(_isotonic, (x if last else moveaxis(x, axis, -1),), {"decreasing": bool(decreasing)})
    return (level, blocks) if last else (moveaxis(level, -1, axis), moveaxis(blocks, -1, axis))
