"""Reductions over groups of rows: empty groups, ids that do not fit."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16", "int32"])
def test_a_group_without_rows_gives_the_limit_of_the_dtype(dtype: str) -> None:
    data, ids = tf.cast(tf.constant([1, 2, 3]), dtype), [0, 0, 3]
    kind = tf.as_dtype(dtype)
    assert tf.math.unsorted_segment_max(data, ids, 4).numpy().tolist() == [2, kind.min, kind.min, 3]
    assert tf.math.unsorted_segment_min(data, ids, 4).numpy().tolist() == [1, kind.max, kind.max, 3]


def test_infinity_among_the_rows_is_no_empty_group() -> None:
    data = [-np.inf, np.inf]
    assert tf.math.unsorted_segment_max(data, [0, 1], 2).numpy().tolist() == data
    assert tf.math.unsorted_segment_min(data, [0, 1], 2).numpy().tolist() == data


def test_ids_below_0_are_left_out_and_those_beyond_refused() -> None:
    assert tf.math.unsorted_segment_sum([1, 2, 3], [0, -1, 0], 2).numpy().tolist() == [4, 0]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a segment id is out of range \(id=5, num_segments=2\)"):
        tf.math.unsorted_segment_sum([1, 2], [0, 5], 2)
    for wrong in ([0, 1, 0], [-1, 0, 1]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="the segment ids are not sorted, or one is below 0"):
            tf.math.segment_sum([1, 2, 3], wrong)


@pytest.mark.parametrize("order", ["risen", "mixed"])
@pytest.mark.parametrize("how", ["sum", "prod", "max", "min", "mean"])
def test_groups_of_rows_of_several_columns(how, order):
    rng = np.random.default_rng(0)
    ids = rng.integers(-1, 5, 40)
    ids[ids == 3] = 4
    ids = np.sort(ids) if order == "risen" else ids
    rows = rng.uniform(0.5, 1.5, (40, 3, 2)).astype("float32")
    start = {"max": np.finfo("float32").min, "min": np.finfo("float32").max, "prod": 1.0}.get(how, 0.0)
    join = getattr(np, how)
    wanted = [join(rows[ids == at], axis=0) if (ids == at).any() else np.full((3, 2), start) for at in range(6)]
    found = getattr(tf.math, f"unsorted_segment_{how}")(rows, ids, num_segments=6)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    nothing = getattr(tf.math, f"unsorted_segment_{how}")(rows[:0], ids[:0], num_segments=2)
    np.testing.assert_array_equal(nothing, np.full((2, 3, 2), start, "float32"))
