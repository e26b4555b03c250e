"""Ragged and sparse tensors as elements of datasets: their rows one by one and in batches, in Python and in programs."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

ROWS = [[1, 2], [3], [], [4, 5, 6], [7]]
DEEP = [[[1], [2, 3]], [[3]], [], [[4, 5]]]
DENSE = np.array([[0, 1.0], [2, 0], [0, 0], [3, 4], [0, 5]], "float32")
LABELS = np.arange(5.0, dtype="float32")


def listed(value):
    if isinstance(value, tf.SparseTensor):
        return tf.sparse.to_dense(value).numpy().tolist()
    return value.to_list() if isinstance(value, tf.RaggedTensor) else value.numpy().tolist()


def test_rows_of_a_ragged_tensor_one_by_one():
    dataset = tf.data.Dataset.from_tensor_slices((tf.ragged.constant(ROWS), LABELS))
    assert dataset.element_spec == (tf.RaggedTensorSpec([None], tf.int32, 0, tf.int64), tf.TensorSpec([]))
    found = list(dataset)
    assert all(isinstance(row, tf.Tensor) for row, _ in found)
    assert [row.numpy().tolist() for row, _ in found] == ROWS
    deep = tf.data.Dataset.from_tensor_slices({"words": tf.ragged.constant(DEEP)})
    assert deep.element_spec == {"words": tf.RaggedTensorSpec([None, None], tf.int32, 1, tf.int64)}
    assert [element["words"].to_list() for element in deep] == DEEP


@pytest.mark.parametrize("rows", [ROWS, DEEP])
@pytest.mark.parametrize("drop", [False, True])
def test_batches_of_ragged_rows(rows, drop):
    ragged = tf.ragged.constant(rows, ragged_rank=1 if rows is ROWS else 2)
    sliced = tf.data.Dataset.from_tensor_slices(ragged)
    batched = sliced.batch(2, drop_remainder=drop)
    assert batched.element_spec == tf.RaggedTensorSpec(
        [2 if drop else None, *[None] * ragged.ragged_rank], tf.int32, ragged.ragged_rank, tf.int64
    )
    wanted = [rows[at : at + 2] for at in range(0, len(rows) - drop * (len(rows) % 2), 2)]
    # a slice of whole arrays; each element computed; elements found one after another
    computed = sliced.repeat(1)
    found = sliced.repeat().take(len(rows))
    for dataset in (batched, *(each.batch(2, drop_remainder=drop) for each in (computed, found))):
        assert [batch.to_list() for batch in dataset] == wanted
        assert all(batch.row_splits.dtype == tf.int64 for batch in dataset)
    twice = next(iter(batched.batch(2)))
    assert twice.ragged_rank == ragged.ragged_rank + 1 and twice.to_list() == wanted[:2]


def test_rows_and_batches_of_a_sparse_tensor():
    sparse = tf.sparse.from_dense(DENSE)
    dataset = tf.data.Dataset.from_tensor_slices(sparse)
    assert dataset.element_spec == tf.SparseTensorSpec([2])
    assert [listed(row) for row in dataset] == DENSE.tolist()
    for batched in (dataset.batch(2), dataset.map(lambda row: row * 1.0).batch(2)):
        assert batched.element_spec == tf.SparseTensorSpec([None, 2])
        assert [listed(batch) for batch in batched] == [DENSE[:2].tolist(), DENSE[2:4].tolist(), DENSE[4:].tolist()]


def test_whole_values_and_what_a_function_makes_of_them():
    ragged = tf.ragged.constant(ROWS)
    whole = tf.data.Dataset.from_tensors((ragged, tf.sparse.from_dense(DENSE)))
    assert whole.element_spec == (
        tf.RaggedTensorSpec([5, None], tf.int32, 1, tf.int64),
        tf.SparseTensorSpec([5, 2]),
    )
    assert [listed(part) for part in next(iter(whole))] == [ROWS, DENSE.tolist()]
    mapped = tf.data.Dataset.from_tensor_slices((ragged, LABELS)).batch(2).map(lambda words, y: (words * 10, y))
    assert mapped.element_spec[0] == tf.RaggedTensorSpec([None, None], tf.int32, 1, tf.int64)
    assert [words.to_list() for words, _ in mapped] == [[[10, 20], [30]], [[], [40, 50, 60]], [[70]]]
    both = tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(ragged), tf.data.Dataset.range(5)))
    assert [(row.numpy().tolist(), int(number)) for row, number in both] == list(zip(ROWS, range(5)))
    arrays = list(tf.data.Dataset.from_tensor_slices(ragged).batch(2).as_numpy_iterator())
    assert [[row.tolist() for row in batch] for batch in arrays] == [ROWS[:2], ROWS[2:4], ROWS[4:]]


@pytest.mark.parametrize("size", [None, 2])
def test_a_program_loops_over_ragged_and_sparse_rows(size):
    ragged, sparse = tf.ragged.constant(ROWS), tf.sparse.from_dense(DENSE)
    dataset = tf.data.Dataset.from_tensor_slices((ragged, sparse))
    dataset = dataset if size is None else dataset.batch(size)

    def over(dataset):
        @tf.function
        def total():
            words, numbers = 0, 0.0
            for number, (row, entries) in dataset.enumerate(1):
                words += tf.cast(number, "int32") * tf.reduce_sum(row)
                numbers += tf.cast(number, "float32") * tf.sparse.reduce_sum(entries)
            return words, numbers

        return [float(part) for part in total()]

    step = size or 1
    weights = [1 + at // step for at in range(5)]
    wanted = [sum(w * sum(row) for w, row in zip(weights, ROWS)), float((np.array(weights) * DENSE.sum(1)).sum())]
    assert over(dataset) == wanted
    if size:
        # each element computed, then stacked
        computed = tf.data.Dataset.from_tensor_slices((ragged, sparse)).repeat(1).batch(size)
        assert over(computed) == wanted


def test_rows_that_a_function_returned_are_plain_tensors():
    # as in TensorFlow: a row of a ragged matrix is a vector, and so is what a function makes of it
    dataset = tf.data.Dataset.from_tensor_slices(tf.ragged.constant(ROWS)).map(lambda row: row)
    assert dataset.element_spec == tf.TensorSpec([None], tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="same shape"):
        list(dataset.batch(2))


def test_a_ragged_tensor_known_only_in_a_program():
    @tf.function
    def doubled(ragged):
        total = 0
        for batch in tf.data.Dataset.from_tensor_slices(ragged).batch(2):
            total += tf.reduce_max(batch)
        return total

    assert int(doubled(tf.ragged.constant(ROWS))) == 3 + 6 + 7


def test_a_reduction_over_ragged_rows():
    dataset = tf.data.Dataset.from_tensor_slices(tf.ragged.constant(ROWS))
    assert int(dataset.reduce(0, lambda total, row: total + tf.reduce_sum(row))) == sum(map(sum, ROWS))


def test_columns_of_different_lengths_are_told():
    with pytest.raises(ValueError) as caught:
        tf.data.Dataset.from_tensor_slices((tf.ragged.constant(ROWS), LABELS[:3]))
    assert str(caught.value) == (
        "Dataset.from_tensor_slices: the columns must have rows, and all as many "
        "(tensors=[int32(5, None), float32(3,)]). Dataset.from_tensors makes one element of all of it."
    )
