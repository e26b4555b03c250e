"""The rarer elementwise functions of `keras.ops`: angles, bits, choices, activations that shrink or cut."""

from __future__ import annotations

import math
from typing import Any

from tensorsmith.core import dtypes
from tensorsmith.core.errors import explain
from tensorsmith.ops import activations, comparison, elementwise, keras_math, rounding, special
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.complex_numbers import complex_, imag
from tensorsmith.ops.creation import ones_like, zeros_like
from tensorsmith.ops.keras_math import both, both_floats, floats, numbers, pair
from tensorsmith.ops.reductions import reduce_all
from tensorsmith.ops.shaping import split
from tensorsmith.ops.trigonometry import cos, sin
from tensorsmith.program.op import Array, predicate
from tensorsmith.program.op import elementwise as same_shape
from tensorsmith.tensor.apply import apply, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# ---- of one value


@primitive(name="cbrt", kinds="f", shapes=same_shape, quiet=True)
def _cbrt(xp, x: Array):
    # NumPy's of float32 makes 2.9999998 of 27
    return xp.cbrt(x.astype("float64")).astype(x.dtype)


def cbrt(x: Any) -> Tensor:
    """The cube root, also of numbers below 0.

    >>> cbrt([-8, 27]).numpy()
    array([-2.,  3.], dtype=float32)
    """
    return apply(_cbrt, (floats(x),), {})


def deg2rad(x: Any) -> Tensor:
    """Degrees as radians."""
    return elementwise.multiply(floats(x), math.pi / 180)


def rad2deg(x: Any) -> Tensor:
    """Radians as degrees."""
    return elementwise.multiply(floats(x), 180 / math.pi)


def exp2(x: Any) -> Tensor:
    """2**x.

    >>> exp2([1, -1]).numpy()
    array([2. , 0.5], dtype=float32)
    """
    x = floats(x)
    return elementwise.pow(2 * ones_like(x), x)


def erfc(x: Any) -> Tensor:
    """1 - erf(x), exact also where that is tiny."""
    return special.erfc(floats(x))


def fabs(x: Any) -> Tensor:
    """The absolute value, as a float."""
    return elementwise.abs(floats(x))


def isposinf(x: Any) -> Tensor:
    """True where x is infinite and above 0."""
    return comparison.equal(floats(x), math.inf)


def isneginf(x: Any) -> Tensor:
    """True where x is infinite and below 0."""
    return comparison.equal(floats(x), -math.inf)


def isreal(x: Any) -> Tensor:
    """True where x has no imaginary part.

    >>> isreal([1 + 0j, 2j]).numpy()
    array([ True, False])
    """
    x = convert(x)
    return comparison.equal(imag(x), 0) if x.dtype.is_complex else ones_like(x, dtypes.bool_)


@primitive(name="signbit", kinds="f", shapes=predicate, differentiable=False)
def _signbit(xp, x: Array):
    return xp.signbit(x)


def signbit(x: Any) -> Tensor:
    """True where x is below 0, and at -0.0.

    >>> signbit([-1.0, -0.0, 0.0]).numpy()
    array([ True,  True, False])
    """
    x = convert(x)
    return apply(_signbit, (x,), {}) if x.dtype.is_floating else comparison.less(numbers(x), 0)


# ---- of two values


def fmod(x1: Any, x2: Any) -> Tensor:
    """The remainder of x1 / x2, with the sign of x1.

    >>> fmod([-7, 7], [3, -3]).numpy()
    array([-1,  1], dtype=int32)
    """
    return elementwise.truncatemod(*pair(x1, x2))


def fmax(x1: Any, x2: Any) -> Tensor:
    """The greater of both; of a number and NaN the number."""
    return _but_nan(elementwise.maximum, x1, x2)


def fmin(x1: Any, x2: Any) -> Tensor:
    """The smaller of both; of a number and NaN the number.

    >>> fmin([1.0, float("nan")], [2.0, 3.0]).numpy()
    array([1., 3.], dtype=float32)
    """
    return _but_nan(elementwise.minimum, x1, x2)


