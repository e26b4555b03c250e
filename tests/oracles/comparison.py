"""Comparisons, logic, bits, the choice between two."""

from __future__ import annotations

import numpy as np

from tests.support.spine import Draw, Row, row

d = Draw(2)
A = d.apart(3, 4)
B = np.where(d.bools(3, 4), A, d.apart(3, 4)).astype("float32")
I, J = d.ints(-3, 3, 3, 4), d.ints(-3, 3, 3, 4)  # noqa: E741
P, Q = d.bools(3, 4), d.bools(3, 4)
WORDS = np.array([b"a", b"b", b"c"], object)
SHIFTS = d.ints(0, 5, 3, 4)


def each(function):
    """A function of two Python numbers on all pairs."""
    return lambda x, y: (
        np.array([function(a, b) for a, b in np.broadcast(x, y)])
        .reshape(np.broadcast_shapes(np.shape(x), np.shape(y)))
        .astype(bool)
    )


def bits(function):
    return lambda x, y: np.array([function(int(a), int(b)) for a, b in np.broadcast(x, y)], x.dtype).reshape(
        np.broadcast_shapes(np.shape(x), np.shape(y))
    )


ROWS: dict[str, Row] = {
    "equal": row(each(lambda a, b: a == b), (A, B), (I, J), (P, Q), (WORDS, WORDS[::-1].copy()), dtype="bool"),
    "not_equal": row(each(lambda a, b: a != b), (A, B), (I, J), (P, Q), dtype="bool"),
    "less": row(each(lambda a, b: a < b), (A, B), (I, J), dtype="bool"),
    "less_equal": row(each(lambda a, b: a <= b), (A, B), (I, J), dtype="bool"),
    "greater": row(each(lambda a, b: a > b), (A, B), (I, J), dtype="bool"),
    "greater_equal": row(each(lambda a, b: a >= b), (A, B), (I, J), dtype="bool"),
    "logical_and": row(each(lambda a, b: a and b), (P, Q), dtype="bool"),
    "logical_or": row(each(lambda a, b: a or b), (P, Q), dtype="bool"),
    "logical_xor": row(each(lambda a, b: a != b), (P, Q), dtype="bool"),
    "logical_not": row(lambda x: x == 0, (P,), dtype="bool"),
    "bitwise_and": row(bits(lambda a, b: a & b), (I, J)),
    "bitwise_or": row(bits(lambda a, b: a | b), (I, J)),
    "bitwise_xor": row(bits(lambda a, b: a ^ b), (I, J)),
    "invert": row(lambda x: -x - 1, (I,)),
    "left_shift": row(bits(lambda a, b: a * 2**b), (I, SHIFTS)),
    "right_shift": row(bits(lambda a, b: a // 2**b), (I, SHIFTS)),
    "where": row(
        lambda c, x, y: np.broadcast_to(c, np.broadcast_shapes(c.shape, x.shape, y.shape)) * x + (1 - c) * y,
        (P, A, B), (P[:, :1], A, B[0]), (P, I, J), dtype=lambda i, s: i[1].dtype, nan="it stands where it is not chosen",
    ),
    "nonzero_rows": row(
        lambda c: np.array([at for at in np.ndindex(c.shape) if c[at]], "int64").reshape(-1, c.ndim),
        (P,), (I,), dtype="int64", compiled="the size of its result hangs on values",
    ),
}  # fmt: skip
