"""enable_check_numerics: the first NaN or infinity is told, with the operation and the line."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.core import context
from tensorsmith.state import numerics
from tests.support import spine


@pytest.fixture(autouse=True)
def looking():
    tf.debugging.enable_check_numerics()
    tf.debugging.enable_check_numerics()  # twice is once
    yield
    tf.debugging.disable_check_numerics()
    assert context.busy == []
    assert context.local.tapes == []


def line() -> int:
    return sys._getframe(1).f_lineno


def test_the_operation_its_inputs_and_the_line_are_told() -> None:
    x = tf.constant([1.0, -1.0, 0.0])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        at = line() + 1
        tf.math.log(x)
    assert str(caught.value).startswith(
        "log: its result has 1 NaN and 1 Inf among 3 elements (result 0=float32(3,), input 0=float32(3,))."
    )
    assert f"Called at {__file__}:{at}, in test_the_operation" in str(caught.value)


def test_what_is_finite_passes_and_what_only_moves_is_not_looked_at() -> None:
    bad = tf.constant([np.nan, 1.0])
    tf.reshape(bad, [2, 1]), tf.concat([bad, bad], 0), tf.where([True, False], bad, 0.0), bad[0]
    assert float(tf.reduce_sum(tf.constant([3e38, 1.0]))) == np.float32(3e38)
    # finite elements of which the sum is infinite
    assert np.isfinite(tf.constant([3e38, 3e38]) * 1.0).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^add: its result has 1 NaN"):
        bad + 1.0


def test_gradients_are_looked_at() -> None:
    x = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        y = tf.sqrt(x)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^tape_gradient: its result has 1 Inf"):
        tape.gradient(y, x)


def test_functions_traced_meanwhile_check_when_they_run() -> None:
    @tf.function
    def f(x):
        y = tf.math.log(x)  # here
        return tf.where(x > 0, y, 0.0)

    at = f.__wrapped__.__code__.co_firstlineno + 2 if hasattr(f, "__wrapped__") else line() - 4
    np.testing.assert_array_equal(f(tf.constant([1.0])), [0.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^log: its result has NaN or Inf") as caught:
        f(tf.constant([-1.0]))
    assert f"{__file__}:{at}" in str(caught.value)
    tf.debugging.disable_check_numerics()
    # what was traced keeps its checks, what is traced now has none
    with pytest.raises(tf.errors.InvalidArgumentError):
        f(tf.constant([-1.0]))
    assert np.isnan(tf.function(lambda x: tf.math.log(x))(tf.constant(-1.0)))


def test_loops_and_training_are_checked() -> None:
    @tf.function
    def shrinking(x):
        while x > -1.0:
            x = x - tf.sqrt(x)
        return x

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^sqrt: its result has NaN"):
        shrinking(tf.constant(0.5))
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"its result has"):
        model.fit(np.full((4, 2), 1e30, "f"), np.ones((4, 1), "f"), verbose=0)


def test_off_costs_nothing() -> None:
    tf.debugging.disable_check_numerics()
    assert context.busy == []
    assert np.isnan(tf.math.log(tf.constant(-1.0)))


def test_what_moves_values_is_an_operation() -> None:
    assert set(spine.operations()) >= numerics._MOVE
