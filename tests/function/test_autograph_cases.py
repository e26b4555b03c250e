"""A table of Python functions: traced, compiled and differentiated they give what Python itself gives."""

from __future__ import annotations

import functools
from typing import NamedTuple

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import tensorsmith as tf

# ---- if


def if_without_else(x):
    if x > 0.0:
        x = x * 2.0
    return x


def nested_ifs(x):
    y = 0.0
    if x > 0.0:
        if x > 2.0:
            y = x * 3.0
        else:
            y = x + 1.0
        y = y * 2.0
    elif x < -2.0:
        y = -x
    return y


def pass_in_both(x):
    if x > 0.0:
        pass
    else:
        pass
    return x


def tuples_swapped(x):
    a, b = x, x * 2.0
    if x > 0.0:
        a, b = b, a
    return a - b


def starred(x):
    first, *rest = [x, x + 1.0, x + 2.0]
    if x > 0.0:
        first, *rest = [x * 3.0, x, x]
    return first + rest[0] * rest[1]


def walrus_in_the_test(x):
    if (y := x * 2.0) > 3.0:
        z = y + 1.0
    else:
        z = y
    return z


def returns_in_elif(x):
    if x > 5.0:
        return x
    if x > 1.0:
        return x * 2.0
    if x < -5.0:
        return -x
    x = x + 1.0
    return x * 4.0


def return_deep_inside(x):
    if x > 0.0:
        for i in tf.range(5):
            if tf.cast(i, tf.float32) > x:
                while x < 100.0:
                    x = x * 2.0
                    if x > 20.0:
                        return x + tf.cast(i, tf.float32)
        return x - 0.5
    return x


def return_of_a_structure(x):
    if x > 0.0:
        return x, {"a": x * 2.0}
    return -x, {"a": x}


def returns_none(x):
    if x > 0.0:
        x = x + 1.0
    return


def ternaries(x):
    return (x if x > 0.0 else -x) + (1.0 if x > 2.0 else 2.0 if x > 1.0 else 3.0)


def python_conditions(x, flag=True, name="a", none=None):
    if flag and name == "a" and none is None and name in ("a", "b"):
        x = x + 1.0
    if not flag or none is not None:
        x = x * 100.0
    return x


def mixed_logic(x, flag=True):
    if flag and x > 0.0 or not flag:
        return x * 2.0
    return x


def chained(x):
    if -1.0 < x <= 2.0 < x + 3.0:
        return x * 10.0
    return x


def chained_calls(x):
    calls = []

    def once(value):
        calls.append(1)
        return value

    result = 0.0 < once(x * 1.0) < 5.0
    return result, len(calls)


def equality(x):
    if x == 2.5:
        x = x + 1.0
    if x != 3.5:
        x = x + 1.0
    return x


def deleted(x):
    y = x * 2.0
    z = y + 1.0
    del y
    if z > 0.0:
        y = z
    else:
        y = -z
    return y


def matched_guard(x):
    match [1, 2]:
        case [a, b] if a < b:
            if x > 0.0:
                x = x + a
        case _:
            x = x * 100.0
    return x


# ---- while


def while_with_else(x):
    while x < 5.0:
        x = x + 2.0
    else:
        x = x * 10.0
    return x


def while_else_and_break(x):
    n = 0
    while x < 50.0:
        x = x + 3.0
        n += 1
        if x > 10.0:
            break
    else:
        x = x - 1000.0
    return x, n


def walrus_with_else(x):
    while (y := x + 1.0) < 6.0:
        x = y
    else:
        x = x * 10.0
    return x + y


def while_true(x):
    n = 0
    while True:
        x = x + 1.0
        n += 1
        if x > 7.0:
            break
        if n >= 30:
            return x * 100.0
    return x


def while_and(x):
    i = 0
    while i < 10 and x < 20.0:
        x = x + tf.abs(x) + 1.0
        i += 1
    return x, i


def while_false_at_once(x):
    n = 0
    while x > 1e6:
        x = x + 1.0
        n += 1
    return x, n


# ---- for


def continue_twice(x):
    total = 0.0
    for i in tf.range(10):
        if i % 3 == 0:
            continue
        if i % 3 == 1 and x > 0.0:
            continue
        total += tf.cast(i, tf.float32)
    return total * x


def break_in_two_places(x):
    count = 0
    for i in tf.range(10):
        if tf.cast(i, tf.float32) > x + 4.0:
            break
        count += 1
        if count > 6:
            break
        count += 1
    return count


