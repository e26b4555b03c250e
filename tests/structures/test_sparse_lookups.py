"""Embeddings of sparse ids, CTC losses of sparse labels."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

TABLE = np.random.default_rng(1).normal(size=(6, 3))
PLACES = [[0, 0], [0, 1], [1, 0], [3, 1]]


def sparse(values, dtype="int64"):
    return tf.SparseTensor(PLACES, np.array(values, dtype), [4, 2])


@pytest.mark.parametrize("combiner", ["mean", "sqrtn", "sum"])
def test_rows_are_combined(combiner: str) -> None:
    ids, weights = [1, 2, 5, 0], [1.0, 2.0, 0.5, 3.0]
    below = {"mean": sum, "sqrtn": lambda w: np.sqrt(np.square(w).sum()), "sum": lambda w: 1}[combiner]
    right = np.zeros((4, 3))
    for row in (0, 1, 3):
        at = [i for i, place in enumerate(PLACES) if place[0] == row]
        w = np.array([weights[i] for i in at])
        right[row] = (w[:, None] * TABLE[[ids[i] for i in at]]).sum(0) / below(w)
    found = tf.nn.embedding_lookup_sparse(TABLE, sparse(ids), sparse(weights, "float64"), combiner=combiner)
    np.testing.assert_allclose(found.numpy(), right, rtol=1e-10)
    safe = tf.nn.safe_embedding_lookup_sparse(TABLE, sparse(ids), sparse(weights, "float64"), combiner=combiner)
    np.testing.assert_allclose(safe.numpy(), right, rtol=1e-10)


def test_what_is_no_id_is_left_out() -> None:
    found = tf.nn.safe_embedding_lookup_sparse(TABLE, sparse([1, -2, -5, 0]), default_id=3).numpy()
    np.testing.assert_allclose(found, TABLE[[1, 3, 3, 0]], rtol=1e-12)
    light = sparse([1.0, 2.0, 3.0, -1.0], "float64")
    np.testing.assert_allclose(
        tf.nn.safe_embedding_lookup_sparse(TABLE, sparse([1, -2, 5, 0]), light).numpy(),
        [TABLE[1], TABLE[5], [0] * 3, [0] * 3],
        rtol=1e-12,
    )


def test_refusals() -> None:
    with pytest.raises(ValueError, match="no way to combine"):
        tf.nn.embedding_lookup_sparse(TABLE, sparse([1, 2, 3, 4]), None, combiner="max")
    with pytest.raises(TypeError, match="no SparseTensor"):
        tf.nn.embedding_lookup_sparse(TABLE, [1], None)
    with pytest.raises(ValueError, match="blank_index is needed"):
        tf.nn.ctc_loss(sparse([1, 2, 1, 2]), np.zeros((5, 4, 3), "f"), None, [5] * 4)
    with pytest.raises(ValueError, match="no such class"):
        tf.nn.ctc_loss([[1]], np.zeros((5, 1, 3), "f"), [1], [5], blank_index=3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="three axes"):
        tf.nn.ctc_loss([[1]], np.zeros((5, 3), "f"), [1], [5])
    with pytest.raises(ValueError, match="as many beams"):
        tf.nn.ctc_beam_search_decoder(np.zeros((5, 1, 3), "f"), [5], beam_width=1, top_paths=2)


def test_sparse_labels_are_the_dense_ones() -> None:
    logits = np.random.default_rng(2).normal(size=(5, 4, 3)).astype("f")
    dense = tf.nn.ctc_loss([[1, 0], [0, 0], [0, 0], [0, 0]], logits, [2, 1, 0, 1], [5] * 4, blank_index=-1)
    labels = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [3, 0]], [1, 0, 0, 0], [4, 2])
    found = tf.nn.ctc_loss(labels, logits, None, [5] * 4, blank_index=-1)
    np.testing.assert_allclose(found.numpy(), dense.numpy(), rtol=1e-6)
    turned = tf.nn.ctc_loss(labels, logits.transpose(1, 0, 2), None, [5] * 4, logits_time_major=False, blank_index=2)
    np.testing.assert_allclose(turned.numpy(), dense.numpy(), rtol=1e-6)
