"""Loops of unknown length: their derivatives of both orders against plain Python loops, and how much they keep."""

from __future__ import annotations

import functools
import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorsmith as tf
from tensorsmith.program.execute import guard, jax

reverse_loop = importlib.import_module("tensorsmith.function.reverse_loop")


def step(values, fixed):
    number, x, y = values
    (w,) = fixed
    return [number + 1, x * w + jax().numpy.sin(y) * 0.1, y * 0.9 + x * w * w * 0.2]


def looped(rounds, x, w):
    first = [jax().numpy.asarray(0, np.int32), x, x * 0.5]

    def test(values, fixed):
        return values[0] < fixed[1]

    _, x, y = reverse_loop.reversible(test, lambda values, fixed: step(values, fixed[:1]), first, [w, rounds])
    return x * y


def in_python(rounds, x, w):
    y = x * 0.5
    for number in range(rounds):
        _, x, y = step([number, x, y], [w])
    return x * y


@pytest.fixture
def small_ring(monkeypatch):
    """Few checkpoints, so that short loops fill them several times."""

    def make(slots, spare):
        monkeypatch.setattr(reverse_loop, "SLOTS", slots)
        monkeypatch.setattr(reverse_loop, "SPARE", spare)
        monkeypatch.setattr(reverse_loop, "FEWEST", 1)

    return make


X, W = np.float64(0.7), np.float64(0.95)


@pytest.mark.parametrize(("slots", "spare"), [(1, 1), (2, 1), (3, 2), (4, 3), (64, 32)])
def test_gradients_around_the_ends_of_the_ring(small_ring, slots, spare):
    small_ring(slots, spare)
    with guard():
        module = jax()
        both = module.jit(module.value_and_grad(looped, (1, 2)))
        for rounds in (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33):
            value, slopes = both(np.int32(rounds), X, W)
            np.testing.assert_allclose(value, in_python(rounds, X, W), rtol=1e-12)
            np.testing.assert_allclose(slopes, by_hand(rounds, X, W), rtol=1e-10)


@settings(max_examples=30, deadline=None)
# above 1 the values grow without end, and the sine of a large number hangs on its last digit
@given(st.integers(0, 500), st.floats(-1, 1), st.floats(0.5, 1))
def test_gradients_of_any_number_of_rounds(rounds, x, w):
    with guard():
        slopes = gradient()(np.int32(rounds), np.float64(x), np.float64(w))
        np.testing.assert_allclose(slopes, by_hand(rounds, x, w), rtol=1e-6, atol=1e-12)


@functools.cache
def gradient():
    # one program for all numbers of rounds: the number is an argument
    return jax().jit(jax().grad(looped, (1, 2)))


def by_hand(rounds, x, w):
    """The gradient of x * y by x and w: forward derivatives, carried beside the values."""
    y, xs, ys = x * 0.5, np.array([1.0, 0.0]), np.array([0.5, 0.0])
    by_w = np.array([0.0, 1.0])
    for _ in range(rounds):
        new_xs = xs * w + x * by_w + np.cos(y) * 0.1 * ys
        new_ys = ys * 0.9 + xs * w * w * 0.2 + x * 2 * w * by_w * 0.2
        x, y = x * w + np.sin(y) * 0.1, y * 0.9 + x * w * w * 0.2
        xs, ys = new_xs, new_ys
    return xs * y + x * ys


