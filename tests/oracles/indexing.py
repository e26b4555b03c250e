"""Slices, gather, scatter, sorting, groups."""

from __future__ import annotations

import itertools

import numpy as np

from tensorsmith.ops.indexing import HOLE
from tests.support.spine import Draw, Row, row

NO_NAN = "of a NaN nothing is true"
d = Draw(6)
A = d.apart(3, 4, 2)
I = d.ints(-9, 9, 3, 4, 2)  # noqa: E741
V = d.apart(6)
PLACES = np.array([2, 0, 2], "int32")
INT32, INT64 = np.dtype("int32"), np.dtype("int64")


def cut(*bounds):
    return ("slice", *(list(bounds) + [None] * (3 - len(bounds))))


def picked(x, parts, key):
    """NumPy's own index, written as users write it."""
    rest = iter(parts)
    whole = []
    for item in key:
        if isinstance(item, tuple):
            whole.append(slice(*(int(next(rest)) if b is HOLE else b for b in item[1:])))
        else:
            whole.append(np.asarray(next(rest)).tolist() if item is HOLE else item)
    return np.asarray(x)[tuple(whole)]


def assigned(x, value, parts, key):
    out = np.array(x)
    places = picked(np.arange(x.size).reshape(x.shape), parts, key)
    out.reshape(-1)[places.reshape(-1)] = np.broadcast_to(value, places.shape).reshape(-1)
    return out


def gathered(params, indices, axis=0, batch_dims=0):
    if not batch_dims:
        out = [np.take(params, int(i), axis) for i in indices.flat]
        block = np.array(out).reshape(*indices.shape, *params.shape[:axis], *params.shape[axis + 1 :])
        order = [
            *range(indices.ndim, indices.ndim + axis),
            *range(indices.ndim),
            *range(indices.ndim + axis, block.ndim),
        ]
        return np.transpose(block, order)
    return np.stack([gathered(p, i, axis - 1, batch_dims - 1) for p, i in zip(params, indices, strict=True)])


def gathered_nd(params, indices, batch_dims=0):
    if batch_dims:
        return np.stack([gathered_nd(p, i, batch_dims - 1) for p, i in zip(params, indices, strict=True)])
    out = np.empty([*indices.shape[:-1], *params.shape[indices.shape[-1] :]], params.dtype)
    for at in np.ndindex(indices.shape[:-1]):
        out[at] = params[tuple(indices[at])]
    return out


def scattered(join):
    def scatter(x, indices, updates):
        out = np.array(x)
        for place, update in zip(indices, updates, strict=True):
            out[tuple(place)] = join(out[tuple(place)], update)
        return out

    return scatter


ROWS_AT = np.array([[1], [0], [1]], "int32")
POINTS = np.array([[0, 1, 1], [2, 3, 0]], "int64")
UPDATES = d.apart(3, 4, 2)[::-1].copy() + np.float32(0.05)
SCATTERS = ((A, ROWS_AT, UPDATES), (I, ROWS_AT, d.ints(-5, 5, 3, 4, 2)), (A, POINTS, V[:2].copy() + np.float32(0.03)))
ONCE = ((A, ROWS_AT[:2].copy(), UPDATES[:2].copy()), (A, POINTS, V[:2].copy()))


def by_python(x, axis=-1, descending=False):
    def one(v):
        order = sorted(range(len(v)), key=lambda i: v[i], reverse=descending)
        return np.array(order, "int64")

    return np.apply_along_axis(one, axis, x)


def best(x, k, index_type=None):
    places = by_python(x, -1, True)[..., :k]
    return np.take_along_axis(x, places, -1), places


def different(x, out_idx=None):
    seen = list(dict.fromkeys(x.tolist()))
    return (
        np.array(seen, x.dtype),
        np.array([seen.index(v) for v in x.tolist()]),
        np.array([x.tolist().count(v) for v in seen]),
    )


def counted(arr, weights, size, by_row=False):
    if by_row:
        return np.array([counted(*row, size) for row in zip(arr, weights, strict=True)]).reshape(len(arr), size)
    return np.array([sum(w for a, w in zip(arr.flat, weights.flat, strict=True) if a == i) for i in range(size)])


