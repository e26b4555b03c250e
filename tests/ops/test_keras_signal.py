"""`keras.ops` of signals against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import scipy.special

import tensorsmith as tf
from tensorsmith.keras import ops

rng = np.random.default_rng(8)
SOUND = rng.normal(size=(2, 96)).astype("float32")
REAL, IMAG = rng.normal(size=(2, 3, 4, 5)).astype("float32")
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def test_transforms_of_pairs() -> None:
    for ours, theirs in [(ops.fft, np.fft.fft), (ops.fft2, np.fft.fft2), (ops.ifft2, np.fft.ifft2)]:
        real, imag = ours((REAL, IMAG))
        assert real.dtype == imag.dtype == tf.float32
        np.testing.assert_allclose(real.numpy() + 1j * imag.numpy(), theirs(REAL + 1j * IMAG), **CLOSE)
    for length in (None, 7):
        real, imag = ops.rfft(REAL, length)
        np.testing.assert_allclose(real.numpy() + 1j * imag.numpy(), np.fft.rfft(REAL, length), **CLOSE)
        np.testing.assert_allclose(ops.irfft((REAL, IMAG), length), np.fft.irfft(REAL + 1j * IMAG, length), **CLOSE)


@pytest.mark.parametrize("window", ["hann", "hamming", None, rng.uniform(0.5, 1, size=24)])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("compiled", [True, False])
def test_stft_and_back(window, center: bool, compiled: bool) -> None:
    weights = scipy.signal.get_window(window, 24) if isinstance(window, str) else window
    # without a window the whole frame counts, not only the sequence in its middle
    weights = np.ones(32) if weights is None else np.pad(weights, 4)

    def both(x):
        spectra = ops.stft(x, 24, 8, 32, window=window, center=center)
        return (
            *spectra,
            ops.istft(spectra, 24, 8, 32, window=window, center=center),
            ops.istft(spectra, 24, 8, 32, 50, window, center),
        )

    real, imag, back, cut = (tf.function(both) if compiled else both)(tf.constant(SOUND))
    x = np.pad(SOUND, [(0, 0), (16, 16)], mode="reflect") if center else SOUND
    expected = np.stack([np.fft.rfft(x[:, s : s + 32] * weights) for s in range(0, x.shape[-1] - 31, 8)], axis=1)
    np.testing.assert_allclose(real.numpy() + 1j * imag.numpy(), expected, **CLOSE)
    # as much comes back as went in; right where as many frames overlap as anywhere
    assert back.shape == SOUND.shape and cut.shape == (2, 50)
    np.testing.assert_array_equal(cut, back[:, :50])
    scale = 1 if window is not None else 4
    np.testing.assert_allclose(back[:, 32:-32], SOUND[:, 32:-32] * scale, rtol=1e-4, atol=1e-5)


def test_windows_as_numpy() -> None:
    for name in ("bartlett", "blackman", "hamming", "hanning"):
        for length in (0, 1, 2, 7, 8):
            found = getattr(ops, name)(length)
            assert found.dtype == tf.float32
            np.testing.assert_allclose(found, getattr(np, name)(length), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ops.kaiser(9, 4.0), np.kaiser(9, 4.0), rtol=1e-6)


def test_sinc_is_exact_at_whole_numbers_and_smooth_at_0() -> None:
    x = np.array([1.0, 2.0, -3.0, 1e6, 2.0**23 + 1, 1e30], "float32")
    np.testing.assert_array_equal(np.abs(ops.sinc(x)), np.zeros(6))
    assert ops.sinc([0, 1]).numpy().tolist() == [1.0, 0.0]
    near = np.float32(1.0) + np.float32(2.0) ** -20
    np.testing.assert_allclose(ops.sinc(near), -(2.0**-20) / float(near), rtol=1e-6)
    x = tf.constant([0.0, 1e-9, 0.1], tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = ops.sinc(x)
        slope = inner.gradient(y, x)
    np.testing.assert_allclose(outer.gradient(slope, x)[:2], [-(np.pi**2) / 3] * 2)
    a = np.pi * 0.1
    np.testing.assert_allclose(
        slope, [0.0, -(np.pi**2) * 1e-9 / 3, (a * np.cos(a) - np.sin(a)) / (a * 0.1)], rtol=1e-12
    )


def test_of_integers_and_of_two_dtypes() -> None:
    np.testing.assert_allclose(ops.hypot([3, 5], [4.0, 12.0]), [5.0, 13.0])
    assert ops.hypot(tf.constant([3.0], tf.float64), [4]).dtype == tf.float64
    np.testing.assert_allclose(ops.hypot([3e30], [4e30]), [5e30])
    np.testing.assert_allclose(ops.i0([1, 2]), scipy.special.i0([1, 2]), rtol=1e-6)
    np.testing.assert_allclose(ops.angle([1, -1]), [0, np.pi], rtol=1e-6)
    np.testing.assert_allclose(ops.correlate([1, 2, 3], [0, 1, 2], "full"), np.correlate([1, 2, 3], [0, 1, 2], "full"))
    assert ops.extract_sequences([1, 2, 3, 4], 2, 1).numpy().tolist() == [[1, 2], [2, 3], [3, 4]]


def test_complex_numbers_seen_as_real_ones() -> None:
    x = rng.normal(size=(3, 2)).astype("float32")
    found = ops.view_as_complex(x)
    assert found.dtype == tf.complex64
    np.testing.assert_array_equal(found, x[:, 0] + 1j * x[:, 1])
    np.testing.assert_array_equal(ops.view_as_real(found), x)
    np.testing.assert_array_equal(ops.view_as_real([1.0]), [[1.0, 0.0]])


def test_vectors_of_sizes_known_late() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)] * 2)
    def f(x, y):
        found = ops.correlate(x, y, "same")
        assert found.shape == (None,)
        return found

    np.testing.assert_allclose(f(SOUND[0], SOUND[1, :5]), np.correlate(SOUND[0], SOUND[1, :5], "same"), **CLOSE)
    assert ops.stft(tf.keras.Input([200]), 24, 8, 32)[0].shape == (None, 26, 17)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: ops.fft(REAL), r"fft: no pair of a real and an imaginary part \(x=ndarray\)"),
        (lambda: ops.fft2((REAL, REAL[:1])), "fft2: the parts differ in shape"),
        (lambda: ops.irfft(([1, 2], [3, 4])), "irfft: the parts are not of floats"),
        (lambda: ops.stft([1, 2, 3], 2, 1, 2), "stft: it does not take int32"),
        (
            lambda: ops.stft(SOUND, 8, 4, 4),
            r"stft: fft_length is below sequence_length \(sequence_length=8, fft_length=4\)",
        ),
        (lambda: ops.stft(SOUND, 8, 4, 8, window="box"), "stft: no window"),
        (lambda: ops.istft((REAL, IMAG), 8, 4, 8, window=np.ones(7)), "istft: the window is not as long as a sequence"),
        (lambda: ops.view_as_complex(REAL), "view_as_complex: the last axis is not of 2 parts"),
        (lambda: ops.correlate([1.0], [1.0], "all"), "correlate: no mode"),
        (lambda: ops.correlate(SOUND, SOUND), r"correlated are vectors, not values of shapes \(2, 96\) and \(2, 96\)"),
        (lambda: ops.correlate([], [1.0]), "correlated vectors have at least 1 element"),
    ],
)
def test_refusals(call, told: str) -> None:
    with pytest.raises((ValueError, TypeError), match=told):
        call()
