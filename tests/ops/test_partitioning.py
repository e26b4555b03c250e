"""Rows dealt out to groups come back to their places, also compiled and differentiated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorsmith as tf


@given(st.lists(st.integers(0, 3), min_size=0, max_size=12), st.integers(0, 2))
def test_what_was_dealt_out_is_put_together(numbers: list[int], width: int) -> None:
    partitions = np.array(numbers, "int32")
    rows = np.arange(partitions.size * width, dtype="float32").reshape(partitions.size, width)
    parts = tf.dynamic_partition(rows, partitions, 4)
    for at, part in enumerate(parts):
        np.testing.assert_array_equal(part, rows[partitions == at])
    places = tf.dynamic_partition(np.arange(partitions.size, dtype="int32"), partitions, 4)
    np.testing.assert_array_equal(tf.dynamic_stitch(places, parts), rows)


def test_partitions_of_two_axes_and_of_none() -> None:
    one, two = tf.dynamic_partition([[1, 2], [3, 4]], [[1, 0], [1, 1]], 2)
    assert (one.numpy().tolist(), two.numpy().tolist()) == ([2], [1, 3, 4])
    none, five = tf.dynamic_partition(5, 1, 2)
    assert (none.numpy().tolist(), five.numpy().tolist()) == ([], [5])


def test_of_a_place_named_twice_the_last_counts_and_of_none_zero() -> None:
    np.testing.assert_array_equal(tf.dynamic_stitch([[0, 3], [0]], [[1.0, 2.0], [9.0]]), [9, 0, 0, 2])
    assert tf.dynamic_stitch([[2]], [["a"]]).numpy().tolist() == [b"", b"", b"a"]
    assert tf.dynamic_stitch([tf.zeros([0], tf.int32)], [tf.zeros([0, 3])]).shape == (0, 3)


def test_in_a_traced_function_with_derivatives() -> None:
    @tf.function
    def halves(x, side):
        low, high = tf.dynamic_partition(x, side, 2)
        places = tf.dynamic_partition(tf.range(tf.size(x)), side, 2)
        return tf.dynamic_stitch(places, [low * 2.0, high * 3.0])

    x, side = tf.constant([1.0, 2.0, 3.0]), tf.constant([0, 1, 0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(halves(x, side) * [1.0, 10.0, 100.0])
    np.testing.assert_array_equal(halves(x, side), [2, 6, 6])
    np.testing.assert_array_equal(tape.gradient(y, x), [2, 30, 200])


def test_known_groups_are_compiled() -> None:
    @tf.function
    def first(x):
        return tf.dynamic_stitch([[1, 0]], [tf.dynamic_partition(x, [0, 1, 0], 2)[0]])

    np.testing.assert_array_equal(first(tf.constant([1.0, 2.0, 3.0])), [3, 1])
    assert not any(node.op.eager for node in first.get_concrete_function(tf.TensorSpec([3])).program.nodes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.dynamic_partition([1, 2], [0, 3], 2), r"there is no such group \(partition=3, num_partitions=2\)"),
        (lambda: tf.dynamic_partition([1, 2, 3], [0, 1], 2), "data does not begin with the shape of partitions"),
        (lambda: tf.dynamic_partition([1.0], [0], 0), "at least one group"),
        (lambda: tf.dynamic_stitch([[0, -1]], [[1.0, 3.0]]), r"a place is below 0 \(index=-1\)"),
        (lambda: tf.dynamic_stitch([[0, 1]], [[1.0, 3.0, 4.0]]), r"data\[0\] does not begin with the shape of indices"),
        (lambda: tf.dynamic_stitch([[0], [1]], [[[1.0]], [2.0]]), "rows differ in shape"),
        (lambda: tf.dynamic_stitch([[0]], [[1.0], [2.0]]), "data for each of the indices"),
    ],
)
def test_what_does_not_fit(call, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call()


def test_partitions_are_int32() -> None:
    with pytest.raises(ValueError, match="requested dtype int32"):
        tf.dynamic_partition([1.0], tf.constant([0], tf.int64), 1)
