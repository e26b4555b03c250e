"""Ragged tensors tiled, turned around, and under more or fewer axes, against nested Python lists."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

ROWS = [[1, 2], [3], [], [4, 5, 6]]
DEEP = [[[1], [2, 3]], [], [[4, 5, 6]]]


def tiled(value, counts):
    inner = [tiled(item, counts[1:]) for item in value] if len(counts) > 1 else value
    return inner * counts[0]


@pytest.mark.parametrize("counts", [(1, 1), (3, 1), (1, 3), (2, 2), (0, 2), (2, 0)])
def test_tile(counts):
    r = tf.ragged.constant(ROWS)
    assert tf.tile(r, counts).to_list() == tiled(ROWS, counts)
    assert tf.function(lambda r: tf.tile(r, counts))(r).to_list() == tiled(ROWS, counts)


@pytest.mark.parametrize("counts", [(2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 3, 2), (1, 1, 0)])
def test_tile_of_two_ragged_axes(counts):
    assert tf.tile(tf.ragged.constant(DEEP), counts).to_list() == tiled(DEEP, counts)


@pytest.mark.parametrize("counts", [(2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 2, 2)])
def test_tile_of_dense_values(counts):
    rows = [[[0, 1], [2, 3]], [[4, 5]]]
    r = tf.ragged.constant(rows, ragged_rank=1)
    assert tf.tile(r, counts).to_list() == tiled(rows, counts)


@pytest.mark.parametrize("counts", [(2,), (2, -1), (1, 1, 1)])
def test_multiples_that_do_not_fit(counts):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.tile(tf.ragged.constant(ROWS), counts)
    assert str(caught.value) == (
        f"tile: the multiples do not fit a ragged tensor (multiples={counts}, shape=(4, None)); "
        "one number that is not negative is needed for each axis."
    )


def test_reverse():
    r, deep = tf.ragged.constant(ROWS), tf.ragged.constant(DEEP)
    assert tf.reverse(r, [0]).to_list() == ROWS[::-1]
    assert tf.reverse(r, [1]).to_list() == [row[::-1] for row in ROWS]
    assert tf.reverse(r, [0, -1]).to_list() == [row[::-1] for row in ROWS][::-1]
    assert tf.reverse(deep, [2]).to_list() == [[part[::-1] for part in row] for row in DEEP]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^reverse: there is no such axis .axis=2, rank=2.\.$"):
        tf.reverse(r, [2])


def test_one_axis_more_and_one_less():
    r, deep = tf.ragged.constant(ROWS), tf.ragged.constant(DEEP)
    for axis, wanted in ((0, [ROWS]), (1, [[row] for row in ROWS]), (-1, [[[x] for x in row] for row in ROWS])):
        more = tf.expand_dims(r, axis)
        assert more.to_list() == wanted
        assert tf.squeeze(more, [axis]).to_list() == ROWS
    assert tf.expand_dims(deep, 2).to_list() == [[[part] for part in row] for row in DEEP]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"the axis does not have the size 1 .axis=1, sizes=.0, 1, 2"
    ):
        tf.squeeze(r, [1])
    with pytest.raises(ValueError, match="axis must be given for a ragged tensor"):
        tf.squeeze(r)


def test_size_counts_the_values():
    assert tf.size(tf.ragged.constant(DEEP)).numpy() == 6


def test_what_goes_along_an_axis_is_not_done_on_the_flat_values():
    r = tf.ragged.constant([[3.0, 1.0], [2.0]])
    for call in (lambda: tf.sort(r), lambda: tf.math.cumprod(r, axis=1), lambda: tf.argmax(r, axis=1)):
        with pytest.raises(TypeError, match="it does not take a RaggedTensor"):
            call()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^reduce_sum: there is no such axis .axis=2, rank=2.\.$"):
        tf.reduce_sum(r, axis=2)


def test_gradients_pass_through_a_tile():
    values = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        r = tf.tile(tf.RaggedTensor.from_row_splits(values, [0, 2, 3]), [2, 3])
        y = tf.reduce_sum(tf.square(r))
    np.testing.assert_allclose(tape.gradient(y, values), 6 * 2 * np.array([1.0, 2.0, 3.0]))


def test_inner_axes_of_deep_tensors_are_merged():
    deepest = tf.ragged.constant([[[[1], [2, 3]], [[4]]], [], [[[5, 6]], []]])
    lists = deepest.to_list()
    assert deepest.merge_dims(2, 3).to_list() == [[[x for part in row for x in part] for row in rows] for rows in lists]
    assert deepest.merge_dims(1, 3).to_list() == [[x for row in rows for part in row for x in part] for rows in lists]
    table = tf.RaggedTensor.from_row_splits(tf.reshape(tf.range(12), [3, 2, 2]), [0, 1, 3])
    assert table.merge_dims(2, 3).to_list() == [[[0, 1, 2, 3]], [[4, 5, 6, 7], [8, 9, 10, 11]]]
    assert table.merge_dims(1, 2).to_list() == [[[0, 1], [2, 3]], [[4, 5], [6, 7], [8, 9], [10, 11]]]
