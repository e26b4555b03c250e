"""Spectra of frames against SciPy's, and the ways back."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.fft
import scipy.signal

import tensorsmith as tf
from tensorsmith.program import execute

rng = np.random.default_rng(6)
SOUND = rng.normal(size=(2, 3, 500))


@pytest.mark.parametrize(("length", "step", "inner"), [(64, 16, None), (60, 20, None), (50, 13, 80), (64, 32, 40)])
@pytest.mark.parametrize("compiled", [False, True])
def test_stft_as_scipy(length: int, step: int, inner: int | None, compiled: bool) -> None:
    call = tf.function(tf.signal.stft) if compiled else tf.signal.stft
    found = call(tf.constant(SOUND), length, step, inner)
    window = scipy.signal.get_window("hann", length, fftbins=True)
    n = inner or 64
    starts = range(0, 500 - length + 1, step)
    expected = np.stack([np.fft.rfft(SOUND[..., s : s + length] * window, n) for s in starts], axis=-2)
    assert found.dtype == tf.complex128
    np.testing.assert_allclose(found, expected, atol=1e-12)
    # SciPy's frames are centred; those that lie within the sound are ours
    if inner is None and length == 64:
        _, _, theirs = scipy.signal.stft(
            SOUND, window=window, nperseg=length, noverlap=length - step, boundary=None, padded=False
        )
        np.testing.assert_allclose(found, np.swapaxes(theirs, -1, -2) * window.sum(), atol=1e-12)


def test_settings_of_stft() -> None:
    sound = tf.constant(SOUND[0, 0], tf.float32)
    plain = tf.signal.stft(sound, 10, 4, window_fn=None, pad_end=True)
    assert plain.shape == (125, 9) and plain.dtype == tf.complex64
    np.testing.assert_allclose(plain[-1], np.fft.rfft(np.r_[SOUND[0, 0, 496:], np.zeros(6)], 16), rtol=1e-5, atol=1e-5)
    assert tf.signal.stft(sound[:5], 10, 4).shape == (0, 9)
    assert tf.signal.stft(tf.keras.Input([None]), 256, 64).shape == (None, None, 129)


@pytest.mark.parametrize(("length", "step", "inner"), [(64, 16, None), (60, 20, None), (50, 13, 80), (64, 64, None)])
@pytest.mark.parametrize("window", [tf.signal.hamming_window, tf.signal.vorbis_window])
def test_the_way_back(length: int, step: int, inner: int | None, window) -> None:
    sound = tf.constant(SOUND)
    spectra = tf.signal.stft(sound, length, step, inner, window_fn=window)
    undone = tf.signal.inverse_stft_window_fn(step, forward_window_fn=window)
    back = tf.signal.inverse_stft(spectra, length, step, inner, window_fn=undone)
    assert back.dtype == tf.float64 and back.shape[-1] == (spectra.shape[-2] - 1) * step + length
    inside = slice(length, back.shape[-1] - length)
    np.testing.assert_allclose(back[..., inside], SOUND[..., inside], atol=1e-10)


def test_frames_are_cut_or_filled_on_the_way_back() -> None:
    spectra = tf.constant(np.fft.rfft(SOUND[0, 0, :8]))[None]
    for length in (6, 11):
        back = tf.signal.inverse_stft(spectra, length, 3, fft_length=8, window_fn=None)
        np.testing.assert_allclose(back, np.r_[SOUND[0, 0, :8], np.zeros(3)][:length], atol=1e-12)


def test_the_window_that_undoes() -> None:
    forward = scipy.signal.get_window("hann", 10, fftbins=True)
    found = tf.signal.inverse_stft_window_fn(4)(10, dtype=tf.float64)
    total = [sum(forward[u] ** 2 for u in range(t % 4, 10, 4)) for t in range(10)]
    np.testing.assert_allclose(found, forward / total, rtol=1e-12)
    # where frames leave gaps, nothing can be divided by at the window's zero
    apart = tf.signal.inverse_stft_window_fn(12)(10, dtype=tf.float64)
    np.testing.assert_allclose(apart, np.r_[0, 1 / forward[1:]], rtol=1e-12)


def test_the_derivative_goes_through_and_back() -> None:
    weights = tf.constant(rng.normal(size=500 - 500 % 8))

    def round_trip(x):
        spectra = tf.signal.stft(x, 16, 8)
        undone = tf.signal.inverse_stft_window_fn(8)
        return tf.reduce_sum(tf.signal.inverse_stft(spectra, 16, 8, window_fn=undone) * weights)

    x = tf.constant(SOUND[0, 0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = round_trip(x)
    # what comes back is what went in, but for the first sample, which the window does not let through
    expected = np.r_[weights, np.zeros(500 - len(weights))]
    np.testing.assert_allclose(tape.gradient(total, x)[8:488], expected[8:488], atol=1e-10)


@pytest.mark.parametrize("norm", [None, "ortho"])
@pytest.mark.parametrize("window", [tf.signal.vorbis_window, tf.signal.kaiser_bessel_derived_window, None])
def test_mdct(norm: str | None, window) -> None:
    size = 16
    half = size // 2
    found = tf.signal.mdct(tf.constant(SOUND), size, window, norm=norm)
    weights = np.full(size, math.sqrt(0.5)) if window is None else window(size, dtype=tf.float64).numpy()
    t, k = np.arange(size)[:, None], np.arange(half)
    scale = 2 if norm is None else math.sqrt(2 / half)
    matrix = scale * np.cos(np.pi / half * (t + 0.5 + half / 2) * (k + 0.5))
    starts = range(0, 500 - size + 1, half)
    expected = np.stack([SOUND[..., s : s + size] * weights @ matrix for s in starts], axis=-2)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    back = tf.function(tf.signal.inverse_mdct)(found, window, norm)
    assert back.shape[-1] == (found.shape[-2] + 1) * half
    np.testing.assert_allclose(back[..., half:-half], SOUND[..., half : back.shape[-1] - half], atol=1e-10)


def test_mel_bands() -> None:
    bands, bins, rate, low, high = 7, 65, 16000, 80.0, 7600.0
    found = tf.signal.linear_to_mel_weight_matrix(bands, bins, rate, low, high)

    def mel(hertz):
        return 1127 * math.log(1 + hertz / 700)

    edges = [mel(low) + (mel(high) - mel(low)) * i / (bands + 1) for i in range(bands + 2)]
    expected = np.zeros((bins, bands))
    for i in range(1, bins):
        for b in range(bands):
            lower, middle, upper = edges[b : b + 3]
            here = mel(i * rate / 2 / (bins - 1))
            expected[i, b] = np.interp(here, [lower, middle, upper], [0, 1, 0], left=0, right=0)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert tf.signal.linear_to_mel_weight_matrix(3, 1).shape == (1, 3)
    assert tf.signal.linear_to_mel_weight_matrix(dtype=tf.float64, sample_rate=tf.constant(8000)).dtype == tf.float64


def test_cepstral_coefficients() -> None:
    x = SOUND[..., :12]
    expected = scipy.fft.dct(x, type=2) * math.sqrt(1 / 24)
    np.testing.assert_allclose(tf.signal.mfccs_from_log_mel_spectrograms(tf.constant(x)), expected, atol=1e-12)
    late = tf.function(
        tf.signal.mfccs_from_log_mel_spectrograms, input_signature=[tf.TensorSpec([None] * 3, tf.float64)]
    )
    np.testing.assert_allclose(late(x), expected, atol=1e-12)


def test_a_layer_of_spectra_in_a_model() -> None:
    """Sound of any length to mel bands, inside a functional model."""
    sound = tf.keras.Input([None])
    spectrogram = tf.abs(tf.signal.stft(sound, 64, 32))
    mel = tf.tensordot(spectrogram, tf.signal.linear_to_mel_weight_matrix(8, 33, 8000), 1)
    model = tf.keras.Model(sound, tf.signal.mfccs_from_log_mel_spectrograms(tf.math.log(mel + 1e-6)))
    x = SOUND[0].astype("float32")
    found = model.predict(x, verbose=0)
    spectra = abs(tf.signal.stft(x, 64, 32).numpy())
    expected = np.log(spectra @ tf.signal.linear_to_mel_weight_matrix(8, 33, 8000).numpy() + 1e-6)
    np.testing.assert_allclose(found, scipy.fft.dct(expected) / 4, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: tf.signal.stft(1.0, 1, 1), "stft: signals have at least 1 axes"),
        (lambda: tf.signal.stft([1, 2], 2, 1), "hann_window: a window is of floats"),
        (lambda: tf.signal.inverse_stft([1.0 + 0j], 2, 1), "inverse_stft: stfts have at least 2 axes"),
        (lambda: tf.signal.inverse_stft_window_fn(0), r"the step is below 1 \(frame_step=0\)"),
        (lambda: tf.signal.mdct([1.0] * 9, 6), r"mdct: frames must be a multiple of 4 long \(frame_length=6\)"),
        (lambda: tf.signal.inverse_mdct([1.0]), "inverse_mdct: mdcts have at least 2 axes"),
        (lambda: tf.signal.inverse_mdct([[1.0, 2.0, 3.0]]), "inverse_mdct: half a frame must be even"),
        (lambda: tf.signal.inverse_mdct(tf.keras.Input([3, None])), "inverse_mdct: the length of frames is not known"),
        (lambda: tf.signal.linear_to_mel_weight_matrix(0), "num_mel_bins must be at least 1"),
        (
            lambda: tf.signal.linear_to_mel_weight_matrix(num_spectrogram_bins=0),
            "num_spectrogram_bins must be at least 1",
        ),
        (lambda: tf.signal.linear_to_mel_weight_matrix(sample_rate=0), "sample_rate must be above 0"),
        (lambda: tf.signal.linear_to_mel_weight_matrix(sample_rate=100), "upper_edge_hertz must be at most half the"),
        (lambda: tf.signal.linear_to_mel_weight_matrix(lower_edge_hertz=-1.0), "lower_edge_hertz must be at least 0"),
        (lambda: tf.signal.linear_to_mel_weight_matrix(lower_edge_hertz=3900.0), "must be below upper_edge_hertz"),
        (lambda: tf.signal.linear_to_mel_weight_matrix(dtype=tf.int32), "the dtype must be one of floats"),
        (lambda: tf.signal.mfccs_from_log_mel_spectrograms(tf.zeros([2, 0])), "there must be at least 1 band"),
    ],
)
def test_refusals(call, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()


def test_a_frame_length_from_the_contents_of_a_tensor() -> None:
    @tf.function
    def f(x, n):
        return tf.signal.stft(x, n, 4)

    with pytest.raises(
        tf.errors.InvalidArgumentError, match="stft: frame_length is not known while the program is traced"
    ):
        f(tf.zeros(20), tf.constant(8))


def test_gradients_of_a_loop_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and weights are constants there, not made anew in a program that does not know their sizes."""

    def refuse(*args):
        raise AssertionError("XLA turned the program down")

    monkeypatch.setattr(execute, "interpreted", refuse)
    x = tf.constant(SOUND[0, 0])
    found = []
    for _ in range(3):
        with tf.GradientTape() as tape:
            tape.watch(x)
            mel = tf.abs(tf.signal.stft(x, 64, 32)) @ tf.signal.linear_to_mel_weight_matrix(5, 33, dtype=tf.float64)
            total = tf.reduce_sum(mel) + tf.reduce_sum(tf.signal.mdct(x, 16) ** 2)
        found.append(tape.gradient(total, x).numpy())
    np.testing.assert_allclose(found[2], found[0], rtol=1e-9)
