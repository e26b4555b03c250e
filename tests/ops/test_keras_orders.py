"""`keras.ops` about order against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.keras import ops

rng = np.random.default_rng(14)
X = rng.normal(size=(3, 4, 5))
HOLES = np.where(rng.uniform(size=X.shape) < 0.4, np.nan, X)
HOLES[1, 2] = np.nan


@pytest.mark.parametrize("axis", [-1, 0, 1, None])
def test_sorted(axis: int | None) -> None:
    np.testing.assert_array_equal(ops.sort(X, axis), np.sort(X, axis))
    found = ops.argsort(X.round(), axis)
    assert found.dtype == tf.int32
    np.testing.assert_array_equal(found, np.argsort(X.round(), axis, kind="stable"))


def test_places() -> None:
    values, indices = ops.top_k(X, 2)
    np.testing.assert_array_equal(values, -np.sort(-X, -1)[..., :2])
    np.testing.assert_array_equal(np.take_along_axis(X, indices.numpy(), -1), values)
    assert ops.top_k(X, k=1).indices.shape == (3, 4, 1)
    np.testing.assert_array_equal(ops.in_top_k([0, 1], tf.constant([[0.1, 0.9], [0.2, 0.8]]), 1), [False, True])
    edges = np.linspace(-1, 1, 5)
    for side in ("left", "right"):
        np.testing.assert_array_equal(
            ops.searchsorted(edges, X.round(1), side), np.searchsorted(edges, X.round(1), side)
        )
    np.testing.assert_array_equal(ops.digitize(X.round(1), edges), np.digitize(X.round(1), edges))
    assert ops.searchsorted([1, 3], [2.5]).numpy().tolist() == [1]
    np.testing.assert_array_equal(ops.isin(X.round(), [1, -1]), np.isin(X.round(), [1, -1]))
    np.testing.assert_array_equal(ops.isin([1, 2], [[2], [3]], invert=True), [True, False])
    with pytest.raises(ValueError, match=r"searchsorted: the sequence is no vector"):
        ops.searchsorted([[1.0]], [1.0])


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_neighbours(axis: int) -> None:
    for n in (0, 1, 2):
        np.testing.assert_allclose(ops.diff(X, n, axis), np.diff(X, n, axis))
    np.testing.assert_array_equal(ops.diff(X > 0, axis=axis), np.diff(X > 0, axis=axis))
    np.testing.assert_allclose(ops.trapezoid(X, axis=axis), np.trapezoid(X, axis=axis))
    np.testing.assert_allclose(ops.trapezoid(X, dx=0.1, axis=axis), np.trapezoid(X, dx=0.1, axis=axis))
    place = np.sort(rng.normal(size=X.shape[axis]))
    np.testing.assert_allclose(ops.trapezoid(X, place, axis=axis), np.trapezoid(X, place, axis=axis))
    np.testing.assert_allclose(
        ops.trapezoid(X, np.sort(X, axis), axis=axis), np.trapezoid(X, np.sort(X, axis), axis=axis)
    )


@pytest.mark.parametrize("k", [-1, 0, 1, 2, 3, 5])
def test_turned(k: int) -> None:
    for axes in [(0, 1), (1, 0), (-1, 0)]:
        np.testing.assert_array_equal(ops.rot90(X, k, axes), np.rot90(X, k, axes))
    np.testing.assert_array_equal(ops.flipud(X), np.flipud(X))
    np.testing.assert_array_equal(ops.fliplr(X), np.fliplr(X))
    with pytest.raises(ValueError, match=r"rot90: two axes of two or more are turned"):
        ops.rot90(X, k, (0, -3))


@pytest.mark.parametrize("axis", [None, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [True, False])
@pytest.mark.parametrize("name", ["nanmax", "nanmin", "nansum", "nanprod", "nanmean", "nanvar", "nanstd"])
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_past_nan(name: str, axis, keepdims: bool) -> None:
    function = getattr(ops, name)
    expected = getattr(np, name)(HOLES, axis, keepdims=keepdims)
    np.testing.assert_allclose(function(HOLES, axis, keepdims), expected, rtol=1e-9)
    np.testing.assert_allclose(tf.function(function)(tf.constant(HOLES), axis, keepdims), expected, rtol=1e-9)
    plain = getattr(np, name)(X, axis, keepdims=keepdims)
    np.testing.assert_allclose(function(X, axis, keepdims), plain, rtol=1e-9)


def test_integers() -> None:
    numbers = rng.integers(0, 9, (3, 4)).astype("int32")
    assert ops.ptp(numbers).dtype == ops.nanmax(numbers).dtype == ops.nansum(numbers).dtype == tf.int32
    np.testing.assert_array_equal(ops.ptp(numbers, 1, keepdims=True), np.ptp(numbers, 1, keepdims=True))
    np.testing.assert_array_equal(ops.nanmin(numbers, 0), numbers.min(0))
    assert ops.nanmean(numbers).dtype == tf.float32
