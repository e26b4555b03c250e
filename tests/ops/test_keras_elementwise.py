"""The rarer elementwise functions of `keras.ops` against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.keras import ops

NAN, INF = float("nan"), float("inf")
X = np.array([-INF, -3.5, -1.0, -0.5, -0.0, 0.0, 0.2, 0.5, 1.0, 2.0, 1e20, INF, NAN], "float32")
A, B = (part.ravel() for part in np.meshgrid(X, X))
COUNTS, FEW = np.arange(-6, 6, dtype="int32"), np.arange(12, dtype="int32") % 5


def relu(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cbrt", np.cbrt),
        ("deg2rad", np.deg2rad),
        ("rad2deg", np.rad2deg),
        ("exp2", np.exp2),
        ("fabs", np.fabs),
        ("isposinf", np.isposinf),
        ("isneginf", np.isneginf),
        ("isreal", np.isreal),
        ("signbit", lambda x: np.signbit(x)),
        ("hard_tanh", lambda x: np.clip(x, -1, 1)),
        ("tanh_shrink", lambda x: x - np.tanh(x)),
        ("celu", lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)),
        ("hard_shrink", lambda x: np.where(np.abs(x) > 0.5, x, 0)),
        ("soft_shrink", lambda x: np.sign(x) * relu(np.abs(x) - 0.5)),
        ("squareplus", lambda x: (x + np.sqrt(x * x + 4)) / 2),
        ("sparse_plus", lambda x: np.where(x < -1, 0, np.where(x > 1, x, (x + 1) ** 2 / 4))),
        ("sparse_sigmoid", lambda x: np.clip((x + 1) / 2, 0, 1)),
    ],
)
@pytest.mark.parametrize("compiled", [True, False])
def test_of_one_value(name: str, expected, compiled: bool) -> None:
    function = tf.function(getattr(ops, name)) if compiled else getattr(ops, name)
    usual = X[(X > -1e9) & (X < 1e9)] if name in ("tanh_shrink", "squareplus", "hard_shrink", "soft_shrink") else X
    with np.errstate(all="ignore"):
        right = expected(usual.astype("float64"))
    found = function(tf.constant(usual))
    assert found.dtype == (tf.bool if right.dtype == bool else tf.float32)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, right.astype(found.numpy().dtype), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fmod", np.fmod),
        ("fmax", np.fmax),
        ("fmin", np.fmin),
        ("heaviside", np.heaviside),
        ("logaddexp2", np.logaddexp2),
        ("nextafter", np.nextafter),
    ],
)
@pytest.mark.parametrize("compiled", [True, False])
def test_of_two_values(name: str, expected, compiled: bool) -> None:
    function = tf.function(getattr(ops, name)) if compiled else getattr(ops, name)
    a, b = A, B
    if name == "fmod":
        # of infinities the engines' remainders are NaN or not
        usual = np.isfinite(a) & np.isfinite(b) & (np.abs(a) < 1e9) & (b != 0)
        a, b = a[usual], b[usual]
    if name == "nextafter":
        # XLA takes the smallest numbers for 0
        a, b = a[a != 0], b[a != 0]
    with np.errstate(all="ignore"):
        right = expected(a, b)
    np.testing.assert_allclose(function(tf.constant(a), tf.constant(b)), right, rtol=1e-6, atol=1e-15)


def test_settings() -> None:
    x = np.array([-2.0, -0.3, 0.3, 2.0], "float32")
    np.testing.assert_allclose(ops.celu(x, 2.0), np.where(x > 0, x, 2 * np.expm1(x / 2)), rtol=1e-6)
    np.testing.assert_allclose(ops.hard_shrink(x, 1.0), [-2, 0, 0, 2])
    np.testing.assert_allclose(ops.soft_shrink(x, 0.1), [-1.9, -0.2, 0.2, 1.9], rtol=1e-6)
    np.testing.assert_allclose(ops.squareplus(x, 1), (x + np.sqrt(x * x + 1)) / 2, rtol=1e-6)
    np.testing.assert_allclose(ops.threshold(x, 0.3, -7), [-7, -7, -7, 2])
    np.testing.assert_allclose(ops.glu(x), x[:2] / (1 + np.exp(-x[2:])), rtol=1e-6)
    np.testing.assert_allclose(ops.glu(x.reshape(4, 1), axis=0), x[:2, None] / (1 + np.exp(-x[2:, None])), rtol=1e-6)
    np.testing.assert_allclose(ops.ldexp(x, [1, 2, 3, -1]), np.ldexp(x, [1, 2, 3, -1]))
    np.testing.assert_allclose(ops.erfc([0, 10]), [1.0, 2.0884876e-45], rtol=0.5)


def test_integers() -> None:
    assert ops.fmax(COUNTS, 2).dtype == tf.int32
    np.testing.assert_array_equal(ops.fmin(COUNTS, FEW), np.minimum(COUNTS, FEW))
    np.testing.assert_array_equal(ops.fmod(COUNTS, 4), np.fmod(COUNTS, 4))
    np.testing.assert_array_equal(ops.signbit(COUNTS), COUNTS < 0)
    assert ops.exp2(COUNTS).dtype == ops.cbrt(COUNTS).dtype == ops.heaviside(COUNTS, 1).dtype == tf.float32
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift"):
        np.testing.assert_array_equal(getattr(ops, name)(COUNTS, FEW), getattr(np, name)(COUNTS, FEW))
    np.testing.assert_array_equal(ops.bitwise_not(COUNTS), ~COUNTS)
    assert ops.bitwise_invert is ops.bitwise_not and ops.left_shift is ops.bitwise_left_shift
    np.testing.assert_array_equal(ops.bitwise_xor([True, False], [True, True]), [False, True])
    np.testing.assert_array_equal(ops.bitwise_not([True, False]), [False, True])


def test_a_number_follows_the_tensor_beside_it() -> None:
    wide = tf.constant([-1.0, 0.0], tf.float64)
    assert ops.heaviside(wide, 0.1).numpy().tolist() == [0.0, 0.1]
    assert ops.fmax(0.1, wide).numpy().tolist() == [0.1, 0.1]
    assert ops.hypot(wide, 0.1).dtype == ops.fmod(wide, 2).dtype == tf.float64
    assert ops.fmin(3, tf.constant([1, 7], tf.int64)).dtype == tf.int64


def test_choices_and_closeness() -> None:
    found = ops.select([X > 1, X > 0, X < -1], [X * 2, X + 1, -X], 7.0)
    np.testing.assert_array_equal(found, np.select([X > 1, X > 0, X < -1], [X * 2, X + 1, -X], 7.0))
    with pytest.raises(ValueError, match=r"select: there must be as many choices as conditions"):
        ops.select([X > 1], [])
    assert (
        bool(ops.allclose(X[:-1], X[:-1])) and not bool(ops.allclose(X, X)) and bool(ops.allclose(X, X, equal_nan=True))
    )
    assert bool(ops.allclose([1.0], [1.1], rtol=0.2)) and not bool(
        ops.allclose([1.0], [1.1]) and not bool(ops.allclose([1.0], [INF]))
    )
    found = ops.polar([1.0, 2.0], [np.pi / 2, np.pi])
    np.testing.assert_allclose(found, [1j, -2], atol=1e-6)
    np.testing.assert_array_equal(ops.isreal(np.array([1 + 0j, 1j])), [True, False])
