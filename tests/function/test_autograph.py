"""Python's control flow in a traced function means what it means in Python: each case is run both ways."""

from __future__ import annotations

import functools
import traceback

import numpy as np
import pytest

import tensorsmith as tf


def for_range(x):
    for _ in tf.range(10):
        x += 1
    return x


def for_with_if(x):
    for i in tf.range(6):
        if x > 3.0:
            x += tf.cast(i, tf.float32)
        else:
            x = x * 2.0
    return x


def chain_of_elif(x):
    if x < 0.0:
        y = -1.0
    elif x < 2.0:
        y = 0.0
    else:
        y = 1.0
    return y


def early_return(x):
    if x > 0.0:
        return x
    return -x * 10.0


def return_in_loop(x):
    for _ in tf.range(100):
        x = x * 2.0
        if x > 50.0:
            return x
        if x < -70.0:
            return x - 1.0
    return -x


def break_and_continue(x):
    total, i = 0.0, tf.constant(0)
    while i < 50:
        i += 1
        if i % 2 == 0:
            continue
        if total > 20.0:
            break
        total += x
    return total, i


def break_of_inner_loop(x):
    count = 0
    for i in tf.range(4):
        for j in tf.range(4):
            if j > i:
                break
            count += 1
    return x * tf.cast(count, tf.float32)


def python_loop_left_by_a_tensor(x):
    for _ in range(5):
        x = x + 1.0
        if x > 3.0:
            break
    return x


def logic(x):
    return x if (x > 0.0 and not x > 5.0) or x < -5.0 else -x


def comparisons(x):
    return (0.0 < x < 3.0), (x > 0.0) or (x < -2.0)


def rows(x):
    total = 0.0
    for row in tf.stack([x, x * 2.0, x * 3.0]):
        total += row
    return total


def set_in_the_loop(x):
    for i in tf.range(4):
        last = tf.cast(i, tf.float32) * x
    return last, i


def set_in_one_branch_and_not_used(x):
    y = x
    if x > 0.0:
        inner = x * 3.0
        y = inner + 1.0
    return y


def assigned_in_the_test(x):
    count = 0
    while (doubled := x * 2.0) < 100.0 and doubled > 0.0:
        x = doubled
        count += 1
    return x, doubled


def nested_state(x):
    state = {"a": x, "b": (x, 1)}
    for _ in tf.range(3):
        state = {"a": state["a"] + 1.0, "b": (state["b"][0] * 2.0, state["b"][1] + 1)}
    return state["a"], state["b"][0], state["b"][1]


def else_of_a_loop(x):
    for _ in tf.range(3):
        if x > 100.0:
            break
    else:
        x = x + 7.0
    return x


def in_try_and_with(x):
    try:
        with tf.name_scope("a"):
            if x > 0.0:
                y = x
            else:
                y = -x
    finally:
        z = 1.0
    return y + z


def matched(x):
    match "a":
        case "a":
            if x > 0.0:
                x = x * 3.0
        case _:
            x = x * 5.0
    return x


def helper(x, k):
    if x > k:
        return x - k
    return x


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args) + 1.0

    return wrapper


@decorated
def decorated_helper(x):
    return x if x > 0.0 else -x


def calls_helpers(x):
    def inner(z):
        if z > 1.0:
            return z
        return z * 100.0

    square = lambda z: z * z if z > 0.0 else z  # noqa: E731
    return helper(x, 2.0) + decorated_helper(x) + inner(x) + square(x) + sum([inner(x) for _ in range(2)])


class Base:
    factor = 2.0
    __private = 1.0

    def call(self, x):
        if x > 0.0:
            return x * self.factor + self.__private
        return x


class Derived(Base):
    def call(self, x):
        return super().call(x) + 1.0


def method_with_super(x):
    return Derived().call(x)


