"""TensorFlow's own initializers."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_constants_take_the_dtype_of_their_value() -> None:
    assert tf.constant_initializer(2)([2, 2]).dtype == tf.int32
    assert tf.constant_initializer(2)([2], tf.float64).dtype == tf.float64
    assert tf.constant_initializer([[1.0, 2.0]])([2, 1]).numpy().tolist() == [[1.0], [2.0]]
    with pytest.raises(TypeError, match="3 elements do not fill the shape"):
        tf.constant_initializer([1, 2, 3])([2, 2])


@pytest.mark.parametrize("kind", [tf.zeros_initializer, tf.ones_initializer])
def test_zeros_and_ones_are_of_every_dtype_of_numbers(kind) -> None:
    value = 1 if kind is tf.ones_initializer else 0
    for dtype in (tf.float32, tf.bfloat16, tf.int8, tf.bool, tf.complex64):
        found = kind()([3], dtype)
        assert found.dtype == dtype
        assert (found.numpy() == value).all()
    with pytest.raises(ValueError, match="must be numeric or bool"):
        kind()([1], tf.string)
    assert kind.from_config({"dtype": "float32"})([1]).shape == (1,)


def test_draws_follow_seeds() -> None:
    for kind in (tf.random_normal_initializer, tf.random_uniform_initializer):
        seeded = kind(seed=3)
        assert (seeded([4]).numpy() == kind.from_config(seeded.get_config())([4]).numpy()).all()
        free = kind()
        assert (free([4]).numpy() != free([4]).numpy()).any()
    drawn = tf.random_normal_initializer(5.0, 0.5, seed=1)([10_000]).numpy()
    assert abs(drawn.mean() - 5) < 0.02
    assert abs(drawn.std() - 0.5) < 0.01
    whole = tf.random_uniform_initializer(0, 10, seed=1)([1000], tf.int32).numpy()
    assert (whole.min(), whole.max()) == (0, 9)
    with pytest.raises(ValueError, match="must be a float"):
        tf.random_normal_initializer()([2], tf.int32)
    with pytest.raises(ValueError, match="must be numeric"):
        tf.random_uniform_initializer()([2], tf.bool)


def test_they_serve_variables_layers_and_parts() -> None:
    v = tf.Variable(tf.ones_initializer()([2], tf.float64))
    assert v.dtype == tf.float64
    layer = tf.keras.layers.Dense(3, kernel_initializer=tf.constant_initializer(2.0))
    layer.build((None, 2))
    assert (layer.kernel.numpy() == 2).all()
    assert tf.zeros_initializer()([4, 4], partition_shape=[2, 4], partition_offset=[0, 0]).shape == (2, 4)
    with pytest.raises(TypeError, match="no such arguments"):
        tf.zeros_initializer()([1], colour="red")
    with pytest.raises(ValueError, match="Set support_partition"):
        tf.constant_initializer(1)([4], partition_shape=[2])
    np.testing.assert_array_equal(tf.constant_initializer(1, support_partition=True)([4], partition_shape=[2]), [1, 1])
