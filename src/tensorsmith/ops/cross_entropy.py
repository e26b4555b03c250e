"""Losses straight from logits: softmax, sparse softmax, sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.activations import log_softmax_of
from tensorsmith.ops.guards import exist, guard
from tensorsmith.program.op import Array, Specs, elementwise
from tensorsmith.tensor.apply import apply, op, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _without_axis(specs: Specs, settings: dict) -> Specs:
    shape, dtype = elementwise(specs, settings)[0]
    axis = settings.get("axis", -1) % len(shape)
    return [((*shape[:axis], *shape[axis + 1 :]), dtype)]


@op(kinds="f", shapes=_without_axis, quiet=True)
def softmax_cross_entropy_with_logits(xp, labels: Array, logits: Array, axis: int = -1):
    """-sum(labels * log(softmax(logits))) along `axis`: the cross entropy of two distributions.

    labels, logits [..., C] -> [...].

    >>> import tensorsmith as tf
    >>> tf.nn.softmax_cross_entropy_with_logits(labels=[[1.0, 0.0]], logits=[[1000.0, 1000.0]]).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    logs = log_softmax_of(xp, logits, axis)
    # a label of 0 counts nothing, even beside a logit of -inf
    parts = xp.where(labels == 0, xp.zeros_like(logs), labels * xp.where(labels == 0, xp.zeros_like(logs), logs))
    return -xp.sum(parts, axis=axis)


def _per_row(specs: Specs, settings: dict) -> Specs:
    return [(specs[0][0], specs[1][1])]


@primitive(name="sparse_softmax_cross_entropy_with_logits", same=False, shapes=_per_row, quiet=True)
def _sparse(xp, labels: Array, logits: Array):
    classes = logits.shape[-1]
    if xp is np and labels.size and (labels.min() < 0 or labels.max() >= classes):
        wrong = labels[(labels < 0) | (labels >= classes)].ravel()[0]
        raise InvalidArgumentError(
            explain(
                "sparse_softmax_cross_entropy_with_logits", "a label is no class", {"label": int(wrong), "classes": classes},
                f"labels go from 0 to {classes - 1}",
            )
        )  # fmt: skip
    logs = log_softmax_of(xp, logits, -1)
    chosen = xp.take_along_axis(logs, xp.clip(labels, 0, classes - 1)[..., None].astype("int64"), axis=-1)[..., 0]
    # compiled, a label that is no class shows as NaN, and its guard tells it
    return xp.where((labels >= 0) & (labels < classes), -chosen, xp.full_like(chosen, np.nan))


guard(
    _sparse,
    "a label is no class",
    "labels go from 0 to the number of classes - 1",
    lambda arguments, settings, _: exist(arguments[1], arguments[0], axis=arguments[1].ndim - 1),
    ("labels",),
)


@public
def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    """-log(softmax(logits))[label]: the cross entropy with the one true class of each row.

    labels [...] (integers), logits [..., C] -> [...]. A label outside [0, C) raises InvalidArgumentError.

    >>> import tensorsmith as tf
    >>> tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=[[0.0, 0.0]]).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    labels, logits = convert(labels), convert(logits)
    if not labels.dtype.is_integer or not logits.dtype.is_floating or labels.ndim != logits.ndim - 1:
        raise InvalidArgumentError(
            explain(
                "sparse_softmax_cross_entropy_with_logits", "labels are integers, with one axis less than logits",
                {"labels": f"{labels.dtype.name}{labels.shape}", "logits": f"{logits.dtype.name}{logits.shape}"},
            )
        )  # fmt: skip
    return apply(_sparse, (labels, logits), {})


def _sides(xp: Any, x: Any, negative: Any, positive: Any) -> Any:
    """negative * -log(1 - sigmoid(x)) + positive * -log(sigmoid(x)), as a sum of terms of which none is below 0."""
    above = x > 0
    # not -|x|, whose derivative at 0 is 0
    rest = xp.log1p(xp.exp(xp.where(above, -x, x)))
    return xp.where(above, negative, -positive) * x + (negative + positive) * rest


@op(kinds="f", shapes=elementwise, quiet=True)
def sigmoid_cross_entropy_with_logits(xp, labels: Array, logits: Array):
    """-labels * log(sigmoid(x)) - (1 - labels) * log(1 - sigmoid(x)) with x = logits, elementwise, without overflow.

    >>> import tensorsmith as tf
    >>> tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0, 0.0], logits=[1000.0, -1000.0]).numpy()
    array([0., 0.], dtype=float32)
    """
    return _sides(xp, logits, 1 - labels, labels)


@op(kinds="f", shapes=elementwise, quiet=True)
def weighted_cross_entropy_with_logits(xp, labels: Array, logits: Array, pos_weight: float):
    """The sigmoid cross entropy with the part of the positive labels counted `pos_weight` times.

    >>> import tensorsmith as tf
    >>> tf.nn.weighted_cross_entropy_with_logits([1.0], [0.0], pos_weight=2.0).numpy().round(4)
    array([1.3863], dtype=float32)
    """
    positive = np.asarray(pos_weight, logits.dtype) * labels
    return _sides(xp, logits, 1 - labels, positive)


@op(kinds="f")
def l2_loss(xp, t: Array):
    """sum(t**2) / 2.

    >>> import tensorsmith as tf
    >>> tf.nn.l2_loss([3.0, 4.0]).numpy().item()
    12.5
    """
    return xp.sum(xp.square(t)) / np.asarray(2, t.dtype)
