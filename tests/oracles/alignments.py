"""Alignments of labels with time, by trying all of them; isotonic regression by SciPy."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.optimize

from tests.support.spine import Draw, Row

d = Draw(32)


def merged(path, blank):
    """What a way spells: repeats merged, then blanks left out."""
    return tuple(int(label) for label, _ in itertools.groupby(path) if label != blank)


def spellings(scores, blank):
    """{label sequence: probability} of all ways through scores [T, C] before a softmax."""
    p = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    found = {}
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        found[merged(path, blank)] = found.get(merged(path, blank), 0) + np.prod([p[t, c] for t, c in enumerate(path)])
    return found


def ctc_loss(logits, labels, label_length, logit_length, blank_index):
    found = []
    for at, (row, many, times) in enumerate(zip(labels, label_length, logit_length)):
        p = spellings(logits[:times, at], blank_index).get(tuple(row[:many].tolist()), 0)
        found.append(-np.log(p) if p else np.inf)
    return np.array(found)


def unique_labels(labels):
    values, places = np.zeros_like(labels), []
    for at, row in enumerate(labels.tolist()):
        seen = list(dict.fromkeys(row))
        values[at, : len(seen)] = seen
        places.append([seen.index(label) for label in row])
    return values, np.array(places)


def collapsed(labels, seq_length):
    rows = [[label for label, _ in itertools.groupby(row[:n])] for row, n in zip(labels.tolist(), seq_length)]
    found = np.zeros((len(rows), max(map(len, rows))), labels.dtype)
    for at, row in enumerate(rows):
        found[at, : len(row)] = row
    return found, np.array([len(row) for row in rows])


def sparse(rows):
    width = max(map(len, rows))
    there = np.array([[place < len(row) for place in range(width)] for row in rows]).reshape(len(rows), width)
    return np.argwhere(there), np.array([label for row in rows for label in row]), np.array([len(rows), width])


def greedy(inputs, sequence_length, merge_repeated, blank_index):
    best = [inputs[:n, at].argmax(-1) for at, n in enumerate(sequence_length)]
    rows = [merged(path, blank_index) if merge_repeated else tuple(path[path != blank_index]) for path in best]
    sums = [-sum(inputs[t, at].max() for t in range(n)) for at, n in enumerate(sequence_length)]
    return (*sparse(rows), np.array(sums)[:, None])


def beams(inputs, sequence_length, beam_width, top_paths):
    ranked = []
    for at, n in enumerate(sequence_length):
        every = spellings(inputs[:n, at], inputs.shape[-1] - 1)
        ranked.append(sorted(every.items(), key=lambda item: -item[1])[:top_paths])
    parts = [part for path in range(top_paths) for part in sparse([row[path][0] for row in ranked])]
    return (*parts, np.log([[p for _, p in row] for row in ranked]))


def isotonic(x, decreasing):
    level, blocks = np.zeros_like(x), np.zeros(x.shape, int)
    for at in np.ndindex(x.shape[:-1]):
        found = scipy.optimize.isotonic_regression(x[at], increasing=not decreasing)
        level[at] = found.x
        blocks[at] = np.repeat(np.arange(len(found.blocks) - 1), np.diff(found.blocks))
    return level, blocks


LOGITS, LABELS = d.normal(4, 3, 3), np.array([[1, 1], [2, 0], [1, 2]], "int32")
LENGTHS, TIMES = np.array([2, 1, 2], "int32"), np.array([4, 3, 1], "int32")
SPARSE = ["int64"] * 3

ROWS: dict[str, Row] = {
    "ctc_loss": Row(
        ctc_loss,
        [
            ((LOGITS, LABELS, LENGTHS, TIMES), {"blank_index": 0}),
            ((LOGITS, np.array([[1, -1], [0, 0], [0, 1]], "int64"), np.array([1, 0, 2]), np.array([4, 2, 3])), {"blank_index": 2}),
        ],
    ),
    "ctc_unique_labels": Row(unique_labels, [((np.array([[3, 4, 4, 3], [1, 2, 0, 1]]),), {})], dtype=("int64", "int32")),
    "collapse_repeated": Row(
        collapsed, [((np.array([[1, 1, 2, 2, 1], [1, 2, 3, 3, 4]]), np.array([4, 5], "int32")), {})],
        dtype=("int64", "int32"), compiled="the size of its result hangs on values",
    ),
    "ctc_greedy_decoder": Row(
        greedy,
        [
            ((LOGITS, TIMES), {"merge_repeated": True, "blank_index": 2}),
            ((np.repeat(LOGITS, 2, 0), TIMES + 3), {"merge_repeated": False, "blank_index": 1}),
        ],
        dtype=lambda i, s: [*SPARSE, i[0].dtype], compiled="the size of its result hangs on values",
        symbolic="with a batch of no known size its rows are not known", nan="the decoder looks at the greatest alone",
    ),
    "ctc_beam_search_decoder": Row(
        beams,
        [((LOGITS, np.array([4, 3, 2], "int32")), {"beam_width": 50, "top_paths": 2})],
        dtype=lambda i, s: [*SPARSE * s["top_paths"], i[0].dtype], compiled="the size of its result hangs on values",
        nan="which of the paths with NaN is best is not told",
    ),
    "isotonic_regression": Row(
        isotonic,
        [((d.apart(2, 6),), {"decreasing": True}), ((d.apart(7),), {"decreasing": False}), ((d.normal(1, 1),), {"decreasing": True})],
        dtype=lambda i, s: (i[0].dtype, "int32"),
    ),
}  # fmt: skip
