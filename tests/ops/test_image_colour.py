"""Colours and dtypes of images, pixel by pixel with Python's own colorsys."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(8)
X = RNG.uniform(0, 1, (2, 4, 5, 3)).astype("float32")
WHOLE = (X * 255.99).astype("uint8")


def close(found, right, **tolerance) -> None:
    np.testing.assert_allclose(found.numpy(), right, **{"rtol": 1e-5, "atol": 1e-6, **tolerance})


def hsv(change):
    """Every pixel of X with its hue, saturation and value changed."""
    changed = [colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*pixel))) for pixel in X.reshape(-1, 3).astype(float)]
    return np.array(changed).reshape(X.shape)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "int64"])
def test_dtypes_are_scaled(dtype: str) -> None:
    top = np.iinfo(dtype).max
    found = tf.image.convert_image_dtype(X, dtype)
    np.testing.assert_array_equal(found, (X * np.float32(top + 0.5)).astype(dtype))
    close(tf.image.convert_image_dtype(found, tf.float32), found.numpy() / top, rtol=1e-6)
    for other in ("int8", "uint8", "int16", "int32"):
        bits = np.iinfo(other).max.bit_length() - int(top).bit_length()
        shifted = found.numpy().astype(object) * 2**bits if bits >= 0 else found.numpy() >> -bits
        again = tf.image.convert_image_dtype(found, other)
        assert again.dtype == other
        np.testing.assert_array_equal(again, shifted.astype(other))


def test_dtypes_at_the_ends() -> None:
    far = tf.constant([-1.0, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(tf.image.convert_image_dtype(far, tf.uint8, saturate=True), [0, 0, 255, 255])
    np.testing.assert_array_equal(
        tf.image.convert_image_dtype(tf.constant([-5, 5], tf.int8), tf.uint16, True), [0, 5 * 512]
    )
    half = tf.constant([0.0, 0.5, 1.0], tf.float16)
    np.testing.assert_array_equal(tf.image.convert_image_dtype(half, tf.uint16), [0, 32767, 65535])
    np.testing.assert_array_equal(tf.image.convert_image_dtype(half, tf.uint8), [0, 127, 255])
    assert tf.image.convert_image_dtype(half, tf.float64).dtype == tf.float64
    assert tf.image.convert_image_dtype(half, tf.bfloat16).dtype == tf.bfloat16
    for image, dtype in ((X, tf.bool), (X > 0, tf.float32)):
        with pytest.raises(AttributeError, match="is no float and no integer"):
            tf.image.convert_image_dtype(image, dtype)


def test_spaces_and_back() -> None:
    rows = X.reshape(-1, 3).astype(float)
    close(tf.image.rgb_to_yiq(X), np.array([colorsys.rgb_to_yiq(*p) for p in rows]).reshape(X.shape), atol=0.01)
    y = rows @ [0.299, 0.587, 0.114]
    yuv = np.stack([y, 0.492111 * (rows[:, 2] - y), 0.877283 * (rows[:, 0] - y)], -1).reshape(X.shape)
    close(tf.image.rgb_to_yuv(X), yuv, atol=1e-4)
    close(tf.image.yuv_to_rgb(tf.image.rgb_to_yuv(X)), X, atol=1e-5)
    close(tf.image.yiq_to_rgb(tf.image.rgb_to_yiq(X)), X, atol=1e-3)
    close(tf.image.hsv_to_rgb(tf.image.rgb_to_hsv(X)), X)
    close(tf.image.rgb_to_hsv(WHOLE)[..., 2], WHOLE.max(-1))
    close(tf.image.rgb_to_grayscale(X)[..., 0], X @ np.array([0.2989, 0.587, 0.114]))
    grey = tf.image.rgb_to_grayscale(WHOLE)
    assert grey.dtype == tf.uint8
    close(grey[..., 0], np.floor(WHOLE @ np.array([0.2989, 0.587, 0.114]) * 255.5 / 255), atol=1)
    np.testing.assert_array_equal(tf.image.grayscale_to_rgb(WHOLE[..., :1]), np.repeat(WHOLE[..., :1], 3, -1))


@pytest.mark.parametrize("delta", [-0.75, -0.2, 0.0, 0.3, 1.0])
def test_hue(delta: float) -> None:
    close(tf.image.adjust_hue(X, delta), hsv(lambda h, s, v: ((h + delta) % 1, s, v)), atol=1e-5)
    # also of values below 0 the order of the channels turns: a third of the circle moves each to the next
    low = X * 4 - 2
    close(tf.image.adjust_hue(low, 1 / 3), np.roll(low, 1, -1), atol=1e-4)
    assert tf.image.adjust_hue(WHOLE, delta).dtype == tf.uint8


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.5])
def test_saturation_contrast_brightness_gamma(factor: float) -> None:
    close(tf.image.adjust_saturation(X, factor), hsv(lambda h, s, v: (h, min(s * factor, 1), v)), atol=1e-5)
    mean = X.mean((1, 2), keepdims=True, dtype=float)
    close(tf.image.adjust_contrast(X, factor), (X - mean) * factor + mean)
    close(tf.image.adjust_contrast(X[0], tf.constant(factor)), ((X - mean) * factor + mean)[0])
    close(tf.image.adjust_brightness(X, factor), X + np.float32(factor))
    close(tf.image.adjust_gamma(X, factor, gain=3), 3.0 * X**factor)
    for function in (tf.image.adjust_contrast, tf.image.adjust_saturation, tf.image.adjust_gamma):
        whole = function(WHOLE, factor)
        assert whole.dtype == tf.uint8
        as_float = function(WHOLE / np.float32(255), factor).numpy()
        np.testing.assert_allclose(whole.numpy(), np.clip(as_float * 255.5, 0, 255), atol=1.01)
    right = np.clip(WHOLE.astype(int) + 51, 0, 255)
    np.testing.assert_allclose(tf.image.adjust_brightness(WHOLE, 0.2).numpy(), right, atol=1)


def test_standard_images() -> None:
    found = tf.image.per_image_standardization(WHOLE * 2).numpy()
    np.testing.assert_allclose(found.mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std((1, 2, 3)), 1, rtol=1e-5)
    # an image of one colour is divided by 1 / sqrt(number of pixels), and so stays 0
    flat = np.full((3, 4, 1), 7.0, "float32")
    np.testing.assert_array_equal(tf.image.per_image_standardization(flat), 0 * flat)
    nearly = flat.copy()
    nearly[0, 0] += np.float32(1e-2)
    close(tf.image.per_image_standardization(nearly), (nearly - nearly.mean()) * np.sqrt(12), atol=1e-4)


def test_compiled_with_sizes_that_are_known_when_it_runs() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3]), tf.TensorSpec([])])
    def several(x, by):
        return (
            tf.image.adjust_hue(x, by), tf.image.adjust_saturation(x, by), tf.image.adjust_contrast(x, by),
            tf.image.adjust_brightness(x, by), tf.image.adjust_gamma(x, by), tf.image.per_image_standardization(x),
            tf.image.rgb_to_grayscale(x), tf.image.convert_image_dtype(x, tf.uint8), tf.image.rgb_to_yiq(x),
        )  # fmt: skip

    for one, other in zip(several(X, 0.4), several.python_function(tf.constant(X), tf.constant(0.4)), strict=True):
        assert one.dtype == other.dtype
        close(one, other.numpy(), atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="gamma is a real number from 0 up"):
        several(X, -0.4)


def test_a_grey_pixel_has_a_gradient() -> None:
    x = tf.Variable([[[0.5, 0.5, 0.5], [0.0, 0.0, 0.0]]])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.image.adjust_hue(x, 0.1) + tf.image.adjust_saturation(x, 0.5))
    assert np.isfinite(tape.gradient(total, x).numpy()).all()


def test_images_that_are_none() -> None:
    two = X[..., :2]
    refused = [
        (lambda: tf.image.rgb_to_grayscale(two), tf.errors.InvalidArgumentError, "an image has 3 channels, on the last axis"),
        (lambda: tf.image.rgb_to_hsv(two), tf.errors.InvalidArgumentError, "an image has 3 channels"),
        (lambda: tf.image.hsv_to_rgb(two), tf.errors.InvalidArgumentError, "an image has 3 channels"),
        (lambda: tf.image.rgb_to_hsv(tf.constant(WHOLE)), tf.errors.InvalidArgumentError, "it takes floats"),
        (lambda: tf.image.rgb_to_yuv(WHOLE), TypeError, "images must be floats (images=uint8). Use tf.image"),
        (lambda: tf.image.grayscale_to_rgb(X), ValueError, "the last axis must have size 1"),
        (lambda: tf.image.adjust_hue(X, 1.5), ValueError, "delta must be within [-1, 1] (delta=1.5)"),
        (lambda: tf.image.adjust_gamma(X, -1.0), ValueError, "gamma is a real number from 0 up (gamma=-1.0)"),
        (lambda: tf.image.adjust_contrast(X[0, 0], 1.0), ValueError, "an image has at least 3 axes (image=(5, 3))"),
        (lambda: tf.image.per_image_standardization(X[0, 0]), ValueError, "an image has at least 3 axes"),
    ]  # fmt: skip
    for call, kind, text in refused:
        with pytest.raises(kind) as caught:
            call()
        assert text in str(caught.value)
