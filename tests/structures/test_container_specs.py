"""Specs of IndexedSlices, tensor arrays and None, in signatures too."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

ROWS = tf.IndexedSlices(tf.ones([2, 3]), tf.constant([0, 4], tf.int64), tf.constant([5, 3], tf.int64))


def test_they_print_and_compare() -> None:
    assert repr(tf.IndexedSlicesSpec([3, 2])) == (
        "IndexedSlicesSpec(TensorShape([3, 2]), tf.float32, tf.int64, None, TensorShape([None]))"
    )
    assert repr(tf.TensorArraySpec()) == "TensorArraySpec(TensorShape(None), tf.float32, False, True)"
    assert repr(tf.NoneTensorSpec()) == "NoneTensorSpec()"
    assert tf.TensorArraySpec([2]) == tf.TensorArraySpec((2,)) != tf.TensorArraySpec([3])
    assert tf.NoneTensorSpec() == tf.NoneTensorSpec()
    assert hash(tf.IndexedSlicesSpec([1])) == hash(tf.IndexedSlicesSpec([1]))


def test_values_tell_theirs() -> None:
    assert tf.type_spec_from_value(ROWS) == tf.IndexedSlicesSpec([5, 3], tf.float32, tf.int64, tf.int64, [2])
    assert tf.type_spec_from_value(tf.TensorArray(tf.int32, 3, element_shape=[2])) == tf.TensorArraySpec([2], tf.int32)
    assert tf.type_spec_from_value(None) == tf.NoneTensorSpec()
    assert tf.TensorArraySpec.from_value(tf.TensorArray(tf.float32, 1)) == tf.TensorArraySpec()


def test_what_fits() -> None:
    assert tf.IndexedSlicesSpec([None, 3], dense_shape_dtype=tf.int64).is_compatible_with(ROWS)
    assert not tf.IndexedSlicesSpec([None, 3]).is_compatible_with(ROWS)
    assert not tf.IndexedSlicesSpec([None, 4], dense_shape_dtype=tf.int64).is_compatible_with(ROWS)
    assert tf.TensorArraySpec([2]).is_compatible_with(tf.TensorArraySpec([None]))
    assert not tf.NoneTensorSpec().is_compatible_with(1)
    assert tf.NoneTensorSpec().most_specific_common_supertype([tf.TensorSpec([])]) is None
    assert tf.NoneTensorSpec().is_subtype_of(tf.NoneTensorSpec())
    both = tf.TensorArraySpec([2, 3]).most_specific_compatible_type(tf.TensorArraySpec([2, 4]))
    assert both == tf.TensorArraySpec([2, None])


def test_slices_in_a_signature() -> None:
    @tf.function(input_signature=[tf.IndexedSlicesSpec([None, 3], dense_shape_dtype=tf.int64)])
    def total(rows):
        return tf.reduce_sum(tf.convert_to_tensor(rows), 0)

    np.testing.assert_array_equal(total(ROWS), [2, 2, 2])
    more = tf.IndexedSlices(tf.ones([4, 3]), tf.constant([0, 1, 2, 2], tf.int64), tf.constant([9, 3], tf.int64))
    np.testing.assert_array_equal(total(more), [4, 4, 4])
    assert total.experimental_get_tracing_count() == 1
    with pytest.raises(TypeError, match="does not fit the input_signature"):
        total(tf.IndexedSlices(tf.ones([2, 4]), tf.constant([0, 4], tf.int64), tf.constant([5, 4], tf.int64)))


@pytest.mark.parametrize("dynamic", [False, True])
def test_tensor_arrays_in_a_signature(dynamic: bool) -> None:
    @tf.function(input_signature=[tf.TensorArraySpec([2], tf.float32, dynamic_size=dynamic)])
    def changed(array):
        return array.write(0, [7.0, 8.0]).stack()

    array = tf.TensorArray(tf.float32, 3, dynamic_size=dynamic, element_shape=[2]).unstack(np.ones((3, 2), "f"))
    np.testing.assert_array_equal(changed(array), [[7, 8], [1, 1], [1, 1]])
    with pytest.raises(TypeError, match="does not fit the input_signature"):
        changed(tf.TensorArray(tf.float32, 3, dynamic_size=dynamic, element_shape=[3]))


def test_none_in_a_signature() -> None:
    @tf.function(input_signature=[tf.TensorSpec([2]), tf.NoneTensorSpec()])
    def masked(x, mask=None):
        return x if mask is None else x * mask

    np.testing.assert_array_equal(masked(tf.ones([2]), None), [1, 1])
    with pytest.raises(TypeError, match="does not fit the input_signature"):
        masked(tf.ones([2]), tf.ones([2]))
