"""Greatest and mean values of windows: pooling of one to three axes, dilation and erosion."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.convolution import result_sizes, wide
from tensorsmith.ops.elementwise import negative
from tensorsmith.ops.repeating import reverse
from tensorsmith.ops.windows import (
    as_given,
    as_padding,
    channels_last,
    is_channels_first,
    joined_shape,
    padded,
    pads,
    per_axis,
    places,
    split_shape,
)
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _shape(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    first, rank = settings["channels_first"], len(settings["ksize"])
    outer, spatial, channels = split_shape(shape, rank, first)
    return [(joined_shape(outer, result_sizes(spatial, settings["ksize"], settings), channels, first), dtype)]


def lowest(dtype: np.dtype) -> Any:
    """What no element is below."""
    return dtype.type(-np.inf) if dtype.kind == "f" else np.iinfo(dtype).min


def greater_of(xp: Any, a: Any, b: Any) -> Any:
    """The greater of two; of two equal ones the first, which alone gets the derivative then (relu makes many zeros)."""
    if xp is np:
        return np.maximum(a, b)
    return xp.where((b > a) | (b != b), b, a)


def _parts(x: Any, window: tuple, strides: tuple, dilations: tuple) -> list[Any]:
    """What stands at each place of all windows of a padded x [..., *S, C]."""
    sizes = x.shape[-len(window) - 1 : -1]
    apart = window == strides and set(dilations) == {1}
    if not apart or any(size % width for size, width in zip(sizes, window)):
        return [part for _, part in places(x, window, strides, dilations)]
    # windows that do not overlap: their places are an axis of their own, and derivatives need no sums
    split = [n for size, width in zip(sizes, window) for n in (size // width, width)]
    blocks = x.reshape(*x.shape[: -len(window) - 1], *split, x.shape[-1])
    found = []
    for at in np.ndindex(*window):
        cut: list[Any] = [...]
        for index in at:
            cut += [slice(None), index]
        found.append(blocks[(*cut, slice(None))])
    return found


@primitive(name="max_pooling", kinds="fi", shapes=_shape)
def _max_pooling(
    xp, input: Array, ksize: tuple = (1,), strides: tuple = (1,), padding: Any = "VALID", dilations: tuple = (1,),
    channels_first: bool = False,
):  # fmt: skip
    rank = len(ksize)
    x = channels_last(xp, input, rank, channels_first)
    pairs = pads(x.shape[-rank - 1 : -1], ksize, strides, dilations, padding)
    x = padded(xp, x, pairs, lowest(x.dtype))
    found = reduce(lambda a, b: greater_of(xp, a, b), _parts(x, ksize, strides, dilations))
    return as_given(xp, found, rank, channels_first)


@primitive(name="average_pooling", kinds="f", shapes=_shape)
def _average_pooling(
    xp, input: Array, ksize: tuple = (1,), strides: tuple = (1,), padding: Any = "VALID", dilations: tuple = (1,),
    channels_first: bool = False,
):  # fmt: skip
    rank = len(ksize)
    x = channels_last(xp, wide(input), rank, channels_first)
    sizes = x.shape[-rank - 1 : -1]
    pairs = pads(sizes, ksize, strides, dilations, padding)
    x = padded(xp, x, pairs)
    total = reduce(lambda a, b: a + b, _parts(x, ksize, strides, dilations))
    if any(map(any, pairs)):
        # what was added around does not count
        one = [np.pad(np.ones(size), pair) for size, pair in zip(sizes, pairs)]
        counts = np.ones((1,) * (rank + 1))
        for axis, (row, width, stride, dilation) in enumerate(zip(one, ksize, strides, dilations)):
            many = sum(part[:, 0] for _, part in places(row[:, None], (width,), (stride,), (dilation,)))
            counts = counts * np.expand_dims(many, [a for a in range(rank + 1) if a != axis])  # type: ignore[arg-type]
        total = total / counts.astype(total.dtype)
    else:
        total = total / total.dtype.type(math.prod(ksize))
    return as_given(xp, total.astype(input.dtype), rank, channels_first)


def _pool(
    kernel: Any,
    x: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: Any,
    who: str,
    rank: int,
    dilations: Any = None,
) -> Tensor:
    x = convert(x)
    first = is_channels_first(data_format, rank, who)
    if x.shape.rank is not None and x.shape.rank < rank + 2:
        raise InvalidArgumentError(
            explain(who, "too few axes", {"input": x.shape}, f"batch, {rank} spatial ones and channels")
        )
    settings = {
        "ksize": per_axis(ksize, rank, first, who, "ksize"),
        "strides": per_axis(strides, rank, first, who, "strides"),
        "padding": as_padding(padding, rank, first, who),
        "dilations": per_axis(dilations, rank, first, who, "dilations"),
        "channels_first": first,
    }
    return apply(kernel, (x,), settings)


def _rank_of(x: Any, who: str) -> int:
    rank = len(x.shape) - 2
    if not 1 <= rank <= 3:
        raise ValueError(explain(who, "no pooling of so many axes", {"input": x.shape}, "the input has 3 to 5 axes"))
    return rank


def max_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = None, name: str | None = None
) -> Tensor:
    """The greatest value of each window, of one to three axes: input [B, *S, C] -> [B, *O, C].

    ksize, strides: a number, one for each spatial axis, or one for every axis. padding: "VALID", "SAME" or pairs; what is
    added is never the greatest. Where several are the greatest, the first gets the derivative.

    >>> import tensorsmith as tf
    >>> tf.nn.max_pool([[[1.0], [4.0], [3.0], [2.0]]], 2, 2, "VALID").numpy()[0, :, 0]
    array([4., 3.], dtype=float32)
    """
    x = convert(input)
    return _pool(_max_pooling, x, ksize, strides, padding, data_format, "max_pool", _rank_of(x, "max_pool"))


def max_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """`max_pool` of [B, W, C].

    >>> import tensorsmith as tf
    >>> tf.nn.max_pool1d([[[1.0], [4.0], [3.0]]], 2, 1, "VALID").numpy()[0, :, 0]
    array([4., 4.], dtype=float32)
    """
    return _pool(_max_pooling, input, ksize, strides, padding, data_format, "max_pool1d", 1)


def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """`max_pool` of [B, H, W, C].

    >>> import tensorsmith as tf
    >>> tf.nn.max_pool2d(tf.reshape(tf.range(4.0), [1, 2, 2, 1]), 2, 2, "VALID").numpy().ravel()
    array([3.], dtype=float32)
    """
    return _pool(_max_pooling, input, ksize, strides, padding, data_format, "max_pool2d", 2)


def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """`max_pool` of [B, D, H, W, C].

    >>> import tensorsmith as tf
    >>> tf.nn.max_pool3d(tf.ones([1, 2, 2, 2, 3]), 2, 2, "SAME").shape
    TensorShape([1, 1, 1, 1, 3])
    """
    return _pool(_max_pooling, input, ksize, strides, padding, data_format, "max_pool3d", 3)


def avg_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = None, name: str | None = None
) -> Tensor:
    """The mean of each window, of one to three axes: input [B, *S, C] -> [B, *O, C]; what padding adds does not count.

    >>> import tensorsmith as tf
    >>> tf.nn.avg_pool([[[1.0], [3.0], [5.0]]], 2, 2, "SAME").numpy()[0, :, 0]
    array([2., 5.], dtype=float32)
    """
    x = convert(input)
    return _pool(_average_pooling, x, ksize, strides, padding, data_format, "avg_pool", _rank_of(x, "avg_pool"))


def avg_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """`avg_pool` of [B, W, C].

    >>> import tensorsmith as tf
    >>> tf.nn.avg_pool1d([[[1.0], [3.0], [5.0]]], 2, 1, "VALID").numpy()[0, :, 0]
    array([2., 4.], dtype=float32)
    """
    return _pool(_average_pooling, input, ksize, strides, padding, data_format, "avg_pool1d", 1)


def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """`avg_pool` of [B, H, W, C].

    >>> import tensorsmith as tf
    >>> tf.nn.avg_pool2d(tf.reshape(tf.range(4.0), [1, 2, 2, 1]), 2, 2, "VALID").numpy().ravel()
    array([1.5], dtype=float32)
    """
    return _pool(_average_pooling, input, ksize, strides, padding, data_format, "avg_pool2d", 2)


def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """`avg_pool` of [B, D, H, W, C].

    >>> import tensorsmith as tf
    >>> tf.nn.avg_pool3d(tf.ones([1, 2, 2, 2, 3]), 2, 2, "SAME").shape
    TensorShape([1, 1, 1, 1, 3])
    """
    return _pool(_average_pooling, input, ksize, strides, padding, data_format, "avg_pool3d", 3)


def pool(
    input: Any, window_shape: Any, pooling_type: str, strides: Any = None, padding: Any = "VALID",
    data_format: Any = None, dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """`max_pool` (pooling_type "MAX") or `avg_pool` ("AVG") with windows that may have holes (dilations).

    >>> import tensorsmith as tf
    >>> tf.nn.pool([[[1.0], [4.0], [3.0]]], [2], "MAX", dilations=[2]).numpy()[0, :, 0]
    array([3.], dtype=float32)
    """
    kernels = {"MAX": _max_pooling, "AVG": _average_pooling}
    if pooling_type not in kernels:
        raise ValueError(explain("pool", "no kind of pooling", {"pooling_type": pooling_type}, "'MAX' or 'AVG'"))
    x = convert(input)
    rank = _rank_of(x, "pool")
    return _pool(kernels[pooling_type], x, window_shape, strides, padding, data_format, "pool", rank, dilations)


# ---- where the greatest stands


_INT64 = np.dtype("int64")


def _with_places(specs: Specs, settings: dict) -> Any:
    return _shape(specs, {**settings, "dilations": (1, 1), "channels_first": False})[0], (
        _shape(specs, {**settings, "dilations": (1, 1), "channels_first": False})[0][0],
        settings["output_dtype"],
    )


@primitive(name="max_pool_with_argmax", kinds="fi", shapes=_with_places)
def _with_argmax(
    xp, input: Array, ksize: tuple = (1, 1), strides: tuple = (1, 1), padding: Any = "VALID",
    output_dtype: Any = _INT64, include_batch_in_index: bool = False,
):  # fmt: skip
    rows, height, width, channels = input.shape
    pairs = pads((height, width), ksize, strides, (1, 1), padding)
    x = padded(xp, input, pairs, lowest(input.dtype))
    found: Any = None
    at: Any = None
    seen: Any = None
    for (i, j), part in places(x, ksize, strides, (1, 1)):
        # the number of the place, of each window
        down = np.arange(part.shape[1])[:, None, None] * strides[0] + i - pairs[0][0]
        right = np.arange(part.shape[2])[:, None] * strides[1] + j - pairs[1][0]
        number = (down * width + right) * channels + np.arange(channels)
        inside = (down >= 0) & (down < height) & (right >= 0) & (right < width)
        number = xp.broadcast_to(number, part.shape)
        if found is None:
            found, at, seen = part, number, xp.broadcast_to(inside, part.shape)
            continue
        # what padding added is never chosen, also where all is -inf
        better = inside & ((part > found) | (part != part) | ~seen)
        found, at, seen = xp.where(better, part, found), xp.where(better, number, at), seen | inside
    if include_batch_in_index:
        at = at + np.arange(rows)[:, None, None, None] * (height * width * channels)
    return found, at.astype(output_dtype)


@public
def max_pool_with_argmax(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", output_dtype: Any = dtypes.int64,
    include_batch_in_index: bool = False, name: str | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`max_pool` of [B, H, W, C], and where each value stands: (y * W + x) * C + c, plus b * H * W * C if asked.

    >>> import tensorsmith as tf
    >>> value, at = tf.nn.max_pool_with_argmax(tf.reshape([3.0, 1.0, 2.0, 0.0], [1, 2, 2, 1]), 2, 2, "VALID")
    >>> value.numpy().item(), at.numpy().item()
    (3.0, 0)
    """
    who = "max_pool_with_argmax"
    if data_format != "NHWC":
        raise ValueError(explain(who, "channels must come last", {"data_format": data_format}))
    settings = {
        "ksize": per_axis(ksize, 2, False, who, "ksize"),
        "strides": per_axis(strides, 2, False, who, "strides"),
        "padding": as_padding(padding, 2, False, who),
        "output_dtype": dtypes.as_dtype(output_dtype).numpy_dtype,
        "include_batch_in_index": bool(include_batch_in_index),
    }
    return tuple(apply(_with_argmax, (input,), settings))  # type: ignore[return-value]


