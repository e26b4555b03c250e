"""Sparse tensors under other axes against dense NumPy arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tensorsmith as tf

MATRIX = np.array([[0, 5, 0, 1], [0, 0, 0, 0], [6, 0, 7, 0]], "int32")
quick = settings(max_examples=20, deadline=None, derandomize=True, database=None)
matrices = arrays.arrays("int32", st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.integers(-1, 1))


def dense(sparse):
    return tf.sparse.to_dense(sparse).numpy()


@quick
@given(matrices, st.integers(-3, 2))
def test_an_axis_more(matrix, axis):
    for function in (tf.sparse.expand_dims, tf.function(tf.sparse.expand_dims)):
        found = function(tf.sparse.from_dense(matrix), axis)
        assert found.shape == np.expand_dims(matrix, axis).shape
        np.testing.assert_array_equal(dense(found), np.expand_dims(matrix, axis))


def test_an_axis_more_is_the_last_by_default_and_must_be_there():
    assert tf.sparse.expand_dims(tf.sparse.from_dense(MATRIX)).shape == (3, 4, 1)
    with pytest.raises(ValueError, match="there is no such axis"):
        tf.sparse.expand_dims(tf.sparse.from_dense(MATRIX), 3)


@quick
@given(matrices, st.data())
def test_split_gives_the_first_parts_what_is_left_over(matrix, data):
    axis = data.draw(st.integers(-2, 1))
    count = data.draw(st.integers(1, matrix.shape[axis]))
    for function in (tf.sparse.split, tf.function(tf.sparse.split)):
        found = function(tf.sparse.from_dense(matrix), count, axis)
        for part, wanted in zip(found, np.array_split(matrix, count, axis), strict=True):
            np.testing.assert_array_equal(dense(part), wanted)


def test_what_split_refuses():
    sparse = tf.sparse.from_dense(MATRIX)
    with pytest.raises(ValueError, match="sp_input, num_split and axis must be given"):
        tf.sparse.split(sparse, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_split lies outside 1 to the size"):
        tf.sparse.split(sparse, 4, axis=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="there is no such axis"):
        tf.sparse.split(sparse, 2, axis=2)


@quick
@given(matrices)
def test_the_tightest_shape(matrix):
    for function in (tf.sparse.reset_shape, tf.function(tf.sparse.reset_shape)):
        found = function(tf.sparse.from_dense(matrix))
        places = np.argwhere(matrix)
        wanted = (places.max(axis=0) + 1).tolist() if len(places) else [0, 0]
        assert found.dense_shape.numpy().tolist() == wanted


def test_a_larger_shape():
    sparse = tf.sparse.from_dense(MATRIX)
    np.testing.assert_array_equal(dense(tf.sparse.reset_shape(sparse, [4, 4])), np.pad(MATRIX, ((0, 1), (0, 0))))
    with pytest.raises(tf.errors.InvalidArgumentError, match="new_shape is smaller than the shape"):
        tf.sparse.reset_shape(sparse, [2, 4])
    with pytest.raises(tf.errors.InvalidArgumentError, match="new_shape has another rank"):
        tf.sparse.reset_shape(sparse, [3, 4, 1])


@quick
@given(matrices)
def test_empty_rows_are_filled(matrix):
    for function in (tf.sparse.fill_empty_rows, tf.function(tf.sparse.fill_empty_rows)):
        filled, empty = function(tf.sparse.from_dense(matrix), 9)
        missing = ~matrix.any(axis=1)
        wanted = matrix.copy()
        wanted[missing, 0] = 9
        np.testing.assert_array_equal(dense(filled), wanted)
        assert empty.numpy().tolist() == missing.tolist()


def test_the_fill_has_a_gradient_and_must_fit():
    value = tf.constant(9.0)
    with tf.GradientTape() as tape:
        tape.watch(value)
        filled, _ = tf.sparse.fill_empty_rows(tf.sparse.from_dense(np.array([[1.0], [0.0], [0.0]], "float32")), value)
        total = tf.reduce_sum(filled.values * filled.values)
    assert tape.gradient(total, value).numpy() == 2 * 2 * 9.0
    deep, empty = tf.sparse.fill_empty_rows(tf.SparseTensor([[1, 0, 2]], [5], [2, 3, 4]), 7)
    assert deep.indices.numpy().tolist() == [[0, 0, 0], [1, 0, 2]] and deep.values.numpy().tolist() == [7, 5]
    assert empty.numpy().tolist() == [True, False]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices.0. lies outside the shape"):
        tf.sparse.fill_empty_rows(tf.SparseTensor([[4, 1]], [1.0], [2, 2]), 9.0)
    with pytest.raises(TypeError, match="the input must be a SparseTensor"):
        tf.sparse.fill_empty_rows(MATRIX, 0)


@quick
@given(matrices, matrices, st.integers(0, 1))
def test_concat_of_shapes_that_are_not_known(a, b, axis):
    size = min(a.shape[1 - axis], b.shape[1 - axis])
    a, b = (m[:size] if axis else m[:, :size] for m in (a, b))
    spec = tf.SparseTensorSpec([None, None], tf.int32)
    joined = tf.function(lambda a, b: tf.sparse.concat(axis, [a, b]), input_signature=[spec, spec])
    for found in (joined, joined.python_function):
        np.testing.assert_array_equal(
            dense(found(tf.sparse.from_dense(a), tf.sparse.from_dense(b))), np.concatenate([a, b], axis)
        )