def grouped(function, empty):
    def reduce(data, ids, num_segments):
        rows = data.reshape(-1, *data.shape[ids.ndim :])
        out = []
        for group in range(num_segments):
            mine = [r for r, i in zip(rows, ids.flat, strict=True) if i == group]
            out.append(function(np.array(mine)) if mine else np.full(rows.shape[1:], empty(data.dtype)))
        return np.array(out)

    return reduce


GROUPS = np.array([0, 2, 0, 3, -1], "int32")
DATA, COUNTS = d.apart(5, 3), d.ints(1, 5, 5, 3)
TWO = (np.array([[0, 1], [1, 1]], "int64"), d.apart(2, 2, 3))
SEGMENTS = [{"num_segments": 4}, {"num_segments": 5}]
LEFT_OUT = "a NaN in a row that is left out does not show"


def low(dtype):
    return np.finfo("float32").min if dtype.kind == "f" else np.iinfo(dtype).min


def high(dtype):
    return np.finfo("float32").max if dtype.kind == "f" else np.iinfo(dtype).max


def segment(function, empty, ints=True, **promises):
    inputs = [(DATA, GROUPS), (TWO[1], TWO[0])] + ([(COUNTS, GROUPS)] if ints else [])
    found = row(grouped(function, empty), *inputs, settings=SEGMENTS, nan=LEFT_OUT, smooth=1, **promises)
    # a group without rows is infinite for max and min: the gradient is asked where there is none
    found.cases.insert(0, ((DATA, np.array([0, 2, 1, 0, -1], "int32")), {"num_segments": 3}))
    return found


NO_LIMIT = "a NaN in some place may be passed over"


def refused(function):
    """Whether NumPy's own index is there: the answer is the negation of IndexError."""

    def there(*inputs, **settings):
        try:
            function(*inputs, **settings)
        except IndexError:
            return False
        return True

    return there


def inside(x, places, axis=0, columns=False, least=0):
    sizes = x.shape[axis : axis + places.shape[-1]] if columns else [x.shape[axis]]
    rows = places.reshape(-1, len(sizes)).tolist()
    return all((least is None or place >= least) and place < size for row in rows for place, size in zip(row, sizes))


BEYOND = np.array([2, 0, 3], "int32")

