"""Connectionist temporal classification: the loss of dense label sequences; what labels a sequence has."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.ops.activations import log_softmax_of
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# stands for log(0): with -inf the derivative of a sum of two impossible ways would be NaN
_NEVER = -1e30


def _either(xp: Any, *logs: Any) -> Any:
    """log of the sum of probabilities."""
    most = logs[0]
    for each in logs[1:]:
        most = xp.maximum(most, each)
    return most + xp.log(sum(xp.exp(each - most) for each in logs))


def _rows(specs: Specs, settings: dict) -> Specs:
    return [((specs[0][0][1],), specs[0][1])]


@primitive(name="ctc_loss", same=False, shapes=_rows, quiet=True)
def dense_ctc_loss(xp, logits: Array, labels: Array, label_length: Array, logit_length: Array, blank_index: int = 0):
    """Loss [B] of time-major logits [T, B, C] and labels [B, L]."""
    steps, rows, _ = logits.shape
    logs = log_softmax_of(xp, logits, -1)
    labels, many, times = labels.astype("int64"), label_length.astype("int64"), logit_length.astype("int64")
    length = labels.shape[1]
    # a blank before, between and behind the labels; what stands behind the label's end is never reached
    between = xp.stack([xp.full(labels.shape, blank_index, labels.dtype), labels], axis=-1).reshape(rows, 2 * length)
    states = xp.concatenate([between, xp.full((rows, 1), blank_index, labels.dtype)], axis=1)
    inside = (states >= 0) & (states < logits.shape[-1])
    states = xp.where(inside, states, blank_index)
    seen = xp.take_along_axis(logs, xp.broadcast_to(states, (steps, *states.shape)), axis=-1)
    never = xp.full((rows, 2), _NEVER, logs.dtype)
    # two states on, over a blank, only from one label to another
    jump = (states[:, 2:] != states[:, :-2]) & (states[:, 2:] != blank_index)
    jump = xp.concatenate([xp.zeros((rows, min(2, 2 * length + 1)), bool), jump], axis=1)
    start = np.arange(2 * length + 1) < 2
    alpha = xp.where(start, seen[0], logs.dtype.type(_NEVER))

    def step(alpha: Any, at: Any, now: Any) -> Any:
        one = xp.concatenate([never[:, :1], alpha[:, :-1]], axis=1)
        two = xp.concatenate([never, alpha[:, :-2]], axis=1)[:, : alpha.shape[1]]
        ways = _either(xp, alpha, one, xp.where(jump, two, logs.dtype.type(_NEVER)))
        return xp.where((at < times)[:, None], ways + now, alpha)

    if xp is np:
        for at in range(1, steps):
            alpha = step(alpha, at, seen[at])
    else:
        from tensorsmith.program.execute import jax

        found = jax().lax.scan(lambda a, part: (step(a, *part), None), alpha, (np.arange(1, steps), seen[1:]))
        alpha = found[0]
    last = xp.take_along_axis(alpha, 2 * many[:, None], axis=1)[:, 0]
    before = xp.take_along_axis(alpha, xp.maximum(2 * many - 1, 0)[:, None], axis=1)[:, 0]
    total = xp.where(many > 0, _either(xp, last, before), last)
    return xp.where(total < _NEVER / 2, logs.dtype.type(np.inf), -total)


def ctc_unique_labels(labels: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(unique labels of each row [B, L], 0 behind them; the number of each label among them [B, L]).

    >>> import tensorsmith as tf
    >>> values, at = tf.nn.ctc_unique_labels([[3, 4, 4, 3]])
    >>> values.numpy().tolist(), at.numpy().tolist()
    ([[3, 4, 0, 0]], [[0, 1, 1, 0]])
    """
    found = apply(_unique_labels, (convert(labels),), {})
    return found[0], found[1]


def _alike(specs: Specs, settings: dict) -> Any:
    return specs[0], (specs[0][0], np.dtype("int32"))


@primitive(name="ctc_unique_labels", kinds="iu", differentiable=False, shapes=_alike)
def _unique_labels(xp, labels: Array):
    length = labels.shape[1]
    same = labels[:, :, None] == labels[:, None, :]
    # the place where each was met first, and how many were new up to there
    first = xp.argmax(same, axis=-1)
    new = first == np.arange(length)
    number = xp.cumsum(new, axis=1) - 1
    at = xp.take_along_axis(number, first, axis=1)
    # each new one goes to the place of its number
    picked = (number[:, None, :] == np.arange(length)[:, None]) & new[:, None, :]
    values = xp.sum(xp.where(picked, labels[:, None, :], 0), axis=-1, dtype=labels.dtype)
    return values, at.astype("int32")


def _collapsed(specs: Specs, settings: dict) -> Any:
    return ((specs[0][0][0], None), specs[0][1]), ((specs[0][0][0],), specs[1][1])


@primitive(name="collapse_repeated", same=False, eager=True, differentiable=False, shapes=_collapsed)
def _collapse(xp, labels: Array, seq_length: Array):
    place = np.arange(labels.shape[1])
    keep = np.concatenate([np.ones((len(labels), 1), bool), labels[:, 1:] != labels[:, :-1]], axis=1)
    keep &= place < seq_length[:, None]
    counts = keep.sum(axis=1)
    found = np.zeros((len(labels), int(counts.max(initial=0))), labels.dtype)
    for row, mask, target in zip(labels, keep, found):
        kept = row[mask]
        target[: len(kept)] = kept
    return found, counts.astype(seq_length.dtype)


@public
def collapse_repeated(labels: Any, seq_length: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Equal labels that follow each other made one: (labels [B, longest], their number in each row [B]).

    The size of the result hangs on values: in a compiled program it runs on NumPy.

    >>> import tensorsmith as tf
    >>> merged, length = tf.nn.collapse_repeated([[1, 1, 2, 2, 1]], [4])
    >>> merged.numpy().tolist(), length.numpy().tolist()
    ([[1, 2]], [2])
    """
    found = apply(_collapse, (convert(labels), convert(seq_length)), {})
    return found[0], found[1]
