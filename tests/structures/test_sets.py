"""Sets along the last axis against Python's sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=30)
@given(
    st.sampled_from(["union", "intersection", "difference"]),
    st.integers(0, 3).flatmap(
        lambda n: st.lists(st.lists(st.integers(-2, 3), max_size=4), min_size=2 * n, max_size=2 * n)
    ),
    st.sampled_from(["dense", "sparse"]),
    st.sampled_from(["int8", "uint16", "string"]),
)
def test_dense_and_sparse_rows_of_every_size(kind, rows, form, dtype):
    if dtype != "int8":
        rows = [[x + 2 for x in row] for row in rows]
    if form == "dense":
        rows = [[*row, *[0] * (4 - len(row))] for row in rows]
    half = len(rows) // 2

    def made(part, sparse):
        flat = [str(x) if dtype == "string" else x for row in part for x in row]
        values = tf.constant(flat, dtype, shape=(len(flat),))
        if not sparse:
            return tf.reshape(values, [len(part), 4])
        places = [[r, c] for r, row in enumerate(part) for c in range(len(row))]
        return tf.SparseTensor(np.array(places, "int64").reshape(-1, 2), values, [len(part), 4])

    a, b = made(rows[:half], form == "sparse"), made(rows[half:], True)
    result = getattr(tf.sets, kind)(a, b)
    found = [[] for _ in range(half)]
    for (row, place), value in zip(result.indices.numpy().tolist(), result.values.numpy().tolist()):
        assert place == len(found[row])
        found[row].append(int(value))
    expected = [
        sorted(getattr(set, kind)(set(x), set(y)), key=str if dtype == "string" else int)
        for x, y in zip(rows[:half], rows[half:])
    ]
    assert found == expected and result.dtype == dtype
    assert result.dense_shape.numpy().tolist() == [half, max(map(len, expected), default=0)]
    assert tf.sets.size(result).numpy().tolist() == list(map(len, expected))


def test_sizes_known_at_run_time():
    spec, sparse = tf.TensorSpec([None, None], tf.int32), tf.SparseTensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[spec, sparse])
    def f(a, b):
        result = tf.sets.difference(a, b)
        assert result.shape.rank == 2
        return result, tf.sets.size(result), tf.sets.size(b)

    result, sizes, others = f(tf.constant(A), SPARSE)
    rows = [sorted(set(A[0]) - {5, 9}), sorted(set(A[1]) - {9})]
    assert result.values.numpy().tolist() == rows[0] + rows[1] and sizes.numpy().tolist() == list(map(len, rows))
    assert others.numpy().tolist() == [2, 1]
    known = []
    tf.function(lambda s: known.append(tf.sets.size(s).shape)).get_concrete_function(
        tf.SparseTensorSpec([2, None], tf.int32)
    )
    assert known == [(2,)]
    with pytest.raises(BAD, match=r"sets.difference: the shapes differ before the last axis .a=.1,., b=.2,."):
        f(tf.constant([[1]]), SPARSE)


BAD = tf.errors.InvalidArgumentError


def sparse(indices, shape=(2, 2)):
    return tf.SparseTensor(indices, list(range(len(indices))), shape)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (sparse([[1, 0], [0, 0]]), "the indices are out of order (number=1, index=[0, 0], dense_shape=(2, 2))."
                                   " Use tf.sparse.reorder."),
        (sparse([[0, 1], [0, 1]]), "an index is repeated (number=1, index=[0, 1], dense_shape=(2, 2))."),
        (sparse([[0, 5]]), "an index is out of bounds (number=0, index=[0, 5], dense_shape=(2, 2))."),
        (sparse([[0]], [2]), "an input must have at least two axes (shape=(2,)); the last axis holds a set."
                             " Add an axis: x[tf.newaxis]."),
    ],
)  # fmt: skip
def test_indices_are_checked(given, text):
    good = sparse([[0, 0]]) if len(given.shape) == 2 else given
    for name, call in (("union", lambda: tf.sets.union(given, good)), ("difference", lambda: tf.sets.difference(good, given)),
                       ("size", lambda: tf.sets.size(given))):  # fmt: skip
        with pytest.raises(BAD) as caught:
            call()
        assert str(caught.value) == f"sets.{name}: {text}"


def test_indices_that_are_not_checked():
    loose = tf.SparseTensor([[1, 0], [0, 0], [0, 0]], [5, 9, 7], [2, 2])
    assert tf.sets.size(loose, validate_indices=False).numpy().tolist() == [2, 1]
    for function, rows in ((tf.sets.union, [[2, 7, 9], [5]]), (tf.sets.intersection, [[], []])):
        result = function(loose, tf.SparseTensor([[0, 1]], [2], [2, 2]), validate_indices=False)
        assert result.values.numpy().tolist() == [x for row in rows for x in row]
    swapped = tf.sets.difference(sparse([[0, 0]]), loose, aminusb=False, validate_indices=False)
    assert swapped.values.numpy().tolist() == [7, 9, 5]


def test_what_does_not_fit_is_refused():
    with pytest.raises(BAD, match=r"sets.union: the shapes differ before the last axis"):
        tf.sets.union([[1]], [[1], [2]])
    with pytest.raises(BAD, match="an input must have at least two axes"):
        tf.sets.union([1], [1])
    with pytest.raises(TypeError, match=r"the dtypes differ .a=int32\(1, 1\), b=int64"):
        tf.sets.union(tf.constant([[1]]), tf.constant([[1]], tf.int64))
    for dtype in ("float32", "uint32", "bool"):
        with pytest.raises(TypeError, match="sets are not made of this dtype"):
            tf.sets.intersection(tf.zeros([1, 1], dtype), tf.zeros([1, 1], dtype))
    with pytest.raises(TypeError, match="a SparseTensor is needed"):
        tf.sets.size([[1]])
