"""Python lists that a loop of a program changes: each function is run as Python and traced, and gives the same."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core.errors import InaccessibleTensorError
from tensorsmith.program.execute import on_numpy


def squares(n):
    out = []
    for i in tf.range(n):
        out.append(tf.cast(i, tf.float32) ** 2)
    return tf.stack(out)


def in_while(n):
    out, i = [], 0
    while i < n:
        out.append(i * i)
        i += 1
    return tf.stack(out), len(out)


def two_a_round(n):
    out = []
    for i in tf.range(n):
        out.append(i)
        out += [i * 10, i * 100]
    return tf.stack(out)


def inner_loop_of_known_length(n):
    out = []
    for i in tf.range(n):
        for j in tf.range(2):
            out.append(i * 10 + j)
    return tf.stack(out)


def inner_loop_of_open_length(n):
    out = []
    for i in tf.range(n):
        for j in tf.range(i):
            out.append(i * 10 + j)
    return tf.stack(out)


def loop_in_a_python_loop(n):
    out = []
    for k in range(3):
        for i in tf.range(n):
            out.append(i + k)
    return tf.stack(out)


def a_list_in_each_round(n):
    out = []
    for i in tf.range(n):
        row = []
        for j in tf.range(4):
            row.append(i * 10 + j)
        out.append(tf.stack(row))
    return tf.stack(out)


def in_some_rounds(n):
    out = []
    for i in tf.range(n):
        if i % 2 == 0:
            out.append(i)
        else:
            out.extend([i, -i])
    return tf.stack(out), len(out), tf.reduce_max(out), sum(out), max(out), sorted(out)[0]


def read_while_it_grows(n):
    out = [tf.constant(1.0)]
    for _ in tf.range(n):
        out.append(out[-1] * 2.0 + out[0])
    return tf.stack(out), out[-1], out[1]


def pushed_and_popped(n):
    out, total = [], 0
    for i in tf.range(n):
        out.append(i)
        out.append(i + 1)
        if i > 1:
            total += out.pop(0)
    return tf.stack(out), total


def as_long_as_there_are_some(n):
    waiting, seen = [n], 0
    while len(waiting) > 0:
        value = waiting.pop()
        seen += value
        if value > 1:
            waiting.append(value - 1)
            waiting.append(value - 2)
    return seen


def a_window(n):
    last = [0, 0, 0]
    for i in tf.range(n):
        last.pop(0)
        last.append(i)
    return last


def joined(n):
    out = []
    for i in tf.range(n):
        out.append(tf.fill([2, 3], i))
    return tf.concat(out, 0), tf.concat(out, 1), tf.concat(out, axis=-1), tf.stack(out, 1), tf.stack(out, -1)


def joined_of_several_sizes(n):
    out = []
    for i in tf.range(n):
        if i < 100:
            out.append(tf.range(i))
    return tf.concat(out, 0)


def pairs(n):
    out, sums = [], []
    for i in tf.range(n):
        out.append((i, {"half": tf.cast(i, tf.float32) / 2.0}))
    for i, parts in out:
        sums.append(tf.cast(i, tf.float32) + parts["half"])
    return tf.stack(sums), out[1][1]["half"]


def begun_before(n):
    out = [10, 20]
    for i in tf.range(n):
        out.append(i)
    out.append(7)
    return tf.stack(out), out[0], out[-1], tf.stack(out[1:]), out.pop(), len(out)


def elements_set(n):
    out = [0.0] * 5
    for i in tf.range(n):
        out[i] = tf.cast(i, tf.float32) + out[i - 1]
        out[i + 1] = -1.0
    return tf.stack(out)


def left_early(n):
    out = []
    for i in tf.range(10):
        if i == n:
            break
        out.append(i)
    return tf.stack(out)


def outside_of_a_loop(n):
    out = [n]
    if n > 2:
        out.append(n * 2)
    return tf.stack(out)


def given_back(n):
    out = []
    for i in tf.range(n):
        out.append(i)
    return out


def summed(n):
    out = []
    for i in tf.range(n):
        out.append(tf.cast(i, tf.float32))
    total = 0.0
    for v in out:
        total += v
    for at, v in enumerate(out):
        total += v * tf.cast(at, tf.float32)
    return tf.add_n(out), tf.reduce_mean(out), total


CASES = [v for v in list(globals().values()) if getattr(v, "__module__", "") == __name__ and callable(v)]


def same(right, result) -> None:
    tf.nest.assert_same_structure(right, result)
    for a, b in zip(tf.nest.flatten(right), tf.nest.flatten(result)):
        assert np.asarray(a).shape == np.asarray(b).shape
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-5)


@pytest.mark.parametrize("function", CASES, ids=[case.__name__ for case in CASES])
def test_a_list_means_in_a_program_what_it_means_in_python(function) -> None:
    traced = tf.function(function)
    for n in (4, 3):
        same(function(tf.constant(n)), traced(tf.constant(n)))


def test_lists_in_loops_that_python_runs_stay_lists() -> None:
    @tf.function
    def kinds(x):
        out = []
        for i in range(3):
            out.append(x * float(i))
        assert type(out) is list
        return tf.stack(out)

    np.testing.assert_array_equal(kinds(tf.constant(2.0)), [0.0, 2.0, 4.0])


def powers(x):
    out = [x[0]]
    for i in tf.range(1, tf.shape(x)[0]):
        out.append(out[-1] * x[i])
    return tf.reduce_sum(tf.stack(out) ** 2)


def waves(x):
    out = []
    for row in x:
        out.append(tf.sin(row) * row)
    return tf.reduce_sum(tf.stack(out) ** 2)


def open_number(x):
    out = []
    for i in tf.range(tf.cast(x[1], tf.int32)):
        if i != 1:
            out.append(x * tf.cast(i, tf.float32))
    return tf.reduce_sum(tf.stack(out) ** 3)


def set_elements(x):
    out = [0.0, 0.0, 0.0]
    for i in tf.range(tf.shape(x)[0]):
        out[i] = x[i] * x[0]
    return tf.reduce_sum(tf.stack(out) ** 2)


def slope(function, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x)


@pytest.mark.parametrize("function", [powers, waves, open_number, set_elements])
def test_gradients_go_through_lists(function) -> None:
    x = tf.constant([1.0, 4.0, 3.0])
    traced = tf.function(function, input_signature=[tf.TensorSpec([None])])
    np.testing.assert_allclose(slope(traced, x), slope(function, x), rtol=1e-5)
    np.testing.assert_allclose(tf.function(lambda x: slope(function, x))(x), slope(function, x), rtol=1e-5)
    second = slope(lambda x: tf.reduce_sum(slope(function, x)), x)
    np.testing.assert_allclose(slope(lambda x: tf.reduce_sum(slope(traced, x)), x), second, rtol=1e-5)


@pytest.mark.parametrize("function", [waves, set_elements])
def test_what_each_round_appends_is_stacked_by_a_compiled_scan(function) -> None:
    form = tf.function(function, input_signature=[tf.TensorSpec([None])]).get_concrete_function()
    assert not on_numpy(form.graph.program)
    assert "list_append" not in str(form.graph.program)


def test_elements_that_differ_are_refused_by_the_name_of_the_list() -> None:
    @tf.function
    def dtypes(n):
        values = []
        for i in tf.range(n):
            values.append(i)
            values.append(tf.cast(i, tf.float32))
        return tf.stack(values)

    with pytest.raises(TypeError) as caught:
        dtypes(tf.constant(3))
    assert str(caught.value).startswith(
        "values: its elements differ in dtype or shape (elements=int32(), new element=float32()); "
        "a list that a loop changes, as part of a program, has elements of one dtype and shape. "
        "Use tf.cast or tf.pad, or one list for each kind."
    )

    @tf.function
    def shapes(n):
        values = []
        while n > 0:
            values.append(tf.zeros([2]))
            values.append(tf.zeros([3]))
            n -= 1
        return tf.stack(values)

    with pytest.raises(TypeError, match=r"^values: .*elements=float32\(2,\), new element=float32\(3,\)"):
        shapes(tf.constant(3))


def test_an_empty_list_has_no_element_to_read() -> None:
    @tf.function
    def first(n):
        values = []
        for i in tf.range(n):
            values.append(values[-1] + i)
        return tf.stack(values)

    with pytest.raises(ValueError, match=r"^values: it is read before it has an element"):
        first(tf.constant(3))


def test_another_name_of_a_list_says_that_it_was_left_behind() -> None:
    def fill(given, n):
        for i in tf.range(n):
            given.append(i)

    @tf.function
    def caller(n):
        mine = [n]
        fill(mine, n)
        return tf.stack(mine)

    with pytest.raises(TypeError, match=r"^The list 'given' was changed by a loop"):
        caller(tf.constant(3))


def test_what_is_no_tensor_is_put_into_a_list_while_the_loop_is_traced() -> None:
    told = []

    @tf.function
    def traced(n):
        notes = []
        for _ in tf.range(n):
            notes.append("a round")
        told.append(notes)
        return n

    traced(tf.constant(3))
    assert set(told[0]) == {"a round"}


def test_lists_of_other_functions_are_left_alone() -> None:
    seen = []

    @tf.function
    def traced(n):
        for i in tf.range(n):
            seen.append(i)
        return n

    traced(tf.constant(3))
    with pytest.raises(InaccessibleTensorError):
        tf.function(lambda: seen[0] + 1)()
