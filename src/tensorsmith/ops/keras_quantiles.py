"""Quantiles, percentiles and medians, under Keras 3's names and argument names."""

from __future__ import annotations

import math
from typing import Any

from tensorsmith.core import dtypes
from tensorsmith.core.errors import explain
from tensorsmith.ops import elementwise, reductions, rounding
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.keras_math import floats
from tensorsmith.ops.shaping import expand_dims, moveaxis, reshape, shape
from tensorsmith.ops.sorting import sort
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The values below which the share q of the elements along `axis` lies.

    q: from 0 to 1, a number or a vector of them, whose axis comes first in the result.
    axis: one or several; None: all. method: what stands between two elements: "linear", "lower", "higher", "midpoint" or
    "nearest" says. A NaN among the elements makes the result NaN. Raises ValueError for another method.

    >>> quantile([1, 2, 3, 4], [0.5, 1.0]).numpy()
    array([2.5, 4. ], dtype=float32)
    """
    if method not in _METHODS:
        raise ValueError(explain("quantile", "no method", {"method": method}, f"it is one of {', '.join(_METHODS)}"))
    x = floats(x)
    chosen = plain(axis, "axis")
    chosen = range(x.ndim) if chosen is None else (chosen,) if isinstance(chosen, int) else chosen
    axes = sorted(at % x.ndim for at in chosen)
    kept = [at for at in range(x.ndim) if at not in axes]
    rows = reshape(moveaxis(x, axes, list(range(-len(axes), 0))), [*(shape(x)[at] for at in kept), -1]) if axes else x
    ordered = sort(rows, axis=-1)
    # in float64: which two elements it is between is a matter of the last digit
    share = _wide(q)
    place = share * cast(shape(ordered)[-1] - 1, dtypes.float64)
    low, high = rounding.floor(place), rounding.ceil(place)
    if method == "nearest":
        low = high = rounding.round_(place)
    elif method == "lower":
        high = low
    elif method == "higher":
        low = high
    below, above = (gather(ordered, cast(at, dtypes.int32), axis=-1) for at in (low, high))
    part = cast(0.5 if method == "midpoint" else place - low, x.dtype)
    found = where(low == high, below, below + (above - below) * part)
    unknown = reductions.reduce_any(rounding.is_nan(rows), axis=-1)
    for _ in range(share.ndim):
        unknown = expand_dims(unknown, -1)
    found = where(unknown, cast(math.nan, x.dtype), found)
    if share.ndim:
        found = moveaxis(found, list(range(-share.ndim, 0)), list(range(share.ndim)))
    for at in axes if keepdims else ():
        found = expand_dims(found, at + share.ndim)
    return found


def _wide(q: Any) -> Tensor:
    """Shares in float64, of Python's numbers with all their digits."""
    known = isinstance(q, Tensor) or hasattr(q, "_read")
    return cast(q, dtypes.float64) if known else convert(q, dtypes.float64)


def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` of q in percent.

    >>> percentile([1, 2, 3], 50).numpy().item()
    2.0
    """
    return quantile(x, elementwise.divide(_wide(q), 100.0), axis, method, keepdims)


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The middle element along `axis`, or the mean of the middle two; NaN where a NaN is among them.

    >>> median([[1, 9], [3, 5]], axis=0).numpy()
    array([2., 7.], dtype=float32)
    """
    return quantile(x, 0.5, axis, "midpoint", keepdims)
