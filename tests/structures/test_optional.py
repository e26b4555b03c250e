"""A value that may be missing."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

Optional = tf.experimental.Optional


def test_values_nest_as_in_datasets() -> None:
    whole = Optional.from_value({"a": [1, 2], "b": (3.0, tf.ragged.constant([[1], [2, 3]]))})
    assert whole.element_spec["a"] == tf.TensorSpec([2], tf.int32)
    assert isinstance(whole.element_spec["b"][1], tf.RaggedTensorSpec)
    assert whole.get_value()["b"][1].to_list() == [[1], [2, 3]]
    assert bool(whole.has_value())
    assert repr(tf.type_spec_from_value(Optional.from_value(5))) == (
        "OptionalSpec(TensorSpec(shape=(), dtype=tf.int32, name=None),)"
    )


def test_what_is_missing_is_told() -> None:
    none = Optional.empty(tf.TensorSpec([None, 2], tf.string))
    assert not bool(none.has_value())
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"there is no value .* Ask has_value\(\)\."):
        none.get_value()


def test_specs_compare() -> None:
    spec = tf.OptionalSpec((tf.TensorSpec([None]), tf.TensorSpec([], tf.int32)))
    assert spec == tf.OptionalSpec((tf.TensorSpec([None]), tf.TensorSpec([], tf.int32)))
    assert spec.is_compatible_with(Optional.from_value((tf.ones([3]), 1)))
    assert not spec.is_compatible_with(Optional.from_value((tf.ones([3]), 1.0)))
    assert not spec.is_compatible_with(Optional.from_value(tf.ones([3])))
    assert not spec.is_compatible_with(tf.TensorSpec([]))


def test_through_a_function_and_a_condition() -> None:
    @tf.function(input_signature=[tf.OptionalSpec(tf.TensorSpec([None]))])
    def total(value):
        return tf.reduce_sum(value.get_value()) if value.has_value() else -1.0

    assert float(total(Optional.from_value(tf.ones([3])))) == 3
    assert float(total(Optional.empty(tf.TensorSpec([None])))) == -1

    @tf.function
    def must(value):
        return value.get_value() * 2.0

    np.testing.assert_array_equal(must(Optional.from_value(tf.ones([2]))), [2, 2])
    with pytest.raises(tf.errors.InvalidArgumentError, match="there is no value"):
        must(Optional.empty(tf.TensorSpec([2])))

    @tf.function
    def made(x):
        return Optional.from_value(x + 1)

    assert int(made(tf.constant(1)).get_value()) == 2
