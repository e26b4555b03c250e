"""Images changed at random: what each draw may give, that seeds repeat it, and that compiled it is the same."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(4)
X = RNG.uniform(0.1, 0.9, (16, 8, 8, 3)).astype("float32")
I = tf.image  # noqa: E741
CHANGES = {
    "brightness": (lambda d, seed: d(X, 0.3, seed=seed), I.random_brightness, I.stateless_random_brightness),
    "contrast": (lambda d, seed: d(X, 0.5, 2.0, seed=seed), I.random_contrast, I.stateless_random_contrast),
    "hue": (lambda d, seed: d(X, 0.4, seed=seed), I.random_hue, I.stateless_random_hue),
    "saturation": (lambda d, seed: d(X, 0.5, 2.0, seed=seed), I.random_saturation, I.stateless_random_saturation),
    "jpeg_quality": (lambda d, seed: d(X[0], 5, 95, seed=seed), I.random_jpeg_quality, I.stateless_random_jpeg_quality),
    "crop": (lambda d, seed: d(X, [16, 3, 4, 3], seed=seed), I.random_crop, I.stateless_random_crop),
    "left_right": (lambda d, seed: d(X, seed=seed), I.random_flip_left_right, I.stateless_random_flip_left_right),
    "up_down": (lambda d, seed: d(X, seed=seed), I.random_flip_up_down, I.stateless_random_flip_up_down),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_seed_repeats_and_another_changes(name: str) -> None:
    call, remembered, stateless = CHANGES[name]
    tf.random.set_seed(3)
    first, second = call(remembered, 7).numpy(), call(remembered, 7).numpy()
    assert not np.array_equal(first, second)
    tf.random.set_seed(3)
    np.testing.assert_array_equal(call(remembered, 7), first)
    one = call(stateless, [1, 2])
    np.testing.assert_array_equal(call(stateless, [1, 2]), one)
    assert any(not np.array_equal(call(stateless, [1, other]), one) for other in range(3, 9))
    np.testing.assert_allclose(tf.function(lambda seed: call(stateless, seed))(tf.constant([1, 2])), one, atol=1e-5)
    tf.random.set_seed(3)
    np.testing.assert_allclose(tf.function(lambda: call(remembered, 7))(), first, atol=1e-5)


def test_colours_change_by_numbers_within_their_ranges() -> None:
    found, factors = [], []
    mean = X[0].mean((0, 1), keepdims=True)
    for seed in range(40):
        found.append((tf.image.stateless_random_brightness(X[0], 0.3, [seed, 1]).numpy() - X[0]).mean())
        changed = tf.image.stateless_random_contrast(X[0], 0.5, 2.0, [seed, 1]).numpy()
        factors.append(((changed - mean) / (X[0] - mean)).mean())
    assert -0.3 <= min(found) < -0.15
    assert 0.15 < max(found) < 0.3
    assert 0.5 <= min(factors) < 0.8
    assert 1.7 < max(factors) < 2.0


def test_each_image_is_mirrored_or_not() -> None:
    for function, axis in ((tf.image.stateless_random_flip_left_right, 2), (tf.image.stateless_random_flip_up_down, 1)):
        mirrored = np.flip(X, axis)
        count = 0
        for seed in range(10):
            for one, plain, other in zip(function(X, [seed, 0]).numpy(), X, mirrored):
                assert np.array_equal(one, plain) or np.array_equal(one, other)
                count += np.array_equal(one, other)
        assert 50 < count < 110  # of 160, half are expected and 25 fewer or more are 4 deviations
        assert function(X[0], [1, 2]).shape == X[0].shape


def test_a_part_comes_from_everywhere() -> None:
    image = np.arange(5 * 6, dtype="int32").reshape(5, 6, 1)
    corners = set()
    for seed in range(150):
        part = tf.image.stateless_random_crop(image, [3, 4, 1], [seed, 5]).numpy()
        row, column = divmod(int(part[0, 0, 0]), 6)
        np.testing.assert_array_equal(part, image[row : row + 3, column : column + 4])
        corners.add((row, column))
    assert corners == {(row, column) for row in range(3) for column in range(3)}
    np.testing.assert_array_equal(tf.image.random_crop(image, tf.constant([5, 6, 1])), image)

    @tf.function(input_signature=[tf.TensorSpec([None, None, 1], tf.int32)])
    def cut(x):
        return tf.image.stateless_random_crop(x, [3, tf.shape(x)[1] - 2, 1], [3, 5])

    np.testing.assert_array_equal(cut(image), tf.image.stateless_random_crop(image, [3, 4, 1], [3, 5]))
    for size in ([6, 4, 1], [3, 4]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="the part must fit into the value"):
            tf.image.random_crop(image, size)


def test_a_part_holds_enough_of_a_box() -> None:
    box = np.array([[[0.5, 0.25, 0.75, 0.625]]], "float32")
    sizes = set()
    for seed in range(60):
        begin, size, part = tf.image.stateless_sample_distorted_bounding_box(
            [40, 80, 3], box, [seed, 1], min_object_covered=0.5, aspect_ratio_range=(0.5, 2.0), area_range=(0.1, 0.6)
        )
        top, left, none = begin.numpy()
        high, wide, rest = size.numpy()
        assert (none, rest, begin.dtype) == (0, -1, tf.int32)
        assert top >= 0
        assert left >= 0
        assert top + high <= 40
        assert left + wide <= 80
        if (high, wide) != (40, 80):
            assert 0.1 * 3200 <= high * wide <= 0.6 * 3200
            assert 0.45 <= wide / high <= 2.1
        covered = max(0, min(top + high, 30) - max(top, 20)) * max(0, min(left + wide, 50) - max(left, 20))
        assert covered >= 0.5 * 10 * 30
        np.testing.assert_allclose(part[0, 0], [top / 40, left / 80, (top + high) / 40, (left + wide) / 80], rtol=1e-6)
        assert tf.slice(tf.zeros([40, 80, 3]), begin, size).shape == (high, wide, 3)
        sizes.add((int(high), int(wide)))
    assert len(sizes) > 30
    tf.random.set_seed(1)
    one, other = (tf.image.sample_distorted_bounding_box([50, 80, 3], box).begin.numpy() for _ in range(2))
    assert one.tolist() != other.tolist()
    whole = tf.image.sample_distorted_bounding_box(
        [50, 80, 3], np.zeros((1, 0, 4)), max_attempts=0, use_image_if_no_bounding_boxes=True
    )
    assert whole.size.numpy().tolist() == [50, 80, -1]


@pytest.mark.parametrize("noise", ["uniform", "gaussian", "zero"])
def test_glimpses_and_what_lies_outside(noise: str) -> None:
    images = RNG.normal(3, 2, (2, 30, 40, 1)).astype("float32")
    found = tf.image.extract_glimpse(images, [60, 80], np.zeros((2, 2)), noise=noise).numpy()
    np.testing.assert_array_equal(found[:, 15:45, 20:60], images)
    outside = found[:, :15]
    if noise == "zero":
        assert not outside.any()
    else:
        assert abs(outside.mean() - (images.mean() if noise == "gaussian" else (images.min() + images.max()) / 2)) < 0.3
        if noise == "uniform":
            assert images.min() <= outside.min()
            assert outside.max() <= images.max()
        else:
            assert abs(outside.std() - images.std()) < 0.2


def test_what_is_refused() -> None:
    box = np.array([[[0.4, 0.3, 0.7, 0.6]]], "float32")
    sample = tf.image.sample_distorted_bounding_box
    refused = [
        (lambda: tf.image.random_brightness(X, -0.1), "max_delta must not be below 0 (max_delta=-0.1)"),
        (lambda: tf.image.random_hue(X, 0.6), "max_delta must be <= 0.5 (max_delta=0.6)"),
        (lambda: tf.image.random_contrast(X, 0.5, 0.5), "upper must be > lower (lower=0.5, upper=0.5)"),
        (lambda: tf.image.random_saturation(X, -1, 0.5), "lower must not be below 0"),
        (lambda: tf.image.random_jpeg_quality(X[0], 90, 20), "min_jpeg_quality must be less than max_jpeg_quality"),
        (lambda: tf.image.random_jpeg_quality(X[0], 0, 101), "qualities are from 0 to 100"),
        (lambda: tf.image.random_flip_up_down(X[0, 0]), "'image' must have 3 or 4 axes"),
        (lambda: sample([50, 80], box), "image_size is (height, width, channels)"),
        (lambda: sample([50, 80, 3], box[0]), "bounding boxes have the shape [B, N, 4]"),
        (lambda: sample([50, 80, 3], box * 2), "boxes are given in numbers from 0 to 1"),
        (lambda: sample([50, 80, 3], box[:, :0]), "Give use_image_if_no_bounding_boxes=True"),
        (lambda: sample([50, 80, 3], box, area_range=(0.5, 1.5)), "area_range must be two rising numbers above 0"),
        (lambda: sample([50, 80, 3], box, min_object_covered=1.5), "min_object_covered must be within [0, 1]"),
        (lambda: tf.image.extract_glimpse(X, [0, 2], np.zeros((16, 2))), "size must be two numbers above 0"),
        (lambda: tf.image.extract_glimpse(X, [2, 2], np.zeros((16, 2)), noise="pink"), "no such noise (noise=pink)"),
        (lambda: tf.image.extract_glimpse(X[0], [2, 2], np.zeros((16, 2))), "shapes do not fit"),
    ]  # fmt: skip
    for call, text in refused:
        with pytest.raises(ValueError) as caught:
            call()
        assert text in str(caught.value)
