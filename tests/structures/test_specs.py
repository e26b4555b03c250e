"""Specs of ragged and sparse tensors: what fits them, and where they stand for a tensor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorsmith as tf

ROWS = [[1, 2], [], [3]]
DEEP = [[[1], [2, 3]], [], [[4, 5, 6]]]
MATRIX = np.array([[0, 5, 0], [0, 0, 0], [6, 0, 7]], "int32")


def both(function, *arguments):
    """What a function gives at once and traced."""
    return function(*arguments), tf.function(function)(*arguments)


# ---- what fits


def test_a_ragged_spec_tells_its_four_parts_and_is_checked():
    spec = tf.RaggedTensorSpec([None, None, 3], tf.int32, ragged_rank=1)
    assert repr(spec) == "RaggedTensorSpec(TensorShape([None, None, 3]), tf.int32, 1, tf.int64)"
    assert tf.RaggedTensorSpec([2, None, None]).ragged_rank == 2 and spec.value_type is tf.RaggedTensor
    assert tf.RaggedTensorSpec(None, ragged_rank=1).shape.rank is None
    with pytest.raises(ValueError, match="ragged_rank must be given where the rank is not known"):
        tf.RaggedTensorSpec()
    with pytest.raises(ValueError, match="ragged_rank must be less than the rank"):
        tf.RaggedTensorSpec([None, None], ragged_rank=2)
    with pytest.raises(ValueError, match="row splits are int32 or int64"):
        tf.RaggedTensorSpec([None, None], row_splits_dtype=tf.float32)


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        (tf.RaggedTensorSpec([None, None], tf.int32), True),
        (tf.RaggedTensorSpec([3, None], tf.int32), True),
        (tf.RaggedTensorSpec(None, tf.int32, ragged_rank=1), True),
        (tf.RaggedTensorSpec([2, None], tf.int32), False),
        (tf.RaggedTensorSpec([None, None], tf.int64), False),
        (tf.RaggedTensorSpec([None, None], tf.int32, row_splits_dtype=tf.int32), False),
        (tf.RaggedTensorSpec([None, None, None], tf.int32), False),
        (tf.SparseTensorSpec([None, None], tf.int32), False),
    ],
)
def test_which_ragged_tensors_fit(spec, fits):
    rows = tf.ragged.constant(ROWS)
    assert spec.is_compatible_with(rows) is fits and spec.is_compatible_with(tf.type_spec_from_value(rows)) is fits
    assert not spec.is_compatible_with(tf.constant([[1]]))
    double = tf.function(lambda r: r, input_signature=[spec])
    if fits:
        assert double(rows).to_list() == ROWS
    else:
        with pytest.raises(TypeError, match="the argument 'r' does not fit the input_signature"):
            double(rows)


def test_a_row_of_a_ragged_matrix_is_a_plain_tensor():
    spec = tf.RaggedTensorSpec([None], tf.int32)
    assert spec.ragged_rank == 0 and spec.is_compatible_with(tf.constant([1, 2]))
    assert not spec.is_compatible_with(tf.ragged.constant(ROWS)) and not spec.is_compatible_with(tf.constant([1.0]))


def test_specs_are_compared_and_merged():
    a, b = tf.RaggedTensorSpec([3, None], tf.int32), tf.RaggedTensorSpec([None, None], tf.int32)
    assert a.is_subtype_of(b) and not b.is_subtype_of(a) and a != b and hash(a) == hash(a)
    assert a.most_specific_common_supertype([tf.RaggedTensorSpec([4, None], tf.int32)]) == b
    assert a.most_specific_common_supertype([tf.RaggedTensorSpec([3, None], tf.int64)]) is None
    with pytest.raises(ValueError, match="No type is compatible with both"):
        a.most_specific_compatible_type(tf.SparseTensorSpec([3, None], tf.int32))
    assert tf.TensorSpec([2, 3]).is_subtype_of(tf.TensorSpec(None)) and tf.TensorSpec([2]).value_type is tf.Tensor
    assert tf.TensorSpec.from_spec(tf.TensorSpec([2]), name="x").name == "x"
    assert issubclass(tf.RaggedTensorSpec, tf.TypeSpec) and issubclass(tf.TensorSpec, tf.TypeSpec)


def test_specs_from_values():
    sparse = tf.sparse.from_dense(MATRIX)
    assert (
        tf.type_spec_from_value(sparse)
        == tf.SparseTensorSpec([3, 3], tf.int32)
        == tf.SparseTensorSpec.from_value(sparse)
    )
    assert tf.RaggedTensorSpec.from_value(tf.ragged.constant(DEEP)) == tf.RaggedTensorSpec([3, None, None], tf.int32)
    assert tf.type_spec_from_value([1.0]) == tf.TensorSpec([1], tf.float32)
    with pytest.raises(TypeError, match="there is no spec of a object"):
        tf.type_spec_from_value(object())


# ---- in traced functions


def test_one_trace_serves_all_that_fit():
    traces = []

    @tf.function(
        input_signature=[tf.RaggedTensorSpec([None, None], tf.float32), tf.SparseTensorSpec([None, 3], tf.int32)]
    )
    def sums(rows, sparse):
        traces.append((rows.shape, sparse.shape))
        return tf.reduce_sum(rows, axis=1), tf.sparse.reduce_sum(sparse, axis=1)

    for rows in ([[1.0], [2.0, 3.0]], [[], [], [4.0]]):
        for matrix in (MATRIX, MATRIX[:1]):
            first, second = sums(tf.ragged.constant(rows, dtype=tf.float32), tf.sparse.from_dense(matrix))
            np.testing.assert_array_equal(first, [sum(row) for row in rows])
            np.testing.assert_array_equal(second, matrix.sum(axis=1))
    assert traces == [(tf.TensorShape([None, None]), tf.TensorShape([None, 3]))]
    with pytest.raises(TypeError, match="the argument 'sparse' does not fit"):
        sums(tf.ragged.constant([[1.0]]), tf.sparse.from_dense(MATRIX[:, :2]))


def test_one_trace_serves_any_number_of_values():
    traces = []

    @tf.function
    def sums(rows, sparse):
        traces.append(1)
        return tf.reduce_sum(rows, axis=1), tf.sparse.reduce_sum(sparse)

    for rows in ([[1, 2], [3]], [[], []], [[1], [2]]):
        matrix = np.eye(3, dtype="int32") * len(rows[0])
        first, second = sums(tf.ragged.constant(rows, tf.int32), tf.sparse.from_dense(matrix))
        assert first.numpy().tolist() == [sum(row) for row in rows] and second.numpy() == matrix.sum()
    assert len(traces) == 1
    sums(tf.ragged.constant([[1]]), tf.sparse.from_dense(matrix))
    assert len(traces) == 2


def test_the_specs_of_a_trace_tell_ragged_and_sparse_tensors():
    @tf.function
    def pair(rows, sparse):
        return {"rows": rows, "sparse": sparse * 2}

    given = tf.RaggedTensorSpec([None, None], tf.int32), tf.SparseTensorSpec([None, 3], tf.int32)
    concrete = pair.get_concrete_function(*given)
    assert concrete.structured_input_signature == (given, {})
    assert concrete.structured_outputs == {"rows": given[0], "sparse": given[1]}
    found = concrete(tf.ragged.constant(ROWS), tf.sparse.from_dense(MATRIX))
    assert found["rows"].to_list() == ROWS
    np.testing.assert_array_equal(tf.sparse.to_dense(found["sparse"]), MATRIX * 2)
    with pytest.raises(TypeError, match="does not fit the signature"):
        concrete(tf.ragged.constant([[1.0]]), tf.sparse.from_dense(MATRIX))


def test_lengths_that_are_known_are_part_of_a_signature():
    even = tf.RaggedTensor.from_uniform_row_length(tf.ragged.constant([[1], [2, 3], [], [4]]), 2)
    shapes = []

    @tf.function
    def same(r):
        shapes.append(r.shape.as_list())
        return r

    assert same(even).shape.as_list() == [2, 2, None] == even.shape.as_list()
    same(tf.ragged.constant([[[1], [2, 3]], [[], [4]]]))
    assert shapes == [[2, 2, None], [2, None, None]]
    spec = tf.RaggedTensorSpec([None, 2, None], tf.int32)
    assert tf.function(lambda r: r, input_signature=[spec])(even).uniform_row_length.numpy() == 2


def test_what_branches_and_rounds_know_of_a_shape_is_what_all_of_them_know():
    small, large = tf.sparse.from_dense(MATRIX), tf.sparse.from_dense(np.ones((2, 3), "int32"))

    @tf.function
    def either(flag):
        chosen = tf.cond(flag, lambda: small, lambda: large)
        assert chosen.shape.as_list() == [None, 3]
        return tf.sparse.to_dense(chosen)

    np.testing.assert_array_equal(either(tf.constant(True)), MATRIX)
    np.testing.assert_array_equal(either(tf.constant(False)), np.ones((2, 3)))

    @tf.function
    def longer(count):
        found = small
        for _ in tf.range(count):
            found = tf.sparse.concat(0, [found, large])
        return tf.sparse.to_dense(found)

    np.testing.assert_array_equal(longer(tf.constant(2)), np.concatenate([MATRIX, np.ones((4, 3))]))


def test_saved_functions_take_and_give_them(tmp_path: Path):
    class Doubled(tf.Module):
        @tf.function(
            input_signature=[tf.RaggedTensorSpec([None, None], tf.int32), tf.SparseTensorSpec([None, 3], tf.int32)]
        )
        def __call__(self, rows, sparse):
            return rows * 2, sparse * 2

    tf.saved_model.save(Doubled(), str(tmp_path))
    again = tf.saved_model.load(str(tmp_path))
    rows, sparse = again(tf.ragged.constant(ROWS), tf.sparse.from_dense(MATRIX))
    assert rows.to_list() == [[2, 4], [], [6]]
    np.testing.assert_array_equal(tf.sparse.to_dense(sparse), MATRIX * 2)
    with pytest.raises(ValueError, match="no form that it was saved in takes these arguments"):
        again(tf.ragged.constant([[1.0]]), tf.sparse.from_dense(MATRIX))


# ---- map_fn

nested = st.lists(st.lists(st.integers(-9, 9), max_size=4), max_size=4)


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(nested)
def test_rows_of_a_ragged_tensor_are_mapped_to_rows(rows):
    r = tf.ragged.constant(rows, dtype=tf.int32, ragged_rank=1)
    for function, wanted in (
        (lambda r: tf.map_fn(lambda row: row * row, r), [[x * x for x in row] for row in rows]),
        (lambda r: tf.map_fn(lambda row: row[::-1], r), [row[::-1] for row in rows]),
    ):
        assert function(r).to_list() == wanted
    sums = tf.map_fn(tf.reduce_sum, r, fn_output_signature=tf.int32)
    assert sums.numpy().tolist() == [sum(row) for row in rows]


@pytest.mark.parametrize("counts", [[3, 0, 2], [0], []])
def test_results_of_any_length_become_ragged_rows(counts):
    spec = tf.RaggedTensorSpec([None], tf.int32)
    for found in both(lambda n: tf.map_fn(tf.range, n, fn_output_signature=spec), tf.constant(counts, tf.int32)):
        assert found.to_list() == [list(range(n)) for n in counts] and found.dtype == tf.int32


def test_ragged_and_plain_results_beside_each_other_and_deep_rows():
    told = tf.RaggedTensorSpec([None], tf.int32), tf.int32
    r, deep = tf.ragged.constant(ROWS), tf.ragged.constant(DEEP)
    for rows, sums in both(lambda r: tf.map_fn(lambda x: (x + 1, tf.reduce_sum(x)), r, fn_output_signature=told), r):
        assert rows.to_list() == [[2, 3], [], [4]] and sums.numpy().tolist() == [3, 0, 3]
    for found in both(lambda r: tf.map_fn(lambda x: x + 1, r), deep):
        assert found.to_list() == [[[2], [3, 4]], [], [[5, 6, 7]]]
    for found in both(lambda r: tf.map_fn(lambda x: tf.reduce_sum(x, axis=1), r, fn_output_signature=told[0]), deep):
        assert found.to_list() == [[1, 5], [], [15]]
    inner = tf.RaggedTensorSpec([None, None], tf.int32)
    for found in both(
        lambda n: tf.map_fn(lambda k: tf.RaggedTensor.from_tensor(tf.reshape(tf.range(k * 2), (-1, 2))), n,
                            fn_output_signature=inner),
        tf.constant([1, 2]),
    ):  # fmt: skip
        assert found.to_list() == [[[0, 1]], [[0, 1], [2, 3]]]
    with pytest.raises(ValueError, match="fn gave something else than its signature says"):
        tf.map_fn(lambda x: tf.cast(x, tf.float32), r, fn_output_signature=told[0])


def test_rows_of_a_sparse_tensor_are_mapped():
    sparse = tf.sparse.from_dense(MATRIX)
    for found in both(lambda s: tf.map_fn(lambda row: row * 3, s), sparse):
        np.testing.assert_array_equal(tf.sparse.to_dense(found), MATRIX * 3)
    for found in both(lambda s: tf.map_fn(tf.sparse.reduce_sum, s, fn_output_signature=tf.int32), sparse):
        assert found.numpy().tolist() == MATRIX.sum(axis=1).tolist()


def test_folds_take_ragged_rows():
    r = tf.ragged.constant(ROWS)
    for found in both(lambda r: tf.foldl(lambda a, row: 10 * a + tf.reduce_sum(row), r, initializer=1), r):
        assert found.numpy() == 1303
    for found in both(lambda r: tf.scan(lambda a, row: a + tf.reduce_sum(row), r, initializer=0), r):
        assert found.numpy().tolist() == [3, 3, 6]


def test_gradients_pass_through_mapped_ragged_rows():
    values = tf.constant([1.0, 2.0, 3.0])

    def total(values):
        rows = tf.RaggedTensor.from_row_lengths(values, [2, 0, 1])
        return tf.reduce_sum(tf.map_fn(lambda row: row * row * row, rows).flat_values)

    for function in (total, tf.function(total)):
        with tf.GradientTape() as tape:
            tape.watch(values)
            found = function(values)
        np.testing.assert_allclose(tape.gradient(found, values), 3 * values.numpy() ** 2, rtol=1e-6)


def test_sparse_rows_of_different_sizes_become_one_tensor():
    spec = tf.SparseTensorSpec([None], tf.int32)
    found = tf.map_fn(lambda n: tf.sparse.from_dense(tf.range(n)), tf.constant([1, 3]), fn_output_signature=spec)
    np.testing.assert_array_equal(tf.sparse.to_dense(found), [[0, 0, 0], [0, 1, 2]])
