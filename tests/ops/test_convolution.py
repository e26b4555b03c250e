"""Convolutions and pooling as models use them: unknown sizes, compiled steps, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.ops import convolution

RNG = np.random.default_rng(5)
IMAGES = RNG.normal(size=(3, 6, 6, 2)).astype("float32")
FILTERS = RNG.normal(size=(3, 3, 2, 4)).astype("float32")


def test_a_network_gives_one_gradient_eager_and_compiled() -> None:
    filters, dense = tf.Variable(FILTERS), tf.Variable(RNG.normal(size=(36, 1)).astype("float32"))

    def step(x):
        with tf.GradientTape() as tape:
            h = tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(x, filters, 1, "SAME")), 2, 2, "VALID")
            loss = tf.reduce_mean(tf.square(tf.reshape(h, [-1, 36]) @ dense))
        return [loss, *tape.gradient(loss, [filters, dense])]

    compiled = tf.function(step, input_signature=[tf.TensorSpec([None, 6, 6, 2])])
    for eager, other in zip(step(tf.constant(IMAGES)), compiled(IMAGES), strict=True):
        np.testing.assert_allclose(eager.numpy(), other.numpy(), rtol=1e-4, atol=1e-5)


def test_a_transpose_takes_the_batch_size_from_its_input() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 3, 3, 4])])
    def grow(x):
        sizes = tf.shape(x)
        y = tf.nn.conv2d_transpose(x, FILTERS, tf.stack([sizes[0], sizes[1] * 2, 6, 2]), 2)
        return y, tf.nn.conv2d_transpose(x, FILTERS, [sizes[0], sizes[1] * 2, 6, 2], 2)

    x = RNG.normal(size=(5, 3, 3, 4)).astype("float32")
    right = tf.nn.conv2d_transpose(x, FILTERS, [5, 6, 6, 2], 2).numpy()
    for found in grow(x):
        np.testing.assert_allclose(found.numpy(), right, rtol=1e-5, atol=1e-5)


def test_the_transpose_is_the_derivative_of_the_convolution() -> None:
    x = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.nn.conv2d(x, FILTERS, 2, "SAME")
    back = RNG.normal(size=y.shape).astype("float32")
    right = tape.gradient(y, x, output_gradients=tf.constant(back)).numpy()
    np.testing.assert_allclose(tf.nn.conv2d_transpose(back, FILTERS, x.shape, 2).numpy(), right, rtol=1e-4, atol=1e-5)


def test_of_equal_values_the_first_gets_the_derivative() -> None:
    for ksize, strides, right in ((2, 2, [[1, 0], [0, 0]]), (3, 1, [[1, 1], [1, 1]])):
        x = tf.zeros([1, 4, 4, 1])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.nn.max_pool2d(x, ksize, strides, "VALID"))
        assert tape.gradient(y, x).numpy()[0, :2, :2, 0].tolist() == right


def test_half_precision_sums_in_single() -> None:
    x = tf.cast(tf.fill([1, 1, 1, 4096], 0.1), tf.float16)
    w = tf.ones([1, 1, 4096, 1], tf.float16)
    one = float(np.float16(0.1)) * 4096
    assert tf.nn.conv2d(x, w, 1, "VALID").dtype is tf.float16
    np.testing.assert_allclose(tf.nn.conv2d(x, w, 1, "VALID").numpy().item(), one, rtol=1e-3)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: tf.nn.conv2d(IMAGES, FILTERS[:, :, :, 0], 1, "SAME"), "conv2d: the ranks do not fit"),
        (lambda: tf.nn.conv2d(IMAGES, np.ones((3, 3, 3, 4), "f"), 1, "SAME"), "conv2d: the channels do not fit"),
        (lambda: tf.nn.depthwise_conv2d(IMAGES, np.ones((3, 3, 3, 1), "f"), [1] * 4, "SAME"), "channels do not fit"),
        (lambda: tf.nn.conv2d_transpose(IMAGES, np.ones((3, 3, 1, 2), "f"), [3, 9, 6, 1], 1), "would not give"),
        (lambda: tf.nn.conv2d_transpose(IMAGES, np.ones((3, 3, 1, 3), "f"), [3, 6, 6, 1], 1), "channels of the input"),
        (lambda: tf.nn.conv2d_transpose(IMAGES, np.ones((3, 3, 1, 2), "f"), [3, 6, 6, 5], 1), "channels of the output"),
        (lambda: tf.nn.max_pool2d(IMAGES[0], 2, 2, "SAME"), "max_pool2d: too few axes"),
    ],
)
def test_shapes_that_do_not_fit(call, told: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=told):
        call()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, 1, "EQUAL"), "no padding"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, 1, [[1, 1]]), "padding does not fit"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, [2, 1, 1, 1], "SAME"), "strides along batch"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, [1, 2, 3], "SAME"), "strides does not fit"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, 0, "SAME"), "must be positive"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, 1, "SAME", data_format="HWCN"), "no data format"),
        (lambda: tf.nn.pool(IMAGES, 2, "MEAN"), "no kind of pooling"),
    ],
)
def test_settings_that_mean_nothing(call, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()


@pytest.mark.parametrize(("strides", "dilations"), [(1, 1), (2, 1), (1, 2)])
def test_xlas_own_convolution_is_taken_outside_of_loops_alone(monkeypatch, strides: int, dilations: int) -> None:
    taken = []
    by_engine = convolution._by_engine
    monkeypatch.setattr(convolution, "_by_engine", lambda *a: taken.append(1) or by_engine(*a))
    x = tf.constant(RNG.normal(size=(2, 13, 12, 2)).astype("float32"))
    filters = tf.constant(RNG.normal(size=(5, 4, 2, 3)).astype("float32"))

    def step(x, filters):
        with tf.GradientTape() as tape:
            tape.watch([x, filters])
            loss = tf.reduce_mean(tf.square(tf.nn.conv2d(x, filters, strides, "SAME", dilations=dilations)))
        return loss, *tape.gradient(loss, [x, filters])

    @tf.function
    def once(x, filters):
        return step(x, filters)

    @tf.function
    def looped(x, filters):
        loss, by_x, by_filters = tf.constant(0.0), tf.zeros_like(x), tf.zeros_like(filters)
        for _ in tf.range(2):
            loss, by_x, by_filters = step(x, filters)
            x, filters = x + 0.0, filters + 0.0
        return loss, by_x, by_filters

    expected = step(x, filters)
    taken.clear()
    for result, right in zip(looped(x, filters), expected, strict=True):
        np.testing.assert_allclose(result.numpy(), right.numpy(), rtol=1e-4, atol=1e-5)
    assert not taken
    for result, right in zip(once(x, filters), expected, strict=True):
        np.testing.assert_allclose(result.numpy(), right.numpy(), rtol=1e-4, atol=1e-5)
    assert taken


def test_a_run_of_training_steps_takes_the_matrix_product(monkeypatch) -> None:
    def refused(*arguments):
        raise AssertionError("XLA's own convolution in a loop")

    class Filtered(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.filters = self.add_weight(name="filters", shape=(5, 5, 1, 2), initializer="ones")

        def call(self, x):
            return tf.reduce_sum(tf.nn.conv2d(x, self.filters, 1, "SAME"), [1, 2])

    model = Filtered()
    model.compile(loss="mse", optimizer="sgd")
    monkeypatch.setattr(convolution, "_by_engine", refused)
    model.fit(np.ones((4, 6, 6, 1), "float32"), np.zeros((4, 2), "float32"), batch_size=2, epochs=1, verbose=0)
