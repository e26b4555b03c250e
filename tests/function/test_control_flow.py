"""cond, case, switch_case, while_loop, map_fn: the same at once and as part of a program."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def both(function, *values):
    """The result when run at once, held against the traced one."""
    at_once, traced = function(*values), tf.function(function)(*values)
    for a, b in zip(*(r if isinstance(r, (tuple, list)) else [r] for r in (at_once, traced))):
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-6)
    return traced


@pytest.mark.parametrize("x", [-2.0, 3.0])
def test_cond(x):
    assert both(lambda x: tf.cond(x > 0, lambda: x * 2.0, lambda: x - 1.0), tf.constant(x)).numpy() == (
        2 * x if x > 0 else x - 1
    )


def test_cond_writes_variables_of_the_branch_that_is_taken():
    v, w = tf.Variable(1.0), tf.Variable(1.0)

    @tf.function
    def f(x):
        tf.cond(x > 0, lambda: v.assign_add(x), lambda: w.assign_sub(x))
        return v + w

    assert (f(tf.constant(2.0)).numpy(), v.numpy(), w.numpy()) == (4.0, 3.0, 1.0)
    assert (f(tf.constant(-5.0)).numpy(), v.numpy(), w.numpy()) == (9.0, 3.0, 6.0)


def test_cond_refuses_results_of_two_forms():
    f = tf.function(lambda x: tf.cond(x > 0, lambda: (x, x), lambda: x))
    with pytest.raises(TypeError, match="the value returned: its structure differs between the branches"):
        f(tf.constant(1.0))
    with pytest.raises(TypeError, match="cond: false_fn must be callable"):
        tf.cond(True, lambda: 1, None)


@pytest.mark.parametrize("x", [0.5, 2.0, 9.0])
def test_case(x):
    def f(x):
        return tf.case([(x > 3.0, lambda: x * 1.0), (x > 1.0, lambda: x * 10.0)], default=lambda: x * 100.0)

    assert both(f, tf.constant(x)).numpy() == np.float32(x * (1 if x > 3 else 10 if x > 1 else 100))


@pytest.mark.parametrize("at", [-1, 0, 1, 2])
def test_switch_case(at):
    def f(i):
        return tf.switch_case(
            i, {0: lambda: tf.constant(10), 1: lambda: tf.constant(20)}, default=lambda: tf.constant(-1)
        )

    assert both(f, tf.constant(at)).numpy() == {0: 10, 1: 20}.get(at, -1)


@pytest.mark.parametrize("limit", [None, 3])
def test_while_loop(limit):
    def f(x):
        return tf.while_loop(
            lambda i, y: i < 5, lambda i, y: (i + 1, y * 2.0), (tf.constant(0), x), maximum_iterations=limit
        )

    rounds = 5 if limit is None else limit
    number, value = both(f, tf.constant(1.5))
    assert (number.numpy(), value.numpy()) == (rounds, 1.5 * 2**rounds)


def test_a_loop_carries_variables_and_sizes_that_change():
    v = tf.Variable(0)

    @tf.function
    def f(n):
        x = tf.constant([1.0])
        for i in tf.range(n):
            v.assign_add(i)
            x = tf.concat([x, x], axis=0)
        return x

    assert f(tf.constant(4)).shape == (16,) and v.numpy() == 6
    assert f(tf.constant(0)).shape == (1,) and v.numpy() == 6


def test_a_loop_of_known_length_is_compiled():
    from tensorsmith.program.execute import on_numpy

    f = tf.function(lambda x: tf.while_loop(lambda y: y < 100.0, lambda y: [y * 2.0], [x])[0])
    assert not on_numpy(f.get_concrete_function(tf.constant(1.0))._program)
    g = tf.function(lambda s: tf.cond(tf.strings.length(s) > 1, lambda: s, lambda: s + "!"))
    assert g(tf.constant("a")).numpy() == b"a!" and on_numpy(g.get_concrete_function(tf.constant("a"))._program)


def test_map_fn():
    x = np.arange(6, dtype="float32").reshape(3, 2)
    result = both(lambda x: tf.map_fn(lambda row: row * 2.0 + tf.reduce_sum(row), x), tf.constant(x))
    np.testing.assert_allclose(result, x * 2 + x.sum(1, keepdims=True))
    a, _ = both(
        lambda x: tf.map_fn(lambda p: (p[0] + p[1], p[0]), (x, x * 10.0), dtype=(tf.float32, tf.float32)),
        tf.constant(x),
    )
    np.testing.assert_allclose(a, x * 11)
    with pytest.raises(ValueError, match="elems must be tensors with the same number of rows"):
        tf.map_fn(lambda p: p[0], (tf.zeros([2]), tf.zeros([3])))


def test_gradients_through_branches_and_loops():
    v = tf.Variable(3.0)

    @tf.function
    def f(x):
        y = x * 0.0
        for i in tf.range(4):
            if i % 2 == 0:
                y += v * v * x
            else:
                y += x
            if y > 1e6:
                break
        return y

    with tf.GradientTape() as tape:
        y = f(tf.constant(2.0))
    assert y.numpy() == 2 * 18 + 2 * 2.0 and tape.gradient(y, v).numpy() == 2 * (2 * 3.0 * 2.0)
