"""The numeric half of `keras.ops`: Keras 3's names and argument names for elementwise operations and reductions.

Two things differ from the `tf` functions: values of two dtypes are brought to one that holds both (integers
beside floats become that float), and functions that need floats take integers, as float32.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.ops import comparison, elementwise, linalg, rounding, special, trigonometry
from tensorsmith.ops.activations import softplus
from tensorsmith.ops.casting import cast
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def common_dtype(*given: dtypes.DType) -> dtypes.DType:
    """The dtype that holds values of all: booleans give way to integers, integers to floats, narrow ones to wide.

    >>> common_dtype(dtypes.int64, dtypes.float32)
    tf.float32
    """
    best = given[0]
    for other in given[1:]:
        if other is best:
            continue
        ranks = ["bool", "uint", "int", "float", "complex"]
        kinds = [builtins.max(r for r, k in enumerate(ranks) if _kind(d) == k) for d in (best, other)]
        if kinds[0] != kinds[1] and builtins.max(kinds) >= 3:
            best = best if kinds[0] > kinds[1] else other
        elif "bfloat16" in (best.name, other.name):
            best = dtypes.float32 if 2 == best.size == other.size else builtins.max((best, other), key=lambda d: d.size)
        else:
            wide = np.promote_types(best.numpy_dtype, other.numpy_dtype)
            best = dtypes.as_dtype(wide)
    return best


def _kind(dtype: dtypes.DType) -> str:
    if dtype.is_floating:
        return "float"
    return dtype.name.rstrip("0123456789")


def pair(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two values as operations take them: of one dtype, or a number beside a tensor that it follows."""
    first, second = _is_number(x1), _is_number(x2)
    if first and second:
        return (float(x1), float(x2)) if isinstance(x1, float) or isinstance(x2, float) else (x1, x2)
    if first or second:
        tensor, number = convert(x2 if first else x1), x1 if first else x2
        whole = not (tensor.dtype.is_floating or tensor.dtype.is_complex)
        if whole and isinstance(number, float):
            tensor = cast(tensor, dtypes.float32)
        elif tensor.dtype.is_bool:
            tensor = cast(tensor, dtypes.int32)
        return (number, tensor) if first else (tensor, number)
    x1, x2 = convert(x1), convert(x2)
    if x1.dtype is x2.dtype:
        return x1, x2
    wanted = common_dtype(x1.dtype, x2.dtype)
    return cast(x1, wanted), cast(x2, wanted)


