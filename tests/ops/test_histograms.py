"""Histograms of bins of one width, and flat places as rows and columns."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_counts_are_those_of_numpy_within_the_range() -> None:
    values = np.random.default_rng(3).uniform(0, 5, 1000).astype("float32")
    found = tf.histogram_fixed_width(values, [0.0, 5.0], nbins=10)
    np.testing.assert_array_equal(found, np.histogram(values, 10, (0, 5))[0])
    assert found.dtype == tf.int32
    assert tf.histogram_fixed_width(values, [0.0, 5.0], 7, tf.int64).dtype == tf.int64


def test_what_lies_outside_is_in_the_bins_at_the_ends() -> None:
    np.testing.assert_array_equal(tf.histogram_fixed_width([[-9, 0], [3, 15]], [0, 5], nbins=5), [2, 0, 0, 1, 1])


def test_the_same_when_compiled() -> None:
    values = np.random.default_rng(4).normal(size=(3, 50)).astype("float32")
    compiled = tf.function(lambda v, r: tf.histogram_fixed_width(v, r, 20))
    np.testing.assert_array_equal(
        compiled(values, np.float32([-1, 1])), tf.histogram_fixed_width(values, [-1.0, 1.0], 20)
    )


@pytest.mark.parametrize(
    ("values", "where", "bins", "message"),
    [
        ([1.0, np.nan], [0.0, 5.0], 5, "a value is NaN"),
        ([1.0], [5.0, 0.0], 5, r"the range is empty \(value_range=\[5.0, 0.0\]\)"),
        ([1.0], [0.0, 5.0], 0, "there must be a bin"),
    ],
)
def test_what_is_refused(values, where, bins: int, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        tf.histogram_fixed_width(values, where, bins)
    with pytest.raises(tf.errors.InvalidArgumentError, match="counts are int32 or int64"):
        tf.histogram_fixed_width([1.0], [0.0, 1.0], dtype=tf.float32)
    with pytest.raises(ValueError, match="must be two numbers"):
        tf.histogram_fixed_width([1.0], [0.0, 1.0, 2.0])