def for_else_and_break(x):
    for i in tf.range(5):
        if tf.cast(i, tf.float32) > x:
            break
    else:
        x = x * 7.0
    return x


def rows_of_matrix(x):
    total = tf.zeros([3])
    for row in tf.stack([tf.fill([3], x), tf.fill([3], 2.0 * x)]):
        for item in row:
            total = total + item * row
    return tf.reduce_sum(total)


def counted_down(x):
    total = 0
    for i in tf.range(10, 0, -3):
        total = total * 10 + i
    return total


def target_of_pairs(x):
    total = 0.0
    for a, b in tf.stack([tf.stack([x, x * 2.0]), tf.stack([x + 1.0, x])]):
        total += a * 10.0 + b
    return total


def zipped(x):
    a = tf.stack([x, x + 1.0, x + 2.0])
    total = 0.0
    for p, q in zip(a, a * 2.0):
        total += p * q
    return total


def zipped_with_list(x):
    total = 0.0
    for p, q in zip(tf.stack([x, x + 1.0, x + 2.0]), [1.0, 2.0, 3.0]):
        total += p * q
    return total


def zipped_unequal(x):
    total = 0.0
    for p, q, r in zip(tf.stack([x, x, x]), tf.range(2), range(100)):
        total += p * tf.cast(q + r, tf.float32)
    return total


def zipped_with_an_iterator(x):
    total = 0.0
    for p, q in zip(tf.stack([x, x + 1.0]), iter(["a", "b"])):
        total += p * len(q)
    return total


def enumerated(x):
    total = 0.0
    for i, p in enumerate(tf.stack([x, x + 1.0, x + 2.0])):
        total += p * tf.cast(i, tf.float32)
    return total


def enumerated_from(x):
    total = 0.0
    for i, (p, q) in enumerate(zip(tf.stack([x, x + 1.0]), tf.range(2)), start=3):
        total += p * tf.cast(i * 10 + q, tf.float32)
    return total


def enumerated_python(x):
    for i, name in enumerate(["a", "bb"], 1):
        x = x + i * len(name)
    return x


def reversed_rows(x):
    total = 0.0
    for p in reversed(tf.stack([x, x + 1.0, x + 2.0])):
        total = total * 2.0 + p
    return total


def reversed_range(x):
    total = 0
    for i in reversed(tf.range(2, 12, 4)):
        total = total * 10 + i
    for i in reversed(range(3)):
        total = total * 10 + i
    return total


def mapped(x):
    total = 0.0
    for p in map(lambda v: v * v if v > 1.0 else v, tf.stack([x, x + 1.0])):  # noqa: C417 - what is tested
        total += p
    return total


def mapped_pairs(x):
    total = 0.0
    for p in map(lambda v, w: v * w, tf.stack([x, x + 1.0]), tf.constant([1.0, 2.0])):
        total += p
    return total


def filtered(x):
    total = 0.0
    for p in filter(lambda v: v > 0.0, tf.stack([x, -x, x + 1.0])):
        total += p
    return total


def comprehension_of_pairs(x):
    return sum([i * p for i, p in enumerate(tf.stack([x, x + 1.0]))])


def nested_counts(x):
    count = 0
    for i in tf.range(4):
        for j in range(3):
            for k in tf.range(i):
                if k == j:
                    continue
                count += k
    return count


# ---- Python's functions


def builtins_of_tensors(x):
    v = tf.stack([x, -x, x * 2.0])
    return max(v), min(v), sum(v), sum(v, 1.0), abs(x), len(v), max(x, 1.0), min([x, 2.0])


def int_and_float(x):
    return int(x), float(int(x)) + 0.5


def any_and_all(x):
    v = tf.stack([x, -x, 1.0])
    return any(v > 0.0), all(v > 0.0), any([x > 0.0, False]), all([x > 0.0, True]), any([x > 0.0, True])


def all_of_a_generator(x):
    return all(x > k for k in (0.0, 1.0)), any(x > k for k in (2.0, 5.0))


def sorted_rows(x):
    v = tf.stack([x, -x, x * 2.0])
    return sorted(v)[0], sorted(v, reverse=True)[0], sorted([3, 1, 2])


def range_of_a_tensor(x):
    n, total = int(abs(x)), 0
    for i in range(n):
        total += i
    for i in range(1, n, 2):
        total += i * 10
    return total


def asserted(x):
    assert x < 1e6, "too much"
    assert True
    return x * 2.0


# ---- functions, classes, scopes


