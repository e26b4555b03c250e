"""Convolutions of one to three axes, depthwise and separable ones.

A convolution is one matrix product of all windows with all filters: XLA's own convolution is some 50 times slower
inside a compiled loop on a CPU, and NumPy has none. Outside of loops XLA's own is taken for filters beyond 3x3.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.shaping import concat, reshape
from tensorsmith.ops.shaping import shape as shape_of
from tensorsmith.ops.windows import (
    as_given,
    as_padding,
    channels_last,
    columns,
    is_channels_first,
    joined_shape,
    padded,
    pads,
    per_axis,
    places,
    result_size,
    split_shape,
)
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def wide(x: Any) -> Any:
    """16-bit floats in float32, so that sums of many products keep their digits."""
    return x.astype("float32") if x.dtype.kind == "f" and x.dtype.itemsize < 4 else x


def product(xp: Any, x: Any, filters: Any, strides: Any, dilations: Any) -> Any:
    """The convolution of a padded x [B, *S, C] with filters [*K, C / groups, F]."""
    window, depth, count = filters.shape[:-2], filters.shape[-2], filters.shape[-1]
    groups = x.shape[-1] // depth
    if depth == 1 and groups > 1:
        # a product of 1 x K matrices for each channel costs more than K multiplications of whole arrays
        return by_channel(xp, x, filters.reshape(*window, groups, count // groups), strides, dilations)
    if (
        xp is not np
        and groups == 1
        and math.prod(window) > 9
        and x.dtype.kind == "f"
        and not getattr(xp, "looped", False)
    ):
        return _by_engine(x, filters, strides, dilations)
    if math.prod(window) == 1:
        places_of = next(places(x, window, strides, dilations))[1][..., None, :]
    else:
        places_of = columns(xp, x, window, strides, dilations)
    outer, size = places_of.shape[:-2], math.prod(window)
    if groups == 1:
        return (places_of.reshape(-1, size * depth) @ filters.reshape(-1, count)).reshape(*outer, count)
    rows = places_of.reshape(-1, size, groups, depth)
    rows = xp.moveaxis(rows, 2, 0).reshape(groups, -1, size * depth)
    each = xp.moveaxis(filters.reshape(size * depth, groups, count // groups), 1, 0)
    return xp.moveaxis(rows @ each, 0, 1).reshape(*outer, count)


def _by_engine(x: Any, filters: Any, strides: Any, dilations: Any) -> Any:
    """The same by XLA's own convolution, which outside of loops takes a third of the time with 5x5 filters.

    With 3x3 ones it takes as long as the matrix product.
    """
    from tensorsmith.program.execute import jax

    rank = len(strides)
    letters = "DHW"[3 - rank :]
    names = (f"N{letters}C", f"{letters}IO", f"N{letters}C")
    batch = x.shape[: -rank - 1]
    found = jax().lax.conv_general_dilated(
        x.reshape(-1, *x.shape[-rank - 1 :]), filters, strides, "VALID", rhs_dilation=dilations, dimension_numbers=names
    )
    return found.reshape(*batch, *found.shape[1:])


def by_channel(xp: Any, x: Any, filters: Any, strides: Any, dilations: Any) -> Any:
    """The depthwise convolution of a padded x [B, *S, C] with filters [*K, C, M]: [B, *O, C * M]."""
    window, many = filters.shape[:-2], filters.shape[-1]
    total: Any = None
    for at, part in places(x, window, strides, dilations):
        # an axis of one at the end would cost XLA 3.6 times as long
        term = part * filters[at][:, 0] if many == 1 else part[..., None] * filters[at]
        total = term if total is None else total + term
    return total if many == 1 else total.reshape(*total.shape[:-2], total.shape[-2] * many)


def _shape(specs: Specs, settings: dict) -> Specs:
    (shape, dtype), (filters, _) = specs
    first, rank = settings["channels_first"], len(settings["strides"])
    outer, spatial, _ = split_shape(shape, rank, first)
    sizes = result_sizes(spatial, filters[:rank], settings)
    return [(joined_shape(outer, sizes, filters[-1], first), dtype)]


def result_sizes(spatial: tuple, window: tuple, settings: dict) -> tuple:
    """The spatial sizes of a convolution's result, None where not known."""
    padding = settings["padding"]
    pairs = [padding] * len(spatial) if isinstance(padding, str) else padding
    return tuple(
        None if w is None and p != "SAME" else result_size(s, w or 1, t, d, p)
        for s, w, t, d, p in zip(spatial, window, settings["strides"], settings["dilations"], pairs)
    )


