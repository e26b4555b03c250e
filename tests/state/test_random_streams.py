"""What set_seed promises of draws at once and in traced functions; binomial draws and cut normal ones."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import tensorsmith as tf

COUNT = 20_000


def pair(**seed: int) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.random.uniform([2], **seed), tf.random.uniform([2], **seed)


def named(*draws) -> list[int]:
    """Which of the draws are alike, as numbers in order of appearance."""
    seen: dict[bytes, int] = {}
    return [seen.setdefault(d.numpy().tobytes(), len(seen)) for d in draws]


def test_functions_are_programs_of_their_own() -> None:
    tf.random.set_seed(1234)
    f, g = tf.function(pair), tf.function(pair)
    assert named(*f(), *g(), *f(), *g()) == [0, 1, 0, 1, 2, 3, 2, 3]
    first = f()
    tf.random.set_seed(1234)
    assert named(*f(), *g(), *first) == [0, 1, 0, 1, 2, 3]


def test_each_draw_with_a_seed_has_a_stream_in_a_function_and_one_in_all_at_once() -> None:
    tf.random.set_seed(1234)
    f = tf.function(lambda: pair(seed=1))
    assert named(*f(), *f()) == [0, 0, 1, 1]
    tf.random.set_seed(1234)
    assert named(*pair(seed=1), *f(), *pair(seed=1)) == [0, 1, 0, 0, 2, 3]
    assert named(*pair(seed=1), *pair(seed=2)) == [0, 1, 2, 3]


def test_every_trace_begins_anew() -> None:
    tf.random.set_seed(7)
    f = tf.function(lambda x: tf.random.normal([2]))
    assert named(f(1), f(2), f(1), f(2)) == [0, 0, 1, 1]


def test_rounds_of_a_loop_draw_other_numbers() -> None:
    @tf.function
    def rows(seed):
        found = tf.TensorArray(tf.float32, 3)
        for at in tf.range(3):
            found = found.write(at, tf.random.uniform([1], seed=seed))
        return found.stack()

    tf.random.set_seed(7)
    for seed in (None, 5):
        both = np.concatenate([rows(seed), rows(seed)]).ravel()
        assert len(set(both.tolist())) == 6


def test_without_a_global_seed_functions_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorsmith.state import random_generator

    monkeypatch.setattr(random_generator, "_global_seed", None)
    assert named(*tf.function(pair)(), *tf.function(pair)()) == [0, 1, 2, 3]


def test_the_seed_of_the_trace_counts() -> None:
    tf.random.set_seed(1)
    f = tf.function(lambda: tf.random.uniform([2], seed=3))
    first = f()
    tf.random.set_seed(2)
    assert named(first, f(), tf.random.uniform([2], seed=3)) == [0, 0, 1]


def test_draws_at_once_equal_compiled_ones() -> None:
    tf.random.set_seed(5)
    at_once = pair()
    tf.random.set_seed(5)
    assert named(*at_once, *tf.function(pair)()) == [0, 1, 0, 1]


@pytest.mark.parametrize(("n", "p"), [(3, 0.3), (40, 0.2), (60, 0.9), (1000, 0.5), (10**6, 0.01), (9, 0.97)])
def test_binomial_is_binomial(n: int, p: float) -> None:
    drawn = tf.random.stateless_binomial([COUNT], [3, 4], float(n), p).numpy()
    law = scipy.stats.binom(n, p)
    edges = np.unique(law.ppf(np.linspace(0, 1, 21)[1:-1]))
    parts = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    keep = parts > 1e-4
    seen = np.bincount(np.searchsorted(edges, drawn), minlength=len(parts))
    expected = parts[keep] / parts[keep].sum() * seen[keep].sum()
    # the seed is fixed: chance decides once
    assert scipy.stats.chisquare(seen[keep], expected).pvalue > 1e-3


@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (1.5, 9.0), (-np.inf, -2.0), (45.0, 46.0), (-0.1, 60.0)])
def test_cut_normal_draws_are_cut_normal(low: float, high: float) -> None:
    drawn = tf.random.stateless_parameterized_truncated_normal(
        [COUNT], [1, 2], tf.constant(3.0, tf.float64), 2.0, 3.0 + 2 * low, 3.0 + 2 * high
    )
    law = scipy.stats.truncnorm(low, high, 3.0, 2.0)
    assert scipy.stats.kstest(drawn.numpy(), law.cdf).pvalue > 1e-3


def test_compiled_draws_of_both_are_the_same() -> None:
    def draw():
        generator = tf.random.Generator.from_seed(3)
        return lambda: (
            generator.binomial([50, 2], [5.0, 300.0], 0.4),
            tf.random.stateless_parameterized_truncated_normal([50], [1, 2], maxvals=9.0),
        )

    for at_once, compiled in zip(draw()(), tf.function(draw())(), strict=True):
        np.testing.assert_allclose(compiled, at_once, rtol=1e-5)


def test_what_fits_no_distribution() -> None:
    for call in (
        lambda: tf.random.stateless_binomial([2, 3], [1, 2], [1.0, 2.0], 0.5),
        lambda: tf.random.stateless_parameterized_truncated_normal([4, 2], [1, 2], means=[0.0, 1.0, 2.0, 3.0]),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"does not end with that of the parameters"):
            call()
    for parameters in ({"minvals": 5.0, "maxvals": 4.0}, {"stddevs": -1.0}):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"fit no distribution"):
            tf.random.stateless_parameterized_truncated_normal([2], [1, 2], **parameters)
    with pytest.raises(ValueError, match=r"dtype must be a number's, not string"):
        tf.random.stateless_binomial([2], [1, 2], 1.0, 0.5, tf.string)


def test_a_sampler_learns_what_it_sees() -> None:
    sampler = tf.function(lambda t: tf.random.learned_unigram_candidate_sampler(t, 2, 4, False, 5, seed=77))
    seen = np.ones(5)
    for true in ([[0, 1]], [[3, 3]], [[3, 0]]):
        _, expected, _ = sampler(tf.constant(true, tf.int64))
        np.testing.assert_allclose(expected[0], 4 * (seen / seen.sum())[true[0]], rtol=1e-5)
        np.add.at(seen, true[0], 1)
