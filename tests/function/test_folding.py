"""map_fn, scan, foldl, foldr: at once, traced and traced with sizes unknown, against Python's own loops."""

from __future__ import annotations

import collections
import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorsmith as tf

Pair = collections.namedtuple("Pair", ["a", "b"])
ROWS = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 4.0]])


def ways(function, *values):
    """What it gives at once, traced, and traced for any number of rows."""
    tensors = [tf.constant(value) for value in values]
    unknown = [tf.TensorSpec([None, *value.shape[1:]], value.dtype) for value in tensors]
    yield function(*tensors)
    yield tf.function(function)(*tensors)
    yield tf.function(function, input_signature=unknown)(*tensors)


def everywhere(function, wanted, *values):
    for found in ways(function, *values):
        tf.nest.assert_same_structure(wanted, found)
        for a, b in zip(tf.nest.flatten(found), tf.nest.flatten(wanted)):
            np.testing.assert_allclose(np.asarray(a), b, rtol=1e-12)


def running(fn, rows, state, reverse=False):
    """All states, at the places of their rows, and the last one."""
    found = []
    for row in rows[::-1] if reverse else rows:
        state = fn(state, row)
        found.append(state)
    return np.array(found[::-1] if reverse else found), state


def step(a, row):
    return a * 0.5 + row * row


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("begun", [False, True])
def test_scan(reverse, begun):
    first = np.array([0.25, 4.0])
    if begun:
        wanted, _ = running(step, ROWS, first, reverse)
        everywhere(lambda x: tf.scan(step, x, initializer=tf.constant(first), reverse=reverse), wanted, ROWS)
        return
    head, rest = (ROWS[-1:], ROWS[:-1]) if reverse else (ROWS[:1], ROWS[1:])
    tail, _ = running(step, rest, head[0], reverse)
    wanted = np.concatenate([tail, head] if reverse else [head, tail])
    everywhere(lambda x: tf.scan(step, x, reverse=reverse), wanted, ROWS)


def test_folds_of_strings_run_on_numpy():
    x = tf.constant(["a", "b", "c"])
    for run in (lambda f: f, tf.function):
        assert run(lambda x: tf.scan(lambda a, r: a + r, x))(x).numpy().tolist() == [b"a", b"ab", b"abc"]
        assert run(lambda x: tf.scan(lambda a, r: a + r, x, reverse=True))(x).numpy().tolist() == [b"cba", b"cb", b"c"]
        assert run(lambda x: tf.foldr(lambda a, r: a + r, x))(x).numpy() == b"cba"


def test_foldl_and_foldr():
    everywhere(lambda x: tf.foldl(step, x), functools.reduce(step, ROWS), ROWS)
    everywhere(lambda x: tf.foldr(step, x), functools.reduce(step, ROWS[::-1]), ROWS)
    first = np.array([7.0, -7.0])
    everywhere(lambda x: tf.foldl(step, x, initializer=first), functools.reduce(step, ROWS, first), ROWS)
    everywhere(lambda x: tf.foldr(step, x, initializer=first), functools.reduce(step, ROWS[::-1], first), ROWS)


@pytest.mark.parametrize("kind", [list, tuple, Pair, dict])
def test_scan_keeps_the_structure(kind):
    def make(a, b):
        return {"a": a, "b": b} if kind is dict else Pair(a, b) if kind is Pair else kind([a, b])

    def parts(state):
        return (state["a"], state["b"]) if kind is dict else tuple(state)

    def fn(state, x):
        a, b = parts(state)
        return make(a + x, b * 2.0)

    first = make(tf.constant(0.0, tf.float64), tf.constant(1.0, tf.float64))
    everywhere(
        lambda x: tf.scan(fn, x, initializer=first), make(np.cumsum(ROWS[:, 0]), 2.0 ** np.arange(1, 4)), ROWS[:, 0]
    )
    everywhere(lambda x: tf.foldl(fn, x, initializer=first), make(ROWS[:, 0].sum(), 8.0), ROWS[:, 0])


def test_map_fn_of_several_and_to_several():
    everywhere(
        lambda x, y: tf.map_fn(
            lambda p: {"sum": p[0] + p[1], "first": (p[0],)},
            (x, y),
            fn_output_signature={"sum": tf.float64, "first": (tf.TensorSpec([2], tf.float64),)},
        ),
        {"sum": ROWS * 3, "first": (ROWS,)},
        ROWS,
        ROWS * 2,
    )


def test_map_fn_to_another_dtype():
    everywhere(
        lambda x: tf.map_fn(lambda r: tf.reduce_sum(r) > 0.0, x, fn_output_signature=tf.bool), ROWS.sum(1) > 0, ROWS
    )
    everywhere(lambda x: tf.map_fn(lambda r: tf.cast(r[0], tf.int32), x, dtype=tf.int32), ROWS[:, 0].astype(int), ROWS)


