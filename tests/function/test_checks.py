"""tf.debugging.assert_* in compiled code: named when they fail, with the values and the line; nothing is written then."""

from __future__ import annotations

import io
import traceback

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.program import checks

HERE = __file__


def line_of(function, text: str) -> int:
    """The number of the line of a function that holds a text."""
    source = traceback.linecache.getlines(HERE)
    first = function.__code__.co_firstlineno - 1
    return next(at for at, line in enumerate(source[first:], first + 1) if text in line)


def step(x):
    tf.debugging.assert_less(x, 10.0, message="too large")
    return x * 2.0


def test_a_failed_check_tells_values_and_line() -> None:
    f = tf.function(step)
    assert f(tf.constant([1.0, 2.0])).numpy().tolist() == [2.0, 4.0]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        f(tf.constant([1.0, 12.5]))
    line = line_of(step, "assert_less")
    assert str(caught.value) == (
        "assert_less: too large (x=[1.0, 12.5], y=10.0); x < y must hold everywhere. "
        f"Checked at {HERE}:{line}, in step."
    )
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.filename, last.lineno, last.name) == (HERE, line, "step")


def test_nothing_is_written_when_a_check_fails() -> None:
    v = tf.Variable(1.0)

    @tf.function
    def f(x):
        v.assign_add(x)
        tf.debugging.assert_positive(x)
        v.assign_add(x)
        return v * 1.0

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"assert_positive: .*\(x=-1.0\)"):
        f(tf.constant(-1.0))
    assert v.numpy() == 1.0 and f(tf.constant(1.0)).numpy() == 3.0


def test_the_first_of_several_is_told() -> None:
    @tf.function
    def f(x):
        tf.debugging.assert_greater(x, 0, message="first")
        tf.debugging.assert_greater(x, 5, message="second")

    for value, name in ((-1, "first"), (3, "second")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=name):
            f(tf.constant(value))
    f(tf.constant(6))


def test_the_code_of_the_first_failure_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(checks, "tell", lambda program, status, again: told.append(status))

    @tf.function
    def f(x):
        tf.debugging.assert_greater(x, 0, message="first")
        tf.debugging.assert_greater(x, 5, message="second")

    f(tf.constant(-1)), f(tf.constant(3))
    nodes = f.get_concrete_function(tf.constant(1)).program.nodes
    settings = [node.settings for node in nodes if node.op is checks.CHECK]
    assert told == [checks.code(s["who"], s["message"], s["rule"], s["where"]) for s in settings]


def test_in_loops_branches_and_inner_functions() -> None:
    inner = tf.function(lambda i: tf.debugging.Assert(i < 7, ["inner", i]))

    @tf.function
    def f(n):
        for i in tf.range(n):
            if i > 2:
                tf.debugging.assert_less(i, 5, message=f"in a branch {4}")
        inner(n)
        return n

    assert f(tf.constant(5)).numpy() == 5
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"in a branch 4 \(x=5, y=5\)"):
        f(tf.constant(9))
    g = tf.function(lambda i: inner(i))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Assert: inner \(data=8\)"):
        g(tf.constant(8))


@pytest.mark.parametrize("inside", [True, False])
def test_under_a_tape(inside: bool) -> None:
    def loss(x):
        y = x * x
        tf.debugging.assert_less(y, 100.0)
        return tf.debugging.check_numerics(y, "the loss")

    def slope(x, f=loss):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    run = tf.function(slope) if inside else lambda x: slope(x, tf.function(loss))
    assert run(tf.constant(3.0)).numpy() == 6.0
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"x=400.0, y=100.0"):
        run(tf.constant(20.0))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"assert_less|the loss : Tensor had NaN"):
        run(tf.constant(np.nan))


def test_what_is_known_to_fail_fails_while_it_is_traced() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"assert_equal: .*\(x=1, y=2\)"):
        tf.function(lambda x: tf.debugging.assert_equal(1, 2)).get_concrete_function(tf.constant(1))


