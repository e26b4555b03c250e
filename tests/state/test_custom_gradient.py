"""Functions that bring their own derivative, at once and compiled."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.function.trace import trace
from tensorsmith.program import execute


@tf.custom_gradient
def softplus(z):
    exp = tf.exp(z)

    def slope(upstream):
        return upstream / (1 + 1 / exp)

    return tf.math.log(exp + 1), slope


def gradient(function: object, *values: float) -> list[float | None]:
    variables = [tf.Variable(value, dtype=tf.float64) for value in values]
    with tf.GradientTape() as tape:
        result = function(*variables)  # type: ignore[operator]
    return [None if g is None else g.numpy().item() for g in tape.gradient(result, variables)]


def test_the_given_derivative_is_taken_where_the_own_one_is_nan() -> None:
    assert gradient(lambda z: tf.math.log(tf.exp(z) + 1), 1000.0) != [1.0]
    assert gradient(softplus, 1000.0) == [1.0]
    assert gradient(softplus, 0.5) == pytest.approx([1 / (1 + np.exp(-0.5))])


def test_the_derivative_given_may_be_another_than_the_true_one() -> None:
    @tf.custom_gradient
    def reversed_(x):
        return x * 1.0, lambda upstream: -upstream

    assert gradient(lambda x: 3.0 * reversed_(x * x), 2.0) == [-12.0]


def test_it_is_the_same_when_compiled() -> None:
    def body(graph):
        z = graph.input((None,), "float64")
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = tf.reduce_sum(softplus(z) * 2.0)
        return y, tape.gradient(y, z)

    z = np.array([0.5, 800.0])
    (y, slopes), _ = execute.run(trace(body).program, [z], [])
    np.testing.assert_allclose(slopes, 2 / (1 + np.exp(-z)))
    assert y == np.inf


def test_calls_with_other_values_share_their_compiled_form() -> None:
    programs = []
    for value in (0.2, 0.3):
        with tf.GradientTape() as tape:
            tape.watch(z := tf.constant(value, tf.float64))
            softplus(z)
        programs += [settings["backward"] for op, _, settings, _ in tape._calls if op.name == "custom_gradient"]
    assert programs[0].signature() == programs[1].signature()
    assert not programs[0].constants


def test_several_arguments_results_and_none() -> None:
    @tf.custom_gradient
    def both(x, y):
        return (x + y, x * y), lambda a, b: (10.0 * a + b, None)

    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        a, b = both(x, y)
        total = a + 5.0 * b
    by_x, by_y = tape.gradient(total, [x, y])
    assert by_x.numpy() == 15
    assert by_y is None or by_y.numpy() == 0


def test_variables_that_are_read_are_told_to_the_derivative() -> None:
    w = tf.Variable(3.0)

    @tf.custom_gradient
    def scaled(x):
        def slopes(upstream, variables=None):
            assert variables[0] is w
            return 100.0 * upstream, [x * upstream]

        return w * x, slopes

    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = scaled(x)
    assert [g.numpy() for g in tape.gradient(y, [x, w])] == [100, 2]


def test_variables_that_are_read_must_be_taken() -> None:
    w = tf.Variable(3.0, name="w")

    @tf.custom_gradient
    def scaled(x):
        return w * x, lambda upstream: upstream

    with tf.GradientTape(), pytest.raises(TypeError) as caught:
        scaled(tf.constant(1.0))
    assert str(caught.value) == (
        "custom_gradient of scaled: it reads trainable variables, but its grad_fn does not take them (variables=['w:0']); "
        "grad_fn(*upstream, variables=None) must return (by_arguments, by_variables)."
    )


def test_a_wrong_number_of_derivatives_is_refused() -> None:
    @tf.custom_gradient
    def both(x, y):
        return x + y, lambda upstream: upstream

    with tf.GradientTape(), pytest.raises(ValueError, match="another number of derivatives than there are arguments"):
        both(tf.constant(1.0), tf.constant(1.0))


def test_the_derivative_of_the_derivative() -> None:
    @tf.custom_gradient
    def cubed(x):
        return x**3, lambda upstream: upstream * 3 * x**2

    x = tf.Variable(2.0, dtype=tf.float64)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = cubed(x)
        slope = inner.gradient(y, x)
    assert slope.numpy() == 12
    assert outer.gradient(slope, x).numpy() == pytest.approx(12)


def test_without_a_tape_only_the_value_is_computed() -> None:
    @tf.custom_gradient
    def plain(x):
        def slope(upstream):
            raise AssertionError("nobody asked")

        return x + 1.0, slope

    assert plain(tf.constant(1.0)).numpy() == 2


# ---- as users write it


class Scaled:
    def __init__(self) -> None:
        self.factor = 100.0
        self.bound = tf.custom_gradient(self.plain)

    @tf.custom_gradient
    def decorated(self, x):
        return x * x, lambda upstream: upstream * self.factor

    def plain(self, x):
        return x * x, lambda upstream: upstream * self.factor


@pytest.fixture(params=["at once", "in a function"])
def run(request):
    return (lambda f: f()) if request.param == "at once" else (lambda f: tf.function(f)())


@pytest.mark.parametrize("name", ["decorated", "bound"])
def test_on_methods(run, name):
    x, scaled = tf.Variable(2.0), Scaled()

    def f():
        with tf.GradientTape() as tape:
            y = getattr(scaled, name)(x)
        return y, tape.gradient(y, x)

    assert [v.numpy() for v in run(f)] == [4.0, 100.0]


def test_keyword_arguments_are_constants(run):
    @tf.custom_gradient
    def scaled(x, scale=2.0):
        return x * scale, lambda upstream: upstream * scale * 10.0

    x, s = tf.Variable(2.0), tf.Variable(3.0, trainable=False)

    def f():
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(s)
            y = scaled(x, scale=s)
            z = scaled(x)
        return [y, z, *tape.gradient(y, [x, s]), tape.gradient(z, x)]

    y, z, by_x, by_s, slope = run(f)
    assert [v.numpy() for v in (y, z, by_x, slope)] == [6.0, 4.0, 30.0, 20.0]
    assert by_s is None


@pytest.mark.parametrize("give", [lambda a, b: (a, b), lambda a, b: {"a": a, "b": b}], ids=["in order", "by name"])
def test_nested_arguments(run, give):
    @tf.custom_gradient
    def product(parts):
        return parts["a"] * parts["b"], lambda upstream: give(upstream * 1.0, upstream * 2.0)

    a, b = tf.Variable(3.0), tf.Variable(4.0)

    def f():
        with tf.GradientTape() as tape:
            y = product({"b": b, "a": a})
        return tape.gradient(y, [a, b])

    assert [g.numpy() for g in run(f)] == [1.0, 2.0]


def test_a_derivative_that_has_one_of_its_own(run):
    @tf.custom_gradient
    def outer(x):
        @tf.custom_gradient
        def inner(u):
            return u * 1.0, lambda v: v * 7.0

        return x * x, lambda upstream: inner(upstream * x)

    x = tf.Variable(2.0)

    def f():
        with tf.GradientTape() as second:
            with tf.GradientTape() as first:
                y = outer(x)
            slope = first.gradient(y, x)
        return slope, second.gradient(slope, x)

    assert [v.numpy() for v in run(f)] == [2.0, 7.0]


def test_complex_values_flow_as_tensorflow_defines_them(run):
    @tf.custom_gradient
    def squared(z):
        return z * z, lambda upstream: upstream * tf.math.conj(2.0 * z)

    z = tf.constant(1 + 2j, tf.complex128)

    def f():
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(z)
            own, plain = squared(z) * (2 - 1j), z * z * (2 - 1j)
        return tape.gradient(own, z), tape.gradient(plain, z)

    own, plain = run(f)
    assert own.numpy() == pytest.approx(plain.numpy()) == np.conj(2 * (1 + 2j) * (2 - 1j))


def test_forwards_what_was_computed_moves():
    @tf.custom_gradient
    def reversed_(x):
        return x * x, lambda upstream: -upstream

    x = tf.constant(3.0)
    with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as acc:
        y = reversed_(x)
    assert acc.jvp(y).numpy() == 6.0


def test_passing_the_derivative_through(run):
    x, w = tf.Variable([2.4, -1.6]), tf.Variable(3.0)

    def f():
        with tf.GradientTape() as tape:
            y = tf.grad_pass_through(lambda v: tf.round(v * w))(x) * [1.0, 10.0]
        return y, *tape.gradient(y, [x, w])

    y, by_x, by_w = run(f)
    assert y.numpy().tolist() == [7.0, -50.0]
    assert by_x.numpy().tolist() == [1.0, 10.0]
    assert by_w is None or by_w.numpy() == 0


def test_a_constant_derivative_reaches_a_variable() -> None:
    weights = tf.Variable([1.0, 2.0, 3.0])
    x = tf.Variable(2.0)

    @tf.custom_gradient
    def weighed(x):
        total = tf.reduce_sum(weights)
        return x * total, lambda upstream, variables=None: (upstream * total, [tf.ones_like(weights)])

    def slopes():
        with tf.GradientTape() as tape:
            y = 5.0 * weighed(x)
        return tape.gradient(y, [x, weights])

    # piece by piece, then as one function, then in a program
    for by_x, by_weights in [slopes(), slopes(), slopes(), tf.function(slopes)()]:
        assert by_x.numpy() == 5 * np.sum(weights.numpy())
        np.testing.assert_array_equal(by_weights.numpy(), np.ones(3))


def test_control_flow_on_tensors_is_rewritten_in_the_function_and_in_its_derivative():
    @tf.custom_gradient
    def doubled(x):
        if x > 0.0:
            y = x * 2.0
        else:
            y = x * 3.0

        def slope(upstream):
            if upstream > 1.0:
                return upstream * 10.0
            return upstream * 20.0

        return y, slope

    @tf.function
    def both(x, scale):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = doubled(x) * scale
        return y, tape.gradient(y, x)

    for x, scale in ((2.0, 3.0), (-2.0, 3.0), (2.0, 0.5)):
        value, gradient = both(tf.constant(x), tf.constant(scale))
        assert value.numpy() == (x * 2.0 if x > 0.0 else x * 3.0) * scale
        assert gradient.numpy() == scale * (10.0 if scale > 1.0 else 20.0)
