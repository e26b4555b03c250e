"""Windows against SciPy's, and what their makers say of them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal.windows as windows

import tensorsmith as tf

LENGTHS = [1, 2, 3, 4, 7, 8, 64]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("length", LENGTHS)
def test_as_scipy(length: int, dtype: str) -> None:
    def near(found, expected) -> None:
        assert found.dtype == dtype
        digits = {"rtol": 1e-12, "atol": 1e-15} if dtype == "float64" else {"rtol": 1e-7, "atol": 1e-8}
        np.testing.assert_allclose(found, expected, **digits)

    for periodic in (True, False):
        # TensorFlow's periodic window of an odd length is the symmetric one
        same = not periodic or length % 2 == 1
        near(tf.signal.hann_window(length, periodic, dtype=tf.as_dtype(dtype)), windows.hann(length, sym=same))
        near(tf.signal.hamming_window(length, periodic, dtype=tf.as_dtype(dtype)), windows.hamming(length, sym=same))
    for beta in (0.0, 3.0, 12.0, 700.0):
        near(tf.signal.kaiser_window(length, beta, dtype), windows.kaiser(length, beta))
        if length % 2 == 0:
            found = tf.signal.kaiser_bessel_derived_window(length, beta, dtype)
            near(found, windows.kaiser_bessel_derived(length, beta))
    t = np.arange(length) + 0.5
    near(tf.signal.vorbis_window(length, dtype), np.sin(np.pi / 2 * np.sin(np.pi * t / length) ** 2))


@pytest.mark.parametrize("made", [tf.signal.vorbis_window, tf.signal.kaiser_bessel_derived_window])
def test_squares_half_a_length_apart_add_up_to_1(made) -> None:
    window = made(32, dtype=tf.float64).numpy()
    np.testing.assert_allclose(window[:16] ** 2 + window[16:] ** 2, 1)


def test_periodic_windows_half_a_length_apart_add_up_to_1() -> None:
    window = tf.signal.hann_window(32, dtype=tf.float64).numpy()
    np.testing.assert_allclose(window[:16] + window[16:], 1)


def test_of_no_samples_and_one_too_many() -> None:
    for made in (tf.signal.hann_window, tf.signal.hamming_window, tf.signal.kaiser_window, tf.signal.vorbis_window):
        assert made(0).shape == (0,)
    assert tf.signal.kaiser_bessel_derived_window(0).shape == tf.signal.kaiser_bessel_derived_window(1).shape == (0,)
    assert tf.signal.kaiser_bessel_derived_window(9).shape == (8,)


def test_half_floats_are_rounded_once() -> None:
    for dtype in (tf.float16, tf.bfloat16):
        assert tf.signal.hann_window(4, dtype=dtype).numpy().astype("float64").tolist() == [0.0, 0.5, 1.0, 0.5]


def test_a_length_that_only_the_running_program_knows() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def f(x):
        n = tf.shape(x)[0]
        return [
            made(n)
            for made in (
                tf.signal.hann_window,
                tf.signal.hamming_window,
                tf.signal.kaiser_window,
                tf.signal.kaiser_bessel_derived_window,
                tf.signal.vorbis_window,
            )
        ]

    for length in (1, 8):
        hann, hamming, kaiser, derived, vorbis = f(tf.zeros(length))
        np.testing.assert_allclose(hann, windows.hann(length, sym=False), atol=1e-7)
        np.testing.assert_allclose(hamming, windows.hamming(length, sym=False), atol=1e-7)
        np.testing.assert_allclose(kaiser, windows.kaiser(length, 12.0), rtol=1e-6)
        np.testing.assert_allclose(derived, tf.signal.kaiser_bessel_derived_window(length), rtol=1e-6)
        np.testing.assert_allclose(vorbis, tf.signal.vorbis_window(length), rtol=1e-6)


def test_the_derivative_by_beta() -> None:
    beta = tf.constant(3.0, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(beta)
        total = tf.reduce_sum(tf.signal.kaiser_window(9, beta, tf.float64))
    ends = [windows.kaiser(9, 3 + sign * 1e-5).sum() for sign in (1, -1)]
    np.testing.assert_allclose(tape.gradient(total, beta), (ends[0] - ends[1]) / 2e-5, rtol=1e-6)


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"hann_window: a window is of floats \(dtype=int32\)"):
        tf.signal.hann_window(4, dtype=tf.int32)
    with pytest.raises(ValueError, match=r"vorbis_window: a window has at least 0 samples \(window_length=-4\)"):
        tf.signal.vorbis_window(-4)
    with pytest.raises(ValueError, match="kaiser_window: window_length is no whole number"):
        tf.signal.kaiser_window([4])
