"""Reductions: axes and dtypes drawn at random, integers, ties, empty tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tensorsmith as tf
import tensorsmith.public.math  # registers what is asked here
from tensorsmith.tensor.apply import functions

quick = settings(max_examples=25, deadline=None, derandomize=True, database=None)
NUMPY = {
    "reduce_sum": np.sum, "reduce_prod": np.prod, "reduce_max": np.max, "reduce_min": np.min, "reduce_mean": np.mean,
    "reduce_variance": np.var, "reduce_std": np.std,
}  # fmt: skip


@quick
@given(st.data(), st.sampled_from(sorted(NUMPY)), st.sampled_from(["float32", "float64"]), st.booleans())
def test_any_axes_of_any_shape(data: Any, name: str, dtype: str, keepdims: bool) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4))
    x = data.draw(hnp.arrays(dtype, shape, elements=st.floats(-2, 2, width=16)))
    one = st.integers(-len(shape), len(shape) - 1) if shape else st.none()
    axes = st.one_of(st.none(), hnp.valid_tuple_axes(len(shape)), one)
    axis = data.draw(axes)
    result = functions[name](tf.constant(x), axis=axis, keepdims=keepdims).numpy()
    expected = NUMPY[name](x.astype("float64"), axis=axis, keepdims=keepdims)
    assert result.dtype == dtype
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


@quick
@given(
    hnp.arrays(
        st.sampled_from(["int8", "int32", "uint8", "int64"]), hnp.array_shapes(max_dims=3), elements=st.integers(0, 9)
    ),
    st.sampled_from(["reduce_sum", "reduce_max", "reduce_min"]),
)
def test_integers_keep_their_dtype(x: np.ndarray, name: str) -> None:
    result = functions[name](tf.constant(x), axis=-1).numpy()
    assert result.dtype == x.dtype
    assert (result == NUMPY[name](x.astype("int64"), axis=-1).astype(x.dtype)).all()


def test_the_mean_of_integers_is_a_whole_number() -> None:
    assert tf.reduce_mean([1, 2, 4]).numpy() == 2
    assert tf.reduce_mean([-1, -2, -4]).numpy() == -2
    assert tf.reduce_mean(tf.constant([250, 250], tf.uint8)).numpy() == 250


def test_sixteen_bit_means_do_not_overflow() -> None:
    x = tf.fill([4096], tf.constant(60000.0, tf.float16))
    assert tf.reduce_mean(x).numpy() == 60000
    assert tf.math.reduce_std(x).numpy() == 0


def test_reductions_of_nothing() -> None:
    empty = tf.zeros([0, 3])
    assert tf.reduce_sum(empty).numpy() == 0
    assert tf.reduce_prod(empty, axis=0).numpy().tolist() == [1, 1, 1]
    assert tf.reduce_max(empty, axis=0).numpy().tolist() == [-np.inf] * 3
    assert tf.reduce_min(empty, axis=0).numpy().tolist() == [np.inf] * 3
    assert tf.reduce_max(tf.zeros([0], tf.int32)).numpy() == tf.int32.min
    assert np.isnan(tf.reduce_mean(empty).numpy())
    assert tf.reduce_logsumexp(empty).numpy() == -np.inf
    assert tf.reduce_sum(empty, axis=1).shape == (0,)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^argmax: "):
        tf.argmax(empty, axis=0)


def gradient(function: Any, values: list[float]) -> list[float]:
    v = tf.Variable(values)
    with tf.GradientTape() as tape:
        y = function(v)
    return tape.gradient(y, v).numpy().tolist()


def test_equal_extremes_share_the_derivative() -> None:
    assert gradient(tf.reduce_max, [1.0, 3.0, 3.0]) == [0, 0.5, 0.5]
    assert gradient(tf.reduce_min, [1.0, 1.0, 3.0]) == [0.5, 0.5, 0]


def test_logsumexp_of_infinities() -> None:
    inf = float("inf")
    assert tf.reduce_logsumexp([-inf, -inf]).numpy() == -inf
    assert tf.reduce_logsumexp([inf, 0.0]).numpy() == inf
    assert tf.reduce_logsumexp([-inf, 0.0]).numpy() == 0
    assert gradient(tf.reduce_logsumexp, [-inf, 0.0, 0.0]) == [0, 0.5, 0.5]


def test_places_of_extremes() -> None:
    x = [[1.0, 5.0, 5.0], [7.0, 2.0, 7.0]]
    assert tf.argmax(x, axis=1).numpy().tolist() == [1, 0]
    assert tf.argmax(x).numpy().tolist() == [1, 0, 1]
    assert tf.argmax(x).dtype is tf.int64
    assert tf.argmin(x, axis=-1, output_type=tf.int32).dtype is tf.int32
    assert tf.argmax([1.0, float("nan"), 2.0]).numpy() == 1


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_gradient_of_a_running_logsumexp(exclusive: bool, reverse: bool) -> None:
    x = np.array([0.5, -1.0, 2.0])

    def total(v: np.ndarray) -> float:
        row = v[::-1] if reverse else v
        ends = [np.log(np.exp(row[: i + (not exclusive)]).sum()) for i in range(int(exclusive), 3)]
        return sum(ends)

    v = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.math.cumulative_logsumexp(v, exclusive=exclusive, reverse=reverse)
        keep = y[:-1] if exclusive and reverse else y[1:] if exclusive else y
        loss = tf.reduce_sum(keep)
    slopes = [(total(x + d) - total(x - d)) / 2e-6 for d in 1e-6 * np.eye(3)]
    np.testing.assert_allclose(loss.numpy(), total(x), rtol=1e-12)
    np.testing.assert_allclose(tape.gradient(loss, v).numpy(), slopes, atol=1e-8)


def test_axes_are_lists_tensors_and_numpy_numbers() -> None:
    x = tf.ones([2, 3, 4])
    assert tf.reduce_sum(x, [0, 2]).shape == (3,)
    assert tf.reduce_sum(x, axis=tf.constant([0])).shape == (3, 4)
    assert tf.reduce_sum(x, axis=np.int64(1)).shape == (2, 4)
    assert tf.reduce_sum(x, -1, True).shape == (2, 3, 1)


def test_moments_have_a_second_derivative() -> None:
    x = tf.Variable([1.0, 2.0, 4.0], dtype=tf.float64)
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as inner:
            _, variance = tf.nn.moments(x, [0])
        slope = inner.gradient(variance, x)
        first = slope[0]
    np.testing.assert_allclose(outer.gradient(first, x).numpy(), 2 / 3 * (np.eye(3)[0] - 1 / 3), rtol=1e-12)