def test_second_and_third_derivatives(small_ring):
    small_ring(3, 2)
    module = jax()
    with guard():
        second = module.jit(module.grad(lambda *a: module.grad(looped, 2)(*a), (1, 2)))
        third = module.jit(module.grad(lambda *a: module.grad(lambda *b: module.grad(looped, 2)(*b), 2)(*a), 2))
        h = 1e-5
        for rounds in (0, 1, 2, 6, 11):
            # central differences of the derivative of one order less
            by_x = (by_hand(rounds, X + h, W)[1] - by_hand(rounds, X - h, W)[1]) / (2 * h)
            by_w = (by_hand(rounds, X, W + h)[1] - by_hand(rounds, X, W - h)[1]) / (2 * h)
            np.testing.assert_allclose(second(np.int32(rounds), X, W), [by_x, by_w], rtol=1e-7, atol=1e-9)
            more, less = (second(np.int32(rounds), X, W + d)[1] for d in (h, -h))
            np.testing.assert_allclose(third(np.int32(rounds), X, W), (more - less) / (2 * h), rtol=1e-7, atol=1e-9)


def residual_sizes(count, width, slots=None):
    module = jax()

    def f(x, w, rounds):
        first = [module.numpy.asarray(0, np.int32), x]
        return reverse_loop.reversible(
            lambda values, fixed: values[0] < fixed[1],
            lambda values, fixed: [values[0] + 1, module.numpy.tanh(values[1] * fixed[0])],
            first,
            [w, rounds],
        )[1]

    with guard():
        _, kept = module.eval_shape(
            lambda x, w: module.vjp(lambda x, w: f(x, w, np.int32(count)), x, w), np.zeros(width), np.zeros(())
        )
        return sum(leaf.size for leaf in module.tree.leaves(kept))


def test_what_is_kept_does_not_grow_with_the_rounds():
    assert residual_sizes(10, 100) == residual_sizes(10_000_000, 100)
    assert residual_sizes(10, 100) < (reverse_loop.SLOTS + reverse_loop.SPARE + 4) * (100 + 4)


def test_fewer_states_are_kept_where_they_are_large(monkeypatch):
    # eight checkpoints and the spare slots, whatever they take: less would run everything again and again
    monkeypatch.setattr(reverse_loop, "ROOM_BYTES", 1000)
    few = reverse_loop.FEWEST + reverse_loop.SPARE + 1
    assert few * 100 <= residual_sizes(10, 100) < (few + 4) * (100 + 4)


def test_an_array_that_rounds_write_and_never_read_is_not_kept():
    module = jax()

    def f(x, rounds):
        jnp = module.numpy
        first = [jnp.asarray(0, np.int32), x, jnp.zeros(1000)]

        def one(values, fixed):
            number, x, written = values
            return [number + 1, jnp.tanh(x), written.at[number].set(x)]

        return reverse_loop.reversible(lambda values, fixed: values[0] < fixed[0], one, first, [rounds])[2]

    with guard():
        _, kept = module.eval_shape(lambda x: module.vjp(lambda x: f(x, np.int32(5)), x), np.zeros(()))
        # the first value of the array is kept, its checkpoints are not
        assert sum(leaf.size for leaf in module.tree.leaves(kept)) < 1000 + 10 * (
            reverse_loop.SLOTS + reverse_loop.SPARE
        )
        written, pull = module.vjp(lambda x: f(x, np.int32(5)), np.float64(0.3))
        x, slopes = 0.3, []
        for _ in range(5):
            slopes.append(slopes[-1] if slopes else 1.0)
            slopes[-1] = slopes[-1] if len(slopes) == 1 else slopes[-1] * (1 - np.tanh(x) ** 2)
            x = x if len(slopes) == 1 else np.tanh(x)
        np.testing.assert_allclose(pull(module.numpy.ones(1000))[0], sum(slopes), rtol=1e-10)
        assert written[5] == 0


def test_a_value_that_nobody_wants_does_not_poison_the_others():
    # sqrt has an infinite slope at 0; its result is carried, and nobody asks for it
    def f(x):
        return tf.while_loop(
            lambda i, y, z: i < tf.cast(x, tf.int32), lambda i, y, z: (i + 1, y * x, tf.sqrt(y - y)), [0, x, x]
        )[1]

    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = tf.function(f)(x)
    assert y.numpy() == 81.0 and tape.gradient(y, x).numpy() == 4 * 27.0
