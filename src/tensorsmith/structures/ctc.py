"""Connectionist temporal classification of dense or sparse labels: the loss, and the most probable sequences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.creation import ones_like
from tensorsmith.ops.ctc import dense_ctc_loss
from tensorsmith.ops.segments import unsorted_segment_sum
from tensorsmith.ops.shaping import shape, transpose
from tensorsmith.program.op import Array, Specs
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.structures.sparse_ops import to_dense
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_INT64 = np.dtype("int64")


def ctc_loss(
    labels: Any, logits: Any, label_length: Any, logit_length: Any, logits_time_major: bool = True, unique: Any = None,
    blank_index: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """-log of the probability of all ways in which the logits spell the labels: repeats merged, then blanks left out.

    labels [B, L] ints (or a SparseTensor, then label_length is None), logits [T, B, C] ([B, T, C] if not
    logits_time_major), label_length and logit_length [B] -> [B]; infinite where a sequence is too short for its label.
    blank_index counts from the end if negative; 0 by default, needed for sparse labels.
    Source: Graves et al. (2006), Connectionist temporal classification.

    Raises InvalidArgumentError for logits of other than three axes, ValueError for a blank that is no class.

    >>> import tensorsmith as tf
    >>> tf.nn.ctc_loss([[1]], tf.zeros([1, 1, 2]), [1], [1]).numpy().round(4)  # one of two symbols
    array([0.6931], dtype=float32)
    """
    logits = convert(logits)
    if len(logits.shape) != 3:
        raise InvalidArgumentError(explain("ctc_loss", "logits have three axes", {"logits": logits.shape}))
    if not logits_time_major:
        logits = transpose(logits, [1, 0, 2])
    classes: Any = logits.shape[-1]
    if isinstance(labels, SparseTensor):
        rows = labels.indices[:, 0]
        label_length = unsorted_segment_sum(ones_like(rows), rows, shape(logits)[1])
        labels = to_dense(labels)
        if blank_index is None:
            raise ValueError(
                explain("ctc_loss", "blank_index is needed for sparse labels", way_out="Give 0, or -1 for the last.")
            )
    blank = 0 if blank_index is None else plain(blank_index, "blank_index")
    blank = blank + classes if blank < 0 else blank
    if classes is not None and not 0 <= blank < classes:
        raise ValueError(explain("ctc_loss", "no such class", {"blank_index": blank_index, "classes": classes}))
    values = (logits, convert(labels), convert(label_length), convert(logit_length))
    return apply(dense_ctc_loss, values, {"blank_index": blank})


# ---- decoders


def _as_sparse(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices, values and shape of label sequences."""
    pairs = [(at, place) for at, row in enumerate(rows) for place in range(len(row))]
    longest = max(map(len, rows), default=0)
    values = [label for row in rows for label in row]
    return np.array(pairs, _INT64).reshape(-1, 2), np.array(values, _INT64), np.array([len(rows), longest], _INT64)


def _parts(count: int) -> list[Any]:
    return [((None, 2), _INT64), ((None,), _INT64), ((2,), _INT64)] * count


def _greedy_shapes(specs: Specs, settings: dict) -> Any:
    return (*_parts(1), ((specs[0][0][1], 1), specs[0][1]))


@primitive(name="ctc_greedy_decoder", same=False, eager=True, differentiable=False, shapes=_greedy_shapes)
def _greedy(xp, inputs: Array, sequence_length: Array, merge_repeated: bool = True, blank_index: int = 0):
    """Parts of a sparse matrix of labels, and minus the sum of the greatest scores."""
    rows, sums = [], []
    for at, length in enumerate(sequence_length.tolist()):
        scores = inputs[:length, at]
        best = scores.argmax(axis=1).tolist()
        sums.append(-scores.max(axis=1).sum(dtype=inputs.dtype) if length else inputs.dtype.type(0))
        before = [None, *best[:-1]]
        rows.append([b for b, a in zip(best, before) if b != blank_index and not (merge_repeated and b == a)])
    return (*_as_sparse(rows), np.array(sums, inputs.dtype).reshape(-1, 1))


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: Any = None
) -> tuple[list[SparseTensor], Tensor]:
    """The best symbol of each time, repeats merged and blanks left out: ([labels], minus the sum of the scores [B, 1]).

    inputs [T, B, C], sequence_length [B]; blank_index C - 1 by default, counted from the end if negative. The labels are a
    SparseTensor of int64. Its size hangs on values: in a compiled program it runs on NumPy.

    >>> import tensorsmith as tf
    >>> scores = tf.one_hot([[0], [0], [2], [1]], 3)
    >>> labels, _ = tf.nn.ctc_greedy_decoder(scores, [4])
    >>> labels[0].values.numpy()
    array([0, 1])
    """
    inputs = convert(inputs)
    classes = inputs.shape[-1]
    blank = classes - 1 if blank_index is None else plain(blank_index, "blank_index")  # type: ignore[operator]
    settings = {"merge_repeated": bool(merge_repeated), "blank_index": blank + classes if blank < 0 else blank}
    *parts, total = apply(_greedy, (inputs, convert(sequence_length)), settings)
    return [SparseTensor(*parts)], total


