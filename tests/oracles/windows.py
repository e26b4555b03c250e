"""Convolutions and pooling, place by place."""

from __future__ import annotations

import itertools

import numpy as np

from tests.support.spine import Draw, Row

d = Draw(31)


def pairs_of(sizes, window, strides, padding, dilations):
    """How much is added before and behind each axis, and how many windows there are."""
    found = []
    for axis, (n, k, s, g) in enumerate(zip(sizes, window, strides, dilations)):
        span = (k - 1) * g + 1
        if padding == "SAME":
            count = int(np.ceil(n / s))
            total = max((count - 1) * s + span - n, 0)
            found.append((total // 2, count))
        else:
            low, high = (0, 0) if padding == "VALID" else padding[axis]
            found.append((low, max((n + low + high - span) // s + 1, 0)))
    return found


def windows(x, window, strides, padding, dilations, outside=0.0):
    """[B, *O, *K, C], one element at a time; what lies outside of x is `outside`."""
    sizes = x.shape[1:-1]
    plan = pairs_of(sizes, window, strides, padding, dilations)
    counts = [count for _, count in plan]
    found = np.full((x.shape[0], *counts, *window, x.shape[-1]), outside, x.dtype)
    for o in itertools.product(*map(range, counts)):
        for k in itertools.product(*map(range, window)):
            at = [a * s + b * g - low for a, b, s, g, (low, _) in zip(o, k, strides, dilations, plan)]
            if all(0 <= a < n for a, n in zip(at, sizes)):
                found[(slice(None), *o, *k)] = x[(slice(None), *at)]
    return found


def last(x, rank, first):
    return np.moveaxis(x, -rank - 1, -1) if first else x


def back(x, rank, first):
    return np.moveaxis(x, -1, -rank - 1) if first else x


def convolution(x, w, strides, padding, dilations, channels_first):
    rank = len(strides)
    x = last(x, rank, channels_first)
    if x.ndim > rank + 2:
        return np.stack([convolution(each, w, strides, padding, dilations, False) for each in x])
    seen = windows(x, w.shape[:rank], strides, padding, dilations)
    groups = x.shape[-1] // w.shape[-2]
    axes = list(range(1 + rank, 2 + 2 * rank))
    parts = [
        np.tensordot(a, b, (axes, list(range(rank + 1))))
        for a, b in zip(np.split(seen, groups, -1), np.split(w, groups, -1))
    ]
    return back(np.concatenate(parts, -1), rank, channels_first)


def depthwise(x, w, strides, padding, dilations, channels_first):
    x = last(x, 2, channels_first)
    parts = [
        convolution(x[..., c : c + 1], w[:, :, c : c + 1], strides, padding, dilations, False)
        for c in range(w.shape[2])
    ]
    return back(np.concatenate(parts, -1), 2, channels_first)


def transpose(x, w, parts, sizes, strides, padding, dilations, channels_first):
    rank = len(strides)
    x = last(x, rank, channels_first)
    whole = tuple(sizes)
    plan = pairs_of(whole, w.shape[:rank], strides, padding, dilations)
    y = np.zeros((x.shape[0], *whole, w.shape[-2]))
    for o in itertools.product(*map(range, x.shape[1:-1])):
        for k in itertools.product(*map(range, w.shape[:rank])):
            at = [a * s + b * g - low for a, b, s, g, (low, _) in zip(o, k, strides, dilations, plan)]
            if all(0 <= a < n for a, n in zip(at, whole)):
                y[(slice(None), *at)] += x[(slice(None), *o)] @ w[k].T
    return back(y, rank, channels_first)


def depthwise_transpose(g, w, sizes, strides, padding, dilations, channels_first):
    g, many = last(g, 2, channels_first), w.shape[-1]
    parts = [
        transpose(g[..., c * many : (c + 1) * many], w[:, :, c : c + 1], [], sizes, strides, padding, dilations, False)
        for c in range(w.shape[2])
    ]
    return back(np.concatenate(parts, -1), 2, channels_first)


def filter_gradient(x, g, sizes, strides, padding, dilations, channels_first):
    x, g = last(x, 2, channels_first), last(g, 2, channels_first)
    seen = windows(x, sizes[:2], strides, padding, dilations)
    return np.einsum("bhwijc,bhwcm->ijcm", seen, g.reshape(*g.shape[:-1], *sizes[2:]))


def pooled(function, outside):
    def oracle(x, ksize, strides, padding, dilations, channels_first):
        rank = len(ksize)
        seen = windows(last(x, rank, channels_first), ksize, strides, padding, dilations, outside)
        return back(function(seen, tuple(range(1 + rank, 1 + 2 * rank))), rank, channels_first)

    return oracle


def with_argmax(x, ksize, strides, padding, output_dtype, include_batch_in_index):
    places = np.arange(x.size, dtype=float).reshape(x.shape)
    if not include_batch_in_index:
        places = np.broadcast_to(places[:1], x.shape)
    flat = lambda a: a.reshape(*a.shape[:3], -1, a.shape[-1])  # noqa: E731
    seen = flat(windows(x, ksize, strides, padding, (1, 1), -np.inf))
    numbers = flat(windows(places, ksize, strides, padding, (1, 1)))
    best = seen.argmax(3)[:, :, :, None]
    pick = lambda a: np.take_along_axis(a, best, 3)[:, :, :, 0]  # noqa: E731
    return pick(seen), pick(numbers).astype(output_dtype)


def dilated(x, w, strides, padding, dilations):
    return (windows(x, w.shape[:2], strides, padding, dilations, -np.inf) + w).max((3, 4))


def at(strides, padding, dilations, first=False, **more):
    return {"strides": strides, "padding": padding, "dilations": dilations, "channels_first": first, **more}


def window(ksize, *args):
    return at(*args, ksize=ksize)


LINE, PLANE, ROOM = d.normal(2, 5, 2), d.normal(2, 4, 5, 2), d.normal(1, 3, 4, 2, 2)
UNLIKE, UNLIKE_LINE = d.apart(2, 4, 5, 2), d.apart(2, 5, 2)
EDGES = ((1, 0), (2, 1))
FILTERS = d.normal(3, 2, 2, 3)
POOLS = [
    ((UNLIKE_LINE,), window((2,), (2,), "SAME", (1,))),
    ((UNLIKE,), window((2, 2), (2, 2), "VALID", (1, 1))),
    ((UNLIKE[:, :, :4],), window((2, 2), (2, 2), "VALID", (1, 1))),
    ((UNLIKE,), window((3, 2), (1, 2), "SAME", (1, 1), True)),
    ((UNLIKE,), window((2, 2), (1, 1), ((1, 0), (0, 1)), (2, 1))),
    ((d.apart(1, 3, 4, 2, 2),), window((2, 2, 2), (1, 2, 1), "VALID", (1, 1, 1))),
]

ROWS: dict[str, Row] = {
    "convolution": Row(
        convolution,
        [
            ((LINE, d.normal(2, 2, 3)), at((2,), "SAME", (1,))),
            ((PLANE, FILTERS), at((1, 1), "SAME", (1, 1))),
            ((PLANE, FILTERS), at((2, 1), EDGES, (1, 2))),
            ((PLANE, d.normal(2, 2, 4, 3)), at((1, 2), "VALID", (1, 1), True)),
            ((PLANE[:, :1], FILTERS), at((1, 1), "VALID", (1, 1))),
            ((d.normal(1, 4, 3, 4), d.normal(2, 2, 2, 4)), at((1, 1), "VALID", (1, 1))),
            ((d.normal(1, 4, 3, 2), d.normal(2, 2, 1, 4)), at((1, 1), "SAME", (1, 1))),
            ((PLANE, d.normal(1, 1, 2, 3)), at((2, 2), "SAME", (1, 1))),
            ((d.normal(2, 1, 4, 3, 2), FILTERS), at((1, 1), "SAME", (1, 1))),
            ((ROOM, d.normal(2, 2, 1, 2, 2)), at((1, 1, 1), "SAME", (1, 1, 1))),
            ((d.ints(-3, 4, 1, 3, 3, 2), d.ints(-3, 4, 2, 2, 2, 1)), at((1, 1), "SAME", (1, 1))),
        ],
    ),
    "depthwise_convolution": Row(
        depthwise,
        [
            ((PLANE, d.normal(2, 3, 2, 2)), at((1, 1), "SAME", (1, 2))),
            ((d.normal(2, 2, 4, 5), d.normal(2, 2, 2, 1)), at((2, 1), EDGES, (1, 1), True)),
        ],
    ),
    "convolution_transpose": Row(
        transpose,
        [
            ((d.normal(1, 3, 2), d.normal(2, 3, 2), []), at((2,), "SAME", (1,), sizes=(5,))),
            ((d.normal(2, 2, 3, 2), d.normal(3, 2, 3, 2), []), at((2, 2), "SAME", (1, 1), sizes=(4, 5))),
            ((d.normal(2, 2, 2, 2), d.normal(2, 3, 1, 2), []), at((3, 2), "VALID", (1, 1), sizes=(6, 5))),
            ((d.normal(1, 2, 4, 4), d.normal(2, 2, 3, 2), []), at((1, 1), ((1, 0), (2, 1)), (1, 2), True, sizes=(4, 3))),
        ],
    ),
    "depthwise_convolution_transpose": Row(
        depthwise_transpose,
        [
            ((d.normal(1, 2, 3, 4), d.normal(3, 2, 2, 2)), at((2, 2), "SAME", (1, 1), sizes=(4, 5))),
            ((d.normal(1, 2, 2, 2), d.normal(2, 2, 2, 1)), at((1, 1), "VALID", (1, 2), True, sizes=(3, 4))),
        ],
    ),
    "depthwise_filter_gradient": Row(
        filter_gradient,
        [
            ((PLANE, d.normal(2, 2, 3, 4)), at((2, 2), "SAME", (1, 1), sizes=(3, 2, 2, 2))),
            ((d.normal(2, 2, 4, 5), d.normal(2, 2, 3, 3)), at((1, 1), "VALID", (1, 2), True, sizes=(2, 2, 2, 1))),
        ],
    ),
    "max_pooling": Row(pooled(lambda seen, axes: seen.max(axes), -np.inf), POOLS),
    "average_pooling": Row(pooled(np.nanmean, np.nan), POOLS),
    "max_pool_with_argmax": Row(
        with_argmax,
        [
            ((UNLIKE,), {"ksize": (2, 3), "strides": (2, 1), "padding": "SAME", "output_dtype": np.dtype("int64"), "include_batch_in_index": True}),
            ((UNLIKE,), {"ksize": (2, 2), "strides": (1, 1), "padding": "VALID", "output_dtype": np.dtype("int32"), "include_batch_in_index": False}),
        ],
        dtype=lambda i, s: (i[0].dtype, s["output_dtype"]),
    ),
    "dilation2d": Row(
        dilated,
        [
            ((UNLIKE, d.normal(2, 3, 2)), {"strides": (1, 2), "padding": "SAME", "dilations": (1, 1)}),
            ((UNLIKE, d.normal(2, 2, 2)), {"strides": (1, 1), "padding": "VALID", "dilations": (2, 1)}),
        ],
    ),
}  # fmt: skip