# ---- morphology


def _dilation_shape(specs: Specs, settings: dict) -> Specs:
    (shape, dtype), (filters, _) = specs
    sizes = result_sizes(tuple(shape[1:3]), tuple(filters[:2]), settings)
    return [((shape[0], *sizes, shape[3]), dtype)]


@primitive(name="dilation2d", kinds="f", shapes=_dilation_shape)
def _dilation2d(
    xp, input: Array, filters: Array, strides: tuple = (1, 1), padding: Any = "VALID", dilations: tuple = (1, 1)
):
    window = filters.shape[:2]
    x = padded(xp, input, pads(input.shape[1:3], window, strides, dilations, padding), lowest(input.dtype))
    sums = [part + filters[at] for at, part in places(x, window, strides, dilations)]
    return reduce(lambda a, b: greater_of(xp, a, b), sums)


@public
def dilation2d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: str = "NHWC", dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Grey dilation: max over k of input[b, o * stride + k * dilation, c] + filters[k, c].

    input [B, H, W, C], filters [KH, KW, C] -> [B, H', W', C].

    >>> import tensorsmith as tf
    >>> x = tf.reshape(tf.range(4.0), [1, 2, 2, 1])
    >>> tf.nn.dilation2d(x, tf.zeros([2, 2, 1]), [1] * 4, "VALID", "NHWC", [1] * 4).numpy().ravel()
    array([3.], dtype=float32)
    """
    who = "dilation2d"
    if data_format != "NHWC":
        raise ValueError(explain(who, "channels must come last", {"data_format": data_format}))
    x = convert(input)
    filters = convert(filters, None, x.dtype.numpy_dtype)
    if len(x.shape) != 4 or len(filters.shape) != 3 or x.shape[-1] != filters.shape[-1]:
        raise InvalidArgumentError(
            explain(who, "shapes do not fit", {"input": x.shape, "filters": filters.shape}, "[B, H, W, C], [KH, KW, C]")
        )
    settings = {
        "strides": per_axis(strides, 2, False, who, "strides"),
        "padding": as_padding(padding, 2, False, who),
        "dilations": per_axis(dilations, 2, False, who, "dilations"),
    }
    return apply(_dilation2d, (x, filters), settings)


def erosion2d(
    value: Any, filters: Any, strides: Any, padding: Any, data_format: str = "NHWC", dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Grey erosion: min over k of value[b, o * stride + k * dilation, c] - filters[K - 1 - k, c], the dual of `dilation2d`.

    >>> import tensorsmith as tf
    >>> x = tf.reshape(tf.range(1.0, 5.0), [1, 2, 2, 1])
    >>> tf.nn.erosion2d(x, tf.zeros([2, 2, 1]), [1] * 4, "VALID", "NHWC", [1] * 4).numpy().ravel()
    array([1.], dtype=float32)
    """
    value = convert(value)
    turned = reverse(convert(filters, None, value.dtype.numpy_dtype), [0, 1])
    return negative(dilation2d(negative(value), turned, strides, padding, data_format, dilations))