def recursion_in_python(x, n=3):
    if n == 0:
        return x
    if x > 100.0:
        return x
    return recursion_in_python(x * 2.0, n - 1)


def arguments(x):
    def inner(a, *rest, b=2.0, **more):
        if a > 0.0:
            return a * b + rest[0] + more["c"]
        return a

    return inner(x, 5.0, c=x) + inner(*[x, x], b=3.0, c=1.0)


def defaults_of_the_outer_scope(x):
    k = 3.0

    def inner(a, b=k):
        return a * b if a > 0.0 else b

    k = 100.0
    return inner(x)


def closure_over_a_loop(x):
    total = 0.0
    for i in range(3):

        def inner(v):
            if v > 0.0:
                return v * i
            return v

        total = total + inner(x)
    return total


def nonlocal_state(x):
    count = 0

    def more(v):
        nonlocal count
        if v > 0.0:
            count = count + 1
        for _ in tf.range(2):
            count = count + 1

    more(x)
    more(-x)
    return x + tf.cast(count, tf.float32)


calls = 0.0


def global_state(x):
    global calls
    calls = 0.0
    if x > 0.0:
        calls = calls + x
    for _ in tf.range(2):
        calls = calls + 1.0
    result, calls = calls, 0.0
    return result


def twice(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        result = function(*args, **kwargs)
        if result > 5.0:
            return result - 5.0
        return result * 2.0

    return wrapper


@twice
def wrapped(x):
    if x > 0.0:
        return x
    return -x


def decorated_inside(x):
    @twice
    def inner(v):
        return v + 1.0 if v > 0.0 else v

    return inner(x) + wrapped(x)


class Squarer:
    __scale = 2.0

    def __init__(self, offset):
        self.offset = offset
        self.seen = 0.0

    def __call__(self, x):
        if x > self.offset:
            return self.__square(x)
        return self.negative(x)

    def __square(self, x):
        return x * x * self.__scale if x < 100.0 else x

    @staticmethod
    def negative(x):
        if x > -1.0:
            return -x
        return x

    @property
    def half(self):
        return self.offset / 2.0

    @classmethod
    def made(cls, x):
        return cls(0.0)(x)

    def total(self, n):
        self.seen = 0.0
        for i in tf.range(n):
            self.seen += tf.cast(i, tf.float32) * self.offset
            if self.seen > 4.0:
                break
        return self.seen


def classes(x):
    squarer = Squarer(1.0)
    return squarer(x) + squarer.negative(x) + Squarer.made(x) + squarer.half + squarer.total(4)


def local_class(x):
    class Base:
        def call(self, v):
            return v * 2.0 if v > 0.0 else v

    class Child(Base):
        def call(self, v):
            if v > 1.0:
                return super().call(v) + 1.0
            return super().call(v)

    return Child().call(x)


def partials(x):
    def add(a, b):
        return a + b if a > 0.0 else a - b

    return functools.partial(add, b=3.0)(x)


def lambdas(x):
    f = lambda v, k=2.0: v * k if v > 0.0 else (lambda w: w - 1.0)(v)  # noqa: E731
    return f(x) + (lambda: x if x > 1.0 else 0.0)()


def generator_of_values(x):
    def rows(n):
        for i in range(n):
            yield x * i

    total = 0.0
    for row in rows(3):
        if row > 0.0:
            total = total + row
    return total


# ---- state that is not a local name


def elements_of_a_dict(x):
    state = {"n": 0.0, "keep": "text"}
    if x > 0.0:
        state["n"] = x
    for _ in tf.range(3):
        state["n"] = state["n"] + 1.0
    return state["n"]


def elements_of_a_list(x):
    state = [x, x]
    for i in tf.range(3):
        state[0] = state[0] + tf.cast(i, tf.float32)
        if x > 0.0:
            state[1] = state[0] * 2.0
    return state[0] + state[1]


def element_by_a_name(x):
    state, key = {"a": x, "b": x}, "b"
    if x > 1.0:
        state[key] = x * 5.0
    return state["a"] + state["b"]


class Inner:
    value = 0.0


class Outer:
    def __init__(self):
        self.inner = Inner()


def attributes_of_attributes(x):
    outer = Outer()
    outer.inner.value = x
    while outer.inner.value < 10.0:
        outer.inner.value = outer.inner.value + 3.0
    return outer.inner.value


class Pair(NamedTuple):
    a: object
    b: object


def named_tuples(x):
    pair = Pair(x, 0)
    for i in tf.range(3):
        pair = Pair(pair.a + 1.0, pair.b + i)
    if x > 0.0:
        pair = Pair(pair.b, pair.a) if False else pair._replace(a=pair.a * 2.0)
    return pair.a, pair.b


def list_changed_by_python(x):
    rows = []
    for k in range(3):
        if x > 0.0:
            y = x * k
        else:
            y = x
        rows.append(y)
    return tf.stack(rows)


def tensor_array(x):
    rows = tf.TensorArray(tf.float32, size=4)
    for i in tf.range(4):
        rows = rows.write(i, x * tf.cast(i, tf.float32))
    return rows.stack()


# ---- try, with


def try_with_return(x):
    try:
        if x > 0.0:
            return x * 2.0
    finally:
        y = 3.0
    return x + y


def try_else(x):
    try:
        y = x
    except ValueError:
        y = x * 100.0
    else:
        if x > 0.0:
            y = x + 1.0
    return y


def try_returns_before_its_else(x):
    try:
        if x > 0.0:
            return x * 2.0
    except ValueError:
        return x
    else:
        return x * 100.0


def try_continues_before_its_else(x):
    total = 0.0
    for i in tf.range(4):
        try:
            if tf.cast(i, tf.float32) > x:
                continue
        except ValueError:
            break
        else:
            total = total + 1.0
        total = total + x
    return total


def exception_caught(x):
    try:
        if x > 0.0:
            y = x
        else:
            y = -x
        raise ValueError("mine")
    except ValueError as error:
        text = str(error)
    return y + len(text)


def returned_from_with(x):
    with tf.name_scope("a") as name:
        assert name == "a/"
        if x > 0.0:
            return x
    return x * 3.0


def try_in_a_loop(x):
    total = 0.0
    for i in tf.range(5):
        try:
            if i == 3:
                continue
            if x < 0.0:
                break
        finally:
            total = total + 1.0
        total = total + 10.0
    return total


def assigned_in_a_ternary(x):
    both = (a := x + 1.0) if x > 0.0 else (a := x - 1.0)
    sure = x > 5.0 or (b := x * 2.0) > 1.0 or b < -100.0
    return both, a, sure


CASES = [
    value
    for value in list(globals().values())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not isinstance(value, type)
    and value is not twice
]  # fmt: skip
NAMES = [case.__name__ for case in CASES]


def same(right, result, message):
    right, result = tf.nest.flatten(right), tf.nest.flatten(result)
    assert len(right) == len(result), message
    for a, b in zip(right, result):
        if a is None or b is None:
            assert a is b, message
        else:
            np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-5, atol=1e-5, err_msg=message)


