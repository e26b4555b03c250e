"""Turns anything into a Tensor; decides the dtype of Python numbers, alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import context, dtypes, ports
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import DtypeError, InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.tensor.tensor import Symbol, Tensor

_FLOAT32, _INT32, _INT64, _OBJECT = np.dtype("float32"), np.dtype("int32"), np.dtype("int64"), np.dtype(object)
# half a unit above the greatest float32: from here on numbers are rounded to infinity
_BEYOND = float(np.finfo(np.float32).max) + 2.0**103


def convert(value: Any, dtype: Any = None, like: np.dtype | None = None) -> Tensor:
    """The Tensor of a value.

    value  a Tensor (given back as it is), Variable, array, number, string, or nested lists of these.
    dtype  the dtype that it must have: a Tensor of another one is refused, all else is converted
           unless that would lose a fraction.
    like   the NumPy dtype of the tensor that it will be combined with: Python numbers, NumPy's scalars, and
           arrays of the same kind, follow it where nothing is lost.

    Python floats become float32, ints int32 (int64 where they do not fit), arrays keep their dtype. A list is of
    the dtype of its first element, NumPy integers in it counting as Python's.
    Raises TypeError or ValueError, naming the value.
    """
    if isinstance(value, Tensor):
        if dtype is not None and value.dtype != dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {dtypes.as_dtype(dtype).name} for Tensor with dtype "
                f"{value.dtype.name}: {value!r}"
            )
        return value
    if type(value) is np.ndarray and dtype is None and value.dtype.kind in "fiub" and like in (None, value.dtype):
        # a batch that a loop hands to a loss; a caller's own array may change after this call, a tensor never does
        return Tensor(value.copy())
    read = getattr(value, "_read", None)
    if read is not None:
        return convert(read(), dtype)
    convert_kind = ports.converter_of(value)
    if convert_kind is not None:
        return convert_kind(value, dtype)
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(value, (list, tuple)) and not isinstance(value, TensorShape) and _holds_tensors(value):
        return _stacked(value, wanted, like)
    made = Tensor(to_array(value, wanted, like))
    if context.local.graph is not None:
        context.local.graph.literals.add(id(made))
    return made


def to_array(value: Any, dtype: DType | None = None, like: np.dtype | None = None) -> np.ndarray:
    """The array of a value that holds no tensors; see `convert`."""
    array: Any
    if isinstance(value, (np.ndarray, np.generic)):
        array, natural = value, None
        if array.dtype.kind in "SUO":
            array = _strings(array)
    else:
        if isinstance(value, TensorShape) or (isinstance(value, tuple) and None in value):
            _refuse_unknown(value)
        array, natural = _from_python(value)
    target = None if dtype is None else dtype.numpy_dtype
    if target is None and like is not None:
        target = like if _follows(array.dtype, like, natural is not None, value) else None
    if target is None:
        target = natural
        if natural is not None:
            _check_natural(value, array, natural)
    if target is None or array.dtype == target:
        # a caller's own array may change after this call; a tensor never does
        return array.copy() if array is value and isinstance(array, np.ndarray) else array
    _check_cast(value, array, target, natural is not None)
    return array.astype(target)


def _from_python(value: Any) -> tuple[np.ndarray, np.dtype | None]:
    """The array of a Python value, and the dtype that it takes by itself (None: the array's own)."""
    kind = type(value)
    if kind is float:
        return np.array(value), _FLOAT32
    if kind is bool:
        return np.array(value), np.dtype(bool)
    if kind is int:
        if -(2**31) <= value < 2**31:
            return np.array(value), _INT32
        array = np.array(value)
        if array.dtype == object:
            raise ValueError(_why_no_strings([value]))
        return array, _INT64
    if kind is str or kind is bytes:
        return _strings(np.array(value, _OBJECT)), None
    if value is None:
        raise ValueError("Attempt to convert a value (None) with an unsupported type (NoneType) to a Tensor.")
    try:
        array = np.asarray(value)
        if not isinstance(value, (list, tuple)):
            # a column, another library's array or a buffer may change later
            array = array.copy()
    except UnicodeDecodeError:
        # text beside bytes that are no ASCII: NumPy would make one array of text
        return _strings(np.array(value, _OBJECT)), None
    except ValueError as error:
        raise ValueError(
            f"Can't convert non-rectangular Python sequence to Tensor: {_short(value)} ({error}). "
            "Rows of different length make a tf.ragged.constant."
        ) from None
    if array.dtype.kind in "SU":
        return _strings(np.array(value, _OBJECT)), None
    if array.dtype == object:
        return _strings(array), None
    if isinstance(value, range):
        return array, _INT32 if not len(value) or max(abs(value[0]), abs(value[-1])) < 2**31 else _INT64
    if isinstance(value, (list, tuple)):
        leaf = _first(value)
        if array.dtype.kind == "f" and (not array.size or type(leaf) in (float, int, bool)):
            return array, _FLOAT32
        if array.dtype.kind == "f" and isinstance(leaf, (np.floating, np.ndarray)) and leaf.dtype.kind == "f":
            return array, leaf.dtype
        if array.dtype.kind in "iu" and isinstance(leaf, (int, np.integer, np.ndarray)):
            fits = not array.size or (array.min() >= -(2**31) and array.max() < 2**31)
            return array, _INT32 if fits else _INT64
        if not array.size and array.dtype.kind == "f":
            return array, _FLOAT32
    return array, None


def _first(value: Any) -> Any:
    while isinstance(value, (list, tuple)):
        if not len(value):
            return 0.0
        value = value[0]
    return value


def _strings(array: np.ndarray) -> np.ndarray:
    """An object array of bytes: str is encoded as UTF-8.

    Raises ValueError where an element is neither.
    """
    out = np.empty(array.shape, _OBJECT)
    items = np.asarray(array, _OBJECT).ravel()
    if not all(isinstance(item, (str, bytes)) for item in items):
        raise ValueError(_why_no_strings(items))
    flat = [item.encode() if isinstance(item, str) else bytes(item) for item in items]
    out.reshape(-1)[:] = flat if flat else []
    return out


def _why_no_strings(items: Any) -> str:
    """What is wrong with elements that are not all strings."""
    odd = [item for item in items if not isinstance(item, (str, bytes))]
    if len(odd) < len(items):
        return (
            f"Cannot convert a sequence that mixes strings with other values to a Tensor: {_short(odd[0])} "
            f"({type(odd[0]).__name__}) stands among strings. Write all as strings, or all as numbers."
        )
    unknown = [item for item in odd if not isinstance(item, (int, float, complex, np.number, np.bool_))]
    if unknown:
        kind = type(unknown[0]).__name__
        return f"Attempt to convert a value ({_short(unknown[0])}) with an unsupported type ({kind}) to a Tensor."
    large = [item for item in odd if isinstance(item, int) and not -(2**63) <= item < 2**64]
    if large:
        return f"Cannot convert {_short(large[0])} to a Tensor: it does not fit 64 bits."
    return "Cannot convert an array of dtype object that holds numbers to a Tensor: use array.astype('float32')."


def _follows(own: np.dtype, like: np.dtype, python: bool, value: Any) -> bool:
    """Whether a value takes the dtype of the tensor it meets: Python numbers do, arrays do within a kind."""
    if own == like:
        return True
    if own.kind == "b" and like.kind in "fiucV":
        # True is 1 to Python; an array of booleans is a mask, and mixing it with numbers a mistake
        return python and not isinstance(value, (list, tuple)) or isinstance(value, np.generic)
    if like.kind == "c":
        return own.kind in "fiuc"
    if like.kind in "fV":
        return own.kind in "fiu"
    if like.kind in "iu":
        if own.kind == "f" and python and not _is_empty(value):
            raise DtypeError(
                f"Cannot convert {_short(value)} to a tensor of dtype {like.name}: it would lose its fraction. "
                f"Cast the other tensor: tf.cast(x, tf.float32)."
            )
        return own.kind in "iu" or python and _is_empty(value)
    return python and _is_empty(value)


def _is_empty(value: Any) -> bool:
    """True for nested lists without any number, which have no dtype of their own."""
    return isinstance(value, (list, tuple)) and all(map(_is_empty, value))


def _check_natural(value: Any, array: np.ndarray, natural: np.dtype) -> None:
    """Refuses Python numbers that mean no one dtype, or more than the dtype that they take by themselves holds."""
    if array.dtype.kind in "iuf" and isinstance(value, (list, tuple)) and isinstance(_first(value), (bool, np.bool_)):
        raise ValueError(
            f"Cannot convert a sequence that mixes booleans with numbers to a Tensor: {_short(value)}. Give its dtype, "
            "as in tf.constant(values, tf.float32), where True is to count as 1."
        )
    if natural == _FLOAT32 and array.dtype == np.float64 and array.size:
        largest = np.abs(array).max(initial=0.0, where=np.isfinite(array)) if array.ndim else abs(array.item())
        if _BEYOND <= largest < np.inf:
            raise ValueError(
                f"Cannot convert {_short(value)} to a Tensor: {largest:g} is more than float32 holds, which Python's "
                "floats become. Give a wider dtype, as in tf.constant(value, tf.float64)."
            )


def _check_cast(value: Any, array: np.ndarray, target: np.dtype, python: bool) -> None:
    """Refuses a conversion that would lose what the user wrote."""
    wrong = "f" if target.kind in "iu" else "fiu" if target.kind == "b" else ""
    if array.dtype.kind in wrong and python and array.size:
        raise DtypeError(f"Cannot convert {_short(value)} to a tensor of dtype {target.name}; use tf.cast.")
    if array.dtype.kind == "c" and target.kind in "fiub" and array.size:
        raise DtypeError(
            f"Cannot convert {_short(value)} to a tensor of dtype {dtypes.as_dtype(target).name}: it would lose its "
            "imaginary part; use tf.math.real."
        )
    if (target == object) != (array.dtype == object) and not (python and not array.size):
        raise DtypeError(
            f"Cannot convert {_short(value)} to a tensor of dtype {dtypes.as_dtype(target).name}; "
            "tf.strings.as_string and tf.strings.to_number convert between numbers and strings."
        )
    if target.kind in "iu" and array.dtype.kind in "iu" and array.size and (python or isinstance(value, np.generic)):
        limits = np.iinfo(target)
        if array.min() < limits.min or array.max() > limits.max:
            raise DtypeError(f"Cannot convert {_short(value)} to a tensor of dtype {target.name}: it does not fit.")


def _refuse_unknown(value: Any) -> None:
    if None in tuple(value):
        raise ValueError(
            f"Cannot convert the partly known shape {tuple(value)} to a Tensor; use tf.shape(x) for the sizes at run time."
        )


def _holds_tensors(value: Any) -> bool:
    return any(
        _holds_tensors(part) if isinstance(part, (list, tuple)) else isinstance(part, Tensor) or hasattr(part, "_read")
        for part in value
    )


def _stacked(value: Any, dtype: DType | None, like: np.dtype | None) -> Tensor:
    """A list with tensors among its parts: they are stacked, numbers following the tensors' dtype."""
    first = next((t for t in _tensors(value)), None)
    like = first.dtype.numpy_dtype if first is not None else like
    parts = [convert(part, dtype, like) for part in value]
    shapes = [part.shape for part in parts]
    if not all(shape.is_compatible_with(shapes[0]) for shape in shapes):
        raise InvalidArgumentError(
            explain("convert_to_tensor", "the parts differ in shape", {"shapes": [tuple(shape) for shape in shapes]})
        )
    kinds = [part.dtype for part in parts]
    if any(kind is not kinds[0] for kind in kinds):
        raise DtypeError(
            explain(
                "convert_to_tensor",
                f"cannot mix {' and '.join(dict.fromkeys(kind.name for kind in kinds))}",
                {"parts": [describe(part) for part in parts]},
                "tensors are never converted silently",
                "Cast them to one dtype with tf.cast.",
            )
        )
    if context.local.tapes or any(isinstance(part, Symbol) for part in parts):
        # a call like any other: who listens must hear how the whole came of its parts
        from tensorsmith.tensor.apply import functions

        return functions["stack"](parts)
    return Tensor(np.stack([np.asarray(part._array) for part in parts]))


def _tensors(value: Any) -> Any:
    for part in value:
        if isinstance(part, (list, tuple)):
            yield from _tensors(part)
        elif isinstance(part, Tensor):
            yield part
        elif hasattr(part, "_read"):
            yield part._read()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
