"""The shape of a result before it is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core import context
from tensorsmith.program.infer import STAND_INS, infer
from tensorsmith.program.op import Array, Op
from tensorsmith.tensor.graph import Graph

F32 = np.dtype("float32")


def shape_of(function: Any, *shapes: tuple) -> tuple:
    graph = Graph()
    symbols = [graph.input(shape, "float32") for shape in shapes]
    with context.tracing(graph):
        return tuple(function(*symbols).shape)


def test_sizes_that_follow_unknown_ones_stay_unknown() -> None:
    def kernel(xp, x: Array):
        return xp.concatenate([x, x[:1]])

    def count(xp, x: Array):
        return x[:2]

    assert infer(Op("a", kernel), [((None, 4), F32)], {})[0] == [((None, 4), F32)]
    assert infer(Op("b", count), [((None, 4), F32)], {})[0] == [((2, 4), F32)]
    assert infer(Op("c", kernel), [((3, 4), F32)], {})[0] == [((4, 4), F32)]


def test_a_rule_is_asked_before_the_kernel() -> None:
    def kernel(xp, x: Array):
        raise AssertionError("the kernel must not run")

    op = Op("a", kernel, shapes=lambda specs, settings: [specs[0]])
    assert infer(op, [((None,), F32)], {}) == ([((None,), F32)], None)


def test_the_kernel_runs_once_for_equal_questions() -> None:
    runs = []

    def kernel(xp, x: Array, by: int = 1):
        runs.append(x.shape)
        return x * by

    op = Op("a", kernel)
    for _ in range(3):
        infer(op, [((None,), F32)], {"by": 2})
    assert runs == [(STAND_INS[0],), (STAND_INS[1],)]
    infer(op, [((None,), F32)], {"by": 3})
    assert len(runs) == 4


def test_shapes_through_a_chain_of_operations() -> None:
    assert shape_of(lambda x: tf.matmul(x, tf.ones([3, 5])) + tf.ones([5]), (None, 3)) == (None, 5)
    assert shape_of(lambda x: tf.reduce_sum(x, axis=0, keepdims=True), (None, 3)) == (1, 3)
    assert shape_of(lambda x, y: tf.concat([x, y], 0), (None, 3), (2, None)) == (None, 3)
    assert shape_of(lambda x, y: tf.concat([x, y], 1), (None, 3), (2, 4)) == (2, 7)
    assert shape_of(lambda x: tf.reshape(x, [-1, 6]), (None, 2, 3)) == (None, 6)
    assert shape_of(lambda x: tf.reshape(x, [tf.shape(x)[0], 6]), (None, 2, 3)) == (None, 6)
    assert shape_of(lambda x: tf.reshape(x, tf.concat([tf.shape(x)[:1], [6]], 0)), (None, 2, 3)) == (None, 6)
    assert shape_of(lambda x: tf.zeros(tf.shape(x)), (None, 2)) == (None, 2)
    assert shape_of(lambda x: x[:, 0], (None, 2)) == (None,)
    assert shape_of(lambda x: x[1:, ::2, tf.newaxis], (4, 5)) == (3, 3, 1)
    assert shape_of(lambda x: tf.stack([x, x, x], axis=-1), (None, 2)) == (None, 2, 3)
    assert shape_of(lambda x: tf.split(x, [1, 2], axis=1)[1], (None, 3)) == (None, 2)
    assert shape_of(lambda x: tf.gather(x, [[0, 1]], axis=1), (None, 3, 4)) == (None, 1, 2, 4)
    assert shape_of(lambda x: tf.one_hot(tf.cast(x, tf.int32), 7), (None,)) == (None, 7)
    assert shape_of(lambda x: tf.boolean_mask(x, x[:, 0] > 0), (5, 3)) == (None, 3)
    assert shape_of(lambda x: tf.where(x > 0), (5, 3)) == (None, 2)


def test_sizes_known_in_a_trace_are_constants() -> None:
    graph = Graph()
    x = graph.input((None, 3), "float32")
    with context.tracing(graph):
        assert tf.shape(x)[1].numpy() == 3
        assert tf.unstack(tf.shape(x))[1].numpy() == 3
        assert tf.rank(x).numpy() == 2
        assert tf.shape(x[:, 1:])[-1].numpy() == 2
        assert tf.shape(tf.zeros([4, 5])).numpy().tolist() == [4, 5]
        assert tf.is_symbolic_tensor(tf.shape(x)[0])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: x + tf.ones([4]), "add: shapes (None, 3) and (4,) do not broadcast (x=float32(None, 3), y=float32(4,))."),
        (lambda x: tf.matmul(x, tf.ones([4, 2])), "matmul: inner sizes differ: 3 and 4 ("),
        (lambda x: tf.reduce_sum(x, axis=2), "reduce_sum: axis 2 is out of bounds for a tensor of 2 axes ("),
        (lambda x: x[:, 3], "getitem: index 3 is out of bounds for axis 1 with size 3 (x=float32(None, 3), key="),
        (lambda x: tf.reshape(x, [-1, -1]), "reshape: at most one size can be -1 ("),
        (lambda x: tf.squeeze(x, axis=1), "squeeze: cannot squeeze axis 1 of size 3 ("),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_while_tracing(call: Any, text: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        shape_of(call, (None, 3))
    assert str(caught.value).startswith(text)
