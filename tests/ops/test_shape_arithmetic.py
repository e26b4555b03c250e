"""Shapes and places as tensors."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_shapes_of_a_program_broadcast() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([None, 1])])
    def both(x, y):
        return tf.broadcast_to(x, tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y)))

    assert both(tf.ones([1, 3]), tf.ones([4, 1])).shape == (4, 3)


def test_shapes_that_do_not_broadcast() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"do not broadcast \(shape_x=\[2\], shape_y=\[3\]\)"):
        tf.broadcast_dynamic_shape([2], [3])
    assert tf.broadcast_dynamic_shape(tf.constant([2], tf.int64), [1]).dtype == tf.int64
    assert tf.broadcast_dynamic_shape([2, 1], tf.constant([3], tf.int64)).dtype == tf.int64


def test_places_are_those_of_numpy() -> None:
    places = np.arange(24, dtype="int64")
    np.testing.assert_array_equal(tf.unravel_index(places, [2, 3, 4]), np.unravel_index(places, (2, 3, 4)))
    assert tf.unravel_index(5, [3, 3]).numpy().tolist() == [1, 2]
    compiled = tf.function(lambda i, d: tf.unravel_index(i, d))
    np.testing.assert_array_equal(compiled(places, np.int64([2, 3, 4])), np.array(np.unravel_index(places, (2, 3, 4))))


def test_places_that_are_not_there() -> None:
    for index, dims in ((9, [3, 3]), (-1, [3, 3]), (0, [0, 3])):
        with pytest.raises(tf.errors.InvalidArgumentError, match="a place is out of range"):
            tf.unravel_index([index], dims)
    with pytest.raises(tf.errors.InvalidArgumentError, match="a scalar or a vector"):
        tf.unravel_index([[1]], [3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="vector of known length"):
        tf.unravel_index([1], 3)


def test_paddings_make_whole_blocks() -> None:
    paddings, crops = tf.required_space_to_batch_paddings([5, 4], [2, 3], [[1, 0], [0, 2]])
    assert (paddings.numpy().tolist(), crops.numpy().tolist()) == ([[1, 0], [0, 2]], [[0, 0], [0, 0]])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_a_dilated_convolution_is_one_of_every_other_place(padding: str) -> None:
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(2, 7, 6, 3)).astype("f"), rng.normal(size=(3, 2, 3, 4)).astype("f")
    found = tf.nn.with_space_to_batch(x, [2, 3], padding, lambda x, _, p: tf.nn.conv2d(x, w, 1, p), filter_shape=[3, 2])
    np.testing.assert_allclose(found, tf.nn.conv2d(x, w, 1, padding, dilations=[2, 3]), rtol=1e-4, atol=1e-5)


def test_rates_of_some_axes_only() -> None:
    x = np.random.default_rng(6).normal(size=(1, 4, 9, 2)).astype("f")
    found = tf.nn.with_space_to_batch(
        x, [3], "VALID", lambda x, _, p: tf.nn.max_pool2d(x, [1, 2], 1, p), spatial_dims=[2]
    )
    np.testing.assert_array_equal(found, np.maximum(x[:, :, :-3], x[:, :, 3:]))
    assert tf.nn.with_space_to_batch(x, [1], "VALID", lambda x, n, p: (n, p)) == (1, "VALID")
    for rate, axes, message in (([0], None, "below 1"), ([2], [0], "from 1 up"), ([2, 2], [2, 1], "must rise")):
        with pytest.raises(ValueError, match=message):
            tf.nn.with_space_to_batch(x, rate, "VALID", lambda x, n, p: x, spatial_dims=axes)
    with pytest.raises(ValueError, match="needs filter_shape"):
        tf.nn.with_space_to_batch(x, [2], "SAME", lambda x, n, p: x)