@pytest.mark.parametrize("function", CASES, ids=NAMES)
def test_traced_is_python(function):
    traced = tf.function(function)

    def check(value):
        value = np.float32(value)
        same(function(tf.constant(value)), traced(tf.constant(value)), f"{function.__name__}({value})")

    for value in (-9.0, -1.5, 0.0, 0.5, 2.5, 9.0):
        check(value)
    hypothesis.settings(max_examples=8, deadline=None, database=None)(
        hypothesis.given(st.floats(-20.0, 20.0, width=32, allow_subnormal=False))(check)
    )()
    assert traced.experimental_get_tracing_count() == 1


SMOOTH = [
    case
    for case in CASES
    if case.__name__
    not in {
        # whole numbers, truths or nothing at all
        "returns_none", "chained_calls", "break_in_two_places", "counted_down", "reversed_range", "nested_counts",
        "any_and_all", "all_of_a_generator", "range_of_a_tensor", "int_and_float",
    }
]  # fmt: skip


def _total(x, value):
    floats = [v for v in tf.nest.flatten(value) if getattr(v, "dtype", None) == tf.float32]
    return tf.add_n([0.0 * x, *(tf.reduce_sum(v) for v in floats)])


@pytest.mark.parametrize("function", SMOOTH, ids=[case.__name__ for case in SMOOTH])
def test_gradients_are_pythons(function):
    traced = tf.function(lambda x: _total(x, function(x)))

    @tf.function
    def inside(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = _total(x, function(x))
        return tape.gradient(y, x)

    for value in (-1.75, 2.25):
        x = tf.constant(value)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = _total(x, function(x))
        right = tape.gradient(y, x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = traced(x)
        outside = tape.gradient(y, x)
        for result in (outside, inside(x)):
            right_value = 0.0 if right is None else right.numpy()
            np.testing.assert_allclose(
                0.0 if result is None else result.numpy(), right_value, rtol=1e-4, err_msg=f"at {value}"
            )
