"""A program as one line of NumPy calls gives the bits of its operations, one by one."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core import context
from tensorsmith.function.trace import trace
from tensorsmith.program.execute import interpreted
from tensorsmith.program.op import Array
from tensorsmith.program.straight import NotStraight, Straight
from tensorsmith.tensor.apply import op

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(4, 3)).astype("f"), RNG.normal(size=(4, 3)).astype("f")
S, N = np.float32(1.7), np.array([2, 0, 1], "int32")


def straight(function, *arrays):
    """The function's program, written for these arrays: (the written function, the program)."""
    context.local.guards = False
    try:
        program = trace(lambda graph: function(*(graph.input(a.shape, a.dtype) for a in arrays))).program
    finally:
        context.local.guards = True
    code = Straight(program, list(arrays), [])
    names = [f"v{number}" for number in program.inputs]
    results = ", ".join(code.name(number) for number in program.outputs)
    head = f"def run({', '.join(names)}):"
    return code.written(head, [], [f"return [{results}]"], program.outputs), program, code


@op(register_op=False)
def turned(xp, x: Array):
    one = np.ones(3, "f")
    return 2.0 - (3.0 / x) ** 2 + (one - x) * (x.T @ x)[0, 0] + -abs(x) % 2.0 + (x > 0) * x.mean(axis=0)


FUNCTIONS = {
    "arithmetic": (lambda a, b: (a * b + 2.0) / (tf.abs(b) + 1.0) - a**2 - 1.0 / (1.0 + b * b), (A, B)),
    "operators in a kernel": (turned, (A,)),
    "scalars": (lambda s: tf.sqrt(s * 2.0 + 1.0) / (s - 3.0) + tf.pow(0.9, s), (S,)),
    "scalar and array": (lambda s, a: a * (s * 0.3) + s, (S, A)),
    "choice of scalars": (lambda s: tf.where(s > 1.0, s * 2.0, -s) + tf.where(s > 5.0, s, 0.0), (S,)),
    "choice": (lambda a, b: tf.where(a > b, a, tf.zeros_like(b)), (A, B)),
    "reductions": (
        lambda a: (tf.reduce_sum(a, 1, keepdims=True), tf.reduce_mean(a, axis=-1), tf.reduce_max(a, 0), tf.argmax(a, 1)),
        (A,),
    ),
    "matrices": (lambda a, b: tf.matmul(a, b, transpose_b=True) + tf.linalg.norm(a), (A, B)),
    "shapes": (lambda a: tf.concat([tf.transpose(a)[:2], tf.reshape(a, (3, 4))], 0)[..., 1:], (A,)),
    "several results": (lambda a: tf.split(a, 3, axis=1)[::-1], (A,)),
    "activations": (lambda a: (tf.nn.softmax(a), tf.nn.elu(a), tf.nn.selu(a), tf.nn.gelu(a), tf.sigmoid(a)), (A,)),
    "whole numbers": (lambda n: (n * 2 + 1, tf.cast(n, "float32") / 3.0, n // 2), (N,)),
    "values asked for": (lambda a, n: (tf.gather(a, n), tf.math.floormod(n, 3)), (A, N)),
    "ties": (lambda a: tf.cumsum(tf.sort(tf.round(a), axis=0)), (A,)),
    "programs inside": (lambda s, a: tf.cond(s > 1.0, lambda: a * 2.0, lambda: -a), (S, A)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_bits_of_single_operations(name):
    function, arrays = FUNCTIONS[name]
    run, program, _ = straight(function, *arrays)
    others = [np.ascontiguousarray(a[::-1]) if np.ndim(a) else a * 3 for a in arrays]
    for given in (list(arrays), others):
        for one, other in zip(run(*given), interpreted(program, given, [])[0], strict=True):
            np.testing.assert_array_equal(np.asarray(one), other)
            assert np.asarray(one).dtype == other.dtype and np.shape(one) == other.shape


def test_a_kernel_that_asks_for_values_is_called_with_the_new_ones():
    run, _, _ = straight(tf.gather, A, N)
    with pytest.raises(tf.errors.InvalidArgumentError, match="0 to 3"):
        run(A, np.array([9, 0, 0], "int32"))


def test_what_nobody_needs_is_not_written():
    run, _, code = straight(lambda a: tf.split(a * 2.0, 3, axis=1)[2], A)
    assert run(A)[0].tolist() == (A * np.float32(2))[:, 2:].tolist()
    assert len(code._lines) == 5 and len(run.__wrapped__.__code__.co_varnames) == 4


def test_scalars_meet_python_operators_and_arrays_numpy_functions():
    _, _, code = straight(lambda s, a: a * (s * s + 1.0), S, A)
    texts = [text for _, _, text in code._lines]
    assert [text for text in texts if text.startswith("multiply(")] and any(" + " in text for text in texts)
    assert not any(text.startswith("add(") for text in texts)


def test_a_program_with_a_gradient_is_not_straight():
    def gradient(a):
        with tf.GradientTape() as tape:
            tape.watch(a)
            loss = tf.reduce_sum(a * a)
        return tape.gradient(loss, a)

    with pytest.raises(NotStraight):
        straight(gradient, A)


def test_what_overflows_later_is_noticed():
    run, program, _ = straight(lambda a: (tf.sigmoid(a), tf.nn.silu(a), tf.nn.selu(a)), A)
    far = np.array(A)
    far[0], far[1] = 100, -90
    for one, other in zip(run(far), interpreted(program, [far], [])[0], strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.isfinite(one).all()


def test_warnings_are_silent():
    run, _, _ = straight(lambda a: tf.math.log(a) / 0.0, A)
    with np.errstate(all="raise"):
        assert not np.isfinite(run(A)[0]).any()
