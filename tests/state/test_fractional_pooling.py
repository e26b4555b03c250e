"""Pooling over regions whose borders are drawn."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

X = np.random.default_rng(8).normal(size=(2, 11, 7, 3)).astype("float32")


def by_regions(x, rows, columns, overlapping, reduce):
    found = np.zeros((x.shape[0], len(rows) - 1, len(columns) - 1, x.shape[3]), x.dtype)
    for i in range(len(rows) - 1):
        for j in range(len(columns) - 1):
            part = x[:, rows[i] : rows[i + 1] + overlapping, columns[j] : columns[j + 1] + overlapping]
            found[:, i, j] = reduce(part, axis=(1, 2))
    return found


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("pseudo", [False, True])
@pytest.mark.parametrize("ratio", [1.0, 1.44, 1.73, 3.0])
def test_regions_are_pooled(ratio: float, pseudo: bool, overlapping: bool) -> None:
    for pool, reduce in ((tf.nn.fractional_max_pool, np.max), (tf.nn.fractional_avg_pool, np.mean)):
        y, rows, columns = pool(X, [1.0, ratio, 1.3, 1.0], pseudo, overlapping, seed=5)
        assert (len(rows) - 1, len(columns) - 1) == (int(11 / ratio), int(7 / 1.3))
        for borders, size, count in ((rows, 11, int(11 / ratio)), (columns, 7, int(7 / 1.3))):
            widths = np.diff(borders)
            assert (borders[0], borders[-1]) == (0, size)
            assert widths.min() >= 1
            assert widths.max() <= size // count + 1
        np.testing.assert_allclose(
            y, by_regions(X, rows.numpy(), columns.numpy(), overlapping, reduce), rtol=1e-5, atol=1e-6
        )


def test_seeds_and_fresh_draws() -> None:
    def borders(**how):
        return tuple(tf.nn.fractional_max_pool(np.ones((1, 60, 60, 1), "f"), 1.5, **how)[1].numpy().tolist())

    assert borders(seed=5) == borders(seed=5) != borders(seed=6)
    assert len({borders() for _ in range(4)}) == 4
    fresh = tf.function(lambda: tf.nn.fractional_max_pool(np.ones((1, 60, 60, 1), "f"), 1.5)[1])
    assert len({tuple(fresh().numpy().tolist()) for _ in range(4)}) == 4


def test_compiled_with_a_derivative() -> None:
    x = tf.constant(X)
    pool = tf.function(lambda x: tf.nn.fractional_avg_pool(x, 1.4, seed=3, overlapping=True)[0])
    np.testing.assert_allclose(pool(x), tf.nn.fractional_avg_pool(x, 1.4, seed=3, overlapping=True)[0], rtol=1e-5)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(tf.nn.fractional_max_pool(x, 1.4, seed=3)[0])
    gradient = tape.gradient(total, x).numpy()
    # one place of each region
    assert set(np.unique(gradient)) == {0.0, 1.0}
    assert gradient.sum() == 2 * 7 * 5 * 3


@pytest.mark.parametrize("ratio", [0.5, [2.0, 1.0, 1.0, 1.0], [1.0, 2.0, 2.0]])
def test_ratios_that_do_not_fit(ratio) -> None:
    with pytest.raises(ValueError, match="pooling_ratio does not fit"):
        tf.nn.fractional_max_pool(X, ratio)


def test_what_is_no_batch_of_images() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="four axes"):
        tf.nn.fractional_avg_pool(X[0], 1.5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="nothing is left"):
        tf.nn.fractional_avg_pool(X, 20.0)
    assert tf.nn.fractional_max_pool(np.arange(36).reshape(1, 6, 6, 1), 2.0, seed=1).output.dtype == tf.int64
