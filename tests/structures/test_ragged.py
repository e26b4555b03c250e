"""Ragged tensors against nested Python lists."""

from __future__ import annotations

from typing import Any

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
        tf.linalg.inv(r)


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


def test_parts_that_do_not_fit_and_lengths_below_0():
    made = tf.RaggedTensor
    for call, text in [
        (lambda: made.from_value_rowids([3, 1, 4], [0, 2]), "value_rowids do not fit the values"),
        (lambda: made.from_value_rowids([3, 1], [-1, 0]), "value_rowids do not fit the values"),
        (lambda: made.from_row_lengths([3, 1, 4], [2, -1, 2]), "a length is below 0"),
        (lambda: made.from_row_splits(3, [0]), "the values have no axis to part"),
        (lambda: made.from_row_starts([3, 1, 4], [1, 2]), "row_splits do not fit the values"),
        (lambda: made.from_row_limits([3, 1, 4], [2, 2]), "row_splits do not fit the values"),
        (lambda: tf.gather(tf.ragged.constant(ROWS), [-1]), r"there is no such row .row=-1, rows=4"),
        (lambda: tf.gather(tf.ragged.constant(ROWS), [0, 4]), r"there is no such row .row=4, rows=4"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            call()
    r, deep = tf.ragged.constant(ROWS), tf.ragged.constant(DEEP)
    for call, text in [
        (lambda: r.with_values([9, 8]), r"the number of values differs .new_values=2, values=6"),
        (lambda: deep.with_flat_values([1]), "the number of values differs"),
        (lambda: r.row_lengths(axis=2), r"there is no such axis .axis=2, rank=2"),
        (lambda: made.from_row_splits(r, tf.constant([0, 4])), r"row splits are of two dtypes .given=int32, of the values=int64"),
        (lambda: made.from_tensor([[1, 2]], lengths=[1, 2]), "one length is needed for each row"),
        (lambda: made.from_tensor([[1, 2]], padding=[0]), "the padding is not like an element"),
        (lambda: made.from_tensor([[1, 2]], ragged_rank=0), "ragged_rank lies outside"),
        (lambda: made.from_tensor([[1, 2]], ragged_rank=2), "ragged_rank lies outside"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=text):
            call()
    with pytest.raises(TypeError, match="a SparseTensor is needed"):
        made.from_sparse([1])
    unordered = tf.SparseTensor([[0, 1], [0, 0]], [1, 2], [1, 2])
    with pytest.raises(tf.errors.InvalidArgumentError, match="row 0 has a gap"):
        made.from_sparse(unordered)


def test_row_splits_of_32_bits_stay():
    flat = [1, 2, 3, 4, 5, 6]
    for made in (
        tf.RaggedTensor.from_row_splits(flat, np.array([0, 2, 3, 3, 6], "int32")),
        tf.RaggedTensor.from_row_starts(flat, tf.constant([0, 2, 3, 3])),
        tf.RaggedTensor.from_row_limits(flat, tf.constant([2, 3, 3, 6])),
        tf.RaggedTensor.from_value_rowids(flat, tf.constant([0, 0, 1, 3, 3, 3])),
        tf.RaggedTensor.from_sparse(tf.ragged.constant(ROWS).to_sparse(), row_splits_dtype=tf.int32),
    ):
        assert made.to_list() == ROWS and made.row_splits.dtype == tf.int32
        parts = made.nrows(), made.row_lengths(), made.bounding_shape(), made.value_rowids()
        assert {part.dtype for part in parts} == {tf.int32}
        assert made.nrows(tf.int64).dtype == made.bounding_shape(out_type=tf.int64).dtype == tf.int64
    outer = tf.RaggedTensor.from_row_splits(made, [0, 1, 4])
    assert outer.row_splits.dtype == tf.int32 and outer.to_list() == [ROWS[:1], ROWS[1:]]
    traced = tf.function(lambda s: tf.RaggedTensor.from_row_starts(flat, s))
    assert traced(tf.constant([0, 2, 3, 3])).to_list() == ROWS


def test_lengths_and_bounds_of_every_axis():
    deep = tf.ragged.constant(DEEP)
    assert deep.row_lengths(axis=0).numpy() == 3 and deep.row_lengths(axis=2).to_list() == [[1, 2], [], [3]]
    inner = tf.RaggedTensor.from_row_splits(tf.zeros([3, 2, 5]), [0, 1, 3])
    assert inner.row_lengths(axis=2).to_list() == [[2], [2, 2]] and inner.row_lengths(axis=-1).to_list() == [
        [[5, 5]],
        [[5, 5], [5, 5]],
    ]
    for found in (inner.bounding_shape(), tf.function(lambda r: r.bounding_shape())(inner)):
        assert found.numpy().tolist() == [2, 2, 2, 5]
    assert deep.bounding_shape(axis=1).numpy() == 2 and deep.bounding_shape(axis=[0, 2]).numpy().tolist() == [3, 3]


def test_tables_cut_to_lengths_axis_by_axis():
    table = [[[1, 2], [3, 4]], [[5, 6], [0, 0]]]
    cut = tf.RaggedTensor.from_tensor(table, lengths=([2, 1], [1, 2, 2]))
    assert cut.to_list() == [[[1], [3, 4]], [[5, 6]]] and cut.shape.as_list() == [2, None, None]
    traced = tf.function(
        lambda t: tf.RaggedTensor.from_tensor(t, ragged_rank=2), input_signature=[tf.TensorSpec([None] * 4)]
    )
    assert traced(tf.ones([2, 1, 2, 3])).to_list() == np.ones([2, 1, 2, 3]).tolist()
    assert tf.ragged.constant(ROWS).with_values([9, 8, 7, 6, 5, 4]).to_list() == [[9, 8], [7], [], [6, 5, 4]]


def test_keys_in_programs_and_new_axes(r):
    deep = tf.ragged.constant(DEEP)
    traced = tf.function(lambda r, at: (r[at], r[-1], r[0, -1]))
    for at in (0, -1):
        row, last, element = traced(deep, tf.constant(at))
        assert row.to_list() == DEEP[at] and last.to_list() == DEEP[-1] and element.numpy().tolist() == DEEP[0][-1]
    assert r[None].to_list() == r[None, :].to_list() == [ROWS] and r[None].shape.as_list() == [1, 4, None]
    assert deep[None, 0].to_list() == [DEEP[0]]
    column = tf.function(lambda r: r[:, 0])
    assert column(tf.ragged.constant([[1, 2], [3]])).numpy().tolist() == [1, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="a row has no element 0"):
        column(r)
    with pytest.raises(tf.errors.InvalidArgumentError, match="axis 1 does not have the size 1"):
        tf.function(lambda r: tf.squeeze(r, 1))(r)
    with pytest.raises(tf.errors.InvalidArgumentError, match="a place is out of range"):
        tf.function(lambda r: tf.gather_nd(r, [[0, 5]]))(r)
    places = tf.RaggedTensor.from_row_splits(tf.constant([[0, 1], [3, 2]]), [0, 1, 2])
    assert tf.gather_nd(r, places).to_list() == [[2], [6]]
    table = tf.RaggedTensor.from_row_splits(tf.reshape(tf.range(6), [3, 2]), [0, 1, 3])
    dense = tf.function(lambda t: tf.sparse.to_dense(t.to_sparse()))(table)
    np.testing.assert_array_equal(dense, table.to_tensor())


def test_rows_are_walked(r):
    assert [row.numpy().tolist() for row in r] == ROWS and len(r) == 4

    @tf.function
    def walked(r):
        total, longest = 0, 0
        for row in r:
            total = 10 * total + tf.reduce_sum(row)
            longest = tf.maximum(longest, tf.shape(row)[0])
        return total, longest

    total, longest = walked(r)
    assert (total.numpy(), longest.numpy()) == (10 * (10 * (10 * 3 + 3) + 0) + 15, 3)

    @tf.function
    def inner(deep):
        total = 0
        for rows in deep:
            for row in rows:
                total = 10 * total + tf.reduce_sum(row)
        return total

    assert inner(tf.ragged.constant(DEEP)).numpy() == 10 * (10 * 1 + 5) + 15


def test_ragged_tensors_are_carried_through_rounds(r):
    @tf.function
    def grown(r, count):
        for _ in tf.range(count):
            r = tf.concat([r, r[:, :1] * 10], axis=1)
        return r

    assert grown(r, tf.constant(2)).to_list() == [row + [x * 10 for x in row[:1]] * 2 for row in ROWS]

    @tf.function
    def doubled(r):
        at = tf.constant(0)
        while at < 3:
            r, at = r * 2, at + 1
        return r

    assert doubled(r).to_list() == [[x * 8 for x in row] for row in ROWS]


def test_the_gradient_by_a_ragged_tensor_is_ragged() -> None:
    rows = tf.ragged.constant([[1.0, 2.0], [], [3.0]])

    def slopes(rows: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(rows)
            y = tf.reduce_sum(rows**2)
        zero = tape.gradient(tf.constant(1.0), rows, unconnected_gradients="zero")
        return tape.gradient(y, {"rows": rows, "values": rows.flat_values}), zero

    for found, zero in (slopes(rows), tf.function(slopes)(rows)):
        assert found["rows"].to_list() == [[2, 4], [], [6]]
        assert found["values"].numpy().tolist() == [2, 4, 6]
        assert zero.to_list() == [[0, 0], [], [0]]
    with tf.GradientTape() as tape:
        tape.watch(rows)
    assert tape.gradient(tf.constant(1.0), rows) is None


def test_rows_told_by_the_row_of_each_value_in_programs():
    """Their number is known when the program runs: given, or one more than the last row."""
    ids, values = tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.float32)

    @tf.function(input_signature=[values, ids])
    def to_last(values, ids):
        return tf.RaggedTensor.from_value_rowids(values * 2, ids)

    @tf.function(input_signature=[values, ids, tf.TensorSpec([], tf.int32)])
    def counted(values, ids, nrows):
        return tf.RaggedTensor.from_value_rowids(values * 2, ids, nrows)

    for rows in ([0, 0, 2], [1], [], [0, 1, 1, 4]):
        given = tf.constant([float(at) for at in range(len(rows))]), tf.constant(rows, tf.int64)
        lists = [[2.0 * at for at, each in enumerate(rows) if each == row] for row in range(7)]
        assert to_last(*given).to_list() == lists[: max(rows, default=-1) + 1]
        assert counted(*given, 7).to_list() == lists
        assert to_last(*given).row_splits.dtype is tf.int64


def test_rows_of_a_sparse_matrix_in_programs():
    traced = tf.function(tf.RaggedTensor.from_sparse, input_signature=[tf.SparseTensorSpec([None, None])])
    for rows in ([[1.0, 2.0], [], [3.0]], [[], [1.0], [], []]):
        assert traced(tf.ragged.constant(rows).to_sparse()).to_list() == rows
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a row has a gap"):
        traced(tf.SparseTensor([[0, 1]], [1.0], [1, 2]))
