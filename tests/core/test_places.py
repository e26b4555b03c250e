"""Where the user asked: the nearest frame outside the package."""

from __future__ import annotations

import sys

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.core.places import Place, users_place


def test_the_place_is_the_line_that_asked() -> None:
    here = sys._getframe().f_lineno + 1
    assert users_place() == Place(__file__, here, "test_the_place_is_the_line_that_asked")


def test_each_node_of_a_trace_knows_the_line_of_the_user_who_asked_for_it() -> None:
    first = sys._getframe().f_lineno + 3

    def body(x):
        y = tf.nn.softmax(x)
        return tf.reduce_sum(y)

    nodes = tf.function(body).get_concrete_function(tf.TensorSpec([None, 3])).program.nodes
    assert {node.where.file for node in nodes} == {__file__}
    assert {node.where.function for node in nodes} == {"body"}
    assert [node.where.line for node in nodes] == [first, first + 1]


def test_a_function_called_in_another_keeps_its_own_lines() -> None:
    @tf.function
    def inner(x):
        return tf.exp(x)

    @tf.function
    def outer(x):
        return inner(x) + 1.0

    nodes = outer.get_concrete_function(tf.TensorSpec([3])).program.nodes
    assert [node.where.function for node in nodes] == ["inner", "outer"]


def test_nodes_know_the_layers_that_they_are_part_of() -> None:
    class Block(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__(name="block")
            self.inner = keras.layers.Dense(2, name="inner")

        def call(self, x):
            with tf.name_scope("tail"):
                return self.inner(x) * tf.exp(x)

    block = Block()
    nodes = tf.function(block).get_concrete_function(tf.TensorSpec([None, 2])).program.nodes
    parts = {node.op.name: node.part for node in nodes}
    assert parts["matmul"] == "block/tail/inner" and parts["exp"] == "block/tail"
    assert tf.function(tf.exp).get_concrete_function(tf.TensorSpec([2])).program.nodes[0].part == ""
