"""Elements of ragged tensors by their places, and reductions of several ragged axes, against nested lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorsmith as tf

quick = settings(max_examples=25, deadline=None, derandomize=True, database=None)
nested = st.lists(st.lists(st.integers(-9, 9), max_size=4), max_size=4)
deeper = st.lists(st.lists(st.lists(st.integers(-9, 9), max_size=3), max_size=3), max_size=3)
ROWS, DEEP = [[1, 2], [], [3]], [[[1], [2, 3]], [], [[4, 5, 6]]]


def ragged(rows, rank=1, dtype=tf.int32):
    return tf.ragged.constant(rows, dtype, ragged_rank=rank)


@quick
@given(nested.filter(any), st.data())
def test_places_in_batches(rows, data):
    wanted = [data.draw(st.lists(st.integers(0, len(row) - 1), max_size=3) if row else st.just([])) for row in rows]
    values, places = ragged(rows), ragged(wanted)
    for function in (tf.gather, tf.function(lambda v, p, batch_dims: tf.gather(v, p, batch_dims=batch_dims))):
        found = function(values, places, batch_dims=1)
        assert found.to_list() == [[row[i] for i in picks] for row, picks in zip(rows, wanted)]


def test_rows_columns_and_what_is_not_there():
    r, long = ragged(ROWS), ragged([[1, 2], [3, 4, 5]])
    assert tf.gather(r, [[2, 0], [1, 1]]).to_list() == [[[3], [1, 2]], [[], []]]
    assert tf.gather(r, tf.ragged.constant([[0], [2, 1]])).to_list() == [[[1, 2]], [[3], []]]
    assert tf.gather(long, [1, 0], axis=1).numpy().tolist() == [[2, 1], [4, 3]]
    assert tf.gather(tf.constant([[10, 20], [30, 40]]), ragged([[1], [0, 0]]), batch_dims=1).to_list() == [
        [20],
        [30, 30],
    ]
    for places, settings_ in (([0], {"axis": 1}), (ragged([[0], [0], []]), {"batch_dims": 1})):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"a place is out of range .*length of the row=0"):
            tf.gather(r, places, **settings_)
    with pytest.raises(tf.errors.InvalidArgumentError, match="params and indices differ in their batches"):
        tf.gather(r, ragged([[0]]), batch_dims=1)


@quick
@given(deeper)
def test_gather_nd_and_where(rows):
    r = ragged(rows, 2)
    all_places = [[i, j, k] for i, a in enumerate(rows) for j, b in enumerate(a) for k, _ in enumerate(b)]
    found = tf.where(tf.not_equal(r, 0))
    assert found.numpy().tolist() == [p for p in all_places if rows[p[0]][p[1]][p[2]]] and found.shape[1] == 3
    if all_places:
        picked = all_places[::-1]
        for function in (tf.gather_nd, tf.function(tf.gather_nd)):
            assert function(r, tf.constant(picked)).numpy().tolist() == [rows[i][j][k] for i, j, k in picked]
            assert function(r, tf.constant(picked)[:, :2]).to_list() == [rows[i][j] for i, j, _ in picked]
            assert function(r, tf.constant(picked)[:, :1]).to_list() == [rows[i] for i, _, _ in picked]


@quick
@given(deeper, st.randoms(use_true_random=False))
def test_masks(rows, random):
    mask = [[[random.random() < 0.5 for _ in b] for b in a] for a in rows]
    outer = [[random.random() < 0.5 for _ in a] for a in rows]
    r = ragged(rows, 2)
    kept = [[[x for x, m in zip(*pair) if m] for pair in zip(*both)] for both in zip(rows, mask)]
    for function in (tf.ragged.boolean_mask, tf.function(tf.ragged.boolean_mask)):
        assert function(r, ragged(mask, 2, tf.bool)).to_list() == kept
        assert function(r, ragged(outer, 1, tf.bool)).to_list() == [
            [b for b, m in zip(a, o) if m] for a, o in zip(rows, outer)
        ]


def test_masks_of_dense_data_and_what_is_refused():
    assert tf.ragged.boolean_mask([1, 2, 3], [True, False, True]).numpy().tolist() == [1, 3]
    assert tf.ragged.boolean_mask(ragged(ROWS), [True, False, True]).to_list() == [[1, 2], [3]]
    assert tf.ragged.boolean_mask([[1, 2], [3, 4]], [[True, False], [True, True]]).to_list() == [[1], [3, 4]]
    with pytest.raises(TypeError, match="the mask must be of bools"):
        tf.ragged.boolean_mask([1], [1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="data and mask differ in their rows"):
        tf.ragged.boolean_mask(ragged(ROWS), ragged([[True], [], [True]], dtype=tf.bool))


def column_wise(tables, reduce):
    """Reduces lists of different lengths place by place, as far as the longest goes."""
    return [reduce([t[k] for t in tables if len(t) > k]) for k in range(max(map(len, tables), default=0))]


@quick
@given(deeper)
def test_outer_ragged_axes_are_reduced_place_by_place(rows):
    r = ragged(rows, 2)
    for name, reduce in (("reduce_sum", sum), ("reduce_max", max), ("reduce_prod", lambda v: int(np.prod(v)))):
        plain = getattr(tf, name)
        for function in (plain, tf.function(lambda r, axis, plain=plain: plain(r, axis=axis))):
            assert function(r, axis=1).to_list() == [column_wise(a, reduce) for a in rows]
            longest = max(map(len, rows), default=0)
            wanted = [column_wise([a[j] for a in rows if len(a) > j], reduce) for j in range(longest)]
            assert function(r, axis=0).to_list() == wanted


def test_stacks_sums_and_merged_axes():
    r, deep = ragged(ROWS), ragged(DEEP, 2)
    assert tf.stack([r, r], axis=2).to_list() == [[[1, 1], [2, 2]], [], [[3, 3]]]
    assert tf.stack([deep, deep], axis=2).to_list() == [[[[1], [1]], [[2, 3], [2, 3]]], [], [[[4, 5, 6]] * 2]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="the rows differ in length"):
        tf.stack([r, ragged([[1], [2], []])], axis=2)
    assert tf.add_n([r, r, r]).to_list() == [[3, 6], [], [9]]
    assert deep.merge_dims(0, -1).numpy().tolist() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(ValueError, match="there are no such axes"):
        deep.merge_dims(1, 3)


def test_partitions_told_by_splits_and_by_rows():
    assert tf.ragged.row_splits_to_segment_ids([0, 2, 2, 3]).numpy().tolist() == [0, 0, 2]
    assert tf.ragged.segment_ids_to_row_splits([0, 0, 2], num_segments=4).numpy().tolist() == [0, 2, 2, 3, 3]
    assert tf.ragged.segment_ids_to_row_splits([0, 0, 2], out_type=tf.int32).dtype == tf.int32
    assert tf.ragged.range([3, 5], row_splits_dtype=tf.int32).row_splits.dtype == tf.int32
    with pytest.raises(ValueError, match="splits are integers of one axis"):
        tf.ragged.row_splits_to_segment_ids(tf.constant([0.0]))


@pytest.mark.parametrize(
    "call", [tf.gather, tf.function(lambda p, i, batch_dims: tf.gather(p, i, batch_dims=batch_dims))]
)
def test_as_many_places_of_every_row_are_a_dense_tensor(call: Any) -> None:
    rows = tf.ragged.constant([[1.0, 2.0, 3.0], [4.0]])
    found = call(rows, tf.constant([[2, 0], [0, 0]]), batch_dims=1)
    assert isinstance(found, tf.Tensor)
    assert found.numpy().tolist() == [[3, 1], [4, 4]]
    pairs = tf.RaggedTensor.from_row_splits([[1, 2], [3, 4], [5, 6]], [0, 2, 3])
    assert call(pairs, tf.constant([[1], [0]]), batch_dims=1).numpy().tolist() == [[[3, 4]], [[5, 6]]]
    deep = tf.ragged.constant([[[1, 2], [3]], [[4]]])
    assert call(deep, tf.constant([[1], [0]]), batch_dims=1).to_list() == [[[3]], [[4]]]
