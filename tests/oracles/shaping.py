"""Casts, creation, shapes asked and changed, joining, splitting, repeating, padding."""

from __future__ import annotations

import itertools

import numpy as np

from tests.support.spine import Draw, Row, row

d = Draw(5)
A = d.normal(2, 3, 4)
I = d.ints(-9, 9, 2, 3, 4)  # noqa: E741
P = d.bools(2, 3)
WORDS = np.array([[b"ab", b"c"]], object)
M = d.normal(3, 4)
INT32, INT64, FLOAT64 = np.dtype("int32"), np.dtype("int64"), np.dtype("float64")
STEP = "a cast to integers"
ONE = "a shape, not a value"


def from_list(x, shape):
    """The elements in a row, cut up anew."""
    return np.array(list(np.asarray(x).flat), np.asarray(x).dtype).reshape(shape)


def whole(x, dtype):
    """Towards zero, cut off at the limits, NaN as 0: in Python's integers."""
    limits = np.iinfo(dtype)
    return np.array(
        [
            0
            if v != v
            else min(max(int(v) if abs(v) != np.inf else (v > 0) * 10**20 - (v < 0) * 10**20, limits.min), limits.max)
            for v in np.ravel(x)
        ],
        dtype,
    ).reshape(np.shape(x))


def cast(x, dtype):
    if dtype.kind in "iu" and x.dtype.kind == "f":
        return whole(x, dtype)
    if dtype.kind == "b":
        return x != 0
    return (
        np.array([complex(v).real if dtype.kind != "c" else v for v in x.flat]).reshape(x.shape)
        if x.dtype.kind == "c"
        else np.array(x.tolist(), dtype)
    )


def moved(x, perm):
    """out[i...] = x[places of i...], by a loop."""
    perm = perm or tuple(range(x.ndim))[::-1]
    out = np.empty([x.shape[p] for p in perm], x.dtype)
    for at in np.ndindex(x.shape):
        out[tuple(at[p] for p in perm)] = x[at]
    return out


def joined(parts, axis):
    return np.moveaxis(np.array(list(itertools.chain(*(list(np.moveaxis(p, axis, 0)) for p in parts)))), 0, axis)


