"""Running sums, products and logsumexp along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.program.op import Array, elementwise
from tensorsmith.tensor.apply import op


def _running(xp: Any, x: Any, axis: int, exclusive: bool, reverse: bool, step: Any, neutral: Any) -> Any:
    if reverse:
        x = xp.flip(x, axis)
    if exclusive:
        # each place sees what stands before it: a neutral element goes in front, the last one falls off
        front = list(x.shape)
        front[axis] = min(1, x.shape[axis])
        keep = [slice(None)] * x.ndim
        keep[axis] = slice(0, max(x.shape[axis] - 1, 0))
        x = xp.concatenate([xp.full(front, neutral, x.dtype), x[tuple(keep)]], axis)
    result = step(x)
    return xp.flip(result, axis) if reverse else result


@op(kinds="fiuc", shapes=elementwise)
def cumsum(xp, x: Array, axis: int = 0, exclusive: bool = False, reverse: bool = False):
    """Running sums along `axis`: of all up to and with each place (`exclusive`: without it); `reverse` from the end.

    >>> import tensorsmith as tf
    >>> tf.cumsum([1, 2, 3]).numpy(), tf.cumsum([1, 2, 3], exclusive=True).numpy()
    (array([1, 3, 6], dtype=int32), array([0, 1, 3], dtype=int32))
    """
    return _running(xp, x, axis, exclusive, reverse, lambda v: xp.cumsum(v, axis=axis, dtype=x.dtype), 0)


@op(kinds="fiuc", shapes=elementwise)
def cumprod(xp, x: Array, axis: int = 0, exclusive: bool = False, reverse: bool = False):
    """Running products along `axis`; `exclusive` and `reverse` as for cumsum.

    >>> import tensorsmith as tf
    >>> tf.math.cumprod([1, 2, 3], reverse=True).numpy()
    array([6, 6, 3], dtype=int32)
    """
    return _running(xp, x, axis, exclusive, reverse, lambda v: xp.cumprod(v, axis=axis, dtype=x.dtype), 1)


@op(kinds="f", shapes=elementwise, quiet=True)
def cumulative_logsumexp(xp, x: Array, axis: int = 0, exclusive: bool = False, reverse: bool = False):
    """Running log(sum(exp(x))) along `axis`, without overflow; `exclusive` and `reverse` as for cumsum.

    >>> import tensorsmith as tf
    >>> tf.math.cumulative_logsumexp([0.0]).numpy()
    array([0.], dtype=float32)
    """

    def step(v: Any) -> Any:
        if xp is np:
            return np.logaddexp.accumulate(v, axis=axis)
        from tensorsmith.program.execute import jax

        return jax().lax.associative_scan(xp.logaddexp, v, axis=axis % v.ndim)

    return _running(xp, x, axis, exclusive, reverse, step, -np.inf)
