"""Array: the array object of the Python array API standard, a handle on a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorsmith.core import ports
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import explain
from tensorsmith.function.iteration import of_tensor
from tensorsmith.ops.indexing import getitem
from tensorsmith.ops.shaping import expand_dims, matrix_transpose, transpose
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


class Array:
    """An array of the standard: its operators bring dtypes of one kind together, and its elements can be set.

    It is made by the functions of `tensorsmith.array_api`, and holds one Tensor. What changes it (`x[i] = v`, `x += y`)
    gives it another Tensor, so a tensor that somebody has stays what it is, tapes hear every step, and a program that is
    traced has a value for each. An element that is set costs a copy of the array.

    `tf` functions take it as a tensor, `tf.convert_to_tensor(x)` gives the tensor itself, NumPy functions take it as an array.

    >>> import tensorsmith.array_api as xp
    >>> x = xp.asarray([1, 2, 3], dtype=xp.int8)
    >>> x + xp.asarray([1000], dtype=xp.int16)
    Array([1001, 1002, 1003], dtype=int16)
    >>> x[x > 1] = 0
    >>> x
    Array([1, 0, 0], dtype=int8)
    """

    __slots__ = ("__weakref__", "_tensor")
    # above a Tensor's, which leaves `tensor + array` to the array; NumPy's arrays do likewise
    __array_priority__ = 200
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor

    @property
    def dtype(self) -> DType:
        return self._tensor.dtype

    @property
    def device(self) -> str:
        return self._tensor.device

    @property
    def ndim(self) -> int:
        return self._tensor.ndim

    @property
    def shape(self) -> tuple[int | None, ...]:
        return tuple(self._tensor.shape)

    @property
    def size(self) -> int | None:
        return self._tensor.size

    @property
    def T(self) -> Array:
        """A matrix with its axes swapped; ValueError for any other rank."""
        if self.ndim != 2:
            raise ValueError(explain("T", "it is for matrices", {"shape": self.shape}, way_out="Use x.mT."))
        return Array(transpose(self._tensor))

    @property
    def mT(self) -> Array:
        """The last two axes swapped."""
        if self.ndim < 2:
            raise ValueError(explain("mT", "it takes two axes", {"shape": self.shape}))
        return Array(matrix_transpose(self._tensor))

    def to_device(self, device: Any, /, *, stream: Any = None) -> Array:
        """Itself: there is one device."""
        if stream is not None:
            raise ValueError(explain("to_device", "this device has no streams", {"stream": stream}))
        check_device(device, "to_device")
        return self

    def __array_namespace__(self, /, *, api_version: str | None = None) -> ModuleType:
        return namespace(api_version)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._tensor.__array__(dtype, copy)

    def __dlpack__(
        self, /, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        return self._tensor.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> Any:
        return self._tensor.__dlpack_device__()

    def __bool__(self) -> bool:
        return bool(self._tensor)

    def __int__(self) -> int:
        return int(self._single("int"))

    def __float__(self) -> float:
        return float(self._single("float"))

    def __complex__(self) -> complex:
        return complex(self._single("complex"))

    def __index__(self) -> int:
        if not self.dtype.is_integer:
            raise TypeError(explain("index", f"an array of {self.dtype.name} is no index"))
        return self._single("index").__index__()

    def _single(self, who: str) -> Tensor:
        if self.ndim:
            raise TypeError(explain(who, "only an array of shape () is one number", {"shape": self.shape}))
        return self._tensor

    def __len__(self) -> int:
        return len(self._tensor)

    def __iter__(self) -> Iterator[Array]:
        return map(Array, self._tensor)

    def __getitem__(self, key: Any, /) -> Array:
        key = plain_key(key)
        if is_truth(key):
            # a mask of no axes picks from an axis that stands in front
            return Array(getitem(expand_dims(self._tensor, 0), slice(0, int(bool(key)))))
        return Array(getitem(self._tensor, key))

    def __copy__(self) -> Array:
        return Array(self._tensor)

    def __deepcopy__(self, memo: dict) -> Array:
        return Array(self._tensor)

    def __reduce__(self) -> Any:
        return Array, (self._tensor,)

    def __repr__(self) -> str:
        if isinstance(self._tensor, Symbol):
            return f"<Array shape={self.shape}, dtype={self.dtype.name}>"
        text = np.array2string(np.asarray(self._tensor._array), separator=", ", prefix="Array(")
        return f"Array({text}, dtype={self.dtype.name})"

    # a value made of one tensor: an argument and result of traced functions, a variable of loops
    def _parts(self) -> list[Tensor]:
        return [self._tensor]

    def _from_parts(self, parts: list[Any]) -> Array:
        return Array(parts[0])

    def _rounds(self) -> Any:
        """How a loop of a program runs over it: row by row."""
        return of_tensor(self._tensor).mapped(Array)

    if TYPE_CHECKING:
        # operators.py sets them
        def __add__(self, other: Any, /) -> Array: ...
        def __radd__(self, other: Any, /) -> Array: ...
        def __sub__(self, other: Any, /) -> Array: ...
        def __rsub__(self, other: Any, /) -> Array: ...
        def __mul__(self, other: Any, /) -> Array: ...
        def __rmul__(self, other: Any, /) -> Array: ...
        def __truediv__(self, other: Any, /) -> Array: ...
        def __rtruediv__(self, other: Any, /) -> Array: ...
        def __floordiv__(self, other: Any, /) -> Array: ...
        def __rfloordiv__(self, other: Any, /) -> Array: ...
        def __mod__(self, other: Any, /) -> Array: ...
        def __rmod__(self, other: Any, /) -> Array: ...
        def __pow__(self, other: Any, /) -> Array: ...
        def __rpow__(self, other: Any, /) -> Array: ...
        def __matmul__(self, other: Any, /) -> Array: ...
        def __rmatmul__(self, other: Any, /) -> Array: ...
        def __and__(self, other: Any, /) -> Array: ...
        def __or__(self, other: Any, /) -> Array: ...
        def __xor__(self, other: Any, /) -> Array: ...
        def __lshift__(self, other: Any, /) -> Array: ...
        def __rshift__(self, other: Any, /) -> Array: ...
        def __lt__(self, other: Any, /) -> Array: ...
        def __le__(self, other: Any, /) -> Array: ...
        def __gt__(self, other: Any, /) -> Array: ...
        def __ge__(self, other: Any, /) -> Array: ...
        def __neg__(self) -> Array: ...
        def __pos__(self) -> Array: ...
        def __abs__(self) -> Array: ...
        def __invert__(self) -> Array: ...
        def __setitem__(self, key: Any, value: Any, /) -> None: ...


def namespace(api_version: str | None = None) -> ModuleType:
    """The module of the standard's functions; ValueError for an edition that it does not follow."""
    module = import_module("tensorsmith.array_api")
    if api_version is not None and api_version not in EDITIONS:
        raise ValueError(explain("array_api", f"edition {api_version} is not followed", {"followed": EDITIONS}))
    return module


# each edition holds what those before it hold
EDITIONS = ("2021.12", "2022.12", "2023.12", "2024.12")

DEVICE = Tensor(np.float32(0)).device


def check_device(device: Any, who: str) -> None:
    """ValueError unless a device is the one that there is (or None, which means it)."""
    if device is not None and device != DEVICE and str(device).lower().lstrip("/").removeprefix("device:") not in _CPU:
        raise ValueError(explain(who, f"there is no device {device!r}", {"devices": [DEVICE]}))


_CPU = ("cpu", "cpu:0")


def plain_key(key: Any) -> Any:
    """An index with tensors in the place of arrays."""
    if isinstance(key, tuple):
        return tuple([item._tensor if type(item) is Array else item for item in key])
    return key._tensor if type(key) is Array else key


def is_truth(key: Any) -> bool:
    """True for an index that is one truth value."""
    return isinstance(key, bool) or (isinstance(key, Tensor) and not key.ndim and key.dtype.is_bool)


def _to_tensor(value: Array, dtype: Any) -> Tensor:
    return convert(value._tensor, dtype)


ports.converters[Array] = _to_tensor
