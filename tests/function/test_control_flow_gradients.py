"""Derivatives through branches and loops: at once, traced, the tape inside or outside, first and second order."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.program.execute import on_numpy


def cond_(x):
    return tf.cond(x[0] > 0.0, lambda: x * x * x, lambda: -2.0 * x)


def switch(x):
    return tf.switch_case(tf.cast(x[0] * 2.0, tf.int32), [lambda: x, lambda: x**2, lambda: tf.sin(x)])


def case(x):
    return tf.case([(x[0] > 5.0, lambda: x), (x[0] > 0.4, lambda: tf.exp(x) * x[1])], default=lambda: x * 0.0)


def known_count(x):
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x + tf.sin(y)), (0, x), maximum_iterations=3)[1]


def open_count(x):
    return tf.while_loop(
        lambda i, y: tf.reduce_sum(y) < 20.0, lambda i, y: (i + 1, y * (x + 1.0) + tf.cast(i, x.dtype)), (0, x)
    )[1]


def nested_loops(x):
    def outer(i, y):
        inner = tf.while_loop(lambda j, z: j <= i, lambda j, z: (j + 1, z * x + 0.5), (0, y))[1]
        return i + 1, tf.where(inner > 50.0, y, inner)

    return tf.while_loop(lambda i, y: tf.reduce_sum(y) + tf.cast(i, x.dtype) < 6.0, outer, (0, x))[1]


def loop_in_branch(x):
    return tf.cond(x[0] > 0.0, lambda: open_count(x), lambda: x)


def branch_in_loop(x):
    def body(y):
        return [tf.cond(y[0] > 2.0, lambda: y * x[1] + 1.0, lambda: y + x * x)]

    return tf.while_loop(lambda y: tf.reduce_sum(y) < 15.0, body, [x])[0]


def array_in_loop(x):
    def body(i, y, array):
        return i + 1, y * x, array.write(i, y * y)

    array = tf.TensorArray(x.dtype, size=16, element_shape=[2])
    return tf.while_loop(lambda i, y, a: tf.reduce_sum(y) < 20.0, body, (0, x, array))[2].stack()


def array_read_in_loop(x):
    array = tf.TensorArray(x.dtype, size=5, element_shape=[2], clear_after_read=False).write(0, x)

    def body(i, array):
        return i + 1, array.write(i, array.read(i - 1) * x + 1.0)

    return tf.while_loop(lambda i, a: i < tf.cast(x[1] * 0.0, tf.int32) + 5, body, (1, array))[1].stack()


PROGRAMS = [
    cond_,
    switch,
    case,
    known_count,
    open_count,
    nested_loops,
    loop_in_branch,
    branch_in_loop,
    array_in_loop,
    array_read_in_loop,
]
X = np.array([0.7, 1.3])
WEIGHTS = np.array([1.0, -2.0])


def value(f, x):
    return float(tf.reduce_sum(f(tf.constant(x)) * tf.constant(WEIGHTS)))


def differences(f, x, h=1e-6):
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


def gradient_of(f):
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(f(x) * tf.constant(WEIGHTS))
        return tape.gradient(y, x)

    return slope


def traced(f, shape=(2,)):
    return tf.function(f, input_signature=[tf.TensorSpec(shape, tf.float64)])


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_first_derivatives(f):
    x = tf.constant(X)
    wanted = differences(lambda x: value(f, x), X)
    ways = {
        "eager": gradient_of(f),
        "tape outside": gradient_of(traced(f)),
        "tape inside": traced(gradient_of(f)),
    }
    for name, slope in ways.items():
        np.testing.assert_allclose(slope(x), wanted, rtol=1e-7, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_second_derivatives(f):
    x = tf.constant(X)
    slope = gradient_of(f)
    wanted = differences(lambda x: float(tf.reduce_sum(slope(tf.constant(x)) * tf.constant(WEIGHTS))), X)
    np.testing.assert_allclose(traced(gradient_of(slope))(x), wanted, rtol=1e-5, atol=1e-6)
    if f is open_count:
        np.testing.assert_allclose(gradient_of(traced(slope))(x), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("f", [open_count, nested_loops, branch_in_loop, array_in_loop, array_read_in_loop])
def test_they_are_compiled(f):
    slope = traced(gradient_of(f))
    slope(tf.constant(X))
    assert not on_numpy(slope.get_concrete_function().program)


def test_a_jacobian_of_a_loop():
    x = tf.constant(X)

    @tf.function
    def jacobian(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = open_count(x)
        return tape.jacobian(y, x)

    wanted = differences(lambda x: np.asarray(open_count(tf.constant(x))), X).T
    np.testing.assert_allclose(jacobian(x), wanted, rtol=1e-7)


def test_a_branch_that_is_not_taken_does_not_poison():
    x = tf.constant([0.0, 1.0], tf.float64)

    def f(x):
        return tf.cond(x[0] > 0.0, lambda: tf.sqrt(x) / x[0], lambda: x * 2.0)

    for slope in (gradient_of(traced(f)), traced(gradient_of(f))):
        np.testing.assert_array_equal(slope(x), 2.0 * WEIGHTS)


def test_zeros_for_what_the_branch_taken_does_not_touch_and_none_for_what_no_branch_does():
    x, y, z = (tf.Variable(value) for value in (2.0, 3.0, 4.0))

    @tf.function
    def f(flag):
        with tf.GradientTape() as tape:
            result = tf.cond(flag, lambda: x * x, lambda: y * 5.0)
        return tape.gradient(result, [x, y])

    by_x, by_y = f(tf.constant(True))
    assert (by_x.numpy(), by_y.numpy()) == (4.0, 0.0)
    with tf.GradientTape() as tape:
        result = tf.cond(tf.constant(True), lambda: x * x, lambda: y * 5.0)
    assert tape.gradient(result, z) is None


def test_gradients_stop_where_they_are_told_to():
    def f(x):
        def body(y):
            return [y * x + tf.stop_gradient(y * x)]

        return tf.while_loop(lambda y: tf.reduce_sum(y) < 30.0, body, [x + 1.0])[0]

    def by_hand(x):
        y, slope = x + 1.0, np.eye(2)
        while y.sum() < 30.0:
            slope = np.diag(x) @ slope + np.diag(y)
            y = y * x * 2.0
        return WEIGHTS @ slope

    for slope in (gradient_of(f), gradient_of(traced(f)), traced(gradient_of(f))):
        np.testing.assert_allclose(slope(tf.constant(X)), by_hand(X), rtol=1e-10)


def test_a_variable_that_rounds_assign_ends_the_derivative():
    w = tf.Variable(1.5, dtype=tf.float64)
    total = tf.Variable(0.0, dtype=tf.float64)

    @tf.function
    def f(limit):
        total.assign(w)
        with tf.GradientTape() as tape:
            tape.watch(w)
            total.assign(w * 1.0)
            while total < limit:
                total.assign(total * w)
            y = total * w
        return total + 0.0, tape.gradient(y, w)

    y, slope = f(tf.constant(20.0, tf.float64))
    rounds = 1
    while 1.5**rounds < 20.0:
        rounds += 1
    np.testing.assert_allclose(y, 1.5**rounds)
    np.testing.assert_allclose(slope, 1.5**rounds)
    assert total.numpy() == y.numpy()


def test_through_an_array_that_grows():
    def f(x, n):
        array, y = tf.TensorArray(tf.float64, size=0, dynamic_size=True), x
        for i in tf.range(n):
            y = y * x
            array = array.write(i, y)
        return tf.reduce_sum(array.stack())

    def inside(x, n, f=f):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x, n)
        return tape.gradient(y, x)

    x, n = tf.constant(2.0, tf.float64), tf.constant(3)
    # x**2 + x**3 + x**4
    wanted = 2 * 2 + 3 * 4 + 4 * 8
    for slope in (inside, tf.function(inside), lambda x, n: inside(x, n, tf.function(f))):
        assert slope(x, n).numpy() == wanted
