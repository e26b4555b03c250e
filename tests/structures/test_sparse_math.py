"""Sparse tensors compared, normalised and counted against dense NumPy arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tensorsmith as tf

quick = settings(max_examples=20, deadline=None, derandomize=True, database=None)
pairs = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(*[arrays.arrays("int32", shape, elements=st.integers(-3, 3))] * 2)
)
counted = arrays.arrays("int32", st.tuples(st.integers(0, 4), st.integers(0, 5)), elements=st.integers(0, 6))


def dense(sparse):
    return tf.sparse.to_dense(sparse).numpy()


@quick
@given(pairs)
def test_the_greater_and_the_smaller_where_one_is_stored(pair):
    a, b = map(tf.sparse.from_dense, pair)
    for name in ("maximum", "minimum"):
        for function in (getattr(tf.sparse, name), tf.function(getattr(tf.sparse, name))):
            found = function(a, b)
            np.testing.assert_array_equal(dense(found), getattr(np, name)(*pair))
            assert len(found.values) == np.count_nonzero((pair[0] != 0) | (pair[1] != 0))


def test_what_cannot_be_compared():
    a = tf.sparse.from_dense([[1, 2]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot mix int32 and float32"):
        tf.sparse.maximum(a, tf.sparse.from_dense([[1.0, 2.0]]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="the shapes differ"):
        tf.sparse.minimum(a, tf.sparse.from_dense([[1], [2]]))


def test_softmax_of_what_is_stored():
    matrix = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [-1.0, 1000.0, 0.0]], "float32")
    lowest = np.where(matrix != 0, matrix.astype("float64"), -np.inf)[[0, 2]]
    powers = np.exp(lowest - lowest.max(axis=1, keepdims=True))
    wanted = powers / powers.sum(axis=1, keepdims=True)
    for function in (tf.sparse.softmax, tf.function(tf.sparse.softmax)):
        found = dense(function(tf.sparse.from_dense(matrix)))
        np.testing.assert_allclose(found[[0, 2]], wanted, rtol=1e-6)
        assert not found[1].any()
    with pytest.raises(tf.errors.InvalidArgumentError, match="the values must be floats"):
        tf.sparse.softmax(tf.sparse.from_dense([[1]]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least two axes are needed"):
        tf.sparse.softmax(tf.sparse.from_dense([1.0]))


def test_the_gradient_of_softmax():
    values = tf.constant([0.5, -1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        found = tf.sparse.softmax(tf.SparseTensor([[0, 0], [0, 2], [1, 1]], values, [2, 3])).values[0]
    p = np.exp(0.5) / (np.exp(0.5) + np.exp(-1.0))
    np.testing.assert_allclose(tape.gradient(found, values), [p * (1 - p), -p * (1 - p), 0.0], rtol=1e-5)


def test_which_numbers_are_there():
    sparse = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], tf.constant([2, 0, 2], tf.int64), [3, 2])
    wanted = [[True, False, True, False], [False] * 4, [False, False, True, False]]
    for function in (tf.sparse.to_indicator, tf.function(tf.sparse.to_indicator)):
        assert function(sparse, 4).numpy().tolist() == wanted
    with pytest.raises(tf.errors.InvalidArgumentError, match="lies outside the shape"):
        tf.sparse.to_indicator(sparse, 2)
    assert tf.sparse.to_indicator(tf.sparse.from_dense([[1.0]]), 2).numpy().tolist() == [[False, True]]


@quick
@given(counted, st.sampled_from([0, -1]), st.sampled_from([None, 4, 9]), st.sampled_from([None, 3]))
def test_counts(values, axis, minlength, maxlength):
    size = max(int(values.max(initial=-1)) + 1, minlength or 0)
    size = size if maxlength is None else min(size, maxlength)
    rows = values if axis == -1 else values.reshape(1, -1)
    wanted = np.array([[np.sum(row == n) for n in range(size)] for row in rows]).reshape(len(rows), size)
    wanted = wanted if axis == -1 else wanted[0]
    found = tf.sparse.bincount(values, axis=axis, minlength=minlength, maxlength=maxlength)
    np.testing.assert_array_equal(dense(found), wanted)
    there = tf.sparse.bincount(values, axis=axis, minlength=minlength, maxlength=maxlength, binary_output=True)
    np.testing.assert_array_equal(dense(there), np.minimum(wanted, 1))


def test_counts_of_ragged_and_sparse_values_and_weights():
    rows = tf.ragged.constant([[1, 1], [], [3]])
    np.testing.assert_array_equal(dense(tf.sparse.bincount(rows, axis=-1)), [[0, 2, 0, 0], [0] * 4, [0, 0, 0, 1]])
    np.testing.assert_array_equal(dense(tf.sparse.bincount(rows.to_sparse(), axis=0)), [0, 2, 0, 1])
    weights = tf.ragged.constant([[0.5, 0.25], [], [2.0]])
    np.testing.assert_array_equal(dense(tf.sparse.bincount(rows, weights)), [0.0, 0.75, 0.0, 2.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="weights and values differ in form"):
        tf.sparse.bincount([1, 2], [1.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="a value is below 0"):
        tf.sparse.bincount([1, -2])
    with pytest.raises(ValueError, match="only axis 0 and -1 are there"):
        tf.sparse.bincount([[1]], axis=1)
    with pytest.raises(ValueError, match="binary_output and weights exclude each other"):
        tf.sparse.bincount([1], [1.0], binary_output=True)


@pytest.mark.parametrize(
    ("name", "reduce"),
    [
        ("segment_sum", np.sum),
        ("segment_mean", np.mean),
        ("segment_sqrt_n", lambda r, axis: r.sum(axis) / np.sqrt(len(r))),
    ],
)
def test_groups_of_picked_rows(name, reduce):
    data, places, ids = np.arange(6.0).reshape(3, 2).astype("float32"), np.array([0, 2, 1, 0]), np.array([0, 0, 0, 2])
    wanted = np.stack([reduce(data[places[ids == g]], axis=0) if (ids == g).any() else np.zeros(2) for g in range(4)])
    function = getattr(tf.sparse, name)
    np.testing.assert_allclose(function(data, places, ids), wanted[:3], rtol=1e-6)
    np.testing.assert_allclose(function(data, places, ids, num_segments=4), wanted, rtol=1e-6)
    traced = tf.function(lambda d, p, i: function(d, p, i, num_segments=4))
    np.testing.assert_allclose(traced(data, places, ids), wanted, rtol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="segment_ids fall"):
        function(data, [0, 1], [1, 0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="indices and segment_ids differ in size"):
        function(data, [0, 1], [0])


def test_slices_that_are_left_out():
    slices = tf.IndexedSlices(tf.constant([[1.0], [2.0], [3.0]]), tf.constant([4, 7, 9]))
    found = tf.sparse.mask(slices, [7, 8])
    assert found.indices.numpy().tolist() == [4, 9] and found.values.numpy().tolist() == [[1.0], [3.0]]


def test_products_at_some_places():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 4)).astype("float32"), rng.normal(size=(4, 5)).astype("float32")
    places, values = np.array([[0, 4], [2, 1]]), np.array([1.0, -2.0], "float32")
    _, found, _ = tf.sparse.sampled_addmm(places, values, [3, 5], a, b, beta=0.5, alpha=2.0)
    np.testing.assert_allclose(found, 2.0 * (a @ b)[tuple(places.T)] + 0.5 * values, rtol=1e-5)


def test_counts_and_sums_of_elements_out_of_order():
    unordered = tf.SparseTensor([[1, 0], [0, 1], [0, 0]], [2, 1, 1], [2, 2])
    np.testing.assert_array_equal(dense(tf.sparse.bincount(unordered, axis=-1)), [[0, 2, 0], [0, 0, 1]])
    weights = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [2.0, 1.0, 0.5], [2, 2])
    np.testing.assert_array_equal(dense(tf.sparse.bincount(unordered, weights, axis=-1)), [[0, 3.0, 0], [0, 0, 0.5]])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices.2. lies outside the shape"):
        tf.sparse.reduce_sum(tf.SparseTensor([[0, 0], [0, 1], [0, 5]], [1, 2, 3], [1, 2]), 0)
