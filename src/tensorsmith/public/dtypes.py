"""The public namespace `tf.dtypes`."""

from tensorsmith.core.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    resource,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    variant,
)
from tensorsmith.core.dtypes import bool_ as bool
from tensorsmith.ops.casting import cast, saturate_cast
from tensorsmith.ops.complex_numbers import complex_ as complex

__all__ = [
    "DType", "as_dtype", "bfloat16", "bool", "cast", "complex", "complex128", "complex64", "double", "float16",
    "float32", "float64", "half", "int16", "int32", "int64", "int8", "resource", "saturate_cast", "string", "uint16",
    "uint32", "uint64", "uint8", "variant",
]  # fmt: skip
