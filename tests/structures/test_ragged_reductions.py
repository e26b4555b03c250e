"""Reductions of ragged tensors, and what else goes along an axis, against nested Python lists."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorsmith as tf

quick = settings(max_examples=25, deadline=None, derandomize=True, database=None)
numbers = st.integers(-9, 9)
nested = st.lists(st.lists(numbers, max_size=4), max_size=4)
deeper = st.lists(st.lists(st.lists(numbers, max_size=3), max_size=3), max_size=3)
ROWS = [[1.0, 2.0, 4.5], [7.0], [-3.0, 1000.0]]
DEEP = [[[1.0, 2.0], [3.0]], [], [[], [4.0, -5.0, 6.0]]]


def ragged(rows, rank=1, dtype=tf.int32):
    return tf.ragged.constant(rows, dtype, ragged_rank=rank)


def both(function, *arguments):
    """What a function gives at once and traced."""
    return function(*arguments), tf.function(function)(*arguments)


def places(rows, depth):
    """All places of a nested list with their values."""
    if not depth:
        return {(): rows}
    return {(at, *place): x for at, row in enumerate(rows) for place, x in places(row, depth - 1).items()}


def listed(tensor):
    """The places of a result with their values."""
    value = tensor.to_list() if isinstance(tensor, tf.RaggedTensor) else tensor.numpy().tolist()
    return places(value, len(tensor.shape))


def reduced(rows, depth, axes, function, keepdims=False):
    """`function` of the values that differ in their places along the axes alone."""
    groups: dict = {}
    for place, x in places(rows, depth).items():
        key = tuple(0 if at in axes else p for at, p in enumerate(place) if keepdims or at not in axes)
        groups.setdefault(key, []).append(x)
    return {key: function(values) for key, values in groups.items()}


def close(found, wanted):
    """Wanted values stand at their places; what else is there are the results of empty groups."""
    assert wanted.keys() <= found.keys()
    np.testing.assert_allclose([found[key] for key in wanted], list(wanted.values()), rtol=1e-5, atol=1e-6)


# ---- moments


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (1, 2), (0, 2), (0, 1, 2)])
def test_moments_about_the_mean_of_each_group(axes, keepdims):
    r = ragged(DEEP, 2, tf.float32)
    for mean, variance in both(lambda r: tf.nn.moments(r, axes, keepdims=keepdims), r):
        close(listed(mean), reduced(DEEP, 3, axes, np.mean, keepdims))
        close(listed(variance), reduced(DEEP, 3, axes, np.var, keepdims))
    for spread in both(lambda r: tf.math.reduce_std(r, axes, keepdims=keepdims), r):
        close(listed(spread), reduced(DEEP, 3, axes, np.std, keepdims))
    for found in both(lambda r: tf.math.reduce_logsumexp(r, axes, keepdims=keepdims), r):
        close(listed(found), reduced(DEEP, 3, axes, lambda v: np.log(np.exp(v).sum()), keepdims))


def test_moments_of_inner_axes_and_far_groups():
    values = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")
    r, rows = tf.RaggedTensor.from_row_splits(values, [0, 2, 5]), [values[:2], values[2:]]
    for axes in ((1,), (1, 3), (1, 2, 3), (0, 1, 2)):
        mean, variance = tf.nn.moments(r, axes)
        inner = tuple(a - 1 for a in axes if a)
        parts = [values] if 0 in axes else rows
        expected = [(part.mean(inner), part.var(inner)) for part in parts]
        wanted = expected[0] if 0 in axes else map(np.stack, zip(*expected))
        for found, right in zip((mean, variance), wanted):
            np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-6)
    mean, variance = tf.nn.moments(r, [2])
    assert mean.shape.as_list() == [2, None, 3] == variance.shape.as_list()
    # groups far from each other: the difference of two means of squares would be 0, or below
    far = tf.ragged.constant([[1e4, 1e4 + 1.0], [-1e4, -1e4 - 2.0]])
    np.testing.assert_allclose(tf.math.reduce_variance(far, axis=1), [0.25, 1.0])
    np.testing.assert_allclose(
        tf.math.reduce_variance(ragged(ROWS, 1, tf.float32)), np.var([x for row in ROWS for x in row]), rtol=1e-5
    )


def test_empty_groups():
    r = ragged([[], [1.0]], 1, tf.float32)
    limits = np.finfo("float32")
    for function, wanted in [
        (tf.reduce_max, limits.min), (tf.reduce_min, limits.max), (tf.reduce_sum, 0), (tf.reduce_prod, 1),
        (tf.math.reduce_logsumexp, -np.inf),
    ]:  # fmt: skip
        for found in both(lambda r, function=function: function(r, axis=1), r):
            np.testing.assert_array_equal(found, np.array([wanted, 1], "float32"))
    assert np.isnan(tf.reduce_mean(r, axis=1).numpy()[0])
    infinite = ragged([[-np.inf], [np.inf, 2.0]], 1, tf.float32)
    for found in both(lambda r: (tf.reduce_max(r, 1), tf.math.reduce_logsumexp(r, 1)), infinite):
        np.testing.assert_array_equal(found, [[-np.inf, np.inf]] * 2)
    bools = ragged([[], [True, False]], 1, tf.bool)
    for found in both(lambda r: (tf.reduce_any(r, 1), tf.reduce_all(r, 1)), bools):
        np.testing.assert_array_equal(found, [[False, True], [True, False]])


def test_the_mean_of_integers_is_a_float():
    r = ragged([[1, 2], [4]])
    assert tf.reduce_mean(r).dtype == tf.reduce_mean(r, axis=1).dtype == tf.float64
    np.testing.assert_allclose(tf.reduce_mean(r), 7 / 3)


# ---- softmax


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_softmax_along_every_axis(axis):
    r = ragged(DEEP, 2, tf.float32)
    axes = {axis % 3}
    total = reduced(DEEP, 3, axes, lambda v: np.exp(v).sum())
    wanted = {
        place: np.exp(x) / total[tuple(p for at, p in enumerate(place) if at not in axes)]
        for place, x in places(DEEP, 3).items()
    }
    for found in both(lambda r: tf.nn.softmax(r, axis=axis), r):
        close(listed(found), wanted)
    for found in both(lambda r: tf.nn.log_softmax(r, axis=axis), r):
        close(listed(found), {place: np.log(x) for place, x in wanted.items()})


def test_softmax_of_great_numbers_and_inner_axes():
    for found, row in zip(tf.nn.softmax(ragged(ROWS, 1, tf.float32)).to_list(), ROWS):
        powers = np.exp(np.array(row) - max(row))
        np.testing.assert_allclose(found, powers / powers.sum(), rtol=1e-5)
    values = np.arange(6.0, dtype="float32").reshape(3, 2)
    inner = tf.nn.softmax(tf.RaggedTensor.from_row_splits(values, [0, 1, 3]))
    np.testing.assert_allclose(inner.flat_values, np.exp(values) / np.exp(values).sum(1, keepdims=True), rtol=1e-6)


# ---- running sums


def running(rows, depth, axis, exclusive, reverse):
    groups: dict = {}
    out = {}
    all_places = places(rows, depth)
    for place in sorted(all_places, key=lambda p: -p[axis] if reverse else p[axis]):
        key = (*place[:axis], *place[axis + 1 :])
        before = groups.get(key, 0)
        groups[key] = before + all_places[place]
        out[place] = before if exclusive else groups[key]
    return out


@quick
@given(deeper, st.booleans(), st.booleans())
def test_running_sums_along_every_axis(rows, exclusive, reverse):
    r = ragged(rows, 2)
    for axis in range(3):
        found = tf.cumsum(r, axis=axis, exclusive=exclusive, reverse=reverse)
        assert listed(found) == running(rows, 3, axis, exclusive, reverse)
        assert found.row_splits is r.row_splits


def test_running_sums_of_long_rows_inner_axes_and_in_programs():
    rows = [[float(x) for x in range(n)] for n in (17, 0, 1, 40)]
    for found in both(lambda r: tf.cumsum(r, axis=1), ragged(rows, 1, tf.float32)):
        for sums, row in zip(found.to_list(), rows):
            np.testing.assert_allclose(sums, list(itertools.accumulate(row)))
    values = np.arange(6).reshape(3, 2)
    inner = tf.cumsum(tf.RaggedTensor.from_row_splits(values, [0, 1, 3]), axis=2)
    np.testing.assert_array_equal(inner.flat_values, values.cumsum(1))
    # small sums beside great ones keep their digits
    apart = tf.cumsum(ragged([[1e8], [0.5, 0.25]], 1, tf.float32), axis=1)
    assert apart.to_list() == [[1e8], [0.5, 0.75]]


# ---- groups of rows


@quick
@given(nested, st.data())
def test_rows_of_a_group_are_reduced_place_by_place(rows, data):
    ids = [data.draw(st.integers(0, 2)) for _ in rows]
    r, groups = ragged(rows), tf.constant(ids, tf.int32, shape=(len(ids),))
    for kind, function in [
        ("sum", sum), ("max", max), ("min", min), ("prod", lambda v: int(np.prod(v))), ("mean", np.mean),
        ("sqrt_n", lambda v: sum(v) / len(v) ** 0.5),
    ]:  # fmt: skip
        plain = getattr(tf.math, f"unsorted_segment_{kind}")
        floats = kind in ("mean", "sqrt_n")
        found = plain(tf.cast(r, tf.float32) if floats else r, groups, 3)
        assert found.shape.as_list() == [3, None]
        for group, row in enumerate(found.to_list()):
            mine = [rows[at] for at, g in enumerate(ids) if g == group]
            wanted = [function([m[k] for m in mine if len(m) > k]) for k in range(max(map(len, mine), default=0))]
            np.testing.assert_allclose(row, wanted, rtol=1e-5)


def test_groups_told_element_by_element():
    r, ids = ragged([[1, 2], [], [3]]), ragged([[0, 1], [], [1]])
    for found in both(lambda r, i: tf.math.unsorted_segment_sum(r, i, 2), r, ids):
        assert found.numpy().tolist() == [1, 5]
    deep = ragged(DEEP, 2, tf.float32)
    for found in both(lambda r, i: tf.math.unsorted_segment_sum(r, i, 2), deep, ragged([[0, 1], [], [1, 0]])):
        assert found.to_list() == [[5.0, -3.0, 6.0], [3.0]]
    two = tf.math.unsorted_segment_sum(tf.constant([[1, 2], [3, 4]]), ragged([[0, 1], [1, 1]]), 2)
    assert two.numpy().tolist() == [1, 9]


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([0, 1], "unsorted_segment_sum: the segment ids do not fit the rows (data=int32(3, None), segment_ids=int32(2,)); "
                 "their form must be the beginning of that of the data."),
        ([0, 2, 1], "unsorted_segment_sum: a segment id is out of range (id=2, num_segments=2)."),
        ([0, -1, 1], "unsorted_segment_sum: a segment id is out of range (id=-1, num_segments=2)."),
    ],
)  # fmt: skip
def test_groups_that_do_not_fit(ids, text):
    r = ragged([[1, 2], [], [3]])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.math.unsorted_segment_sum(r, ids, 2)
    assert str(caught.value) == text
    with pytest.raises(tf.errors.InvalidArgumentError, match="the segment ids do not fit the rows"):
        tf.math.unsorted_segment_sum(r, ragged([[0], [1], [1]]), 2)
    traced = tf.function(lambda r, i: tf.math.unsorted_segment_sum(r, i, 2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="their rows differ in length"):
        traced(r, ragged([[0], [1], [1]]))


def test_counts_of_ragged_numbers():
    rows = [[1, 1, 4], [], [3]]
    r = ragged(rows)
    assert tf.math.bincount(r).numpy().tolist() == [0, 2, 0, 1, 1]
    table = np.array([[row.count(n) for n in range(5)] for row in rows])
    np.testing.assert_array_equal(tf.math.bincount(r, axis=-1), table)
    np.testing.assert_array_equal(tf.math.bincount(r, axis=-1, binary_output=True), np.minimum(table, 1))
    np.testing.assert_array_equal(
        tf.math.bincount(r, axis=-1, minlength=7, maxlength=6), np.pad(table, [(0, 0), (0, 1)])
    )
    weights = ragged([[0.5, 1.0, 2.0], [], [4.0]], 1, tf.float32)
    np.testing.assert_array_equal(tf.math.bincount(r, weights), [0, 1.5, 0, 4.0, 2.0])
    traced = tf.function(lambda r: tf.math.bincount(r, axis=-1, minlength=5, maxlength=5))
    np.testing.assert_array_equal(traced(r), table)
    with pytest.raises(tf.errors.InvalidArgumentError, match="rows of one ragged axis are needed"):
        tf.math.bincount(ragged([[[1]]], 2), axis=-1)


# ---- derivatives


def test_gradients_of_what_goes_along_rows():
    values, splits = tf.constant([1.0, 2.0, 4.0, 0.5]), [0, 3, 3, 4]

    def gradient(function, traced):
        def total(values):
            return function(tf.RaggedTensor.from_row_splits(values, splits))

        with tf.GradientTape() as tape:
            tape.watch(values)
            found = (tf.function(total) if traced else total)(values)
        return tape.gradient(found, values).numpy()

    x = values.numpy()
    p = np.exp(x[:3]) / np.exp(x[:3]).sum()
    for traced in (False, True):
        np.testing.assert_allclose(gradient(lambda r: tf.cumsum(r, axis=1).flat_values, traced), [3, 2, 1, 1])
        np.testing.assert_allclose(gradient(lambda r: tf.math.reduce_variance(r, axis=1)[0], traced),
                                   [*(2 * (x[:3] - x[:3].mean()) / 3), 0], rtol=1e-5)  # fmt: skip
        np.testing.assert_allclose(
            gradient(lambda r: tf.math.reduce_logsumexp(r, axis=1)[0], traced), [*p, 0], rtol=1e-5
        )
        np.testing.assert_allclose(gradient(lambda r: tf.nn.softmax(r).flat_values[0], traced),
                                   [p[0] * (1 - p[0]), -p[0] * p[1], -p[0] * p[2], 0], rtol=1e-4)  # fmt: skip
        np.testing.assert_allclose(
            gradient(lambda r: tf.math.unsorted_segment_sum(r, [1, 0, 1], 2).flat_values ** 2, traced),
            2 * np.array([x[0] + x[3], x[1], x[2], x[0] + x[3]]),
        )


@pytest.mark.parametrize("axis", [0, 1, 2, 3, [1, 2], [0, 1], [1, 2, 3]])
def test_means_over_rows_and_over_inner_axes(axis):
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(size, 3, 2)).astype("float32") for size in (2, 1, 4)]
    ragged = tf.ragged.constant([row.tolist() for row in rows], tf.float32, ragged_rank=1, inner_shape=(3, 2))
    padded = np.full((3, 4, 3, 2), np.nan, "float32")
    for row, values in zip(padded, rows):
        row[: len(values)] = values
    wanted = np.asarray(np.ma.masked_invalid(padded).mean(axis=tuple(axis) if isinstance(axis, list) else axis))
    found = tf.reduce_mean(ragged, axis=axis)
    if isinstance(found, tf.RaggedTensor):
        wanted, found = wanted[np.arange(4) < np.array([[2], [1], [4]])], found.flat_values
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
