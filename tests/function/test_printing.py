"""tf.print: the texts, the streams, and the order in which compiled programs print."""

from __future__ import annotations

import collections
import contextlib
import io
import logging
import sys
from pathlib import Path

import numpy as np
import pytest

import tensorsmith as tf

Pair = collections.namedtuple("Pair", "x y")
GRID = np.arange(64).reshape(8, 8)


def grid_text(edge: int) -> str:
    """The text of GRID with `edge` numbers at both ends, put together by hand."""
    lines = [f"[{' '.join(map(str, row[:edge]))} ... {' '.join(map(str, row[-edge:]))}]" for row in GRID]
    return "[" + "\n ".join([*lines[:edge], "...", *lines[-edge:]]) + "]"


# what TensorFlow 2.21 prints
TEXTS = [
    (1.0, "1.0"), (tf.constant(1.0), "1"), (tf.constant(0.1), "0.1"), (tf.constant(1 / 3), "0.333333343"),
    (tf.constant(1e6), "1e+06"), (tf.constant(1e-7), "1e-07"), (tf.constant(123456.789), "123456.789"),
    (tf.constant(float("nan")), "nan"), (tf.constant(-np.inf), "-inf"), (tf.constant(-0.0), "-0"),
    (tf.constant(1 / 3, tf.float64), "0.33333333333333331"), (tf.constant(0.1, tf.float64), "0.1"),
    (tf.constant(0.1, tf.float16), "0.0999755859"), (tf.constant(0.1, tf.bfloat16), "0.100097656"),
    (tf.constant(True), "1"), (tf.constant([True, False]), "[1 0]"), (True, "True"), (None, "None"),
    (tf.constant("hé"), "hé"), (tf.constant(["a", 'b "c"\n']), '["a" "b \\"c\\"\\n"]'), ("a b", "a b"), (b"a", "b'a'"),
    (tf.range(10), "[0 1 2 ... 7 8 9]"), (tf.range(6), "[0 1 2 3 4 5]"), (tf.constant(GRID), grid_text(3)),
    (tf.reshape(tf.range(8), [2, 2, 2]), "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]"), (tf.zeros([0]), "[]"),
    ([tf.constant([1, 2]), "x", {"k": tf.constant(2.0)}], "[[1 2], 'x', {'k': 2}]"), ((tf.constant(1),), "(1,)"),
    ({"b": 1, "a": tf.constant("s")}, "{'a': \"s\", 'b': 1}"), (Pair(1, tf.constant(2)), "Pair(x=1, y=2)"),
    (tf.ragged.constant([[1, 2], [3]]), "[[1, 2], [3]]"), (tf.ragged.constant([["a"], []]), "[['a'], []]"),
    (tf.ragged.constant([[1.5], [2.0]]), "[[1.500000], [2.000000]]"), (tf.ragged.constant([["it's"]]), r"[['it\'s']]"),
    (tf.zeros([2, 0]), "[\n ...]"), (tf.constant([-np.nan, np.nan]), "[-nan nan]"), (tf.constant(["a\x01"]), r'["a\001"]'),
    (tf.SparseTensor([[0, 1]], [3.5], [2, 2]), "'SparseTensor(indices=[[0 1]], values=[3.5], shape=[2 2])'"),
    (tf.Variable([1.0, 2.5]), "[1 2.5]"), (np.array([1.0, 2.0]), "array([1., 2.])"), (tf.float32, "tf.float32"),
]  # fmt: skip


def printed(*values, **settings) -> str:
    stream = io.StringIO()
    tf.print(*values, output_stream=stream, **settings)
    return stream.getvalue()


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=[text.split("\n")[0][:30] for _, text in TEXTS])
def test_texts(value: object, text: str) -> None:
    assert printed(value) == text + "\n"


def test_a_text_in_a_tensor_is_quoted_beside_others() -> None:
    text = tf.constant("b")
    assert printed("x:", text, tf.constant(["c"]), "d") == 'x: "b" ["c"] d\n'
    assert printed(text) == "b\n"


def test_how_much_and_what_stands_between() -> None:
    assert printed("a", 1, tf.constant(2), sep=", ", end="!") == "a, 1, 2!"
    assert printed() == "\n"
    assert printed(tf.constant(GRID), summarize=2) == grid_text(2) + "\n"
    assert printed(tf.range(10), summarize=-1) == f"[{' '.join(map(str, range(10)))}]\n"
    ragged = tf.ragged.constant([[1, 2, 3, 4, 5], [1]])
    assert printed(ragged, summarize=1) == "[[1, ..., 5], [1]]\n"


