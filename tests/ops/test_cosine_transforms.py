"""Cosine transforms where the sweep does not look: the way back, half floats, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft

import tensorsmith as tf

X = np.random.default_rng(4).normal(size=(3, 10))


@pytest.mark.parametrize("size", [1, 2, 3, 9, 10])
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", [None, "ortho"])
def test_as_scipy_and_back(size: int, kind: int, norm: str | None) -> None:
    if kind == 1 and (norm or size < 2):
        return
    x = tf.constant(X[:, :size])
    found = tf.signal.dct(x, kind, norm=norm)
    np.testing.assert_allclose(found, scipy.fft.dct(x.numpy(), kind, norm=norm), atol=1e-12)
    times = 1 if norm else 2 * (size - 1 if kind == 1 else size)
    np.testing.assert_allclose(tf.signal.idct(found, kind, norm=norm), x * times, atol=1e-12)


def test_half_floats_and_a_size_known_late() -> None:
    for dtype, digits in [(tf.float16, 2e-3), (tf.bfloat16, 2e-2)]:
        x = tf.cast(X, dtype)
        for call in (tf.signal.dct, tf.function(tf.signal.dct)):
            found = call(x)
            assert found.dtype == dtype
            expected = scipy.fft.dct(x.numpy().astype("float64"))
            np.testing.assert_allclose(found.numpy().astype("float64"), expected, rtol=digits, atol=2 * digits)
    assert tf.signal.dct(tf.ones([2, 3000], tf.bfloat16)).dtype == tf.bfloat16

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float64)])
    def f(x):
        return tf.signal.dct(x, n=tf.shape(x)[-1] + 1), tf.signal.idct(x, axis=0)

    longer, down = f(X)
    np.testing.assert_allclose(longer, scipy.fft.dct(X, n=11), atol=1e-12)
    np.testing.assert_allclose(down, scipy.fft.dct(X, 3, axis=0), atol=1e-12)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: tf.signal.dct(X, type=5), r"dct: no type of cosine transform \(type=5\); it is 1, 2, 3 or 4"),
        (lambda: tf.signal.idct(X, norm="x"), r"idct: no norm \(norm=x\); it is None or 'ortho'"),
        (lambda: tf.signal.dct(X, type=1, norm="ortho"), r"dct: type 1 has no norm"),
        (lambda: tf.signal.dct(X, n=0), r"dct: n is below 1 \(n=0\)"),
        (lambda: tf.signal.dct(X, n=2.5), r"dct: n is no whole number"),
        (lambda: tf.signal.dct([[1.0]], type=1), r"type 1 needs at least 2 values, not 1"),
        (lambda: tf.signal.dct([1, 2]), r"dct: it does not take int32 .* Convert: tf.cast\(input, tf.float32\)"),
        (lambda: tf.signal.dct(1.0), "a signal has at least one axis"),
        (lambda: tf.signal.dct(X, axis=2), "there is no axis 2 among 2"),
    ],
)
def test_refusals(call, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()
