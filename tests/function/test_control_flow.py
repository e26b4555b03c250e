"""cond, case, switch_case, while_loop, map_fn: the same at once and as part of a program."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import pytest

import tensorsmith as tf


def both(function, *values):
    """The result when run at once, held against the traced one."""
    at_once, traced = function(*values), tf.function(function)(*values)
    for a, b in zip(*(r if isinstance(r, (tuple, list)) else [r] for r in (at_once, traced))):
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-6)
    return traced


@pytest.mark.parametrize("x", [-2.0, 3.0])
def test_cond(x):
    assert both(lambda x: tf.cond(x > 0, lambda: x * 2.0, lambda: x - 1.0), tf.constant(x)).numpy() == (
        2 * x if x > 0 else x - 1
    )


def test_cond_writes_variables_of_the_branch_that_is_taken():
    v, w = tf.Variable(1.0), tf.Variable(1.0)

    @tf.function
    def f(x):
        tf.cond(x > 0, lambda: v.assign_add(x), lambda: w.assign_sub(x))
        return v + w

    assert (f(tf.constant(2.0)).numpy(), v.numpy(), w.numpy()) == (4.0, 3.0, 1.0)
    assert (f(tf.constant(-5.0)).numpy(), v.numpy(), w.numpy()) == (9.0, 3.0, 6.0)


def test_cond_refuses_results_of_two_forms():
    f = tf.function(lambda x: tf.cond(x > 0, lambda: (x, x), lambda: x))
    with pytest.raises(TypeError, match="the value returned: its structure differs between the branches"):
        f(tf.constant(1.0))
    with pytest.raises(TypeError, match="cond: false_fn must be callable"):
        tf.cond(True, lambda: 1, None)


@pytest.mark.parametrize("x", [0.5, 2.0, 9.0])
def test_case(x):
    def f(x):
        return tf.case([(x > 3.0, lambda: x * 1.0), (x > 1.0, lambda: x * 10.0)], default=lambda: x * 100.0)

    assert both(f, tf.constant(x)).numpy() == np.float32(x * (1 if x > 3 else 10 if x > 1 else 100))


@pytest.mark.parametrize("at", [-1, 0, 1, 2])
def test_switch_case(at):
    def f(i):
        return tf.switch_case(
            i, {0: lambda: tf.constant(10), 1: lambda: tf.constant(20)}, default=lambda: tf.constant(-1)
        )

    assert both(f, tf.constant(at)).numpy() == {0: 10, 1: 20}.get(at, -1)


@pytest.mark.parametrize("limit", [None, 3])
def test_while_loop(limit):
    def f(x):
        return tf.while_loop(
            lambda i, y: i < 5, lambda i, y: (i + 1, y * 2.0), (tf.constant(0), x), maximum_iterations=limit
        )

    rounds = 5 if limit is None else limit
    number, value = both(f, tf.constant(1.5))
    assert (number.numpy(), value.numpy()) == (rounds, 1.5 * 2**rounds)


def test_a_loop_carries_variables_and_sizes_that_change():
    v = tf.Variable(0)

    @tf.function
    def f(n):
        x = tf.constant([1.0])
        for i in tf.range(n):
            v.assign_add(i)
            x = tf.concat([x, x], axis=0)
        return x

    assert f(tf.constant(4)).shape == (16,) and v.numpy() == 6
    assert f(tf.constant(0)).shape == (1,) and v.numpy() == 6


def test_a_loop_of_known_length_is_compiled():
    from tensorsmith.program.execute import on_numpy

    f = tf.function(lambda x: tf.while_loop(lambda y: y < 100.0, lambda y: [y * 2.0], [x])[0])
    assert not on_numpy(f.get_concrete_function(tf.constant(1.0))._program)
    g = tf.function(lambda s: tf.cond(tf.strings.length(s) > 1, lambda: s, lambda: s + "!"))
    assert g(tf.constant("a")).numpy() == b"a!" and on_numpy(g.get_concrete_function(tf.constant("a"))._program)


def test_map_fn():
    x = np.arange(6, dtype="float32").reshape(3, 2)
    result = both(lambda x: tf.map_fn(lambda row: row * 2.0 + tf.reduce_sum(row), x), tf.constant(x))
    np.testing.assert_allclose(result, x * 2 + x.sum(1, keepdims=True))
    a, _ = both(
        lambda x: tf.map_fn(lambda p: (p[0] + p[1], p[0]), (x, x * 10.0), dtype=(tf.float32, tf.float32)),
        tf.constant(x),
    )
    np.testing.assert_allclose(a, x * 11)
    with pytest.raises(ValueError, match="elems must be tensors with the same number of rows"):
        tf.map_fn(lambda p: p[0], (tf.zeros([2]), tf.zeros([3])))


def test_gradients_through_branches_and_loops():
    v = tf.Variable(3.0)

    @tf.function
    def f(x):
        y = x * 0.0
        for i in tf.range(4):
            if i % 2 == 0:
                y += v * v * x
            else:
                y += x
            if y > 1e6:
                break
        return y

    with tf.GradientTape() as tape:
        y = f(tf.constant(2.0))
    assert y.numpy() == 2 * 18 + 2 * 2.0 and tape.gradient(y, v).numpy() == 2 * (2 * 3.0 * 2.0)


def test_case_checks_its_predicates_also_when_it_runs():
    def f(x):
        return tf.case([(x > 1.0, lambda: x), (x > 2.0, lambda: -x)], default=lambda: x * 0.0, exclusive=True)

    for run in (f, tf.function(f)):
        assert run(tf.constant(1.5)).numpy() == 1.5 and run(tf.constant(0.0)).numpy() == 0.0
        with pytest.raises(tf.errors.InvalidArgumentError, match="more than one predicate is true"):
            run(tf.constant(3.0))

    def g(x):
        return tf.case([(x > 1.0, lambda: x), (x > 0.5, lambda: -x)])

    for run in (g, tf.function(g)):
        assert run(tf.constant(0.75)).numpy() == -0.75
        with pytest.raises(tf.errors.InvalidArgumentError, match="no predicate is true and there is no default"):
            run(tf.constant(0.0))


def test_case_gives_a_single_value_bare_unless_strict():
    x = tf.constant(1.0)
    for strict, wanted in ((False, 1.0), (True, [1.0])):
        found = tf.function(lambda x: tf.case([(x > 0.0, lambda: [x])], lambda: [-x], strict=strict))(x)
        assert tf.nest.map_structure(float, found) == wanted


def test_switch_case_is_one_node_and_refuses_what_it_cannot_count():
    f = tf.function(lambda i: tf.switch_case(i, [lambda: 1, lambda: 2, lambda: 3]))
    names = [node.op.name for node in f.get_concrete_function(tf.constant(0)).program.nodes]
    assert names.count("switch") == 1 and "cond" not in names
    assert [f(tf.constant(at)).numpy() for at in (-1, 0, 1, 2, 3)] == [3, 1, 2, 3, 3]
    with pytest.raises(ValueError, match=r"switch_case: the numbers of the branches have gaps .numbers=\[0, 5\]"):
        tf.switch_case(tf.constant(0), {0: lambda: 1, 5: lambda: 2})
    with pytest.raises(TypeError, match="switch_case: the index must be one integer"):
        tf.switch_case(tf.constant(0.0), [lambda: 1])


def test_shape_invariants_are_kept():
    def f(x, shape):
        return tf.while_loop(lambda x: tf.size(x) < 9, lambda x: [tf.concat([x, x], 0)], [x], shape_invariants=[shape])

    x = tf.constant([1.0])
    assert tf.function(lambda x: f(x, tf.TensorShape([None])))(x)[0].shape == (16,)
    with pytest.raises(ValueError, match=r"loop_vars\[0\]: its first value does not fit its shape invariant"):
        tf.function(lambda x: f(x, tf.TensorShape([2])))(x)
    with pytest.raises(ValueError, match=r"its shape after a round .*before=float32\(1,\), after=float32\(2,\)"):
        tf.function(lambda x: f(x, tf.TensorShape([1])))(x)
    with pytest.raises(ValueError, match="shape_invariants has another structure than loop_vars"):
        tf.function(lambda x: f((x, x), tf.TensorShape([1])))(x)


@pytest.mark.parametrize(
    ("body", "error", "text"),
    [
        (lambda i, x: (i, x, x), ValueError, "the body gave another number of values than there are loop variables"),
        (
            lambda i, x: (i, x[None]),
            ValueError,
            r"loop_vars\[1\]: its rank changes .*float32\(2,\), after=float32\(1, 2\)",
        ),
        (lambda i, x: (i, tf.cast(x, tf.int32)), TypeError, r"loop_vars\[1\]: its dtype changes .*tf.cast"),
        (
            lambda i, x: (i, [x]),
            TypeError,
            r"loop_vars\[1\]: it is a tensor before a round of the loop and none after it",
        ),
    ],
)
def test_a_body_that_changes_what_it_carries_is_told_by_name(body, error, text):
    f = tf.function(lambda x: tf.while_loop(lambda i, x: i < 3, body, (0, x)))
    with pytest.raises(error, match=text):
        f(tf.constant([1.0, 2.0]))


def test_branches_that_differ_are_told_with_what_each_gives():
    x = tf.constant([1.0, 2.0])
    for other, error, text in (
        (lambda: x[None], ValueError, r"its rank differs between the branches .if=float32\(2,\), else=float32\(1, 2\)"),
        (lambda: tf.cast(x, tf.int32), TypeError, "its dtype differs between the branches .if=float32, else=int32"),
        (lambda: None, TypeError, "is no tensor in one"),
        (lambda: [x], TypeError, r"its structure differs .*else=list \[float32\(2,\)\]"),
    ):
        with pytest.raises(error, match=text):
            tf.function(lambda x, other=other: tf.cond(x[0] > 0.0, lambda: x, other))(x)


def test_conditions_that_are_none():
    with pytest.raises(ValueError, match="while_loop: the condition must be a single value"):
        tf.function(lambda x: tf.while_loop(lambda x: x > 0.0, lambda x: [x], [x]))(tf.constant([1.0, 2.0]))
    with pytest.raises(TypeError, match=r"cond: the condition must be a single boolean .condition=None"):
        tf.cond(None, lambda: 1, lambda: 2)


def test_a_condition_may_assign_to_variables():
    def f(v):
        return tf.while_loop(lambda x: v.assign_add(1) < 4, lambda x: [x * 2.0], [tf.constant(1.0)])[0]

    for run in (lambda v: f(v), tf.function(f)):
        v = tf.Variable(0)
        # asked four times: three rounds
        assert (run(v).numpy(), v.numpy()) == (8.0, 4)


def test_results_have_the_structure_of_the_loop_variables():
    Pair = collections.namedtuple("Pair", ["a", "b"])

    def step(i, p, d):
        return [i + 1, Pair(p.a + 1.0, p.b), {"x": d["x"] * 2.0}]

    for variables in ((0, Pair(tf.constant(0.0), 1.0), {"x": tf.constant(1.0)}),):
        i, pair, mapping = both_structures(lambda: tf.while_loop(lambda i, p, d: i < 3, step, variables))
        assert (i.numpy(), pair.a.numpy(), pair.b.numpy(), mapping["x"].numpy()) == (3, 3.0, 1.0, 8.0)
        assert type(pair) is Pair


def both_structures(function):
    at_once, traced = function(), tf.function(function)()
    tf.nest.assert_same_structure(at_once, traced)
    assert type(at_once) is type(traced) is tuple
    return traced


def test_sparse_and_ragged_loop_variables():
    ragged = tf.ragged.constant([[1.0, 2.0], [3.0]])

    @tf.function
    def f(r):
        return tf.while_loop(lambda i, r: i < 3, lambda i, r: (i + 1, r * 2.0), (0, r))[1]

    assert f(ragged).to_list() == [[8.0, 16.0], [24.0]]


def test_what_orders_operations():
    v = tf.Variable(1.0)

    @tf.function
    def f():
        with tf.control_dependencies([v.assign_add(1.0)]):
            tf.group(v.assign_add(1.0), tf.no_op())
            first, second = tf.identity_n([v, v * 2.0])
        return tf.tuple([first, None, second])

    first, nothing, second = f()
    assert (first.numpy(), nothing, second.numpy()) == (3.0, None, 6.0)
    with pytest.raises(ValueError, match="tuple: there is no tensor"):
        tf.tuple([None])


@dataclasses.dataclass
class Pair:
    a: object
    b: object


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: object
    b: object


@pytest.mark.parametrize("kind", [Pair, Frozen])
def test_objects_with_fields_go_through_branches_and_loops(kind):
    @tf.function
    def steps(n):
        state = kind(tf.constant(1.0), 2)
        _, state = tf.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, kind(s.a * 2.0, s.b + 1)), (0, state))
        return tf.cond(n > 2, lambda: state, lambda: kind(state.a + 100.0, state.b))

    for n in (2, 3):
        result = steps(tf.constant(n))
        assert type(result) is kind
        assert (result.a.numpy(), result.b.numpy()) == (2.0**n + (0.0 if n > 2 else 100.0), 2 + n)
