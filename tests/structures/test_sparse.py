"""Sparse tensors against the dense arrays that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(3)
DENSE = np.where(RNG.random((3, 4)) < 0.5, RNG.normal(size=(3, 4)), 0).astype("float32")
OTHER = np.where(RNG.random((3, 4)) < 0.5, RNG.normal(size=(3, 4)), 0).astype("float32")


def dense(sparse):
    return tf.sparse.to_dense(sparse).numpy()


def test_there_and_back():
    s = tf.sparse.from_dense(DENSE)
    assert s.values.shape == (np.count_nonzero(DENSE),) and s.shape == (3, 4) and s.dtype == tf.float32
    np.testing.assert_array_equal(dense(s), DENSE)
    np.testing.assert_array_equal(tf.sparse.to_dense(s, default_value=9.0), np.where(DENSE == 0, 9, DENSE))
    words = tf.sparse.from_dense(np.array([["a", ""], ["", "b"]]))
    assert dense(words).tolist() == [[b"a", b""], [b"", b"b"]]


def test_operators_scale_and_nothing_else():
    s = tf.sparse.from_dense(DENSE)
    np.testing.assert_allclose(dense(s * 42.0), DENSE * 42)
    np.testing.assert_allclose(dense(42.0 * s), DENSE * 42)
    np.testing.assert_allclose(dense(s / 2.0), DENSE / 2)
    row = np.arange(1, 5, dtype="float32")
    np.testing.assert_allclose(dense(s * row), DENSE * row)
    np.testing.assert_allclose(dense(tf.abs(s)), abs(DENSE))
    for wrong in (lambda: s + 42.0, lambda: tf.constant(1.0) + s, lambda: s - s, lambda: tf.exp(s)):
        with pytest.raises(TypeError, match=r"tf.sparse"):
            wrong()


def test_to_dense_wants_order_and_says_how_to_mend_it():
    bad = tf.SparseTensor([[0, 2], [0, 1]], [1.0, 2.0], [3, 4])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.sparse.to_dense(bad)
    assert str(caught.value) == (
        "sparse.to_dense: indices[1] is out of order (indices[0]=[0, 2], indices[1]=[0, 1]); indices must rise in "
        "row-major order. Call tf.sparse.reorder(s) first."
    )
    assert dense(tf.sparse.reorder(bad))[0].tolist() == [0, 2, 1, 0]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[1\] is repeated"):
        tf.sparse.to_dense(tf.SparseTensor([[0, 1], [0, 1]], [1.0, 2.0], [3, 4]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[0\] lies outside the shape"):
        tf.sparse.to_dense(tf.SparseTensor([[3, 1]], [1.0], [3, 4]))
    with pytest.raises(ValueError, match="its parts do not fit each other"):
        tf.SparseTensor([[0, 1]], [1.0, 2.0], [3, 4])


def test_products_sums_and_parts():
    s, o = tf.sparse.from_dense(DENSE), tf.sparse.from_dense(OTHER)
    m = RNG.normal(size=(4, 2)).astype("float32")
    np.testing.assert_allclose(tf.sparse.sparse_dense_matmul(s, m), DENSE @ m, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        tf.sparse.sparse_dense_matmul(s, DENSE, adjoint_a=True), DENSE.T @ DENSE, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        tf.sparse.sparse_dense_matmul(m.T, s, adjoint_b=True), m.T @ DENSE.T, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(dense(tf.sparse.add(s, o)), DENSE + OTHER)
    np.testing.assert_allclose(tf.sparse.add(s, OTHER), DENSE + OTHER)
    np.testing.assert_array_equal(dense(tf.sparse.transpose(s)), DENSE.T)
    np.testing.assert_array_equal(dense(tf.sparse.slice(s, [1, 1], [2, 9])), DENSE[1:, 1:])
    for axis in (0, 1):
        np.testing.assert_array_equal(dense(tf.sparse.concat(axis, [s, o])), np.concatenate([DENSE, OTHER], axis))
        np.testing.assert_allclose(tf.sparse.reduce_sum(s, axis=axis), DENSE.sum(axis), rtol=1e-6)
    np.testing.assert_array_equal(dense(tf.sparse.reshape(s, [2, -1])), DENSE.reshape(2, 6))
    np.testing.assert_array_equal(dense(tf.sparse.retain(s, s.values > 0)), np.where(DENSE > 0, DENSE, 0))
    np.testing.assert_array_equal(dense(tf.sparse.eye(2, 3)), np.eye(2, 3))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a.shape.1. must equal b.shape.0."):
        tf.sparse.sparse_dense_matmul(s, DENSE)


def test_gradients_reach_the_values():
    values = tf.Variable([2.0, 3.0])
    m = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape() as tape:
        s = tf.SparseTensor([[0, 1], [1, 0]], values, [2, 2])
        total = tf.reduce_sum(tf.square(tf.sparse.to_dense(tf.sparse.add(s, s)))) + tf.reduce_sum(
            tf.sparse.sparse_dense_matmul(s, m)
        )
    np.testing.assert_allclose(tape.gradient(total, values), [8 * 2 + 7, 8 * 3 + 3])


def test_repr_shows_the_three_parts():
    s = tf.SparseTensor([[0, 1]], [1.0], [2, 2])
    assert repr(s) == f"SparseTensor(indices={s.indices}, values={s.values}, dense_shape={s.dense_shape})"