def split(x, sizes, axis):
    sizes = [x.shape[axis] // sizes] * sizes if isinstance(sizes, int) else sizes
    ends = list(itertools.accumulate(sizes, initial=0))
    return tuple(np.take(x, range(a, b), axis) for a, b in itertools.pairwise(ends))


def tiled(x, parts, sizes):
    for axis, count in enumerate(sizes):
        x = joined([x] * count, axis) if count else np.take(x, [], axis)
    return x


def padded(x, fill, paddings, mode="constant"):
    """Each place of the result looks up where it comes from."""
    out = np.empty([n + a + b for n, (a, b) in zip(x.shape, paddings, strict=True)], x.dtype)
    for at in np.ndindex(out.shape):
        source = []
        for i, n, (before, _) in zip(at, x.shape, paddings, strict=True):
            i -= before
            if mode == "reflect" and not 0 <= i < n:
                i = -i if i < 0 else 2 * (n - 1) - i
            if mode == "symmetric" and not 0 <= i < n:
                i = -1 - i if i < 0 else 2 * n - 1 - i
            source.append(i)
        inside = all(0 <= i < n for i, n in zip(source, x.shape, strict=True))
        out[at] = x[tuple(source)] if inside else fill
    return out


def turned(x, axis):
    return x[tuple(slice(None, None, -1) if a in {b % x.ndim for b in axis} else slice(None) for a in range(x.ndim))]


def rolled(x, shift, axis):
    shifts, axes = (shift, axis) if isinstance(axis, tuple) else ((shift,), (axis,))
    for s, a in zip(shifts, axes, strict=True):
        x = np.take(x, [(i - s) % x.shape[a] for i in range(x.shape[a])], a)
    return x


def counted(start, limit, delta, dtype):
    found, value = [], start
    while (value < limit) if delta > 0 else (value > limit):
        found.append(value)
        value = value + delta
    return np.array(found, dtype)


def dtype_of(inputs, settings):
    return settings["dtype"]


def hot(indices, on, off, depth, axis=-1):
    out = np.full((*indices.shape, depth), off)
    for at in np.ndindex(indices.shape):
        if 0 <= indices[at] < depth:
            out[(*at, indices[at])] = on
    return np.moveaxis(out, -1, axis)


NO_VALUE = "only its shape is looked at"
FLOATS = np.array([1.9, -1.9, 300.0, -300.0, 3e9, -3e9, np.nan, np.inf, -np.inf], "float32")

PAIRS = np.array([[1, 2], [-3, 2**30]], "int32")


def reread(x, dtype):
    """The bytes of the elements, of float32 where the oracle was handed float64, read anew."""
    narrow = x.astype("float32") if x.dtype.kind == "f" else x
    flat = np.frombuffer(narrow.tobytes(), dtype)
    if dtype.itemsize == narrow.itemsize:
        return flat.reshape(x.shape)
    if dtype.itemsize < narrow.itemsize:
        return flat.reshape(*x.shape, -1)
    return flat.reshape(x.shape[:-1])


ROWS: dict[str, Row] = {
    "cast": row(
        cast, (A,), (I,), (P,), settings=[{"dtype": FLOAT64}, {"dtype": INT32}, {"dtype": np.dtype(bool)}],
        dtype=dtype_of, gradient=STEP, nan=STEP,
    ),
    "saturate_cast": row(
        lambda x, dtype: whole(x, dtype) if dtype.kind in "iu" else np.clip(x, -65504, 65504).astype(dtype),
        (A,), (I * 100,), settings=[{"dtype": np.dtype("uint8")}, {"dtype": np.dtype("int8")}], dtype=dtype_of, gradient=STEP, nan=STEP,
    ),
    "bitcast": Row(
        reread,
        [((M,), {"dtype": INT32}), ((M,), {"dtype": np.dtype("uint8")}), ((PAIRS,), {"dtype": FLOAT64}), ((PAIRS,), {"dtype": np.dtype("complex64")})],
        dtype=dtype_of, gradient="bits", nan="bits", wide="of one size only", symbolic="the last axis may go away",
    ),
    "identity": row(lambda x: x, (A,), (WORDS,)),
    "stop_gradient": row(lambda x: x, (A,), (I,)),
    "fill": row(lambda v, parts, sizes: np.array([v] * int(np.prod(sizes))).reshape(sizes), (np.float32(2.5), []), (np.int32(3), []), settings=[{"sizes": (2, 3)}, {"sizes": ()}]),
    "zeros_like": row(lambda x, dtype=None: 0 * x, (A,), (I,), settings=[{}, {"dtype": FLOAT64}], dtype=lambda i, s: s.get("dtype") or i[0].dtype, nan=NO_VALUE),
    "ones_like": row(lambda x, dtype=None: 0 * x + 1, (A,), (I,), settings=[{}, {"dtype": FLOAT64}], dtype=lambda i, s: s.get("dtype") or i[0].dtype, nan=NO_VALUE),
    "range": Row(
        counted,
        [((np.int32(1), np.int32(9), np.int32(3)), {"dtype": INT32}), ((np.float32(2), np.float32(-1), np.float32(-0.5)), {"dtype": np.dtype("float32")})],
        compiled="how many numbers there are hangs on values", nan="so many numbers are not to be had", symbolic="as compiled", wide="its dtype is a setting", dtype=dtype_of,
    ),
    "linspace": row(
        lambda a, b, num, axis=0: np.stack([a + (b - a) * i / max(num - 1, 1) for i in range(num)], axis),
        (np.float32(-1), np.float32(2)), (d.normal(3), d.normal(3)), settings=[{"num": 1}, {"num": 5}, {"num": 4, "axis": -1}],
        gradient="a single number is the first of both", nan=True,
    ),
    "one_hot": row(
        hot, (d.ints(-1, 5, 2, 3), np.float32(1), np.float32(0)), (d.ints(0, 4, 3, dtype="int64"), np.int32(7), np.int32(-2)),
        settings=[{"depth": 4}, {"depth": 5, "axis": 0}], dtype=lambda i, s: i[1].dtype, nan="a value that may stand nowhere",
    ),
    "shape": row(lambda x, out_type=None: np.array(np.shape(x)), (A,), (WORDS,), settings=[{}, {"out_type": INT64}], dtype=lambda i, s: s.get("out_type", "int32"), nan=ONE),
    "size": row(lambda x, out_type=None: np.array(len(list(x.flat))), (A,), (WORDS,), settings=[{}, {"out_type": INT64}], dtype=lambda i, s: s.get("out_type", "int32"), nan=ONE),
    "reshape": row(lambda x, parts, sizes: from_list(x, sizes), (A, []), (WORDS[[0] * 12], []), settings=[{"sizes": (4, 6)}, {"sizes": (-1, 2)}, {"sizes": (24,)}]),
    "transpose": row(moved, (A,), (I,), settings=[{"perm": (2, 0, 1)}, {"perm": None}, {"perm": (0, 2, 1)}]),
    "expand_dims": row(lambda x, axis: from_list(x, (*x.shape[: axis % (x.ndim + 1)], 1, *x.shape[axis % (x.ndim + 1) :])), (A,), (WORDS,), settings=[{"axis": 0}, {"axis": -1}, {"axis": 1}]),
    "squeeze": Row(
        lambda x, axis=None: from_list(x, [n for a, n in enumerate(x.shape) if n != 1 or (axis not in (None, ()) and a not in {b % x.ndim for b in np.atleast_1d(axis)})]),
        [((A[:1, :, :1],), {}), ((A[:1, :, :1],), {"axis": 0}), ((A[:1, :, :1],), {"axis": (-1, 0)}), ((A[:1, :, :1],), {"axis": ()})],
        symbolic="which axes have size 1 must be known",
    ),
    "broadcast_to": row(lambda x, parts, sizes: x + np.zeros(sizes, x.dtype), (M[:1], []), (I[0, :1], []), settings=[{"sizes": (5, 4)}, {"sizes": (2, 3, 4)}]),
    "stack": row(lambda parts, axis=0: np.array([p.tolist() for p in parts]) if axis == 0 else np.swapaxes(np.array([p.tolist() for p in parts]), 0, 1), ([M, M + 1],), ([M],), settings=[{}, {"axis": 1}]),
    "unstack": row(lambda x, axis=0: tuple(np.take(x, i, axis) for i in range(x.shape[axis])), (A,), (I,), settings=[{}, {"axis": -1}], symbolic="their number must be known", nan=True),
    "concat": row(joined, ([M, M[:2]],), settings=[{"axis": 0}, {"axis": -2}]),
    "split": row(split, (A,), (I,), settings=[{"sizes": 2, "axis": 0}, {"sizes": 2, "axis": -1}, {"sizes": (1, 3), "axis": 2}]),
    "tile": row(tiled, (A, []), (I, []), settings=[{"sizes": (1, 2, 3)}, {"sizes": (2, 0, 1)}], nan="repeated no times it is gone"),
    "repeat": row(
        lambda x, repeats, axis=None: np.stack([r for r, n in zip(np.moveaxis(x, axis, 0) if axis is not None else x.flat, np.broadcast_to(repeats, x.size if axis is None else x.shape[axis]), strict=True) for _ in range(n)], axis or 0),
        (A,), (I,), settings=[{"repeats": 2}, {"repeats": 3, "axis": 1}, {"repeats": (1, 0, 2), "axis": 1}], symbolic="how often each is repeated must be known",
    ),
    "pad": Row(
        padded,
        [((M, np.float32(0)), {"paddings": ((1, 2), (0, 3))}), ((I[0], np.int32(7)), {"paddings": ((0, 0), (2, 1))}), ((M, np.float32(0)), {"paddings": ((2, 1), (3, 0)), "mode": "reflect"}), ((M, np.float32(0)), {"paddings": ((2, 3), (1, 4)), "mode": "symmetric"})],
    ),
    "reverse": row(turned, (A,), (I,), settings=[{"axis": (0,)}, {"axis": (-1, 1)}]),
    "roll": row(rolled, (A,), (I,), settings=[{"shift": 1, "axis": 1}, {"shift": (-2, 5), "axis": (0, 2)}]),
    "matrix_transpose": row(lambda x: moved(x, (0, 2, 1)), (A,), (I,)),
    "meshgrid": row(
        lambda parts, indexing="xy": tuple(np.array([[p[i if (k == 1) == (indexing == "xy") else j] for j in range(len(parts[0 if indexing == "xy" else 1]))] for i in range(len(parts[1 if indexing == "xy" else 0]))]) for k, p in enumerate(parts)),
        ([M[0], M[1, :3]],), settings=[{}, {"indexing": "ij"}],
    ),
}  # fmt: skip
