"""What a user is told of dtypes and shapes that an operation does not take."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import dtypes
from tensorsmith.core.errors import DtypeError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Op


def check_dtypes(op: Op, values: list[Any], shared: list[bool]) -> None:
    """DtypeError unless the values of the shared arguments are of one dtype, which the operation takes."""
    first: Any = None
    owner = ""
    for at, value in enumerate(values):
        for tensor in value if isinstance(value, list) else (value,):
            if tensor is None:
                continue
            dtype = tensor.dtype
            if not shared[at]:
                continue
            if first is None:
                first, owner = dtype, op.arrays[at]
                if dtype.numpy_dtype.kind not in op.kinds and not (dtype.numpy_dtype.kind == "V" and "f" in op.kinds):
                    raise DtypeError(
                        explain(
                            op.name,
                            f"it does not take {dtype.name}",
                            {op.arrays[at]: describe(tensor)},
                            f"it takes {_kind_names(op.kinds)}",
                            _conversion(op.arrays[at], dtype, dtypes.float32) if "f" in op.kinds else "",
                        )
                    )
            elif dtype is not first:
                names = [name for name, is_shared in zip(op.arrays, shared) if is_shared]
                given = {n: describe(v) for n, v in zip(op.arrays, values) if n in names}
                wider = _wider(first, dtype)
                narrow = op.arrays[at] if wider is first else owner
                raise DtypeError(
                    explain(
                        op.name,
                        f"cannot mix {first.name} and {dtype.name}",
                        given,
                        "tensors are never converted silently",
                        _conversion(narrow, dtype if wider is first else first, wider),
                    )
                )


def _conversion(name: str, have: dtypes.DType, wanted: dtypes.DType) -> str:
    """What to write to bring an argument to a dtype."""
    if "string" in (have.name, wanted.name):
        if wanted.is_numeric:
            return f"Convert: tf.strings.to_number({name}, tf.{wanted.name})."
        return "tf.strings.as_string and tf.strings.to_number convert between numbers and strings."
    return f"Convert: tf.cast({name}, tf.{wanted.name})."


def _wider(a: dtypes.DType, b: dtypes.DType) -> dtypes.DType:
    """The one of two dtypes that can hold the other's values best."""
    order = (
        "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 bfloat16 float32 float64 complex64 complex128"
    )
    ranks = order.split()
    return max((a, b), key=lambda d: ranks.index(d.name) if d.name in ranks else -1)


_KINDS = {
    "f": "floats",
    "i": "integers",
    "u": "unsigned integers",
    "b": "booleans",
    "c": "complex numbers",
    "O": "strings",
}


def _kind_names(kinds: str) -> str:
    return ", ".join(_KINDS[k] for k in kinds if k in _KINDS)


def refusal(op: Op, tensors: list[Any], settings: dict, error: Exception) -> str:
    """The text of an error that a kernel raised: whose call it was, and with what."""
    given = {
        name: describe(value)
        for name, value in zip(op.arrays, tensors)
        if value is not None and not (type(value) is list and not value)
    }
    given.update({name: value for name, value in settings.items() if value is not None})
    return explain(op.name, str(error).strip().rstrip("."), given)
