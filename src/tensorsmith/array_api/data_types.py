"""The standard's functions of dtypes: astype, can_cast, finfo, iinfo, isdtype, result_type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorsmith.array_api.array import Array, check_device
from tensorsmith.array_api.promotion import REAL_OF, is_scalar, meet, meet_scalar, tensor_of
from tensorsmith.core import dtypes
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import explain
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import not_equal

DEFAULT_INTEGER, DEFAULT_FLOAT, DEFAULT_COMPLEX = dtypes.int64, dtypes.float32, dtypes.complex64
INDEXING = dtypes.int64

_SIGNED = (dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64)
_UNSIGNED = (dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64)
_FLOATING, _COMPLEX = (dtypes.float32, dtypes.float64), (dtypes.complex64, dtypes.complex128)
KINDS: dict[str, tuple[DType, ...]] = {
    "bool": (dtypes.bool_,),
    "signed integer": _SIGNED,
    "unsigned integer": _UNSIGNED,
    "integral": _SIGNED + _UNSIGNED,
    "real floating": _FLOATING,
    "complex floating": _COMPLEX,
    "numeric": _SIGNED + _UNSIGNED + _FLOATING + _COMPLEX,
}


@dataclass(frozen=True)
class FloatInfo:
    """What finfo gives: bits of one element (of a part of a complex one), and what a float can be."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IntegerInfo:
    """What iinfo gives: bits of one element, the lowest and the highest value."""

    bits: int
    max: int
    min: int
    dtype: DType


def dtype_of(given: Any, who: str) -> DType:
    """The dtype of an array or dtype."""
    return (
        given if type(given) is DType else tensor_of(given, who).dtype if _is_array(given) else dtypes.as_dtype(given)
    )


def _is_array(given: Any) -> bool:
    return hasattr(given, "dtype") and hasattr(given, "shape")


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Array:
    """The elements converted to `dtype`; floats lose their fraction, all but 0 is True.

    copy=False may give x itself. TypeError for complex numbers that would become real ones: take xp.real(x).
    """
    check_device(device, "astype")
    tensor, wanted = tensor_of(x, "astype"), dtypes.as_dtype(dtype)
    if tensor.dtype is wanted and not copy and type(x) is Array:
        return x
    if tensor.dtype.is_complex and not wanted.is_complex and not wanted.is_bool:
        raise TypeError(
            explain("astype", f"{tensor.dtype.name} has no value in {wanted.name}", way_out="Take xp.real(x) first.")
        )
    if tensor.dtype.is_complex and wanted.is_bool:
        return Array(not_equal(tensor, 0))
    return Array(cast(tensor, wanted))


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether values of one dtype (or of an array's) become another by type promotion.

    >>> import tensorsmith.array_api as xp
    >>> xp.can_cast(xp.int8, xp.int16), xp.can_cast(xp.int16, xp.int8), xp.can_cast(xp.int64, xp.float64)
    (True, False, False)
    """
    have, wanted = dtype_of(from_, "can_cast"), dtype_of(to, "can_cast")
    try:
        return meet("can_cast", have, wanted) is wanted
    except TypeError:
        return False


def finfo(type: Any, /) -> FloatInfo:
    """The limits of a floating dtype, or of an array's; those of its parts for complex numbers."""
    dtype = dtype_of(type, "finfo")
    dtype = REAL_OF.get(dtype, dtype)
    if not dtype.is_floating:
        raise ValueError(explain("finfo", f"{dtype.name} is no floating dtype"))
    if dtype is dtypes.bfloat16:
        import ml_dtypes

        limits: Any = ml_dtypes.finfo(dtype.numpy_dtype)
    else:
        limits = np.finfo(dtype.numpy_dtype)
    eps, highest, lowest, normal = (float(getattr(limits, name)) for name in ("eps", "max", "min", "smallest_normal"))
    return FloatInfo(int(limits.bits), eps, highest, lowest, normal, dtype)


def iinfo(type: Any, /) -> IntegerInfo:
    """The limits of an integer dtype, or of an array's."""
    dtype = dtype_of(type, "iinfo")
    if not dtype.is_integer:
        raise ValueError(explain("iinfo", f"{dtype.name} is no integer dtype"))
    return IntegerInfo(8 * dtype.size, dtype.max, dtype.min, dtype)


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind: a dtype, "integral" or another of the standard's names, or a tuple of these."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, each) for each in kind)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ValueError(explain("isdtype", f"there is no kind {kind!r}", {"kinds": list(KINDS)}))
        return dtype in KINDS[kind]
    return dtype == kind


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype that an operation on these arrays, dtypes and Python numbers has.

    Raises TypeError where they do not meet: an integer and a float dtype, or numbers alone.

    >>> import tensorsmith.array_api as xp
    >>> xp.result_type(xp.uint8, xp.int8, 1), xp.result_type(xp.asarray(1.0), 1j)
    (tf.int16, tf.complex64)
    """
    numbers = [given for given in arrays_and_dtypes if is_scalar(given)]
    others = [dtype_of(given, "result_type") for given in arrays_and_dtypes if not is_scalar(given)]
    if not others:
        raise TypeError(
            explain("result_type", "at least one array or dtype must be given", {"given": arrays_and_dtypes})
        )
    dtype = meet("result_type", *others)
    for number in numbers:
        dtype = meet_scalar("result_type", dtype, number)
    return dtype
