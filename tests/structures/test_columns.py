"""Rows of ragged and sparse tensors, taken by slices and by indices, against lists and dense arrays."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

import tensorsmith as tf
from tensorsmith.structures.columns import column_of, has_column, joined

ROWS = st.lists(st.lists(st.integers(-9, 9), max_size=4), max_size=7)
DEEP = st.lists(st.lists(st.lists(st.integers(-9, 9), max_size=3), max_size=3), max_size=5)


def ragged_of(rows, depth):
    return tf.ragged.constant(rows, tf.int32, ragged_rank=depth)


@given(data=st.data(), depth=st.sampled_from([1, 2]))
def test_rows_of_a_ragged_tensor(data, depth):
    rows = data.draw(ROWS if depth == 1 else DEEP)
    column = column_of(ragged_of(rows, depth))
    assert len(column) == len(rows) and column.shape == (len(rows), *[None] * depth)
    part = data.draw(st.slices(len(rows)))
    cut = column[part].tensor
    assert cut.to_list() == rows[part] and cut.flat_values.shape[0] == cut.nested_row_splits[-1].numpy()[-1]
    picked = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9)) if rows else []
    taken = column[np.array(picked, int)]
    assert taken.tensor.to_list() == [rows[at] for at in picked]
    # what was taken is a column like any other
    assert taken[1:].tensor.to_list() == [rows[at] for at in picked[1:]]
    assert joined([taken.tensor, column.tensor, taken.tensor]).to_list() == [
        *(rows[at] for at in picked),
        *rows,
        *(rows[at] for at in picked),
    ]


@given(data=st.data())
def test_rows_of_a_sparse_tensor(data):
    rows = data.draw(st.integers(0, 6))
    dense = np.array(
        data.draw(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=rows, max_size=rows))
    )
    dense = dense.reshape(rows, 3).astype("float32")
    sparse = tf.sparse.from_dense(dense)
    order = data.draw(st.permutations(range(sparse.values.shape[0])))
    mixed = tf.SparseTensor(sparse.indices.numpy()[order], sparse.values.numpy()[order], sparse.dense_shape)
    picked = data.draw(st.lists(st.integers(0, rows - 1), max_size=9)) if rows else []
    part = data.draw(st.slices(rows))
    for value in (sparse, mixed):
        column = column_of(value)
        assert column.shape == dense.shape
        for wanted in (part, np.array(picked, int)):
            found = tf.sparse.reorder(column[wanted].tensor)
            np.testing.assert_array_equal(tf.sparse.to_dense(found), dense[wanted])
        both = joined([column[part].tensor, column.tensor])
        np.testing.assert_array_equal(tf.sparse.to_dense(tf.sparse.reorder(both)), np.concatenate([dense[part], dense]))


def test_inner_axes_of_one_length_and_the_dtype_of_splits_are_kept():
    values = np.arange(24, dtype="float32").reshape(6, 2, 2)
    column = column_of(tf.RaggedTensor.from_row_splits(values, np.array([0, 1, 4, 6], "int32")))
    taken = column[[2, 0]].tensor
    assert column.shape == (3, None, 2, 2) and taken.row_splits.dtype == tf.int32
    np.testing.assert_array_equal(taken.flat_values, values[[4, 5, 0]])
    assert joined([taken, taken]).row_splits.dtype == tf.int32
    assert column.spec == tf.RaggedTensorSpec([None, None, 2, 2], tf.float32, 1, tf.int32)
    even = tf.RaggedTensor.from_uniform_row_length(tf.ragged.constant([[1], [2, 3], [], [4]]), 2)
    assert column_of(even)[[1]].tensor.shape.as_list() == [1, 2, None]
    assert column_of(even).spec.is_compatible_with(column_of(even)[:1].tensor)


def test_another_dtype():
    column = column_of(tf.ragged.constant([[1.5], [2.0, 3.0]], tf.float64)).astype(np.float32)
    assert column.dtype == np.float32 and column.tensor.dtype == tf.float32 and column.spec.dtype == tf.float32
    sparse = column_of(tf.sparse.from_dense(np.eye(2))).astype(np.float32)
    assert sparse.tensor.dtype == sparse.spec.dtype == tf.float32


@pytest.mark.parametrize("rows", [[[0, 1], [], [2, 3, 4]], [[[0], []], [], [[1, 2], [3]]]])
def test_places_are_the_indices_of_the_values(rows):
    ragged = tf.ragged.constant(rows)
    column = column_of(ragged)
    found = column.places(column.values >= 1)
    for place, value in zip(found, column.values[column.values >= 1], strict=True):
        at = rows
        for index in place:
            at = at[index]
        assert at == value
    dense = np.array([[0.0, 1.0], [2.0, 3.0]])
    column = column_of(tf.sparse.from_dense(dense))
    np.testing.assert_array_equal(column.places(column.values >= 2), np.argwhere(dense >= 2))


def test_rows_outside_a_sparse_tensor_are_told():
    column = column_of(tf.SparseTensor([[0, 0], [5, 1]], [1.0, 2.0], [3, 2]))
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        column[:2]
    assert str(caught.value) == (
        "SparseTensor: indices[1] lies outside the shape (indices[1]=[5, 1], dense_shape=[3, 2])."
    )


def test_matrices_of_scipy():
    dense = np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0], [3.0, 0.0, 4.0]])
    for kind in (scipy.sparse.csr_matrix, scipy.sparse.csc_array, scipy.sparse.coo_matrix):
        assert has_column(kind(dense))
        np.testing.assert_array_equal(tf.sparse.to_dense(column_of(kind(dense)).tensor), dense)
    assert not has_column(dense) and not has_column(tf.constant(1))
