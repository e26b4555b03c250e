"""Fourier transforms where the sweep does not look: derivatives of complex values, dtypes, sizes, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

rng = np.random.default_rng(3)
REAL = rng.normal(size=(2, 3, 4))
COMPLEX = REAL + 1j * rng.normal(size=(2, 3, 4))


def difference(function, x):
    """d f / d x by the real and i times that by the imaginary part of each element, of a real function."""
    found = np.zeros(x.shape, "complex128")
    for at in np.ndindex(x.shape):
        for part in (1.0, 1j) if x.dtype.kind == "c" else (1.0,):
            ends = []
            for sign in (1, -1):
                moved = x.copy()
                moved[at] += sign * 1e-5 * part
                ends.append(float(function(tf.constant(moved))))
            found[at] += part * (ends[0] - ends[1]) / 2e-5
    return found if x.dtype.kind == "c" else found.real


@pytest.mark.parametrize(
    ("transform", "x"),
    [
        (tf.signal.fft, COMPLEX),
        (tf.signal.ifft, COMPLEX),
        (tf.signal.fft2d, COMPLEX),
        (tf.signal.ifft3d, COMPLEX),
        (tf.signal.rfft, REAL),
        (lambda x: tf.signal.rfft(x, [3]), REAL),
        (tf.signal.rfft3d, REAL),
        (tf.signal.irfft, COMPLEX),
        (lambda x: tf.signal.irfft(x, [5]), COMPLEX),
        (lambda x: tf.signal.irfft2d(x, [4, 4]), COMPLEX),
        (lambda x: tf.signal.irfftnd(x, axes=[2, 0], norm="ortho"), COMPLEX),
    ],
)
@pytest.mark.parametrize("compiled", [False, True])
def test_derivatives(transform, x, compiled: bool) -> None:
    weights = rng.normal(size=2)

    def total(x):
        y = tf.cast(transform(x), tf.complex128)
        bent = tf.math.real(y) * weights[0] + tf.math.imag(y) * weights[1] + tf.abs(y) ** 2
        return tf.reduce_sum(bent * tf.range(1.0, float(bent.shape[-1] or 0) + 0.5, dtype=tf.float64))

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = total(x)
        return tape.gradient(value, x)

    found = (tf.function(gradient) if compiled else gradient)(tf.constant(x))
    np.testing.assert_allclose(found, difference(total, x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "given", "dtype"),
    [
        (tf.signal.fft, [1, 2, 3], "complex64"),
        (tf.signal.fft, [1.0, 2.0], "complex64"),
        (tf.signal.fft, [1.0 + 1j, 2.0], "complex128"),
        (tf.signal.fft, REAL, "complex64"),
        (tf.signal.fft, COMPLEX, "complex64"),
        (tf.signal.fft, tf.constant(COMPLEX), "complex128"),
        (tf.signal.rfft, REAL, "complex64"),
        (tf.signal.rfft, [True, False], "complex64"),
        (tf.signal.rfft, tf.constant(REAL), "complex128"),
        (tf.signal.rfft, tf.Variable([1.0, 2.0]), "complex64"),
        (tf.signal.irfft, [1, 2], "float32"),
        (tf.signal.irfft, tf.constant(COMPLEX), "float64"),
        (tf.fftnd, [[1.0]], "complex64"),
    ],
)
def test_lists_and_arrays_become_narrow_and_tensors_keep_their_dtype(function, given, dtype) -> None:
    assert function(given).dtype == dtype


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: tf.signal.fft(tf.constant([1.0])), r"fft: it does not take float32 .* tf.cast\(x, tf.complex64\)"),
        (lambda: tf.signal.irfft(tf.constant(["a"])), r"irfft: it does not take string"),
        (lambda: tf.signal.rfft(tf.constant([1])), r"rfft: it does not take int32 .* tf.cast\(x, tf.float32\)"),
        (lambda: tf.signal.rfft(COMPLEX), r"rfft: it does not take complex128"),
        (lambda: tf.signal.fft(1.0), "the rank must be at least 1, it is 0"),
        (lambda: tf.signal.fft3d([[1.0]]), "the rank must be at least 3, it is 2"),
        (lambda: tf.signal.rfft2d(REAL, [3]), "2 lengths are needed, one for each axis, not 1"),
        (lambda: tf.signal.rfft(REAL, [0]), r"lengths of a transform are at least 1, not as in \(0,\)"),
        (lambda: tf.signal.irfft([[1.0]]), r"lengths of a transform are at least 1, not as in \(0,\)"),
        (lambda: tf.signal.fftnd(COMPLEX, axes=[1, -2]), r"each axis is transformed once, not as in \(1, -2\)"),
        (
            lambda: tf.signal.fftnd(COMPLEX, norm="x"),
            r"fftnd: no norm \(norm=x\); it is one of backward, ortho, forward",
        ),
    ],
)
def test_refusals(call, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()


def test_of_nothing() -> None:
    nothing = tf.zeros([2, 0], tf.complex64)
    assert tf.signal.fft(nothing).shape == tf.signal.irfft(nothing).shape == (2, 0)
    assert tf.signal.rfft(tf.zeros([2, 0])).shape == (2, 0)
    np.testing.assert_array_equal(tf.signal.rfft(tf.zeros([2, 0]), [4]), np.zeros((2, 3)))
    assert tf.signal.rfft2d(tf.zeros([0, 3, 5]), [4, 8]).shape == (0, 4, 5)


def test_lengths_that_only_the_running_program_knows() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float64)])
    def f(x):
        twice = 2 * tf.shape(x)[-1]
        spectrum = tf.signal.rfft(x, [twice])
        assert spectrum.shape == (None, None)
        return spectrum, tf.signal.irfft(spectrum, [twice])[:, : tf.shape(x)[-1]], tf.signal.fftshift(x)

    x = REAL[0]
    spectrum, back, turned = f(x)
    np.testing.assert_allclose(spectrum, np.fft.rfft(x, 8), atol=1e-12)
    np.testing.assert_allclose(back, x, atol=1e-12)
    np.testing.assert_array_equal(turned, np.fft.fftshift(x))
    assert tf.signal.irfft(tf.keras.Input([5], dtype="complex64")).shape == (None, 8)


def test_of_more_axes_than_three() -> None:
    x = rng.normal(size=(2, 3, 2, 3, 2))
    np.testing.assert_allclose(tf.function(tf.signal.rfftnd)(tf.constant(x)), np.fft.rfftn(x), atol=1e-12)
    # the axes, and lengths along them, in the order in which they are named
    found = tf.signal.fftnd(tf.constant(x + 0j), [4, 2, 5, 3], axes=[3, 0, 1, -1])
    np.testing.assert_allclose(found, np.fft.fftn(x, [4, 2, 5, 3], axes=[3, 0, 1, -1]), atol=1e-12)


def test_strings_and_booleans_are_turned_too() -> None:
    assert tf.signal.fftshift(["a", "b", "c"]).numpy().tolist() == [b"c", b"a", b"b"]
    assert tf.signal.ifftshift([True, False, False]).numpy().tolist() == [False, False, True]


@pytest.mark.parametrize("shape", [(2, 5000), (2, 60, 70)])
def test_large_ones_as_small_ones(shape) -> None:
    """Beyond 4096 values another library computes them."""
    x = tf.constant(rng.normal(size=shape).astype("float32"))
    spectrum = tf.signal.rfftnd(x, norm="ortho")
    assert spectrum.dtype == tf.complex64
    np.testing.assert_allclose(spectrum, np.fft.rfftn(x, norm="ortho"), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(tf.signal.irfftnd(spectrum, shape, norm="ortho"), x, rtol=1e-4, atol=1e-4)
    back = tf.signal.ifft(tf.signal.fft(tf.cast(x, tf.complex64)))
    assert back.dtype == tf.complex64
    np.testing.assert_allclose(back, x, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(tf.signal.idct(tf.signal.dct(x, norm="ortho"), norm="ortho"), x, rtol=1e-4, atol=1e-4)
