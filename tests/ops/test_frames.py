"""Frames where the sweep does not look: sizes known late, many blocks, derivatives, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

rng = np.random.default_rng(5)


@pytest.mark.parametrize(("length", "step"), [(6, 2), (7, 3), (70, 1), (3, 5), (50, 50)])
def test_a_compiled_program_of_any_size(length: int, step: int) -> None:
    """Also where a frame is of more blocks than XLA takes as slices, and where no frame fits the sizes that stand in."""

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float64)])
    def f(x):
        frames = tf.signal.frame(x, length, step)
        assert frames.shape == (None, None, length)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(tf.signal.frame(x, length, step, pad_end=True) ** 2)
        return frames, tape.gradient(total, x), tf.signal.overlap_and_add(frames, step)

    x = rng.normal(size=(2, 200))
    frames, gradient, back = f(x)
    count = (200 - length) // step + 1
    np.testing.assert_array_equal(frames, [[row[i * step :][:length] for i in range(count)] for row in x])
    # each sample counts as often as it stands in a frame, also those that reach past the end
    often = [sum(s <= t < s + length for s in range(0, 200, step)) for t in range(200)]
    np.testing.assert_allclose(gradient, 2 * x * often)
    whole = np.array([sum(s <= t < s + length for s in range(0, count * step, step)) for t in range(back.shape[-1])])
    np.testing.assert_allclose(back, x[:, : len(whole)] * whole)


def test_lengths_and_steps_that_only_the_running_program_knows() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def f(x):
        half = tf.shape(x)[0] // 2
        frames = tf.signal.frame(x, half, half - 1)
        assert frames.shape == (None, None)
        return frames, tf.signal.overlap_and_add(frames, half - 1)

    frames, back = f(tf.range(8))
    np.testing.assert_array_equal(frames, [[0, 1, 2, 3], [3, 4, 5, 6]])
    np.testing.assert_array_equal(back, [0, 1, 2, 6, 4, 5, 6])


def test_other_dtypes() -> None:
    assert tf.signal.frame(["a", "b", "c"], 2, 2, pad_end=True).numpy().tolist() == [[b"a", b"b"], [b"c", b""]]
    assert tf.signal.frame([True, True, True], 2, 2, pad_end=True).numpy().tolist() == [[True, True], [True, False]]
    assert tf.signal.frame([1, 2, 3], 2, 2, pad_end=True, pad_value=tf.constant(9)).numpy().tolist() == [[1, 2], [3, 9]]
    assert tf.signal.frame([1, 2, 3], 2, 2, pad_end=True, pad_value=8).numpy().tolist() == [[1, 2], [3, 8]]


def test_frames_that_share_memory_are_not_written_to() -> None:
    x = np.arange(5.0)
    frames = tf.signal.frame(x, 3, 1)
    x[:] = 0
    np.testing.assert_array_equal(frames, [[0, 1, 2], [1, 2, 3], [2, 3, 4]])
    mine = frames.numpy()
    if mine.flags.writeable:
        mine[0, 1] = 7
    np.testing.assert_array_equal(frames, [[0, 1, 2], [1, 2, 3], [2, 3, 4]])
    # by way of the buffer, which knows strides
    np.testing.assert_array_equal(np.asarray(memoryview(np.asarray(frames))), frames)


def test_of_no_frames() -> None:
    assert tf.signal.frame([1.0, 2.0], 5, 2).shape == (0, 5)
    assert tf.signal.overlap_and_add(tf.zeros([0, 4]), 2).shape == (0,)
    np.testing.assert_array_equal(tf.signal.overlap_and_add(tf.zeros([3, 0]), 2), np.zeros(4))
    assert tf.signal.overlap_and_add(tf.keras.Input([None, 4]), 2).shape == (None, None)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: tf.signal.frame([1.0], 2.0, 1), "frame: frame_length is no whole number"),
        (lambda: tf.signal.frame([1.0], [2], 1), "frame: frame_length is no whole number"),
        (lambda: tf.signal.frame([1.0], 2, 0), "frames have at least 0 samples and are at least 1 apart, not 2 and 0"),
        (
            lambda: tf.signal.frame([1.0], -2, 1),
            "frames have at least 0 samples and are at least 1 apart, not -2 and 1",
        ),
        (lambda: tf.signal.frame([1.0], 1, 1, axis=1), "there is no axis 1 among 1"),
        (lambda: tf.signal.frame(1.0, 1, 1), "a signal has at least one axis"),
        (lambda: tf.signal.frame([1, 2], 1, 1, True, 0.5), "0.5"),
        (lambda: tf.signal.overlap_and_add([1.0], 1), "frames have at least 2 axes, not 1"),
        (lambda: tf.signal.overlap_and_add([[1.0]], 0), "frames are at least 1 sample apart, not 0"),
        (lambda: tf.signal.overlap_and_add([[1.0]], 0.5), "overlap_and_add: frame_step is no whole number"),
    ],
)
def test_refusals(call, told: str) -> None:
    with pytest.raises((ValueError, TypeError), match=told):
        call()
