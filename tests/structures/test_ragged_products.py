"""Products of ragged matrices against those of their parts."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(5)


def matrices(*shapes):
    return [RNG.normal(size=shape).astype("float32") for shape in shapes]


def batch(parts, rank=2):
    """Matrices of different sizes as one ragged tensor; ragged_rank 1 where they are of one width."""
    return tf.ragged.constant([part.tolist() for part in parts], tf.float32, ragged_rank=rank)


def both(function, *arguments):
    return function(*arguments), tf.function(function)(*arguments)


def close(found, wanted):
    assert len(found.to_list()) == len(wanted)
    for matrix, right in zip(found.to_list(), wanted):
        assert np.shape(matrix) == right.shape
        np.testing.assert_allclose(matrix, right, rtol=1e-5, atol=1e-6)


def test_matrices_of_different_sizes():
    a, b = matrices((2, 3), (1, 2), (4, 1)), matrices((3, 2), (2, 4), (1, 1))
    for found in both(tf.matmul, batch(a), batch(b)):
        close(found, [x @ y for x, y in zip(a, b)])
    for found in both(lambda a, b: tf.matmul(a, b, transpose_a=True, transpose_b=True), batch(b), batch(a)):
        close(found, [y.T @ x.T for x, y in zip(a, b)])


def test_rows_of_one_width_and_dense_factors():
    a, dense = matrices((2, 3), (0, 3), (4, 3)), RNG.normal(size=(3, 3, 2)).astype("float32")
    for found in both(tf.matmul, batch(a, 1), tf.constant(dense)):
        close(found, [a[0] @ dense[0], np.zeros(0), a[2] @ dense[2]])
        assert found.shape.as_list() == [3, None, 2]
    for found in both(lambda a: tf.matmul(a, a, transpose_a=True), batch(a, 1)):
        close(found, [x.T @ x for x in a])
        assert found.shape.as_list() == [3, 3, 3]


def test_matrices_and_deeper_batches():
    a, b = matrices((2, 3), (3, 2))
    np.testing.assert_allclose(tf.matmul(tf.ragged.constant(a.tolist()), b), a @ b, rtol=1e-5)
    parts = matrices((2, 2), (1, 2), (3, 2))
    deep = tf.ragged.constant(
        [[parts[0].tolist()], [], [parts[1].tolist(), parts[2].tolist()]], tf.float32, ragged_rank=2
    )
    for found in both(lambda d: tf.matmul(d, d, transpose_b=True), deep):
        close(found[2], [x @ x.T for x in parts[1:]])
        assert found.row_lengths().numpy().tolist() == [1, 0, 2]


def test_what_does_not_fit():
    a = batch(matrices((2, 3), (1, 2)))
    for other, kind, text in [
        (tf.constant([[1.0]]), ValueError,
         "matmul: ragged matrices must be of one rank (a=float32(2, None, None), b=float32(1, 1))."),
        (a, tf.errors.InvalidArgumentError,
         "matmul: ragged matrices do not fit each other (a=float32(2, None, None), b=float32(2, None, None)); "
         "at each place of the batch the inner sizes must be equal."),
        (tf.zeros([3, 3, 1]), tf.errors.InvalidArgumentError,
         "matmul: ragged matrices do not fit each other (a=float32(2, None, None), b=float32(3, 3, 1)); "
         "at each place of the batch the inner sizes must be equal."),
    ]:  # fmt: skip
        with pytest.raises(kind) as caught:
            tf.matmul(a, other)
        assert str(caught.value) == text
    uneven = tf.ragged.constant([[[1.0, 2.0], [3.0]]])
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"the rows of a ragged matrix differ in length .lengths=.2, 1"
    ):
        tf.matmul(uneven, uneven)
    for given, text in [(a, "ragged matrices do not fit each other"), (uneven, "the rows of a ragged matrix differ")]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            tf.function(tf.matmul)(given, given)
    deep = tf.ragged.constant([[[[1.0]]], []], ragged_rank=2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="ragged batches differ in their rows"):
        tf.matmul(deep, tf.zeros([2, 1, 1, 1]))


def test_gradients_reach_the_matrices():
    values = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    weights = tf.constant([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    with tf.GradientTape() as tape:
        tape.watch([values, weights])
        product = tf.matmul(tf.RaggedTensor.from_row_splits(values, [0, 1, 3]), weights)
        total = tf.reduce_sum(product)
    first, second = tape.gradient(total, [values, weights])
    np.testing.assert_allclose(first, weights.numpy().sum(2)[[0, 1, 1]])
    np.testing.assert_allclose(second, np.repeat([[[1.0], [2.0]], [[8.0], [10.0]]], 2, axis=2))
