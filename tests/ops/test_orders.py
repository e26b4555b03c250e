"""Permutations turned around, and the greatest few along any axis."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

X = np.random.default_rng(3).permutation(24).reshape(2, 4, 3).astype("float32")


@pytest.mark.parametrize("axis", [-3, -2, 1, 2])
def test_the_extremes_along_an_axis(axis: int) -> None:
    ascending = np.sort(X, axis)
    two = np.take(ascending, [0, 1], axis)
    for found, right in [
        (tf.math.approx_min_k(X, 2, reduction_dimension=axis), two),
        (tf.math.approx_max_k(X, 2, reduction_dimension=axis), np.take(ascending, [-1, -2], axis)),
        (tf.approx_top_k(X, 2, reduction_dimension=axis, is_max_k=False), two),
    ]:
        np.testing.assert_array_equal(found.values, right)
        np.testing.assert_array_equal(np.take_along_axis(X, found.indices.numpy(), axis), right)


def test_an_axis_that_is_not_there() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"there is no such axis \(operand=\(2, 4, 3\)"):
        tf.math.approx_max_k(X, 2, reduction_dimension=3)


@pytest.mark.parametrize("x", [[0, 0], [0, 2], [-1, 0]])
def test_what_is_no_permutation_is_refused(x: list[int]) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="each number from 0 to 1 must stand there once"):
        tf.math.invert_permutation(x)


def test_nothing_rises() -> None:
    assert tf.math.is_strictly_increasing(tf.zeros([0]))
    assert tf.math.is_non_decreasing(tf.zeros([0, 3]))
