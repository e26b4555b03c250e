"""Nested values whose ragged and sparse tensors are taken apart."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

RAGGED = tf.ragged.constant([[[1], [2, 3]], [[4]]])
SPARSE = tf.SparseTensor([[0, 1], [1, 0]], [5, 6], [2, 2])
NESTED = {"b": RAGGED, "a": [SPARSE, 7]}


def test_a_composite_is_one_leaf_or_its_tensors() -> None:
    assert tf.nest.flatten(NESTED) == [SPARSE, 7, RAGGED]
    assert not tf.nest.is_nested(RAGGED)
    found = tf.nest.flatten(NESTED, expand_composites=True)
    wanted = [SPARSE.indices, SPARSE.values, SPARSE.dense_shape, 7, RAGGED.flat_values, *RAGGED.nested_row_splits]
    assert [id(leaf) for leaf in found] == [id(leaf) for leaf in wanted]


def test_packing_makes_composites_of_their_tensors() -> None:
    assert tf.nest.pack_sequence_as([RAGGED], [1]) == [1]
    leaves = tf.nest.flatten(NESTED, expand_composites=True)
    again = tf.nest.pack_sequence_as(
        NESTED, [leaf * 2 if leaf is RAGGED.flat_values else leaf for leaf in leaves], True
    )
    assert again["b"].to_list() == [[[2], [4, 6]], [[8]]]
    assert again["a"][1] == 7 and tf.sparse.to_dense(again["a"][0]).numpy().tolist() == [[0, 5], [6, 0]]
    with pytest.raises(ValueError, match=r"has more leaves than the 6 given"):
        tf.nest.pack_sequence_as(NESTED, leaves[:-1], expand_composites=True)
    with pytest.raises(ValueError, match=r"has fewer leaves than the 8 given"):
        tf.nest.pack_sequence_as(NESTED, [*leaves, 1], expand_composites=True)


def test_a_spec_makes_a_composite_too() -> None:
    spec = tf.RaggedTensorSpec([None, None], tf.float32)
    assert tf.nest.flatten(spec, expand_composites=True) == [tf.TensorSpec([None]), tf.TensorSpec([None], tf.int64)]
    made = tf.nest.pack_sequence_as(spec, [tf.constant([5.0, 6.0]), tf.constant([0, 2], tf.int64)], True)
    assert made.to_list() == [[5.0, 6.0]]


def test_functions_see_the_tensors_of_composites() -> None:
    seen = []
    both = tf.nest.map_structure(lambda a, b: seen.append(a.dtype) or a + b, [RAGGED], [RAGGED], expand_composites=True)
    assert seen == [tf.int32, tf.int64, tf.int64]
    np.testing.assert_array_equal(both[0].flat_values, 2 * RAGGED.flat_values)
    assert tf.nest.map_structure(lambda a: a.shape, [RAGGED])[0].as_list() == [2, None, None]


@pytest.mark.parametrize(
    "other",
    [
        tf.constant(1),
        SPARSE,
        tf.ragged.constant([[1]]),
        tf.cast(RAGGED, tf.float32),
        RAGGED.with_row_splits_dtype(tf.int32),
    ],
)
def test_composites_of_two_kinds_are_two_structures(other) -> None:
    tf.nest.assert_same_structure(RAGGED, other)
    for pair in ([RAGGED], [other]), ([other], [RAGGED]):
        with pytest.raises(ValueError, match="don't have the same nested structure"):
            tf.nest.assert_same_structure(*pair, expand_composites=True)


def test_composites_of_other_sizes_are_one_structure() -> None:
    tf.nest.assert_same_structure(
        RAGGED, tf.ragged.constant([[[1]], [], [[2]]], dtype=tf.int32), expand_composites=True
    )
    slices = tf.IndexedSlices(tf.ones([2]), tf.constant([0, 1]))
    tf.nest.assert_same_structure(
        slices, tf.IndexedSlices(tf.ones([3]), tf.constant([0, 1, 2])), expand_composites=True
    )
    with pytest.raises(ValueError, match="don't have the same nested structure"):
        whole = tf.IndexedSlices(tf.ones([2]), tf.constant([0, 1]), tf.constant([4]))
        tf.nest.assert_same_structure(slices, whole, expand_composites=True)