def _but_nan(function: Any, x1: Any, x2: Any) -> Tensor:
    x1, x2 = both(x1, x2)
    if not x1.dtype.is_floating:
        return function(x1, x2)
    return where(rounding.is_nan(x1), x2, where(rounding.is_nan(x2), x1, function(x1, x2)))


def heaviside(x1: Any, x2: Any) -> Tensor:
    """0 where x1 is below 0, 1 where it is above, x2 where it is 0.

    >>> heaviside([-3.0, 0.0, 2.0], 0.5).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    x1, x2 = both_floats(x1, x2)
    step = where(x1 < 0, zeros_like(x1), where(x1 > 0, ones_like(x1), x1))
    return where(comparison.equal(x1, 0), x2, step)


def ldexp(x1: Any, x2: Any) -> Tensor:
    """x1 * 2**x2, for whole numbers x2.

    >>> ldexp([1.5, 3.0], [2, -1]).numpy()
    array([6. , 1.5], dtype=float32)
    """
    x1 = floats(x1)
    return elementwise.multiply(x1, exp2(cast(x2, x1.dtype)))


@primitive(name="logaddexp2", kinds="f", shapes=same_shape, quiet=True)
def _logaddexp2(xp, x1: Array, x2: Array):
    # in float64: JAX's own of -1 and -1 is -1e-8 in float32, not 0
    a, b = x1.astype("float64"), x2.astype("float64")
    gap = xp.where(a == b, 0, -xp.abs(a - b))
    return ((xp.maximum(a, b) * math.log(2) + xp.log1p(xp.exp2(gap))) / math.log(2)).astype(x1.dtype)


def logaddexp2(x1: Any, x2: Any) -> Tensor:
    """log2(2**x1 + 2**x2), without overflow.

    >>> logaddexp2([1000.0], [1000.0]).numpy()
    array([1001.], dtype=float32)
    """
    return apply(_logaddexp2, both_floats(x1, x2), {})


def nextafter(x1: Any, x2: Any) -> Tensor:
    """The float beside x1 in the direction of x2."""
    return rounding.nextafter(*both_floats(x1, x2))


def polar(abs_: Any, angle: Any) -> Tensor:
    """The complex numbers of these sizes and angles in radians.

    >>> polar([2.0], [0.0]).numpy()
    array([2.+0.j], dtype=complex64)
    """
    size, turn = both_floats(abs_, angle)
    return complex_(size * cos(turn), size * sin(turn))


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether all elements are as near to each other as `isclose` asks."""
    return reduce_all(keras_math.isclose(x1, x2, rtol, atol, equal_nan))


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Tensor:
    """At each place the element of the first choice whose condition holds there; `default` where none does.

    Raises ValueError for another number of conditions than of choices.

    >>> select([[True, False], [True, True]], [[1, 2], [3, 4]]).numpy()
    array([1, 4], dtype=int32)
    """
    if len(condlist) != len(choicelist) or not condlist:
        given = {"conditions": len(condlist), "choices": len(choicelist)}
        raise ValueError(explain("select", "there must be as many choices as conditions, and one at least", given))
    found = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        found = keras_math.where(condition, choice, found)
    return convert(found)


# ---- bits


def _of_bits(function: Any, doc: str) -> Any:
    def wrapped(x: Any, y: Any) -> Tensor:
        x, y = both(x, y)
        if x.dtype.is_bool:
            x, y = cast(x, dtypes.int8), cast(y, dtypes.int8)
            return cast(function(x, y), dtypes.bool_)
        return function(x, y)

    wrapped.__doc__, wrapped.__name__ = doc, function.__name__
    return wrapped


bitwise_and = _of_bits(comparison.bitwise_and, "The bits that are set in both.")
bitwise_or = _of_bits(comparison.bitwise_or, "The bits that are set in either.")
bitwise_xor = _of_bits(comparison.bitwise_xor, "The bits that are set in one of both.")


