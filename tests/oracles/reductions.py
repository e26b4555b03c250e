"""Sums, means, extremes, running sums, moments."""

from __future__ import annotations

import numpy as np
import scipy.special

from tests.support.spine import Draw, Row, row

d = Draw(3)
A = d.normal(3, 4, 2)
APART = d.apart(3, 4)
INTS = d.ints(-5, 6, 3, 4, 2)
BOOLS = d.ints(0, 4, 3, 4).astype(bool)
SCALAR = np.float32(1.5)
EMPTY = np.zeros((0, 3), "float32")
HALF = d.normal(3, 4, 2).astype("float16")
AXES = [
    {},
    {"axis": 1},
    {"axis": (0, -1)},
    {"axis": -2, "keepdims": True},
    {"axis": None, "keepdims": True},
    {"axis": ()},
]
FLAT = [{}, {"axis": 0}, {"axis": -1, "keepdims": True}]


def over(function):
    """`function` of the flat elements, for every place of the axes that stay, one by one."""

    def reduce(x, axis=None, keepdims=False):
        x = np.asarray(x)
        axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = tuple(a % x.ndim for a in axes)
        rest = [a for a in range(x.ndim) if a not in axes]
        out = np.empty([x.shape[a] for a in rest], object)
        for at in np.ndindex(out.shape):
            key = [slice(None)] * x.ndim
            for a, i in zip(rest, at, strict=True):
                key[a] = i
            out[at] = function(x[tuple(key)].reshape(-1))
        found = np.array(out.tolist()).reshape(out.shape)
        return found.reshape([1 if a in axes else x.shape[a] for a in range(x.ndim)]) if keepdims else found

    return reduce


def running(step, start):
    """Running totals by a plain loop."""

    def reduce(x, axis=0, exclusive=False, reverse=False):
        x = np.moveaxis(np.asarray(x), axis, 0)
        x = x[::-1] if reverse else x
        out, total = [], np.full(x.shape[1:], start, x.dtype)
        for row_ in x:
            after = step(total, row_)
            out.append(total if exclusive else after)
            total = after
        out = np.array(out).reshape(x.shape)
        return np.moveaxis(out[::-1] if reverse else out, 0, axis)

    return reduce


RUNS = [
    {},
    {"axis": 1},
    {"axis": -1, "exclusive": True},
    {"axis": 0, "reverse": True},
    {"exclusive": True, "reverse": True},
]


def whole_mean(v):
    return int(np.sum(v) / len(v)) if v.dtype.kind == "i" else np.sum(v) / len(v)


def placed(function):
    return lambda x, axis=0, output_type=None: over(lambda v: v.tolist().index(function(v.tolist())))(
        x, 0 if axis is None else axis
    )


def norm(x, mean, variance, offset, scale, variance_epsilon=0.001):
    unit = (x - mean) / np.sqrt(variance + variance_epsilon)
    unit = unit if scale is None else unit * scale
    return unit if offset is None else unit + offset


CHANNEL = d.uniform(0.5, 2.0, 4)
EMPTY_SUMS = ((EMPTY,), {"axis": 0}), ((EMPTY,), {"axis": 1}), ((SCALAR,), {})
STEP = "a step"

ROWS: dict[str, Row] = {
    "reduce_sum": row(over(lambda v: sum(v.tolist())), (A,), (INTS,), settings=AXES),
    "reduce_mean": row(over(whole_mean), (A,), (INTS,), settings=AXES[:5]),
    "reduce_prod": row(over(lambda v: np.exp(np.sum(np.log(v.astype(complex)))).real if v.dtype.kind == "f" else int(np.prod(v))), (A,), (d.ints(1, 3, 3, 4),), settings=FLAT),
    "reduce_max": row(over(lambda v: sorted(v.tolist())[-1]), (APART,), (INTS,), settings=FLAT),
    "reduce_min": row(over(lambda v: sorted(v.tolist())[0]), (APART,), (INTS,), settings=FLAT),
    "reduce_all": row(over(lambda v: not (~v).sum()), (BOOLS,), settings=FLAT, dtype="bool"),
    "reduce_any": row(over(lambda v: v.sum() > 0), (BOOLS,), (~BOOLS,), settings=FLAT, dtype="bool"),
    "reduce_variance": row(over(lambda v: np.mean(v * v) - np.mean(v) ** 2), (A,), settings=AXES[:5]),
    "reduce_std": row(over(lambda v: (np.mean(v * v) - np.mean(v) ** 2) ** 0.5), (A,), settings=AXES[:5]),
    "reduce_logsumexp": row(over(lambda v: scipy.special.logsumexp(v)), (A,), (1000 + A,), settings=AXES[:5], atol=1e-4),
    "reduce_euclidean_norm": row(over(lambda v: sum(a * a for a in v.tolist()) ** 0.5), (A,), settings=AXES[:5]),
    "count_nonzero": row(
        lambda x, axis=None, keepdims=False, dtype=None: over(lambda v: sum(a != 0 for a in v.tolist()))(x, axis, keepdims),
        (INTS,), (BOOLS,), settings=[*FLAT, {"dtype": np.dtype("int32")}],
        dtype=lambda i, s: s.get("dtype", "int64"),
    ),
    "argmax": row(placed(max), (APART,), (INTS,), (BOOLS,), settings=[{}, {"axis": 1}, {"axis": -1, "output_type": np.dtype("int32")}], dtype=lambda i, s: s.get("output_type", "int64")),
    "argmin": row(placed(min), (APART,), (INTS,), (BOOLS,), settings=[{}, {"axis": 1}, {"axis": -1, "output_type": np.dtype("int32")}], dtype=lambda i, s: s.get("output_type", "int64")),
    "cumsum": row(running(lambda t, r: t + r, 0), (A,), (INTS,), (EMPTY,), settings=RUNS),
    "cumprod": row(running(lambda t, r: t * r, 1), (A,), (INTS,), settings=RUNS),
    "cumulative_logsumexp": row(running(np.logaddexp, -np.inf), (A,), settings=RUNS, gradient="-inf in front makes differences NaN; test_reductions.py asks without"),
    "moments": row(
        lambda x, axes, keepdims=False: (over(np.mean)(x, axes, keepdims), over(np.var)(x, axes, keepdims)),
        (A,), settings=[{"axes": (0,)}, {"axes": (0, 2), "keepdims": True}, {"axes": None, "keepdims": False}],
    ),
    "batch_normalization": row(
        norm, (d.normal(3, 4), d.normal(4), CHANNEL, d.normal(4), d.normal(4)), (d.normal(3, 4), d.normal(4), CHANNEL, None, None),
        (d.normal(3, 4), d.normal(4), CHANNEL, None, CHANNEL), settings=[{}, {"variance_epsilon": 0.1}], rtol=3e-5,
    ),
    "l2_normalize": row(
        lambda x, axis=None, epsilon=1e-12: x / np.sqrt(np.maximum(np.sum(x * x, axis, keepdims=True), epsilon)),
        (A,), settings=[{}, {"axis": 1}, {"axis": (0, 1), "epsilon": 1e3}],
    ),
}  # fmt: skip

for _name in ("reduce_sum", "reduce_prod"):
    ROWS[_name].cases.extend(EMPTY_SUMS if _name == "reduce_sum" else EMPTY_SUMS[:0])
