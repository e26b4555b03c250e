"""Rows dealt out and put together, histograms, places, patches of volumes, expected counts."""

from __future__ import annotations

import bisect
import itertools

import numpy as np

from tests.oracles.structures import BUCKETS
from tests.support.spine import Draw, Row, row

d = Draw(47)
INT32, INT64 = np.dtype("int32"), np.dtype("int64")
HANGS = "the size of its result hangs on values"


def stitched(parts):
    named = {int(place): at for at, place in enumerate(itertools.chain.from_iterable(p.ravel() for p in parts))}
    count = sum(p.size for p in parts)
    return np.array([named.get(place, count) for place in range(max(named, default=-1) + 1)])


def bins(values, value_range, nbins, dtype=None):
    edges = [value_range[0] + (value_range[1] - value_range[0]) * at / nbins for at in range(1, nbins)]
    return np.array([bisect.bisect_right(edges, v) for v in values.ravel().tolist()]).reshape(values.shape)


def volume_patches(x, ksizes, strides, padding):
    low = [0, 0, 0]
    counts = []
    for axis, (n, k, s) in enumerate(zip(x.shape[1:4], ksizes, strides)):
        if padding == "VALID":
            counts.append(max((n - k) // s + 1, 0))
        else:
            counts.append(-(-n // s))
            low[axis] = max((counts[-1] - 1) * s + k - n, 0) // 2
    found = np.zeros((x.shape[0], *counts, *ksizes, x.shape[-1]), x.dtype)
    for at in itertools.product(*map(range, counts)):
        for k in itertools.product(*map(range, ksizes)):
            p = [a * s + b - o for a, b, s, o in zip(at, k, strides, low)]
            if all(0 <= i < n for i, n in zip(p, x.shape[1:4])):
                found[(slice(None), *at, *k)] = x[(slice(None), *p)]
    return found.reshape(x.shape[0], *counts, int(np.prod(ksizes)) * x.shape[-1])


def expected(p, count, unique):
    if not unique:
        return p * count
    if count >= np.count_nonzero(p):
        return (p > 0).astype(float)
    import scipy.optimize

    tries = scipy.optimize.brentq(lambda t: (1 - (1 - p) ** t).sum() - count, 0, 1e6, xtol=1e-12, rtol=1e-14)
    return 1 - (1 - p) ** tries


def distance(indices, values, shape, truth_indices, truth, truth_shape, normalize=True):
    """By recursion over the first elements."""

    def apart(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(apart(a[1:], b) + 1, apart(a, b[1:]) + 1, apart(a[1:], b[1:]) + (a[0] != b[0]))

    found = np.zeros([max(s, t) for s, t in zip(shape[:-1], truth_shape[:-1])])
    for place in np.ndindex(found.shape):
        a, b = (
            [v for i, v in zip(at.tolist(), of.tolist()) if tuple(i[:-1]) == place]
            for at, of in ((indices, values), (truth_indices, truth))
        )
        found[place] = apart(a, b) / (1 if not normalize else len(b) or (np.inf if not a else 1e-300))
        if normalize and not b and a:
            found[place] = np.inf
    return found


def fingerprints(data):
    """What TensorFlow finds for these bytes; of several texts in a row the fingerprint of theirs."""
    rows = []
    for part in data:
        if data.dtype == object and data.ndim > 1:
            marks = [bytes.fromhex(BUCKETS["fingerprint"][text.hex()]) for text in part.ravel()]
            whole = b"".join(marks)
        else:
            whole = (
                part
                if data.dtype == object
                else part.astype({"f": "float32"}.get(part.dtype.kind, part.dtype)).tobytes()
            )
        rows.append(list(bytes.fromhex(BUCKETS["fingerprint"][whole.hex()])))
    return np.array(rows, "uint8").reshape(-1, 8)


def unravelled(indices, dims):
    return np.array(np.unravel_index(indices, dims))


ONE_ROW = np.array([[0, 0], [0, 1], [1, 0]], "int64"), d.ints(0, 3, 3), np.array([2, 3], "int64")
OTHER_ROW = np.array([[0, 0], [2, 0], [2, 1]], "int64"), d.ints(0, 3, 3), np.array([3, 2], "int64")
TEXTS = np.array([b"a", b"b", b"a"], object)
NUMBERS = {"int32": np.array([[1, 2], [3, 4]], "int32"), "float32": np.array([[1.5], [-2.0]], "float32")}
LETTERS = (ONE_ROW[0], TEXTS, ONE_ROW[2]), (OTHER_ROW[0], TEXTS[::-1].copy(), OTHER_ROW[2])
VOLUME = d.normal(2, 3, 4, 3, 2)

ROWS: dict[str, Row] = {
    "partition_numbers": row(lambda p, num_partitions: p, (d.ints(0, 3, 4, 2),), settings=[{"num_partitions": 3}]),
    "stitched_rows": row(
        stitched, ([np.array([4, 0], "int32"), np.array([[2, 0]], "int32")],), ([np.zeros(0, "int32")],), ([np.array(2, "int32")],),
        dtype="int32", compiled=HANGS,
    ),
    "histogram_bins": row(
        bins, (d.normal(3, 4), np.array([-1.0, 1.5], "float32")), (d.ints(-4, 9, 6), np.array([0, 5], "int32")),
        settings=[{"nbins": 5}, {"nbins": 1}, {"nbins": 4, "dtype": INT64}], dtype=lambda i, s: s.get("dtype", "int32"), nan="it is refused",
    ),
    "broadcast_shapes": row(
        lambda a, b: np.array(np.broadcast_shapes(tuple(a), tuple(b))),
        (np.array([2, 1, 3], "int32"), np.array([4, 1], "int32")), (np.array([5], "int64"), np.array([1, 1], "int64")),
        symbolic="how many axes there are must be known",
    ),
    "unravel_index": row(
        unravelled, (np.array([0, 5, 11, 7], "int32"), np.array([3, 4], "int32")), (np.array(23, "int64"), np.array([2, 3, 4], "int64")),
        symbolic="how many axes there are must be known",
    ),
    "extract_volume_patches": row(
        volume_patches, (VOLUME,), (VOLUME.astype("int32"),),
        settings=[
            {"ksizes": (2, 2, 2), "strides": (1, 2, 1), "padding": "VALID"}, {"ksizes": (3, 2, 1), "strides": (2, 1, 1), "padding": "SAME"},
            {"ksizes": (4, 1, 1), "strides": (1, 1, 1), "padding": "VALID"},
        ],
    ),
    "expected_counts": row(
        expected, (np.array([0.5, 0.25, 0.25, 0.0], "float32"),), (np.full(6, 1 / 6, "float32"),), settings=[{"count": 2, "unique": True}, {"count": 3, "unique": False}, {"count": 5, "unique": True}],
        dtype="float32", rtol=1e-5, wide="its sums are float64, and its results float32", nan="a probability is a number", gradient="it has none",
    ),
    "fingerprint_bytes": row(
        fingerprints, (NUMBERS["int32"],), (NUMBERS["float32"],), (np.array([b"Hello", b"today", b""], object),), (np.array([[b"Hello", b"today"], [b"", b"Hello"]], object),),
        dtype="uint8", compiled="NumPy hashes bytes one by one", wide="other bytes are other rows", nan="it has bytes like any number",
    ),
    "edit_distance": row(
        distance, (*ONE_ROW, *OTHER_ROW), (*LETTERS[0], *LETTERS[1]), settings=[{}, {"normalize": False}],
        dtype="float32", compiled=HANGS, symbolic=HANGS,
    ),
}  # fmt: skip


def aligned(d, most, rows, columns, align):
    """Where diagonal d begins in a row of `most`."""
    above, below = align.split("_")
    length = len(np.diagonal(np.zeros((rows, columns)), d))
    left = d >= 0 and above == "LEFT" or d <= 0 and below == "LEFT"
    return 0 if left else most - length


def banded(x, padding_value, low=0, high=0, align="RIGHT_LEFT"):
    rows, columns = x.shape[-2:]
    parts = [np.diagonal(x, d, -2, -1) for d in range(high, low - 1, -1)]
    most = max(part.shape[-1] for part in parts)
    found = np.full((*x.shape[:-2], len(parts), most), padding_value, x.dtype)
    for at, part in enumerate(parts):
        first = aligned(high - at, most, rows, columns, align)
        found[..., at, first : first + part.shape[-1]] = part
    return found


def with_band(x, diagonals, low=0, high=0, align="RIGHT_LEFT"):
    out = np.array(x)
    for i, j in np.ndindex(x.shape[-2:]):
        if low <= j - i <= high:
            first = aligned(j - i, diagonals.shape[-1], *x.shape[-2:], align)
            out[..., i, j] = diagonals[..., high - (j - i), first + min(i, j)]
    return out


def of_band(diagonals, padding_value, low=0, high=0, rows=1, columns=1, align="RIGHT_LEFT"):
    return with_band(
        np.full((*diagonals.shape[:-2], rows, columns), padding_value, diagonals.dtype), diagonals, low, high, align
    )


MATRICES, NINE, FRAME = d.normal(2, 3, 4), np.float32(9), {"rows": 3, "columns": 4}
UNKNOWN = "which elements lie on a diagonal hangs on the sizes"
BANDS = [
    {"low": -1, "high": 2},
    {"low": -2, "high": 1, "align": "LEFT_RIGHT"},
    {"low": 0, "high": 1, "align": "LEFT_LEFT"},
]
ROWS |= {
    "band_of": row(banded, (MATRICES, NINE), (d.ints(0, 9, 4, 3), np.int32(7)), settings=[*BANDS, {"low": -1, "high": -1}], symbolic=UNKNOWN),
    "of_band": Row(of_band, [((d.normal(2, s["high"] - s["low"] + 1, 3), NINE), {**s, **FRAME}) for s in BANDS], symbolic=UNKNOWN, nan="what is beside the band is left out"),
    "set_band": Row(with_band, [((MATRICES, d.normal(2, s["high"] - s["low"] + 1, 3)), s) for s in BANDS], symbolic=UNKNOWN, nan="what is beside the band is left out"),
}  # fmt: skip
