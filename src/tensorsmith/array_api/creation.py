"""The standard's functions that make arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.array_api.array import Array, check_device
from tensorsmith.array_api.data_types import DEFAULT_COMPLEX, DEFAULT_FLOAT, DEFAULT_INTEGER, KINDS, astype
from tensorsmith.array_api.promotion import meet, tensor_of
from tensorsmith.core import dtypes
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import explain
from tensorsmith.ops import creation, repeating
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import less_equal, where
from tensorsmith.ops.shaping import expand_dims, stack
from tensorsmith.ops.shaping import shape as shape_of
from tensorsmith.tensor import dlpack
from tensorsmith.tensor.tensor import Tensor


def _default(*numbers: Any) -> DType:
    """The dtype of Python numbers by themselves."""
    if any(isinstance(number, (complex, np.complexfloating)) for number in numbers):
        return DEFAULT_COMPLEX
    if any(isinstance(number, (float, np.floating)) for number in numbers):
        return DEFAULT_FLOAT
    if all(isinstance(number, (bool, np.bool_)) for number in numbers):
        return dtypes.bool_
    return DEFAULT_INTEGER


def _leaves(nested: Any) -> Any:
    if isinstance(nested, (list, tuple)):
        for part in nested:
            yield from _leaves(part)
    else:
        yield nested


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Array:
    """An array of a number, nested lists of numbers or arrays, a tensor, or another library's array.

    dtype  by default int64, float32, complex64 or bool for Python numbers; otherwise that of what is given.
    copy   False: ValueError where memory cannot be shared. An array's elements can be set without a change to what it
           was made of, so nothing is copied for True either where a tensor is given.

    >>> import tensorsmith.array_api as xp
    >>> xp.asarray([[1, 2], [3, 4]])
    Array([[1, 2],
           [3, 4]], dtype=int64)
    """
    check_device(device, "asarray")
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(obj, (bool, int, float, complex, list, tuple, range)) and not isinstance(obj, np.generic):
        if copy is False:
            raise ValueError(explain("asarray", "Python numbers are never shared", {"copy": copy}))
        return Array(_from_python(list(obj) if isinstance(obj, range) else obj, wanted))
    if not isinstance(obj, (Array, Tensor, np.ndarray, np.generic)) and hasattr(obj, "__dlpack__"):
        array = from_dlpack(obj, copy=copy)
    elif not isinstance(obj, (Array, Tensor, np.ndarray)) and (hasattr(obj, "__buffer__") or hasattr(obj, "__array__")):
        array = Array(Tensor(np.array(obj)))
    elif copy is False and isinstance(obj, np.ndarray):
        array = Array(Tensor(obj))
    else:
        array = Array(tensor_of(obj, "asarray"))
    if array.dtype not in _KNOWN:
        raise TypeError(explain("asarray", f"the standard has no arrays of {array.dtype.name}"))
    if wanted is None or array.dtype is wanted:
        return array
    if copy is False:
        raise ValueError(explain("asarray", f"{array.dtype.name} cannot be seen as {wanted.name} without a copy"))
    return astype(array, wanted)


_KNOWN = frozenset((*KINDS["bool"], *KINDS["numeric"], dtypes.float16, dtypes.bfloat16))


def _from_python(obj: Any, wanted: DType | None) -> Tensor:
    leaves = list(_leaves(obj))
    tensors = [leaf for leaf in leaves if isinstance(leaf, (Array, Tensor))]
    if tensors:
        dtype = wanted or meet("asarray", *(x.dtype for x in tensors))
        return _stacked(obj, dtype)
    if any(not isinstance(leaf, (bool, int, float, complex, np.generic, np.ndarray)) for leaf in leaves):
        raise TypeError(
            explain("asarray", "what is given holds something that is no number", {"given": repr(obj)[:60]})
        )
    if wanted is None:
        known = [leaf.dtype for leaf in leaves if isinstance(leaf, (np.ndarray, np.generic))]
        if known and len(known) == len(leaves):
            wanted = dtypes.as_dtype(np.result_type(*known))
        else:
            wanted = _default(*leaves) if leaves else DEFAULT_FLOAT
    if wanted.is_integer and any(isinstance(leaf, float) and math.isnan(leaf) for leaf in leaves):
        raise ValueError(explain("asarray", f"NaN has no value in {wanted.name}"))
    return Tensor(np.asarray(obj, wanted.numpy_dtype))


def _stacked(obj: Any, dtype: DType) -> Tensor:
    """Nested lists with arrays of shape () in them."""
    if isinstance(obj, (list, tuple)):
        return stack([_stacked(part, dtype) for part in obj])
    return cast(tensor_of(obj, "asarray"), dtype) if isinstance(obj, (Array, Tensor)) else creation.constant(obj, dtype)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """The array of another library's, which shares its memory unless copy=True."""
    check_device(device, "from_dlpack")
    tensor = x._tensor if type(x) is Array else dlpack.from_dlpack(x)
    return Array(Tensor(np.array(tensor._array)) if copy else tensor)


