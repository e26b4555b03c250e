"""No derivative goes through an assignment: a variable's is by all values that it is read as."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorsmith as tf


class Cells:
    def __init__(self) -> None:
        self.a, self.b, self.c = tf.Variable(2.0), tf.Variable(0.5), tf.Variable([1.0, 2.0, 3.0])


def own_value(v: Cells) -> Any:
    with tf.GradientTape() as tape:
        v.a.assign(v.a * 2.0)
        y = v.a * v.a
    return tape.gradient(y, [v.a, v.b])


def result_of_assign(v: Cells) -> Any:
    with tf.GradientTape() as tape:
        y = v.a.assign_add(3.0 * v.a)
        z = y * y
    return tape.gradient(z, [v.a, v.b])


def other_variable(v: Cells) -> Any:
    with tf.GradientTape() as tape:
        v.b.assign(v.a * v.a)
        y = v.b * 3.0
    return tape.gradient(y, [v.a, v.b])


def before_the_tape(v: Cells) -> Any:
    v.b.assign(v.a * v.a)
    with tf.GradientTape() as tape:
        y = v.b * v.a
    return tape.gradient(y, [v.a, v.b])


def slice_of_a_variable(v: Cells) -> Any:
    with tf.GradientTape() as tape:
        v.c[0].assign(v.a * 4.0)
        y = tf.reduce_sum(v.c * v.c)
    return tape.gradient(y, [v.a, v.c])


def in_a_loop(v: Cells) -> Any:
    with tf.GradientTape() as tape:
        total = tf.constant(0.0)
        for _ in tf.range(3):
            v.b.assign(v.b * v.a)
            total += v.b * v.b
    return tape.gradient(total, [v.a, v.b])


def in_a_branch(v: Cells) -> Any:
    with tf.GradientTape() as tape:
        if v.a > 0.0:
            v.b.assign(v.a * 3.0)
        y = v.b * v.a
    return tape.gradient(y, [v.a, v.b])


def tangent(v: Cells) -> Any:
    with tf.autodiff.ForwardAccumulator(v.a, tf.constant(1.0)) as accumulator:
        v.b.assign(v.a * v.a)
        y = v.b * v.a
    return [accumulator.jvp(y)]


# what each gives for a = 2, b = 1/2, c = 1, 2, 3
CASES: list[tuple[Callable[[Cells], Any], list[Any]]] = [
    (own_value, [2 * 4, None]),
    (result_of_assign, [2 * 8, None]),
    (other_variable, [None, 3]),
    (before_the_tape, [4, 2]),
    (slice_of_a_variable, [None, [2 * 8, 2 * 2, 2 * 3]]),
    (in_a_loop, [None, 2 * (1 + 2 + 4)]),
    (in_a_branch, [6, 2]),
    (tangent, [4]),
]


@pytest.mark.parametrize(("case", "wanted"), CASES)
@pytest.mark.parametrize("compiled", [False, True])
def test_a_derivative_ends_at_an_assignment(case: Callable, wanted: list[Any], compiled: bool) -> None:
    variables = Cells()
    found = (tf.function(lambda: case(variables)) if compiled else (lambda: case(variables)))()
    for slope, value in zip(found, wanted, strict=True):
        if value is None:
            assert slope is None or not np.any(slope.numpy())
        else:
            np.testing.assert_allclose(slope.numpy(), value)


def test_a_function_that_assigns_ends_it_too() -> None:
    a, b = tf.Variable(2.0), tf.Variable(1.0)

    @tf.function
    def assigning(x):
        b.assign(a * x)
        return b * b + a * x

    with tf.GradientTape() as tape:
        y = assigning(tf.constant(3.0)) + a * b
    by_a, by_b = tape.gradient(y, [a, b])
    # b is 6 when it is read: y = b**2 + 3 a + a b
    assert by_a.numpy() == 3 + 6
    assert by_b.numpy() == 2 * 6 + 2
