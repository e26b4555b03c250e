"""The Levenshtein distance of sparse sequences."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_groups_that_one_side_lacks() -> None:
    said = tf.SparseTensor([[0, 0, 0], [1, 0, 0]], ["a", "b"], (2, 1, 1))
    meant = tf.SparseTensor([[0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 0]], ["a", "b", "c", "a"], (2, 2, 2))
    np.testing.assert_array_equal(tf.edit_distance(said, meant), [[np.inf, 1.0], [0.5, 1.0]])
    np.testing.assert_array_equal(tf.edit_distance(said, meant, normalize=False), [[1.0, 1.0], [1.0, 1.0]])
    traced = tf.function(lambda a, b: tf.edit_distance(a, b))
    np.testing.assert_array_equal(traced(said, meant), [[np.inf, 1.0], [0.5, 1.0]])


def test_words() -> None:
    def letters(word):
        return tf.sparse.from_dense([[ord(c) for c in word]])

    assert float(tf.edit_distance(letters("kitten"), letters("sitting"), normalize=False)[0]) == 3
    assert float(tf.edit_distance(letters("kitten"), letters("kitten"))[0]) == 0


def test_what_does_not_fit() -> None:
    row = tf.sparse.from_dense([[1, 2]])
    with pytest.raises(TypeError, match="hypothesis must be a SparseTensor"):
        tf.edit_distance([1], row)
    with pytest.raises(TypeError, match="truth must be a SparseTensor"):
        tf.edit_distance(row, [[1]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="the ranks do not fit"):
        tf.edit_distance(tf.sparse.from_dense([1, 2]), tf.sparse.from_dense([1, 2]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot mix int32 and float32"):
        tf.edit_distance(row, tf.sparse.from_dense([[1.0]]))


def test_fingerprints_know_rows() -> None:
    found = tf.fingerprint(["abc", "tensor", "abc"]).numpy()
    assert found.dtype == np.uint8
    assert (found[0] == found[2]).all()
    assert (found[0] != found[1]).any()
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one axis"):
        tf.fingerprint("abc")
    with pytest.raises(tf.errors.InvalidArgumentError, match="there is no such method"):
        tf.fingerprint(["abc"], method="md5")
