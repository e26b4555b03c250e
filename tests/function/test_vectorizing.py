"""vectorized_map: equal to map_fn, computed at once; what cannot be is told and mapped row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.program.execute import on_numpy

ROWS = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 4.0]])


def ways(function, x):
    yield function(x)
    yield tf.function(function)(x)
    yield tf.function(function, input_signature=[tf.TensorSpec([None, *x.shape[1:]], x.dtype)])(x)


@pytest.mark.parametrize(
    "fn",
    [
        lambda r: tf.reduce_sum(r * r),
        lambda r: tf.sort(r)[0],
        lambda r: tf.tensordot(r, r, 1) + tf.reduce_max(r),
        lambda r: tf.while_loop(lambda x: tf.reduce_sum(x) < 9.0, lambda x: [x + 1.0], [r])[0],
        lambda r: tf.cond(r[0] > 0.7, lambda: r * 2.0, lambda: -r),
        lambda r: tf.constant(2.0),
    ],
)
def test_it_gives_what_map_fn_gives(fn):
    x = tf.constant(ROWS)
    wanted = np.stack([np.asarray(fn(row)) for row in x])
    for found in ways(lambda x: tf.vectorized_map(fn, x), x):
        np.testing.assert_allclose(found, wanted)


def test_structures_and_single_rows():
    x = tf.constant(ROWS)
    found = tf.vectorized_map(lambda p: {"a": p[0] * p[1], "none": None}, (x, tf.constant([[10.0, 20.0]], tf.float64)))
    np.testing.assert_allclose(found["a"], ROWS * [10.0, 20.0])
    assert found["none"] is None
    f = tf.function(lambda x, y: tf.vectorized_map(lambda p: p[0] * p[1], (x, y)))
    np.testing.assert_allclose(f(x, tf.constant([[10.0, 20.0]], tf.float64)), ROWS * [10.0, 20.0])
    # all at once, and not row by row because XLA refused it
    assert not on_numpy(f.get_concrete_function(x, tf.constant([[10.0, 20.0]], tf.float64)).program)
    assert tf.vectorized_map(lambda r: r * 2.0, tf.zeros([0, 2])).shape == (0, 2)
    with pytest.raises(ValueError, match="vectorized_map: elems must be tensors with the same number of rows, or one"):
        tf.vectorized_map(lambda p: p[0] + p[1], (tf.zeros([2]), tf.zeros([3])))


def test_each_row_draws_what_map_fn_draws():
    def drawn(mapping, wrapped):
        tf.random.set_seed(5)
        rows = wrapped(
            lambda x: mapping(
                lambda r: r + tf.random.normal([2], dtype=tf.float64) * tf.random.uniform([], dtype=tf.float64), x
            )
        )
        return np.asarray(rows(tf.constant(ROWS))), float(tf.random.uniform([]))

    first, after = drawn(tf.map_fn, lambda f: f)
    tf.random.set_seed(5)
    untouched = float(tf.random.uniform([]))
    assert len(np.unique(first - ROWS)) == 6
    for mapping in (tf.map_fn, tf.vectorized_map):
        for wrapped in (lambda f: f, tf.function):
            found, later = drawn(mapping, wrapped)
            np.testing.assert_allclose(found, first)
            # a function draws as a program of its own does: those outside of it go on as if it were not there
            assert later == (untouched if wrapped is tf.function else after)


def test_gradients_by_rows_and_by_what_is_shared():
    x, w = tf.constant(ROWS), tf.Variable([2.0, 3.0], dtype=tf.float64)

    def f(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.vectorized_map(lambda r: tf.reduce_sum(r * r * w), x)
        return tape.gradient(y, [x, w])

    for by_x, by_w in ways(f, x):
        np.testing.assert_allclose(by_x, 2 * ROWS * [2.0, 3.0])
        np.testing.assert_allclose(by_w, (ROWS**2).sum(0))


def test_what_cannot_be_computed_at_once_is_told():
    v = tf.Variable(0.0, dtype=tf.float64, name="sum")
    x = tf.constant(ROWS[:, 0])
    with pytest.warns(
        UserWarning, match="vectorized_map: fn cannot be computed for all rows at once .it assigns to sum"
    ):
        np.testing.assert_allclose(tf.vectorized_map(lambda r: v.assign_add(r), x), np.cumsum(ROWS[:, 0]))
    with pytest.raises(ValueError, match="it holds operations that run on NumPy alone"):
        tf.vectorized_map(tf.strings.as_string, x, fallback_to_while_loop=False)
    assert tf.vectorized_map(tf.strings.as_string, x, warn=False).shape == (3,)


def test_what_fn_takes_from_around_it_has_derivatives() -> None:
    x, scale, weights = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([2.0, 3.0]), tf.Variable([5.0, 7.0])

    def gradients(mapped: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, scale])
            result = tf.reduce_sum(mapped(lambda row: row * scale * weights, x) ** 2)
        return tape.gradient(result, [x, scale, weights])

    right = gradients(lambda fn, rows: fn(rows))
    for mapped in (tf.vectorized_map, tf.map_fn):
        for one, other in zip(gradients(mapped), right, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy())
    for one, other in zip(tf.function(lambda: gradients(tf.vectorized_map))(), right, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy())
