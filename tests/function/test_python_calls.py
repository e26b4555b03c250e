"""py_function and numpy_function: Python code when the program runs, its order, derivatives, errors, and in fit."""

from __future__ import annotations

import io

import numpy as np
import pytest

import tensorsmith as tf


def run(body, *args, compiled: bool):
    return (tf.function(body) if compiled else body)(*args)


both = pytest.mark.parametrize("compiled", [False, True])


@both
def test_what_they_give(compiled: bool) -> None:
    x = tf.constant([3.0, 1.0, 2.0])
    assert run(lambda x: tf.py_function(lambda t: t * 2.0, [x], tf.float32), x, compiled=compiled).numpy()[0] == 6.0
    ordered = run(lambda x: tf.numpy_function(np.sort, [x], tf.float32), x, compiled=compiled)
    assert ordered.numpy().tolist() == [1.0, 2.0, 3.0]
    pair = run(lambda x: tf.py_function(lambda t: (t, 7), [x], [tf.float32, tf.int64]), x, compiled=compiled)
    assert isinstance(pair, list) and pair[1].numpy() == 7 and pair[1].dtype == tf.int64
    assert run(lambda x: tf.py_function(lambda t: None, [x], []), x, compiled=compiled) == []
    text = run(lambda x: tf.numpy_function(lambda a: str(a.sum()), [x], tf.string), x, compiled=compiled)
    assert text.numpy() == b"6.0"


def test_python_code_runs_each_time_and_in_order() -> None:
    seen = []
    stream = io.StringIO()

    @tf.function
    def f(n):
        for i in tf.range(n):
            if i % 2 == 0:
                tf.py_function(lambda i: seen.append(int(i)), [i], [])
            tf.print(i, len(seen), output_stream=stream)
        return tf.py_function(lambda: len(seen), [], tf.int32)

    assert f(tf.constant(5)).numpy() == 3 and f(tf.constant(2)).numpy() == 4
    assert seen == [0, 2, 4, 0] and stream.getvalue() == "0 0\n1 0\n2 0\n3 0\n4 0\n0 0\n1 0\n"


def test_the_shape_is_known_when_the_program_runs() -> None:
    @tf.function
    def f(x):
        y = tf.py_function(lambda t: t * t, [x], tf.float32)
        assert y.shape.rank is None
        total, along = tf.reduce_sum(y), tf.reduce_sum(y, axis=1)
        y.set_shape([2, None])
        return total, along, y[1], y + tf.ones([2, 1])

    total, along, row, more = f(tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    assert total.numpy() == 30.0 and along.numpy().tolist() == [5.0, 25.0]
    assert row.numpy().tolist() == [9.0, 16.0] and more.numpy().tolist() == [[2.0, 5.0], [10.0, 17.0]]
    spec = tf.function(lambda x: tf.py_function(abs, [x], tf.TensorSpec([3]))).get_concrete_function(tf.TensorSpec([3]))
    assert spec.structured_outputs == tf.TensorSpec([3])


def test_an_argument_of_unknown_rank() -> None:
    f = tf.function(lambda x: (x + 1.0, tf.reduce_sum(x)), input_signature=[tf.TensorSpec(None)])
    for value in (1.0, [[1.0, 2.0]]):
        more, total = f(tf.constant(value))
        assert more.numpy().tolist() == (np.array(value) + 1.0).tolist() and total.numpy() == np.sum(value)
    assert f.get_concrete_function().structured_outputs[0].shape.rank is None


@both
@pytest.mark.parametrize("inside", [False, True])
def test_derivatives_are_those_of_the_python_code(compiled: bool, inside: bool) -> None:
    def body(x):
        return tf.reduce_sum(tf.py_function(lambda t: t * t * t, [x], tf.float32) * 2.0)

    def slope(x, f):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    f = tf.function(body) if compiled and not inside else body
    whole = tf.function(lambda x: slope(x, f)) if compiled and inside else lambda x: slope(x, f)
    x = np.array([3.0, -4.0], "float32")
    np.testing.assert_allclose(whole(tf.constant(x)), 6 * x * x)


@both
def test_numpy_code_has_no_derivative(compiled: bool) -> None:
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = run(lambda x: tf.numpy_function(lambda a: a * a, [x], tf.float32) + x, x, compiled=compiled)
    assert tape.gradient(y, x).numpy() == 1.0


class Odd(Exception):
    pass


@both
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (ValueError, tf.errors.InvalidArgumentError), (TypeError, tf.errors.InvalidArgumentError),
        (NotImplementedError, tf.errors.UnimplementedError), (StopIteration, tf.errors.OutOfRangeError),
        (MemoryError, tf.errors.ResourceExhaustedError), (Odd, tf.errors.UnknownError),
    ],
)  # fmt: skip
def test_errors_keep_their_cause(compiled: bool, kind: type, error: type) -> None:
    v = tf.Variable(1.0)

    def fails(t):
        raise kind("mine")

    def body(x):
        v.assign(x)
        return tf.py_function(fails, [x], tf.float32)

    with pytest.raises(error, match=f"^py_function fails: {kind.__name__}: mine$") as caught:
        run(body, tf.constant(5.0), compiled=compiled)
    assert type(caught.value.__cause__) is kind and v.numpy() == (1.0 if compiled else 5.0)


