"""Arrays beside tensors, variables and NumPy's arrays, in loops and in programs; what is refused."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
import tensorsmith.array_api as xp


def test_a_tensor_tells_the_namespace() -> None:
    assert tf.constant(1.0).__array_namespace__() is xp is tf.array_api
    assert tf.constant(1.0).__array_namespace__(api_version="2023.12") is xp
    with pytest.raises(
        ValueError, match=r"^array_api: edition 2020.1 is not followed \(followed=\('2021.12', .*\)\)\.$"
    ):
        tf.constant(1.0).__array_namespace__(api_version="2020.1")


def test_tensors_and_arrays_together_are_arrays() -> None:
    tensor, array = tf.constant([1.0, 2.0]), xp.asarray([3.0, 4.0], dtype=xp.float64)
    for found, expected in (
        (tensor + array, [4.0, 6.0]), (array + tensor, [4.0, 6.0]), (tensor - array, [-2.0, -2.0]),
        (tensor < array, [True, True]), (tensor == array, [False, False]), (tensor**array, [1.0, 16.0]),
        (tensor @ array, 11.0), (tf.Variable(tensor) * array, [3.0, 8.0]), (np.array([1.0, 2.0]) + array, [4.0, 6.0]),
        (np.float64(2.0) * array, [6.0, 8.0]), (np.array([5.0, 4.0]) == array, [False, True]),
    ):  # fmt: skip
        assert type(found) is xp.asarray(0).__class__
        assert np.asarray(found).tolist() == expected
    assert (tensor + array).dtype == tf.float64


def test_operators_of_tensors_stay_theirs() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot mix float32 and float64"):
        tf.constant([1.0]) + tf.constant([1.0], tf.float64)


def test_functions_take_tensors_and_numpy_arrays() -> None:
    for given in (tf.constant([1.0, 4.0]), np.array([1.0, 4.0]), tf.Variable([1.0, 4.0])):
        assert np.asarray(xp.sqrt(given)).tolist() == [1.0, 2.0]
    with pytest.raises(
        TypeError, match=r"^sqrt: list is not an array \(given=\[1.0\]\)\. Make one: xp.asarray\(...\)\.$"
    ):
        xp.sqrt([1.0])


def test_tf_functions_take_arrays_and_give_tensors() -> None:
    array = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    assert type(tf.reduce_sum(array)) is tf.Tensor
    assert tf.matmul(array, array).numpy().tolist() == [[7.0, 10.0], [15.0, 22.0]]
    assert tf.convert_to_tensor(array) is tf.convert_to_tensor(array)


def test_numpy_functions_take_arrays() -> None:
    array = xp.asarray([1.0, 4.0])
    assert type(np.sqrt(array)) is np.ndarray
    assert np.sqrt(array).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(array)[0] = 3.0


def test_what_is_set_changes_neither_the_tensor_nor_a_copy() -> None:
    tensor = tf.constant([1.0, 2.0, 3.0])
    array = xp.asarray(tensor)
    others = [xp.asarray(array, copy=True), copy.copy(array), copy.deepcopy(array), pickle.loads(pickle.dumps(array))]
    same = array
    array[1:] = 7.0
    array += 1.0
    assert np.asarray(same).tolist() == [2.0, 8.0, 8.0]
    assert tensor.numpy().tolist() == [1.0, 2.0, 3.0]
    assert [np.asarray(other).tolist() for other in others] == [[1.0, 2.0, 3.0]] * 4


def test_a_mask_without_axes() -> None:
    array = xp.asarray([1.0, 2.0])
    assert array[xp.asarray(True)].shape == (1, 2)
    assert array[False].shape == (0, 2)
    array[xp.asarray(False)] = 5.0
    assert np.asarray(array).tolist() == [1.0, 2.0]
    array[xp.asarray(True)] = xp.asarray([[8.0, 9.0]])
    assert np.asarray(array).tolist() == [8.0, 9.0]
    number = xp.asarray(3)
    number[number > 2] = xp.asarray([4])
    assert int(number) == 4


def test_how_it_reads() -> None:
    assert repr(xp.asarray([[1, 2], [3, 4]], dtype=xp.uint8)) == "Array([[1, 2],\n       [3, 4]], dtype=uint8)"
    seen = []
    tf.function(lambda x: seen.append(repr(x)))(xp.asarray([1.0]))
    assert seen == ["<Array shape=(1,), dtype=float32>"]


def test_no_key_of_a_dictionary() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        {xp.asarray(1): 2}


# ---- programs


def test_an_array_in_a_program() -> None:
    traces = []

    @tf.function
    def smoothed(x: Any) -> Any:
        traces.append(x)
        y = xp.asarray(x, copy=True)
        y[1:-1] = (x[:-2] + x[1:-1] + x[2:]) / 3
        y[y > 3] = 0
        y *= 2
        return y, xp.max(y)

    for scale in (1.0, 2.0):
        given = np.array([3.0, 0.0, 6.0, 3.0, 9.0]) * scale
        y, top = smoothed(xp.asarray(given))
        expected = given.copy()
        expected[1:-1] = (given[:-2] + given[1:-1] + given[2:]) / 3
        expected = np.where(expected > 3, 0, expected) * 2
        assert isinstance(y, type(xp.asarray(0)))
        np.testing.assert_allclose(np.asarray(y), expected)
        assert float(top) == expected.max()
    assert len(traces) == 1


def test_an_array_is_a_variable_of_loops() -> None:
    @tf.function
    def total(x: Any, rounds: Any) -> Any:
        for _ in tf.range(rounds):
            x = x + x
        return x

    assert np.asarray(total(xp.asarray([1.0]), tf.constant(3))).tolist() == [8.0]


def test_a_derivative_through_what_is_set() -> None:
    x = xp.asarray([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        y[0] = 5.0
        y[1:] *= x[1:]
        loss = xp.sum(y)
    np.testing.assert_allclose(np.asarray(tape.gradient(loss, x)), [0.0, 3 * 2.0**2, 3 * 3.0**2])


def test_an_array_decides_about_branches_and_loops() -> None:
    @tf.function
    def steps(x: Any) -> Any:
        count = 0
        while xp.sum(x) > 1:
            x = x / 2
            count += 1
        return count if xp.all(x > 0) else -count

    assert int(steps(xp.asarray([2.0, 4.0]))) == 3
    assert int(steps(xp.asarray([8.0, -2.0]))) == -3
    assert int(tf.cond(xp.asarray(3) > 2, lambda: 1, lambda: 2)) == 1


def test_a_program_walks_the_rows_of_an_array() -> None:
    rows = []

    @tf.function
    def longest(x: Any) -> Any:
        best = xp.zeros((), dtype=xp.float64)
        for row in x:
            rows.append(row)
            best = xp.maximum(best, xp.sum(row))
        return best

    given = np.arange(12.0).reshape(4, 3)
    assert float(longest(xp.asarray(given))) == given.sum(axis=1).max()
    assert {type(row) for row in rows} == {type(xp.asarray(0))}
    assert len(rows) < 4


def test_a_model_is_fitted_to_arrays() -> None:
    x = xp.asarray(np.linspace(-1.0, 1.0, 64, dtype="float32").reshape(-1, 1))
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer=tf.keras.optimizers.SGD(0.5))
    model.fit(x, 3 * x + 1, epochs=20, batch_size=16, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), 3 * np.asarray(x) + 1, atol=0.05)


def test_an_array_of_a_column_of_a_table() -> None:
    import pandas as pd

    found = xp.asarray(pd.Series([1.5, 2.5], name="a"))
    assert (np.asarray(found).tolist(), found.dtype) == ([1.5, 2.5], tf.float64)


# ---- what is refused


def test_two_kinds_of_dtypes() -> None:
    told = (
        r"^add: int64 and float32 do not meet in one dtype; dtypes of one kind do \(integers, but uint64 with signed ones; "
        r"floats and complex numbers\)\. Convert one: xp\.astype\(x, dtype\)\.$"
    )
    with pytest.raises(TypeError, match=told):
        xp.asarray([1]) + xp.asarray([1.0])
    for pair in ((xp.uint64, xp.int8), (xp.bool, xp.int8), (xp.bool, xp.float32)):
        with pytest.raises(TypeError, match="do not meet"):
            xp.result_type(*pair)
    with pytest.raises(TypeError, match=r"^result_type: at least one array or dtype must be given"):
        xp.result_type(1, 2.0)


def test_a_number_of_a_wider_kind() -> None:
    told = (
        r"^add: 1\.5 does not fit an array of int64; a Python number takes the dtype of the array that it meets\. "
        r"Convert the array: xp\.astype\(x, dtype\)\.$"
    )
    with pytest.raises(TypeError, match=told):
        xp.asarray([1]) + 1.5
    with pytest.raises(TypeError, match="an array of float32 does not hold complex64"):
        xp.asarray([1.0])[:] = 1j
    with pytest.raises(OverflowError, match=r"^add: 300 is beyond uint8 \(limits=\(0, 255\)\)\.$"):
        xp.asarray([1], dtype=xp.uint8) + 300


def test_an_operator_in_place_changes_no_dtype_and_no_shape() -> None:
    x = xp.asarray([1], dtype=xp.int8)
    with pytest.raises(TypeError, match="an operator in place changes neither dtype nor shape"):
        x += xp.asarray([1], dtype=xp.int16)
    with pytest.raises(ValueError, match="an operator in place changes neither dtype nor shape"):
        x += xp.asarray([1, 2], dtype=xp.int8)
    with pytest.raises(TypeError, match=r"^__setitem__: an array of int8 does not hold int16\. Convert what is put in"):
        x[0] = xp.asarray(1, dtype=xp.int16)


def test_dtypes_that_a_function_does_not_take() -> None:
    told = (
        r"^sin: it does not take int64 \(shape=\(1,\)\); it takes floating dtypes\. Convert: xp\.astype\(x, dtype\)\.$"
    )
    with pytest.raises(TypeError, match=told):
        xp.sin(xp.asarray([1]))
    with pytest.raises(TypeError, match=r"^asarray: the standard has no arrays of string\.$"):
        xp.asarray(tf.constant("a"))
    with pytest.raises(TypeError, match=r"^astype: complex64 has no value in float32\. Take xp\.real\(x\) first\.$"):
        xp.astype(xp.asarray([1j]), xp.float32)


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"^zeros: there is no device 'GPU:0'|^full: there is no device 'GPU:0'"):
        xp.zeros(3, device="GPU:0")
    assert xp.zeros(3, device="cpu").device == xp.zeros(3, device="/device:CPU:0").device


def test_an_index_and_a_number_of_more_than_one_element() -> None:
    with pytest.raises(TypeError, match=r"^index: an array of float32 is no index\.$"):
        [1, 2][xp.asarray(1.0)]
    with pytest.raises(TypeError, match=r"^float: only an array of shape \(\) is one number \(shape=\(1,\)\)\.$"):
        float(xp.asarray([1.0]))
    with pytest.raises(ValueError, match=r"^T: it is for matrices \(shape=\(2,\)\)\. Use x\.mT\.$"):
        xp.ones(2).T


def test_bfloat16_and_float16_meet() -> None:
    half, brain = xp.ones(2, dtype=tf.float16), xp.ones(2, dtype=tf.bfloat16)
    assert (half + brain).dtype == tf.float32
    assert (half + xp.ones(2)).dtype == tf.float32
    assert (half + 1.5).dtype == tf.float16
    assert float(xp.hypot(half * 3, half * 4)[0]) == 5.0
    assert xp.finfo(tf.bfloat16).bits == 16