def bitwise_left_shift(x: Any, y: Any) -> Tensor:
    """The bits moved up by y places: x * 2**y.

    >>> bitwise_left_shift([1, 3], 2).numpy()
    array([ 4, 12], dtype=int32)
    """
    return comparison.left_shift(*pair(numbers(x), numbers(y)))


def bitwise_right_shift(x: Any, y: Any) -> Tensor:
    """The bits moved down by y places: floor(x / 2**y)."""
    return comparison.right_shift(*pair(numbers(x), numbers(y)))


left_shift, right_shift = bitwise_left_shift, bitwise_right_shift


def bitwise_not(x: Any) -> Tensor:
    """The bits that are not set; of booleans the other one.

    >>> bitwise_not([0, 5]).numpy()
    array([-1, -6], dtype=int32)
    """
    x = convert(x)
    return comparison.logical_not(x) if x.dtype.is_bool else comparison.invert(x)


bitwise_invert = bitwise_not


# ---- activations


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha * (exp(x / alpha) - 1) below.

    >>> celu([-1.0, 2.0]).numpy().round(4)
    array([-0.6321,  2.    ], dtype=float32)
    """
    x = floats(x)
    below = alpha * elementwise.expm1(elementwise.minimum(x, zeros_like(x)) / alpha)
    return elementwise.maximum(x, zeros_like(x)) + below


def glu(x: Any, axis: int = -1) -> Tensor:
    """The first half of an axis, each element times the sigmoid of that of the second half.

    Raises ValueError where the axis has no halves.

    >>> glu([1.0, 2.0, 0.0, 0.0]).numpy()
    array([0.5, 1. ], dtype=float32)
    """
    first, second = split(floats(x), 2, axis=axis)
    return first * activations.sigmoid(second)


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x where it is further than `threshold` from 0, else 0."""
    x = floats(x)
    return where(elementwise.abs(x) > threshold, x, zeros_like(x))


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x moved by `threshold` towards 0, which it does not pass.

    >>> soft_shrink([-1.0, 0.3, 2.0]).numpy()
    array([-0.5,  0. ,  1.5], dtype=float32)
    """
    x = floats(x)
    return where(x > threshold, x - threshold, where(x < -threshold, x + threshold, zeros_like(x)))


def tanh_shrink(x: Any) -> Tensor:
    """x - tanh(x)."""
    x = floats(x)
    return x - keras_math.tanh(x)


def hard_tanh(x: Any) -> Tensor:
    """x cut off below -1 and above 1."""
    return elementwise.clip_by_value(floats(x), -1.0, 1.0)


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """x where it is above `threshold`, else `default_value`.

    >>> threshold([-1.0, 2.0], 0.0, 5.0).numpy()
    array([5., 2.], dtype=float32)
    """
    x = floats(x)
    return where(x > threshold, x, cast(default_value, x.dtype))


def squareplus(x: Any, b: float = 4) -> Tensor:
    """(x + sqrt(x**2 + b)) / 2, a smooth relu.

    >>> squareplus([0.0]).numpy()
    array([1.], dtype=float32)
    """
    x = floats(x)
    return (x + elementwise.sqrt(x * x + float(b))) / 2.0


def sparse_plus(x: Any) -> Tensor:
    """0 up to -1, x from 1 on, (x + 1)**2 / 4 between."""
    x = floats(x)
    return where(x < 1.0, elementwise.square(elementwise.clip_by_value(x, -1.0, 1.0) + 1.0) / 4.0, x)


def sparse_sigmoid(x: Any) -> Tensor:
    """0 up to -1, 1 from 1 on, (x + 1) / 2 between.

    >>> sparse_sigmoid([-3.0, 0.0, 3.0]).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return elementwise.clip_by_value((floats(x) + 1.0) / 2.0, 0.0, 1.0)
