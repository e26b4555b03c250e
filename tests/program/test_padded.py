"""Programs lowered onto larger arrays give what the program itself gives."""

import numpy as np
import pytest

import tensorsmith.ops.casting
import tensorsmith.ops.comparison
import tensorsmith.ops.cumulative
import tensorsmith.ops.linalg
import tensorsmith.ops.reductions
import tensorsmith.ops.shaping
import tensorsmith.ops.sorting
import tensorsmith.ops.trigonometry  # noqa: F401
from tensorsmith.function.trace import trace
from tensorsmith.program import execute
from tensorsmith.program.lower import GRADIENT, lower
from tensorsmith.program.padded import CannotPad, Lowered, wide
from tensorsmith.state.random_generator import get_global_generator
from tensorsmith.state.tape import GradientTape
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.apply import functions as ops

RNG = np.random.default_rng(0)


def weights(*shapes):
    return [Variable(RNG.normal(size=shape).astype("float32")) for shape in shapes]


def program_of(step, variables, features):
    traced = trace(lambda g: step(g.input((None, features), "float32"), g.input((None, 1), "float32"), variables))
    return traced.program


def both(program, rows, size, features):
    """The results of a program on `rows` rows, and of its padded form on `size` rows of which `rows` are real."""
    x = RNG.normal(size=(size, features)).astype("float32")
    y = RNG.normal(size=(size, 1)).astype("float32")
    values = [variable._tensor._array for variable, _ in program.captures]
    jax = execute.jax()
    with execute.guard():
        plain = jax.jit(lower(program, jax.numpy))([x[:rows], y[:rows]], values)
        low = Lowered(program, jax, widen=True)

        def run(x, y, rows, *values):
            outputs, updates = low.run([x, y], [low.enter(v) for v in values], rows)
            return outputs, [low.leave(u, program.specs[i][0]) for u, (_, i) in zip(updates, program.updates)]

        padded = jax.jit(run)(x, y, np.int32(rows), *values)
    return plain, padded


def assert_equal(plain, padded):
    for a, b in zip([*plain[0], *plain[1]], [*padded[0], *padded[1]], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def mlp(x, y, v):
    h = ops["tanh"](ops["add"](ops["matmul"](x, v[0]), v[1]))
    return ops["add"](ops["matmul"](h, v[2]), v[3])


def train(x, y, v):
    with GradientTape() as tape:
        loss = ops["reduce_mean"](ops["square"](ops["subtract"](y, mlp(x, y, v))), axis=None)
    for variable, gradient in zip(v, tape.gradient(loss, v)):
        variable.assign_sub(ops["multiply"](gradient, 0.1))
    return loss


def test_widths_that_are_rounded_up():
    assert [wide(n) for n in (1, 7, 8, 9, 10, 13, 20, 26, 30, 31, 32, 33, 60)] == [
        None, None, None, None, None, 16, 24, 32, 32, 32, None, 40, 64,
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [1, 5, 16])
@pytest.mark.parametrize("width", [30, 8, 13])
def test_a_training_step_on_a_short_batch(rows, width):
    variables = weights((5, width), (width,), (width, 1), (1,))
    assert_equal(*both(program_of(train, variables, 5), rows, 16, 5))


def not_zero_outside(x, y, v):
    # exp and cos make 1 of the zeros outside the real part: they must not reach the sums
    h = ops["exp"](ops["matmul"](x, v[0]))
    total = ops["reduce_sum"](ops["cos"](h), axis=None)
    return [total, ops["reduce_mean"](ops["exp"](v[1]), axis=None), ops["reduce_sum"](ops["matmul"](h, v[2]), axis=0)]


def test_what_is_not_zero_outside_the_real_part_stays_out_of_sums():
    variables = weights((5, 30), (30,), (30, 2))
    assert_equal(*both(program_of(not_zero_outside, variables, 5), 7, 16, 5))


def test_sizes_are_those_of_the_real_part():
    def step(x, y, v):
        return [ops["shape"](x), ops["size"](v[0]), ops["shape"](ops["matmul"](x, v[0]))]

    plain, padded = both(program_of(step, weights((5, 30)), 5), 7, 16, 5)
    assert [np.asarray(a).tolist() for a in padded[0]] == [[7, 5], 150, [7, 30]]
    assert_equal(plain, padded)


def test_an_operation_without_a_rule_gets_the_real_width():
    def step(x, y, v):
        return [ops["reduce_max"](v[0], axis=None), ops["cumsum"](v[0], axis=0)]

    variables = weights((30, 30))
    assert_equal(*both(program_of(step, variables, 5), 7, 16, 5))


def test_an_operation_that_needs_the_exact_rows_is_refused():
    def step(x, y, v):
        return ops["cumsum"](x, axis=0)

    program = program_of(step, [], 5)
    with pytest.raises(CannotPad):
        both(program, 7, 16, 5)


@pytest.mark.parametrize("name", ["sort", "cumsum"])
def test_what_goes_along_a_wide_axis_meets_its_real_elements_only(name):
    def step(x, y, v):
        h = ops["matmul"](x, v[0])
        moved = ops["sort"](h, axis=-1) if name == "sort" else ops["cumsum"](h, axis=1, reverse=True)
        return ops["reduce_sum"](ops["multiply"](moved, v[1]), axis=None)

    def without_rows(x, y, v):
        h = ops["multiply"](v[0], 2.0)
        return ops["sort"](h, axis=-1) if name == "sort" else ops["cumsum"](h, axis=1, reverse=True)

    variables = weights((5, 30), (30,))
    with pytest.raises(CannotPad):
        both(program_of(step, variables, 5), 7, 16, 5)
    assert_equal(*both(program_of(without_rows, variables, 5), 16, 16, 5))


@pytest.mark.parametrize("name", ["fill", "range", "random_uniform"])
def test_an_array_as_long_as_the_batch_needs_the_exact_rows(name):
    def step(x, y, v):
        rows = ops["shape"](x)[0]
        if name == "range":
            made = ops["cast"](ops["range"](rows), "float32")
        elif name == "fill":
            made = ops["fill"]([rows], 3.0)
        else:
            made = get_global_generator().uniform([rows])
        return ops["reduce_sum"](made, axis=None)

    program = program_of(step, [], 5)
    with pytest.raises(CannotPad):
        both(program, 7, 16, 5)


def test_a_second_derivative():
    def step(x, y, v):
        with GradientTape() as outer:
            with GradientTape() as inner:
                loss = ops["reduce_sum"](ops["tanh"](ops["matmul"](x, v[0])), axis=None)
            first = inner.gradient(loss, v[0])
            total = ops["reduce_sum"](ops["square"](first), axis=None)
        return outer.gradient(total, v[0])

    program = program_of(step, weights((5, 30)), 5)
    assert sum(node.op is GRADIENT for node in program.nodes) == 2
    assert_equal(*both(program, 7, 16, 5))
