"""recompute_grad: the same values and derivatives, with less to keep."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

X, W = 2.0, 5.0


@pytest.fixture(params=["at once", "in a function"])
def run(request):
    return (lambda f: f()) if request.param == "at once" else (lambda f: tf.function(f)())


def test_values_gradients_and_variables(run):
    x, w = tf.Variable(X), tf.Variable(W)
    f = tf.recompute_grad(lambda v: tf.sin(v * w))
    watched = []

    def g():
        with tf.GradientTape() as tape:
            y = f(x)
        watched.append(len(tape.watched_variables()))
        return y, *tape.gradient(y, [x, w])

    y, by_x, by_w = run(g)
    np.testing.assert_allclose([y, by_x, by_w], [np.sin(X * W), W * np.cos(X * W), X * np.cos(X * W)], rtol=1e-5)
    assert set(watched) == {2}


def test_second_derivatives(run):
    x, w = tf.Variable(X, dtype=tf.float64), tf.Variable(W, dtype=tf.float64)
    f = tf.recompute_grad(lambda v: tf.sin(v * w))

    def g():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = f(x)
            slope = inner.gradient(y, x)
        return outer.gradient(slope, [x, w])

    expected = [-W * W * np.sin(X * W), np.cos(X * W) - X * W * np.sin(X * W)]
    np.testing.assert_allclose(run(g), expected)


def test_a_tape_keeps_one_call_however_deep_the_function_is():
    def deep(x):
        for _ in range(20):
            x = tf.tanh(x)
        return {"last": x, "parts": [x * 2.0, 1.0 * x]}

    x = tf.Variable([0.3, 0.4])
    with tf.GradientTape(persistent=True) as plain:
        expected = deep(x)
    with tf.GradientTape(persistent=True) as tape:
        found = tf.recompute_grad(deep)(x)
    assert [op.name for op, *_ in tape._calls] == ["recompute"]
    assert found["last"].numpy().tolist() == expected["last"].numpy().tolist()
    for a, b in zip(
        (tape.gradient(found, x), tape.gradient(found["parts"][0], x)),
        (plain.gradient(expected, x), plain.gradient(expected["parts"][0], x)),
        strict=True,
    ):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


def test_python_decides_by_values_at_once():
    @tf.recompute_grad
    def f(x, factor=1.0):
        return x * x * factor if x > 0 else x

    for value, slope in ((3.0, 12.0), (-3.0, 1.0)):
        with tf.GradientTape() as tape:
            x = tf.Variable(value)
            y = f(x, factor=2.0)
        assert tape.gradient(y, x).numpy() == slope


def test_slices_of_variables_and_values_from_around_it(run):
    w, scale = tf.Variable([1.0, 2.0]), tf.Variable(3.0)

    def g():
        with tf.GradientTape() as tape:
            around = scale * 2.0
            y = tf.recompute_grad(lambda: tf.square(w[1]) * around)()
        return tape.gradient(y, [w, scale])

    by_w, by_scale = run(g)
    assert by_w.numpy().tolist() == [0.0, 2 * 2.0 * 6.0]
    assert by_scale.numpy() == 4.0 * 2.0


def test_without_a_tape_it_is_the_function():
    assert tf.recompute_grad(lambda x: x + 1.0)(tf.constant(1.0)).numpy() == 2.0


def test_assigning_is_refused_in_a_function():
    v = tf.Variable(1.0, name="v")

    def count(x):
        v.assign_add(1.0)
        return x * v

    with pytest.raises(ValueError) as caught:
        tf.function(lambda x: tf.recompute_grad(count)(x))(tf.constant(1.0))
    assert str(caught.value) == (
        "recompute_grad of count: it assigns to variables, which would be done twice (variables=['v:0']). Return the new "
        "values, and assign them outside of it."
    )
