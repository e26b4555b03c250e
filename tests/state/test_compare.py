"""tf.test.compute_gradient: the tape beside central differences."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_both_are_the_jacobians_by_each_argument():
    a, b = np.array([1.0, 2.0]), np.array([[3.0, 4.0]])
    theoretical, numerical = tf.test.compute_gradient(lambda x, y: x * y, [tf.constant(a), b], delta=1e-3)
    for found in (theoretical, numerical):
        np.testing.assert_allclose(found[0], np.diag(b[0]), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found[1], np.diag(a), rtol=1e-9, atol=1e-9)


def test_a_wrong_derivative_shows():
    @tf.custom_gradient
    def wrong(x):
        return x * x, lambda upstream: upstream

    (theoretical,), (numerical,) = tf.test.compute_gradient(wrong, [tf.constant(3.0, tf.float64)])
    assert theoretical.tolist() == [[1.0]]
    np.testing.assert_allclose(numerical, [[6.0]])


def test_complex_values_have_two_rows_and_columns():
    (theoretical,), (numerical,) = tf.test.compute_gradient(lambda z: z * z, [tf.constant([1 + 2j], tf.complex128)])
    # dz = 2z dx: of the real and of the imaginary part
    expected = [[2.0, -4.0], [4.0, 2.0]]
    assert theoretical.tolist() == expected
    np.testing.assert_allclose(numerical, expected)


def test_unconnected_arguments_have_zeros():
    (by_x,), _ = tf.test.compute_gradient(lambda x: tf.stop_gradient(x) * 2.0, [tf.constant([1.0, 2.0])])
    assert by_x.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_errors_say_what_to_do():
    with pytest.raises(ValueError) as caught:
        tf.test.compute_gradient(tf.square, tf.constant(1.0))
    assert str(caught.value) == (
        "compute_gradient: x must be a list of the arguments of f, not Tensor. Give [x] for a function of one argument."
    )
    with pytest.raises(TypeError) as wrong:
        tf.test.compute_gradient(tf.square, [tf.constant(1)])
    assert str(wrong.value) == "compute_gradient: an argument is not of floats (dtype=int32)."
