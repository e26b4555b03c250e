"""Indices as users write them, on tensors, variables and symbols."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.function.trace import trace
from tensorsmith.program import execute

X = np.arange(24, dtype="float32").reshape(2, 3, 4)
KEYS: list[Any] = [
    0, -1, slice(1), slice(None, None, -1), (0, 1), (0, 1, 2), (slice(None), 1), (slice(None), slice(1, None, 2)), ...,
    (..., 0), (0, ...), (..., 1, None), None, (None, 0), (0, None, slice(2)), (slice(None), None, ..., -1), (), slice(5, 9),
    np.array([1, 0, 1]), [[1, 0]], (slice(None), [2, 0]), ([1, 0], [2, 1]), (0, [1, 2]), ([1], slice(None), [0, 3]),
    (np.array([[0, 1], [1, 0]]), slice(1, 3)), X > 11, (0, X[0, :, 0] > 3), np.int64(1), (np.int32(0), slice(None), np.int8(2)),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=[f"{i}" for i in range(len(KEYS))])
def test_indices_mean_what_they_mean_to_numpy(key: Any) -> None:
    expected = X[key]
    for source in (tf.constant(X), tf.Variable(X)):
        result = source[key]
        assert result.numpy().tolist() == expected.tolist()
        assert result.shape == expected.shape
        assert result.dtype is tf.float32


@pytest.mark.parametrize("key", KEYS, ids=[f"{i}" for i in range(len(KEYS))])
def test_indices_of_symbols(key: Any) -> None:
    symbols = []

    def body(graph):
        symbols.append(graph.input(X.shape, "float32")[key])
        return symbols[0]

    ((result,), _) = execute.run(trace(body).program, [X], [])
    assert symbols[0].shape == X[key].shape
    assert np.asarray(result).tolist() == X[key].tolist()


@pytest.mark.parametrize("key", KEYS[:27], ids=[f"{i}" for i in range(27)])
def test_the_gradient_of_an_index_goes_to_the_elements_picked(key: Any) -> None:
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x[key])
    expected = np.zeros_like(X)
    np.add.at(expected, key, 1)
    assert tape.gradient(y, x).numpy().tolist() == expected.tolist()


@pytest.mark.parametrize("key", KEYS, ids=[f"{i}" for i in range(len(KEYS))])
def test_elements_of_a_variable_are_assigned(key: Any) -> None:
    variable = tf.Variable(X)
    variable[key].assign(tf.zeros_like(variable[key]) + 100.0)
    expected = X.copy()
    expected[key] = 100
    assert variable.numpy().tolist() == expected.tolist()


def test_tensors_stand_in_indices_also_as_bounds() -> None:
    x = tf.constant(X)
    two = tf.constant(2)
    assert x[tf.constant(1), two].numpy().tolist() == X[1, 2].tolist()
    assert x[:, :two].numpy().tolist() == X[:, :2].tolist()
    assert x[:, tf.Variable(1) :].numpy().tolist() == X[:, 1:].tolist()
    assert x[:, tf.constant([2, 0], tf.int64)].numpy().tolist() == X[:, [2, 0]].tolist()


def test_symbolic_places_and_bounds() -> None:
    def body(graph):
        x, at = graph.input((None, 3, 4), "float32"), graph.input((), "int32")
        half = tf.shape(x)[0] // 2
        picked = x[at], x[:, at, 1:], x[half:], x[tf.stack([at, at])]
        assert [tuple(p.shape) for p in picked] == [(3, 4), (None, 3), (None, 3, 4), (2, 3, 4)]
        return picked

    results, _ = execute.run(trace(body).program, [X, np.int32(1)], [np.int32(0)])
    for result, expected in zip(results, [X[1], X[:, 1, 1:], X[1:], X[[1, 1]]], strict=True):
        assert np.asarray(result).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("key", "kind", "text"),
    [
        (2,
         tf.errors.InvalidArgumentError,
         "getitem: index 2 is out of bounds for axis 0 with size 2 (x=float32(2, 3, 4), key=(2,))."),
        ((0, 0, 0, 0),
         tf.errors.InvalidArgumentError,
         "getitem: too many indices for array: array is 3-dimensional, but 4 were indexed"),
        ("a", TypeError, "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64"),
        (1.5, TypeError, "Only integers, slices"),
        (True, TypeError, "A tensor cannot be indexed with True or False; use tf.boolean_mask for masks."),
        (slice(0.5, None), TypeError, "Only integers, slices (`:`)"),
        (np.array([True, False, True]), tf.errors.InvalidArgumentError,
         "indexing: the mask does not fit the axes that it stands for (mask=(3,), axes=(2,))."),
        (np.array([0.5]), TypeError, "A tensor cannot be indexed with float64; places are integers."),
    ],
)  # fmt: skip
def test_what_is_no_index(key: Any, kind: type, text: str) -> None:
    with pytest.raises(kind) as caught:
        tf.constant(X)[key]
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    "pick",
    [lambda x: x[x > 8], lambda x: x[x[:, 0, 0] > 8], lambda x: x[:, x[0, :, 1] > 5], lambda x: x[0, x[0] > 2]],
    ids=["all", "rows", "second axis", "behind a place"],
)
def test_masks_of_a_traced_function(pick: Any) -> None:
    x = tf.constant(X)
    traced = tf.function(pick, input_signature=[tf.TensorSpec([None, None, None], x.dtype)])
    for given in (x, x[:1], x - 100, x + 100):
        np.testing.assert_array_equal(traced(given), pick(given.numpy()))


def test_the_derivative_goes_to_what_a_mask_picks() -> None:
    x = tf.constant([1.0, 2.0, 3.0])

    @tf.function
    def slope(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(x[x > 1.5] ** 2)
        return tape.gradient(y, x)

    assert slope(x).numpy().tolist() == [0, 4, 6]
    assert slope(-x).numpy().tolist() == [0, 0, 0]


def test_a_mask_of_a_traced_function_that_does_not_fit() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="the mask does not fit the axes that it stands for"):
        tf.function(lambda x, m: x[m])(tf.ones([3]), tf.constant([True, False]))


def test_masks() -> None:
    assert tf.boolean_mask(X, X > 20).numpy().tolist() == [21, 22, 23]
    assert tf.boolean_mask(X, [True, False, True], axis=1).numpy().tolist() == X[:, [0, 2]].tolist()
    assert tf.boolean_mask([[1, 2], [3, 4]], [False, True]).numpy().tolist() == [[3, 4]]
    with pytest.raises(ValueError, match=r"^boolean_mask: the mask does not fit the tensor"):
        tf.boolean_mask(X, [True])
    with pytest.raises(ValueError, match="the mask cannot be a scalar"):
        tf.boolean_mask(X, True)
    v = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.boolean_mask(v, [True, False, True]) ** 2)
    assert tape.gradient(y, v).numpy().tolist() == [2, 0, 6]


def test_blocks() -> None:
    assert tf.slice(X, [1, 0, 2], [1, -1, 2]).numpy().tolist() == X[1:, :, 2:].tolist()
    assert tf.strided_slice([1, 2, 3, 4], [-1], [-4], [-1]).numpy().tolist() == [4, 3, 2]
    assert tf.strided_slice(X, [0, 1], [1, 2], shrink_axis_mask=1).shape == (1, 4)
    with pytest.raises(tf.errors.InvalidArgumentError, match="a slice from 2 of size 2 does not fit an axis of size 3"):
        tf.slice(X, [0, 2, 0], [1, 2, 1])


def test_a_block_that_begins_somewhere_only_known_when_run() -> None:
    def body(graph):
        x, at = graph.input((None, 4), "float32"), graph.input((), "int32")
        return tf.slice(x, [at, 0], [2, 3])

    ((result,), _) = execute.run(trace(body).program, [X[0], np.int32(1)], [np.int32(0)])
    assert np.asarray(result).tolist() == X[0, 1:3, :3].tolist()


def test_choosing_without_values_gives_places() -> None:
    assert tf.where([[True, False], [False, True]]).numpy().tolist() == [[0, 0], [1, 1]]
    assert tf.where([[True, False]]).dtype is tf.int64
    with pytest.raises(ValueError, match=r"^where: x and y must both be given, or neither\.$"):
        tf.where([True], 1.0)


def test_a_list_is_a_tuple_unless_it_is_a_mask_or_nested() -> None:
    x = tf.constant(X)
    for key in ([0, 1], [1], [slice(0, 2), 1], [None, 0], [..., 1], [tf.constant(1), 2], [np.int64(1), 0], []):
        assert (
            x[key].numpy().tolist() == X[tuple(np.asarray(i) if isinstance(i, tf.Tensor) else i for i in key)].tolist()
        )
    assert x[[True, False]].numpy().tolist() == X[[True, False]].tolist()
    assert x[[[0, 1], [1, 0]]].numpy().tolist() == X[np.array([[0, 1], [1, 0]])].tolist()
