"""Order, the best k, the different ones, counts, groups."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_order_is_stable_both_ways() -> None:
    x = [[2, 1, 2, 1]]
    assert tf.argsort(x).numpy().tolist() == [[1, 3, 0, 2]]
    assert tf.argsort(x, direction="DESCENDING").numpy().tolist() == [[0, 2, 1, 3]]
    assert tf.sort([[3, 1], [1, 2]], axis=0).numpy().tolist() == [[1, 1], [3, 2]]
    assert tf.sort(tf.constant(["b", "a"])).numpy().tolist() == [b"a", b"b"]
    assert np.isnan(tf.sort([1.0, float("nan"), 0.0]).numpy()[-1])
    with pytest.raises(ValueError, match=r"^sort: direction must be 'ASCENDING' or 'DESCENDING', not 'UP'"):
        tf.sort([1], direction="UP")


def test_the_best_k() -> None:
    values, places = tf.math.top_k([[1.0, 3.0, 3.0, 2.0]], k=3)
    assert values.numpy().tolist() == [[3, 3, 2]]
    assert places.numpy().tolist() == [[1, 2, 3]]
    found = tf.nn.top_k([1, 2], k=1)
    assert (found.values.numpy(), found.indices.dtype) == ([2], tf.int32)
    assert np.isnan(tf.math.top_k([1.0, float("nan")], 1).values.numpy())
    with pytest.raises(tf.errors.InvalidArgumentError, match="there are not so many elements"):
        tf.math.top_k([1, 2], k=3)


def test_the_gradient_goes_to_the_best() -> None:
    v = tf.Variable([1.0, 5.0, 3.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.math.top_k(v, 2).values * [1.0, 10.0])
    assert tape.gradient(y, v).numpy().tolist() == [0, 1, 10]


def test_the_different_ones_in_order_of_appearance() -> None:
    y, idx = tf.unique([5, 2, 5, 7])
    assert (y.numpy().tolist(), idx.numpy().tolist()) == ([5, 2, 7], [0, 1, 0, 2])
    assert tf.unique(tf.constant(["b", "a", "b"])).y.numpy().tolist() == [b"b", b"a"]
    assert tf.unique_with_counts([5, 2, 5]).count.numpy().tolist() == [2, 1]
    assert tf.unique([], out_idx=tf.int64).idx.dtype is tf.int64
    with pytest.raises(tf.errors.InvalidArgumentError, match="it takes a vector"):
        tf.unique([[1]])


def test_counts() -> None:
    assert tf.math.bincount([1, 1, 3]).numpy().tolist() == [0, 2, 0, 1]
    assert tf.math.bincount([1, 1, 3], maxlength=2).numpy().tolist() == [0, 2]
    assert tf.math.bincount([1], minlength=3).numpy().tolist() == [0, 1, 0]
    assert tf.math.bincount([0, 1, 1], weights=[0.5, 1.0, 2.0]).numpy().tolist() == [0.5, 3]


def test_places_in_a_sorted_sequence() -> None:
    assert tf.searchsorted([1, 3, 5], [0, 3, 6], side="right").numpy().tolist() == [0, 2, 3]
    assert tf.searchsorted([[1, 3], [2, 4]], [[2], [4]]).numpy().tolist() == [[1], [1]]
    with pytest.raises(ValueError, match="side must be 'left' or 'right'"):
        tf.searchsorted([1], [1], side="middle")


def test_groups_of_rows() -> None:
    assert tf.math.segment_sum([[1, 2], [3, 4], [5, 6]], [0, 0, 2]).numpy().tolist() == [[4, 6], [0, 0], [5, 6]]
    assert tf.math.segment_max([1.0, 5.0, 2.0], [0, 0, 2]).numpy().tolist() == [5, 0, 2]
    assert tf.math.segment_mean([1.0, 5.0, 2.0], [0, 0, 1]).numpy().tolist() == [3, 2]
    assert tf.math.segment_prod([2, 3, 4], [0, 1, 1]).numpy().tolist() == [2, 12]
    assert tf.math.segment_min([2, 3, 4], [0, 1, 1]).numpy().tolist() == [2, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="the segment ids are not sorted"):
        tf.math.segment_sum([1, 2], [1, 0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a segment id is out of range \(id=2, num_segments=2\)"):
        tf.math.unsorted_segment_sum([1], [2], num_segments=2)
