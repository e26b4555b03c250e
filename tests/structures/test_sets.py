"""Sets along the last axis against Python's sets."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

A, B = [[2, 3, 5, 7], [7, 9, 0, 0]], [[4, 5, 6], [9, 10, 0]]
SPARSE = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [5, 9, 9], [2, 2])


@pytest.mark.parametrize(
    ("name", "python"), [("union", set.union), ("intersection", set.intersection), ("difference", set.difference)]
)
@pytest.mark.parametrize("traced", [False, True])
def test_each_row_is_a_set(name, python, traced):
    function = getattr(tf.sets, name)
    function = tf.function(function) if traced else function
    for b, rows in ((tf.constant(B), B), (SPARSE, [[5, 9], [9]])):
        result = function(tf.constant(A), b)
        right = [sorted(python(set(x), set(y))) for x, y in zip(A, rows)]
        assert [result.values.numpy()[result.indices.numpy()[:, 0] == at].tolist() for at in range(2)] == right
        assert tf.sets.size(result).numpy().tolist() == list(map(len, right))
        assert result.dense_shape.numpy().tolist() == [2, max(map(len, right))]


def test_more_axes_strings_and_the_other_difference():
    three = np.array([[[1, 2], [3, 3]], [[4, 5], [6, 6]]])
    result = tf.sets.union(three, three * 0)
    assert tf.sparse.to_dense(result).numpy().tolist() == [[[0, 1, 2], [0, 3, 0]], [[0, 4, 5], [0, 6, 0]]]
    assert tf.sets.difference([["a", "b"]], [["b", "c"]], aminusb=False).values.numpy().tolist() == [b"c"]
    assert tf.sets.size(tf.sparse.from_dense([[1, 1, 2]])).numpy().tolist() == [2]


def test_what_does_not_fit_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"sets.union: the shapes differ before the last axis"):
        tf.sets.union([[1]], [[1], [2]])
    with pytest.raises(ValueError, match="its input must have at least two axes"):
        tf.sets.union([1], [1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot mix int32 and int64"):
        tf.sets.union(tf.constant([[1]]), tf.constant([[1]], tf.int64))
