"""GradientTape: what it gives for which sources and targets, in which structure, at once and inside a traced function."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.state import tape as tapes

RNG = np.random.default_rng(3)


def value(gradient):
    return None if gradient is None else gradient.numpy().tolist()


@pytest.fixture(params=["at once", "in a function"])
def run(request):
    """Calls a function of no arguments as it is, and as a tf.function."""
    return (lambda f: f()) if request.param == "at once" else (lambda f: tf.function(f)())


# ---- sources and targets


def test_a_source_made_from_another_source_moves_the_target_too(run):
    x = tf.Variable(3.0)

    def f():
        with tf.GradientTape() as tape:
            y = x * x
            z = y * y
        return tape.gradient(z, [x, y])

    assert list(map(value, run(f))) == [4 * 3.0**3, 2 * 3.0**2]


def test_second_derivatives_by_a_value_that_the_first_one_used(run):
    x = tf.Variable(3.0)

    def f():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = x * x
                z = y * y
            slope = inner.gradient(z, y)
        return outer.gradient(slope, [x, y])

    # slope = 2y
    assert list(map(value, run(f))) == [4 * 3.0, 2.0]


def test_structures_of_sources_and_targets(run):
    x, w = tf.Variable(3.0), tf.Variable([1.0, 2.0])

    def f():
        with tf.GradientTape() as tape:
            targets = {"b": x * x, "a": [w * x, (w,)]}
        return tape.gradient(targets, {"w": w, "more": [x, (x, w)]})

    found = run(f)
    by_x, by_w = 2 * 3.0 + (1.0 + 2.0), [3.0 + 1.0] * 2
    assert value(found["w"]) == by_w
    assert value(found["more"][0]) == value(found["more"][1][0]) == by_x
    assert value(found["more"][1][1]) == by_w


def test_a_variable_is_its_own_target(run):
    x, y = tf.Variable(3.0), tf.Variable(1.0)

    def f():
        with tf.GradientTape() as tape:
            tape.watch(x)
        return tape.gradient(x, x)

    def g():
        with tf.GradientTape(persistent=True) as tape:
            x * y
        return tape.gradient(x, [x, y])

    assert value(run(f)) == 1.0
    assert list(map(value, g())) == [1.0, None]


def test_a_variable_that_is_assigned_is_a_source_as_all_that_it_was(run):
    x = tf.Variable(3.0)

    def f():
        x.assign(3.0)
        with tf.GradientTape() as tape:
            y = x * x
            x.assign(5.0)
            y = y + x
        return tape.gradient(y, x)

    assert value(run(f)) == 2 * 3.0 + 1.0


def test_what_flows_in(run):
    x = tf.Variable([1.0, 2.0])

    def f():
        with tf.GradientTape() as tape:
            targets = [x * x, {"cube": x * x * x}]
        return tape.gradient(targets, x, output_gradients=[tf.constant([1.0, 10.0]), {"cube": None}])

    assert value(run(f)) == [2 * 1.0 * 1.0 + 3 * 1.0, 2 * 2.0 * 10.0 + 3 * 4.0]


def test_a_number_or_a_list_flows_in_as_an_array_does():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
    assert value(tape.gradient(y, x, output_gradients=[3.0, 4.0])) == [6.0, 16.0]


@pytest.mark.parametrize("zero", ["zero", tf.UnconnectedGradients.ZERO])
@pytest.mark.parametrize("none", ["none", tf.UnconnectedGradients.NONE])
def test_unconnected_sources(run, zero, none):
    x, other = tf.Variable([1.0, 2.0]), tf.Variable([[3.0]])

    def f():
        with tf.GradientTape(persistent=True) as tape:
            y = x * x
            other * 1.0
        return (
            tape.gradient(y, [x, other], unconnected_gradients=zero),
            tape.gradient(y, [x, other], unconnected_gradients=none),
            tape.jacobian(y, other, unconnected_gradients=zero),
        )

    zeros, nones, jacobian = run(f)
    assert list(map(value, zeros)) == [[2.0, 4.0], [[0.0]]]
    assert value(nones[1]) is None
    assert jacobian.numpy().tolist() == np.zeros((2, 1, 1)).tolist()


def test_integers_have_no_derivative(run):
    i, x = tf.Variable(3), tf.Variable(2.0)

    def f():
        with tf.GradientTape(persistent=True) as tape:
            y = tf.cast(i * i, tf.float32) * x
            counted = tf.cast(x, tf.int32)
        return tape.gradient(y, [i, x]), tape.gradient(counted, x)

    (by_i, by_x), counted = run(f)
    assert (by_i, value(by_x), counted) == (None, 9.0, None)


def test_watching_what_has_no_derivative_warns():
    with tf.GradientTape() as tape, pytest.warns(UserWarning) as caught:
        tape.watch([tf.constant(1), tf.constant("a")])
    assert [str(w.message) for w in caught] == [
        f"tape.watch: the watched tensor must be floating (e.g. tf.float32), not {kind}."
        for kind in ("int32", "string")
    ]


def test_gradients_of_gathers_are_dense(run):
    table = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

    def f():
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.gather(table, [2, 0, 2]) ** 2)
        return tape.gradient(y, table)

    expected = 2 * table.numpy() * np.array([[1.0], [0.0], [2.0]])
    assert value(run(f)) == expected.tolist()


def test_ragged_and_sparse_targets_count_by_their_values():
    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        ragged = tf.RaggedTensor.from_row_splits(x * x, [0, 1, 3])
    assert value(tape.gradient(ragged, x)) == [2.0, 4.0, 6.0]


# ---- complex values: the conjugate of the derivative, as TensorFlow defines it


COMPLEX = [
    (lambda z: z * z, lambda z: np.conj(2 * z)),
    (lambda z: tf.exp(1j * z), lambda z: np.conj(1j * np.exp(1j * z))),
    (tf.abs, lambda z: z / np.abs(z)),
    (lambda z: tf.math.real(z * z), lambda z: np.conj(2 * z)),
    (lambda z: tf.math.conj(z) * (2 + 1j), lambda z: np.full_like(z, 2 + 1j)),
]


@pytest.mark.parametrize(("function", "slope"), COMPLEX)
def test_complex_values(run, function, slope):
    z = tf.constant([1 + 2j, -3 + 0.5j], tf.complex128)

    def f():
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = function(z)
        return tape.gradient(y, z)

    np.testing.assert_allclose(run(f).numpy(), slope(z.numpy()))


def test_complex_flows_and_jacobians(run):
    z = tf.constant([1 + 2j, 3j], tf.complex128)
    flow = np.array([1j, 2 + 1j])

    def f():
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(z)
            y = z * z
        return tape.gradient(y, z, output_gradients=tf.constant(flow)), tape.jacobian(y, z)

    gradient, jacobian = run(f)
    np.testing.assert_allclose(gradient.numpy(), flow * np.conj(2 * z.numpy()))
    np.testing.assert_allclose(jacobian.numpy(), np.diag(np.conj(2 * z.numpy())))


# ---- what a tape hears


def test_only_what_is_computed_while_it_listens_counts(run):
    x = tf.Variable(3.0)

    def f():
        before = x * x
        with tf.GradientTape(persistent=True) as tape:
            y = x * x
            with tape.stop_recording():
                aside = x * x * x
            z = y + aside + before
        after = z * x
        return tape.gradient(z, x), tape.gradient(after, x), tape.gradient(before, x)

    assert list(map(value, run(f))) == [2 * 3.0, None, None]


def test_after_a_reset_what_came_before_is_a_constant(run):
    x = tf.Variable(3.0)

    def f():
        with tf.GradientTape() as tape:
            y = x * x
            tape.reset()
            z = y * x
        return tape.gradient(z, x)

    assert value(run(f)) == 9.0


def test_tensors_are_heard_when_watched(run):
    c = tf.constant(3.0)

    def f(watched):
        with tf.GradientTape() as tape:
            x = c * 1.0
            if watched:
                tape.watch({"x": [x]})
            y = x * x
        return tape.gradient(y, x)

    assert value(run(lambda: f(True))) == 6.0
    assert value(run(lambda: f(False))) is None


def test_an_argument_of_a_function_is_a_tensor_like_any_other():
    @tf.function
    def f(x):
        with tf.GradientTape() as tape:
            y = x * x
        unwatched = tape.gradient(y, x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return unwatched, tape.gradient(y, x)

    unwatched, watched = f(tf.constant(3.0))
    assert (unwatched, value(watched)) == (None, 6.0)


def test_variables_are_not_watched_by_themselves_when_told_so(run):
    x, w, frozen = tf.Variable(3.0), tf.Variable(2.0), tf.Variable(5.0, trainable=False)

    def f():
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(w)
            y = x * w * frozen
        with tf.GradientTape() as other:
            z = x * w * frozen
        return tape.gradient(y, [x, w]), other.gradient(z, [x, w, frozen])

    told, by_themselves = run(f)
    assert list(map(value, told)) == [None, 15.0]
    assert list(map(value, by_themselves)) == [10.0, 15.0, None]


def test_watched_variables_stand_in_the_order_of_reading():
    a, b, c = (tf.Variable(float(k), trainable=k != 2) for k in range(3))
    with tf.GradientTape() as tape:
        b * a
        c * b
        assert [v is w for v, w in zip(tape.watched_variables(), (b, a), strict=True)] == [True, True]
        tape.watch(c)
    assert [v is w for v, w in zip(tape.watched_variables(), (b, a, c), strict=True)] == [True] * 3


def test_variables_read_in_branches_and_loops_of_a_function():
    w = tf.Variable(2.0)

    @tf.function
    def f(x, n):
        with tf.GradientTape() as tape:
            y = x
            for _ in tf.range(4):
                y = y * w
            if n > 0:
                y = y + w
        return tape.gradient(y, w)

    assert value(f(tf.constant(3.0), tf.constant(1))) == 3.0 * 4 * 2.0**3 + 1


def test_a_call_of_a_traced_form_under_a_tape():
    w = tf.Variable(2.0)
    cube = tf.function(lambda x: w * x * x * x)
    concrete = cube.get_concrete_function(tf.TensorSpec([], tf.float32))
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = concrete(x) + cube(x)
    assert list(map(value, tape.gradient(y, [x, w]))) == [2 * 2.0 * 3 * 9.0, 2 * 27.0]


# ---- the second derivative


def polynomial(x):
    return tf.reduce_sum(x**3) + x[0] * x[1]


def hessian(x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = polynomial(x)
        slope = inner.gradient(y, x)
    return outer.jacobian(slope, x)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["at once", "in a function"])
def test_hessians(wrap):
    x = np.array([1.0, 2.0])
    expected = np.diag(6 * x) + np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(wrap(hessian)(tf.constant(x)).numpy(), expected)


def test_hessians_with_the_inner_derivative_in_a_function():
    @tf.function
    def slope(x):
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = polynomial(x)
        return inner.gradient(y, x)

    x = tf.constant([1.0, 2.0], tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        found = slope(x)
    np.testing.assert_allclose(outer.jacobian(found, x).numpy(), [[6.0, 1.0], [1.0, 12.0]])


def test_hessians_of_a_function_that_is_only_the_target():
    traced = tf.function(polynomial)
    x = tf.constant([1.0, 2.0], tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = traced(x)
        slope = inner.gradient(y, x)
    np.testing.assert_allclose(outer.jacobian(slope, x).numpy(), [[6.0, 1.0], [1.0, 12.0]])


def test_the_third_derivative(run):
    x = tf.Variable(2.0, dtype=tf.float64)

    def f():
        with tf.GradientTape() as t3:
            with tf.GradientTape() as t2:
                with tf.GradientTape() as t1:
                    y = x**5
                first = t1.gradient(y, x)
            second = t2.gradient(first, x)
        return t3.gradient(second, x)

    assert run(f).numpy() == pytest.approx(60 * 2.0**2)


# ---- jacobians


def central(function, x, step=1e-6):
    columns = []
    for at in range(x.size):
        up, down = x.copy(), x.copy()
        up.flat[at] += step
        down.flat[at] -= step
        columns.append((function(tf.constant(up)).numpy() - function(tf.constant(down)).numpy()) / (2 * step))
    return np.stack(columns, -1).reshape(*columns[0].shape, *x.shape)


@pytest.mark.parametrize("persistent", [False, True])
def test_jacobians_are_central_differences(run, persistent):
    x, m = RNG.normal(size=(3, 2)), tf.constant(RNG.normal(size=(2, 4)))

    def function(x):
        return tf.tanh(x @ m)

    def f():
        t = tf.constant(x)
        with tf.GradientTape(persistent=persistent) as tape:
            tape.watch(t)
            y = function(t)
        return tape.jacobian(y, {"x": t}, parallel_iterations=2, experimental_use_pfor=False)

    found = run(f)["x"]
    assert found.shape == (3, 4, 3, 2)
    np.testing.assert_allclose(found.numpy(), central(function, x), atol=1e-8)


def test_batch_jacobians_are_the_blocks_of_the_jacobian(run):
    x, m = RNG.normal(size=(3, 2)), tf.constant(RNG.normal(size=(2, 4)))

    def f():
        t = tf.constant(x)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(t)
            y = tf.reshape(tf.tanh(t @ m), (3, 2, 2))
        return tape.batch_jacobian(y, t), tape.jacobian(y, t)

    rows, whole = run(f)
    np.testing.assert_allclose(rows.numpy(), np.stack([whole.numpy()[b, :, :, b] for b in range(3)]), rtol=1e-12)


def test_jacobians_of_sizes_known_when_the_function_runs():
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float64)])
    def f(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x * x
        return tape.jacobian(y, x), tape.batch_jacobian(y, x)

    for n in (1, 3):
        x = RNG.normal(size=(n, 2))
        whole, rows = f(tf.constant(x))
        np.testing.assert_allclose(whole.numpy().reshape(2 * n, 2 * n), np.diag(2 * x.ravel()))
        np.testing.assert_allclose(rows.numpy(), [np.diag(2 * row) for row in x])


def test_a_jacobian_has_a_derivative(run):
    x = tf.Variable([1.0, 2.0], dtype=tf.float64)

    def f():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = x**3
            jacobian = inner.jacobian(y, x)
            trace = tf.reduce_sum(tf.linalg.diag_part(jacobian))
        return outer.gradient(trace, x)

    np.testing.assert_allclose(run(f).numpy(), 6 * x.numpy())


def test_batch_jacobians_of_unconnected_sources_are_zeros(run):
    x = tf.ones((2, 3))

    def f():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.ones((2, 4, 5))
        return tape.batch_jacobian(y, x)

    assert run(f).numpy().tolist() == np.zeros((2, 4, 5, 3)).tolist()


# ---- what a user meets


def test_a_tape_that_was_used_says_how_to_ask_twice():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        tape.gradient(y, x)
    for ask in (tape.gradient, tape.jacobian):
        with pytest.raises(RuntimeError) as caught:
            ask(y, x)
        assert str(caught.value) == (
            "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians). Open it as "
            "tf.GradientTape(persistent=True) to ask more than once."
        )


def test_a_persistent_tape_goes_on_after_it_was_asked():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
        first = tape.gradient(y, x)
        z = y * x
    assert list(map(value, (first, tape.gradient(z, x), tape.gradient(y, x)))) == [6.0, 27.0, 6.0]


def messages():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
    yield (
        lambda: tape.watch(3.0),
        "tape.watch: it takes tensors and variables, not float (given=3.0). Make it a tensor first, and compute with that "
        "tensor: x = tf.constant(...).",
    )
    yield (
        lambda: tape.gradient(y, 3.0),
        "tape.gradient: a source must be a tensor or a variable, not float (given=3.0). Only what was computed with tensors "
        "inside the tape has a derivative.",
    )
    yield (
        lambda: tape.gradient(3.0, x),
        "tape.gradient: a target must be a tensor or a variable, not float (given=3.0). Only what was computed with tensors "
        "inside the tape has a derivative.",
    )
    yield (
        lambda: tape.gradient([y, y], x, output_gradients=[tf.ones(2)]),
        "tape.gradient: output_gradients have another structure than the target (targets=2, output_gradients=1); there must "
        "be one for each target, in the same structure.",
    )
    yield (
        lambda: tape.gradient(y, x, output_gradients=tf.ones(3)),
        "tape.gradient: output_gradients do not fit the target (target=float32(2,), output_gradients=float32(3,)); dtype and "
        "shape must be those of the target.",
    )
    yield (
        lambda: tape.gradient(y, x, unconnected_gradients="nothing"),
        "tape: unknown value for unconnected_gradients (given='nothing'); it must be 'none' or 'zero' "
        "(tf.UnconnectedGradients.NONE or ZERO).",
    )
    yield (
        lambda: tape.jacobian([y, y], x),
        "tape.jacobian: the target must be one tensor, not a list. Ask for each by itself, with a persistent tape, or join "
        "them: tf.concat, tf.stack.",
    )
    yield (
        lambda: tape.batch_jacobian(y[:1], x),
        "tape.batch_jacobian: target and source have not as many rows (target=(1,), source=(2,)); the first size of both "
        "must be equal. Use tape.jacobian for the whole derivative.",
    )
    yield (
        lambda: tape.stop_recording().__enter__(),
        "tape.stop_recording: the tape is not recording. Call it inside the tape's own `with` block.",
    )
    with tape:
        yield (
            lambda: tape.__enter__(),
            "This tape is already recording; a `with` block of it cannot stand inside another.",
        )


def test_errors_say_what_to_do():
    for ask, text in messages():
        with pytest.raises((ValueError, RuntimeError)) as caught:
            ask()
        assert str(caught.value) == text


def test_no_form_is_kept_twice_for_equal_recordings():
    x = tf.Variable([1.0, 2.0])

    def ask():
        with tf.GradientTape() as tape:
            y = x * x
        return tape.jacobian(y, x)

    ask()
    known = len(tapes._forms)
    ask()
    assert len(tapes._forms) == known


def test_no_warning_where_there_is_nothing_to_warn_of():
    x = tf.Variable(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x / 0.0
        tape.gradient(y, x)


def test_a_known_target_does_not_depend_on_what_is_traced() -> None:
    v = tf.Variable(3.0)

    @tf.function
    def slopes(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            one = tf.constant(1.0)
        zero = tape.gradient(one, x, unconnected_gradients="zero")
        return tape.gradient(one, [x, v]), zero

    assert slopes(tf.constant([1.0, 2.0]))[0] == [None, None]
    assert slopes(tf.constant([1.0, 2.0]))[1].numpy().tolist() == [0, 0]
