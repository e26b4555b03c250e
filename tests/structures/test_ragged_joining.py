"""Ragged tensors cut apart and stacked, against nested Python lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorsmith as tf

quick = settings(max_examples=20, deadline=None, derandomize=True, database=None)
nested = st.lists(st.lists(st.integers(-9, 9), max_size=4), min_size=1, max_size=4)
ROWS = [[1, 2], [], [3, 4, 5]]


def ragged(rows, rank=1):
    return tf.ragged.constant(rows, tf.int32, ragged_rank=rank)


@quick
@given(nested, st.data())
def test_rows_are_split(rows, data):
    first = data.draw(st.integers(0, len(rows)))
    r = ragged(rows)
    for function in (tf.split, tf.function(tf.split, autograph=False)):
        a, b = function(r, [first, len(rows) - first])
        assert a.to_list() == rows[:first] and b.to_list() == rows[first:]
        assert [part.to_list() for part in function(r, len(rows))] == [[row] for row in rows]
    a, b = tf.split(r, [first, -1])
    assert a.to_list() == rows[:first] and b.to_list() == rows[first:]


def test_inner_axes_are_split_where_all_rows_have_one_length():
    values = tf.reshape(tf.range(12), [3, 4])
    dense = tf.RaggedTensor.from_row_splits(values, [0, 1, 3])
    a, b = tf.split(dense, 2, axis=2)
    np.testing.assert_array_equal(a.flat_values, values[:, :2])
    np.testing.assert_array_equal(b.flat_values, values[:, 2:])
    assert tf.split(dense, [1, 3], axis=-1)[1].shape.as_list() == [2, None, 3]
    even = tf.RaggedTensor.from_uniform_row_length(ragged([[1], [2, 3], [], [4]]), 2)
    a, b = tf.split(even, 2, axis=1)
    assert a.to_list() == [[[1]], [[]]] and b.to_list() == [[[2, 3]], [[4]]] and a.shape.as_list() == [2, 1, None]
    deep = tf.RaggedTensor.from_row_splits(even, [0, 1, 2])
    assert [part.to_list() for part in tf.split(deep, [1, 1], axis=2)] == [[[[[1]]], [[[]]]], [[[[2, 3]]], [[[4]]]]]


def test_what_cannot_be_split():
    r = ragged(ROWS)
    with pytest.raises(ValueError) as caught:
        tf.split(r, 2, axis=1)
    assert str(caught.value) == (
        "split: a ragged axis cannot be split (axis=1, shape=(3, None)); its rows differ in length."
    )
    for sizes, text in [(2, "the axis does not divide into equal parts"), ([1, 1], "the sizes do not add up")]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            tf.split(r, sizes)


def test_scalars_and_vectors_are_stacked():
    assert tf.ragged.stack([1, 2]).numpy().tolist() == [1, 2]
    assert tf.ragged.stack([[1, 2], [3, 4]], axis=1).numpy().tolist() == [[1, 3], [2, 4]]
    assert tf.ragged.stack([[1, 2], [3]], axis=-2).to_list() == [[1, 2], [3]]
    assert tf.ragged.stack([ragged(ROWS), [[7], [8, 9]][:1]]).to_list() == [ROWS, [[7]]]


def test_values_grouped_by_partition():
    group = tf.ragged.stack_dynamic_partitions
    assert group([1, 2, 3, 4], [0, 2, 0, 2], 3).to_list() == [[1, 3], [], [2, 4]]
    assert group([[1, 2], [3, 4]], [[0, 2], [0, 1]], 3).to_list() == [[1, 3], [4], [2]]
    r = ragged(ROWS)
    assert group(r, [1, 1, 0], 2).to_list() == [[[3, 4, 5]], [[1, 2], []]]
    for function in (group, tf.function(lambda r, p, n: group(r, p, n))):
        assert function(r, ragged([[0, 1], [], [1, 0, 0]]), 2).to_list() == [[1, 4, 5], [2, 3]]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"a partition is out of range .partition=3, num_partitions=3"
    ):
        group([1, 2], [0, 3], 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="the partitions do not fit the data"):
        group(r, ragged([[0], [1], [1]]), 2)


def test_numbers_up_to_limits_want_steps():
    assert tf.ragged.range([1, 8], [3, 2], [1, -2]).to_list() == [[1, 2], [8, 6, 4]]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"ragged.range: a step is 0 .deltas=0"):
        tf.ragged.range([1], [3], 0)