@pytest.mark.parametrize("fold", [tf.map_fn, lambda fn, x: tf.scan(lambda a, row: fn(row), x, initializer=x[0] * 0.0)])
def test_variables_are_assigned_row_by_row(fold):
    def f(v):
        return lambda x: fold(lambda row: row * v.assign_add(tf.reduce_sum(row)), x)

    wanted = ROWS * np.cumsum(ROWS.sum(1))[:, None]
    for wrapped in (lambda g: g, tf.function):
        v = tf.Variable(0.0, dtype=tf.float64)
        np.testing.assert_allclose(wrapped(f(v))(tf.constant(ROWS)), wanted)
        assert v.numpy() == ROWS.sum()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 6))
def test_any_number_of_rows(count):
    x = np.arange(1.0, count + 1)
    np.testing.assert_allclose(mapped(tf.constant(x)), x * x)
    np.testing.assert_allclose(scanned(tf.constant(x)), np.cumsum(x))
    np.testing.assert_allclose(tf.map_fn(lambda r: r * r, tf.constant(x)), x * x)
    np.testing.assert_allclose(
        tf.scan(lambda a, r: a + r, tf.constant(x), initializer=tf.constant(0.0, tf.float64)), np.cumsum(x)
    )


@tf.function(input_signature=[tf.TensorSpec([None], tf.float64)])
def mapped(x):
    return tf.map_fn(lambda r: r * r, x)


@tf.function(input_signature=[tf.TensorSpec([None], tf.float64)])
def scanned(x):
    return tf.scan(lambda a, r: a + r, x, initializer=tf.constant(0.0, tf.float64))


def test_gradients_and_second_gradients_of_folds():
    x = tf.constant([0.5, 2.0, -1.5], tf.float64)

    def product(x):
        return tf.foldl(lambda a, r: a * r, x, initializer=tf.constant(1.0, tf.float64))

    def squares(x):
        return tf.reduce_sum(tf.scan(lambda a, r: a * r, x) ** 2)

    def cubes(x):
        return tf.reduce_sum(tf.map_fn(lambda r: r**3, x))

    for function in (product, squares, cubes):
        for inner in (
            function,
            tf.function(function),
            tf.function(function, input_signature=[tf.TensorSpec([None], tf.float64)]),
        ):

            def slope(x, inner=inner):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = inner(x)
                return tape.gradient(y, x)

            def curve(x, slope=slope):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = tf.reduce_sum(slope(x) * tf.constant([1.0, 2.0, 3.0], tf.float64))
                return tape.gradient(y, x)

            h, eye = 1e-5, np.eye(3)
            wanted = [(float(function(x + h * e)) - float(function(x - h * e))) / (2 * h) for e in eye]
            for found in (slope(x), tf.function(slope)(x)):
                np.testing.assert_allclose(found, wanted, rtol=1e-7)
            weights = np.array([1.0, 2.0, 3.0])
            bent = [(np.dot(weights, slope(x + h * e)) - np.dot(weights, slope(x - h * e))) / (2 * h) for e in eye]
            for found in (curve(x), tf.function(curve)(x)):
                np.testing.assert_allclose(found, bent, rtol=1e-6)


REFUSED = [
    (lambda: tf.map_fn(abs, tf.constant(1)), ValueError, "map_fn: elems must be tensors with the same number of rows"),
    (lambda: tf.scan(3, tf.constant([1])), TypeError, "scan: fn must be callable .fn=3"),
    (lambda: tf.scan(tf.add, tf.zeros([0])), ValueError, "scan: there are no rows .*initializer"),
    (lambda: tf.foldl(lambda a, x: (a, x), tf.constant([1, 2])), ValueError, "another structure than the initializer"),
    (
        lambda: tf.map_fn(lambda x: x, tf.constant([1]), fn_output_signature=tf.float32),
        tf.errors.InvalidArgumentError,
        "map_fn: fn gave something else than its signature says .given=int32.., signature=float32.",
    ),
    (
        lambda: tf.map_fn(lambda x: (x, x), tf.constant([1]), dtype=tf.int32),
        ValueError,
        "map_fn: fn gave another structure than the signature",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), REFUSED)
def test_refusals(call, error, text):
    for run in (call, tf.function(call)):
        with pytest.raises(error, match=text):
            run()


def test_a_fold_that_changes_dtype_or_shape_is_told():
    x = tf.constant([1, 2, 3])
    for run in (lambda f: f, tf.function):
        with pytest.raises(TypeError, match=r"int32.*float32.*tf.cast\(value, tf.int32\)"):
            run(lambda x: tf.scan(lambda a, r: tf.cast(a + r, tf.float32), x, initializer=0))(x)
    with pytest.raises(ValueError, match=r"scan: fn gave results of two shapes .row 0=int32\(2,\), row 1=int32\(3,\)"):
        tf.scan(lambda a, r: tf.concat([a, [r]], 0), x, initializer=tf.constant([0]))
