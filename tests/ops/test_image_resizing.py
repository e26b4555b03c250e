"""tf.image.resize and resize_with_pad: what the table of operations does not ask."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(5)
X = RNG.normal(size=(2, 6, 9, 3)).astype("float32")
METHODS = [value for name, value in vars(tf.image.ResizeMethod).items() if name.isupper()]


def test_bilinear_is_interpolation_between_the_middles_of_pixels() -> None:
    found = tf.image.resize(X[0, :, :1], [15, 1]).numpy()
    at = (np.arange(15) + 0.5) * 6 / 15 - 0.5
    right = np.stack([np.interp(at, np.arange(6), X[0, :, 0, c]) for c in range(3)], -1)[:, None]
    np.testing.assert_allclose(found, right, rtol=1e-5)


def test_area_and_antialias_take_means_of_whole_blocks() -> None:
    means = X.reshape(2, 3, 2, 3, 3, 3).mean((2, 4))
    np.testing.assert_allclose(tf.image.resize(X, [3, 3], "area").numpy(), means, rtol=1e-5, atol=1e-6)
    flat = np.ones((1, 8, 8, 1), "float32")
    for method in METHODS:
        for antialias in (False, True):
            found = tf.image.resize(flat, [3, 20], method, antialias=antialias).numpy()
            np.testing.assert_allclose(found, 1, rtol=1e-5, err_msg=method)


def test_dtypes_ranks_and_sizes_of_all_kinds() -> None:
    whole = (X * 50).astype("int16")
    assert tf.image.resize(whole, [4, 4], "nearest").dtype == tf.int16
    for dtype in ("uint8", "float16", "float64"):
        assert tf.image.resize(X.astype(dtype), [4, 4]).dtype == tf.float32
    one = tf.image.resize(X[0], np.array([4, 5]))
    assert one.shape == (4, 5, 3)
    for size in ((4, 5), tf.constant([4, 5]), [tf.constant(4), 5], tf.Variable([4, 5], dtype=tf.int64)):
        np.testing.assert_array_equal(tf.image.resize(X[0], size), one)
    assert tf.image.resize(X, [5, 30], preserve_aspect_ratio=True).shape == (2, 5, 8, 3)  # 9 * 5 / 6 = 7.5, to the even
    assert tf.image.resize(X, [50, 3], preserve_aspect_ratio=True).shape == (2, 2, 3, 3)


def test_a_nan_stays_near_where_it_was() -> None:
    spoiled = X.copy()
    spoiled[0, 0, 0, 0] = np.nan
    for antialias in (False, True):
        for function in (tf.image.resize, tf.function(tf.image.resize)):
            found = np.isnan(function(spoiled, [12, 18], antialias=antialias).numpy())
            assert found[0, 0, 0, 0]
            assert not found[0, 4:].any()
            assert not found[0, :, 4:].any()


def test_the_gradient_of_each_pick_is_what_it_took() -> None:
    for method in METHODS:
        x = tf.Variable(X)
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.image.resize(x, [4, 13], method))
        gradient = tape.gradient(total, x).numpy()
        # every new pixel is a mean of old ones, so that the weights of each image add up to the new pixels
        np.testing.assert_allclose(gradient.sum((1, 2)), 4 * 13, rtol=1e-5, err_msg=method)


def test_sizes_that_are_known_when_it_runs() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def several(x):
        half = tf.image.resize(x, tf.shape(x)[1:3] // 2)
        kept = tf.image.resize(x, [5, 30], preserve_aspect_ratio=True)
        return half, kept, tf.image.resize_with_pad(x, 10, tf.shape(x)[1])

    for images in (X, X[:1, :4]):
        half, kept, framed = several(images)
        height, width = images.shape[1:3]
        np.testing.assert_allclose(half, tf.image.resize(images, [height // 2, width // 2]), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            kept, tf.image.resize(images, [5, 30], preserve_aspect_ratio=True), rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(framed, tf.image.resize_with_pad(images, 10, height), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("target", [(10, 10), (3, 20), (20, 3), (6, 9), (6, 4)])
def test_an_image_in_a_frame_keeps_its_form(target: tuple[int, int]) -> None:
    found = tf.image.resize_with_pad(X, *target).numpy()
    scale = min(target[0] / 6, target[1] / 9)
    inner = [int(6 * scale + 1e-6), int(9 * scale + 1e-6)]
    top, left = (int((t - n * scale) / 2 + 1e-6) for t, n in zip(target, (6, 9)))
    right = np.zeros((2, *target, 3), "float32")
    right[:, top : top + inner[0], left : left + inner[1]] = tf.image.resize(X, inner)
    np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)
    assert tf.image.resize_with_pad(X[0], *target).shape == (*target, 3)


def test_what_cannot_be_resized() -> None:
    refused = [
        (lambda: tf.image.resize(X[0, 0], [2, 2]), ValueError, "'images' must have 3 or 4 axes (images=(9, 3))"),
        (lambda: tf.image.resize(X, [2.0, 2.0]), ValueError, "'size' must be two whole numbers (height, width)"),
        (lambda: tf.image.resize(X, tf.constant([2.0, 2.0])), ValueError, "'size' must be two whole numbers"),
        (lambda: tf.image.resize(X, [2, 2, 2]), ValueError, "'size' must hold 2 numbers"),
        (lambda: tf.image.resize(X, 2), ValueError, "'size' must hold 2 numbers"),
        (lambda: tf.image.resize(X, [0, 2]), tf.errors.InvalidArgumentError, "sizes must be above 0 (size=(0, 2))"),
        (lambda: tf.image.resize(X[:, :0], [2, 2]), tf.errors.InvalidArgumentError, "sizes must be above 0"),
        (lambda: tf.image.resize(X, [2, 2], "cubic"), ValueError, "image.resize: no such method (method=cubic); it is one of"),
        (lambda: tf.image.resize_with_pad(X, 0, 2), ValueError, "target_height must be above 0"),
    ]  # fmt: skip
    for call, kind, text in refused:
        with pytest.raises(kind) as caught:
            call()
        assert text in str(caught.value)