def test_sizes_that_are_known_late() -> None:
    f = tf.function(
        lambda x: tf.debugging.assert_shapes([(x, ("N", "N"))]), input_signature=[tf.TensorSpec([None, None])]
    )
    f(tf.ones([3, 3]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"the size of axis 1 differs \(size=3, wanted=2\)"):
        f(tf.ones([2, 3]))


def test_check_numerics_in_a_program() -> None:
    f = tf.function(lambda x: tf.debugging.check_numerics(x, "the weights"))
    assert f(tf.constant([1.0])).numpy().tolist() == [1.0]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"the weights : Tensor had NaN or Inf values \(x=\[nan\]\)"
    ):
        f(tf.constant([np.nan]))


def test_printing_stays_silent_while_the_values_are_looked_for() -> None:
    stream = io.StringIO()

    @tf.function
    def f(x):
        tf.print("x", x, output_stream=stream)
        tf.debugging.assert_positive(x)
        tf.print("never", output_stream=stream)

    with pytest.raises(tf.errors.InvalidArgumentError):
        f(tf.constant(-1))
    assert stream.getvalue() == "x -1\n"


def test_the_message_comes_without_values_where_a_second_run_shows_nothing() -> None:
    program = tf.function(step).get_concrete_function(tf.constant(1.0))._program
    settings = next(node.settings for node in program.nodes if node.op is checks.CHECK)
    code = checks.code(settings["who"], settings["message"], settings["rule"], settings["where"])
    assert code > 0
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        checks.tell(program, code, lambda: None)
    line = line_of(step, "assert_less")
    assert str(caught.value) == (
        f"assert_less: too large; x < y must hold everywhere. Checked at {HERE}:{line}, in step."
    )


def test_equal_programs_stay_equal() -> None:
    first, second = (tf.function(step).get_concrete_function(tf.constant(1.0))._program for _ in range(2))
    assert first.signature() == second.signature() and first.signature().stable() is not None


class Capped(tf.keras.losses.Loss):
    def call(self, y_true, y_pred):
        tf.debugging.assert_less(y_pred, 100.0, message="exploded")
        return tf.square(y_true - y_pred)


@pytest.mark.parametrize("rows", [70, 5, 96])
def test_in_fit_the_model_keeps_the_steps_before(rows: int) -> None:
    def model():
        made = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="ones")])
        made.compile(loss=Capped(), optimizer="sgd")
        return made

    x, y = np.ones((100, 3), "float32"), np.ones((100, 1), "float32")
    x[rows:] = 1e4
    failing, fine = model(), model()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"assert_less: exploded .*Checked at .*in call"):
        failing.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    fine.build((None, 3))
    before = rows // 32 * 32
    if before:
        fine.fit(x[:before], y[:before], batch_size=32, shuffle=False, verbose=0)
    for left, wanted in zip(failing.get_weights(), fine.get_weights()):
        np.testing.assert_allclose(left, wanted, rtol=1e-6)
    failing.fit(x[:rows], y[:rows], verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="exploded"):
        failing.train_on_batch(x[-2:], y[-2:])


def test_in_a_train_step_of_ones_own() -> None:
    class Model(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = tf.keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            _, y = data
            tf.debugging.assert_non_negative(y, message="prices")
            return super().train_step(data)

    model = Model()
    model.compile(loss="mse", optimizer="sgd")
    x = np.ones((8, 2), "float32")
    model.fit(x, np.ones((8, 1), "float32"), verbose=0)
    before = model.get_weights()
    with pytest.raises(tf.errors.InvalidArgumentError, match="assert_non_negative: prices"):
        model.fit(x, -np.ones((8, 1), "float32"), verbose=0)
    assert all((a == b).all() for a, b in zip(before, model.get_weights()))
    assert model.predict(x, verbose=0).shape == (8, 1)
