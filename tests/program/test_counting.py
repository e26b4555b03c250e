"""What programs cost: by hand's formulas, and by XLA's own analysis."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.program import execute
from tensorsmith.program.lower import lower


def by_xla(program: tf.Program, batch: int) -> float:
    jax = execute.jax()
    values = [*program.inputs, *(i for _, i in program.captures)]
    specs = [program.specs[i] for i in values]
    structs = [jax.ShapeDtypeStruct(tuple(batch if d is None else d for d in shape), dtype) for shape, dtype in specs]
    with execute.guard():
        function, count = lower(program, jax.numpy), len(program.inputs)
        compiled = jax.jit(lambda *a: function(list(a[:count]), list(a[count:]))).lower(*structs).compile()
    return compiled.cost_analysis()["flops"]


def test_products_and_elementwise_by_hand() -> None:
    w = tf.Variable(np.ones([7, 5], "float32"))
    program = tf.program_of(lambda x: tf.square(tf.matmul(x, w) + 1.0), tf.TensorSpec([None, 7]))
    for batch in (1, 3, 64):
        cost = program.count(batch)
        assert cost.flops == 2 * batch * 7 * 5 + 2 * batch * 5
        assert cost.operations == {"matmul": 1, "add": 1, "square": 1}
        assert cost.input_bytes == 4 * batch * 7 and cost.variable_bytes == 4 * 35 and cost.constant_bytes == 4
        assert cost.intermediate_bytes == 3 * 4 * batch * 5
        # two of the three results are alive at once
        assert cost.peak_bytes == 4 * (batch * 7 + 35 + 1 + 2 * batch * 5)
    assert program.formula() == [0, 2 * 7 * 5 + 2 * 5] and program.formula("input_bytes") == [0, 28]
    assert "open sizes count as 1: give batch=" in str(program.count())


@pytest.mark.parametrize("turned", [False, True])
def test_a_transposed_product_and_an_einsum(turned: bool) -> None:
    shape = [7, 6] if turned else [6, 7]
    f = lambda a, b: tf.matmul(a, b, transpose_a=turned)  # noqa: E731
    assert tf.program_of(f, tf.TensorSpec(shape), tf.TensorSpec([7, 5])).count().flops == 2 * 6 * 7 * 5
    g = lambda a, b: tf.einsum("bij,bjk->bik", a, b)  # noqa: E731
    assert tf.program_of(g, tf.TensorSpec([2, 3, 4]), tf.TensorSpec([2, 4, 5])).count().flops == 2 * 2 * 3 * 4 * 5


@pytest.mark.parametrize(
    ("function", "tolerance"),
    [
        (lambda x: tf.reduce_sum(tf.square(x) * 3.0 + x, axis=1), 0.02),
        (lambda x: (x - tf.reduce_max(x, axis=1, keepdims=True)) * 2.0, 0.02),
        (lambda x: tf.reshape(tf.transpose(x * 2.0 - 1.0), [-1]), 0.0),
    ],
)
def test_programs_without_products_cost_what_xla_says(function, tolerance: float) -> None:
    program = tf.program_of(function, tf.TensorSpec([None, 100]))
    assert program.count(64).flops == pytest.approx(by_xla(program, 64), rel=tolerance)


def test_a_train_step_costs_what_xla_says() -> None:
    model = keras.Sequential([keras.Input([8]), keras.layers.Dense(30, "relu"), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    program = tf.program_of(model.train_step, (tf.TensorSpec([None, 8]), tf.TensorSpec([None, 1])))
    # XLA leaves out products that nobody needs, such as the derivative by the inputs
    assert program.count(32).flops == pytest.approx(by_xla(program, 32), rel=0.15)


def test_loops_count_their_rounds_and_branches_the_larger() -> None:
    def known(x):
        for _ in tf.range(10):
            x = x * 2.0
        return x

    def unknown(x):
        while tf.reduce_sum(x) < 100.0:
            x = x * 2.0
        return x

    def branch(x):
        if tf.reduce_sum(x) > 0.0:
            x = tf.exp(x) * x + 1.0
        return x

    cost = tf.program_of(known, tf.TensorSpec([6])).count()
    assert cost.flops == 10 * 6 and not cost.notes
    cost = tf.program_of(unknown, tf.TensorSpec([6])).count()
    assert cost.flops == 6 + 6 + 1 and cost.notes == [
        "a while_loop counts as one round: how many there are is known only when it runs"
    ]
    assert tf.program_of(branch, tf.TensorSpec([6])).count().flops == 6 + 1 + 3 * 6


def test_a_table_of_the_operations() -> None:
    text = str(tf.program_of(lambda x: tf.exp(x) + tf.exp(x), tf.TensorSpec([None, 1000])).count(batch=2))
    rows = [line.split() for line in text.splitlines()]
    assert ["exp", "2", "4,000"] in rows and ["add", "1", "2,000"] in rows and ["all", "3", "6,000"] in rows
    assert ["peak", "bytes", "24,000"] in rows or ["peak", "bytes", "32,000"] in rows


def test_a_count_that_is_no_polynomial() -> None:
    w = tf.Variable(np.ones([4, 4], "float32"))
    program = tf.program_of(lambda x: tf.matmul(x, w, transpose_a=False), tf.TensorSpec([None, 4]))
    assert program.formula("peak_bytes") == [64, 32]
    with pytest.raises(AttributeError):
        program.formula("nothing")
