"""Images cut, padded, mirrored and turned, against slices of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

X = np.arange(2 * 5 * 7 * 3, dtype="int32").reshape(2, 5, 7, 3)


def same(found, right) -> None:
    np.testing.assert_array_equal(found.numpy(), right)
    assert found.dtype == right.dtype.name


def test_cut_and_padded() -> None:
    same(tf.image.crop_to_bounding_box(X, 1, 2, 3, 4), X[:, 1:4, 2:6])
    same(tf.image.crop_to_bounding_box(X[0], 0, 0, 5, 7), X[0])
    same(tf.image.pad_to_bounding_box(X, 1, 2, 8, 10), np.pad(X, [(0, 0), (1, 2), (2, 1), (0, 0)]))
    same(tf.image.pad_to_bounding_box(X[0], 0, 0, 5, 7), X[0])
    for fraction, cut in ((1.0, X), (0.5, X[:, 1:-1, 1:-1]), (0.34, X[:, 1:-1, 2:-2]), (0.1, X[:, 2:-2, 3:-3])):
        same(tf.image.central_crop(X, fraction), cut)
        same(tf.image.central_crop(X[0], tf.constant(fraction)), cut[0])


def test_cut_or_padded_to_a_size() -> None:
    for height in range(1, 11):
        for width in (1, 6, 7, 8, 12):
            top, left = abs(height - 5) // 2, abs(width - 7) // 2
            if height <= 5:
                right = X[:, top : top + height]
            else:
                right = np.pad(X, [(0, 0), (top, height - 5 - top), (0, 0), (0, 0)])
            if width <= 7:
                right = right[:, :, left : left + width]
            else:
                right = np.pad(right, [(0, 0), (0, 0), (left, width - 7 - left), (0, 0)])
            same(tf.image.resize_with_crop_or_pad(X, height, width), right)


def test_mirrored_and_turned() -> None:
    same(tf.image.flip_left_right(X), X[:, :, ::-1])
    same(tf.image.flip_up_down(X[0]), X[0, ::-1])
    same(tf.image.transpose(X), X.swapaxes(1, 2))
    same(tf.image.transpose(X[0]), X[0].swapaxes(0, 1))
    for k in range(-3, 6):
        same(tf.image.rot90(X, k), np.rot90(X, k, (1, 2)))
        same(tf.image.rot90(X[1], tf.constant(k)), np.rot90(X[1], k))


def test_what_is_known_when_it_runs() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.int32), tf.TensorSpec([], tf.int32)])
    def several(x, k):
        return (
            tf.image.crop_to_bounding_box(x, k, k - 1, 3, 4),
            tf.image.pad_to_bounding_box(x, k, 0, 9, 9),
            tf.image.resize_with_crop_or_pad(x, 4, tf.shape(x)[2] + 3),
            tf.image.central_crop(x, 0.5),
            tf.image.rot90(x[:, :4, :4] if x.shape[1] else tf.ensure_shape(x[:, :4, :4], [None, 4, 4, 3]), k),
            tf.image.flip_left_right(x),
        )

    for k in (1, 2):
        found = several(X, k)
        right = [
            X[:, k : k + 3, k - 1 : k + 3], np.pad(X, [(0, 0), (k, 4 - k), (0, 2), (0, 0)]),
            np.pad(X, [(0, 0), (0, 0), (1, 2), (0, 0)])[:, :4], X[:, 1:-1, 1:-1], np.rot90(X[:, :4, :4], k, (1, 2)),
            X[:, :, ::-1],
        ]  # fmt: skip
        for one, other in zip(found, right, strict=True):
            same(one, other)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"height must be >= target \+ offset"):
        several(X, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="height and width must be the same number"):
        tf.function(tf.image.rot90)(X, tf.constant(1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="it must be known when the function is traced"):
        tf.function(tf.image.central_crop)(X, tf.constant(0.5))


def test_gradients_go_back_to_where_pixels_came_from() -> None:
    x = tf.Variable(X.astype("float32"))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.image.resize_with_crop_or_pad(x, 3, 9))
    right = np.zeros(X.shape, "float32")
    right[:, 1:4] = 1
    np.testing.assert_array_equal(tape.gradient(total, x), right)


def test_frames_that_do_not_fit() -> None:
    crop, pad, patches = tf.image.crop_to_bounding_box, tf.image.pad_to_bounding_box, tf.image.extract_patches
    refused = [
        (lambda: crop(X, -1, 0, 2, 2), "the frame does not fit (offset_height=-1); offset_height must be >= 0."),
        (lambda: crop(X, 0, -1, 2, 2), "offset_width must be >= 0"),
        (lambda: crop(X, 0, 0, 0, 2), "target_height must be > 0"),
        (lambda: crop(X, 0, 0, 2, 0), "target_width must be > 0"),
        (lambda: crop(X, 3, 0, 3, 2), "(height=5, offset_height=3, target_height=3); height must be >= target + offset"),
        (lambda: crop(X, 0, 6, 2, 2), "width must be >= target + offset"),
        (lambda: pad(X, -1, 0, 9, 9), "offset_height must be >= 0"),
        (lambda: pad(X, 0, -1, 9, 9), "offset_width must be >= 0"),
        (lambda: pad(X, 5, 0, 9, 9), "height must be <= target - offset"),
        (lambda: pad(X, 0, 3, 9, 9), "width must be <= target - offset"),
        (lambda: tf.image.resize_with_crop_or_pad(X, 0, 1), "target_height must be > 0"),
        (lambda: tf.image.central_crop(X, 0.0), "central_fraction must be within (0, 1]"),
        (lambda: tf.image.central_crop(X, 1.5), "central_fraction must be within (0, 1]"),
        (lambda: tf.image.flip_left_right(X[0, 0]), "'image' must have 3 or 4 axes (image=(7, 3))"),
        (lambda: tf.image.rot90(X[None]), "'image' must have 3 or 4 axes"),
        (lambda: patches(X, [1, 2, 2, 2], [1, 1, 1, 1], [1, 1, 1, 1], "SAME"), "sizes must be [1, rows, columns, 1]"),
        (lambda: patches(X, [1, 2, 2, 1], [1, 0, 1, 1], [1, 1, 1, 1], "SAME"), "strides must be [1, rows, columns, 1]"),
        (lambda: patches(X, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "FULL"), "no padding (padding=FULL)"),
        (lambda: patches(X[0], [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME"), "images have four axes"),
    ]  # fmt: skip
    for call, text in refused:
        with pytest.raises(ValueError) as caught:
            call()
        assert text in str(caught.value)
