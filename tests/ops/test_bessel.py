"""Bessel functions on both engines: to the last digits, far out, derivatives, below 0."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special

import tensorsmith as tf

NAMES = ["j0", "j1", "y0", "y1", "k0", "k1", "k0e", "k1e"]


def ours(name: str):
    return getattr(tf.math.special, f"bessel_{name}")


def engines(name: str, x) -> list[np.ndarray]:
    return [ours(name)(tf.constant(x)).numpy(), tf.function(ours(name))(tf.constant(x)).numpy()]


@pytest.mark.parametrize("name", NAMES)
def test_float32_is_right_to_the_last_digit(name: str) -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([np.exp(rng.uniform(-40, 4, 20_000)), rng.uniform(1e-3, 60, 20_000), [2.0, 8.0, 64.0]]).astype(
        "float32"
    )
    expected = getattr(scipy.special, name)(x.astype("float64"))
    # numbers below 1e-37 are 0 to XLA
    x, expected = x[np.abs(expected) > 1e-37], expected[np.abs(expected) > 1e-37]
    for found in engines(name, x):
        np.testing.assert_array_max_ulp(found, expected.astype("float32"), 1)


@pytest.mark.parametrize("name", NAMES)
def test_float64(name: str) -> None:
    x = np.concatenate([np.geomspace(1e-30, 60, 2000), np.linspace(0.01, 60, 2000)])
    expected = getattr(scipy.special, name)(x)
    # near the zeros of J and Y what counts is the height of the waves
    height = np.abs(expected) if name[0] == "k" else np.maximum(np.abs(expected), np.sqrt(1 / (np.pi * (x + 1))))
    for found in engines(name, x):
        assert (np.abs(found - expected) <= 4e-15 * height).all()


@pytest.mark.parametrize("name", NAMES[:4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_out_by_hankels_expansion(name: str, dtype: str) -> None:
    """In 80 bits, as a rounding of x - pi/4 would count."""
    x = np.geomspace(70, 3000, 500).astype(dtype)
    order, wide = int(name[1]), x.astype(np.longdouble)
    if np.finfo(np.longdouble).eps > 1e-18:
        pytest.skip("there is no wider float on this machine")
    pi = np.longdouble(np.pi) + np.longdouble(1.2246467991473532e-16)
    angle = wide - pi / 4 - order * pi / 2
    term, p, q = np.ones_like(wide), np.ones_like(wide), np.zeros_like(wide)
    for k in range(1, 10):
        term = term * (4 * order**2 - (2 * k - 1) ** 2) / (k * 8 * wide)
        if k % 2:
            q = q + (-1) ** (k // 2) * term
        else:
            p = p + (-1) ** (k // 2) * term
    cosine, sine = np.cos(angle), np.sin(angle)
    height = np.sqrt(2 / (pi * wide))
    expected = height * (p * cosine - q * sine if name[0] == "j" else p * sine + q * cosine)
    for found in engines(name, x):
        assert (np.abs(found - expected) <= 4 * np.finfo(dtype).eps * height).all()


def test_at_0_and_below() -> None:
    x = np.array([0.0, -0.0, -2.0, np.inf, np.nan], "float32")
    for j0, j1 in zip(engines("j0", x), engines("j1", x), strict=True):
        np.testing.assert_array_equal(j0[[0, 1]], [1.0, 1.0])
        assert math.copysign(1, j1[0]) == 1 and math.copysign(1, j1[1]) == -1 and j1[0] == j1[1] == 0
        np.testing.assert_allclose([j0[2], j1[2]], [scipy.special.j0(2), -scipy.special.j1(2)], rtol=1e-6)
    for name in NAMES[2:]:
        for found in engines(name, x):
            end = np.inf if name[0] == "k" else -np.inf
            np.testing.assert_array_equal(found[[0, 1, 2, 4]], [end, end, end, np.nan])
            assert found[3] == 0 if name[0] == "k" else np.isnan(found[3])


def test_derivatives_of_j_at_0() -> None:
    x = tf.constant([0.0, 1e-9], tf.float64)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch(x)
            j0, j1 = ours("j0")(x), ours("j1")(x)
        slope0, slope1 = inner.gradient(j0, x), inner.gradient(j1, x)
    np.testing.assert_allclose(slope0, [0.0, -5e-10])
    np.testing.assert_allclose(slope1, [0.5, 0.5])
    np.testing.assert_allclose(outer.gradient(slope0, x), [-0.5, -0.5])