ROWS: dict[str, Row] = {
    "places_exist": Row(
        inside,
        [((A, PLACES), {}), ((A, BEYOND), {}), ((A, BEYOND), {"axis": 1}), ((A, -PLACES), {}), ((A, -PLACES), {"least": None}),
         ((A, np.array([[2, 3]], "int32")), {"columns": True}), ((A, np.array([[2, 4], [0, 0]], "int32")), {"columns": True}),
         ((A, np.array([[3, 1]], "int64")), {"axis": 1, "columns": True}), ((A, np.zeros(0, "int32")), {})],
        dtype="bool", symbolic="how many axes an index names must be known",
    ),
    "index_exists": Row(
        refused(picked),
        [((A, []), {"key": (1,)}), ((A, []), {"key": (Ellipsis, 2)}), ((A, [np.int32(-4)]), {"key": (cut(), HOLE)}),
         ((A, [np.int32(-5)]), {"key": (cut(), HOLE)}), ((A, [PLACES]), {"key": (HOLE, None)}), ((A, [BEYOND]), {"key": (HOLE,)}),
         ((A, [np.int32(1), np.int32(5)]), {"key": (cut(HOLE, None), HOLE)})],
        dtype="bool",
    ),
    "slice_exists": Row(
        lambda x, parts, begin, sizes: all(b >= 0 and b + max(s, 0) <= n for n, b, s in zip(x.shape, [parts[0] if b is None else b for b in begin], sizes)),
        [((A, []), {"begin": (0, 1, 0), "sizes": (2, 3, -1)}), ((A, []), {"begin": (2, 0, 0), "sizes": (2, 1, 1)}),
         ((A, [np.int32(1)]), {"begin": (None, 0, 0), "sizes": (2, 4, 2)}), ((A, [np.int32(-1)]), {"begin": (None, 0, 0), "sizes": (2, 4, 2)}),
         ((A, [np.int32(2)]), {"begin": (0, None, 0), "sizes": (1, 3, 1)})],
        dtype="bool",
    ),
    "getitem": Row(
        picked,
        [
            ((A, []), {"key": (1,)}), ((A, []), {"key": (cut(1, None), -1)}), ((A, []), {"key": (Ellipsis, 1, None)}),
            ((I, []), {"key": (cut(None, None, -2), cut(-3, -1))}), ((A, [PLACES]), {"key": (HOLE,)}),
            ((A, [PLACES, PLACES]), {"key": (HOLE, HOLE)}), ((A, [np.int32(1)]), {"key": (cut(), HOLE)}),
            ((A, [PLACES[:2].copy()]), {"key": (HOLE, cut(1, 3), 0)}), ((A, [PLACES[:2].copy()]), {"key": (cut(), HOLE, 0, None)}),
            ((A, [PLACES.reshape(3, 1), np.array([1, 0], "int32")]), {"key": (HOLE, cut(), None, HOLE)}),
        ],
        nan=NO_LIMIT,
    ),
    "strided_slice_update": Row(
        assigned,
        [
            ((A, A[0] * 2, []), {"key": (1,)}), ((A, np.float32(7), []), {"key": (cut(None, 2), 1)}),
            ((I, np.int32(0), []), {"key": (Ellipsis, -1)}), ((A, np.float32(7), [PLACES[:2].copy()]), {"key": (HOLE, 0)}),
        ],
        nan=NO_LIMIT,
    ),
    "slice": row(
        lambda x, parts, begin, sizes: x[tuple(slice(b, x.shape[a] if s == -1 else b + s) for a, (b, s) in enumerate(zip(begin, sizes, strict=True)))],
        (A, []), (I, []), settings=[{"begin": (0, 1, 0), "sizes": (2, 2, 2)}, {"begin": (1, 0, 1), "sizes": (-1, 3, -1)}], nan=NO_LIMIT,
    ),
    "boolean_mask": row(
        lambda x, mask, axis=0: np.array([x[i] for i in np.ndindex(mask.shape) if mask[i]]) if axis == 0 else np.stack([x[:, i] for i in range(len(mask)) if mask[i]], 1),
        (A[:, :3].copy(), np.array([True, False, True])), settings=[{}, {"axis": 1}], compiled="the size of its result hangs on values", nan=NO_LIMIT,
    ),
    "gather": Row(
        gathered,
        [((A, PLACES), {}), ((A, PLACES.reshape(1, 3)), {"axis": 1}), ((I, np.int64(1)), {"axis": 2}),
         ((A, d.ints(0, 4, 3, 2)), {"axis": 1, "batch_dims": 1}), ((A, d.ints(0, 2, 3, 2)), {"axis": 2, "batch_dims": 1})],
        nan=NO_LIMIT,
    ),
    "gather_nd": Row(
        gathered_nd,
        [((A, POINTS), {}), ((A, ROWS_AT), {}), ((I, POINTS[:, None, :2].copy()), {}), ((A, d.ints(0, 4, 3, 2, 1)), {"batch_dims": 1}), ((V, np.zeros((2, 0), "int32")), {})],
        nan=NO_LIMIT, symbolic="how many axes an index names must be known",
    ),
    "tensor_scatter_nd_update": row(scattered(lambda old, new: new), *ONCE, nan=NO_LIMIT, symbolic="how many axes an index names must be known"),
    "tensor_scatter_nd_add": row(scattered(lambda old, new: old + new), *SCATTERS, symbolic="as update"),
    "tensor_scatter_nd_sub": row(scattered(lambda old, new: old - new), *SCATTERS, symbolic="as update"),
    "tensor_scatter_nd_mul": row(scattered(lambda old, new: old * new), *SCATTERS, symbolic="as update"),
    "tensor_scatter_nd_div": row(scattered(lambda old, new: old / new), *SCATTERS[:1], symbolic="as update"),
    "tensor_scatter_nd_max": row(scattered(np.maximum), *SCATTERS, symbolic="as update"),
    "tensor_scatter_nd_min": row(scattered(np.minimum), *SCATTERS, symbolic="as update"),
    "scatter_nd": row(
        lambda indices, updates, parts, sizes: scattered(lambda old, new: old + new)(np.zeros(sizes, updates.dtype), indices, updates),
        (ROWS_AT, UPDATES, []), (ROWS_AT, d.ints(-5, 5, 3, 4, 2), []), settings=[{"sizes": (3, 4, 2)}, {"sizes": (5, 4, 2)}],
        dtype=lambda i, s: i[1].dtype, symbolic="as update",
    ),
    "is_non_decreasing": row(lambda x: all(a <= b for a, b in itertools.pairwise(x.flat)), (V,), (np.sort(V),), (np.array([[1, 1], [2, 3]], "int32"),), dtype="bool", nan=NO_NAN),
    "is_strictly_increasing": row(lambda x: all(a < b for a, b in itertools.pairwise(x.flat)), (V,), (np.sort(V),), (np.array([[1, 1], [2, 3]], "int32"),), dtype="bool", nan=NO_NAN),
    "invert_permutation": row(lambda x: np.array([list(x).index(i) for i in range(len(x))]), (np.array([2, 0, 3, 1], "int32"),), (np.zeros(0, "int64"),)),
    "sort": row(
        lambda x, axis=-1, descending=False: np.take_along_axis(x, by_python(x, axis, descending), axis),
        (A,), (I,), (np.array([b"b", b"", b"ab"], object),), settings=[{}, {"descending": True}, {"axis": 0}],
    ),
    "argsort": row(by_python, (A,), (I,), settings=[{}, {"descending": True}, {"axis": 0}], dtype="int32"),
    "top_k": row(
        best, (d.apart(3, 5),), (I[:, :, 0].copy(),), settings=[{"k": 1}, {"k": 3, "index_type": INT64}, {"k": 0}],
        dtype=lambda i, s: (i[0].dtype, s.get("index_type", "int32")), nan="among the k first it shows; test_sorting.py asks",
    ),
    "in_top_k": row(
        lambda t, p, k: np.array([sum(v > r[i] for v in r) < k for i, r in zip(t, p, strict=True)]),
        (d.ints(0, 4, 3), d.apart(3, 4)), settings=[{"k": 1}, {"k": 3}], dtype="bool",
    ),
    "searchsorted": row(
        lambda s, v, side="left", out_type=None: np.array([[sum((a < x) if side == "left" else (a <= x) for a in r) for x in w] for r, w in zip(s.reshape(-1, s.shape[-1]), v.reshape(-1, v.shape[-1]), strict=True)]).reshape(v.shape),
        (np.array([1, 3, 3, 7], "int32"), np.array([0, 3, 8], "int32")), (np.sort(A[..., 0], -1), A[:, :3, 1].copy()),
        settings=[{}, {"side": "right"}, {"out_type": INT64}], dtype=lambda i, s: s.get("out_type", "int32"),
    ),
    "unique_with_counts": row(
        different, (d.ints(0, 4, 9),), (np.array([2.5, 1.5, 2.5], "float32"),), (np.array([b"b", b"a", b"b"], object),),
        settings=[{}, {"out_idx": INT64}], dtype=lambda i, s: (i[0].dtype, s.get("out_idx", "int32"), s.get("out_idx", "int32")),
        compiled="the size of its result hangs on values", nan="two NaN are alike to it or not",
    ),
    "bincount": row(counted, (d.ints(-1, 6, 3, 4), d.normal(3, 4)), (d.ints(0, 4, 2, 3), d.ints(0, 9, 2, 3)), settings=[{"size": 4}, {"size": 6}, {"size": 4, "by_row": True}], dtype=lambda i, s: i[1].dtype, nan=NO_LIMIT),
    "unsorted_segment_sum": segment(lambda r: r.sum(0), lambda t: 0),
    "unsorted_segment_prod": segment(lambda r: r.prod(0), lambda t: 1),
    "unsorted_segment_max": segment(lambda r: r.max(0), low, wide="an empty group gives the lowest value of the dtype"),
    "unsorted_segment_min": segment(lambda r: r.min(0), high, wide="an empty group gives the highest value of the dtype"),
    "unsorted_segment_mean": segment(lambda r: r.mean(0), lambda t: 0, ints=False),
    "unsorted_segment_sqrt_n": segment(lambda r: r.sum(0) / len(r) ** 0.5, lambda t: 0, ints=False),
}  # fmt: skip
