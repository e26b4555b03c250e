"""Programs: how they print, when two are the same, what an unused node costs."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core import context
from tensorsmith.function.trace import trace
from tensorsmith.program import execute
from tensorsmith.program.program import Program, freeze


def model(weight: tf.Variable, scale: float = 2.0, extra: bool = False) -> Program:
    def body(graph):
        x = graph.input((None, 3), "float32")
        if extra:
            tf.exp(x)  # nobody asks for it
        weight.assign_add(tf.reduce_mean(x, axis=0))
        return tf.matmul(x, tf.reshape(weight, [3, 1])) * scale

    return trace(body).program


def test_equal_programs_of_other_variables_have_one_signature() -> None:
    first, second = model(tf.Variable([1.0, 2.0, 3.0])), model(tf.Variable([4.0, 5.0, 6.0]))
    assert first.signature() == second.signature()
    assert hash(first.signature()) == hash(second.signature())
    assert first.signature().stable() == second.signature().stable() is not None


def test_what_nobody_needs_leaves_no_trace() -> None:
    plain, busy = model(tf.Variable([1.0, 2.0, 3.0])), model(tf.Variable([1.0, 2.0, 3.0]), extra=True)
    assert "exp" not in str(busy)
    assert busy.signature() == plain.signature()


@pytest.mark.parametrize("scale", [3.0, -2.0])
def test_another_constant_is_another_program(scale: float) -> None:
    weight = tf.Variable([1.0, 2.0, 3.0])
    assert model(weight, scale).signature() != model(weight).signature()
    assert model(weight, scale).signature().stable() != model(weight).signature().stable()


def test_settings_that_python_takes_for_equal_are_told_apart() -> None:
    assert freeze(1) != freeze(True)
    assert freeze(1) != freeze(1.0)
    assert freeze(0.0) != freeze(-0.0)
    assert freeze([1, (2,)]) == freeze((1, [2]))
    assert freeze({"b": 1, "a": 2}) == freeze({"a": 2, "b": 1})
    assert freeze(slice(1, None)) == freeze(slice(1, None)) != freeze(slice(2, None))
    assert freeze(np.arange(3)) == freeze(np.arange(3)) != freeze(np.arange(3.0))
    assert freeze(np.zeros(1000)) != freeze(np.r_[np.zeros(999), 1.0])


def test_a_program_runs_compiled_and_gives_outputs_and_updates() -> None:
    weight = tf.Variable([1.0, 2.0, 3.0])
    program = model(weight)
    x = np.arange(6, dtype="float32").reshape(2, 3)
    (output,), (update,) = execute.run(program, [x], [weight.numpy()])
    after = weight.numpy() + x.mean(0)
    np.testing.assert_allclose(update, after, rtol=1e-6)
    np.testing.assert_allclose(output, (x @ after.reshape(3, 1)) * 2, rtol=1e-6)
    assert weight.numpy().tolist() == [1, 2, 3], "the program is pure: only its caller changes the variable"


def test_a_trace_computes_at_once_what_it_knows() -> None:
    def body(graph):
        x = graph.input((2,), "float32")
        return x + tf.reduce_sum(tf.exp(tf.constant([0.0, 0.0])))

    program = trace(body).program
    assert [node.op.name for node in program.nodes] == ["add"]
    assert not context.busy
