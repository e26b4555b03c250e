"""Tensors among arrays of NumPy, JAX, pandas, polars and torch: what is shared, what is copied, what nobody may write to."""

from __future__ import annotations

import array
import math
import sys
from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.tensor.graph import Graph

VALUES = [1.0, -2.5, 3.0]


def place(found: np.ndarray) -> int:
    return found.__array_interface__["data"][0]


@pytest.fixture(params=[tf.constant, tf.Variable], ids=["tensor", "variable"])
def made(request: Any) -> Any:
    return request.param(VALUES)


def test_numpy_sees_the_memory_and_may_not_write(made: Any) -> None:
    views = [np.asarray(made), np.array(made, copy=False), np.asarray(made, dtype="float32")]
    assert len({place(view) for view in views}) == 1
    for view in views:
        assert view.tolist() == VALUES
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 9.0
    own = np.array(made)
    own[0] = 9.0
    made.numpy()[0] = 9.0
    np.asarray(made, dtype="float64")[0] = 9.0
    assert np.asarray(made).tolist() == VALUES
    with pytest.raises(ValueError, match=r"without a copy|avoid copy"):
        np.array(made, dtype="float64", copy=False)


def test_the_interface_of_arrays_names_the_memory() -> None:
    tensor = tf.constant(VALUES)
    assert tensor.__array_interface__["data"] == (place(np.asarray(tensor)), True)
    assert tensor.__array_interface__["shape"] == (3,)
    # a sum is a NumPy scalar, whose memory must not go away with an array made of it
    total = tf.reduce_sum(tensor)
    assert [np.asarray(total).item() for _ in range(50)] == [1.5] * 50
    assert not hasattr(tf.constant([1.0], tf.bfloat16), "__array_interface__")
    assert np.asarray(tf.constant([1.5], tf.bfloat16)).astype("float32").tolist() == [1.5]
    assert np.asarray(tf.constant(["a"])).tolist() == [b"a"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python has had __buffer__ since 3.12")
def test_a_buffer_is_read() -> None:
    view = memoryview(tf.constant(VALUES))
    assert (view.tolist(), view.readonly) == (VALUES, True)


def test_a_symbol_has_no_memory() -> None:
    symbol = Graph().input((3,), "float32")
    assert not hasattr(symbol, "__array_interface__")
    for ask in (np.asarray, np.array, np.square):
        with pytest.raises(TypeError, match="is not known while a program is traced"):
            ask(symbol)


def test_functions_of_numpy_give_arrays(made: Any) -> None:
    for found, expected in (
        (np.square(made), np.square(VALUES)), (np.sum(made), sum(VALUES)), (np.stack([made, made]), [VALUES, VALUES]),
        (np.maximum(made, 0), [1, 0, 3]), (np.dot(made, made), np.dot(VALUES, VALUES)),
    ):  # fmt: skip
        assert isinstance(found, (np.ndarray, np.generic))
        assert found.tolist() == np.asarray(expected).tolist()


def test_python_takes_scalars() -> None:
    assert (int(tf.constant(3)), float(tf.constant(3)), complex(tf.constant(3j))) == (3, 3.0, 3j)
    assert ["a", "b"][tf.constant(1)] == "b"
    assert list(range(tf.constant(2))) == [0, 1]
    assert math.sqrt(tf.constant(4.0)) == 2
    assert f"{tf.constant(3.14159):.2f}" == "3.14"


@pytest.mark.parametrize(
    "source", [array.array("f", VALUES), bytearray(b"abc"), memoryview(np.array(VALUES)), np.array(VALUES)]
)
def test_what_a_tensor_was_made_of_may_change_later(source: Any) -> None:
    before = np.array(source).tolist()
    tensor = tf.constant(source)
    source[0] = 7
    assert tensor.numpy().tolist() == before


def test_dlpack_to_and_from_numpy_shares_memory() -> None:
    tensor = tf.constant(VALUES)
    assert place(np.from_dlpack(tensor)) == place(np.asarray(tensor))
    source = np.array(VALUES)
    shared = tf.experimental.dlpack.from_dlpack(source)
    assert place(np.asarray(shared)) == place(source)
    capsule = tf.experimental.dlpack.to_dlpack(tensor)
    assert place(np.asarray(tf.experimental.dlpack.from_dlpack(capsule))) == place(np.asarray(tensor))


def test_dlpack_to_and_from_jax() -> None:
    jnp = pytest.importorskip("jax.numpy")
    source = jnp.arange(64.0)
    shared = tf.experimental.dlpack.from_dlpack(source)
    assert place(np.asarray(shared)) == source.unsafe_buffer_pointer()
    assert jnp.from_dlpack(tf.constant(VALUES)).tolist() == VALUES
    half = tf.constant(VALUES, tf.bfloat16)
    assert jnp.from_dlpack(half).dtype == jnp.bfloat16
    back = tf.experimental.dlpack.from_dlpack(jnp.from_dlpack(half))
    assert (back.dtype, back.numpy().astype("float32").tolist()) == (tf.bfloat16, VALUES)
    assert tf.constant(source).numpy().tolist() == source.tolist()
    assert jnp.sin(jnp.asarray(half)).dtype == jnp.bfloat16


def test_dlpack_to_and_from_torch() -> None:
    torch = pytest.importorskip("torch")
    tensor = tf.constant(VALUES)
    assert torch.from_dlpack(tensor).data_ptr() == place(np.asarray(tensor))
    source = torch.tensor(VALUES)
    assert place(np.asarray(tf.experimental.dlpack.from_dlpack(source))) == source.data_ptr()
    copied = tf.constant(source)
    source[0] = 9.0
    assert copied.numpy().tolist() == VALUES
    half = tf.constant(VALUES, tf.bfloat16)
    assert torch.from_dlpack(half).dtype == torch.bfloat16
    assert tf.experimental.dlpack.from_dlpack(torch.from_dlpack(half)).dtype is tf.bfloat16


def test_columns_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "c": ["x", "y"], "d": [True, False]})
    assert [tf.constant(frame[name]).dtype for name in frame] == [tf.int64, tf.float64, tf.string, tf.bool]
    assert tf.constant(frame[["a", "b"]]).numpy().tolist() == [[1, 1.5], [2, 2.5]]
    assert tf.convert_to_tensor(frame["b"], tf.float32).dtype is tf.float32
    tensor = tf.constant(frame["b"])
    frame.loc[0, "b"] = 9.0
    assert tensor.numpy().tolist() == [1.5, 2.5]
    assert pandas.Series(tensor).tolist() == [1.5, 2.5]
    assert tf.constant(frame["c"].astype("category")).numpy().tolist() == [b"x", b"y"]


def test_columns_of_polars() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "c": ["x", "y"]})
    assert [tf.constant(frame[name]).dtype for name in frame.columns] == [tf.int64, tf.float64, tf.string]
    assert tf.constant(frame[["a", "b"]]).numpy().tolist() == [[1, 1.5], [2, 2.5]]
    assert polars.Series(np.asarray(tf.constant(VALUES))).to_list() == VALUES


def test_a_capsule_of_a_view_has_a_copy() -> None:
    for view in (tf.broadcast_to(tf.constant([1.0, 2.0]), [3, 2]), tf.signal.frame([1.0, 2.0, 3.0], 2, 1)):
        capsule = tf.experimental.dlpack.to_dlpack(view)
        np.testing.assert_array_equal(tf.experimental.dlpack.from_dlpack(capsule), view)
