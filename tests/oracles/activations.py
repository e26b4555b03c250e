"""Activations and cross entropies."""

from __future__ import annotations

import numpy as np
import scipy.special

from tests.support.spine import Draw, Row, row

d = Draw(4)
A = d.apart(3, 4)
WIDE = np.array([-1000.0, -89.0, -20.0, -1e-3, 0.0, 1e-3, 20.0, 89.0, 1000.0], "float32")
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805
AXIS = [{}, {"axis": 0}]


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True)) if x.size else x
    return e / e.sum(axis, keepdims=True)


def elu(x, alpha=1.0):
    return np.array([v if v > 0 else alpha * np.expm1(v) for v in np.ravel(x)]).reshape(np.shape(x))


LABELS = softmax(d.normal(3, 4)).astype("float32")
HARD = np.eye(4, dtype="float32")[[1, 3, 0]]
LOGITS = d.normal(3, 4)
EXTREME = np.array([[1000.0, 0.0, -1000.0, 3.0]] * 3, "float32")


def cross_entropy(labels, logits, axis=-1):
    return -(labels * np.log(softmax(logits, axis))).sum(axis)


ROWS: dict[str, Row] = {
    "sigmoid": row(scipy.special.expit, (A,), (WIDE,)),
    "log_sigmoid": row(scipy.special.log_expit, (A,), (WIDE,)),
    "softplus": row(lambda x: -scipy.special.log_expit(-x), (A,), (WIDE,)),
    "softsign": row(lambda x: x / (1 + abs(x)), (A,), (WIDE,)),
    "relu": row(lambda x: x * (x > 0), (A,), (d.ints(-4, 4, 3, 4),)),
    "relu6": row(lambda x: np.clip(x, 0, 6), (A * 4,), (d.ints(-4, 9, 3, 4),)),
    "leaky_relu": row(lambda x, alpha=0.2: np.where(x > 0, x, alpha * x), (A,), settings=[{}, {"alpha": 0.5}]),
    "elu": row(elu, (A,), (WIDE[[0, 1, 2, 3, 5, 6, 7, 8]],), settings=[{}, {"alpha": 0.7}]),
    "selu": row(lambda x: SCALE * elu(x, ALPHA), (A,), (WIDE[[0, 1, 2, 3, 5, 6, 7, 8]],)),
    "gelu": row(
        lambda x, approximate=False: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) if approximate else x * scipy.special.ndtr(x),
        (A,), (np.array([-4.0, 0.0, 4.0], "float32"),), settings=[{}, {"approximate": True}],
    ),
    "silu": row(lambda x, beta=1.0: x * scipy.special.expit(beta * x), (A,), (WIDE,), settings=[{}, {"beta": 2.0}]),
    "mish": row(lambda x: x * np.tanh(-scipy.special.log_expit(-x)), (A,), (WIDE,)),
    "hard_sigmoid": row(lambda x: np.clip(x / 6 + 0.5, 0, 1), (A * 3,)),
    "hard_silu": row(lambda x: x * np.clip(x / 6 + 0.5, 0, 1), (A * 3,)),
    "softmax": row(softmax, (A,), (EXTREME,), settings=AXIS),
    "log_softmax": row(lambda x, axis=-1: x - (scipy.special.logsumexp(x, axis, keepdims=True) if x.size else x), (A,), (EXTREME,), settings=AXIS),
    "softmax_cross_entropy_with_logits": row(
        cross_entropy, (LABELS, LOGITS), (HARD, LOGITS), settings=[{}, {"axis": 0}],
        gradient="labels of 0 are left out; test_cross_entropy.py asks",
    ),
    "sparse_softmax_cross_entropy_with_logits": row(
        lambda labels, logits: cross_entropy(np.eye(logits.shape[-1])[labels], logits),
        (d.ints(0, 4, 3), LOGITS), (d.ints(0, 4, 2, 3, dtype="int64"), d.normal(2, 3, 4)), dtype=lambda i, s: i[1].dtype,
    ),
    "sigmoid_cross_entropy_with_logits": row(
        lambda labels, x: -labels * scipy.special.log_expit(x) - (1 - labels) * scipy.special.log_expit(-x),
        (LABELS, LOGITS), (HARD, LOGITS),
    ),
    "weighted_cross_entropy_with_logits": row(
        lambda labels, x, pos_weight: -labels * pos_weight * scipy.special.log_expit(x) - (1 - labels) * scipy.special.log_expit(-x),
        (LABELS, LOGITS), settings=[{"pos_weight": 1.0}, {"pos_weight": 3.0}],
    ),
    "l2_loss": row(lambda t: (t * t).sum() / 2, (A,)),
}  # fmt: skip