def test_streams(capsys: pytest.CaptureFixture[str], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tf.print("to the errors")
    tf.print("also", output_stream=sys.stderr)
    tf.print("out", output_stream=sys.stdout)
    assert tuple(capsys.readouterr()) == ("out\n", "to the errors\nalso\n")
    file = tmp_path / "out.txt"
    for value in (2, 3):
        tf.print(value, output_stream=f"file://{file}")
    assert file.read_text() == "2\n3\n"
    with caplog.at_level(logging.INFO):
        tf.print("noted", output_stream=logging.getLogger("here").info)
    assert caplog.messages == ["noted"]
    with pytest.raises(ValueError, match=r"tf.print: output_stream is no stream \(output_stream=3\)"):
        tf.print(1, output_stream=3)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_the_streams_of_the_process_are_those_of_the_moment(name: str) -> None:
    f = tf.function(lambda x: tf.print(x, output_stream=getattr(sys, name)))
    f.get_concrete_function(tf.constant(1))
    stream = io.StringIO()
    with getattr(contextlib, f"redirect_{name}")(stream):
        f(tf.constant(1))
    assert stream.getvalue() == "1\n"


def test_a_compiled_program_prints_what_python_prints_in_the_same_order() -> None:
    def body(x, n):
        stream = streams[-1]
        tf.print("start", x, [x, "k"], {"a": x}, None, output_stream=stream)
        for i in tf.range(n):
            if i % 2 == 1:
                tf.print("odd", i, output_stream=stream)
            x = x * 2.0
            tf.print(i, x, output_stream=stream)
        tf.print("end", tf.ragged.constant([[1], []]) * n, output_stream=stream)
        return x

    streams = [io.StringIO()]
    compiled = tf.function(body)
    for n in (3, 0):
        streams[:] = [streams[0]]
        compiled(tf.constant(1.5), tf.constant(n))
    streams.append(io.StringIO())
    for n in (3, 0):
        body(tf.constant(1.5), tf.constant(n))
    assert streams[0].getvalue() == streams[1].getvalue()
    assert streams[0].getvalue().count("\n") == 2 * 2 + 3 + 1


def test_python_prints_while_it_is_traced_and_tf_each_time() -> None:
    stream, traces = io.StringIO(), []

    @tf.function
    def f(x):
        traces.append(1)
        tf.print(x, output_stream=stream)
        return x

    for value in (1, 2, 2):
        f(tf.constant(value))
    assert len(traces) == 1 and stream.getvalue() == "1\n2\n2\n"


@pytest.mark.parametrize("inside", [True, False])
def test_a_gradient_does_not_print_again(inside: bool) -> None:
    stream = io.StringIO()

    def loss(x):
        for i in tf.range(2):
            x = x * x
            tf.print(i, x, output_stream=stream)
        return x

    def slope(x, f=loss):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    run = tf.function(slope) if inside else lambda x: slope(x, tf.function(loss))
    assert run(tf.constant(2.0)).numpy() == 4 * 2.0**3
    assert stream.getvalue() == "0 4\n1 16\n"


def test_printing_on_the_way_back_and_in_what_is_computed_again() -> None:
    stream = io.StringIO()

    @tf.custom_gradient
    def doubled_slope(x):
        def slope(flow):
            tf.print("slope", flow, output_stream=stream)
            return flow * 2.0

        return x, slope

    @tf.recompute_grad
    def square(x):
        tf.print("square", x, output_stream=stream)
        tf.debugging.assert_less(x, 10.0)
        return x * x

    @tf.function
    def f(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = doubled_slope(square(x) * 3.0)
        return tape.gradient(y, x)

    assert f(tf.constant(4.0)).numpy() == 2 * 3 * 2 * 4.0
    assert stream.getvalue() == "square 4\nslope 1\n"
    with pytest.raises(tf.errors.InvalidArgumentError, match="assert_less"):
        f(tf.constant(20.0))


def test_an_inner_function_prints_in_its_place() -> None:
    stream = io.StringIO()
    inner = tf.function(lambda x: (tf.print("inner", x, output_stream=stream), x + 1)[1])

    @tf.function
    def outer(x):
        tf.print("outer", x, output_stream=stream)
        x = inner(x)
        tf.print("again", x, output_stream=stream)
        return inner(x)

    outer(tf.constant(1))
    assert stream.getvalue() == "outer 1\ninner 1\nagain 2\ninner 2\n"


def test_a_stream_that_fails_raises_its_own_error_and_nothing_is_written() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("the disk is full")

    v = tf.Variable(1.0)
    after = io.StringIO()

    @tf.function
    def f(x):
        v.assign(x)
        tf.print(x, output_stream=Full())
        tf.print("never", output_stream=after)
        return x

    with pytest.raises(OSError, match="the disk is full"):
        f(tf.constant(3.0))
    assert v.numpy() == 1.0 and not after.getvalue()


def test_in_fit_each_step_prints_once() -> None:
    stream = io.StringIO()

    class Loss(tf.keras.losses.Loss):
        def call(self, y_true, y_pred):
            tf.print("rows", tf.shape(y_pred)[0], output_stream=stream)
            return tf.square(y_true - y_pred)

    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile(loss=Loss(), optimizer="sgd")
    model.fit(np.ones((20, 2), "float32"), np.ones((20, 1), "float32"), batch_size=8, epochs=2, verbose=0)
    assert stream.getvalue() == "rows 8\nrows 8\nrows 4\n" * 2
