"""Tensors as Python and NumPy see them, and symbols, which have no value to see."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core import context
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Symbol


@pytest.fixture
def symbol() -> Symbol:
    return Graph().input((None, 3), "float32")


def test_how_tensors_read_on_a_screen() -> None:
    assert repr(tf.constant(42)) == "<tf.Tensor: shape=(), dtype=int32, numpy=42>"
    assert repr(tf.constant(True)) == "<tf.Tensor: shape=(), dtype=bool, numpy=True>"
    assert repr(tf.constant("ab")) == "<tf.Tensor: shape=(), dtype=string, numpy=b'ab'>"
    assert repr(tf.constant([1.0, 2.0])) == (
        "<tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>"
    )
    assert repr(tf.constant([[1, 2], [3, 4]])) == (
        "<tf.Tensor: shape=(2, 2), dtype=int32, numpy=\narray([[1, 2],\n       [3, 4]], dtype=int32)>"
    )
    assert str(tf.constant([1.0, 2.0])) == "tf.Tensor([1. 2.], shape=(2,), dtype=float32)"
    assert str(tf.constant([[1], [2]])) == "tf.Tensor(\n[[1]\n [2]], shape=(2, 1), dtype=int32)"
    assert f"{tf.constant(1.23456):.2f}" == "1.23"


def test_numpy_takes_tensors_and_gives_arrays() -> None:
    tensor = tf.constant([1.0, 4.0])
    squared = np.square(tensor)
    assert type(squared) is np.ndarray
    assert squared.tolist() == [1, 16]
    assert np.sum(tensor) == 5
    assert np.asarray(tensor, np.float64).dtype == np.float64
    assert np.add(tensor, np.ones(2)).tolist() == [2, 5]


def test_an_array_beside_a_tensor_leaves_the_work_to_the_tensor() -> None:
    both = np.ones(2, np.float32) + tf.constant([1.0, 2.0])
    assert isinstance(both, tf.Tensor)
    assert both.numpy().tolist() == [2, 3]
    assert isinstance(np.ones((1, 2), np.float32) @ tf.constant([[1.0], [2.0]]), tf.Tensor)
    assert isinstance(np.float32(2) * tf.constant(1.0), tf.Tensor)
    assert isinstance(np.float32(2) < tf.constant(1.0), tf.Tensor)


def test_tensors_as_python_values() -> None:
    assert int(tf.constant(3)) == 3
    assert float(tf.constant(2.5)) == 2.5
    assert bool(tf.constant([True]))
    assert [10, 20, 30][tf.constant(1)] == 20
    assert len(tf.zeros([4, 2])) == 4
    assert [row.shape for row in tf.zeros([2, 3])] == [(3,), (3,)]
    assert tf.constant([1, 2]).tolist() == [1, 2]
    with pytest.raises(
        ValueError, match=r"^The truth value of a tensor with 2 elements is ambiguous \(shape \(2,\)\);"
    ):
        bool(tf.constant([1, 2]))
    with pytest.raises(TypeError, match=r"^A scalar tensor has no len"):
        len(tf.constant(1))
    with pytest.raises(TypeError, match=r"^Cannot iterate over a scalar tensor"):
        iter(tf.constant(1))


def test_tensors_compare_by_value_and_are_kept_by_reference() -> None:
    tensor = tf.constant([1])
    with pytest.raises(TypeError, match=r"^Tensor is unhashable"):
        {tensor}
    assert {tensor.ref(): 1}[tensor.ref()] == 1
    assert tensor.ref().deref() is tensor
    assert tensor.ref() != tf.constant([1]).ref()


def test_tensors_survive_copies_and_pickling() -> None:
    tensor = tf.constant([[1.5, 2.5]])
    assert copy.deepcopy(tensor) is tensor
    assert pickle.loads(pickle.dumps(tensor)).numpy().tolist() == [[1.5, 2.5]]


def test_a_tensor_without_a_name_says_why() -> None:
    with pytest.raises(AttributeError, match=r"^A tensor has no name while operations run at once"):
        tf.constant(1).name


_OPERATIONS = ": use tf operations (tf.cond, tf.where) instead, or run_eagerly=True to debug with values."
_NUMPY = " instead; tf.numpy_function calls NumPy from a program."


@pytest.mark.parametrize(
    ("ask", "wish", "remedy"),
    [
        (bool, "The truth value", _OPERATIONS),
        (float, "The float", _OPERATIONS),
        (int, "The int", _OPERATIONS),
        (len, "The length", _OPERATIONS),
        (iter, "The number of rows", _OPERATIONS),
        (lambda s: s.numpy(), "The value", _OPERATIONS),
        (np.asarray, "The NumPy array", f". Use tf functions{_NUMPY}"),
        (np.square, "NumPy's square", f". Use the function of tf or tf.math{_NUMPY}"),
    ],
)
def test_a_symbol_refuses_to_be_a_value(symbol: Symbol, ask: object, wish: str, remedy: str) -> None:
    with pytest.raises(TypeError) as caught:
        ask(symbol)  # type: ignore[operator]
    assert str(caught.value) == (
        f"{wish} of a symbolic tensor, a value (float32, shape (None, 3)), is not known while a program is traced{remedy}"
    )


def test_symbols_print_as_in_tensorflow() -> None:
    seen = []

    @tf.function
    def f(x: tf.Tensor) -> tf.Tensor:
        seen.extend([str(x), f"{x:>45}", repr(x), str([x])])
        return x

    f(tf.constant([[1.0]]))
    plain = 'Tensor("x:0", shape=(1, 1), dtype=float32)'
    wrapped = "<tf.Tensor 'x:0' shape=(1, 1) dtype=float32>"
    assert seen == [plain, plain.rjust(45), wrapped, f"[{wrapped}]"]
    drawn = tf.keras.Input(shape=(3,), name="first")
    form = "<KerasTensor shape=(None, 3), dtype=float32, sparse=False, ragged=False, name=first>"
    assert str(drawn) == repr(drawn) == form


def test_a_symbol_knows_its_shape_and_learns_more(symbol: Symbol) -> None:
    assert repr(symbol) == "<tf.Tensor shape=(None, 3) dtype=float32>"
    assert str(symbol) == f"{symbol}" == "Tensor(shape=(None, 3), dtype=float32)"
    assert symbol.ndim == 2
    assert symbol.size is None
    symbol.set_shape([5, None])
    assert symbol.shape == (5, 3)
    assert len(symbol) == 5
    with pytest.raises(ValueError, match="are not compatible"):
        symbol.set_shape([6, 3])
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(symbol)


def test_an_array_beside_a_symbol_makes_a_symbol(symbol: Symbol) -> None:
    with context.tracing(symbol._graph):
        assert isinstance(np.ones(3, np.float32) + symbol, Symbol)


def test_arrays_are_formatted_and_empty_ones_are_false_as_numpys() -> None:
    matrix = np.array([[1.5, 2.0], [3.0, 4.0]], "float32")
    assert f"{tf.constant(matrix)}" == f"{matrix}"
    with pytest.raises(TypeError, match="unsupported format"):
        f"{tf.constant(matrix):.2f}"
    assert not tf.zeros([0, 3])
    with pytest.raises(ValueError, match=r"^The truth value of a tensor with 2 elements is ambiguous"):
        bool(tf.constant([1, 2]))


@pytest.mark.parametrize("scalar", [np.uint64(2), np.float64(2), np.int8(2)])
def test_operators_take_numpys_scalars(scalar: np.generic) -> None:
    vector = tf.constant(np.array([1, 2], scalar.dtype))
    for result in (vector * scalar, scalar * vector):
        assert isinstance(result, tf.Tensor)
        assert result.numpy().tolist() == [2, 4]
