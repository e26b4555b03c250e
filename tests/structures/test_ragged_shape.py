"""The shapes of ragged tensors, and tensors made of them."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

ROWS, DEEP = [[1, 2], [], [3, 4, 5]], [[[1, 2], [3]], [], [[], [4, 5, 6]]]
Shape = tf.experimental.DynamicRaggedShape


@pytest.fixture
def inner():
    return tf.RaggedTensor.from_row_splits(tf.reshape(tf.range(6), [3, 2]), [0, 2, 3])


def test_what_a_shape_tells(inner):
    flat, deep, wide = (tf.shape(r) for r in (tf.ragged.constant(ROWS), tf.ragged.constant(DEEP), inner))
    assert repr(flat) == "<DynamicRaggedShape lengths=[3, (2, 0, 3)] num_row_partitions=1>"
    assert repr(deep) == "<DynamicRaggedShape lengths=[3, (2, 0, 2), (2, 1, 0, 3)] num_row_partitions=2>"
    assert repr(wide) == "<DynamicRaggedShape lengths=[2, (2, 1), 2] num_row_partitions=1>"
    assert (wide.rank, wide.inner_rank, wide.num_row_partitions) == (3, 2, 1)
    assert wide.inner_shape.numpy().tolist() == [3, 2]
    assert [wide.is_uniform(at) for at in (0, 1, 2)] == [True, False, True]
    assert flat.static_lengths(ragged_lengths=False) == [3, None]
    assert flat.dtype == tf.int32 and flat.with_dtype(tf.int64).dtype == tf.shape(inner, tf.int64).dtype == tf.int64
    assert flat == tf.shape(tf.ragged.constant(ROWS) * 2) and flat != deep and flat != 3


def test_sizes_and_parts(inner):
    shape = tf.shape(inner)
    for at, size in ((0, 2), (2, 2), (-1, 2)):
        assert shape[at].numpy() == size and shape[at].dtype == tf.int32
    assert repr(shape[:2]) == "<DynamicRaggedShape lengths=[2, (2, 1)] num_row_partitions=1>"
    assert repr(shape[:1]) == "<DynamicRaggedShape lengths=[2] num_row_partitions=0>"
    spec = tf.RaggedTensorSpec([None, None, 2], tf.int32, ragged_rank=1)
    assert tf.function(lambda r: tf.shape(r)[0], input_signature=[spec])(inner).numpy() == 2
    with pytest.raises(ValueError, match=r"the axis has no one size .axis=1"):
        shape[1]
    with pytest.raises(IndexError, match=r"there is no such axis .axis=3, rank=3"):
        shape[3]
    with pytest.raises(ValueError, match="a part from a later axis on"):
        shape[1:]


def test_shapes_of_lengths():
    for lengths, count in [([3, (2, 0, 3)], 1), ([2, 2], 0), ([2, (1, 2), 3], 1), ([2, (1, 2), (3, 1, 2)], 2)]:
        made = Shape.from_lengths(lengths)
        assert repr(made) == f"<DynamicRaggedShape lengths={lengths} num_row_partitions={count}>"
    even = Shape.from_lengths([2, 2, 3], num_row_partitions=1)
    assert even.num_row_partitions == 1 and even[1].numpy() == 2
    assert repr(Shape.from_tensor([[1, 2]])) == "<DynamicRaggedShape lengths=[1, 2] num_row_partitions=0>"
    with pytest.raises(ValueError, match="one length is needed for each row"):
        Shape.from_lengths([3, (2, 0)])
    with pytest.raises(ValueError, match="the lengths do not fit num_row_partitions"):
        Shape.from_lengths([2, (1, 2)], num_row_partitions=0)


def test_tensors_of_a_shape(inner):
    r, deep = tf.ragged.constant(ROWS), tf.ragged.constant(DEEP)

    def made(r, deep):
        shape = tf.shape(r)
        return (
            tf.fill(shape, 7), tf.ones(shape), tf.broadcast_to(tf.constant([[1], [2], [3]]), shape),
            tf.reshape(tf.range(5), shape), tf.zeros(tf.shape(deep), tf.int32), tf.reshape(r * 2, shape),
            tf.broadcast_to(r, tf.shape(r, tf.int64)),
        )  # fmt: skip

    wanted = [
        [[7, 7], [], [7] * 3], [[1.0] * 2, [], [1.0] * 3], [[1, 1], [], [3, 3, 3]], [[0, 1], [], [2, 3, 4]],
        [[[0, 0], [0]], [], [[], [0, 0, 0]]], [[2, 4], [], [6, 8, 10]], ROWS,
    ]  # fmt: skip
    for function in (made, tf.function(made)):
        assert [found.to_list() for found in function(r, deep)] == wanted
    assert tf.fill(tf.shape(r), 1).row_splits.dtype == tf.int32
    assert tf.broadcast_to(tf.constant([1, 2]), tf.shape(inner)).to_list() == [[[1, 2], [1, 2]], [[1, 2]]]
    assert tf.ones(Shape.from_lengths([2, 2])).numpy().tolist() == np.ones([2, 2]).tolist()
    with pytest.raises(tf.errors.InvalidArgumentError, match="reshape"):
        tf.reshape(tf.range(6), tf.shape(r))
    with pytest.raises(TypeError, match="the shape of a ragged tensor is no tensor"):
        tf.convert_to_tensor(tf.shape(r))
    with pytest.raises(TypeError, match="RaggedTensor with a shape of numbers"):
        tf.broadcast_to(r, [3, 3])