@primitive(name="convolution", kinds="fi", shapes=_shape)
def _convolution(
    xp, input: Array, filters: Array, strides: tuple = (1,), padding: Any = "VALID", dilations: tuple = (1,),
    channels_first: bool = False,
):  # fmt: skip
    rank, dtype = len(strides), input.dtype
    x = channels_last(xp, wide(input), rank, channels_first)
    outer = x.shape[: -rank - 1]
    x = x.reshape(math.prod(outer), *x.shape[-rank - 1 :])
    x = padded(xp, x, pads(x.shape[1:-1], filters.shape[:rank], strides, dilations, padding))
    found = product(xp, x, wide(filters), strides, dilations)
    return as_given(xp, found.reshape(*outer, *found.shape[1:]).astype(dtype), rank, channels_first)


def check_channels(x: Tensor, filters: Tensor, rank: int, first: bool, who: str, depthwise: bool = False) -> None:
    """InvalidArgumentError where ranks or channels of what is known do not fit."""
    if x.shape.rank is None or filters.shape.rank is None:
        return
    if x.shape.rank < rank + 2 or filters.shape.rank != rank + 2:
        raise InvalidArgumentError(
            explain(
                who, "the ranks do not fit", {"input": x.shape, "filters": filters.shape},
                f"input has {rank + 2} axes (batch, {rank} spatial, channels), filters have {rank + 2}",
            )
        )  # fmt: skip
    channels, depth, count = split_shape(tuple(x.shape), rank, first)[2], filters.shape[-2], filters.shape[-1]
    if channels is None or depth is None:
        return
    wrong = channels != depth if depthwise else depth == 0 or channels % depth or (count or 0) % (channels // depth)
    if wrong:
        rule = (
            "the filters must have one row for each channel"
            if depthwise
            else "the input's channels must be a multiple of the filters' depth, and their number of the groups"
        )
        raise InvalidArgumentError(
            explain(who, "the channels do not fit", {"input": x.shape, "filters": filters.shape}, rule)
        )


def convolve(
    x: Any, filters: Any, rank: int, strides: Any, padding: Any, data_format: Any, dilations: Any, who: str
) -> Tensor:
    """A convolution of `rank` axes, its arguments checked and made plain."""
    x = convert(x, None, filters.dtype.numpy_dtype if isinstance(filters, Tensor) else None)
    filters = convert(filters, None, x.dtype.numpy_dtype)
    first = is_channels_first(data_format, rank, who)
    settings = {
        "strides": per_axis(strides, rank, first, who, "strides"),
        "padding": as_padding(padding, rank, first, who),
        "dilations": per_axis(dilations, rank, first, who, "dilations"),
        "channels_first": first,
    }
    check_channels(x, filters, rank, first, who)
    return apply(_convolution, (x, filters), settings)


@public
def convolution(
    input: Any, filters: Any, strides: Any = None, padding: Any = "VALID", data_format: Any = None, dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """A convolution of as many axes, one to three, as the filters have.

        y[b, o, f] = sum over k, c of x[b, o * stride + k * dilation, c] * filters[k, c, f]

    input [B, *S, C], filters [*K, C / groups, F] -> [B, *O, F]. padding: "VALID" (none), "SAME" (O = ceil(S / stride)) or a
    list of pairs. data_format: "NWC", "NHWC", "NDHWC" or, channels first, "NCW", "NCHW", "NCDHW".

    Raises InvalidArgumentError where ranks or channels do not fit, ValueError for an unknown padding or format.

    >>> import tensorsmith as tf
    >>> tf.nn.convolution([[[1.0], [2.0], [3.0]]], [[[1.0]], [[10.0]]]).numpy()[0, :, 0]
    array([21., 32.], dtype=float32)
    """
    filters = convert(filters, None, input.dtype.numpy_dtype if isinstance(input, Tensor) else None)
    rank = len(filters.shape) - 2
    if not 1 <= rank <= 3:
        raise ValueError(
            explain(
                "convolution", "no convolution of so many axes", {"filters": filters.shape}, "filters have 3 to 5 axes"
            )
        )
    return convolve(input, filters, rank, strides, padding, data_format, dilations, "convolution")


def conv1d(
    input: Any, filters: Any, stride: Any, padding: Any, data_format: str = "NWC", dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """A `convolution` of one axis: input [B, W, C], filters [K, C, F] -> [B, W', F].

    >>> import tensorsmith as tf
    >>> tf.nn.conv1d([[[1.0], [2.0], [3.0]]], [[[1.0]], [[1.0]]], stride=1, padding="VALID").numpy()[0, :, 0]
    array([3., 5.], dtype=float32)
    """
    if isinstance(stride, (tuple, list)) and len(stride) == 3 and not isinstance(padding, str):
        stride = tuple(stride)
    return convolve(input, filters, 1, stride, padding, data_format, dilations, "conv1d")


def conv2d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: str = "NHWC", dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """A `convolution` of two axes: input [B, H, W, C], filters [KH, KW, C / groups, F] -> [B, H', W', F].

    >>> import tensorsmith as tf
    >>> tf.nn.conv2d(tf.ones([1, 3, 3, 1]), tf.ones([3, 3, 1, 1]), strides=1, padding="SAME").numpy()[0, :, :, 0]
    array([[4., 6., 4.],
           [6., 9., 6.],
           [4., 6., 4.]], dtype=float32)
    """
    return convolve(input, filters, 2, strides, padding, data_format, dilations, "conv2d")


def conv3d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: str = "NDHWC", dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """A `convolution` of three axes: input [B, D, H, W, C], filters [KD, KH, KW, C, F] -> [B, D', H', W', F].

    >>> import tensorsmith as tf
    >>> tf.nn.conv3d(tf.ones([1, 2, 2, 2, 1]), tf.ones([2, 2, 2, 1, 3]), [1] * 5, "VALID").numpy().ravel()
    array([8., 8., 8.], dtype=float32)
    """
    return convolve(input, filters, 3, strides, padding, data_format, dilations, "conv3d")


def conv(
    input: Any, filter: Any, strides: Any, padding: str, explicit_paddings: Any = (), data_format: str = "CHANNELS_LAST",
    dilations: Any = (), batch_dims: int = 1, groups: int = 1, name: str | None = None,
) -> Tensor:  # fmt: skip
    """A `convolution` whose input may have several leading axes: [*B, *S, C] with filters [*K, C / groups, F].

    strides, dilations  a number for each axis of an input with one leading axis.
    padding             "VALID", "SAME", or "EXPLICIT" with explicit_paddings: two numbers for each of those axes, flat.
    data_format         "CHANNELS_LAST" or "CHANNELS_FIRST".
    batch_dims          how many leading axes there are.

    Raises InvalidArgumentError where ranks, channels or groups do not fit.

    >>> import tensorsmith as tf
    >>> tf.conv(tf.ones([2, 1, 3, 3, 1]), tf.ones([3, 3, 1, 4]), [1, 1, 1, 1], "VALID", batch_dims=2).shape
    TensorShape([2, 1, 1, 1, 4])
    """
    x = convert(input)
    filters = convert(filter, None, x.dtype.numpy_dtype)
    rank, lead = filters.ndim - 2, int(plain(batch_dims))
    if data_format not in ("CHANNELS_LAST", "CHANNELS_FIRST"):
        raise ValueError(
            explain("conv", "no data format", {"data_format": data_format}, "CHANNELS_LAST, CHANNELS_FIRST")
        )
    if not 1 <= rank <= 3 or x.ndim != lead + rank + 1 or lead < 1:
        raise InvalidArgumentError(
            explain(
                "conv",
                "the ranks do not fit",
                {"input": x.shape, "filter": filters.shape, "batch_dims": lead},
                "input has batch_dims axes, one to three spatial ones, and channels; filters two beside the spatial ones",
            )
        )
    first = data_format == "CHANNELS_FIRST"
    formats = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}[rank]
    channels = x.shape[lead if first else -1]
    if channels is not None and channels != filters.shape[-2] * groups:
        raise InvalidArgumentError(
            explain(
                "conv",
                "the channels do not fit",
                {"input": x.shape, "filter": filters.shape, "groups": groups},
                "there must be as many as the filters have in each group",
            )
        )
    if padding == "EXPLICIT":
        flat = list(plain(explicit_paddings, "explicit_paddings"))
        around: Any = list(zip(flat[::2], flat[1::2]))
    else:
        around = padding
    if lead == 1:
        return convolve(x, filters, rank, strides, around, formats[first], dilations or None, "conv")
    outer = shape_of(x)[:lead]
    flat_x = reshape(x, concat([[-1], shape_of(x)[lead:]], 0))
    found = convolve(flat_x, filters, rank, strides, around, formats[first], dilations or None, "conv")
    return reshape(found, concat([outer, shape_of(found)[1:]], 0))


def atrous_conv2d(value: Any, filters: Any, rate: Any, padding: Any, name: str | None = None) -> Tensor:
    """`conv2d` whose filters have rate - 1 holes between their elements.

    >>> import tensorsmith as tf
    >>> tf.nn.atrous_conv2d(tf.ones([1, 3, 3, 1]), tf.ones([2, 2, 1, 1]), rate=2, padding="VALID").numpy().ravel()
    array([4.], dtype=float32)
    """
    return convolve(value, filters, 2, 1, padding, "NHWC", rate, "atrous_conv2d")


# ---- depthwise


def _depthwise_shape(specs: Specs, settings: dict) -> Specs:
    (shape, dtype), (filters, _) = specs
    first, rank = settings["channels_first"], len(settings["strides"])
    outer, spatial, channels = split_shape(shape, rank, first)
    channels, many = channels if channels is not None else filters[-2], filters[-1]
    count = None if channels is None or many is None else channels * many
    return [(joined_shape(outer, result_sizes(spatial, filters[:rank], settings), count, first), dtype)]


@primitive(name="depthwise_convolution", kinds="f", shapes=_depthwise_shape)
def _depthwise(
    xp, input: Array, filters: Array, strides: tuple = (1, 1), padding: Any = "VALID", dilations: tuple = (1, 1),
    channels_first: bool = False,
):  # fmt: skip
    rank, dtype = len(strides), input.dtype
    x = channels_last(xp, wide(input), rank, channels_first)
    x = padded(xp, x, pads(x.shape[1:-1], filters.shape[:rank], strides, dilations, padding))
    found = by_channel(xp, x, wide(filters), strides, dilations).astype(dtype)
    return as_given(xp, found, rank, channels_first)


def depthwise_settings(strides: Any, padding: Any, data_format: Any, dilations: Any, who: str) -> dict[str, Any]:
    """The settings of a depthwise convolution of two axes."""
    first = is_channels_first(data_format, 2, who)
    return {
        "strides": per_axis(strides, 2, first, who, "strides"),
        "padding": as_padding(padding, 2, first, who),
        "dilations": per_axis(dilations, 2, first, who, "dilations"),
        "channels_first": first,
    }


def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: Any, data_format: Any = None, dilations: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """A convolution of each channel with filters of its own: channel c of the input makes channels c * M to c * M + M - 1.

    input [B, H, W, C], filter [KH, KW, C, M] -> [B, H', W', C * M].

    >>> import tensorsmith as tf
    >>> x, w = tf.ones([1, 2, 2, 2]), tf.constant([1.0, 2.0, 3.0, 4.0], shape=[1, 1, 2, 2])
    >>> tf.nn.depthwise_conv2d(x, w, strides=[1, 1, 1, 1], padding="VALID").numpy()[0, 0, 0]
    array([1., 2., 3., 4.], dtype=float32)
    """
    x = convert(input)
    filters = convert(filter, None, x.dtype.numpy_dtype)
    settings = depthwise_settings(strides, padding, data_format, dilations, "depthwise_conv2d")
    check_channels(x, filters, 2, settings["channels_first"], "depthwise_conv2d", depthwise=True)
    return apply(_depthwise, (x, filters), settings)


def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: Any, data_format: Any = None,
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """`depthwise_conv2d`, then a 1 x 1 convolution that mixes the channels.

    depthwise_filter [KH, KW, C, M], pointwise_filter [1, 1, C * M, F].
    Source: Chollet (2017), Xception.

    >>> import tensorsmith as tf
    >>> y = tf.nn.separable_conv2d(tf.ones([1, 2, 2, 1]), tf.ones([2, 2, 1, 2]), tf.ones([1, 1, 2, 1]), [1] * 4, "VALID")
    >>> y.numpy().ravel()
    array([8.], dtype=float32)
    """
    deep = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return convolve(deep, pointwise_filter, 2, 1, "VALID", data_format, None, "separable_conv2d")


def _filter_shape(specs: Specs, settings: dict) -> Specs:
    return [(settings["sizes"], specs[0][1])]


@primitive(name="depthwise_filter_gradient", kinds="f", shapes=_filter_shape)
def _filter_gradient(
    xp, input: Array, out_backprop: Array, sizes: tuple = (), strides: tuple = (1, 1), padding: Any = "VALID",
    dilations: tuple = (1, 1), channels_first: bool = False,
):  # fmt: skip
    rank, window = len(strides), sizes[:-2]
    x = channels_last(xp, wide(input), rank, channels_first)
    g = channels_last(xp, wide(out_backprop), rank, channels_first)
    g = g.reshape(*g.shape[:-1], *sizes[-2:])
    x = padded(xp, x, pads(x.shape[1:-1], window, strides, dilations, padding))
    axes = tuple(range(rank + 1))
    found = [xp.sum(part[..., None] * g, axis=axes) for _, part in places(x, window, strides, dilations)]
    return xp.stack(found).reshape(sizes).astype(input.dtype)


def depthwise_conv2d_backprop_filter(
    input: Any, filter_sizes: Any, out_backprop: Any, strides: Any, padding: Any, data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """What flows back to the filters [KH, KW, C, M] of a `depthwise_conv2d`, of what flows back to its result.

    >>> import tensorsmith as tf
    >>> g = tf.nn.depthwise_conv2d_backprop_filter(tf.ones([1, 2, 2, 1]), [1, 1, 1, 1], tf.ones([1, 2, 2, 1]), [1] * 4, "SAME")
    >>> g.numpy().ravel()
    array([4.], dtype=float32)
    """
    settings = depthwise_settings(strides, padding, data_format, dilations, "depthwise_conv2d_backprop_filter")
    settings["sizes"] = tuple(int(size) for size in np.asarray(filter_sizes).tolist())
    return apply(_filter_gradient, (input, out_backprop), settings)
