"""Masks and turns by length, confusion matrices."""

from __future__ import annotations

import numpy as np

from tests.support.spine import Draw, Row, row

d = Draw(9)
LENGTHS = np.array([0, 2, 4], "int32")
A = d.normal(3, 4, 2)
LABELS, GUESSES = d.ints(0, 3, 7), d.ints(0, 3, 7, dtype="int64")


def turned(x, lengths, seq_axis=1, batch_axis=0):
    out = np.array(x)
    for i, n in enumerate(lengths):
        for j in range(n):
            to, source = [slice(None)] * x.ndim, [slice(None)] * x.ndim
            to[batch_axis] = source[batch_axis] = i
            to[seq_axis], source[seq_axis] = j, n - 1 - j
            out[tuple(to)] = x[tuple(source)]
    return out


def confused(labels, guesses, weights, num_classes):
    out = np.zeros((num_classes, num_classes), weights.dtype)
    for a, b, w in zip(labels, guesses, np.broadcast_to(weights, labels.shape), strict=True):
        out[a, b] += w
    return out


ROWS: dict[str, Row] = {
    "sequence_mask": row(
        lambda n, parts, maxlen, dtype=None: np.array([[j < v for j in range(*maxlen)] for v in n.flat]).reshape(*n.shape, *maxlen),
        (LENGTHS, []),
        (LENGTHS.reshape(3, 1), []),
        settings=[{"maxlen": (4,)}, {"maxlen": (3,), "dtype": np.dtype("float32")}],
        dtype=lambda i, s: s.get("dtype", "bool"),
    ),
    "reverse_sequence": row(
        turned,
        (A, LENGTHS),
    ),
    "confusion_matrix": row(
        confused,
        (LABELS, GUESSES, np.int32(1)),
        (LABELS, GUESSES, d.normal(7)),
        settings=[{"num_classes": 3}, {"num_classes": 5}],
        dtype=lambda i, s: i[2].dtype,
    ),
}  # fmt: skip
ROWS["reverse_sequence"].cases.append(((A, np.array([1, 0, 3, 2], "int64")), {"seq_axis": 0, "batch_axis": 1}))
