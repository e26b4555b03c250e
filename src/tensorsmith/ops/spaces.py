"""Blocks of space moved to channels or to the batch, and back."""

from __future__ import annotations

import math
from typing import Any

from tensorsmith.core.errors import InvalidArgumentError, explain
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
