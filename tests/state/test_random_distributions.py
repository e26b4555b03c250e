"""Draws of gamma and Poisson distributions have these distributions; seeds made of seeds are others."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import tensorsmith as tf

COUNT = 20_000


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.5, 80.0])
def test_gamma_is_gamma(alpha: float) -> None:
    drawn = tf.random.stateless_gamma([COUNT], [1, 2], alpha, 2.0, dtype=tf.float64).numpy()
    # the seed is fixed: chance decides once
    assert scipy.stats.kstest(drawn, scipy.stats.gamma(alpha, scale=0.5).cdf).pvalue > 1e-3


@pytest.mark.parametrize("mean", [0.3, 4.0, 9.9, 10.0, 25.0, 1e4])
def test_poisson_is_poisson(mean: float) -> None:
    drawn = tf.random.stateless_poisson([COUNT], [3, 4], mean).numpy()
    law = scipy.stats.poisson(mean)
    edges = np.unique(law.ppf(np.linspace(0, 1, 21)[1:-1]))
    parts = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    seen = np.bincount(np.searchsorted(edges, drawn), minlength=len(parts))
    assert scipy.stats.chisquare(seen, parts * COUNT).pvalue > 1e-3


def test_shapes_of_the_parameters_follow() -> None:
    assert tf.random.gamma([2, 3], [[1.0], [2.0]], [1.0, 2.0, 3.0]).shape == (2, 3, 2, 3)
    assert tf.random.poisson([4], [1.0, 2.0], dtype=tf.int64).shape == (4, 2)
    assert tf.random.gamma(tf.constant([3]), 1.0, dtype=tf.float16).dtype == tf.float16
    with pytest.raises(ValueError, match="dtype must be a float, not int32"):
        tf.random.gamma([1], 1.0, dtype=tf.int32)
    assert np.isnan(tf.random.stateless_gamma([1], [1, 2], -0.1)).all()


def test_compiled_draws_are_the_same() -> None:
    def draw() -> tuple[tf.Tensor, ...]:
        return tf.random.gamma([50], [0.5, 5.0]), tf.random.poisson([50], [2.0, 30.0], dtype=tf.int32)

    tf.random.set_seed(5)
    at_once = draw()
    tf.random.set_seed(5)
    compiled = tf.function(draw)()
    np.testing.assert_allclose(at_once[0], compiled[0], rtol=1e-5)
    np.testing.assert_array_equal(at_once[1], compiled[1])


def test_the_rate_has_a_derivative() -> None:
    rate = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(rate)
        drawn = tf.random.stateless_gamma([3], [1, 2], 2.0, rate)
        total = tf.reduce_sum(drawn)
    np.testing.assert_allclose(tape.gradient(total, rate), -total.numpy() / 2, rtol=1e-5)


def test_seeds_of_a_seed() -> None:
    seed = tf.constant([7, 8])
    new = tf.random.split(seed, 100)
    folded = tf.stack([tf.random.fold_in(seed, i) for i in range(100)])
    assert new.dtype == folded.dtype == tf.int32
    rows = {tuple(row) for row in np.concatenate([new, folded]).tolist()}
    assert len(rows) == 200
    np.testing.assert_array_equal(tf.random.fold_in(seed, 3), tf.function(tf.random.fold_in)(seed, tf.constant(3)))
    np.testing.assert_array_equal(tf.random.experimental.stateless_split(seed, 2), tf.random.split(seed, 2))


def test_a_state_for_a_generator() -> None:
    state = tf.random.create_rng_state(5, tf.random.Algorithm.PHILOX)
    made = tf.random.Generator.from_state(state, alg="philox").normal([3])
    np.testing.assert_array_equal(made, tf.random.Generator.from_seed(5).normal([3]))
