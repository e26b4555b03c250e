"""Special functions where the sweep does not look: derivatives by one argument, the ends of their domains."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.ops.special import special

NAN, INF = float("nan"), float("inf")


def slope(function, *values, at):
    """The tape's derivative by argument number `at` and the central difference, in float64."""
    tensors = [tf.constant(value, tf.float64) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    moved = [
        function(*[t + sign * 1e-5 if i == at else t for i, t in enumerate(tensors)]).numpy() for sign in (1.0, -1.0)
    ]
    return tape.gradient(result, tensors), (moved[0] - moved[1]) / 2e-5


@pytest.mark.parametrize(
    ("function", "values", "at"),
    [
        (tf.math.betainc, (1.5, 2.5, 0.3), 2),
        (tf.math.zeta, (3.0, 1.7), 1),
        (tf.math.polygamma, (2.0, 1.7), 1),
        (tf.math.polygamma, (0.0, 1.7), 1),
        (tf.math.special.spence, (1.0 + 1e-9,), 0),
    ],
)
def test_the_derivative_by_the_last_argument_alone(function, values, at) -> None:
    gradients, difference = slope(function, *values, at=at)
    assert gradients[:at] == [None] * at
    np.testing.assert_allclose(gradients[at], difference, rtol=1e-6)


def test_beyond_their_domains() -> None:
    x = tf.constant([-1.0, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(tf.math.igamma(0.0, x), [NAN] * 4)
    np.testing.assert_array_equal(tf.math.igammac(-1.0, x), [NAN] * 4)
    np.testing.assert_array_equal(tf.math.betainc(1.0, 1.0, x), [NAN, 0.0, 1.0, NAN])
    np.testing.assert_array_equal(tf.math.zeta(1.0, x), [INF] * 4)
    np.testing.assert_array_equal(tf.math.polygamma(0.5, x), [NAN] * 4)
    np.testing.assert_array_equal(tf.math.erfcinv(x), [NAN, INF, 0.0, -INF])
    np.testing.assert_array_equal(tf.math.special.expint(x)[:2], [NAN, -INF])


def test_tiny_values_keep_their_digits() -> None:
    # 1 - igamma would be 0, erfinv(1 - x) infinite
    np.testing.assert_allclose(tf.math.igammac(1.0, 80.0), np.exp(-80.0), rtol=1e-5)
    np.testing.assert_allclose(
        special(np).erfc(tf.math.erfcinv(tf.constant(1e-30, tf.float64)).numpy()), 1e-30, rtol=1e-8
    )


def test_lbeta_of_nothing_is_minus_infinity() -> None:
    np.testing.assert_array_equal(tf.math.lbeta(tf.zeros([2, 0])), [-INF, -INF])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_neighbour_of_a_float(dtype) -> None:
    x = tf.constant([1.0, 1.0, 0.0, 2.0], dtype)
    to = tf.constant([2.0, 0.0, 1.0, 2.0], dtype)
    found = tf.math.nextafter(x, to).numpy()
    step = np.finfo(dtype)
    np.testing.assert_array_equal(found, np.array([1 + step.eps, 1 - step.epsneg, step.smallest_subnormal, 2], dtype))


def test_the_middle_of_the_cube_comes_first() -> None:
    points = tf.math.sobol_sample(3, 64, dtype=tf.float64).numpy()
    np.testing.assert_array_equal(points[0], [0.5] * 3)
    np.testing.assert_array_equal(tf.math.sobol_sample(3, 4, skip=5, dtype="float64"), points[5:9])
    # with the corner 0, each 64th of each axis holds one of 64 points
    for axis in points[:63].T:
        assert sorted((axis * 64).astype(int)) == list(range(1, 64))
    with pytest.raises(tf.errors.InvalidArgumentError, match="dim and num_results at least 1, skip at least 0"):
        tf.math.sobol_sample(0, 4)
    with pytest.raises(ValueError, match="dtype must be a float, not int32"):
        tf.math.sobol_sample(1, 4, dtype=tf.int32)
