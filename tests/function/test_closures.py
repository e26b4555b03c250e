"""Tensors that a traced function takes from around it: tapes, inside and outside of it, hear of them as of its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorsmith as tf

X, C = tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])


def looped(x: Any) -> Any:
    for _ in tf.range(2):
        x = x * C
    return x


def branched(x: Any) -> Any:
    if tf.reduce_sum(x) > 0.0:
        y = C * C * x
    else:
        y = x
    return y


# each makes a function anew, so that what was traced for one test does not serve another
FUNCTIONS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "a function": (lambda: tf.function(lambda x: x * C), lambda x: x * C),
    "a function in a function": (lambda: tf.function(lambda x: tf.function(lambda x: x * C)(x)), lambda x: x * C),
    "cond": (lambda: lambda x: tf.cond(tf.reduce_sum(x) > 0.0, lambda: x * C, lambda: x), lambda x: x * C),
    "cond of what is known": (
        lambda: tf.function(lambda x: tf.cond(x[0] > 0.0, lambda: C * C, lambda: x)),
        lambda x: C * C + 0.0 * x),
    "while_loop": (
        lambda: lambda x: tf.while_loop(lambda n, a: n < 2, lambda n, a: (n + 1, a * C), [0, x])[1],
        lambda x: x * C * C),
    "map_fn": (lambda: lambda x: tf.map_fn(lambda row: row * C, x), lambda x: x[:, None] * C),
    "scan": (lambda: lambda x: tf.scan(lambda a, row: a * C + row, x, tf.zeros([2])),
        lambda x: tf.stack([x[:1] + 0 * C, x[:1] * C + x[1:]])),
    "vectorized_map": (lambda: lambda x: tf.vectorized_map(lambda row: row * C, x), lambda x: x[:, None] * C),
    "recompute_grad": (lambda: tf.recompute_grad(lambda x: x * C), lambda x: x * C),
    "AutoGraph's for": (lambda: tf.function(looped), lambda x: x * C * C),
    "AutoGraph's if": (lambda: tf.function(branched), lambda x: C * C * x),
    "an input_signature": (lambda: tf.function(lambda x: x * C, input_signature=[tf.TensorSpec([2])]), lambda x: x * C),
}  # fmt: skip

WRAPPED: dict[str, Callable[..., Any]] = {
    "a tape outside": lambda gradients, function: gradients(function),
    "a tape in a function": lambda gradients, function: tf.function(lambda: gradients(function))(),
    "a function in a tape": lambda gradients, function: gradients(tf.function(function)),
}


def gradients(function: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch([X, C])
        result = function(X)
    return result, tape.gradient(result, [X, C])


@pytest.mark.parametrize("wrap", WRAPPED)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_have_derivatives(name: str, wrap: str) -> None:
    make, plain = FUNCTIONS[name]
    (value, found), (right_value, right) = WRAPPED[wrap](gradients, make()), gradients(plain)
    np.testing.assert_allclose(value, right_value)
    for one, other in zip(found, right, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one, other)


def test_a_function_that_ran_before_the_tape_was_opened() -> None:
    traces = []

    @tf.function
    def product(x: Any) -> Any:
        traces.append(x)
        return tf.map_fn(lambda row: row * C, x)

    before = product(X).numpy()
    for _ in range(2):
        value, (_, by_c) = gradients(product)
        np.testing.assert_allclose(value, before)
        np.testing.assert_allclose(by_c, [3.0, 3.0])
    np.testing.assert_allclose(product(X), before)
    assert len(traces) == 2


def test_what_a_tape_computed_is_heard_too() -> None:
    w = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        scale = w * 3.0
        total = tf.reduce_sum(tf.function(lambda x: x * scale)(X))
    np.testing.assert_allclose(tape.gradient(total, w), [3.0, 6.0])


def test_numbers_written_in_a_function_are_constants() -> None:
    @tf.function
    def line(x: Any) -> Any:
        return x * 2.0 + tf.constant([1.0, 5.0])

    with tf.GradientTape() as tape:
        tape.watch(X)
        value = line(X)
    np.testing.assert_allclose(tape.gradient(value, X), [2.0, 2.0])
    (form,) = line._forms.all()
    assert form._held == [] and form._taken == [] and len(form.program.inputs) == 1


def test_a_function_with_a_taken_tensor_is_called_and_listed_as_before() -> None:
    function = tf.function(lambda x: x * C)
    value, _ = gradients(function)
    concrete = function.get_concrete_function(X)
    np.testing.assert_allclose(concrete(X), value)
    np.testing.assert_allclose(function(X), value)
    assert [spec.shape for spec in concrete.input_specs] == [(2,)]


def test_it_is_saved_with_its_value(tmp_path: Any) -> None:
    module = tf.Module()
    module.product = tf.function(lambda x: x * C, input_signature=[tf.TensorSpec([2])])
    gradients(module.product)
    tf.saved_model.save(module, str(tmp_path / "module"))
    np.testing.assert_allclose(tf.saved_model.load(str(tmp_path / "module")).product(X), [3.0, 8.0])
