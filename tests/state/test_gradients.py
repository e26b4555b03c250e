"""tf.gradients and tf.hessians inside traced functions."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def values(found):
    return [None if g is None else g.numpy().tolist() for g in found]


def test_partial_and_total_derivatives():
    @tf.function
    def f(a):
        b = 2.0 * a
        return (
            tf.gradients(a + b, [a, b], stop_gradients=[a, b]),
            tf.gradients(a + b, [a, b]),
            tf.gradients([a * 3.0, b], a),
            tf.gradients(a * b, [a], stop_gradients=b),
        )

    partial, total, several, stopped = f(tf.constant(4.0))
    assert values(partial) == [1.0, 1.0]
    assert values(total) == [3.0, 1.0]
    assert values(several) == [5.0]
    assert values(stopped) == [8.0]


def test_what_flows_in_and_what_is_not_connected():
    v = tf.Variable(3.0)

    @tf.function
    def f(a):
        b = 2.0 * a
        return (
            tf.gradients(a, b),
            tf.gradients(a, [b], unconnected_gradients="zero"),
            tf.gradients([b, b * a], a, grad_ys=[tf.constant([5.0, 7.0]), None]),
            tf.gradients(v * v * a, v),
        )

    none, zeros, flowing, variable = f(tf.constant([4.0, 6.0]))
    assert values(none) == [None]
    assert values(zeros) == [[0.0, 0.0]]
    assert values(flowing) == [[2.0 * 5.0 + 4 * 4.0, 2.0 * 7.0 + 4 * 6.0]]
    assert values(variable) == [2 * 3.0 * 10.0]


def test_a_seed_may_hang_on_the_target():
    @tf.function
    def f(a):
        b = a * a
        return tf.gradients(b, a, grad_ys=tf.tanh(b))[0]

    assert f(tf.constant(0.5)).numpy() == pytest.approx(2 * 0.5 * np.tanh(0.25))


def test_hessians_of_a_sum():
    @tf.function
    def f(v, m):
        y = tf.reduce_sum(v**3) + tf.reduce_sum(m**2) * v[0]
        return tf.hessians(y, [v, m]), tf.hessians(2.0 * v, v)

    (by_v, by_m), zeros = f(tf.constant([1.0, 2.0]), tf.constant([[3.0, 4.0]]))
    assert by_v.numpy().tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert by_m.numpy().tolist() == (2.0 * np.eye(2)).reshape(1, 2, 1, 2).tolist()
    assert values(zeros) == [[[0.0, 0.0], [0.0, 0.0]]]


@pytest.mark.parametrize("name", ["gradients", "hessians"])
def test_outside_of_a_function_the_tape_is_named(name):
    x = tf.constant(1.0)
    with pytest.raises(RuntimeError) as caught:
        getattr(tf, name)(x, x)
    assert str(caught.value) == (
        f"tf.{name} is not supported when eager execution is enabled. Use tf.GradientTape instead, or call it inside a "
        "tf.function."
    )


def test_constants_of_the_trace_may_be_watched():
    @tf.function
    def f(a):
        x, unwatched = tf.constant([1.0, 2.0]), tf.constant([5.0, 6.0])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            # the square is a number while f is traced, its product with an argument is not
            square, other = x * x, unwatched * unwatched
            y = square * a * x + other * a
            at_once = tf.reduce_sum(square)
        return tape.gradient(y, [x, unwatched, other]), tape.gradient(at_once, x), tf.gradients(y, square)[0]

    (by_x, *nothing), at_once, by_square = f(tf.constant(3.0))
    assert by_x.numpy().tolist() == [3 * 1.0 * 3.0, 3 * 4.0 * 3.0]
    assert nothing == [None, None]
    assert at_once.numpy().tolist() == [2.0, 4.0]
    assert by_square.numpy().tolist() == [3.0, 6.0]
