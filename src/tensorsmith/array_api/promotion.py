"""Which dtype values of several dtypes meet in, and how anything becomes one of the tensors that meet.

Dtypes of one kind (booleans; integers; floats and complex numbers) meet in the narrowest dtype that holds both. The
standard leaves open what dtypes of two kinds do: here they are refused, as everywhere in this library.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.array_api.array import Array
from tensorsmith.core import dtypes, ports
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import explain
from tensorsmith.ops.casting import cast
from tensorsmith.ops.keras_math import common_dtype
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

COMPLEX_OF = {dtypes.float32: dtypes.complex64, dtypes.float64: dtypes.complex128}
REAL_OF = {complex_: real for real, complex_ in COMPLEX_OF.items()}


def kind_of(dtype: DType) -> str:
    """ "bool", "integer" or "floating" (complex numbers too): dtypes of one kind can meet."""
    if dtype.is_bool:
        return "bool"
    return "integer" if dtype.is_integer else "floating"


def tensor_of(x: Any, who: str) -> Tensor:
    """The tensor of an array; TypeError for a Python number or list, which are none."""
    if type(x) is Array:
        return x._tensor
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (np.ndarray, np.generic)) or hasattr(x, "_read") or ports.converter_of(x) is not None:
        return convert(x)
    raise TypeError(
        explain(who, f"{type(x).__name__} is not an array", {"given": repr(x)}, way_out="Make one: xp.asarray(...).")
    )


def is_scalar(x: Any) -> bool:
    """True for Python's own numbers, and NumPy's, which count as such: they follow the dtype of what they meet."""
    return isinstance(x, (bool, int, float, complex, np.generic))


def meet(who: str, *given: DType) -> DType:
    """The dtype in which dtypes meet; TypeError where the standard has none."""
    kinds = {kind_of(dtype) for dtype in given}
    if len(kinds) == 1:
        found = given[0]
        for other in given[1:]:
            found = found if other is found else _wider(found, other)
        if kind_of(found) in kinds:
            return found
    names = {dtype.name: None for dtype in given}
    raise TypeError(
        explain(
            who,
            f"{' and '.join(names)} do not meet in one dtype",
            rule="dtypes of one kind do (integers, but uint64 with signed ones; floats and complex numbers)",
            way_out="Convert one: xp.astype(x, dtype).",
        )
    )


def _wider(a: DType, b: DType) -> DType:
    """The narrowest dtype that holds values of two; keras.ops' rule would put float64 and complex64 in complex64."""
    if dtypes.bfloat16 in (a, b):
        return common_dtype(a, b)
    return dtypes.as_dtype(np.promote_types(a.numpy_dtype, b.numpy_dtype))


def meet_scalar(who: str, dtype: DType, number: Any) -> DType:
    """The dtype of an operation on an array of `dtype` and a Python number; TypeError where it is of a wider kind."""
    if isinstance(number, np.generic):
        number = number.item()
    if isinstance(number, bool):
        fits = dtype.is_bool
    elif isinstance(number, int):
        fits = dtype.is_numeric
    elif isinstance(number, float):
        fits = dtype.is_floating or dtype.is_complex
    else:
        fits = dtype.is_complex or dtype in COMPLEX_OF
        dtype = COMPLEX_OF.get(dtype, dtype)
    if not fits:
        raise TypeError(
            explain(
                who,
                f"{number!r} does not fit an array of {dtype.name}",
                rule="a Python number takes the dtype of the array that it meets",
                way_out="Convert the array: xp.astype(x, dtype).",
            )
        )
    return dtype


def number_tensor(who: str, number: Any, dtype: DType) -> Tensor:
    """A Python number as a tensor of a dtype; OverflowError for an integer that the dtype does not hold."""
    if dtype.is_integer and not dtype.min <= number <= dtype.max:
        raise OverflowError(explain(who, f"{number} is beyond {dtype.name}", {"limits": (dtype.min, dtype.max)}))
    return Tensor(np.asarray(number, dtype.numpy_dtype))


def together(who: str, *given: Any) -> list[Tensor]:
    """Arrays and Python numbers as tensors of the dtype in which they meet; at least one must be an array."""
    first = given[0]
    if type(first) is Array and len(given) == 2 and type(given[1]) is Array:
        # the commonest case, before all that could be otherwise
        a, b = first._tensor, given[1]._tensor
        if a.dtype is b.dtype:
            return [a, b]
    tensors = [None if is_scalar(x) else tensor_of(x, who) for x in given]
    arrays = [t.dtype for t in tensors if t is not None]
    if not arrays:
        raise TypeError(explain(who, "at least one argument must be an array", {"given": given}))
    dtype = meet(who, *arrays)
    for x, tensor in zip(given, tensors):
        if tensor is None:
            dtype = meet_scalar(who, dtype, x)
    return [number_tensor(who, x, dtype) if t is None else cast(t, dtype) for x, t in zip(given, tensors)]
