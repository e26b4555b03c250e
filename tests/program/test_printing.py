"""How programs read: names, values of short constants, sub-programs, and nothing that could be markup."""

from __future__ import annotations

import os
import sys

import numpy as np

import tensorsmith as tf
from tensorsmith.program.program import Program


def listed(function, *specs) -> list[str]:
    return str(tf.function(function).get_concrete_function(*specs).program).splitlines()


def columns(lines: list[str]) -> list[list[str]]:
    return [[cell for cell in line.strip().split("  ") if cell] for line in lines]


def test_a_line_a_value_with_names_shapes_dtypes_and_the_users_lines() -> None:
    weight = tf.Variable([1.0, 2.0, 3.0], name="w")
    state = tf.Variable([0.0], trainable=False, name="state")
    first = sys._getframe().f_lineno + 3

    def step(x):
        weight.assign_add(tf.reduce_mean(x, axis=0))
        state.assign(state * 2.0)
        long = tf.constant(np.arange(9.0).reshape(3, 3).astype("float32"))
        return tf.matmul(tf.matmul(x, long), weight[:, None], transpose_b=False) * [0.5, 1.0]

    file = os.path.basename(__file__)
    rows = columns(listed(step, tf.TensorSpec([None, 3])))
    assert rows[0] == ["step:"]
    assert [[c.strip() for c in row] for row in rows[1:]] == [
        ["x = input", "float32[None, 3]"],
        ["w = variable", "float32[3]"],
        ["state = variable, not trainable", "float32[1]"],
        ["constant = constant [[0., ..., 2.], ..., [6., ..., 8.]]", "float32[3, 3]"],
        ["%0 = reduce_mean(x, axis=0)", "float32[3]", f"{file}:{first}"],
        ["%1 = add(w, %0)", "float32[3]", f"{file}:{first}"],
        ["%2 = multiply(state, 2.0)", "float32[1]", f"{file}:{first + 1}"],
        ["%3 = matmul(x, constant)", "float32[None, 3]", f"{file}:{first + 3}"],
        ["%4 = assigned(%1, w)", "float32[3]", f"{file}:{first + 3}"],
        ["%5 = getitem(%4, key=(:, None))", "float32[3, 1]", f"{file}:{first + 3}"],
        ["%6 = matmul(%3, %5)", "float32[None, 1]", f"{file}:{first + 3}"],
        ["%7 = multiply(%6, [0.5, 1. ])", "float32[None, 2]", f"{file}:{first + 3}"],
        ["w <- %4"],
        ["state <- %2"],
        ["return %7"],
    ]


def test_columns_stand_under_each_other() -> None:
    lines = listed(lambda x: tf.exp(x) + tf.sigmoid(x), tf.TensorSpec([2]))[1:-1]
    assert len({line.index("float32[2]") for line in lines}) == 1


def test_sub_programs_are_indented_and_say_where_their_arguments_come_from() -> None:
    def f(x, n):
        total = x
        for _ in tf.range(n):
            total = total * x
        if tf.reduce_sum(total) > 0.0:
            total = -total
        return total

    text = "\n".join(listed(f, tf.TensorSpec([2]), tf.TensorSpec([], tf.int32)))
    assert "\n    body:\n" in text and "\n    then:\n" in text and "\n    otherwise:\n" in text
    assert "        argument_2 = input, from x" in text
    assert "        return %0" in text


def test_a_gradient_says_of_what_and_by_what() -> None:
    w = tf.Variable(3.0, name="w")

    def f(x):
        with tf.GradientTape() as tape:
            y = w * x
        return tape.gradient(y, w, output_gradients=x)

    text = "\n".join(listed(f, tf.TensorSpec([])))
    assert "= gradient of %0 by w, weighted by x" in text


def test_names_of_nested_arguments_and_of_specs() -> None:
    def f(x, pair, *more, key):
        return x + pair[0] + pair[1]["a"] + more[0] + key

    s = tf.TensorSpec([])
    spec = tf.TensorSpec([], name="given")
    text = str(tf.function(f).get_concrete_function(spec, (s, {"a": s}), s, key=s).program)
    assert [line.split(" = ")[0] for line in text.splitlines()[1:6]] == ["given", "pair_0", "pair_1_a", "more_0", "key"]


def test_two_values_of_one_name_are_told_apart() -> None:
    a, b = tf.Variable(1.0, name="v"), tf.Variable(2.0, name="v")
    text = "\n".join(listed(lambda v: v + a + b, tf.TensorSpec([])))
    assert "add(v, v_1)" in text and ", v_2)" in text


def test_what_a_name_holds_is_escaped() -> None:
    program = Program("<b>\x1b[31m")
    program.outputs = [program.input((), np.dtype("float32"), "<script>\n")]
    assert "\x1b" not in str(program) and "\n = " not in str(program)
    page = program._repr_html_()
    assert "<script>" not in page and "<b>" not in page and "&lt;script&gt;" in page
