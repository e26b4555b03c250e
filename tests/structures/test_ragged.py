"""Ragged tensors against nested Python lists."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

ROWS = [[1, 2], [3], [], [4, 5, 6]]
DEEP = [[[1], [2, 3]], [], [[4, 5, 6]]]


@pytest.fixture
def r():
    return tf.ragged.constant(ROWS)


def test_made_in_many_ways(r):
    flat = [1, 2, 3, 4, 5, 6]
    for made in (
        tf.RaggedTensor.from_row_splits(flat, [0, 2, 3, 3, 6]),
        tf.RaggedTensor.from_row_lengths(flat, [2, 1, 0, 3]),
        tf.RaggedTensor.from_value_rowids(flat, [0, 0, 1, 3, 3, 3]),
        tf.RaggedTensor.from_row_starts(flat, [0, 2, 3, 3]),
        tf.RaggedTensor.from_row_limits(flat, [2, 3, 3, 6]),
        tf.RaggedTensor.from_tensor([[1, 2, 0], [3, 0, 0], [0, 0, 0], [4, 5, 6]], padding=0),
        tf.RaggedTensor.from_tensor([[1, 2, 9], [3, 9, 9], [9, 9, 9], [4, 5, 6]], lengths=[2, 1, 0, 3]),
        tf.RaggedTensor.from_sparse(r.to_sparse()),
        r,
    ):
        assert made.to_list() == ROWS and made.shape.as_list() == [4, None] and made.row_splits.dtype == tf.int64
    assert r.row_lengths().numpy().tolist() == [2, 1, 0, 3] and r.value_rowids().numpy().tolist() == [0, 0, 1, 3, 3, 3]
    assert tf.RaggedTensor.from_value_rowids([1], [1], nrows=3).to_list() == [[], [1], []]
    deep = tf.ragged.constant(DEEP)
    assert deep.to_list() == DEEP and deep.ragged_rank == 2 and deep.flat_values.numpy().tolist() == flat
    assert isinstance(tf.ragged.constant([1, 2]), tf.Tensor)
    assert tf.ragged.constant([[[1, 2]], [[3, 4], [5, 6]]], ragged_rank=1).shape.as_list() == [2, None, 2]


def test_what_does_not_fit_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="row_splits do not fit the values"):
        tf.RaggedTensor.from_row_splits([1, 2], [0, 3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="value_rowids fall"):
        tf.RaggedTensor.from_value_rowids([1, 2], [1, 0])
    with pytest.raises(ValueError, match="its numbers stand at different depths"):
        tf.ragged.constant([1, [2]])


@pytest.mark.parametrize("key", [0, 3, -1, 2, slice(1, 3), slice(None, None, -1), slice(-2, None)])
def test_rows(r, key):
    found = r[key]
    assert (found.to_list() if isinstance(key, slice) else found.numpy().tolist()) == ROWS[key]


@pytest.mark.parametrize(
    "inside", [slice(1, None), slice(None, 2), slice(None, -1), slice(None, None, 2), slice(None, None, -1)]
)
def test_slices_inside_the_rows(r, inside):
    assert r[:, inside].to_list() == [row[inside] for row in ROWS]
    assert r[1:, inside].to_list() == [row[inside] for row in ROWS[1:]]


def test_more_indexing(r):
    assert r[3, 1].numpy() == 5 and tf.ragged.constant(DEEP)[0, 1].numpy().tolist() == [2, 3]
    assert tf.ragged.constant([[1, 2], [3]])[:, 0].numpy().tolist() == [1, 3]
    assert r[..., :1].to_list() == [row[:1] for row in ROWS] and [list(np.asarray(row)) for row in r] == ROWS
    with pytest.raises(IndexError, match=r"there is no such row .index=4, rows=4"):
        r[4]
    with pytest.raises(tf.errors.InvalidArgumentError, match="row 1 has no element 1"):
        tf.ragged.constant([[1, 2], [3]])[:, 1]


def test_elementwise(r):
    for result, right in [
        (r * 10, [[x * 10 for x in row] for row in ROWS]), (10 - r, [[10 - x for x in row] for row in ROWS]),
        (r + r, [[x + x for x in row] for row in ROWS]), (-r, [[-x for x in row] for row in ROWS]),
        (r > 2, [[x > 2 for x in row] for row in ROWS]), (r == r, [[True for _ in row] for row in ROWS]),
        (tf.square(r), [[x * x for x in row] for row in ROWS]), (tf.cast(r, tf.float32), [[float(x) for x in row] for row in ROWS]),  # noqa: E501
        (r + tf.constant([[1], [2], [3], [4]]), [[x + at for x in row] for at, row in enumerate(ROWS, 1)]),
        (tf.where(r > 2, r, 0), [[x if x > 2 else 0 for x in row] for row in ROWS]),
        (tf.ragged.constant(DEEP) + tf.constant([[[1]], [[2]], [[3]]]), [[[2], [3, 4]], [], [[7, 8, 9]]]),
    ]:  # fmt: skip
        assert result.to_list() == right
    with pytest.raises(tf.errors.InvalidArgumentError, match="their rows differ in length"):
        r + tf.ragged.constant([[1], [2], [3], [4, 4]])
    with pytest.raises(TypeError, match="it does not take a RaggedTensor"):
        tf.linalg.matmul(r, r)


@pytest.mark.parametrize(
    ("name", "function"), [("sum", sum), ("prod", np.prod), ("max", max), ("min", min), ("mean", np.mean)]
)
def test_reductions(name, function):
    rows = [[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]]
    r, reduce = tf.ragged.constant(rows), getattr(tf, f"reduce_{name}")
    columns = [[row[at] for row in rows if len(row) > at] for at in range(3)]
    np.testing.assert_allclose(reduce(r, axis=1), [function(row) for row in rows])
    np.testing.assert_allclose(reduce(r, axis=-1, keepdims=True), [[function(row)] for row in rows])
    np.testing.assert_allclose(reduce(r, axis=0), [function(column) for column in columns])
    np.testing.assert_allclose(reduce(r), function([x for row in rows for x in row]))
    deep = tf.ragged.constant([[[1.0], [2.0, 3.0]], [[4.0]]])
    assert reduce(deep, axis=2).to_list() == [[function([1.0]), function([2.0, 3.0])], [function([4.0])]]


def test_joined(r):
    other = [[7], [8, 9], [10], []]
    o = tf.ragged.constant(other)
    assert tf.concat([r, o], axis=0).to_list() == ROWS + other
    assert tf.concat([r, o, r], axis=1).to_list() == [a + b + a for a, b in zip(ROWS, other)]
    assert tf.stack([r, o]).to_list() == [ROWS, other]
    assert tf.stack([r, o], axis=1).to_list() == [[a, b] for a, b in zip(ROWS, other)]
    assert tf.concat([r, tf.constant([[1, 1]])], axis=0).to_list() == [*ROWS, [1, 1]]


def test_rows_of_a_ragged_tensor_mapped(r):
    assert tf.map_fn(tf.square, r).to_list() == [[x * x for x in row] for row in ROWS]
    assert tf.map_fn(lambda row: row * 2, tf.ragged.constant(DEEP)).to_list() == [
        [[x * 2 for x in p] for p in row] for row in DEEP
    ]
    # rows of one length by chance are ragged too
    assert tf.map_fn(lambda row: row[:0], r).to_list() == [[], [], [], []]
    assert tf.map_fn(tf.reduce_sum, r).numpy().tolist() == [sum(row) for row in ROWS]


def test_vectors_of_any_length_stacked():
    assert tf.ragged.stack([tf.constant(row, tf.int32) for row in ROWS]).to_list() == ROWS


def test_dense_and_sparse_forms(r):
    assert r.to_tensor().numpy().tolist() == [row + [0] * (3 - len(row)) for row in ROWS]
    assert r.to_tensor(default_value=-1, shape=[None, 2]).numpy().tolist() == [[*row, -1, -1][:2] for row in ROWS]
    assert tf.ragged.constant(DEEP).to_tensor().shape == (3, 2, 3)
    np.testing.assert_array_equal(tf.sparse.to_dense(r.to_sparse()), r.to_tensor())
    np.testing.assert_array_equal(
        tf.sparse.to_dense(tf.ragged.constant(DEEP).to_sparse()), tf.ragged.constant(DEEP).to_tensor()
    )


def test_gradients_reach_the_values():
    values = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        r = tf.RaggedTensor.from_row_splits(values, [0, 2, 2, 3])
        y = (
            tf.reduce_sum(tf.square(r.to_tensor()))
            + tf.reduce_sum(tf.reduce_max(r[:, :1] * 3.0, axis=1)[0])
            + tf.reduce_sum(tf.concat([r, r], axis=1).values)
        )
    np.testing.assert_allclose(tape.gradient(y, values), [2 + 3 + 2, 4 + 2, 6 + 2])


def test_traced_is_at_once(r):
    def f(r):
        return (
            r[1:3].to_tensor(),
            r[:, 1:],
            tf.concat([r, r], axis=1),
            tf.reduce_sum(r, axis=0),
            r.to_sparse().values,
            r[0],
        )

    for a, b in zip(f(r), tf.function(f)(r)):
        assert (
            (a.to_list(), b.to_list()) == (b.to_list(), a.to_list())
            if isinstance(a, tf.RaggedTensor)
            else a.numpy().tolist() == b.numpy().tolist()
        )


def test_repr():
    assert repr(tf.ragged.constant(ROWS)) == "<tf.RaggedTensor [[1, 2], [3], [], [4, 5, 6]]>"
    assert repr(tf.ragged.constant([["a"], ["b", "c"]])) == "<tf.RaggedTensor [[b'a'], [b'b', b'c']]>"
    assert repr(tf.ragged.constant([[8, 12, 5], [9]])) == "<tf.RaggedTensor [[8, 12, 5], [9]]>"
    assert repr(tf.ragged.constant([[0.5, 2.25], [3.0]])) == "<tf.RaggedTensor [[0.5, 2.25], [3.0]]>"
    assert repr(tf.ragged.constant([[], [[]]])) == "<tf.RaggedTensor [[], [[]]]>"
    assert repr(tf.ragged.constant([[], []])) == "<tf.RaggedTensor [[], []]>"


def test_long_rows_are_broken_and_very_long_ones_cut():
    words = tf.ragged.constant([["word"] * 8, ["word"] * 3])
    assert repr(words) == (
        "<tf.RaggedTensor [[" + ", ".join(["b'word'"] * 8) + "],\n [" + ", ".join(["b'word'"] * 3) + "]]>"
    )
    long = repr(tf.RaggedTensor.from_row_lengths(tf.range(3001), [1001, 2000]))
    assert long == "<tf.RaggedTensor [[0, 1, 2, ..., 998, 999, 1000], [1001, 1002, 1003, ..., 2998, 2999, 3000]]>"


def test_rows_of_one_length_become_one_array():
    assert tf.ragged.constant([["a", "b"], ["c", "d"]]).numpy().tolist() == [[b"a", b"b"], [b"c", b"d"]]
    nested = tf.ragged.constant([[[1, 2], [3]], [[4], [5]]]).numpy()
    assert nested.shape == (2, 2) and [[part.tolist() for part in row] for row in nested] == [[[1, 2], [3]], [[4], [5]]]


def test_strings_and_numbers_do_not_mix():
    with pytest.raises(ValueError, match=r"mixes strings with other values to a Tensor: 3 .int. stands among strings"):
        tf.ragged.constant([["one", "two"], [3, 4]])
