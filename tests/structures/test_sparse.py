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
    assert repr(s) == f"SparseTensor(indices={s.indices!s}, values={s.values!s}, dense_shape={s.dense_shape!s})"
    assert "values=tf.Tensor([1.], shape=(1,), dtype=float32)" in repr(s)


REPEATED = tf.SparseTensor([[0, 1], [0, 1], [2, 3]], [1.0, 2.0, -4.0], [3, 4])
SUMMED = np.zeros((3, 4), "float32")
SUMMED[0, 1], SUMMED[2, 3] = 3, -4


def both(function, *arguments):
    return function(*arguments), tf.function(function)(*arguments)


def test_what_programs_find_when_they_run():
    unordered = tf.SparseTensor([[0, 2], [0, 1]], [1.0, 2.0], [3, 4])
    outside = tf.SparseTensor([[0, 2], [5, 1]], [1.0, 2.0], [3, 4])
    ones = tf.ones([4, 2])
    for function, given, text in [
        (tf.sparse.to_dense, unordered, "indices are repeated or out of order"),
        (tf.sparse.to_dense, REPEATED, "indices are repeated or out of order"),
        (tf.sparse.to_dense, outside, "indices lie outside the shape"),
        (lambda s: tf.sparse.sparse_dense_matmul(s, ones), outside, "indices lie outside the shape"),
        (lambda s: tf.sparse.add(s, tf.ones([3, 4])), outside, "indices lie outside the shape"),
        (lambda s: tf.sparse.reduce_sum(s, 1), outside, "indices lie outside the shape"),
        (lambda s: tf.sparse.reset_shape(s, [2, 9]), unordered, "new_shape is smaller than the shape"),
        (lambda s: tf.sparse.map_values(tf.add, s, REPEATED), tf.sparse.eye(3, 4), "the places of the values differ"),
    ]:  # fmt: skip
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            tf.function(function)(given)
        with pytest.raises(tf.errors.InvalidArgumentError):
            function(given)
    np.testing.assert_array_equal(tf.function(tf.sparse.to_dense)(tf.sparse.from_dense(DENSE)), DENSE)


def test_elements_at_one_place_are_added():
    for found in both(lambda s: tf.sparse.add(s, tf.ones([3, 4])), REPEATED):
        np.testing.assert_array_equal(found, SUMMED + 1)
    for axis in (0, 1, None, [0, 1]):
        axes = tuple(axis) if isinstance(axis, list) else axis
        for keepdims in (False, True):
            for found in both(lambda s, a=axis, k=keepdims: tf.sparse.reduce_sum(s, a, keepdims=k), REPEATED):
                np.testing.assert_array_equal(found, SUMMED.sum(axes, keepdims=keepdims))
            sparse = tf.sparse.reduce_sum(REPEATED, axis, keepdims=keepdims, output_is_sparse=True)
            np.testing.assert_array_equal(dense(sparse), SUMMED.sum(axes, keepdims=keepdims))
    for found in both(lambda s: tf.sparse.reduce_max(s, 1), REPEATED):
        assert found.numpy().tolist() == [2.0, 0.0, -4.0]
    for found in both(lambda s: tf.sparse.reduce_max(s, 1, output_is_sparse=True).values, REPEATED):
        assert found.numpy().tolist() == [2.0, -4.0]
    open_size = tf.function(lambda s: (tf.sparse.reduce_sum(s, 1), tf.sparse.reduce_max(s, 1)),
                            input_signature=[tf.SparseTensorSpec([None, None])])  # fmt: skip
    total, top = open_size(REPEATED)
    assert total.numpy().tolist() == [3.0, 0.0, -4.0] and top.numpy().tolist() == [2.0, 0.0, -4.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"there is no such axis .axis=2, rank=2"):
        tf.sparse.reduce_sum(REPEATED, 2)


def test_sums_of_great_shapes_touch_what_is_stored():
    wide = tf.SparseTensor([[0, 10**11], [3, 5]], [1.0, 2.0], [10**6, 10**12])
    assert tf.sparse.reduce_sum(wide).numpy() == 3.0
    found = tf.sparse.reduce_max(wide, axis=0, output_is_sparse=True)
    assert found.indices.numpy().tolist() == [[5], [10**11]] and found.dense_shape.numpy().tolist() == [10**12]


def test_a_threshold_counts_where_both_store_an_element():
    a = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1.0, 2.0, 3.0], [2, 2])
    b = tf.SparseTensor([[0, 1], [1, 0], [1, 1]], [0.5, 4.0, 1.0], [2, 2])
    for found in both(lambda a, b: tf.sparse.add(a, b, threshold=5.0), a, b):
        assert found.indices.numpy().tolist() == [[0, 0], [1, 0], [1, 1]]
        assert found.values.numpy().tolist() == [1.0, 7.0, 1.0]


