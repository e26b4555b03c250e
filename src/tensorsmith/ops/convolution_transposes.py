"""Transposed convolutions: what flows back to the input of a convolution, as an operation of its own."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.convolution import depthwise_settings, product, wide
from tensorsmith.ops.sizes import fill_sizes, split_sizes
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
    reach,
    result_size,
    split_shape,
    spread,
)
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _laid_out(xp: Any, x: Any, window: Any, sizes: Any, strides: Any, padding: Any, dilations: Any) -> Any:
    """x [B, *O, C] with zeros between and around, so that turned filters slid over it by 1 give [B, *sizes, ...]."""
    around = pads(sizes, window, strides, dilations, padding)
    x = spread(xp, x, strides)
    pairs = []
    for (low, _), size, width, dilation, has in zip(around, sizes, window, dilations, x.shape[1:-1]):
        before = reach(width, dilation) - 1 - low
        pairs.append((before, size + reach(width, dilation) - 1 - has - before))
    return padded(xp, x, tuple(pairs))


def _turned(filters: Any, rank: int) -> Any:
    return filters[(slice(None, None, -1),) * rank]


def _shape(specs: Specs, settings: dict) -> Specs:
    (shape, dtype), (filters, _) = specs[0], specs[1]
    first = settings["channels_first"]
    return [(joined_shape((shape[0],), settings["sizes"], filters[-2], first), dtype)]


@primitive(name="convolution_transpose", same=frozenset({"input", "filters"}), kinds="f", shapes=_shape)
def _transposed(
    xp, input: Array, filters: Array, parts: Arrays, sizes: Any = (), strides: tuple = (1,), padding: Any = "SAME",
    dilations: tuple = (1,), channels_first: bool = False,
):  # fmt: skip
    rank, window = len(strides), filters.shape[: len(strides)]
    spatial = fill_sizes(sizes, parts, "conv_transpose")
    x = channels_last(xp, wide(input), rank, channels_first)
    for has, size, width, stride, dilation, pair in zip(
        x.shape[1:-1], spatial, window, strides, dilations,
        [padding] * rank if isinstance(padding, str) else padding,
    ):  # fmt: skip
        if result_size(size, width, stride, dilation, pair) != has:
            raise InvalidArgumentError(
                explain(
                    "conv_transpose", "a convolution of the output shape would not give the input's shape",
                    {"input": input.shape, "output sizes": spatial, "filters": filters.shape, "strides": strides},
                )
            )  # fmt: skip
    x = _laid_out(xp, x, window, spatial, strides, padding, dilations)
    turned = xp.swapaxes(_turned(wide(filters), rank), -1, -2)
    found = product(xp, x, turned, (1,) * rank, dilations)
    return as_given(xp, found.astype(input.dtype), rank, channels_first)


def _transpose(
    x: Any,
    filters: Any,
    output_shape: Any,
    rank: int,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilations: Any,
    who: str,
) -> Tensor:
    x = convert(x, None, filters.dtype.numpy_dtype if isinstance(filters, Tensor) else None)
    filters = convert(filters, None, x.dtype.numpy_dtype)
    first = is_channels_first(data_format, rank, who)
    sizes, parts = split_sizes(output_shape, who)
    if len(sizes) == rank + 2:
        before = sum(size is None for size in sizes[: 2 if first else 1])
        spatial = sizes[2:] if first else sizes[1:-1]
        channels = sizes[1] if first else sizes[-1]
        parts = parts[before : before + sum(size is None for size in spatial)]
    elif len(sizes) == rank:
        spatial, channels = sizes, None
    else:
        raise ValueError(explain(who, "output_shape does not fit", {"output_shape": sizes}, f"{rank + 2} sizes"))
    given = split_shape(tuple(x.shape), rank, first)[2] if x.shape.rank is not None else None
    if x.shape.rank is not None and (len(x.shape) != rank + 2 or len(filters.shape) != rank + 2):
        raise InvalidArgumentError(
            explain(
                who, "the ranks do not fit", {"input": x.shape, "filters": filters.shape}, f"both have {rank + 2} axes"
            )
        )
    if None not in (given, filters.shape[-1]) and given != filters.shape[-1]:
        raise InvalidArgumentError(
            explain(
                who, "the channels do not fit", {"input": x.shape, "filters": filters.shape},
                "the last axis of the filters counts the channels of the input",
            )
        )  # fmt: skip
    if None not in (channels, filters.shape[-2]) and channels != filters.shape[-2]:
        raise InvalidArgumentError(
            explain(
                who, "the channels do not fit", {"output_shape": sizes, "filters": filters.shape},
                "the last axis but one of the filters counts the channels of the output",
            )
        )  # fmt: skip
    settings = {
        "sizes": spatial,
        "strides": per_axis(strides, rank, first, who, "strides"),
        "padding": as_padding(padding, rank, first, who),
        "dilations": per_axis(dilations, rank, first, who, "dilations"),
        "channels_first": first,
    }
    return apply(_transposed, (x, filters, parts), settings)


@public
def conv_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any = "SAME", data_format: Any = None,
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The transpose of a `convolution` of one to three axes: what it would pass back to its input.

        y[b, o * stride + k * dilation, c] += x[b, o, f] * filters[k, c, f]

    input [B, *O, F], filters [*K, C, F] -> output_shape [B, *S, C].

    Raises InvalidArgumentError where a convolution of output_shape would not give the input's shape.

    >>> import tensorsmith as tf
    >>> tf.nn.conv_transpose([[[1.0], [2.0]]], [[[1.0]], [[10.0]]], [1, 4, 1], strides=2).numpy()[0, :, 0]
    array([ 1., 10.,  2., 20.], dtype=float32)
    """
    filters = convert(filters, None, input.dtype.numpy_dtype if isinstance(input, Tensor) else None)
    rank = len(filters.shape) - 2
    if not 1 <= rank <= 3:
        raise ValueError(explain("conv_transpose", "no convolution of so many axes", {"filters": filters.shape}))
    return _transpose(input, filters, output_shape, rank, strides, padding, data_format, dilations, "conv_transpose")


