"""Masks by length, dropout, confusion matrices, embeddings: as users call them."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_masks_are_as_long_as_the_longest() -> None:
    assert tf.sequence_mask([[1], [2]]).numpy().tolist() == [[[True, False]], [[True, True]]]
    assert tf.sequence_mask([1, 3], maxlen=2, dtype=tf.int32).numpy().tolist() == [[1, 0], [1, 1]]
    assert tf.sequence_mask(tf.constant([], tf.int32)).shape == (0, 0)


def test_masks_of_lengths_that_a_program_meets() -> None:
    longest = tf.function(lambda n: tf.sequence_mask(n))
    for lengths in ([1, 3], [[2], [0]], []):
        wanted = tf.sequence_mask(tf.constant(lengths, tf.int32))
        np.testing.assert_array_equal(longest(tf.constant(lengths, tf.int32)), wanted)
    as_wide = tf.function(lambda n, x: tf.sequence_mask(n, tf.shape(x)[1], x.dtype) * x)
    assert as_wide(tf.constant([1, 2]), tf.ones([2, 3])).numpy().tolist() == [[1, 0, 0], [1, 1, 0]]
    with pytest.raises(ValueError, match=r"^sequence_mask: maxlen must be a whole number \(maxlen=\(1, 2\)\)\.$"):
        tf.sequence_mask([1], [1, 2])


def test_sequences_are_turned_by_length() -> None:
    assert tf.reverse_sequence([[1, 2, 3]], [2]).numpy().tolist() == [[2, 1, 3]]
    assert tf.reverse_sequence([[1], [2]], [2], seq_axis=0, batch_axis=1).numpy().tolist() == [[2], [1]]


def test_predictions_against_labels() -> None:
    found = tf.math.confusion_matrix([0, 1, 2, 2], [0, 2, 2, 1], weights=[1.0, 2.0, 3.0, 4.5], dtype=tf.float32)
    assert found.numpy().tolist() == [[1, 0, 0], [0, 0, 2], [0, 4.5, 3]]
    assert tf.math.confusion_matrix([0], [1], num_classes=3, dtype=tf.int64).dtype is tf.int64
    with pytest.raises(tf.errors.InvalidArgumentError, match="a class is out of range"):
        tf.math.confusion_matrix([0, 3], [0, 1], num_classes=2)


def test_dropout_keeps_the_mean_and_drops_a_part() -> None:
    tf.random.set_seed(0)
    x = tf.ones([200, 100])
    y = tf.nn.dropout(x, rate=0.25).numpy()
    assert set(np.unique(y).tolist()) == {0.0, np.float32(1 / 0.75).item()}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.02)
    rows = tf.nn.dropout(x, rate=0.5, noise_shape=[200, 1]).numpy()
    assert all(len(set(row)) == 1 for row in rows.tolist())
    with pytest.raises(ValueError, match=r"rate must be at least 0 and below 1, not 1\.0"):
        tf.nn.dropout(x, 1.0)


def test_the_gradient_of_dropout_is_its_mask() -> None:
    x = tf.Variable(tf.ones([50]))
    with tf.GradientTape() as tape:
        y = tf.nn.dropout(x, rate=0.5)
        total = tf.reduce_sum(y)
    assert tape.gradient(total, x).numpy().tolist() == y.numpy().tolist()


def test_embeddings() -> None:
    table = tf.Variable([[3.0, 4.0], [0.0, 1.0], [6.0, 8.0]])
    assert tf.nn.embedding_lookup(table, [[1, 0]]).shape == (1, 2, 2)
    np.testing.assert_allclose(tf.nn.embedding_lookup(table, [2, 1], max_norm=5.0).numpy(), [[3, 4], [0, 1]])


def test_polynomials() -> None:
    assert tf.math.polyval([2.0, 0.0, 1.0], [3.0]).numpy().tolist() == [19]
    assert tf.math.polyval([], [3.0]).numpy().tolist() == [0]
    assert tf.math.scalar_mul(2, tf.constant([3])).numpy().tolist() == [6]
