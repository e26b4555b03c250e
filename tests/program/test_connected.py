"""What a derivative of a derivative is none by: the same in a program as with single operations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tensorsmith as tf

# a function of x and y, and which of its second derivatives are none: x by x, x by y, y by x, y by y
CASES: dict[str, tuple[Callable, str]] = {
    "sum": (lambda x, y: x * x * x + 2.0 * y, "xy yx yy"),
    "product": (lambda x, y: x * y, "xx yy"),
    "square and product": (lambda x, y: 3 * x**2 + 2 * x * y, "yy"),
    "one after the other": (lambda x, y: tf.sin(x * y) + y, ""),
    "matrices": (
        lambda x, y: tf.reduce_sum(tf.matmul(tf.reshape(x, (1, 1)), tf.reshape(y, (1, 1)))) + y * y, "xx",
    ),
    "relu": (lambda x, y: tf.nn.relu(x) * y + tf.exp(x), "yy"),
    "stopped": (lambda x, y: tf.stop_gradient(y * y) * x * x, "xy yx yy"),
}  # fmt: skip


def seconds(function: Callable) -> Callable:
    def hessian(x, y):
        with tf.GradientTape(persistent=True) as outer:
            outer.watch([x, y])
            with tf.GradientTape() as inner:
                inner.watch([x, y])
                z = function(x, y)
            slopes = inner.gradient(z, [x, y])
        return [None if slope is None else outer.gradient(slope, [x, y]) for slope in slopes]

    return hessian


@pytest.mark.parametrize("name", CASES)
def test_a_program_knows_which_second_derivatives_there_are(name: str) -> None:
    x, y = tf.constant(0.5), tf.constant(-1.5)
    function, none = CASES[name]
    hessian = seconds(function)
    eager, traced = hessian(x, y), tf.function(hessian)(x, y)
    for first, row, same in zip("xy", eager, traced):
        for second, slope, other in zip("xy", row or [None] * 2, same or [None] * 2, strict=True):
            assert (slope is None) == (other is None) == (first + second in none.split())
            if slope is not None:
                np.testing.assert_allclose(slope.numpy(), other.numpy(), rtol=1e-6)


def test_sizes_that_are_not_known_change_nothing() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([None])])
    def penalty(x, bias):
        with tf.GradientTape() as outer:
            outer.watch([x, bias])
            with tf.GradientTape() as inner:
                inner.watch(x)
                z = tf.reduce_sum(tf.concat([x, x], 0) ** 3) + tf.reduce_sum(bias)
            norm = tf.reduce_sum(inner.gradient(z, x) ** 2)
        slope, nothing = outer.gradient(norm, [x, bias])
        assert nothing is None
        return slope

    x = np.array([[1.0, -2.0, 0.5], [2.0, 0.0, 3.0]], np.float32)
    # the square of 6 x**2, derived: 2 * 6 x**2 * 12 x
    np.testing.assert_allclose(penalty(x, np.ones(4, np.float32)).numpy(), 144 * x**3, rtol=1e-6)
