"""Windows that slide over the spatial axes of [..., *S, C]: how far they reach, padding, what stands at each place."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.tensor.apply import plain

Padding = str | tuple[tuple[int, int], ...]


def is_channels_first(data_format: Any, rank: int, who: str) -> bool:
    """Whether channels come before the spatial axes; ValueError for a name that is none of `rank` axes."""
    last, first = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}[rank]
    if data_format is None or data_format == last or (rank == 1 and data_format == "NHWC"):
        return False
    if data_format == first or (rank == 1 and data_format == "NCHW"):
        return True
    raise ValueError(explain(who, "no data format", {"data_format": data_format}, f"it is {last!r} or {first!r}"))


def per_axis(value: Any, rank: int, channels_first: bool, who: str, what: str) -> tuple[int, ...]:
    """One number for each spatial axis, of a number, a list of `rank`, or a list that counts batch and channels too."""
    value = 1 if value is None else plain(value, what)
    found = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(found) == 1:
        found = found * rank
    if len(found) == rank + 2:
        outer = (found[0], found[1] if channels_first else found[-1])
        if outer != (1, 1):
            raise ValueError(
                explain(who, f"{what} along batch or channels", {what: found}, "those two numbers must be 1")
            )
        found = found[2:] if channels_first else found[1:-1]
    if len(found) != rank:
        raise ValueError(
            explain(who, f"{what} does not fit the axes", {what: found}, f"1, {rank} or {rank + 2} numbers")
        )
    if any(int(size) < 1 for size in found):
        raise ValueError(explain(who, f"{what} must be positive", {what: found}))
    return tuple(int(size) for size in found)


def as_padding(padding: Any, rank: int, channels_first: bool, who: str) -> Padding:
    """'SAME', 'VALID' or a pair for each spatial axis, of what TensorFlow takes."""
    if isinstance(padding, str):
        if padding.upper() in ("SAME", "VALID"):
            return padding.upper()
        raise ValueError(explain(who, "no padding", {"padding": padding}, "'SAME', 'VALID' or a list of pairs"))
    pairs = plain(padding, "padding")
    if len(pairs) == rank + 2:
        outer = (tuple(pairs[0]), tuple(pairs[1] if channels_first else pairs[-1]))
        if outer != ((0, 0), (0, 0)):
            raise ValueError(
                explain(who, "padding along batch or channels", {"padding": pairs}, "those pairs must be 0")
            )
        pairs = pairs[2:] if channels_first else pairs[1:-1]
    if len(pairs) != rank or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
        raise ValueError(
            explain(
                who, "padding does not fit the axes", {"padding": padding}, f"{rank + 2} pairs of numbers from 0 up"
            )
        )
    return tuple((int(low), int(high)) for low, high in pairs)


def reach(size: int, dilation: int) -> int:
    """How many places a window of `size` spans."""
    return (size - 1) * dilation + 1


def result_size(
    size: int | None, window: int, stride: int, dilation: int, padding: str | tuple[int, int]
) -> int | None:
    """How many windows there are along an axis of `size`; None where that is not known."""
    if size is None:
        return None
    if padding == "SAME":
        return -(-size // stride)
    low, high = (0, 0) if padding == "VALID" else padding
    return max(0, (size + int(low) + int(high) - reach(window, dilation)) // stride + 1)


def pads(
    sizes: tuple[int, ...],
    window: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    padding: Padding,
) -> tuple[tuple[int, int], ...]:
    """How many elements come before and behind along each axis; 'SAME' puts the odd one behind."""
    if padding == "VALID":
        return ((0, 0),) * len(sizes)
    if padding != "SAME":
        return padding  # type: ignore[return-value]
    found = []
    for size, width, stride, dilation in zip(sizes, window, strides, dilations):
        total = max((-(-size // stride) - 1) * stride + reach(width, dilation) - size, 0)
        found.append((total // 2, total - total // 2))
    return tuple(found)


def padded(xp: Any, x: Any, pairs: tuple[tuple[int, int], ...], value: Any = 0) -> Any:
    """x [..., *S, C] with `value` around its spatial axes; a negative number takes elements away."""
    if any(number < 0 for pair in pairs for number in pair):
        cut = [
            slice(max(-low, 0), size - max(-high, 0)) for (low, high), size in zip(pairs, x.shape[-len(pairs) - 1 :])
        ]
        x = x[(..., *cut, slice(None))]
        pairs = tuple((max(low, 0), max(high, 0)) for low, high in pairs)
    if not any(number for pair in pairs for number in pair):
        return x
    outer = ((0, 0),) * (x.ndim - len(pairs) - 1)
    return xp.pad(x, (*outer, *pairs, (0, 0)), constant_values=value)


def places(
    x: Any, window: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], Any]]:
    """For each place in a window, in order: (its number along each axis, what stands there in all windows [..., *O, C]).

    x is padded already.
    """
    rank = len(window)
    sizes = x.shape[-rank - 1 : -1]
    counts = [result_size(s, w, t, d, "VALID") for s, w, t, d in zip(sizes, window, strides, dilations)]
    for at in itertools.product(*(range(width) for width in window)):
        cut = []
        for index, count, stride, dilation in zip(at, counts, strides, dilations):
            first = index * dilation
            cut.append(slice(first, first + (count - 1) * stride + 1 if count else first, stride))  # type: ignore[operator]
        yield at, x[(..., *cut, slice(None))]


def columns(xp: Any, x: Any, window: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]) -> Any:
    """All windows of a padded x [B, *S, C] as [B, *O, K, C], K places in each: what a product with filters takes."""
    if xp is not np:
        found = [part for _, part in places(x, window, strides, dilations)]
        return xp.stack(found, axis=-2)
    counts = [result_size(s, w, t, d, "VALID") for s, w, t, d in zip(x.shape[1:-1], window, strides, dilations)]
    steps = x.strides[1:-1]
    view = np.lib.stride_tricks.as_strided(
        x,
        (x.shape[0], *counts, *window, x.shape[-1]),  # type: ignore[arg-type]
        (
            x.strides[0],
            *(s * t for s, t in zip(steps, strides)),
            *(s * d for s, d in zip(steps, dilations)),
            x.strides[-1],
        ),
        writeable=False,
    )
    return view.reshape(x.shape[0], *counts, math.prod(window), x.shape[-1])  # type: ignore[arg-type]


def spread(xp: Any, x: Any, strides: tuple[int, ...]) -> Any:
    """x [B, *S, C] with stride - 1 zeros between its elements along each spatial axis."""
    for axis, stride in enumerate(strides, 1):
        if stride == 1:
            continue
        size = x.shape[axis]
        pairs = [(0, 0)] * (x.ndim + 1)
        pairs[axis + 1] = (0, stride - 1)
        x = xp.pad(xp.expand_dims(x, axis + 1), pairs).reshape(*x.shape[:axis], size * stride, *x.shape[axis + 1 :])
        x = x[(slice(None),) * axis + (slice(0, max(size * stride - stride + 1, 0)),)]
    return x


def channels_last(xp: Any, x: Any, rank: int, channels_first: bool) -> Any:
    """x [..., C, *S] as [..., *S, C], where channels come first."""
    return xp.moveaxis(x, -rank - 1, -1) if channels_first else x


def as_given(xp: Any, x: Any, rank: int, channels_first: bool) -> Any:
    """The way back of `channels_last`."""
    return xp.moveaxis(x, -1, -rank - 1) if channels_first else x


def split_shape(shape: tuple, rank: int, channels_first: bool) -> tuple[tuple, tuple, Any]:
    """(outer sizes, spatial sizes, channels) of a shape."""
    outer, rest = tuple(shape[: -rank - 1]), tuple(shape[-rank - 1 :])
    return (outer, rest[1:], rest[0]) if channels_first else (outer, rest[:-1], rest[-1])


def joined_shape(outer: tuple, spatial: tuple, channels: Any, channels_first: bool) -> tuple:
    """The way back of `split_shape`."""
    return (*outer, channels, *spatial) if channels_first else (*outer, *spatial, channels)
