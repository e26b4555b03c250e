"""Pooling over regions whose borders are drawn, so that sizes shrink by a fraction: [B, H, W, C] -> [B, H', W', C].

Source: Graham (2015), Fractional max-pooling.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import less, where
from tensorsmith.ops.cumulative import cumsum
from tensorsmith.ops.elementwise import add, divide, minimum, multiply, subtract
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.reductions import reduce_max, reduce_sum
from tensorsmith.ops.repeating import pad
from tensorsmith.ops.rounding import ceil
from tensorsmith.ops.shaping import concat, expand_dims, reshape
from tensorsmith.state.random_generator import generator_of
from tensorsmith.state.random_stateless import stateless_shuffle, stateless_uniform
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class FractionalPool(NamedTuple):
    """What a fractional pooling gives.

    output                                     the result.
    row_pooling_sequence, col_pooling_sequence  the borders of the regions along H and W, int64, the last one being the end.
    """

    output: Tensor
    row_pooling_sequence: Tensor
    col_pooling_sequence: Tensor


def _borders(size: int, count: int, pseudo: bool, seed: int, axis: int) -> Tensor:
    """Where `count` regions of `size` places begin, and the end: int64 [count + 1]."""
    steps, longer = divmod(size, count)
    if pseudo:
        # ceil(alpha (i + u)): as evenly as regions of whole places can be
        alpha = size / count
        u = stateless_uniform([], [seed, axis]) if seed else generator_of(None).uniform([])
        most = min((steps + 2) / alpha - 1, (size + 1 - steps) / alpha - (count - 1))
        inner = ceil(multiply(add(cast(np.arange(1, count), "float64"), multiply(cast(u, "float64"), most)), alpha))
        return concat([[0], minimum(subtract(cast(inner, "int64"), 1), size), [size]], 0)
    widths = np.full(count, steps, np.int64)
    widths[:longer] += 1
    mixed = stateless_shuffle(widths, [seed, axis]) if seed else generator_of(None).shuffle(widths)
    return pad(cumsum(mixed), [(1, 0)])


def _regions(x: Tensor, borders: Tensor, axis: int, width: int, overlapping: bool) -> tuple[Tensor, Tensor]:
    """(what stands at each of `width` places of each region, as two axes in the place of one; which places count)."""
    first, end = borders[:-1], borders[1:]
    if overlapping:
        end = minimum(add(end, 1), x.shape[axis])
    at = add(expand_dims(first, 1), np.arange(width))
    there = less(at, expand_dims(end, 1))
    values = gather(x, minimum(at, x.shape[axis] - 1), axis=axis)
    return values, reshape(there, [1] * axis + [there.shape[0], width] + [1] * (3 - axis))


def _pooled(who: str, value: Any, pooling_ratio: Any, pseudo: Any, overlapping: Any, seed: Any, mean: bool) -> Any:
    x = convert(value)
    if x.ndim != 4 or None in tuple(x.shape)[1:3]:
        raise InvalidArgumentError(
            explain(who, "an image batch has four axes, of known height and width", {"value": tuple(x.shape)})
        )
    given = plain(pooling_ratio, "pooling_ratio")
    ratios = (1.0, given, given, 1.0) if isinstance(given, (int, float)) else tuple(given)
    ratios = (1.0, *ratios, 1.0) if len(ratios) == 2 and not isinstance(given, (int, float)) else ratios
    if len(ratios) == 1:
        ratios = (1.0, ratios[0], ratios[0], 1.0)
    if len(ratios) != 4 or ratios[0] != 1.0 or ratios[3] != 1.0 or min(ratios) < 1.0:
        raise ValueError(
            explain(
                who,
                "pooling_ratio does not fit",
                {"pooling_ratio": pooling_ratio},
                "a number from 1 up, two of them, or four of which the first and last are 1",
            )
        )
    seed, overlapping = int(plain(seed)), bool(plain(overlapping))
    sequences = []
    for axis in (1, 2):
        size, ratio = int(x.shape[axis]), ratios[axis]  # type: ignore[arg-type]
        count = math.floor(size / ratio)
        if count < 1:
            raise InvalidArgumentError(explain(who, "nothing is left", {"value": tuple(x.shape), "ratio": ratio}))
        borders = _borders(size, count, bool(plain(pseudo)), seed, axis)
        sequences.append(borders)
        # of ceil() the widest region may have one place more than of the other
        width = size // count + 1 + overlapping
        values, there = _regions(x, borders, axis, width, overlapping)
        if mean:
            total = reduce_sum(where(there, values, convert(0, x.dtype)), axis + 1)
            x = divide(total, cast(reduce_sum(cast(there, "int32"), axis + 1), x.dtype))
        else:
            x = reduce_max(where(there, values, convert(x.dtype.min, x.dtype)), axis + 1)
    return FractionalPool(x, *sequences)


def fractional_max_pool(
    value: Any, pooling_ratio: Any, pseudo_random: bool = False, overlapping: bool = False, seed: int = 0,
    name: str | None = None,
) -> FractionalPool:  # fmt: skip
    """The greatest of each of regions whose borders are drawn: [B, H, W, C] -> [B, H // ratio, W // ratio, C].

    pooling_ratio  how much smaller height and width become, from 1 up: a number, two, or four of which the first and
                   last are 1.
    pseudo_random  False: widths of regions in random order; True: borders at equal distances, moved by one random number.
    overlapping    True: the first place of the next region belongs to a region too.
    seed           0: other regions at each call; any other number: always the same ones.

    Gives (output, borders along H, borders along W).
    Raises ValueError for a ratio below 1, InvalidArgumentError for what has not four axes.

    >>> import tensorsmith as tf
    >>> y, rows, columns = tf.nn.fractional_max_pool(tf.ones([1, 6, 6, 1]), 1.5, seed=1)
    >>> y.shape, int(rows[0]), int(rows[-1])
    (TensorShape([1, 4, 4, 1]), 0, 6)
    """
    return _pooled("fractional_max_pool", value, pooling_ratio, pseudo_random, overlapping, seed, mean=False)


def fractional_avg_pool(
    value: Any, pooling_ratio: Any, pseudo_random: bool = False, overlapping: bool = False, seed: int = 0,
    name: str | None = None,
) -> FractionalPool:  # fmt: skip
    """The mean of each of regions whose borders are drawn; arguments and results as of `fractional_max_pool`.

    >>> import tensorsmith as tf
    >>> y, rows, _ = tf.nn.fractional_avg_pool(tf.ones([1, 6, 6, 1]), [1.0, 1.5, 2.0, 1.0], seed=1)
    >>> y.shape
    TensorShape([1, 4, 3, 1])
    """
    return _pooled("fractional_avg_pool", value, pooling_ratio, pseudo_random, overlapping, seed, mean=True)
