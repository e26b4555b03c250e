"""New tensors: constants, fills, ranges, identities, one-hot rows."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_constants_take_a_dtype_and_a_shape() -> None:
    assert tf.constant([1, 2, 3, 4], shape=(2, 2)).numpy().tolist() == [[1, 2], [3, 4]]
    assert tf.constant(5, shape=[2, 1]).numpy().tolist() == [[5], [5]]
    assert tf.constant(5, tf.float16).dtype is tf.float16
    assert tf.constant(np.array([1.0, 2.0])).dtype is tf.float64
    with pytest.raises(TypeError, match=r"^constant: 3 elements do not fill the shape \(2, 2\)\.$"):
        tf.constant([1, 2, 3], shape=(2, 2))


def test_filled_tensors() -> None:
    assert tf.zeros([2, 2], tf.int64).numpy().tolist() == [[0, 0], [0, 0]]
    assert tf.zeros([2], tf.string).numpy().tolist() == [b"", b""]
    assert tf.zeros([]).shape == ()
    assert tf.ones(3).shape == (3,)
    assert tf.ones((1, 2), tf.bool).numpy().tolist() == [[True, True]]
    assert tf.fill([2], "a").numpy().tolist() == [b"a", b"a"]
    assert tf.fill(tf.constant([2]), 2.5).dtype is tf.float32
    assert tf.zeros_like([1, 2], dtype=tf.float32).dtype is tf.float32
    assert tf.zeros_like(["a"]).numpy().tolist() == [b""]
    assert tf.ones_like(tf.Variable([[2.0]])).numpy().tolist() == [[1]]


def test_a_filled_tensor_can_not_be_changed_through_its_array() -> None:
    tensor = tf.fill([3], 1.0)
    tensor.numpy()[0] = 5
    assert tensor.numpy().tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "expected", "dtype"),
    [((5,), [0, 1, 2, 3, 4], tf.int32), ((1, 4), [1, 2, 3], tf.int32), ((5, 0, -2), [5, 3, 1], tf.int32),
     ((1.0, 2.0, 0.5), [1.0, 1.5], tf.float32), ((3, 3), [], tf.int32), ((2.5,), [0, 1, 2], tf.float32),
     ((np.int64(3),), [0, 1, 2], tf.int64), ((0, 1.0, 0.5), [0, 0.5], tf.float32)],
)  # fmt: skip
def test_ranges(arguments: tuple, expected: list, dtype: tf.DType) -> None:
    result = tf.range(*arguments)
    assert result.numpy().tolist() == expected
    assert result.dtype is dtype


def test_ranges_take_dtypes_and_tensors() -> None:
    assert tf.range(3, dtype=tf.float32).numpy().tolist() == [0, 1, 2]
    assert tf.range(tf.constant(3)).shape == (3,)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^range: the step is 0 \(start=1, limit=3, delta=0\)\.$"):
        tf.range(1, 3, 0)


def test_evenly_spaced_numbers_end_exactly() -> None:
    assert tf.linspace(0.0, 0.3, 4).numpy()[-1] == np.float32(0.3)
    np.testing.assert_allclose(tf.linspace(-1.0, 2.0, 7).numpy(), np.linspace(-1, 2, 7), rtol=1e-6)
    assert tf.linspace([0.0, 1.0], [1.0, 3.0], 3, axis=-1).numpy().tolist() == [[0, 0.5, 1], [1, 2, 3]]
    assert tf.linspace(0.0, 1.0, 0).shape == (0,)
    with pytest.raises(tf.errors.InvalidArgumentError, match="num must be at least 0"):
        tf.linspace(0.0, 1.0, -1)


def test_identities() -> None:
    assert tf.eye(2, 3).numpy().tolist() == [[1, 0, 0], [0, 1, 0]]
    assert tf.eye(2, batch_shape=[3, 1], dtype=tf.int32).shape == (3, 1, 2, 2)


def test_one_hot_rows() -> None:
    assert tf.one_hot(2, 3).numpy().tolist() == [0, 0, 1]
    assert tf.one_hot([1], 2, on_value=5, off_value=-1).numpy().tolist() == [[-1, 5]]
    assert tf.one_hot([0, 1], 2, dtype=tf.bool).numpy().tolist() == [[True, False], [False, True]]
    assert tf.one_hot([[0], [1]], 3, axis=0).shape == (3, 2, 1)
    assert tf.one_hot(tf.constant([200], tf.uint8), 256).numpy().argmax() == 200


def test_casts() -> None:
    assert tf.cast([1.9, -1.9], tf.int32).numpy().tolist() == [1, -1]
    assert tf.cast([300.0, -300.0, float("nan"), float("inf")], tf.int8).numpy().tolist() == [127, -128, 0, 127]
    assert tf.cast([0.0, 0.5], tf.bool).numpy().tolist() == [False, True]
    assert tf.cast(True, "float32").numpy() == 1
    assert tf.cast([1 + 2j], tf.float64).numpy().tolist() == [1]
    assert tf.cast(tf.constant([257]), tf.uint8).numpy().tolist() == [1]
    assert tf.saturate_cast(tf.constant([257, -1]), tf.uint8).numpy().tolist() == [255, 0]
    assert tf.saturate_cast([1e30], tf.float16).numpy().tolist() == [65504]
    tensor = tf.constant([1.0])
    assert tf.cast(tensor, tf.float32) is tensor
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^cast: it does not take string"):
        tf.cast("1", tf.int32)
    assert tf.bitcast(tf.constant([-1], tf.int32), tf.uint32).numpy().tolist() == [2**32 - 1]
    with pytest.raises(ValueError, match="the last axis must have size 2, as 2 elements make one of float64"):
        tf.bitcast([1.0], tf.float64)


def test_a_cast_to_integers_and_back_has_no_derivative() -> None:
    x = tf.Variable([1.5, 2.5])
    with tf.GradientTape(persistent=True) as tape:
        whole = tf.reduce_sum(tf.cast(tf.cast(x, tf.int32), tf.float32))
        wide = tf.reduce_sum(tf.cast(x, tf.float64) ** 2)
    assert tape.gradient(whole, x) is None
    assert tape.gradient(wide, x).dtype is tf.float32
    assert tape.gradient(wide, x).numpy().tolist() == [3, 5]


def test_a_stopped_gradient_is_a_constant() -> None:
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * tf.stop_gradient(x * x)
        z = tf.stop_gradient(x)
    assert tape.gradient(y, x).numpy() == 9
    assert tape.gradient(z, x) is None


def test_bfloat16_is_a_dtype_like_others() -> None:
    x = tf.cast([1.0, 2.5], tf.bfloat16)
    assert (x + x).dtype is tf.bfloat16
    assert (x * 2.0).dtype is tf.bfloat16
    assert tf.cast(tf.reduce_mean(x), tf.float32).numpy() == 1.75
    assert tf.cast(tf.tanh(x), tf.float32).shape == (2,)
