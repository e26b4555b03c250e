"""Anything becomes a tensor; the dtypes that Python numbers take, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.tensor.convert import convert


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (1, tf.int32, ()), (2**31 - 1, tf.int32, ()), (2**31, tf.int64, ()), (1.5, tf.float32, ()), (True, tf.bool, ()),
        ([1, 2], tf.int32, (2,)), ([1, 2.5], tf.float32, (2,)), ([[1.0], [2.0]], tf.float32, (2, 1)), ([], tf.float32, (0,)),
        ([1, 2**40], tf.int64, (2,)), ("text", tf.string, ()), ([b"a", "b"], tf.string, (2,)), (1j, tf.complex128, ()),
        (np.float64(1), tf.float64, ()), (np.arange(3), tf.int64, (3,)), (np.float32([1]), tf.float32, (1,)),
        ([np.float32(1), np.float32(2)], tf.float32, (2,)), (range(3), tf.int32, (3,)),
        (range(2**31, 2**31 + 2), tf.int64, (2,)), (tf.TensorShape([2, 3]), tf.int32, (2,)),
    ],
)  # fmt: skip
def test_the_dtype_that_a_value_takes_by_itself(value: object, dtype: tf.DType, shape: tuple) -> None:
    tensor = convert(value)
    assert tensor.dtype is dtype
    assert tensor.shape == shape


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([np.float32(1), np.float64(2)], tf.float32), ([np.float16(1), 2], tf.float16), ([np.float64(1), 2.0], tf.float64),
        ([np.int64(1), 2], tf.int32), ([np.uint8(1)], tf.int32), ([np.int64(2**40)], tf.int64), ([1, np.float64(2)], tf.float32),
        ([np.arange(2), np.arange(2)], tf.int32), ([np.array([1.0]), [2.0]], tf.float64), ([np.bool_(True)], tf.bool),
    ],
)  # fmt: skip
def test_a_list_is_of_the_dtype_of_its_first_element(value: object, dtype: tf.DType) -> None:
    assert tf.constant(value).dtype is dtype


@pytest.mark.parametrize(
    ("ask", "dtype", "value"),
    [
        (lambda: tf.constant(1) + True, tf.int32, 2), (lambda: tf.constant(1.5) + np.bool_(True), tf.float32, 2.5),
        (lambda: tf.constant(1) + np.int64(2), tf.int32, 3), (lambda: tf.constant(1.0) + np.int64(2), tf.float32, 3),
        (lambda: tf.constant(1, tf.complex64) * 2j, tf.complex64, 2j), (lambda: tf.add(1.5, 2), tf.float32, 3.5),
        (lambda: tf.add(np.float64(1), 2), tf.float64, 3), (lambda: tf.where(True, 1.0, 2), tf.float32, 1),
        (lambda: tf.stack([1.0, 2])[1], tf.float32, 2), (lambda: tf.concat([[1.0], [2]], 0)[1], tf.float32, 2),
        (lambda: tf.linspace(0, 1, 3)[1], tf.float64, 0.5), (lambda: tf.constant(1, tf.bfloat16) + 1.5, tf.bfloat16, 2.5),
    ],
)  # fmt: skip
def test_numbers_follow_what_they_meet(ask, dtype: tf.DType, value: object) -> None:
    found = ask()
    assert (found.dtype, found.numpy()) == (dtype, value)


@pytest.mark.parametrize(
    ("ask", "kind", "text"),
    [
        (lambda: tf.constant(1) + np.float32(1), tf.errors.InvalidArgumentError, "add: cannot mix int32 and float32"),
        (lambda: tf.constant(1) + np.array([True]), tf.errors.InvalidArgumentError, "add: cannot mix int32 and bool"),
        (lambda: tf.constant(1) + np.int64(2**40), ValueError, "does not fit"),
        (lambda: tf.add(1, 2.5), TypeError, "Cannot convert 2.5 to a tensor of dtype int32"),
        (lambda: tf.constant([tf.constant(1), tf.constant(2.0)]), tf.errors.InvalidArgumentError,
         "convert_to_tensor: cannot mix int32 and float32"),
        (lambda: tf.constant(1, tf.bool), TypeError, "Cannot convert 1 to a tensor of dtype bool; use tf.cast."),
        (lambda: tf.ones([2], tf.string), TypeError, "ones: there is no string that is 1"),
    ],
)  # fmt: skip
def test_nothing_is_mixed_silently(ask, kind: type, text: str) -> None:
    with pytest.raises(kind) as caught:
        ask()
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "product", [tf.matmul, lambda a, b: tf.einsum("ij,jk->ik", a, b), lambda a, b: tf.tensordot(a, b, 1)]
)
def test_products_in_bfloat16_stay_in_it(product) -> None:
    a = tf.cast(tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.bfloat16)
    for found in (product(a, a), tf.function(product)(a, a)):
        assert found.dtype is tf.bfloat16
        assert found.numpy().astype("float32").tolist() == [[7, 10], [15, 22]]


def test_strings_are_bytes_in_utf8() -> None:
    assert tf.constant("é").numpy() == "é".encode()
    assert tf.constant(["a", b"\xff"]).numpy().tolist() == [b"a", b"\xff"]


def test_arrays_of_objects_hold_strings_only() -> None:
    assert tf.constant(np.array(["a", "é", b"b"], object)).numpy().tolist() == [b"a", "é".encode(), b"b"]
    for value, text in (
        (["a", 3], "mixes strings with other values to a Tensor: 3 (int) stands among strings. Write all as strings"),
        ([["a"], [1.5]], "mixes strings with other values to a Tensor: 1.5 (float)"),
        (np.array([b"a", None], object), "mixes strings with other values to a Tensor: None (NoneType)"),
        (np.array([1, 2], object), "an array of dtype object that holds numbers to a Tensor: use array.astype("),
        ([1, None], "Attempt to convert a value (None) with an unsupported type (NoneType) to a Tensor."),
        ([1, {}], "Attempt to convert a value ({}) with an unsupported type (dict) to a Tensor."),
        ([2**70], "Cannot convert 1180591620717411303424 to a Tensor: it does not fit 64 bits."),
        (2**70, "Cannot convert 1180591620717411303424 to a Tensor: it does not fit 64 bits."),
    ):
        with pytest.raises(ValueError) as caught:
            tf.constant(value)
        assert text in str(caught.value)


def test_an_imaginary_part_is_not_lost() -> None:
    with pytest.raises(TypeError, match=r"^Cannot convert .1\+2j. to a tensor of dtype float32: it would lose its"):
        tf.constant(1 + 2j, tf.float32)


def test_a_tensor_is_given_back_as_it_is() -> None:
    tensor = tf.constant([1.0])
    assert convert(tensor) is tensor
    with pytest.raises(
        ValueError, match=r"^Tensor conversion requested dtype int32 for Tensor with dtype float32: <tf"
    ):
        convert(tensor, "int32")


def test_a_tensor_does_not_follow_later_changes_of_its_array() -> None:
    array = np.ones(3)
    tensor = tf.constant(array)
    array[0] = 9
    assert tensor.numpy().tolist() == [1, 1, 1]
    handed_out = tensor.numpy()
    handed_out[1] = 9
    assert tensor.numpy().tolist() == [1, 1, 1]


def test_numbers_follow_the_tensor_they_meet() -> None:
    assert (tf.constant([1.0], tf.float64) + 1).dtype is tf.float64
    assert (tf.constant([1], tf.int8) + 1).dtype is tf.int8
    assert (1 - tf.constant([1.0], tf.float16)).dtype is tf.float16
    assert (tf.constant([1.0]) * [2, 3]).dtype is tf.float32
    assert (tf.constant([1.0]) + np.ones(1)).dtype is tf.float32
    assert (np.ones(1) + tf.constant([1.0])).dtype is tf.float32
    assert tf.add(np.ones(1), tf.constant([1.0])).dtype is tf.float32


def test_a_number_that_would_lose_its_fraction_is_refused() -> None:
    with pytest.raises(TypeError) as caught:
        tf.constant(2) + 1.5
    assert str(caught.value) == (
        "Cannot convert 1.5 to a tensor of dtype int32: it would lose its fraction. "
        "Cast the other tensor: tf.cast(x, tf.float32)."
    )
    with pytest.raises(TypeError, match=r"^Cannot convert \[1\.5\] to a tensor of dtype int32; use tf\.cast\.$"):
        tf.constant([1.5], tf.int32)


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^Cannot convert 300 to a tensor of dtype uint8: it does not fit\.$"):
        tf.constant(300, tf.uint8)


@pytest.mark.parametrize("value", [[True, 1], [[True], [1.5]], [False, np.int32(2)]])
def test_booleans_among_numbers_need_a_dtype(value: list) -> None:
    with pytest.raises(ValueError, match=r"^Cannot convert a sequence that mixes booleans with numbers"):
        tf.constant(value)
    assert tf.constant(value, tf.float32).dtype == tf.float32


@pytest.mark.parametrize("value", [1e40, -3.5e38, [1.0, 1e39], [[float("inf"), -1e39]]])
def test_a_float_beyond_float32_is_refused_where_no_wider_dtype_is_asked(value: object) -> None:
    with pytest.raises(ValueError, match=r"is more than float32 holds, which Python's floats become"):
        tf.constant(value)
    assert np.isfinite(tf.constant(value, tf.float64).numpy()).any()
    # what is rounded to the greatest of them fits
    assert tf.constant([3.4028235e38, float("inf"), float("nan")]).numpy()[0] == np.finfo("float32").max


def test_strings_and_numbers_do_not_become_each_other() -> None:
    with pytest.raises(TypeError) as caught:
        tf.constant("1", tf.int32)
    assert str(caught.value) == (
        "Cannot convert '1' to a tensor of dtype int32; "
        "tf.strings.as_string and tf.strings.to_number convert between numbers and strings."
    )


def test_rows_of_different_length_are_refused_with_a_way_out() -> None:
    told = r"^Can't convert non-rectangular Python sequence to Tensor: \[\[1\], \[2, 3\]\]"
    with pytest.raises(ValueError, match=told) as caught:
        tf.constant([[1], [2, 3]])
    assert str(caught.value).endswith("Rows of different length make a tf.ragged.constant.")


def test_none_and_foreign_objects_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^Attempt to convert a value \(None\) with an unsupported type \(NoneType\)"):
        tf.constant(None)
    with pytest.raises(ValueError, match="with an unsupported type"):
        tf.constant(object())


def test_a_partly_known_shape_is_refused() -> None:
    with pytest.raises(ValueError) as caught:
        convert(tf.TensorShape([None, 3]))
    assert str(caught.value) == (
        "Cannot convert the partly known shape (None, 3) to a Tensor; use tf.shape(x) for the sizes at run time."
    )


def test_lists_of_tensors_are_stacked() -> None:
    a = tf.constant([1.0, 2.0])
    assert tf.convert_to_tensor([a, [3, 4]]).numpy().tolist() == [[1, 2], [3, 4]]
    assert tf.convert_to_tensor([tf.Variable(1.0), 2]).dtype is tf.float32
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^convert_to_tensor: the parts differ in shape"):
        tf.convert_to_tensor([a, tf.constant([1.0])])


def test_a_hint_is_taken_where_it_loses_nothing() -> None:
    assert tf.convert_to_tensor(1, dtype_hint=tf.float32).dtype is tf.float32
    assert tf.convert_to_tensor(1.5, dtype_hint=tf.int32).dtype is tf.float32
    assert tf.convert_to_tensor(tf.constant(1), dtype_hint=tf.float32).dtype is tf.int32


@pytest.mark.parametrize("stack", [tf.stack, tf.convert_to_tensor, tf.constant, lambda v: tf.reshape(v, [4])])
def test_a_tape_hears_how_nested_lists_become_one_tensor(stack) -> None:
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = stack([[x, 1.0], [2.0, x * x]])
        target = tf.reduce_sum(y**2)
    assert tape.gradient(target, x).numpy() == 2 * 3.0 + 4 * 3.0**3
    with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as tangents:
        y = stack([[x, 1.0], [2.0, x * x]])
    np.testing.assert_array_equal(tf.reshape(tangents.jvp(y), [4]), [1.0, 0.0, 0.0, 6.0])