@both
@pytest.mark.parametrize(
    ("python", "wanted", "text"),
    [
        (lambda t: tf.cast(t, tf.int32), tf.float32, r"given=int32\(\), Tout=float32\). Cast what it returns: tf.cast"),
        (lambda t: None, tf.float32, "it gave another number of values than Tout has dtypes"),
        (lambda t: [t, t], [tf.float32], "it gave another number of values"),
        (lambda t: t, tf.TensorSpec([2]), r"it gave another value than Tout promises \(given=float32\(\)"),
    ],
)
def test_what_was_promised_is_held(compiled: bool, python, wanted, text: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=text):
        run(lambda x: tf.py_function(python, [x], wanted), tf.constant(1.0), compiled=compiled)


def test_func_must_be_callable() -> None:
    with pytest.raises(ValueError, match=r"py_function: func must be callable \(func=3\)"):
        tf.py_function(3, [], tf.float32)


def test_fit_with_python_code_in_the_loss_equals_fit_without() -> None:
    class Loss(tf.keras.losses.Loss):
        calls = 0

        def call(self, y_true, y_pred):
            scale = tf.numpy_function(self.median, [y_true], tf.float32)
            scale.set_shape([])
            return tf.square(y_true - y_pred) * scale

        def median(self, array):
            type(self).calls += 1
            return np.float32(np.median(array))

    x, y = np.ones((20, 2), "float32"), np.ones((20, 1), "float32")
    results = []
    for loss in (Loss(), "mse"):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="ones")])
        model.compile(loss=loss, optimizer="sgd")
        history = model.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False).history["loss"]
        results.append((history, [w.tolist() for w in model.get_weights()]))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-6)
    np.testing.assert_allclose(results[0][1][0], results[1][1][0], rtol=1e-6)
    assert Loss.calls == 2 * 3


def test_under_a_tape_python_code_runs_once() -> None:
    seen = []
    v = tf.Variable(2.0)

    @tf.function
    def f(x):
        v.assign_add(1.0)
        factor = tf.numpy_function(lambda: seen.append(1) or np.float32(len(seen)), [], tf.float32)
        return x * factor, tf.py_function(lambda t: t * t, [x], tf.float32) * v

    for call in (1, 2):
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y, z = f(x)
            total = y + z
        assert y.numpy() == 3 * call and v.numpy() == 2 + call
        assert tape.gradient(total, x).numpy() == call + 2 * 3 * (2 + call) and len(seen) == call
