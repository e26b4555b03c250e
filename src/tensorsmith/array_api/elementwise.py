"""The standard's elementwise functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.array_api.array import Array
from tensorsmith.array_api.promotion import (
    COMPLEX_OF,
    is_scalar,
    meet,
    meet_scalar,
    number_tensor,
    tensor_of,
    together,
)
from tensorsmith.core import dtypes
from tensorsmith.core.errors import explain
from tensorsmith.ops import comparison, elementwise, keras_math, rounding, trigonometry
from tensorsmith.ops.casting import bitcast, cast
from tensorsmith.ops.complex_numbers import complex_
from tensorsmith.ops.complex_numbers import conj as _conj
from tensorsmith.ops.complex_numbers import imag as _imag
from tensorsmith.ops.complex_numbers import real as _real
from tensorsmith.ops.creation import ones_like, zeros_like
from tensorsmith.tensor.tensor import Tensor

_KINDS = {
    "all": lambda d: True,
    "numeric": lambda d: d.is_numeric,
    "real": lambda d: d.is_numeric and not d.is_complex,
    "floating": lambda d: d.is_floating or d.is_complex,
    "real floating": lambda d: d.is_floating,
    "complex": lambda d: d.is_complex,
    "integer": lambda d: d.is_integer,
    "integer or bool": lambda d: d.is_integer or d.is_bool,
    "bool": lambda d: d.is_bool,
}


def checked(who: str, tensor: Tensor, kind: str) -> Tensor:
    """The tensor; TypeError where its dtype is not of the kind that a function takes."""
    if not _KINDS[kind](tensor.dtype):
        raise TypeError(
            explain(
                who,
                f"it does not take {tensor.dtype.name}",
                {"shape": tensor.shape},
                f"it takes {kind} dtypes",
                "Convert: xp.astype(x, dtype)." if kind != "complex" else "",
            )
        )
    return tensor


def _named(function: Callable[..., Array], name: str, doc: str) -> Callable[..., Array]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _of_one(name: str, kind: str, operation: Callable[[Tensor], Tensor], doc: str) -> Callable[[Any], Array]:
    def function(x: Any, /) -> Array:
        return Array(operation(checked(name, tensor_of(x, name), kind)))

    return _named(function, name, doc)


def _of_two(name: str, kind: str, operation: Callable[[Any, Any], Tensor], doc: str) -> Callable[[Any, Any], Array]:
    def function(x1: Any, x2: Any, /) -> Array:
        a, b = together(name, x1, x2)
        return Array(operation(checked(name, a, kind), b))

    return _named(function, name, doc)


def _whole(operation: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """An operation that leaves integers as they are."""
    return lambda x: x if x.dtype.is_integer else operation(x)


def _test(operation: Callable[[Tensor], Tensor], of_integers: bool) -> Callable[[Tensor], Tensor]:
    """A test for infinity or NaN, which integers never are."""

    def test(x: Tensor) -> Tensor:
        if x.dtype.is_integer:
            return (ones_like if of_integers else zeros_like)(x, dtype=dtypes.bool_)
        return operation(x)

    return test


def _bits(logical: Callable[..., Tensor], bitwise: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *xs: (logical if xs[0].dtype.is_bool else bitwise)(*xs)


def _rounded(x: Tensor) -> Tensor:
    if x.dtype.is_complex:
        return complex_(rounding.round_(_real(x)), rounding.round_(_imag(x)))
    return x if x.dtype.is_integer else rounding.round_(x)


def _negative_bit(x: Tensor) -> Tensor:
    """True where the sign bit of a float is set, that of NaN too."""
    whole = {2: dtypes.int16, 4: dtypes.int32, 8: dtypes.int64}[x.dtype.size]
    return comparison.less(bitcast(x, whole), 0)


def _copied_sign(x1: Tensor, x2: Tensor) -> Tensor:
    size = elementwise.abs(x1)
    return comparison.where(_negative_bit(x2), elementwise.negative(size), size)


def _hypotenuse(x1: Tensor, x2: Tensor) -> Tensor:
    # what the absolute value of a complex number guards against overflow
    dtype = x1.dtype
    if dtype not in COMPLEX_OF:
        return cast(_hypotenuse(cast(x1, dtypes.float32), cast(x2, dtypes.float32)), dtype)
    found = elementwise.abs(complex_(x1, x2))
    # XLA's is NaN for infinity beside NaN
    ends = comparison.logical_or(rounding.is_inf(x1), rounding.is_inf(x2))
    return comparison.where(ends, number_tensor("hypot", float("inf"), dtype), found)


def _less_one(x: Tensor) -> Tensor:
    found = elementwise.expm1(x)
    if not x.dtype.is_complex:
        return found
    # NumPy's own formula gives NaN for what is infinite
    return comparison.where(rounding.is_finite(x), found, elementwise.subtract(elementwise.exp(x), 1))


def _sign(x: Tensor) -> Tensor:
    found = elementwise.sign(x)
    if not x.dtype.is_complex:
        return found
    # NumPy's gives a number for NaN beside infinity
    return comparison.where(rounding.is_nan(x), number_tensor("sign", complex("nan+nanj"), x.dtype), found)


def _in_base(base: float) -> Callable[[Tensor], Tensor]:
    return lambda x: elementwise.divide(elementwise.log(x), number_tensor("log", float(np.log(base)), x.dtype))


abs = _of_one("abs", "numeric", elementwise.abs, "|x|; of complex numbers a float.")  # noqa: A001
acos = _of_one("acos", "floating", trigonometry.acos, "The angle in radians whose cosine is x.")
acosh = _of_one("acosh", "floating", trigonometry.acosh, "The inverse of cosh.")
add = _of_two("add", "numeric", elementwise.add, "x1 + x2.")
asin = _of_one("asin", "floating", trigonometry.asin, "The angle in radians whose sine is x.")
asinh = _of_one("asinh", "floating", trigonometry.asinh, "The inverse of sinh.")
atan = _of_one("atan", "floating", trigonometry.atan, "The angle in radians whose tangent is x.")
atan2 = _of_two("atan2", "real floating", trigonometry.atan2, "The angle of the point (x2, x1), -pi to pi.")
atanh = _of_one("atanh", "floating", trigonometry.atanh, "The inverse of tanh.")
bitwise_and = _of_two(
    "bitwise_and", "integer or bool", _bits(comparison.logical_and, comparison.bitwise_and), "x1 & x2, bit by bit."
)
bitwise_invert = _of_one(
    "bitwise_invert", "integer or bool", _bits(comparison.logical_not, comparison.invert), "~x, bit by bit."
)
bitwise_left_shift = _of_two("bitwise_left_shift", "integer", comparison.left_shift, "x1 << x2.")
bitwise_or = _of_two(
    "bitwise_or", "integer or bool", _bits(comparison.logical_or, comparison.bitwise_or), "x1 | x2, bit by bit."
)
bitwise_right_shift = _of_two("bitwise_right_shift", "integer", comparison.right_shift, "x1 >> x2, signs kept.")
bitwise_xor = _of_two(
    "bitwise_xor", "integer or bool", _bits(comparison.logical_xor, comparison.bitwise_xor), "x1 ^ x2, bit by bit."
)
ceil = _of_one("ceil", "real", _whole(rounding.ceil), "The smallest whole number that is not below x.")
conj = _of_one("conj", "numeric", _conj, "The complex conjugate; real numbers as they are.")
copysign = _of_two("copysign", "real floating", _copied_sign, "|x1| with the sign of x2, that of -0 and NaN too.")
cos = _of_one("cos", "floating", trigonometry.cos, "The cosine of x radians.")
cosh = _of_one("cosh", "floating", trigonometry.cosh, "(e**x + e**-x) / 2.")
divide = _of_two("divide", "numeric", elementwise.divide, "x1 / x2; of integers float64.")
equal = _of_two("equal", "all", comparison.equal, "x1 == x2.")
exp = _of_one("exp", "floating", elementwise.exp, "e**x.")
expm1 = _of_one("expm1", "floating", _less_one, "e**x - 1, also where x is near 0.")
floor = _of_one("floor", "real", _whole(rounding.floor), "The greatest whole number that is not above x.")
floor_divide = _of_two("floor_divide", "real", elementwise.floordiv, "The greatest whole number not above x1 / x2.")
greater = _of_two("greater", "real", comparison.greater, "x1 > x2.")
greater_equal = _of_two("greater_equal", "real", comparison.greater_equal, "x1 >= x2.")
hypot = _of_two("hypot", "real floating", _hypotenuse, "sqrt(x1**2 + x2**2), without overflow in between.")
imag = _of_one("imag", "complex", _imag, "The imaginary part.")
isfinite = _of_one("isfinite", "numeric", _test(rounding.is_finite, True), "True where x is neither infinite nor NaN.")
isinf = _of_one("isinf", "numeric", _test(rounding.is_inf, False), "True where x, or a part of it, is infinite.")
isnan = _of_one("isnan", "numeric", _test(rounding.is_nan, False), "True where x, or a part of it, is NaN.")
less = _of_two("less", "real", comparison.less, "x1 < x2.")
less_equal = _of_two("less_equal", "real", comparison.less_equal, "x1 <= x2.")
log = _of_one("log", "floating", elementwise.log, "The natural logarithm.")
log1p = _of_one("log1p", "floating", elementwise.log1p, "log(1 + x), also where x is near 0.")
log2 = _of_one("log2", "floating", _in_base(2.0), "The logarithm to base 2.")
log10 = _of_one("log10", "floating", _in_base(10.0), "The logarithm to base 10.")
logaddexp = _of_two(
    "logaddexp", "real floating", keras_math.logaddexp, "log(e**x1 + e**x2), without overflow in between."
)
logical_and = _of_two("logical_and", "bool", comparison.logical_and, "True where both are.")
logical_not = _of_one("logical_not", "bool", comparison.logical_not, "True where x is not.")
logical_or = _of_two("logical_or", "bool", comparison.logical_or, "True where one is.")
logical_xor = _of_two("logical_xor", "bool", comparison.logical_xor, "True where exactly one is.")
maximum = _of_two("maximum", "real", elementwise.maximum, "The greater of the two; NaN where one is.")
minimum = _of_two("minimum", "real", elementwise.minimum, "The smaller of the two; NaN where one is.")
multiply = _of_two("multiply", "numeric", elementwise.multiply, "x1 * x2.")
negative = _of_one("negative", "numeric", elementwise.negative, "-x.")
nextafter = _of_two("nextafter", "real floating", rounding.nextafter, "The float next to x1 on the way to x2.")
not_equal = _of_two("not_equal", "all", comparison.not_equal, "x1 != x2.")
positive = _of_one("positive", "numeric", lambda x: x, "+x.")
pow = _of_two("pow", "numeric", elementwise.pow, "x1 ** x2.")  # noqa: A001
real = _of_one("real", "numeric", _whole(_real), "The real part; real numbers as they are.")
reciprocal = _of_one("reciprocal", "floating", elementwise.reciprocal, "1 / x.")
remainder = _of_two("remainder", "real", elementwise.floormod, "x1 % x2, with the sign of x2.")
round = _of_one("round", "numeric", _rounded, "The nearest whole number, an even one where two are equally near.")  # noqa: A001
sign = _of_one("sign", "numeric", _sign, "-1, 0 or 1; x / |x| of complex numbers.")
signbit = _of_one("signbit", "real floating", _negative_bit, "True where the sign bit is set, that of -0 and NaN too.")
sin = _of_one("sin", "floating", trigonometry.sin, "The sine of x radians.")
sinh = _of_one("sinh", "floating", trigonometry.sinh, "(e**x - e**-x) / 2.")
sqrt = _of_one("sqrt", "floating", elementwise.sqrt, "The square root.")
square = _of_one("square", "numeric", elementwise.square, "x * x.")
subtract = _of_two("subtract", "numeric", elementwise.subtract, "x1 - x2.")
tan = _of_one("tan", "floating", trigonometry.tan, "The tangent of x radians.")
tanh = _of_one("tanh", "floating", trigonometry.tanh, "sinh(x) / cosh(x).")
trunc = _of_one("trunc", "real", _whole(rounding.trunc), "x without its fraction.")


def clip(x: Any, /, min: Any = None, max: Any = None) -> Array:
    """x cut off below `min` and above `max`, numbers or arrays that broadcast with it; of the dtype of x.

    >>> import tensorsmith.array_api as xp
    >>> xp.clip(xp.arange(5), 1, max=3)
    Array([1, 1, 2, 3, 3], dtype=int64)
    """
    found = checked("clip", tensor_of(x, "clip"), "real")
    dtype = found.dtype
    for bound, operation in ((min, elementwise.maximum), (max, elementwise.minimum)):
        if bound is None:
            continue
        if is_scalar(bound):
            meet_scalar("clip", dtype, bound)
            found = operation(found, number_tensor("clip", bound, dtype))
        else:
            limit = tensor_of(bound, "clip")
            meet("clip", dtype, limit.dtype)
            found = operation(found, cast(limit, dtype))
    return Array(found)