CASES = [
    for_range, for_with_if, chain_of_elif, early_return, return_in_loop, break_and_continue, break_of_inner_loop,
    python_loop_left_by_a_tensor, logic, comparisons, rows, set_in_the_loop, set_in_one_branch_and_not_used,
    assigned_in_the_test, nested_state, else_of_a_loop, in_try_and_with, matched, calls_helpers, method_with_super,
]  # fmt: skip


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_traced_is_python(function):
    traced = tf.function(function)
    for value in (-9.0, -1.0, 0.5, 2.5, 9.0):
        right, result = function(tf.constant(value)), traced(tf.constant(value))
        right, result = (r if isinstance(r, tuple) else (r,) for r in (right, result))
        assert len(right) == len(result)
        for a, b in zip(right, result):
            np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-6, err_msg=f"{function.__name__}({value})")
    assert traced.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("n", [0, 1, 5])
def test_loop_over_a_range_of_unknown_length(n):
    @tf.function
    def total(n):
        s = 0
        for i in tf.range(1, n + 1):
            s += i**2
        return s

    assert total(tf.constant(n)).numpy() == sum(i * i for i in range(1, n + 1))


def test_two_lambdas_on_one_line_are_told_apart():
    f, g = tf.function(lambda x: x if x > 0.0 else -x), tf.function(lambda x: x * 2.0 if x > 0.0 else x * 3.0)
    assert (f(tf.constant(-4.0)).numpy(), g(tf.constant(-4.0)).numpy()) == (4.0, -12.0)


def test_attributes_changed_in_a_loop():
    class Counter:
        n = 0.0

    counter = Counter()

    @tf.function
    def run(x):
        counter.n = 0.0
        for _ in tf.range(4):
            counter.n = counter.n + x
        return counter.n

    assert run(tf.constant(3.0)).numpy() == 12.0


def test_python_numbers_follow_the_tensor_of_the_other_branch():
    @tf.function
    def f(x):
        if x > 0.0:
            y = x
        else:
            y = 0
        return y

    assert f(tf.constant(-1.0)).dtype == tf.float32


def test_a_variable_of_one_branch_is_told_by_name():
    @tf.function
    def f(x):
        if x > 0.0:
            only_here = x
        return only_here + 1.0

    with pytest.raises(UnboundLocalError, match="'only_here' may be used before it has a value"):
        f(tf.constant(1.0))


def test_a_variable_of_one_branch_is_no_result():
    @tf.function
    def f(x):
        if x > 0.0:
            only_here = x
        return {"found": only_here}

    with pytest.raises(UnboundLocalError, match="'only_here' may be used before it has a value"):
        f(tf.constant(1.0))


def test_branches_of_two_dtypes_are_refused_by_name():
    @tf.function
    def f(x):
        if x > 0.0:
            y = x
        else:
            y = tf.constant(1)
        return y

    with pytest.raises(TypeError, match=r"y: its dtype differs between the branches .if=float32, else=int32"):
        f(tf.constant(1.0))


def test_a_loop_that_changes_a_dtype_is_refused_by_name():
    @tf.function
    def f(x):
        for _ in tf.range(3):
            x = tf.cast(x, tf.int32)
        return x

    with pytest.raises(TypeError, match=r"x: its dtype changes from round to round .before=float32, after=int32"):
        f(tf.constant(1.0))


def test_a_value_returned_on_some_ways_only_is_refused():
    @tf.function  # noqa: RET503 - what is refused
    def f(x):
        for _ in tf.range(3):
            if x > 0.0:
                return x

    with pytest.raises(ValueError, match="return a value on every way"):
        f(tf.constant(1.0))


def test_errors_keep_their_type_and_line():
    @tf.function
    def f(x):
        for _ in tf.range(3):
            if x > 0.0:
                raise KeyError("mine")  # this line
        return x

    with pytest.raises(KeyError, match="mine") as caught:
        f(tf.constant(1.0))
    line = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert line.filename == __file__ and line.line.endswith("# this line")


def test_to_code_shows_the_rewritten_function():
    code = tf.autograph.to_code(early_return)
    assert "ag__.if_(" in code and "def early_return(x)" in code


def test_do_not_convert_leaves_a_function_alone():
    @tf.autograph.experimental.do_not_convert
    def plain(x):
        return x if x > 0.0 else -x

    with pytest.raises(TypeError, match="The truth value of a symbolic tensor"):
        tf.function(lambda x: plain(x))(tf.constant(1.0))
    assert plain(tf.constant(-1.0)).numpy() == 1.0
