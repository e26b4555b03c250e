"""`keras.ops`: Keras 3's names, argument names and mixing of dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core import context
from tensorsmith.ops.keras_math import common_dtype
from tensorsmith.public import keras_ops as ops
from tensorsmith.tensor.graph import Graph

A = np.array([[1.5, -2.0, 0.5], [0.25, 3.0, -1.0]], "float32")
B = np.array([[2.0, 1.0, -0.5], [4.0, 3.0, 1.0]], "float32")
I = np.array([[3, -1, 2], [0, 5, 4]], "int32")  # noqa: E741
P = A > 0

# a call of keras.ops beside the same in NumPy
SAME: list[tuple[Any, Any]] = [
    (lambda k: k.add(x1=A, x2=B), A + B),
    (lambda k: k.subtract(A, 1), A - 1),
    (lambda k: k.multiply(A, B), A * B),
    (lambda k: k.divide(A, B), A / B),
    (lambda k: k.divide(I, 2), I / 2),
    (lambda k: k.true_divide(1, 4), 0.25),
    (lambda k: k.floor_divide(A, B), A // B),
    (lambda k: k.mod(I, 3), I % 3),
    (lambda k: k.power(B, 2), B**2),
    (lambda k: k.maximum(A, B), np.maximum(A, B)),
    (lambda k: k.minimum(A, 0), np.minimum(A, 0)),
    (lambda k: k.arctan2(A, B), np.arctan2(A, B)),
    (lambda k: k.logaddexp(A, B), np.logaddexp(A, B)),
    (lambda k: k.equal(A, B), A == B),
    (lambda k: k.less(I, 2.5), I < 2.5),
    (lambda k: k.greater_equal(A, B), A >= B),
    (lambda k: k.logical_and(P, I), P & (I != 0)),
    (lambda k: k.logical_not(I), I == 0),
    (lambda k: k.where(P, A, B), np.where(P, A, B)),
    (lambda k: k.where(P, I, 0.5), np.where(P, I, 0.5)),
    (lambda k: k.clip(A, -1, 1), np.clip(A, -1, 1)),
    (lambda k: k.isclose(A, A + 1e-9), np.ones_like(P)),
    (lambda k: k.sqrt(I * I), np.abs(I)),
    (lambda k: k.exp(0), 1.0),
    (lambda k: k.log2(B * B), np.log2(B * B)),
    (lambda k: k.log10(B * B), np.log10(B * B)),
    (lambda k: k.abs(I), np.abs(I)),
    (lambda k: k.sign(A), np.sign(A)),
    (lambda k: k.round(A * 1.23, 1), np.round(A * 1.23, 1)),
    (lambda k: k.square(P), P * 1),
    (lambda k: k.nan_to_num([np.nan, np.inf]), [0, np.finfo("float32").max]),
    (lambda k: k.sum(A, axis=0), A.sum(0)),
    (lambda k: k.sum(P), P.sum()),
    (lambda k: k.mean(I, axis=-1, keepdims=True), I.mean(-1, keepdims=True)),
    (lambda k: k.max(A, axis=1, initial=2.0), np.max(A, 1, initial=2)),
    (lambda k: k.min(A), A.min()),
    (lambda k: k.prod(B), B.prod()),
    (lambda k: k.std(A, 0), A.std(0)),
    (lambda k: k.var(I), I.var()),
    (lambda k: k.logsumexp(A), np.log(np.exp(A).sum())),
    (lambda k: k.all(P, axis=0), P.all(0)),
    (lambda k: k.any(I), True),
    (lambda k: k.argmax(A), A.argmax()),
    (lambda k: k.argmax(A, axis=1, keepdims=True), A.argmax(1)[:, None]),
    (lambda k: k.argmin(A, axis=0), A.argmin(0)),
    (lambda k: k.count_nonzero(I, axis=0), (I != 0).sum(0)),
    (lambda k: k.cumsum(A), A.cumsum()),
    (lambda k: k.cumprod(A, axis=1), A.cumprod(1)),
    (lambda k: k.average(A, axis=1, weights=[1, 2, 3]), np.average(A, 1, [1, 2, 3])),
    (lambda k: k.matmul(A, B.T), A @ B.T),
    (lambda k: k.dot(A[0], B[0]), A[0] @ B[0]),
    (lambda k: k.outer([1.0, 2.0], [3, 4]), [[3, 4], [6, 8]]),
    (lambda k: k.einsum("ij,ij->i", A, B), (A * B).sum(1)),
    (lambda k: k.tensordot(A, B, axes=[[1], [1]]), A @ B.T),
    (lambda k: k.norm(A), np.linalg.norm(A)),
    (lambda k: k.concatenate([A, I], axis=1), np.concatenate([A, I], 1)),
    (lambda k: k.stack([A, B], axis=-1), np.stack([A, B], -1)),
    (lambda k: k.hstack([A, B]), np.hstack([A, B])),
    (lambda k: k.vstack([A[0], B[0]]), np.vstack([A[0], B[0]])),
    (lambda k: k.expand_dims(A, [0, -1]), A[None, ..., None]),
    (lambda k: k.squeeze(A[None]), A),
    (lambda k: k.swapaxes(A, 0, 1), A.T),
    (lambda k: k.moveaxis(A[None], 0, -1), np.moveaxis(A[None], 0, -1)),
    (lambda k: k.ravel(A), A.ravel()),
    (lambda k: k.flip(A), A[::-1, ::-1]),
    (lambda k: k.flip(A, axis=1), A[:, ::-1]),
    (lambda k: k.reshape(A, (3, -1)), A.reshape(3, 2)),
    (lambda k: k.transpose(A, axes=(1, 0)), A.T),
    (lambda k: k.tile(A, 2), np.tile(A, 2)),
    (lambda k: k.tile(A[0], [2, 2]), np.tile(A[0], [2, 2])),
    (lambda k: k.repeat(A, 2, axis=0), A.repeat(2, 0)),
    (lambda k: k.pad(A, 1), np.pad(A, 1)),
    (lambda k: k.pad(A, [[1, 0], [0, 2]], constant_values=9), np.pad(A, [[1, 0], [0, 2]], constant_values=9)),
    (lambda k: k.roll(A, 1), np.roll(A, 1)),
    (lambda k: k.roll(A, 1, axis=1), np.roll(A, 1, 1)),
    (lambda k: k.split(A, [1], axis=1)[1], A[:, 1:]),
    (lambda k: k.take(A, [-1, 0], axis=1), A[:, [-1, 0]]),
    (lambda k: k.take(A, 4), A.ravel()[4]),
    (lambda k: k.take_along_axis(A, [[0], [-1]], axis=1), [[1.5], [-1]]),
    (lambda k: k.take_along_axis(A, I * 0, axis=0), np.take_along_axis(A, I * 0, 0)),
    (lambda k: k.arange(2, 8, 3), [2, 5]),
    (lambda k: k.linspace(0, 1, 5), np.linspace(0, 1, 5)),
    (lambda k: k.linspace(0, 1, 4, endpoint=False), np.linspace(0, 1, 4, endpoint=False)),
    (lambda k: k.eye(3, k=1), np.eye(3, k=1)),
    (lambda k: k.full((2,), 3), [3.0, 3.0]),
    (lambda k: k.full_like(I, 7), np.full_like(I, 7)),
    (lambda k: k.one_hot([1, 0], 3), np.eye(3)[[1, 0]]),
    (lambda k: k.scatter_update(A, [[0, 0]], [9.0]), [[9, -2, 0.5], [0.25, 3, -1]]),
    (lambda k: k.slice(A, [0, 1], [2, 2]), A[:, 1:]),
    (lambda k: k.slice_update(A, [1, 1], [[7.0, 8.0]]), [[1.5, -2, 0.5], [0.25, 7, 8]]),
    (lambda k: k.relu(A), np.maximum(A, 0)),
    (lambda k: k.leaky_relu(A, negative_slope=0.5), np.where(A > 0, A, A / 2)),
    (lambda k: k.softmax(I), np.exp(I) / np.exp(I).sum(-1, keepdims=True)),
    (lambda k: k.outer(A[0], A[0]), np.outer(A[0], A[0])),
    (lambda k: k.append(A, B, axis=0), np.append(A, B, 0)),
    (lambda k: k.nonzero(I)[0], np.nonzero(I)[0]),
]


@pytest.mark.parametrize("at", range(len(SAME)))
def test_keras_names_do_what_numpys_do(at: int) -> None:
    call, expected = SAME[at]
    result = call(ops)
    assert isinstance(result, tf.Tensor)
    np.testing.assert_allclose(result.numpy(), expected, rtol=2e-5, atol=1e-6)
    assert result.shape == np.shape(expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("int32", "float32"), "float32"),
        (("int64", "float16"), "float16"),
        (("bool", "int8"), "int8"),
        (("bool", "float64"), "float64"),
        (("int32", "int64"), "int64"),
        (("uint8", "int8"), "int16"),
        (("float32", "float64"), "float64"),
        (("float16", "bfloat16"), "float32"),
        (("bfloat16", "float32"), "float32"),
        (("float64", "complex64"), "complex64"),
        (("int8",), "int8"),
    ],
)
def test_two_dtypes_become_one(given: tuple, expected: str) -> None:
    assert common_dtype(*map(tf.as_dtype, given)).name == expected
    assert common_dtype(*map(tf.as_dtype, given[::-1])).name == expected


def test_integers_beside_floats() -> None:
    assert (ops.add(tf.constant([1]), 2.5)).dtype is tf.float32
    assert (ops.add(tf.constant([1]), tf.constant([2.5], tf.float64))).dtype is tf.float64
    assert ops.mean(tf.constant([1, 2])).dtype is tf.float32
    assert ops.sum(tf.constant([1, 2], tf.int8)).dtype is tf.int8
    assert ops.multiply(2, tf.constant([1.5])).dtype is tf.float32


def test_shapes_are_tuples_with_scalars_for_what_is_not_known() -> None:
    assert ops.shape(A) == (2, 3)
    assert type(ops.shape(A)) is tuple
    graph = Graph()
    x = graph.input((None, 3), "float32")
    with context.tracing(graph):
        rows, columns = ops.shape(x)
        assert columns == 3
        assert tf.is_symbolic_tensor(rows)
        assert ops.reshape(x, (rows, 3, 1)).shape == (None, 3, 1)
        assert ops.reshape(x, (-1, 1)).shape == (None, 1)


def test_conversions() -> None:
    assert ops.convert_to_tensor([1, 2], dtype="float32").dtype is tf.float32
    assert ops.convert_to_tensor(tf.constant(1), dtype="float32").dtype is tf.float32
    assert isinstance(ops.convert_to_numpy(tf.constant([1])), np.ndarray)
    assert ops.cast(A, "int32").dtype is tf.int32
    assert ops.ndim(A) == 2
    assert ops.dtype(A) == "float32"
    assert ops.is_tensor(tf.constant(1))
