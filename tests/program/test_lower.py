"""Programs as pure functions: gradients run their forward part once, sizes stay numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.function.trace import trace
from tensorsmith.program import execute
from tensorsmith.program.execute import guard, jax
from tensorsmith.program.lower import FOLD, lower
from tensorsmith.program.op import Array
from tensorsmith.tensor.apply import op

runs: Counter[str] = Counter()


def counted(name: str) -> Any:
    def kernel(xp, x: Array):
        if xp is not np:
            runs[name] += 1
        return xp.tanh(x)

    return op(kernel, register_op=False, name=name)


before, inside, after, twice = (counted(name) for name in ("before", "inside", "after", "twice"))


@pytest.fixture(autouse=True)
def no_runs_yet() -> None:
    runs.clear()


def compiled(body: Any, *arrays: Any) -> list[np.ndarray]:
    """The outputs of a traced body, run by XLA."""

    def with_inputs(graph):
        return body(*[graph.input((None,) * a.ndim, a.dtype) for a in arrays])

    return execute.run(trace(with_inputs).program, list(arrays), [])[0]


def test_the_forward_part_of_a_gradient_runs_once() -> None:
    def body(x):
        source = before(x)
        with tf.GradientTape() as tape:
            tape.watch(source)
            middle = inside(source)
            loss = tf.reduce_sum(middle * 3.0)
        gradient = tape.gradient(loss, source)
        # the forward values are used again beside the gradient
        return loss, gradient, after(middle)

    x = np.array([0.3, -0.7])
    loss, gradient, last = compiled(body, x)
    assert runs == {"before": 1, "inside": 1, "after": 1}
    y = np.tanh(np.tanh(x))
    np.testing.assert_allclose(loss, 3 * y.sum(), rtol=1e-12)
    np.testing.assert_allclose(gradient, 3 * (1 - y**2), rtol=1e-12)
    np.testing.assert_allclose(last, np.tanh(y), rtol=1e-12)


def test_two_gradients_of_one_program() -> None:
    def body(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            a = tf.reduce_sum(x**2)
            b = tf.reduce_sum(x**3)
        return tape.gradient(a, x), tape.gradient(b, x)

    x = np.array([1.0, -2.0])
    a, b = compiled(body, x)
    np.testing.assert_allclose(a, 2 * x)
    np.testing.assert_allclose(b, 3 * x**2)


def test_the_gradient_of_a_gradient() -> None:
    def body(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(twice(x))
            slope = inner.gradient(y, x)
        return outer.gradient(slope, x)

    x = np.array([0.5, -1.0])
    (curvature,) = compiled(body, x)
    t = np.tanh(x)
    np.testing.assert_allclose(curvature, -2 * t * (1 - t**2), rtol=1e-10)


def test_a_gradient_flows_through_a_step_that_uses_one() -> None:
    def body(w):
        with tf.GradientTape() as tape:
            tape.watch(w)
            with tf.GradientTape() as inner:
                inner.watch(w)
                loss = tf.reduce_sum(w**3)
            stepped = w - 0.1 * inner.gradient(loss, w)
            after_step = tf.reduce_sum(stepped**2)
        return tape.gradient(after_step, w)

    w = np.array([1.0, 2.0])
    (gradient,) = compiled(body, w)
    np.testing.assert_allclose(gradient, 2 * (w - 0.3 * w**2) * (1 - 0.6 * w), rtol=1e-10)


def test_sizes_computed_from_shapes_are_numbers_when_compiled() -> None:
    def body(x):
        rows = tf.shape(x)[0]
        flat = tf.reshape(x, [rows // 2, -1])
        return flat, tf.zeros([rows + 1]), tf.range(rows), tf.cast(tf.size(x), tf.float64) * x

    x = np.arange(12.0).reshape(4, 3)
    flat, zeros, numbers, scaled = compiled(body, x)
    assert flat.tolist() == x.reshape(2, 6).tolist()
    assert zeros.shape == (5,)
    assert numbers.tolist() == [0, 1, 2, 3]
    assert scaled.tolist() == (12 * x).tolist()


def test_a_size_that_hangs_on_values_is_no_matter_for_xla() -> None:
    def body(x):
        return tf.zeros([tf.cast(tf.reduce_sum(x), tf.int32)])

    program = trace(lambda graph: body(graph.input((None,), "float64"))).program
    with guard(), pytest.raises(tf.errors.InvalidArgumentError) as caught:
        jax().make_jaxpr(lambda x: lower(program, jax().numpy)([x], []))(np.ones(3))
    assert str(caught.value) == (
        "fill: a size depends on the contents of a tensor, not on shapes alone (sizes=(None,)); a compiled program must "
        "know all its sizes before it runs. Compute it outside of the traced function, or run eagerly."
    )
    # a function that holds one runs on NumPy
    assert compiled(body, np.ones(3))[0].shape == (3,)


def test_large_values_are_not_computed_while_lowering() -> None:
    seen: list[Any] = []

    @op(register_op=False, same=False)
    def spread(xp, x: Array, like: Array):
        seen.append((xp is np, x.size))
        return xp.broadcast_to(x, like.shape)

    def body(x):
        # the shape is known while XLA traces, what it is used for need not be computed then
        return tf.fill(tf.shape(x), 1.0), spread(tf.cast(tf.shape(x), tf.float32)[0], x)

    large = FOLD + 1
    with guard():
        program = trace(lambda graph: body(graph.input((None,), "float32"))).program
        text = str(jax().make_jaxpr(lambda x: lower(program, jax().numpy)([x], []))(np.zeros(large, "float32")))
    assert f"f32[{large}]" in text
    assert "broadcast_in_dim" in text
    assert seen[-1] == (False, 1)


def test_a_program_runs_on_numpy_too() -> None:
    def body(graph):
        x = graph.input((None,), "float64")
        return tf.exp(x), tf.reshape(x, [tf.shape(x)[0], 1])

    program = trace(body).program
    (exp, column), _ = lower(program, np)([np.array([0.0, 1.0])], [])
    np.testing.assert_allclose(exp, [1, np.e])
    assert column.shape == (2, 1)


def test_the_forward_part_of_an_inner_gradient_may_hang_on_none_of_the_outer_sources() -> None:
    def penalty(x, w):
        with tf.GradientTape() as outer:
            outer.watch(w)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.square(2.0 * x)
                beside = tf.exp(y)
                z = tf.reduce_sum(y * w)
            slope = inner.gradient(z, x)
            total = tf.reduce_sum(slope * w + beside)
        return outer.gradient(total, w)

    x, w = tf.constant(0.5), tf.constant(-1.5)
    # z = 4 x**2 w, its slope by x is 8 x w, and that times w, derived by w, 16 x w
    assert tf.function(penalty)(x, w).numpy() == penalty(x, w).numpy() == 16 * 0.5 * -1.5
