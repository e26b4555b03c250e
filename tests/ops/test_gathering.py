"""Gather and scatter: out of range, batches, doubles, gradients."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.function.trace import trace
from tensorsmith.program import execute

X = np.arange(12, dtype="float32").reshape(3, 4)


def compiled(body: object, *arrays: np.ndarray) -> list[np.ndarray]:
    program = trace(lambda graph: body(*[graph.input(a.shape, a.dtype) for a in arrays])).program  # type: ignore[operator]
    return [np.asarray(r) for r in execute.run(program, list(arrays), [])[0]]


@pytest.mark.parametrize("place", [3, -1])
def test_a_place_out_of_range_is_refused_at_once_and_shows_when_compiled(place: int) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.gather(X, [0, place])
    assert str(caught.value) == (f"gather: a place is out of range (place={place}, size=3); places go from 0 to 2.")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^gather_nd: a place is out of range"):
        tf.gather_nd(X, [[0, 0], [0, 9]])


def test_gathering_along_axes_and_in_batches() -> None:
    assert tf.gather(X, [3, 0], axis=1).numpy().tolist() == X[:, [3, 0]].tolist()
    assert tf.gather(X, 1).shape == (4,)
    assert tf.gather(X, [[1], [0], [2]], batch_dims=1).numpy().tolist() == [[1], [4], [10]]
    assert tf.gather(X, [[1], [0], [2]], axis=-1, batch_dims=-1).shape == (3, 1)
    assert tf.gather(tf.constant(["a", "b"]), [1]).numpy().tolist() == [b"b"]
    with pytest.raises(TypeError, match=r"^gather: indices must be integers, not float32\.$"):
        tf.gather(X, [0.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^gather: there is no such axis"):
        tf.gather(X, [0], axis=2)


def test_the_gradient_of_gather_counts_doubles() -> None:
    v = tf.Variable(X)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.gather(v, [0, 2, 0]))
    assert tape.gradient(y, v).numpy().tolist() == [[2] * 4, [0] * 4, [1] * 4]


def test_scattering_into_a_tensor() -> None:
    assert tf.tensor_scatter_nd_update([1, 2, 3], [[1]], [9]).numpy().tolist() == [1, 9, 3]
    assert tf.tensor_scatter_nd_add([1, 2, 3], [[1], [1]], [10, 5]).numpy().tolist() == [1, 17, 3]
    assert tf.tensor_scatter_nd_update(X, [[0, 1]], [-1.0]).numpy()[0, 1] == -1
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.tensor_scatter_nd_update(X, [[0]], [[1.0, 2.0]])
    assert str(caught.value).startswith("tensor_scatter_nd_update: updates have shape (1, 2), needed are (1, 4)")
    with pytest.raises(tf.errors.InvalidArgumentError, match="a place is out of range"):
        tf.tensor_scatter_nd_add([1, 2, 3], [[3]], [1])


def test_scattering_into_zeros() -> None:
    assert tf.scatter_nd([[0], [2], [0]], [1.0, 2.0, 3.0], [4]).numpy().tolist() == [4, 0, 2, 0]
    assert tf.scatter_nd(tf.constant([[1]]), tf.constant([[5, 6]]), tf.constant([3, 2])).shape == (3, 2)


def test_the_scatters_of_variables() -> None:
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    v.scatter_nd_update(indices=[[0, 0], [2, 1]], updates=[10.0, 60.0])
    assert v.numpy().tolist() == [[10, 2], [3, 4], [5, 60]]
    v.scatter_update(tf.IndexedSlices(values=[[7.0, 8.0]], indices=[1]))
    assert v.numpy()[1].tolist() == [7, 8]
    v.scatter_add(tf.IndexedSlices([[1.0, 1.0], [1.0, 1.0]], [0, 0]))
    assert v.numpy()[0].tolist() == [12, 4]
    v.scatter_sub(tf.IndexedSlices([[2.0, 2.0]], [0]))
    v.scatter_max(tf.IndexedSlices([[0.0, 99.0]], [0]))
    v.scatter_min(tf.IndexedSlices([[0.0, 99.0]], [2]))
    assert v.numpy().tolist() == [[10, 99], [7, 8], [0, 60]]


def test_small_constants_are_gathered_from_and_scattered_to_in_programs():
    @tf.function
    def both(x, at):
        row = tf.broadcast_to(tf.constant([1.0, 2.0]), [2, 2])
        return (
            tf.gather_nd(row, at),
            tf.tensor_scatter_nd_add(tf.zeros([2, 2]), at, x),
            tf.gather(row, at, batch_dims=1),
        )

    picked, added, rows = both(tf.constant([3.0, 4.0]), tf.constant([[0, 1], [1, 1]]))
    assert picked.numpy().tolist() == [2.0, 2.0] and added.numpy().tolist() == [[0.0, 3.0], [0.0, 4.0]]
    assert rows.numpy().tolist() == [[1.0, 2.0], [2.0, 2.0]]


def test_derivatives_of_gathered_constants_in_programs():
    @tf.function
    def derivative(factor):
        x = tf.constant([1.0, 2.0, 3.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.gather(x, tf.constant([2, 0, 1], tf.int64)) * factor
        return tape.gradient(y, x)

    assert derivative(tf.constant([1.0, 2.0, 4.0])).numpy().tolist() == [2.0, 4.0, 1.0]
