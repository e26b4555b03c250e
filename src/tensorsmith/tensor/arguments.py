"""What an operation is handed, as tensors of dtypes that fit it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import ports
from tensorsmith.program.op import Op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.refusals import check_dtypes
from tensorsmith.tensor.tensor import Symbol, Tensor

_new = object.__new__


def plain_tensors(op: Op, arguments: Any) -> list[Tensor] | None:
    """Tensors, variables and Python numbers that fit the operation as they are; None where there is more to decide.

    Nearly every call under a tape is of this kind, and the whole of `converted` costs three times the arithmetic.
    """
    tensors: list[Any] = []
    dtype: Any = None
    numbers = False
    for value, shared in zip(arguments, op.shared):
        kind = type(value)
        if kind is float or kind is int:
            numbers = True
            tensors.append(value)
            continue
        if kind is not Tensor:
            if not hasattr(kind, "_read"):
                return None
            value = value._read()
            if type(value) is not Tensor:
                return None
        tensors.append(value)
        if shared:
            own = value._array.dtype
            if dtype is None:
                dtype = own
            elif own is not dtype:
                return None
    if dtype is None or dtype.kind not in op.kinds:
        return None
    if numbers:
        if dtype.kind != "f":
            return None
        for at, value in enumerate(tensors):
            if type(value) is not Tensor:
                if not op.shared[at]:
                    return None
                tensors[at] = number = _new(Tensor)
                number._array = dtype.type(value)
    return tensors


def lifter_of(arguments: Any) -> Any:
    """What runs operations on the first structure (a ragged or sparse tensor) among arguments; None where there is none."""
    for argument in arguments:
        if isinstance(argument, (list, tuple)):
            found = lifter_of(argument)
        else:
            found = ports.lifters.get(type(argument))
        if found is not None:
            return found
    return None


def converted(op: Op, arguments: Any) -> list[Any]:
    """All arguments as tensors: Python numbers follow the dtype of the others. Raises DtypeError where dtypes do not go
    together."""
    values = list(arguments)
    shared = [op.same is True or (bool(op.same) and name in op.same) for name in op.arrays]  # type: ignore[operator]
    like = _common_dtype([value for value, is_shared in zip(values, shared) if is_shared])
    if like is None and len(values) > 1:
        # nothing but Python values: the first of them decides
        first = next((at for at, value in enumerate(values) if shared[at] and value is not None), None)
        if first is not None and op.arrays[first] not in op.lists:
            values[first] = convert(values[first])
            like = values[first].dtype.numpy_dtype
    for at, value in enumerate(values):
        if isinstance(value, Tensor) and op.arrays[at] not in op.lists:
            continue
        follow = like if shared[at] else None
        if op.arrays[at] in op.lists:
            parts = value if isinstance(value, (list, tuple)) else list(convert(value))
            if follow is None and shared[at] and parts:
                follow = convert(parts[0]).dtype.numpy_dtype
            values[at] = [part if isinstance(part, Tensor) else convert(part, None, follow) for part in parts]
        elif value is not None or op.arrays[at] not in op.optional:
            values[at] = convert(value, None, follow)
    check_dtypes(op, values, shared)
    return values


def _common_dtype(values: list[Any]) -> np.dtype | None:
    """The dtype that Python numbers follow: of a tensor or variable before all, then of an array."""
    of_array: np.dtype | None = None
    for value in values:
        if isinstance(value, (list, tuple)):
            found = _common_dtype(value)  # type: ignore[arg-type]
            if found is not None:
                return found
        elif isinstance(value, Tensor) or hasattr(value, "_read"):
            return value.dtype.numpy_dtype
        elif of_array is None and isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind not in "SU":
            of_array = value.dtype
    return of_array


def first_symbol(tensors: list[Any]) -> Symbol | None:
    """The first symbol among tensors and lists of them."""
    for tensor in tensors:
        if type(tensor) is list:
            found = first_symbol(tensor)
            if found is not None:
                return found
        elif isinstance(tensor, Symbol):
            return tensor
    return None
