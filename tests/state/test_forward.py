"""ForwardAccumulator: tangents, alone, nested, and over gradients."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(5)
Forward = tf.autodiff.ForwardAccumulator


@pytest.fixture(params=["at once", "in a function"])
def run(request):
    return (lambda f: f()) if request.param == "at once" else (lambda f: tf.function(f)())


def test_a_tangent_is_the_jacobian_times_the_speed(run):
    x, m = tf.Variable(RNG.normal(size=(3, 2))), tf.constant(RNG.normal(size=(2, 4)))
    speed = RNG.normal(size=(3, 2))

    def f():
        with Forward(x, tf.constant(speed)) as acc, tf.GradientTape() as tape:
            y = tf.tanh(x @ m) * tf.reduce_sum(x)
        return acc.jvp(y), tape.jacobian(y, x)

    tangent, jacobian = run(f)
    np.testing.assert_allclose(tangent.numpy(), np.tensordot(jacobian.numpy(), speed, 2), rtol=1e-12)


def test_structures_variables_and_what_does_not_move(run):
    x, w, other = tf.Variable(2.0), tf.Variable(5.0), tf.Variable([1.0, 2.0])

    def f():
        with Forward({"a": x, "b": [w]}, {"a": 1.0, "b": [10.0]}) as acc:
            y = x * w
            z = other * 1.0
        answer = acc.jvp([y, {"x": x, "z": z}])
        return answer, acc.jvp(z, unconnected_gradients=tf.UnconnectedGradients.ZERO), acc.jvp(z) is None

    (y, rest), zeros, nothing = run(f)
    assert y.numpy() == 5.0 + 2.0 * 10.0
    assert rest["x"].numpy() == 1.0
    assert rest["z"] is None and nothing
    assert zeros.numpy().tolist() == [0.0, 0.0]


def test_only_what_is_computed_inside_moves(run):
    x = tf.Variable(2.0)

    def f():
        acc = Forward(x, tf.constant(1.0))
        before = x * x
        with acc:
            y = x * x * x
            asked = acc.jvp(y)
            z = y * asked
        return acc.jvp(y), acc.jvp(z), acc.jvp(before)

    y, z, before = run(f)
    # what it gave is a number to it
    assert (y.numpy(), z.numpy(), before) == (12.0, 12.0 * 12.0, None)


def test_second_derivatives_in_every_order(run):
    x = tf.Variable(2.0)
    one = tf.constant(1.0)

    def nested():
        with Forward(x, one) as outer:
            with Forward(x, one) as inner:
                y = x**4
            first = inner.jvp(y)
        return outer.jvp(first)

    def over_backward():
        with Forward(x, one) as acc:
            with tf.GradientTape() as tape:
                y = x**4
            slope = tape.gradient(y, x)
        return acc.jvp(slope)

    def under_backward():
        with tf.GradientTape() as tape:
            with Forward(x, one) as acc:
                y = x**4
            slope = acc.jvp(y)
        return tape.gradient(slope, x)

    assert [run(f).numpy() for f in (nested, over_backward, under_backward)] == [12 * 4.0] * 3


def test_a_hessian_times_a_vector():
    x, v = tf.constant(RNG.normal(size=4)), RNG.normal(size=4)
    with Forward(x, tf.constant(v)) as acc:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_prod(x)
        slope = tape.gradient(y, x)
    a = x.numpy()
    hessian = np.array([[0 if i == j else a.prod() / a[i] / a[j] for j in range(4)] for i in range(4)])
    np.testing.assert_allclose(acc.jvp(slope).numpy(), hessian @ v)


def test_loops_and_calls_of_functions_move_too():
    w = tf.Variable(3.0)

    @tf.function
    def power(x, n):
        while n > 0:
            x, n = x * w, n - 1
        return x

    x = tf.constant(2.0)
    with Forward([x, w], [tf.constant(1.0), tf.constant(10.0)]) as acc:
        y = power(x, tf.constant(3))
    assert acc.jvp(y).numpy() == pytest.approx(27.0 + 10.0 * 2.0 * 3 * 9.0)


def test_loops_that_have_no_gradient_backwards_compiled_have_one_forwards():
    x = tf.constant(1.5)
    with Forward(x, tf.constant(1.0)) as acc:
        y = tf.while_loop(lambda v: v < 100.0, lambda v: [v * v], [x * 1.0])[0]
    assert acc.jvp(y).numpy() == pytest.approx(16 * 1.5**15)


def test_integers_do_not_move():
    i = tf.constant(3)
    with pytest.warns(UserWarning, match="a primal must be floating") as caught:
        acc = Forward(i, i)
    assert str(caught[0].message) == "ForwardAccumulator: a primal must be floating (e.g. tf.float32), not int32."
    with acc:
        y = i * i
    assert acc.jvp(y) is None


def test_errors_say_what_to_do():
    x = tf.constant([1.0, 2.0])
    cases = [
        (
            lambda: Forward(3.0, 1.0),
            "ForwardAccumulator: a primal must be a tensor or a variable, not float (given=3.0). Make it a tensor first, "
            "and compute with that tensor: x = tf.constant(...).",
        ),
        (
            lambda: Forward([x, x], [x, x]),
            "ForwardAccumulator: a primal was given twice (primal=tf.Tensor([1. 2.], shape=(2,), dtype=float32)). Give it "
            "once, with the sum of the tangents.",
        ),
        (
            lambda: Forward(x, tf.ones(3)),
            "ForwardAccumulator: a tangent does not fit its primal (primal=float32(2,), tangent=float32(3,)); dtype and "
            "shape must be equal.",
        ),
        (
            lambda: Forward([x], [x, x]),
            "ForwardAccumulator: primals and tangents have different structures (primals=1, tangents=2).",
        ),
    ]
    for ask, text in cases:
        with pytest.raises(ValueError) as caught:
            ask()
        assert str(caught.value) == text
    with Forward(x, x) as acc, pytest.raises(ValueError, match="already recording"), acc:
        pass
