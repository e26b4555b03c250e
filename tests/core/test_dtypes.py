"""Dtypes: what they equal, their limits, what they are made of."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core import dtypes

NAMES = "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128".split()


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_equals_its_name_its_numpy_dtype_and_its_scalar_class(name: str) -> None:
    dtype = dtypes.as_dtype(name)
    numpy_dtype = np.dtype(name)
    assert dtype == name == dtype.name
    assert dtype == numpy_dtype
    assert dtype == numpy_dtype.type == dtype.as_numpy_dtype
    assert not dtype != name  # noqa: SIM202
    assert np.dtype(dtype) == numpy_dtype
    assert dtype.size == numpy_dtype.itemsize
    assert hash(dtype) == hash(dtypes.as_dtype(numpy_dtype))
    assert dtypes.as_dtype(numpy_dtype.newbyteorder(">")) is dtype


def test_dtypes_differ_from_each_other_and_from_what_is_no_dtype() -> None:
    assert tf.float32 != tf.float64
    assert tf.int32 != "float32"
    assert tf.float32 != None  # noqa: E711
    assert tf.float32 != 32
    assert tf.float32 != "no such dtype"


def test_what_is_printed_of_a_dtype() -> None:
    assert repr(tf.float32) == "tf.float32"
    assert str(tf.int64) == "<dtype: 'int64'>"
    assert repr(tf.bool) == "tf.bool"
    assert repr(tf.string) == "tf.string"


def test_limits_of_dtypes() -> None:
    assert (tf.int8.min, tf.int8.max) == (-128, 127)
    assert (tf.uint64.min, tf.uint64.max) == (0, 2**64 - 1)
    assert tf.float32.max == np.finfo("float32").max
    assert float(tf.bfloat16.max) == (2 - 2.0**-7) * 2.0**127
    with pytest.raises(TypeError, match=r"^Cannot find the minimum value of tf\.bool\.$"):
        tf.bool.min
    with pytest.raises(TypeError, match=r"^Cannot find the maximum value of tf\.string\.$"):
        tf.string.max


def test_limits_of_intensities() -> None:
    assert tf.float32.limits == tf.float64.limits == (0, 1)
    for dtype in (tf.int8, tf.uint8, tf.int16, tf.uint16, tf.int32, tf.uint32, tf.int64, tf.uint64):
        assert dtype.limits == (0, np.iinfo(dtype.as_numpy_dtype).max)
    assert tf.bool.limits == (0, True)
    for dtype in (tf.float16, tf.bfloat16, tf.complex64, tf.string):
        with pytest.raises(ValueError, match=r"has no limits of intensity"):
            dtype.limits


def test_the_numbers_of_dtypes_stand_for_them() -> None:
    for name in (*NAMES, "bfloat16", "string", "resource", "variant"):
        dtype = dtypes.as_dtype(name)
        assert dtypes.as_dtype(dtype.as_datatype_enum) is dtype
    assert tf.float32 == 1
    with pytest.raises(TypeError, match="Cannot convert 99"):
        dtypes.as_dtype(99)
    with pytest.raises(TypeError, match="Cannot convert None"):
        dtypes.as_dtype(None)


def test_no_dtype_is_a_kind_of_another() -> None:
    assert tf.int32.is_subtype_of("int32")
    assert not tf.int32.is_subtype_of(tf.int64)
    assert tf.int32.most_specific_common_supertype([tf.int32, "int32"]) is tf.int32
    assert tf.int32.most_specific_common_supertype([tf.int64]) is None
    assert (tf.string.size, tf.float16.size) == (0, 2)
    assert tf.string.is_numpy_compatible
    assert not tf.resource.is_numpy_compatible
    assert not tf.int8.is_quantized


def test_kinds_of_dtypes() -> None:
    assert tf.bfloat16.is_floating
    assert tf.uint8.is_integer
    assert tf.uint8.is_unsigned
    assert not tf.int8.is_unsigned
    assert tf.complex64.is_complex
    assert tf.complex64.real_dtype is tf.float32
    assert not tf.bool.is_numeric
    assert not tf.string.is_numeric


def test_python_types_and_strings_stand_for_dtypes() -> None:
    assert dtypes.as_dtype(float) is tf.float32
    assert dtypes.as_dtype(int) is tf.int32
    assert dtypes.as_dtype(bool) is tf.bool
    assert dtypes.as_dtype(str) is tf.string
    assert dtypes.as_dtype(np.array(["ab"]).dtype) is tf.string


def test_an_unknown_dtype_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TypeError) as caught:
        dtypes.as_dtype("float12")
    assert str(caught.value) == (
        f"Cannot convert 'float12' to a tf.DType; known are {', '.join(NAMES)}, bfloat16, string."
    )


def test_a_dtype_survives_pickling_as_the_same_object() -> None:
    assert pickle.loads(pickle.dumps(tf.float16)) is tf.float16