def test_shapes_and_sizes():
    s = tf.sparse.from_dense(DENSE)
    assert tf.shape(s).numpy().tolist() == [3, 4] and tf.size(s).numpy() == 12 and tf.shape(s).dtype == tf.int32
    assert tf.shape(s, tf.int64).dtype == tf.int64
    np.testing.assert_array_equal(dense(tf.stop_gradient(s)), DENSE)
    eye = tf.sparse.eye(3, 2, dtype=tf.int32)
    assert eye.dtype == tf.int32 and dense(eye).tolist() == np.eye(3, 2).tolist()
    for found in both(lambda s: s * tf.constant([[1.0], [2.0], [3.0]]), s):
        np.testing.assert_allclose(dense(found), DENSE * [[1], [2], [3]], rtol=1e-6)


def test_reshaped_in_programs():
    unordered = tf.SparseTensor([[1, 0], [0, 1], [2, 3]], [1.0, 2.0, 3.0], [3, 4])
    table = dense(tf.sparse.reorder(unordered))
    for found in both(lambda s: tf.sparse.reorder(tf.sparse.reshape(s, [2, -1])), unordered):
        np.testing.assert_array_equal(dense(found), table.reshape(2, 6))
    traced = tf.function(lambda s, shape: tf.sparse.reshape(s, shape))
    found = traced(unordered, tf.constant([4, 3]))
    np.testing.assert_array_equal(dense(tf.sparse.reorder(found)), table.reshape(4, 3))
    with pytest.raises(tf.errors.InvalidArgumentError, match="the number of elements differs"):
        traced(unordered, tf.constant([5, 3]))


def test_arguments_that_do_not_fit():
    s, invalid = tf.sparse.from_dense(DENSE), tf.errors.InvalidArgumentError
    for call, kind, text in [
        (lambda: tf.SparseTensor([[0, 1]], [1.0], [-3, 4]), ValueError, r"a size is below 0 .dense_shape=.-3, 4"),
        (lambda: tf.sparse.retain(s, [True]), ValueError, "one answer is needed for each element"),
        (lambda: tf.sparse.transpose(s, [0, 0]), ValueError, "perm must name each axis once"),
        (lambda: tf.sparse.slice(s, [0], [1, 2]), invalid, "start and size do not fit the axes"),
        (lambda: tf.sparse.slice(s, [0, 0], [1, -1]), invalid, "start and size do not fit the axes"),
        (lambda: tf.sparse.concat(0, []), invalid, "there is nothing to join"),
        (lambda: tf.sparse.eye(-1), invalid, "a size is below 0"),
        (lambda: tf.sparse.map_values(tf.add, s, tf.sparse.eye(3, 4)), invalid, "the places of the values differ"),
        (lambda: tf.sparse.expand_dims(s, 3), invalid, "there is no such axis"),
        (lambda: tf.sparse.segment_sum(DENSE, [0, 1], [-1, 0]), invalid, "a segment id is below 0"),
        (lambda: tf.sparse.sparse_dense_matmul(tf.SparseTensor([[5, 1]], [1.0], [3, 4]), np.ones((4, 2), "float32")),
         invalid, r"indices.0. lies outside the shape"),
    ]:  # fmt: skip
        with pytest.raises(kind, match=text):
            call()


def test_derivatives_in_programs_of_what_is_known():
    a = np.arange(12.0, dtype="float32").reshape(3, 4)

    def gradient(function):
        values = tf.constant([1.0, 2.0, 3.0])
        with tf.GradientTape() as tape:
            tape.watch(values)
            total = function(tf.SparseTensor([[0, 1], [1, 0], [2, 3]], values, [3, 4]))
        return tape.gradient(total, values)

    for adjoint_a, adjoint_b in ((False, False), (True, False), (False, True), (True, True)):
        factor = (a if adjoint_a else a.T)[:, :3]
        factor = np.ascontiguousarray(factor.T if adjoint_b else factor)

        def product(s, factor=factor, adjoint_a=adjoint_a, adjoint_b=adjoint_b):
            return tf.sparse.sparse_dense_matmul(s, factor, adjoint_a=adjoint_a, adjoint_b=adjoint_b)

        rows = (factor.T if adjoint_b else factor).sum(1)
        wanted = rows[[0, 1, 2]] if adjoint_a else rows[[1, 0, 3]]
        for found in both(lambda function=product: gradient(function)):
            np.testing.assert_allclose(found, wanted)
    for found in both(lambda a: gradient(lambda s: tf.sparse.add(s, a) ** 2), tf.constant(a)):
        np.testing.assert_allclose(found, 2 * (np.array([1.0, 2.0, 3.0]) + a[[0, 1, 2], [1, 0, 3]]))
