"""Crossed features against plain products of lists, and against TensorFlow's numbers."""

from __future__ import annotations

import itertools

import pytest

import tensorsmith as tf

WORDS, TAGS = [["a b", "c"], [], ["d e f"]], [["x"], ["y"], ["z", "w"]]


def products(separator, *columns):
    return [[separator.join(parts).encode() for parts in itertools.product(*rows)] for rows in zip(*columns)]


def test_every_value_meets_every_other_of_its_row():
    words, tags = tf.ragged.constant(WORDS), tf.ragged.constant(TAGS)
    assert tf.ragged.cross([words, tags]).to_list() == products("_X_", WORDS, TAGS)
    assert tf.ragged.cross([words, tags, words.to_sparse()]).to_list() == products("_X_", WORDS, TAGS, WORDS)
    numbers = tf.constant([[1, 20], [3, 4], [-5, 6]])
    assert tf.ragged.cross([numbers, tags]).to_list() == products("_X_", [["1", "20"], ["3", "4"], ["-5", "6"]], TAGS)
    assert tf.function(lambda a, b: tf.ragged.cross([a, b]))(words, tags).to_list() == products("_X_", WORDS, TAGS)


def test_sparse_crosses_stand_at_the_beginning_of_their_rows():
    words, tags = tf.ragged.constant(WORDS).to_sparse(), tf.ragged.constant(TAGS).to_sparse()
    found = tf.sparse.cross([words, tags], separator="+")
    wanted = products("+", WORDS, TAGS)
    assert tf.RaggedTensor.from_sparse(found).to_list() == wanted and found.shape == (3, max(map(len, wanted)))


def test_hashes_are_those_of_tensorflow():
    # TensorFlow 2.21: tf.ragged.cross_hashed and tf.sparse.cross_hashed of the same inputs
    numbers, words, tags = tf.ragged.constant([[1, 2], [], [3]]), tf.ragged.constant(WORDS), tf.ragged.constant(TAGS)
    assert tf.ragged.cross_hashed([numbers, numbers], num_buckets=100).to_list() == [[41, 57, 16, 91], [], [85]]
    assert tf.ragged.cross_hashed([words, tags], num_buckets=100, hash_key=12).to_list() == [[12, 55], [], [33, 11]]
    letters = tf.SparseTensor([[0, 0], [1, 0]], ["x", "y"], [2, 1])
    places = tf.SparseTensor([[0, 0], [1, 1], [1, 2]], [1, 2, -3], [2, 4])
    assert tf.sparse.cross_hashed([letters, places]).values.numpy().tolist() == [
        4007690892585939727, 8605241000858273832, 4573279999893400427,
    ]  # fmt: skip


def test_what_cannot_be_crossed():
    with pytest.raises(ValueError, match="there are no inputs"):
        tf.ragged.cross([])
    with pytest.raises(ValueError, match="inputs of two axes are needed"):
        tf.ragged.cross([tf.ragged.constant([[[1]]])])
    with pytest.raises(TypeError, match="inputs must be integers or strings"):
        tf.ragged.cross([tf.constant([[1.0]])])
    with pytest.raises(tf.errors.InvalidArgumentError, match="the numbers of rows differ"):
        tf.ragged.cross([tf.constant([[1]]), tf.constant([[1], [2]])])
    with pytest.raises(TypeError, match="inputs must be a list"):
        tf.sparse.cross(tf.constant([[1]]))
