"""Derivatives through slices of variables, which are tensors with an `assign` of their own."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

START = np.array([1.0, 2.0, 3.0], np.float32)

CASES = {
    "element": (lambda v: v[1] * v[1], [0, 4, 0]),
    "two elements": (lambda v: v[0] * v[2] + v[0], [4, 0, 1]),
    "rows": (lambda v: tf.reduce_sum(tf.square(v[1:])), [0, 4, 6]),
    "new axis": (lambda v: tf.reduce_sum(v[None] * v), [2, 4, 6]),
    "product": (lambda v: tf.reduce_sum(v[None] @ v[:, None]), [2, 4, 6]),
    "mask": (lambda v: tf.reduce_sum(v[tf.constant([True, False, True])] * 2.0), [2, 0, 2]),
    "stacked": (lambda v: tf.reduce_sum(tf.stack([v[0], v[1]]) * 3.0), [3, 3, 0]),
    "itself": (lambda v: v[:2], [1, 1, 0]),
}  # fmt: skip


# how many elements a mask picks is not known while a program is traced
WAYS = [(name, traced) for name in CASES for traced in (False, True) if (name, traced) != ("mask", True)]


@pytest.mark.parametrize(("name", "traced"), WAYS)
def test_gradients_reach_the_variable(name, traced):
    call, expected = CASES[name]
    v = tf.Variable(START)

    def gradient():
        with tf.GradientTape() as tape:
            y = call(v)
        return tape.gradient(y, v)

    for _ in range(3):  # the first time piece by piece, then as one function
        np.testing.assert_allclose((tf.function(gradient) if traced else gradient)(), expected)


def test_a_slice_is_a_source_too():
    v = tf.Variable(START)
    with tf.GradientTape() as tape:
        part = v[1:]
        y = tf.reduce_sum(part * part)
    by_part, by_whole = tape.gradient(y, [part, v])
    np.testing.assert_allclose(by_part, [4, 6])
    np.testing.assert_allclose(by_whole, [0, 4, 6])


def test_second_derivatives():
    v = tf.Variable(START)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = v[1] * v[1] * v[1] + v[0]
        first = inner.gradient(y, v)
        total = tf.reduce_sum(first)
    np.testing.assert_allclose(first, [1, 12, 0])
    np.testing.assert_allclose(outer.gradient(total, v), [0, 12, 0])


def test_inside_custom_gradients_recomputed_and_forward():
    v, x = tf.Variable(START), tf.Variable(2.0)

    @tf.custom_gradient
    def scaled(x):
        factor = v[1]
        return x * factor, lambda upstream, variables=None: (upstream * 10.0, [tf.ones_like(v) * upstream])

    with tf.GradientTape() as tape:
        y = scaled(x)
    assert y.numpy() == 4.0 and tape.gradient(y, x).numpy() == 10.0
    with tf.GradientTape() as tape:
        y = tf.recompute_grad(lambda x: x * v[1])(x)
    by_x, by_v = tape.gradient(y, [x, v])
    assert by_x.numpy() == 2.0
    np.testing.assert_allclose(by_v, [0, 2, 0])
    with tf.autodiff.ForwardAccumulator(v, tf.constant([1.0, 0.0, 0.0])) as accumulator:
        y = v[0] * v[1]
    assert accumulator.jvp(y).numpy() == 2.0


def test_a_first_derivative_that_does_not_hang_on_a_source_has_none():
    w1, w2 = tf.Variable(5.0), tf.Variable(3.0)

    def hessian(call, *variables):
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape() as inner:
                y = call(*variables)
            first = inner.gradient(y, list(variables))
        rows = [outer.gradient(part, list(variables)) for part in first]
        return [[None if part is None else part.numpy().item() for part in row] for row in rows]

    for _ in range(3):
        assert hessian(lambda a, b: 3 * a**2 + 2 * a * b, w1, w2) == [[6, 2], [2, None]]
        assert hessian(lambda a: 3 * a, w1) == [[None]]
        assert hessian(lambda a, b: a + b * b, w1, w2) == [[None, None], [None, 2]]
        found = hessian(lambda a, b: tf.exp(a) * b, w1, w2)
        assert found[1][1] is None
        np.testing.assert_allclose([*found[0], found[1][0]], [3 * np.exp(5), np.exp(5), np.exp(5)], rtol=1e-5)
