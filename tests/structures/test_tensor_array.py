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


BAD = tf.errors.InvalidArgumentError


@pytest.mark.parametrize("traced", [False, True])
def test_gather_clears_nothing(traced):
    def f(x):
        array = tf.TensorArray(tf.float32, size=3).unstack(x)
        return array.gather([2, 2]), array.gather([0]), array.gather([]), array.gather(1), array.read(2)

    x = tf.constant([1.0, 2.0, 3.0])
    found = [part.numpy().tolist() for part in (tf.function(f) if traced else f)(x)]
    assert found == [[3, 3], [1], [], [2], 3]
    for at in (3, -1):
        with pytest.raises(tf.errors.OutOfRangeError, match=rf"the index lies outside the array .index={at}, size=3"):
            tf.TensorArray(tf.float32, size=3).unstack(x).gather([at])


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("infer", [False, True])
def test_parts_of_different_lengths(traced, infer):
    def f(x):
        array = tf.TensorArray(tf.float32, size=3, infer_shape=infer, clear_after_read=False).split(x, [1, 0, 2])
        return array.read(0), array.read(2), array.concat(), array.size()

    x = np.arange(6.0, dtype="float32").reshape(3, 2)
    first, last, whole, size = (tf.function(f) if traced else f)(tf.constant(x))
    np.testing.assert_array_equal(first, x[:1])
    np.testing.assert_array_equal(last, x[1:])
    np.testing.assert_array_equal(whole, x)
    assert size.numpy() == 3
    array = tf.TensorArray(tf.float32, size=2).split(x, [1, 2])
    array.read(0)
    assert array.element_shape.as_list() == [None, 2] and array.split(x, [2, 1]).read(0).shape == (2, 2)
    even = tf.TensorArray(tf.float32, size=0, dynamic_size=True).split(x, [1, 1, 1])
    assert even.element_shape == (1, 2) and even.stack().shape == (3, 1, 2)


def test_lengths_known_at_run_time():
    @tf.function
    def f(x, n):
        with tf.GradientTape() as tape:
            tape.watch(x)
            array = tf.TensorArray(tf.float32, size=2, infer_shape=False).split(x, n)
            y = tf.reduce_sum(array.read(0) * 3.0) + tf.reduce_sum(array.concat())
        return y, tape.gradient(y, x)

    x = tf.constant([1.0, 2.0, 3.0])
    for count in (0, 2, 3):
        y, gradient = f(x, tf.constant([count, 3 - count]))
        assert gradient.numpy().tolist() == [4.0] * count + [1.0] * (3 - count)
        assert y.numpy() == np.dot(gradient, x)
    for lengths, text in (([1, 1], "the lengths do not make up the rows"), ([4, -1], "a length is below 0"),
                          ([1, 1, 1], "the number of parts is not the size")):  # fmt: skip
        with pytest.raises(BAD, match=text):
            f(x, tf.constant(lengths))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda a: a.split([1.0, 2.0, 3.0], [1, 1]),
            "the lengths do not make up the rows (lengths=[1, 1], rows=3, size=2)",
        ),
        (lambda a: a.split([1.0, 2.0, 3.0], [-1, 4]), "a length is below 0 (lengths=[-1, 4], rows=3, size=2)"),
        (lambda a: a.split([1.0, 2.0], [2]), "the number of parts is not the size (lengths=[2], rows=2, size=2)"),
        (lambda a: a.split([1.0], 1), "rows and a vector of lengths are needed (value=float32(1,), lengths=int32())"),
        (lambda a: a.split(1.0, [1]), "rows and a vector of lengths are needed (value=float32(), lengths=int32(1,))"),
        (
            lambda a: a.scatter([0], [1.0, 2.0]),
            "there must be one index for each row (indices=int32(1,), value=float32(2,))",
        ),
        (lambda a: a.scatter(0, [1.0]), "there must be one index for each row (indices=int32(), value=float32(1,))"),
        (lambda a: a.unstack([1.0, 2.0, 3.0]), "the number of rows is not the size (rows=3, size=2)"),
        (lambda a: a.unstack([1.0]), "the number of rows is not the size (rows=1, size=2)"),
        (lambda a: a.unstack(1.0), "a scalar has no rows (value=float32())"),
    ],
)
def test_what_does_not_fit(call, text):
    for run in (call, lambda a: tf.function(lambda: call(a).size())()):
        with pytest.raises(BAD) as caught:
            run(tf.TensorArray(tf.float32, size=2))
        assert str(caught.value).split(": ", 1)[1] == text + "."


def test_shapes_of_parts_and_sizes():
    with pytest.raises(BAD, match=r"the parts have another shape than the elements .parts=\(2,\), elements=\(3,\)"):
        tf.TensorArray(tf.float32, size=2, element_shape=[3]).split([1.0, 2.0, 3.0, 4.0], [2, 2])
    for size in (1.5, [1]):
        with pytest.raises(TypeError, match="its size is no whole number"):
            tf.TensorArray(tf.float32, size=size)
    nothing = tf.TensorArray(tf.float32, size=0, element_shape=[None, 2])
    assert nothing.concat().shape == (0, 2) and tf.TensorArray(tf.float32, size=0, element_shape=[2]).stack().shape == (
        0,
        2,
    )


def test_closed():
    array = tf.TensorArray(tf.float32, size=2).write(0, 1.0)
    array.close()
    assert array.size().numpy() == 0
    for use in (lambda: array.read(0), lambda: array.write(0, 1.0)):
        with pytest.raises(tf.errors.OutOfRangeError, match="index=0, size=0"):
            use()


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_compiled_places_that_are_not_there(dtype):
    from tensorsmith.program.execute import on_numpy

    @tf.function
    def f(x, at):
        array = tf.TensorArray(dtype, size=3, clear_after_read=False).unstack(x)
        return (
            array.read(at),
            array.write(at, tf.zeros([2], dtype)).stack(),
            array.scatter(at[None], tf.zeros([1, 2], dtype)).stack(),
        )

    x = np.arange(1, 7).reshape(3, 2).astype(dtype)
    read, written, scattered = f(tf.constant(x), tf.constant(1))
    expected = x.copy()
    expected[1] = 0
    np.testing.assert_array_equal(read, x[1])
    np.testing.assert_array_equal(written, expected)
    np.testing.assert_array_equal(scattered, expected)
    for use in (
        lambda array, at: array.read(at),
        lambda array, at: array.write(at, tf.zeros([2], dtype)).stack(),
        lambda array, at: array.scatter(at[None], tf.zeros([1, 2], dtype)).stack(),
    ):
        for at in (3, -1):
            with pytest.raises(
                tf.errors.OutOfRangeError, match=r"the index lies outside the array.* Checked at .*test_tensor_array"
            ):
                tf.function(
                    lambda x, at, use=use: use(tf.TensorArray(dtype, size=3, clear_after_read=False).unstack(x), at)
                )(tf.constant(x), tf.constant(at))
    assert not on_numpy(f.get_concrete_function(tf.constant(x), tf.constant(0))._program)
