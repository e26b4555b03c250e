"""Tensor arrays against Python lists, at once and in compiled loops."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf


def test_written_read_and_joined():
    a = tf.TensorArray(tf.float32, size=3).write(0, [1.0, 2.0]).write(2, [5.0, 7.0])
    assert a.stack().numpy().tolist() == [[1, 2], [0, 0], [5, 7]] and int(a.size()) == 3 and a.element_shape == (2,)
    assert a.concat().numpy().tolist() == [1, 2, 0, 0, 5, 7]
    b = tf.TensorArray(tf.int32, size=3).unstack([7, 8, 9])
    assert b.gather([2, 0]).numpy().tolist() == [9, 7] and b.read(1).numpy() == 8
    c = tf.TensorArray(tf.int32, size=2, infer_shape=False).split([1, 2, 3], [1, 2])
    assert c.concat().numpy().tolist() == [1, 2, 3] and c.read(1).numpy().tolist() == [2, 3]
    assert tf.TensorArray(tf.int32, size=3).scatter([2, 0, 1], [1, 2, 3]).stack().numpy().tolist() == [2, 3, 1]


def test_refusals():
    array = tf.TensorArray(tf.float32, size=2).write(0, [1.0, 2.0])
    with pytest.raises(tf.errors.OutOfRangeError, match=r"index=5, size=2.*dynamic_size=True lets it grow"):
        array.write(5, [1.0, 1.0])
    with pytest.raises(ValueError, match="the value has another shape than the elements"):
        array.write(1, [1.0, 2.0, 3.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="the value is int32, the array float32"):
        array.write(1, tf.constant([1, 2]))
    array.read(0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="clear_after_read=False"):
        array.read(0)
    kept = tf.TensorArray(tf.float32, size=1, clear_after_read=False).write(0, 1.0)
    assert kept.read(0).numpy() == kept.read(0).numpy() == 1.0
    with pytest.raises(ValueError, match="its size must be given"):
        tf.TensorArray(tf.float32)


def squares_of_known_length(x):
    array = tf.TensorArray(tf.float32, size=4)
    for i in tf.range(4):
        array = array.write(i, x * tf.cast(i, tf.float32))
    return array.stack()


def squares_of_its_rows(x):
    n = tf.shape(x)[0]
    array = tf.TensorArray(tf.float32, size=n)
    for i in tf.range(n):
        array = array.write(i, x[i] * tf.cast(i, tf.float32))
    return array.stack()


def written_in_a_branch(x):
    array = tf.TensorArray(tf.float32, size=3, element_shape=(2,))
    for i in tf.range(3):
        if i > 0:
            array = array.write(i, x)
    return array.stack(), array.size()


def written_in_one_branch_only(x):
    array = tf.TensorArray(tf.float32, size=2)
    if x[0] > 0.0:
        array = array.write(1, x)
    return array.stack()


def read_what_was_written(x):
    array = tf.TensorArray(tf.float32, size=1, dynamic_size=True, clear_after_read=False, element_shape=(2,)).write(
        0, x
    )
    for i in tf.range(1, 5):
        array = array.write(i, array.read(i - 1) * 2.0)
    return array.stack(), array.size(), array.concat()


def unstacked_and_scattered(x):
    array = tf.TensorArray(tf.float32, size=2).unstack(x)
    for i in tf.range(2):
        array = array.scatter(tf.stack([i]), tf.reshape(x[i] * 10.0, [1]))
    return array.stack(), array.gather([1, 0])


CASES = [
    squares_of_known_length,
    squares_of_its_rows,
    written_in_a_branch,
    written_in_one_branch_only,
    read_what_was_written,
    unstacked_and_scattered,
]


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_traced_is_at_once(function):
    x = tf.constant([1.5, -2.0])
    at_once, traced = function(x), tf.function(function)(x)
    for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in (at_once, traced))):
        np.testing.assert_allclose(b, a)


@pytest.mark.parametrize("function", [squares_of_known_length, written_in_one_branch_only], ids=lambda f: f.__name__)
def test_fixed_sizes_are_compiled(function):
    from tensorsmith.program.execute import on_numpy

    traced, x = tf.function(function), tf.constant([1.5, -2.0, 1.0])
    traced(x)
    assert not on_numpy(traced.get_concrete_function(x)._program)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_length_known_at_run_time(n):
    @tf.function
    def f(n):
        array = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
        for i in tf.range(n):
            array = array.write(i, i * 2)
        return array.stack()

    assert f(tf.constant(n)).numpy().tolist() == [2 * i for i in range(n)]


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("traced", [False, True])
def test_gradients(dynamic, traced):
    def f(x):
        array = tf.TensorArray(tf.float32, size=0 if dynamic else 4, dynamic_size=dynamic)
        for i in tf.range(4):
            array = array.write(i, x * tf.cast(i, tf.float32))
        return array.stack()

    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = (tf.function(f) if traced else f)(x)
    np.testing.assert_allclose(y, np.outer(range(4), [1, 2]))
    np.testing.assert_allclose(tape.gradient(y, x), [6.0, 6.0])


def test_a_list_of_rows_shares_and_never_changes():
    from tensorsmith.function.array_rows import Rows

    first = Rows([], 0, False).write(0, np.float32(1))
    second, other = first.write(1, np.float32(2)), first.write(1, np.float32(3))
    third = second.write(3, np.float32(4))
    assert first.all((), np.dtype("float32")) == [1] and other.all((), np.dtype("float32")) == [1, 3]
    assert second.all((), np.dtype("float32")) == [1, 2] and third.all((), np.dtype("float32")) == [1, 2, 0, 4]
