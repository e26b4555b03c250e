"""A shuffled order without the order in memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorsmith as tf


@given(st.integers(0, 300), st.lists(st.integers(-(2**31), 2**31 - 1), min_size=3, max_size=3))
def test_every_place_is_met_once(most: int, seed: list[int]) -> None:
    found = tf.random_index_shuffle(tf.range(most + 1), seed, most).numpy()
    assert sorted(found.tolist()) == list(range(most + 1))


def test_seeds_give_other_orders_and_compiled_ones_are_alike() -> None:
    places = tf.range(1000)
    orders = [tf.random.experimental.index_shuffle(places, [1, at], 999).numpy() for at in range(20)]
    assert len({order.tobytes() for order in orders}) == 20
    compiled = tf.function(lambda i, s: tf.random.experimental.index_shuffle(i, s, 999))
    np.testing.assert_array_equal(compiled(places, tf.constant([1, 3])), orders[3])
    # of a fair shuffle each place is met once in a thousand orders at a given index: means of twenty are near the middle
    assert abs(np.mean(orders, axis=0).mean() - 499.5) < 1e-9
    assert 300 < np.std(np.mean(orders, axis=0)) * 20**0.5 < 350 or 0.2 < np.std(np.mean(orders, axis=0)) / 288 < 0.25


def test_large_numbers_and_dtypes() -> None:
    most = tf.constant(2**63 - 1, tf.uint64)
    assert tf.random_index_shuffle(tf.constant(5, tf.uint64), [1, 2, 3], most).dtype == tf.uint64
    rows = tf.random_index_shuffle([0, 1], [[1, 2, 3], [1, 2, 3]], [1, 1])
    assert sorted(rows.numpy().tolist()) == [0, 1]


def test_what_does_not_fit() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="an index is out of range"):
        tf.random.experimental.index_shuffle(15, [1, 2], 10)
    with pytest.raises(tf.errors.InvalidArgumentError, match="a seed has 2 words"):
        tf.random.experimental.index_shuffle(5, [1, 2, 3], 10)
    with pytest.raises(tf.errors.InvalidArgumentError, match="a seed has 3 words"):
        tf.random_index_shuffle(5, [1, 2], 10)
