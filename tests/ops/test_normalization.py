"""Norms, and what is divided by them."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_norms() -> None:
    x = np.array([[3.0, 4.0], [0.0, 5.0]])
    assert tf.norm(x).numpy() == pytest.approx(np.sqrt(50))
    assert tf.norm(x, axis=1).numpy().tolist() == [5, 5]
    assert tf.norm(x, ord=1, axis=[0]).numpy().tolist() == [3, 9]
    assert tf.norm(x, ord=np.inf, axis=-1, keepdims=True).shape == (2, 1)
    assert tf.norm(x, ord=np.inf, axis=(0, 1)).numpy() == 7
    assert tf.norm(x, ord="fro", axis=[0, 1]).numpy() == pytest.approx(np.sqrt(50))
    assert tf.linalg.normalize(x, axis=1)[0].numpy().tolist() == [[0.6, 0.8], [0, 1]]


def test_clipping_by_norms() -> None:
    assert tf.clip_by_norm([3.0, 4.0], 10.0).numpy().tolist() == [3, 4]
    np.testing.assert_allclose(tf.clip_by_norm([3.0, 4.0], 2.5).numpy(), [1.5, 2])
    assert tf.clip_by_norm([0.0, 0.0], 1.0).numpy().tolist() == [0, 0]
    clipped, size = tf.clip_by_global_norm([tf.constant([3.0]), None, tf.constant([4.0])], 2.5)
    assert size.numpy() == 5
    assert clipped[1] is None
    assert [c.numpy().item() for c in (clipped[0], clipped[2])] == [1.5, 2]
    assert np.isnan(tf.clip_by_global_norm([[float("inf")]], 1.0)[0][0].numpy())


def test_the_gradient_of_a_clipped_zero_is_finite() -> None:
    v = tf.Variable([0.0, 0.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.clip_by_norm(v, 1.0))
    assert np.isfinite(tape.gradient(y, v).numpy()).all()


def test_batch_normalization_centres_and_scales() -> None:
    x = tf.constant(np.random.default_rng(0).normal(3, 2, (50, 4)))
    mean, variance = tf.nn.moments(x, [0])
    y = tf.nn.batch_normalization(x, mean, variance, offset=None, scale=None, variance_epsilon=0.0)
    np.testing.assert_allclose(y.numpy().mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(y.numpy().std(0), 1, rtol=1e-12)
    shifted = tf.nn.batch_normalization(x, mean, variance, np.ones(4), 2 * np.ones(4), 0.0)
    np.testing.assert_allclose(shifted.numpy(), 2 * y.numpy() + 1, rtol=1e-9)


def test_zeros_have_a_fraction_and_a_direction() -> None:
    assert tf.math.zero_fraction([0.0, 1.0]).numpy() == 0.5
    assert tf.math.l2_normalize([0.0, 0.0]).numpy().tolist() == [0, 0]