def conv1d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any = "SAME", data_format: str = "NWC",
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """`conv_transpose` of one axis: input [B, W, F], filters [K, C, F] -> output_shape [B, W', C].

    >>> import tensorsmith as tf
    >>> tf.nn.conv1d_transpose([[[1.0], [2.0]]], [[[1.0]], [[1.0]]], [1, 3, 1], 1, "VALID").numpy()[0, :, 0]
    array([1., 3., 2.], dtype=float32)
    """
    return _transpose(input, filters, output_shape, 1, strides, padding, data_format, dilations, "conv1d_transpose")


def conv2d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any = "SAME", data_format: str = "NHWC",
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """`conv_transpose` of two axes: input [B, H, W, F], filters [KH, KW, C, F] -> output_shape [B, H', W', C].

    >>> import tensorsmith as tf
    >>> tf.nn.conv2d_transpose(tf.ones([1, 1, 2, 1]), tf.ones([2, 2, 1, 1]), [1, 2, 4, 1], 2).shape
    TensorShape([1, 2, 4, 1])
    """
    return _transpose(input, filters, output_shape, 2, strides, padding, data_format, dilations, "conv2d_transpose")


def conv3d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any = "SAME", data_format: str = "NDHWC",
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """`conv_transpose` of three axes: input [B, D, H, W, F], filters [KD, KH, KW, C, F] -> output_shape.

    >>> import tensorsmith as tf
    >>> tf.nn.conv3d_transpose(tf.ones([1, 1, 1, 1, 1]), tf.ones([2, 2, 2, 1, 1]), [1, 2, 2, 2, 1], 2).shape
    TensorShape([1, 2, 2, 2, 1])
    """
    return _transpose(input, filters, output_shape, 3, strides, padding, data_format, dilations, "conv3d_transpose")


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: Any, padding: Any, name: str | None = None
) -> Tensor:
    """The transpose of `atrous_conv2d`.

    >>> import tensorsmith as tf
    >>> y = tf.nn.atrous_conv2d_transpose(tf.ones([1, 1, 1, 1]), tf.ones([1, 2, 1, 1]), [1, 1, 3, 1], 2, "VALID")
    >>> y.numpy().ravel()
    array([1., 0., 1.], dtype=float32)
    """
    return _transpose(value, filters, output_shape, 2, 1, padding, "NHWC", rate, "atrous_conv2d_transpose")


def _depthwise_shape(specs: Specs, settings: dict) -> Specs:
    (shape, dtype), (filters, _) = specs
    return [(joined_shape((shape[0],), settings["sizes"], filters[-2], settings["channels_first"]), dtype)]


@primitive(name="depthwise_convolution_transpose", kinds="f", shapes=_depthwise_shape)
def _depthwise_transposed(
    xp, out_backprop: Array, filters: Array, sizes: tuple = (), strides: tuple = (1, 1), padding: Any = "SAME",
    dilations: tuple = (1, 1), channels_first: bool = False,
):  # fmt: skip
    rank, window, (channels, many) = len(strides), filters.shape[:-2], filters.shape[-2:]
    g = channels_last(xp, wide(out_backprop), rank, channels_first)
    g = _laid_out(xp, g, window, sizes, strides, padding, dilations)
    turned = _turned(wide(filters), rank)
    total: Any = None
    for at, part in places(g, window, (1,) * rank, dilations):
        term = xp.sum(part.reshape(*part.shape[:-1], channels, many) * turned[at], axis=-1)
        total = term if total is None else total + term
    return as_given(xp, total.astype(out_backprop.dtype), rank, channels_first)


def depthwise_conv2d_backprop_input(
    input_sizes: Any, filter: Any, out_backprop: Any, strides: Any, padding: Any, data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """What flows back to the input [B, H, W, C] of a `depthwise_conv2d`, of what flows back to its result.

    >>> import tensorsmith as tf
    >>> g = tf.nn.depthwise_conv2d_backprop_input([1, 2, 2, 1], tf.ones([1, 1, 1, 2]), tf.ones([1, 2, 2, 2]), [1] * 4, "SAME")
    >>> g.numpy().ravel()
    array([2., 2., 2., 2.], dtype=float32)
    """
    settings = depthwise_settings(strides, padding, data_format, dilations, "depthwise_conv2d_backprop_input")
    sizes = tuple(int(size) for size in plain(input_sizes, "input_sizes"))
    settings["sizes"] = split_shape(sizes, 2, settings["channels_first"])[1]
    return apply(_depthwise_transposed, (out_backprop, filter), settings)
