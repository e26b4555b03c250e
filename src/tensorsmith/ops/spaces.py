"""Blocks of space moved to channels or to the batch, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.elementwise import add, floormod, subtract
from tensorsmith.ops.repeating import pad
from tensorsmith.ops.shaping import reshape, shape, stack, transpose
from tensorsmith.ops.windows import is_channels_first
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _sizes(x: Tensor) -> list[Any]:
    """Each size as a number where it is known, as a tensor where not."""
    found = shape(x)
    return [found[at] if size is None else size for at, size in enumerate(x.shape)]


def _shaped(x: Tensor, sizes: list[Any]) -> Tensor:
    return reshape(x, sizes if all(isinstance(size, int) for size in sizes) else stack(sizes))


def _image(input: Any, data_format: str, who: str) -> tuple[Tensor, bool]:
    x = convert(input)
    if len(x.shape) != 4:
        raise InvalidArgumentError(explain(who, "an image batch has four axes", {"input": x.shape}))
    return x, is_channels_first(data_format, 2, who)


def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    """Blocks of block_size x block_size places as channels: [B, H, W, C] -> [B, H / n, W / n, n * n * C].

    Raises InvalidArgumentError where H or W is no multiple of block_size.

    >>> import tensorsmith as tf
    >>> tf.nn.space_to_depth(tf.reshape(tf.range(4), [1, 2, 2, 1]), 2).numpy().tolist()
    [[[[0, 1, 2, 3]]]]
    """
    x, first = _image(input, data_format, "space_to_depth")
    n = plain(block_size, "block_size")
    if first:
        x = transpose(x, [0, 2, 3, 1])
    b, h, w, c = _sizes(x)
    if any(isinstance(size, int) and size % n for size in (h, w)):
        raise InvalidArgumentError(
            explain(
                "space_to_depth", "height and width must be multiples of the block", {"input": x.shape, "block_size": n}
            )
        )
    y = _shaped(x, [b, h // n, n, w // n, n, c])
    y = _shaped(transpose(y, [0, 1, 3, 2, 4, 5]), [b, h // n, w // n, n * n * c])
    return transpose(y, [0, 3, 1, 2]) if first else y


def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    """The way back of `space_to_depth`: [B, H, W, n * n * C] -> [B, H * n, W * n, C].

    >>> import tensorsmith as tf
    >>> tf.nn.depth_to_space([[[[0, 1, 2, 3]]]], 2).numpy()[0, :, :, 0].tolist()
    [[0, 1], [2, 3]]
    """
    x, first = _image(input, data_format, "depth_to_space")
    n = plain(block_size, "block_size")
    if first:
        x = transpose(x, [0, 2, 3, 1])
    b, h, w, c = _sizes(x)
    if isinstance(c, int) and c % (n * n):
        raise InvalidArgumentError(
            explain("depth_to_space", "the channels do not make whole blocks", {"input": x.shape, "block_size": n})
        )
    y = transpose(_shaped(x, [b, h, w, n, n, c // (n * n)]), [0, 1, 3, 2, 4, 5])
    y = _shaped(y, [b, h * n, w * n, c // (n * n)])
    return transpose(y, [0, 3, 1, 2]) if first else y


def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """Every block_shape-th place as an image of its own: [B, *S, ...] -> [prod(block) * B, *(S + paddings) / block, ...].

    Raises InvalidArgumentError where a padded size is no multiple of its block.

    >>> import tensorsmith as tf
    >>> tf.nn.space_to_batch([[[1], [2], [3], [4]]], [2], [[0, 0]]).numpy()[..., 0].tolist()
    [[1, 3], [2, 4]]
    """
    x = convert(input)
    blocks = tuple(plain(block_shape, "block_shape"))
    pairs = [tuple(pair) for pair in plain(paddings, "paddings")]
    rank = len(blocks)
    if any(low or high for low, high in pairs):
        x = pad(x, [(0, 0), *pairs, *[(0, 0)] * (len(x.shape) - rank - 1)])
    b, *sizes = _sizes(x)
    if any(isinstance(size, int) and size % n for size, n in zip(sizes, blocks)):
        raise InvalidArgumentError(
            explain(
                "space_to_batch",
                "padded sizes must be multiples of the blocks",
                {"padded": x.shape, "block_shape": blocks},
            )
        )
    split = [part for size, n in zip(sizes, blocks) for part in (size // n, n)]
    y = _shaped(x, [b, *split, *sizes[rank:]])
    order = [*range(2, 2 * rank + 1, 2), 0, *range(1, 2 * rank, 2), *range(2 * rank + 1, len(y.shape))]
    y = transpose(y, order)
    return _shaped(y, [b * math.prod(blocks), *(size // n for size, n in zip(sizes, blocks)), *sizes[rank:]])


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """(paddings, crops), each int32 [n, 2], with which sizes become multiples of the blocks: for space_to_batch and back.

    The start of each pair is that of base_paddings (by default 0), the end as much more as is needed.

    >>> import tensorsmith as tf
    >>> paddings, crops = tf.required_space_to_batch_paddings([5, 4], [2, 2])
    >>> paddings.numpy().tolist(), crops.numpy().tolist()
    ([[0, 1], [0, 0]], [[0, 1], [0, 0]])
    """
    sizes, blocks = convert(input_shape, dtypes.int32), convert(block_shape, dtypes.int32)
    if base_paddings is None:
        start = end = zeros_like(blocks)
    else:
        base = convert(base_paddings, dtypes.int32)
        start, end = base[:, 0], base[:, 1]
    whole = add(add(sizes, start), end)
    more = floormod(subtract(blocks, floormod(whole, blocks)), blocks)
    return stack([start, add(end, more)], 1), stack([zeros_like(more), more], 1)


def with_space_to_batch(
    input: Any, dilation_rate: Any, padding: str, op: Callable[[Any, int, str], Any], filter_shape: Any = None,
    spatial_dims: Any = None, data_format: str | None = None,
) -> Any:  # fmt: skip
    """What `op(x, number of spatial axes, padding)` gives for every dilation_rate-th place, put together: a dilated op.

    padding       "VALID", or "SAME", which needs filter_shape, the sizes of op's window.
    spatial_dims  the axes that the rates are of, from 1 up; by default those behind the batch (behind channels where
                  data_format begins with "NC").

    Raises ValueError for rates below 1 and what else does not fit. The sizes of those axes must be known.

    >>> import tensorsmith as tf
    >>> pool = lambda x, axes, padding: tf.nn.max_pool1d(x, 2, 1, padding)
    >>> tf.nn.with_space_to_batch([[[1.0], [5.0], [2.0], [3.0]]], [2], "VALID", pool).numpy()[0, :, 0]
    array([2., 5.], dtype=float32)
    """
    who = "with_space_to_batch"
    x = convert(input)
    rates = tuple(int(rate) for rate in plain(dilation_rate, "dilation_rate"))
    if any(rate < 1 for rate in rates):
        raise ValueError(explain(who, "a rate is below 1", {"dilation_rate": rates}))
    first = 2 if data_format is not None and data_format.startswith("NC") else 1
    axes = list(range(first, first + len(rates))) if spatial_dims is None else list(plain(spatial_dims, "spatial_dims"))
    if len(axes) != len(rates) or axes != sorted(set(axes)) or axes[0] < 1 or axes[-1] >= x.ndim:
        raise ValueError(
            explain(
                who,
                "spatial_dims must rise, from 1 up, one for each rate",
                {"spatial_dims": axes, "dilation_rate": rates, "input": tuple(x.shape)},
            )
        )
    if padding not in ("SAME", "VALID"):
        raise ValueError(explain(who, "no padding", {"padding": padding}, "'SAME' or 'VALID'"))
    if all(rate == 1 for rate in rates):
        return op(x, len(rates), padding)
    base = np.zeros((len(rates), 2), np.int32)
    if padding == "SAME":
        if filter_shape is None:
            raise ValueError(explain(who, "padding='SAME' needs filter_shape"))
        windows = plain(filter_shape, "filter_shape")[: len(rates)]
        spans = [(size - 1) * rate for size, rate in zip(windows, rates)]
        base[:] = [(span // 2, span - span // 2) for span in spans]
    paddings, crops = required_space_to_batch_paddings([x.shape[axis] for axis in axes], rates, base)
    # axes between those of the rates are kept whole, as blocks of 1
    blocks, outer, inner = np.ones(axes[-1], int), np.zeros((axes[-1], 2), int), np.zeros((axes[-1], 2), int)
    for at, axis in enumerate(axes):
        blocks[axis - 1], outer[axis - 1], inner[axis - 1] = rates[at], paddings.numpy()[at], crops.numpy()[at]
    result = op(space_to_batch(x, blocks.tolist(), outer.tolist()), len(rates), "VALID")
    return batch_to_space(result, blocks.tolist(), inner.tolist())


def batch_to_space(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """The way back of `space_to_batch`, with `crops` cut off.

    >>> import tensorsmith as tf
    >>> tf.batch_to_space([[[1], [3]], [[2], [4]]], [2], [[0, 1]]).numpy()[..., 0].tolist()
    [[1, 2, 3]]
    """
    x = convert(input)
    blocks = tuple(plain(block_shape, "block_shape"))
    pairs = [tuple(pair) for pair in plain(crops, "crops")]
    rank, many = len(blocks), math.prod(blocks)
    b, *sizes = _sizes(x)
    if isinstance(b, int) and b % many:
        raise InvalidArgumentError(
            explain(
                "batch_to_space",
                "the batch must be a multiple of the blocks",
                {"input": x.shape, "block_shape": blocks},
            )
        )
    y = _shaped(x, [*blocks, b // many, *sizes])
    order = [rank]
    for at in range(rank):
        order += [rank + 1 + at, at]
    y = transpose(y, [*order, *range(2 * rank + 1, len(y.shape))])
    whole = [size * n for size, n in zip(sizes, blocks)]
    y = _shaped(y, [b // many, *whole, *sizes[rank:]])
    cut = tuple(slice(low, -high if high else None) for low, high in pairs)
    return y[(slice(None), *cut)] if any(map(any, pairs)) else y
