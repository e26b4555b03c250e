"""variable_creator_scope: what makes variables in place of tf.Variable."""

from __future__ import annotations

import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.core import context


def test_creators_are_asked_from_the_inside_out_with_all_arguments() -> None:
    asked = []

    def creator(name):
        def create(next_creator, **kwargs):
            asked.append((name, kwargs["initial_value"], kwargs["trainable"]))
            return next_creator(**{**kwargs, "initial_value": kwargs["initial_value"] + 1, "trainable": False})

        return create

    with tf.variable_creator_scope(creator("outer")), tf.variable_creator_scope(creator("inner")):
        v = tf.Variable(1.0, name="w")
    assert asked == [("inner", 1.0, None), ("outer", 2.0, False)]
    assert (float(v), v.trainable, v.name) == (3.0, False, "w:0")
    assert tf.Variable(1.0).trainable
    assert context.local.creators == []


def test_a_creator_may_give_something_else_and_make_variables_itself() -> None:
    def kept(next_creator, **kwargs):
        return "kept", next_creator(**kwargs), tf.zeros([1])

    with tf.variable_creator_scope(kept):
        word, v, _ = tf.Variable([1, 2], dtype=tf.int64)
        assert keras.layers.Dense(1)(tf.ones([1, 2])).shape == (1, 1)
    assert (word, v.dtype) == ("kept", tf.int64)


def test_an_error_closes_the_scope_and_a_creator_is_a_function() -> None:
    def fails(next_creator, **kwargs):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), tf.variable_creator_scope(fails):
        tf.Variable(1.0)
    assert context.local.creators == []
    with pytest.raises(TypeError, match="a creator must be a function"), tf.variable_creator_scope(3):
        pass
    with pytest.raises(TypeError, match="unexpected keyword"), tf.variable_creator_scope(fails):
        tf.Variable(1.0, colour="red")
