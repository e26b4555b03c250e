"""The parts of tf.nn that are made of other operations, against plain NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(11)
X = RNG.normal(size=(4, 6, 4, 8))
M = RNG.normal(size=(5, 7))


def close(found, right, **tolerance) -> None:
    np.testing.assert_allclose(found.numpy(), right, **{"rtol": 1e-6, "atol": 1e-9, **tolerance})


def test_space_goes_to_depth_and_back() -> None:
    right = np.stack([np.concatenate([x[i::2, j::2] for i in range(2) for j in range(2)], -1) for x in X])
    close(tf.nn.space_to_depth(X, 2), right)
    close(tf.nn.depth_to_space(right, 2), X)
    first = np.moveaxis(X, -1, 1)
    close(tf.nn.space_to_depth(first, 2, "NCHW"), np.moveaxis(right, -1, 1))
    close(tf.nn.depth_to_space(np.moveaxis(right, -1, 1), 2, "NCHW"), first)


def test_space_goes_to_the_batch_and_back() -> None:
    padded = np.pad(X, [(0, 0), (1, 1), (0, 2), (0, 0)])
    right = np.concatenate([padded[:, i::2, j::3] for i in range(2) for j in range(3)])
    close(tf.space_to_batch(X, [2, 3], [[1, 1], [0, 2]]), right)
    close(tf.batch_to_space(right, [2, 3], [[1, 1], [0, 2]]), X)


def test_sizes_that_are_known_when_it_runs() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 8], tf.float64)])
    def there_and_back(x):
        y = tf.nn.depth_to_space(tf.nn.space_to_depth(x, 2), 2)
        return y, tf.batch_to_space(tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]), [2, 2], [[0, 0], [0, 0]])

    for found in there_and_back(X):
        close(found, X)


def test_blocks_that_do_not_fit() -> None:
    for call in (
        lambda: tf.nn.space_to_depth(X, 4), lambda: tf.nn.depth_to_space(X, 3),
        lambda: tf.space_to_batch(X, [4, 4], [[0, 0], [0, 0]]), lambda: tf.batch_to_space(X, [3, 1], [[0, 0], [0, 0]]),
        lambda: tf.nn.space_to_depth(M, 2),
    ):  # fmt: skip
        with pytest.raises(tf.errors.InvalidArgumentError):
            call()


def test_moments_from_sums() -> None:
    count, total, squares, shift = tf.nn.sufficient_statistics(M, [0], shift=2.0)
    assert count.numpy() == 5
    mean, variance = tf.nn.normalize_moments(count, total, squares, shift)
    close(mean, M.mean(0))
    close(variance, M.var(0))
    traced = tf.function(lambda m: tf.nn.sufficient_statistics(m, [0])[0], input_signature=[tf.TensorSpec([None, 7])])
    assert traced(np.ones((3, 7), "f")).numpy() == 3
    weights = np.abs(M)
    mean, variance = tf.nn.weighted_moments(M, [0], weights)
    right = np.average(M, 0, weights)
    close(mean, right)
    close(variance, np.average((M - right) ** 2, 0, weights))
    assert tf.nn.weighted_moments(M, [0, 1], weights, keepdims=True)[0].shape == (1, 1)


def test_normalisation_by_neighbours_and_by_given_moments() -> None:
    right = np.zeros_like(X)
    for c in range(8):
        right[..., c] = X[..., c] / (1.5 + 0.3 * (X[..., max(c - 2, 0) : c + 3] ** 2).sum(-1)) ** 0.75
    close(tf.nn.lrn(X, 2, 1.5, 0.3, 0.75), right)
    mean, variance, beta, gamma = X[0, 0, 0], X[0, 0, 1] ** 2, X[0, 0, 2], X[0, 0, 3]
    plain = (X - mean) / np.sqrt(variance + 0.1)
    close(tf.nn.batch_norm_with_global_normalization(X, mean, variance, beta, gamma, 0.1, True), plain * gamma + beta)
    close(tf.nn.batch_norm_with_global_normalization(X, mean, variance, beta, gamma, 0.1, False), plain + beta)


def test_losses_of_rows() -> None:
    close(tf.nn.compute_average_loss(M), M.sum() / 5)
    close(tf.nn.compute_average_loss(M[0], M[1]), (M[0] * M[1]).sum() / 7)
    close(tf.nn.compute_average_loss(M, global_batch_size=20), M.sum() / 20)
    close(tf.nn.scale_regularization_loss(M), M.sum())
    with pytest.raises(ValueError, match="a scalar has no rows"):
        tf.nn.compute_average_loss(1.0)
    z = np.abs(M) * 2
    close(tf.nn.log_poisson_loss(z, M), np.exp(M) - z * M)
    stirling = np.where(z > 1, z * np.log(z) - z + 0.5 * np.log(2 * math.pi * z), 0)
    close(tf.nn.log_poisson_loss(z, M, compute_full_loss=True), np.exp(M) - z * M + stirling)


def test_small_ones() -> None:
    close(tf.nn.crelu(M, axis=0), np.maximum(np.concatenate([M, -M]), 0))
    values, at = tf.nn.approx_max_k(M, 2, reduction_dimension=0)
    close(values, -np.sort(-M, 0)[:2])
    close(at, np.argsort(-M, 0)[:2])
    close(tf.nn.approx_min_k(M, 2)[0], np.sort(M)[:, :2])
    close(tf.nn.isotonic_regression(M, axis=0)[0], tf.nn.isotonic_regression(M.T)[0].numpy().T)