def _beam_shapes(specs: Specs, settings: dict) -> Any:
    return (*_parts(settings["top_paths"]), ((specs[0][0][1], settings["top_paths"]), specs[0][1]))


def _sum_logs(a: float, b: float) -> float:
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def _beams(logs: np.ndarray, width: int) -> list[tuple[tuple[int, ...], float]]:
    """The most probable prefixes of log probabilities [T, C], the last class blank, with their log probabilities."""
    blank = logs.shape[1] - 1
    # of each prefix: the log probability of its ways that end in a blank, and of those that do not
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for row in logs.tolist():
        grown: dict[tuple[int, ...], list[float]] = {}
        for prefix, (ending, other) in beams.items():
            total = _sum_logs(ending, other)
            own = grown.setdefault(prefix, [-math.inf, -math.inf])
            own[0] = _sum_logs(own[0], total + row[blank])
            if prefix:
                own[1] = _sum_logs(own[1], other + row[prefix[-1]])
            for label in range(blank):
                longer = grown.setdefault((*prefix, label), [-math.inf, -math.inf])
                way = ending if prefix and prefix[-1] == label else total
                longer[1] = _sum_logs(longer[1], way + row[label])
        best = sorted(grown.items(), key=lambda item: -_sum_logs(*item[1]))[:width]
        beams = {prefix: (pair[0], pair[1]) for prefix, pair in best}
    return [(prefix, _sum_logs(*pair)) for prefix, pair in beams.items()]


@primitive(name="ctc_beam_search_decoder", same=False, eager=True, differentiable=False, shapes=_beam_shapes)
def _beam_search(xp, inputs: Array, sequence_length: Array, beam_width: int = 100, top_paths: int = 1):
    """Parts of a sparse matrix of labels for each path, and the log probabilities [B, top_paths]."""
    wide = inputs.astype("float64")
    shifted = wide - wide.max(axis=-1, keepdims=True, initial=-np.inf)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    found = []
    for at, length in enumerate(sequence_length.tolist()):
        best = _beams(logs[:length, at], beam_width)[:top_paths]
        found.append(best + [((), -math.inf)] * (top_paths - len(best)))
    parts: list[Any] = []
    for path in range(top_paths):
        parts += _as_sparse([list(row[path][0]) for row in found])
    scores = np.array([[score for _, score in row] for row in found], inputs.dtype)
    return (*parts, scores.reshape(-1, top_paths))


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[SparseTensor], Tensor]:
    """The most probable label sequences, with all their ways added up: (a SparseTensor a path, log probabilities [B, paths]).

    inputs [T, B, C] scores before a softmax, the last class blank. In a compiled program it runs on NumPy.
    Raises ValueError for more paths than beams.
    Source: Graves (2012), Supervised sequence labelling, chapter 7.

    >>> import tensorsmith as tf
    >>> scores = tf.math.log([[[0.4, 0.6]], [[0.4, 0.6]]])
    >>> labels, logs = tf.nn.ctc_beam_search_decoder(scores, [2])  # three of four ways spell the one label: 0.64
    >>> labels[0].values.numpy(), tf.exp(logs).numpy().round(2).tolist()
    (array([0]), [[0.6399999856948853]])
    """
    if top_paths > beam_width:
        raise ValueError(f"ctc_beam_search_decoder: top_paths={top_paths} paths need as many beams, not {beam_width}.")
    settings = {"beam_width": int(beam_width), "top_paths": int(top_paths)}
    *parts, logs = apply(_beam_search, (convert(inputs), convert(sequence_length)), settings)
    return [SparseTensor(*parts[at : at + 3]) for at in range(0, len(parts), 3)], logs