def both(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """`pair`, with a number beside a tensor as a tensor of that one's dtype."""
    x1, x2 = pair(x1, x2)
    if not isinstance(x1, Tensor):
        x1 = convert(x1, None, x2.dtype.numpy_dtype if isinstance(x2, Tensor) else None)
    return x1, convert(x2, None, x1.dtype.numpy_dtype)


def both_floats(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """`both`, as float32 when they hold integers or booleans."""
    x1, x2 = both(x1, x2)
    return floats(x1), floats(x2)


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def floats(x: Any) -> Tensor:
    """x, as float32 when it holds integers or booleans."""
    x = convert(x)
    return x if x.dtype.is_floating or x.dtype.is_complex else cast(x, dtypes.float32)


def numbers(x: Any) -> Tensor:
    x = convert(x)
    return cast(x, dtypes.int32) if x.dtype.is_bool else x


# ---- of two values


def add(x1: Any, x2: Any) -> Tensor:
    """x1 + x2."""
    return elementwise.add(*pair(x1, x2))


def subtract(x1: Any, x2: Any) -> Tensor:
    """x1 - x2."""
    return elementwise.subtract(*pair(x1, x2))


def multiply(x1: Any, x2: Any) -> Tensor:
    """x1 * x2."""
    return elementwise.multiply(*pair(x1, x2))


def divide(x1: Any, x2: Any) -> Tensor:
    """x1 / x2, of integers as float32.

    >>> divide(1, 2).numpy().item()
    0.5
    """
    x1, x2 = pair(x1, x2)
    return elementwise.divide(
        *pair(floats(x1) if not isinstance(x1, float) else x1, floats(x2) if not isinstance(x2, float) else x2)
    )


true_divide = divide


def divide_no_nan(x1: Any, x2: Any) -> Tensor:
    """x1 / x2, and 0 where x2 is 0."""
    x1, x2 = pair(x1, x2)
    return elementwise.divide_no_nan(*pair(floats(x1), floats(x2)))


def floor_divide(x1: Any, x2: Any) -> Tensor:
    """floor(x1 / x2)."""
    return elementwise.floordiv(*pair(x1, x2))


def mod(x1: Any, x2: Any) -> Tensor:
    """The remainder of x1 / x2, with the sign of x2."""
    return elementwise.floormod(*pair(x1, x2))


def power(x1: Any, x2: Any) -> Tensor:
    """x1**x2."""
    return elementwise.pow(*pair(x1, x2))


def maximum(x1: Any, x2: Any) -> Tensor:
    """The greater of both."""
    return elementwise.maximum(*pair(x1, x2))


def minimum(x1: Any, x2: Any) -> Tensor:
    """The smaller of both."""
    return elementwise.minimum(*pair(x1, x2))


def arctan2(x1: Any, x2: Any) -> Tensor:
    """The angle of the point (x2, x1)."""
    x1, x2 = pair(x1, x2)
    return trigonometry.atan2(*pair(floats(x1), floats(x2)))


def logaddexp(x1: Any, x2: Any) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow."""
    x1, x2 = (floats(x) for x in pair(x1, x2))
    # infinity less infinity is no number
    ends = comparison.logical_and(comparison.equal(x1, x2), rounding.is_inf(x1))
    first, other = (comparison.where(ends, cast(0.0, x1.dtype), x) for x in (x1, x2))
    gap = elementwise.subtract(first, other)
    # not the maximum and log1p(exp(-|gap|)), whose derivative is wrong where both are equal
    above, below = first + softplus(elementwise.negative(gap)), other + softplus(gap)
    return comparison.where(ends, x1, comparison.where(gap > 0, above, below))


def equal(x1: Any, x2: Any) -> Tensor:
    """x1 == x2."""
    return comparison.equal(*pair(x1, x2))


def not_equal(x1: Any, x2: Any) -> Tensor:
    """x1 != x2."""
    return comparison.not_equal(*pair(x1, x2))


def less(x1: Any, x2: Any) -> Tensor:
    """x1 < x2."""
    return comparison.less(*pair(x1, x2))


def less_equal(x1: Any, x2: Any) -> Tensor:
    """x1 <= x2."""
    return comparison.less_equal(*pair(x1, x2))


def greater(x1: Any, x2: Any) -> Tensor:
    """x1 > x2."""
    return comparison.greater(*pair(x1, x2))


def greater_equal(x1: Any, x2: Any) -> Tensor:
    """x1 >= x2."""
    return comparison.greater_equal(*pair(x1, x2))


def logical_and(x1: Any, x2: Any) -> Tensor:
    """True where both are."""
    return comparison.logical_and(cast(x1, dtypes.bool_), cast(x2, dtypes.bool_))


def logical_or(x1: Any, x2: Any) -> Tensor:
    """True where either is."""
    return comparison.logical_or(cast(x1, dtypes.bool_), cast(x2, dtypes.bool_))


def logical_xor(x1: Any, x2: Any) -> Tensor:
    """True where one is and the other is not."""
    return comparison.logical_xor(cast(x1, dtypes.bool_), cast(x2, dtypes.bool_))


def logical_not(x: Any) -> Tensor:
    """True where x is not."""
    return comparison.logical_not(cast(x, dtypes.bool_))


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """x1 where the condition holds, x2 elsewhere; without them the places where it holds, one tensor an axis.

    >>> where([True, False], 1, 2.5).numpy()
    array([1. , 2.5], dtype=float32)
    """
    if x1 is None and x2 is None:
        return nonzero(condition)
    x1, x2 = pair(x1, x2)
    return comparison.where(cast(condition, dtypes.bool_), x1, x2)


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """The places of the elements that are not 0, one vector an axis."""
    places = comparison.where(cast(x, dtypes.bool_))
    return tuple(places[:, at] for at in range(convert(x).ndim))


def clip(x: Any, x_min: Any, x_max: Any) -> Tensor:
    """x cut off below x_min and above x_max."""
    return elementwise.clip_by_value(x, x_min, x_max)


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """True where |x1 - x2| <= atol + rtol * |x2|."""
    x1, x2 = (floats(x) for x in pair(x1, x2))
    # of an infinity nothing is near but itself
    finite = comparison.logical_and(rounding.is_finite(x1), rounding.is_finite(x2))
    first, second = comparison.where(finite, x1, 0.0), comparison.where(finite, x2, 0.0)
    near = elementwise.abs(first - second) <= atol + rtol * elementwise.abs(second)
    near = comparison.logical_and(finite, near)
    same = comparison.logical_or(near, comparison.equal(x1, x2))
    if equal_nan:
        same = comparison.logical_or(same, comparison.logical_and(rounding.is_nan(x1), rounding.is_nan(x2)))
    return same


# ---- of one value


def _of_floats(function: Any, doc: str) -> Any:
    def wrapped(x: Any) -> Tensor:
        return function(floats(x))

    wrapped.__doc__ = doc
    wrapped.__name__ = wrapped.__qualname__ = function.__name__
    return wrapped


arccos = _of_floats(trigonometry.acos, "The angle in radians whose cosine is x.")
arccosh = _of_floats(trigonometry.acosh, "The inverse of cosh.")
arcsin = _of_floats(trigonometry.asin, "The angle in radians whose sine is x.")
arcsinh = _of_floats(trigonometry.asinh, "The inverse of sinh.")
arctan = _of_floats(trigonometry.atan, "The angle in radians whose tangent is x.")
arctanh = _of_floats(trigonometry.atanh, "The inverse of tanh.")
ceil = _of_floats(rounding.ceil, "The smallest whole number that is not below x.")
cos = _of_floats(trigonometry.cos, "The cosine.")
cosh = _of_floats(trigonometry.cosh, "The hyperbolic cosine.")
erf = _of_floats(special.erf, "The error function.")
erfinv = _of_floats(special.erfinv, "The inverse of the error function.")
exp = _of_floats(elementwise.exp, "e**x.")
expm1 = _of_floats(elementwise.expm1, "e**x - 1.")
floor = _of_floats(rounding.floor, "The greatest whole number that is not above x.")
log = _of_floats(elementwise.log, "The natural logarithm.")
log1p = _of_floats(elementwise.log1p, "log(1 + x).")
reciprocal = _of_floats(elementwise.reciprocal, "1 / x.")
rsqrt = _of_floats(elementwise.rsqrt, "1 / sqrt(x).")
sin = _of_floats(trigonometry.sin, "The sine.")
sinh = _of_floats(trigonometry.sinh, "The hyperbolic sine.")
sqrt = _of_floats(elementwise.sqrt, "The square root.")
tan = _of_floats(trigonometry.tan, "The tangent.")
trunc = _of_floats(rounding.trunc, "x without its fraction.")


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return trigonometry.tanh(floats(x))


def log2(x: Any) -> Tensor:
    """The logarithm to base 2."""
    return elementwise.divide(log(x), float(np.log(2)))


def log10(x: Any) -> Tensor:
    """The logarithm to base 10."""
    return elementwise.divide(log(x), float(np.log(10)))


def abs(x: Any) -> Tensor:  # noqa: A001
    """The absolute value."""
    return elementwise.abs(x)


absolute = abs


def negative(x: Any) -> Tensor:
    """-x."""
    return elementwise.negative(x)


def sign(x: Any) -> Tensor:
    """-1, 0 or 1."""
    return elementwise.sign(x)


def square(x: Any) -> Tensor:
    """x * x."""
    return elementwise.square(numbers(x))


def round(x: Any, decimals: int = 0) -> Tensor:  # noqa: A001
    """The nearest number with so many digits behind the point; halves go to the even one."""
    if not decimals:
        return rounding.round_(x)
    factor = 10.0**decimals
    return elementwise.divide(rounding.round_(elementwise.multiply(floats(x), factor)), factor)


def isnan(x: Any) -> Tensor:
    """True where x is not a number."""
    return rounding.is_nan(floats(x))


def isinf(x: Any) -> Tensor:
    """True where x is infinite."""
    return rounding.is_inf(floats(x))


def isfinite(x: Any) -> Tensor:
    """True where x is neither NaN nor infinite."""
    return rounding.is_finite(floats(x))


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """x with NaN and infinities replaced."""
    x = floats(x)
    top = x.dtype.max if posinf is None else posinf
    low = x.dtype.min if neginf is None else neginf
    infinite = rounding.is_inf(x)
    x = comparison.where(comparison.logical_and(infinite, x > 0), float(top), x)
    x = comparison.where(comparison.logical_and(infinite, x < 0), float(low), x)
    return comparison.where(rounding.is_nan(x), nan, x)


def conjugate(x: Any) -> Tensor:
    """The complex conjugate."""
    return conj(x)


# ---- products


def matmul(x1: Any, x2: Any) -> Tensor:
    """The matrix product over the last two axes.

    >>> matmul([[1.0, 2.0]], [[3], [4]]).numpy()
    array([[11.]], dtype=float32)
    """
    x1, x2 = (convert(x) for x in pair(x1, x2))
    row, column = x1.ndim == 1, x2.ndim == 1
    found = linalg.matmul(x1[None] if row else x1, x2[..., None] if column else x2)
    if column:
        found = found[..., 0]
    return (found[..., 0] if column else found[..., 0, :]) if row else found


def dot(x1: Any, x2: Any) -> Tensor:
    """The sum of products over the last axis of x1 and the last but one of x2."""
    x1, x2 = (convert(x) for x in pair(x1, x2))
    if x1.ndim == 0 or x2.ndim == 0:
        return elementwise.multiply(x1, x2)
    return linalg.tensordot(x1, x2, [[-1], [-1 if x2.ndim == 1 else -2]])


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Tensor:
    """The sum of products over axes of both."""
    return linalg.tensordot(*pair(x1, x2), axes)


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Tensor:
    """Sums of products, told by letters."""
    tensors = [convert(x) for x in operands]
    wanted = common_dtype(*(t.dtype for t in tensors))
    return linalg.einsum(subscripts, *(cast(t, wanted) for t in tensors))


def outer(x1: Any, x2: Any) -> Tensor:
    """All products of an element of x1 and one of x2."""
    from tensorsmith.ops.shaping import reshape

    x1, x2 = pair(x1, x2)
    return elementwise.multiply(reshape(x1, [-1, 1]), reshape(x2, [1, -1]))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors or matrices."""
    return linalg.norm(floats(x), ord="euclidean" if ord is None else ord, axis=axis, keepdims=keepdims)
