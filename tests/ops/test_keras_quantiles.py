"""Quantiles of `keras.ops` against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.keras import ops

X = np.random.default_rng(15).normal(size=(3, 4, 5))


@pytest.mark.parametrize("axis", [None, 1, -1, (0, 2), (2, 1)])
@pytest.mark.parametrize("q", [0.3, 1.0, [0.0, 0.25, 0.9], [[0.1, 0.5]]])
@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_quantiles(axis, q, method: str) -> None:
    for keepdims in (True, False):
        found = ops.quantile(X, q, axis, method, keepdims)
        np.testing.assert_allclose(found, np.quantile(X, q, axis, method=method, keepdims=keepdims), rtol=1e-12)


def test_percentiles_and_medians() -> None:
    np.testing.assert_allclose(ops.percentile(X, [10, 90], 1), np.percentile(X, [10, 90], 1))
    for axis in (None, 0, 1, (0, 1)):
        np.testing.assert_allclose(ops.median(X, axis, keepdims=True), np.median(X, axis, keepdims=True))
    holed = X.copy()
    holed[1, 2, 0] = np.nan
    np.testing.assert_allclose(ops.median(holed, -1), np.median(holed, -1))
    np.testing.assert_allclose(ops.quantile(holed, [0.1, 0.2], 0), np.quantile(holed, [0.1, 0.2], 0))
    # of a place in the middle the even one is nearest
    assert (
        ops.quantile([1.0, 2.0], 0.5, method="nearest").numpy() == np.quantile([1.0, 2.0], 0.5, method="nearest") == 1
    )
    assert ops.median([3, 1, 2]).numpy() == np.float32(2)


def test_of_sizes_known_late() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, 5], tf.float64)])
    def f(x):
        return ops.quantile(x, [0.2, 0.7], axis=(0, 2)), ops.median(x)

    part, middle = f(X)
    np.testing.assert_allclose(part, np.quantile(X, [0.2, 0.7], (0, 2)))
    np.testing.assert_allclose(middle, np.median(X))


def test_a_method_that_is_none() -> None:
    with pytest.raises(ValueError, match="quantile: no method"):
        ops.quantile(X, 0.5, method="weibull")