def arange(
    start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None
) -> Array:  # fmt: skip
    """Numbers from `start` (0 where it is the only one given) up to, but without, `stop`."""
    check_device(device, "arange")
    if stop is None:
        start, stop = 0, start
    wanted = _default(start, stop, step) if dtype is None else dtypes.as_dtype(dtype)
    if step == 0:
        raise ValueError(explain("arange", "the step is 0", {"start": start, "stop": stop}))
    size = max(math.ceil((stop - start) / step), 0)
    if wanted.is_integer:
        numbers = np.arange(start, stop, step)[:size]
    else:
        numbers = start + np.arange(size) * step
    return Array(Tensor(np.asarray(numbers).astype(wanted.numpy_dtype)))


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Array:  # fmt: skip
    """`num` numbers at equal distances from `start` to `stop`, which is left out for endpoint=False."""
    check_device(device, "linspace")
    wanted = max_float(_default(start, stop)) if dtype is None else dtypes.as_dtype(dtype)
    return Array(Tensor(np.linspace(start, stop, num, endpoint=endpoint).astype(wanted.numpy_dtype)))


def max_float(dtype: DType) -> DType:
    """A floating dtype as it is, the default one for integers."""
    return dtype if dtype.is_floating or dtype.is_complex else DEFAULT_FLOAT


def _sizes(shape: Any) -> Any:
    return (shape,) if isinstance(shape, int) else shape


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """An array of a shape whose elements are all `fill_value`."""
    check_device(device, "full")
    wanted = _default(fill_value) if dtype is None else dtypes.as_dtype(dtype)
    return Array(creation.fill(_sizes(shape), Tensor(np.asarray(fill_value, wanted.numpy_dtype))))


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """An array of zeros."""
    return full(shape, 0, dtype=DEFAULT_FLOAT if dtype is None else dtype, device=device)


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """An array of ones."""
    return full(shape, 1, dtype=DEFAULT_FLOAT if dtype is None else dtype, device=device)


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """An array of zeros: no memory is handed out with what was left in it."""
    return zeros(shape, dtype=dtype, device=device)


def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """An array of the shape and, by default, dtype of x whose elements are all `fill_value`."""
    check_device(device, "full_like")
    tensor = tensor_of(x, "full_like")
    wanted = tensor.dtype if dtype is None else dtypes.as_dtype(dtype)
    zero = creation.zeros_like(tensor, dtype=dtypes.bool_)
    return Array(
        where(zero, Tensor(np.zeros((), wanted.numpy_dtype)), Tensor(np.asarray(fill_value, wanted.numpy_dtype)))
    )


def zeros_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Array:
    """Zeros in the shape of x."""
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Array:
    """Ones in the shape of x."""
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Array:
    """Zeros in the shape of x."""
    return zeros_like(x, dtype=dtype, device=device)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Array:  # fmt: skip
    """A matrix with ones on the diagonal number k (above the main one where k > 0), zeros elsewhere."""
    check_device(device, "eye")
    wanted = DEFAULT_FLOAT if dtype is None else dtypes.as_dtype(dtype)
    return Array(Tensor(np.eye(n_rows, n_cols, k).astype(wanted.numpy_dtype)))


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Array]:
    """The coordinates of the points of a grid, one array for each axis; "xy": the first two axes swapped."""
    if indexing not in ("xy", "ij"):
        raise ValueError(explain("meshgrid", f"indexing is {indexing!r}", rule="it must be 'xy' or 'ij'"))
    if not arrays:
        return []
    return [
        Array(found) for found in repeating.meshgrid(*(tensor_of(x, "meshgrid") for x in arrays), indexing=indexing)
    ]


def _triangle(who: str, x: Any, k: int, lower: bool) -> Array:
    tensor = tensor_of(x, who)
    if tensor.ndim < 2:
        raise ValueError(explain(who, "it takes matrices", {"shape": tensor.shape}))
    rows, columns = (creation.range_(shape_of(tensor)[at]) for at in (-2, -1))
    rows, columns = expand_dims(rows, 1), expand_dims(columns, 0)
    kept = less_equal(columns - k, rows) if lower else less_equal(rows, columns - k)
    return Array(where(kept, tensor, Tensor(np.zeros((), tensor.dtype.numpy_dtype))))


def tril(x: Any, /, *, k: int = 0) -> Array:
    """Matrices with zeros above diagonal number k."""
    return _triangle("tril", x, k, lower=True)


def triu(x: Any, /, *, k: int = 0) -> Array:
    """Matrices with zeros below diagonal number k."""
    return _triangle("triu", x, k, lower=False)
