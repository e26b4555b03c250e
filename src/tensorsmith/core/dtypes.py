"""The dtypes, their limits, and the rule that values of two dtypes never mix silently."""

from __future__ import annotations

from typing import Any

import numpy as np


class DType:
    """The type of a tensor's elements: `tf.float32` and its kin.

    Equal to its name, its NumPy dtype and its NumPy scalar class.

    >>> float32 == "float32" == float32.name, float32 == np.float32
    (True, True)
    >>> float32, float32.size, int8.max
    (tf.float32, 4, 127)
    """

    __slots__ = ("_numpy", "name")

    def __init__(self, name: str, numpy_dtype: Any) -> None:
        self.name = name
        self._numpy = numpy_dtype

    @property
    def numpy_dtype(self) -> np.dtype:
        if self._numpy is None:
            self._numpy = _extended(self.name)
        return self._numpy

    @property
    def as_numpy_dtype(self) -> type:
        """The NumPy scalar class; `object` for strings."""
        return object if self.name in ("string", "variant", "resource") else self.numpy_dtype.type

    @property
    def is_floating(self) -> bool:
        return self.name in ("float32", "float64", "float16", "bfloat16")

    @property
    def is_integer(self) -> bool:
        return self.name.startswith(("int", "uint"))

    @property
    def is_unsigned(self) -> bool:
        return self.name.startswith("uint")

    @property
    def is_complex(self) -> bool:
        return self.name.startswith("complex")

    @property
    def is_bool(self) -> bool:
        return self.name == "bool"

    @property
    def is_numeric(self) -> bool:
        return self.is_floating or self.is_integer or self.is_complex

    @property
    def base_dtype(self) -> DType:
        return self

    @property
    def real_dtype(self) -> DType:
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    @property
    def is_quantized(self) -> bool:
        return False

    @property
    def is_numpy_compatible(self) -> bool:
        return self.name not in ("variant", "resource")

    @property
    def as_datatype_enum(self) -> int:
        """The number that stands for it in files of TensorFlow."""
        return _NUMBERS[self.name]

    @property
    def size(self) -> int:
        """Bytes of one element; 0 for strings, which differ in length."""
        return 0 if self.name in ("string", "variant", "resource") else self.numpy_dtype.itemsize

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range of intensities of an image of this dtype: 0 to 1 for floats, 0 to the highest value for integers.

        The range of the dtype itself is `(dtype.min, dtype.max)`. ValueError where images are not of this dtype.

        >>> uint8.limits, int16.limits, float32.limits, (int16.min, int16.max)
        ((0, 255), (0, 32767), (0, 1), (-32768, 32767))
        """
        if self.name in ("float32", "float64"):
            return 0, 1
        if self.is_integer:
            return 0, self.max
        if self.is_bool:
            return 0, True
        raise ValueError(
            f"{self!r} has no limits of intensity; its lowest and highest values are dtype.min, dtype.max."
        )

    @property
    def min(self) -> Any:
        """The lowest finite value; TypeError for booleans, strings and complex numbers."""
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The highest finite value; TypeError for booleans, strings and complex numbers."""
        return self._limit("max")

    def _limit(self, which: str) -> Any:
        if self.is_integer:
            return int(getattr(np.iinfo(self.numpy_dtype), which))
        if self.name == "bfloat16":
            import ml_dtypes

            return getattr(ml_dtypes.finfo(self.numpy_dtype), which)
        if self.is_floating:
            return getattr(np.finfo(self.numpy_dtype), which)
        raise TypeError(f"Cannot find the {which}imum value of {self!r}.")

    def is_compatible_with(self, other: Any) -> bool:
        return self == other

    def is_subtype_of(self, other: Any) -> bool:
        """True for the same dtype: no dtype is a kind of another one."""
        return self == other

    def most_specific_common_supertype(self, types: Any) -> DType | None:
        """This dtype where all of `types` are it; None otherwise."""
        return self if all(self == other for other in types) else None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other is None or isinstance(other, (bool, float)):
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __reduce__(self) -> Any:
        return as_dtype, (self.name,)

    @property
    def dtype(self) -> np.dtype:
        # np.dtype(tf.float32) works through this attribute
        return self.numpy_dtype


def _extended(name: str) -> np.dtype:
    # ml_dtypes costs import time and only bfloat16 and float8 users need it
    import ml_dtypes

    return np.dtype(getattr(ml_dtypes, name))


_NAMES = "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128".split()
_TABLE: dict[Any, DType] = {}
for _name in _NAMES:
    _numpy = np.dtype(_name)
    _TABLE[_name] = _TABLE[_numpy] = _TABLE[_numpy.type] = DType(_name, _numpy)
(float16, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool_, complex64, complex128) = (
    _TABLE[_name] for _name in _NAMES
)
bfloat16 = _TABLE["bfloat16"] = DType("bfloat16", None)
string = _TABLE["string"] = _TABLE[np.dtype(object)] = _TABLE[str] = _TABLE[bytes] = DType("string", np.dtype(object))
variant = _TABLE["variant"] = DType("variant", np.dtype(object))
resource = _TABLE["resource"] = DType("resource", np.dtype(object))
half, double = float16, float64
# the numbers of DataType in TensorFlow's protocol buffers
_NUMBERS = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "string": 7, "complex64": 8, "int64": 9,
    "bool": 10, "bfloat16": 14, "uint16": 17, "complex128": 18, "float16": 19, "resource": 20, "variant": 21,
    "uint32": 22, "uint64": 23,
}  # fmt: skip
_BY_NUMBER = {number: _name for _name, number in _NUMBERS.items()}
_TABLE.update(
    {
        float: float32,
        int: int32,
        bool: bool_,
        complex: complex128,
        "float": float32,
        "int": int32,
        "half": float16,
        "double": float64,
        "str": string,
        "object": string,
        "boolean": bool_,
    }
)


def as_dtype(value: Any) -> DType:
    """The DType that a name, NumPy dtype, scalar class, TensorFlow's number or object with a `dtype` stands for.

    Raises TypeError for anything else.

    >>> as_dtype("float32"), as_dtype(np.int64), as_dtype(float)
    (tf.float32, tf.int64, tf.float32)
    """
    if type(value) is DType:
        return value
    try:
        found = _TABLE.get(value)
    except TypeError:
        found = None
    if type(value) is int:
        found = _TABLE.get(_BY_NUMBER.get(value))
    # to NumPy, None is float64
    elif found is None and value is not None:
        try:
            numpy_dtype = np.dtype(value)
        except TypeError:
            numpy_dtype = None
        if numpy_dtype is not None:
            if numpy_dtype.kind in "SU":
                return string
            found = _TABLE.get(numpy_dtype) or _TABLE.get(numpy_dtype.name)
            if found is not None and numpy_dtype.isnative:
                _TABLE[numpy_dtype] = found
    if found is None:
        raise TypeError(f"Cannot convert {value!r} to a tf.DType; known are {', '.join(_NAMES)}, bfloat16, string.")
    return found


_BY_NUMPY: dict[np.dtype, DType] = {_TABLE[_name].numpy_dtype: _TABLE[_name] for _name in _NAMES}
_BY_NUMPY[np.dtype(object)] = string


def of_array(array: Any) -> DType:
    """The DType of a NumPy array or scalar."""
    found = _BY_NUMPY.get(array.dtype)
    return found if found is not None else as_dtype(array.dtype)
