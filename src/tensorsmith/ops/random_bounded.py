"""Draws from binomial distributions and from normal ones cut off at given bounds, as pure functions of a state.

Of the tries of an element the first that is accepted counts; see `random_gamma.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.ops.random import unit
from tensorsmith.ops.sizes import fill_sizes
from tensorsmith.ops.special import special
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import primitive

_FLOAT32, _FLOAT64, _INT32 = np.dtype("float32"), np.dtype("float64"), np.dtype("int32")


def _drawn(specs: Specs, settings: dict) -> Specs:
    return [(settings["sizes"], settings["dtype"])]


@primitive(same=False, differentiable=False, shapes=_drawn, quiet=True)
def random_binomial(xp, state: Array, counts: Array, probs: Array, parts: Arrays, sizes: Any = (), dtype: Any = _INT32):
    """How many of `counts` independent trials succeed, each with probability `probs`.

    Up to a mean of 10 the gaps between successes are drawn, above it numbers are tried: Hörmann (1993), The generation of
    binomial random variates, algorithm BTRS.
    """
    shape, tries = fill_sizes(sizes, parts, "random_binomial"), 48
    size = math.prod(shape)
    n = xp.maximum(xp.floor(xp.broadcast_to(counts.astype(_FLOAT64), shape).reshape(-1)), 0.0)
    chance = xp.clip(xp.broadcast_to(probs.astype(_FLOAT64), shape).reshape(-1), 0.0, 1.0)
    p = xp.minimum(chance, 1 - chance)
    spread = unit(xp, state, 2 * tries * size, _FLOAT64, above_zero=True).reshape(2 * tries, size)
    # more than 96 successes at a mean of 10 come once in 10**50 draws
    gaps = xp.ceil(xp.log(spread) / xp.where(p > 0, xp.log1p(-p), -1.0))
    few = xp.sum(xp.cumsum(xp.maximum(gaps, 1.0), axis=0) <= n, axis=0).astype(_FLOAT64)
    few = xp.where(p > 0, few, 0.0)
    # what is not drawn so gets numbers with which nothing overflows
    many = n * p >= 10
    n_, p_ = xp.where(many, n, 100.0), xp.where(many, p, 0.5)
    sigma = xp.sqrt(n_ * p_ * (1 - p_))
    b = 1.15 + 2.53 * sigma
    a = -0.0873 + 0.0248 * b + 0.01 * p_
    u, v = spread[:tries] - 0.5, spread[tries:]
    near = 0.5 - xp.abs(u)
    k = xp.floor((2 * a / near + b) * u + n_ * p_ + 0.5)
    lgamma = special(xp).gammaln
    mode = xp.floor((n_ + 1) * p_)
    inside = xp.clip(k, 0.0, n_)
    right = lgamma(mode + 1) + lgamma(n_ - mode + 1) - lgamma(inside + 1) - lgamma(n_ - inside + 1)
    right = right + (inside - mode) * xp.log(p_ / (1 - p_))
    left = xp.log(v * (2.83 + 5.1 / b) * sigma / (a / (near * near) + b))
    accepted = (k >= 0) & (k <= n_) & (near > 0) & (left <= right)
    found = xp.take_along_axis(k, xp.argmax(accepted, axis=0)[None], axis=0)[0]
    found = xp.where(many, found, few)
    found = xp.where(chance > 0.5, n - found, found)
    return found.reshape(shape).astype(dtype)


@primitive(same=frozenset({"means", "stddevs", "minvals", "maxvals"}), differentiable=False, shapes=_drawn, quiet=True)
def random_normal_within(
    xp, state: Array, means: Array, stddevs: Array, minvals: Array, maxvals: Array, parts: Arrays, sizes: Any = (),
    dtype: Any = _FLOAT32,
):  # fmt: skip
    """Floats of a normal distribution cut off below minvals and above maxvals, by the inverse of its function.

    NaN where minval is not below maxval, or a deviation not above 0.
    """
    shape = fill_sizes(sizes, parts, "random_normal_within")
    mean, deviation, low, high = (
        xp.broadcast_to(value.astype(_FLOAT64), shape) for value in (means, stddevs, minvals, maxvals)
    )
    right = (low < high) & (deviation > 0)
    deviation = xp.where(right, deviation, 1.0)
    a, b = (low - mean) / deviation, (high - mean) / deviation
    # on the left side, where the function of the distribution keeps all its digits
    turned = a > 0
    a, b = xp.where(turned, -b, a), xp.where(turned, -a, b)
    u = unit(xp, state, math.prod(shape), _FLOAT64, above_zero=True).reshape(shape)
    ndtr, ndtri = special(xp).ndtr, special(xp).ndtri
    below, above = ndtr(a), ndtr(b)
    x = ndtri(below + u * (above - below))
    # so far out that the function is 0, the density falls like exp(b x)
    far, edge = b < -37, xp.minimum(b, -1.0)
    rest = xp.exp(xp.maximum(edge * (edge - xp.minimum(a, edge)), -700.0))
    x = xp.where(far, edge + xp.log(u + (1 - u) * xp.where(xp.isfinite(a), rest, 0.0)) / -edge, x)
    x = xp.clip(x, a, b)
    x = xp.where(turned, -x, x) * deviation + mean
    return xp.where(right, xp.clip(x, low, high), xp.nan).astype(dtype)
