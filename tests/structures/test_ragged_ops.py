"""Functions of elements on ragged tensors, whatever they ask of their arguments first."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

ROWS = [[0.5, -0.25], [], [0.75, 0.125, 300.0]]
FLAT = np.array([x for row in ROWS for x in row], "float32")


@pytest.fixture
def r():
    return tf.ragged.constant(ROWS)


ONE = {
    "tf.abs": tf.abs, "angle": tf.math.angle, "real": tf.math.real, "imag": tf.math.imag, "conj": tf.math.conj,
    "bits": lambda x: tf.bitcast(x, tf.int32), "saturated": lambda x: tf.saturate_cast(x, tf.int8),
    "checked": lambda x: tf.debugging.check_numerics(x, "bad"), "halved": lambda x: tf.divide(x, 2.0),
    "named": lambda x: tf.bitcast(input=x, type=tf.int32), "still": tf.stop_gradient, "gelu": tf.nn.gelu,
    "reciprocal": lambda x: tf.divide(1.0, x),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one(r, name):
    function = ONE[name]
    wanted = function(tf.constant(FLAT))
    for found in (function(r), tf.function(function)(r)):
        assert found.row_lengths().numpy().tolist() == [2, 0, 3] and found.dtype == wanted.dtype
        np.testing.assert_allclose(found.flat_values, wanted, rtol=1e-6)


def test_complex_parts():
    c = tf.complex(tf.ragged.constant([[1.0], [2.0, 3.0]]), tf.ragged.constant([[4.0], [5.0, 6.0]]))
    assert tf.math.conj(c).to_list() == [[1 - 4j], [2 - 5j, 3 - 6j]] and tf.math.imag(c).to_list() == [
        [4.0],
        [5.0, 6.0],
    ]


def test_assertions_compare_the_values(r):
    check = tf.debugging
    check.assert_equal(r, r)
    check.assert_less(r, r + 1.0)
    check.assert_greater_equal(r, -1.0)
    check.assert_near(r, r + 1e-9)
    check.assert_none_equal(r, r + 1.0, message="never")
    check.assert_type(r, tf.float32)
    check.assert_less(0, tf.ragged.constant([[1], [2, 3]]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="x < y must hold everywhere"):
        check.assert_less(r, 0.6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must hold everywhere"):
        tf.function(check.assert_near)(r, r + 1.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="their rows differ in length"):
        check.assert_equal(r, tf.ragged.constant([[0.5], [-0.25], [0.75, 0.125, 300.0]]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="bad : Tensor had Inf values"):
        check.check_numerics(r / 0.0, "bad")
    with pytest.raises(TypeError, match="the dtype differs"):
        check.assert_type(r, tf.int32)


def test_what_is_not_comparable_is_not_equal(r):
    for other in (None, "a", tf.ragged.constant([[1.0, 2.0], [3.0]]), tf.ragged.constant([[1, 2], [], [3, 4, 5]])):
        assert (r == other) is False and (r != other) is True
    assert (r == r).to_list() == [[True, True], [], [True, True, True]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="their rows differ in length"):
        tf.equal(r, tf.ragged.constant([[1.0, 2.0], [3.0], [4.0, 5.0]]))


def test_rows_that_differ_are_found_when_a_program_runs(r):
    other = tf.ragged.constant([[1.0], [2.0], [3.0, 4.0, 5.0]])
    for function in (tf.add, lambda a, b: tf.ragged.map_flat_values(tf.add, a, b), lambda a, b: tf.where(a > b, a, b)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="their rows differ in length"):
            tf.function(function)(r, other)
        same = tf.function(function)(r, r * 1.0)
        assert same.row_lengths().numpy().tolist() == [2, 0, 3]


def test_dropout_keeps_the_rows(r):
    assert tf.nn.dropout(r, 0.0).to_list() == r.to_list()
    tf.random.set_seed(1)
    many = tf.RaggedTensor.from_row_splits(tf.ones(1000), [0, 400, 1000])
    for found in (tf.nn.dropout(many, 0.25), tf.function(lambda r: tf.nn.dropout(r, rate=0.25))(many)):
        assert found.row_lengths().numpy().tolist() == [400, 600]
        kept = found.flat_values.numpy()
        np.testing.assert_allclose(kept[kept > 0], 1 / 0.75, rtol=1e-6)
        assert 650 < (kept > 0).sum() < 850
    with pytest.raises(ValueError, match="a noise_shape does not go with a ragged tensor"):
        tf.nn.dropout(r, 0.5, noise_shape=[3, 1])
    with pytest.raises(ValueError, match="rate must be at least 0"):
        tf.nn.dropout(r, 1.5)


def test_dense_and_named_arguments(r):
    column = tf.constant([[1.0], [2.0], [3.0]])
    traced = tf.function(
        lambda r, c: r * c,
        input_signature=[tf.RaggedTensorSpec([None, None]), tf.TensorSpec([None, 1])],
    )
    for found in (r * column, traced(r, column), column * r):
        np.testing.assert_allclose(found.flat_values, FLAT * [1, 1, 3, 3, 3])
    fixed = tf.function(lambda r: r * column, input_signature=[tf.RaggedTensorSpec([None, None])])
    np.testing.assert_allclose(fixed(r).flat_values, FLAT * [1, 1, 3, 3, 3])
    assert tf.strings.format("rows: {}", tf.ragged.constant([[1, 2], []])).numpy() == b"rows: [[1, 2], []]"


def test_one_hot_behind_the_ragged_axes():
    r = tf.ragged.constant([[1, 0], [2]])
    eye = np.eye(3, dtype="float32")
    for axis in (None, -1, 2):
        found = tf.one_hot(r, 3, axis=axis)
        assert found.shape.as_list() == [2, None, 3]
        np.testing.assert_array_equal(found.flat_values, eye[[1, 0, 2]])
    with pytest.raises(ValueError, match="the new axis must be behind the ragged ones"):
        tf.one_hot(r, 3, axis=1)


def test_values_under_a_dense_shape():
    r = tf.ragged.constant([[1, 2], [3, 4, 5, 6]])
    for found in (tf.reshape(r, [3, 2]), tf.function(lambda r: tf.reshape(r, [-1, 2]))(r)):
        assert found.numpy().tolist() == [[1, 2], [3, 4], [5, 6]]


def test_embeddings_of_ragged_ids():
    table = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    ids = tf.ragged.constant([[1, 2], [], [5]])
    for found in (tf.nn.embedding_lookup(table, ids), tf.function(lambda i: tf.nn.embedding_lookup([table], i))(ids)):
        assert found.shape.as_list() == [3, None, 3]
        np.testing.assert_array_equal(found.flat_values, table[[1, 2, 5]])
    parts = [table[:3], table[3:]]
    np.testing.assert_array_equal(tf.nn.embedding_lookup(parts, ids).flat_values, table[[1, 2, 5]])
    short = tf.nn.embedding_lookup(table, ids, max_norm=0.5).flat_values.numpy()
    np.testing.assert_allclose(
        np.linalg.norm(short, axis=1), np.minimum(np.linalg.norm(table[[1, 2, 5]], axis=1), 0.5), rtol=1e-5
    )
    weights = tf.ragged.constant([[1.0, 3.0], [], [2.0]])
    wanted = [(table[1] + 3 * table[2]) / 4, np.zeros(3), table[5]]
    for function in (tf.nn.embedding_lookup_sparse, tf.nn.safe_embedding_lookup_sparse):
        for given in (lambda i, w, f=function: f(table, i, w, combiner="mean"),):
            for found in (given(ids, weights), tf.function(given)(ids, weights)):
                np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("call", [lambda a, b: a + b, tf.function(lambda a, b: a + b)], ids=["eager", "traced"])
def test_rows_of_one_element_are_spread_where_they_are_made_so(call) -> None:
    r = tf.ragged.constant([[3, 1], [], [2]])
    ones = tf.RaggedTensor.from_uniform_row_length([10, 20, 30], 1)
    assert call(r, ones).to_list() == call(ones, r).to_list() == [[13, 11], [], [32]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="their rows differ in length"):
        call(r, tf.ragged.constant([[10], [20], [30]]))
