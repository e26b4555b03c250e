"""Draws from gamma and Poisson distributions as pure functions of a state, by rejection with a fixed number of tries.

Of the tries of an element the first that is accepted counts. A loop until all are accepted would be another number of
rounds for each draw; so many tries are made that all fail less often than once in 10**12 draws.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.ops.random import normal_quantile, unit
from tensorsmith.ops.sizes import fill_sizes
from tensorsmith.ops.special import special
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import primitive

_FLOAT32, _FLOAT64 = np.dtype("float32"), np.dtype("float64")


def _drawn(specs: Specs, settings: dict) -> Specs:
    return [(settings["sizes"], settings["dtype"])]


def _first(xp: Any, accepted: Any, values: Any) -> Any:
    """Of the rows of tries the first accepted value of each column."""
    return xp.take_along_axis(values, xp.argmax(accepted, axis=0)[None], axis=0)[0]


@primitive(same=False, differentiable=False, shapes=_drawn, quiet=True)
def random_gamma(xp, state: Array, alpha: Array, parts: Arrays, sizes: Any = (), dtype: Any = _FLOAT32):
    """Floats of gamma distributions of shape `alpha` and rate 1.

    Source: Marsaglia and Tsang (2000), A simple method for generating gamma variables.
    """
    shape, tries = fill_sizes(sizes, parts, "random_gamma"), 10
    count = math.prod(shape)
    a = xp.broadcast_to(alpha.astype(_FLOAT64), shape).reshape(-1)
    spread = unit(xp, state, (2 * tries + 1) * count, _FLOAT64, above_zero=True).reshape(2 * tries + 1, count)
    d = xp.where(a < 1, a + 1, a) - 1 / 3
    x = normal_quantile(xp, xp.clip(spread[:tries], 1e-11, 1 - 1e-11))
    v = (1 + x / xp.sqrt(9 * d)) ** 3
    log_v = xp.log(xp.where(v > 0, v, 1.0))
    # of a >= 1 at least 95 of 100 tries are accepted
    accepted = (v > 0) & (xp.log(spread[tries:-1]) < x * x / 2 + d - d * v + d * log_v)
    found = d * _first(xp, accepted, v)
    found = xp.where(a < 1, found * spread[-1] ** (1 / xp.where(a < 1, a, 1.0)), found)
    return xp.where(a > 0, found, xp.nan).reshape(shape).astype(dtype)


@primitive(same=False, differentiable=False, shapes=_drawn, quiet=True)
def random_poisson(xp, state: Array, lam: Array, parts: Arrays, sizes: Any = (), dtype: Any = _FLOAT32):
    """Whole numbers of Poisson distributions of mean `lam`.

    Up to a mean of 10 arrivals are counted, above it numbers are tried: Hörmann (1993), The transformed rejection method
    for generating Poisson random variables, algorithm PTRS.
    """
    shape, tries = fill_sizes(sizes, parts, "random_poisson"), 32
    count = math.prod(shape)
    mean = xp.broadcast_to(lam.astype(_FLOAT64), shape).reshape(-1)
    spread = unit(xp, state, 2 * tries * count, _FLOAT64, above_zero=True).reshape(2 * tries, count)
    # more than 64 arrivals at a mean of 10 come once in 10**28 draws
    few = xp.sum(xp.cumsum(-xp.log(spread), axis=0) <= mean, axis=0).astype(_FLOAT64)
    m = xp.maximum(mean, 10.0)
    b = 0.931 + 2.53 * xp.sqrt(m)
    a = -0.059 + 0.02483 * b
    u, v = spread[:tries] - 0.5, spread[tries:]
    near = 0.5 - xp.abs(u)
    k = xp.floor((2 * a / near + b) * u + m + 0.43)
    right = k * xp.log(m) - m - special(xp).gammaln(xp.maximum(k, 0.0) + 1)
    left = xp.log(v) + xp.log(1.1239 + 1.1328 / (b - 3.4)) - xp.log(a / (near * near) + b)
    accepted = (k >= 0) & (near > 0) & (left <= right)
    found = xp.where(mean < 10, few, _first(xp, accepted, k))
    return xp.where(mean >= 0, found, xp.nan).reshape(shape).astype(dtype)
