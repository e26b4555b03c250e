"""Functions of float32 that XLA, or single precision, takes more than five units in the last place off, in other formulas.

What NumPy and XLA compute well is not here. `tests/support/accuracy.py` measures all elementwise operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

FLOAT32, FLOAT64 = np.dtype("float32"), np.dtype("float64")
# as a scalar: NumPy takes 0.3 µs longer to find the dtype of a Python number beside an array
_ONE = np.float64(1)


def with_slope(x: Any, value: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Any:
    """value(x) of a JAX array, and slope(x) as its derivative, instead of that of the formula in `value`."""
    from tensorsmith.program.execute import jax

    function = jax().custom_jvp(value)
    function.defjvps(lambda moved, _, x: moved * slope(x))
    return function(x)


def _in_single(x: Any, usual: Callable[[Any], Any], value: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Any:
    """usual(x) of JAX arrays, in float32 value(x); complex numbers keep to what is usual.

    The slope is the same for all dtypes, so that the stored derivative is one.
    """
    if x.dtype.kind != "f":
        return usual(x)
    return with_slope(x, value if x.dtype == FLOAT32 else usual, slope)


def exp_of(xp: Any, x: Any) -> Any:
    """e**x; XLA's own is 5.2 units off next to its overflow at 88.7."""
    return _in_single(x, xp.exp, lambda x: _exp(xp, x, 1.0), xp.exp)


def _exp(xp: Any, x: Any, factor: float) -> Any:
    """e**x * factor, which overflows where the product does."""
    high = x > 64
    return xp.exp(xp.where(high, x - 32, x)) * xp.where(high, np.float32(math.exp(32) * factor), np.float32(factor))


def expm1_of(xp: Any, x: Any) -> Any:
    """e**x - 1; XLA's own is 5 units off around -0.1."""

    if xp is np:
        return np.expm1(x)

    def value(x: Any) -> Any:
        # up to 1/2 the series, of which the next term would be less than a hundredth of a unit
        series = _horner([1 / math.factorial(k) for k in range(10, 0, -1)], x) * x
        return xp.where(xp.abs(x) < 0.5, series, _exp(xp, x, 1.0) - 1)

    return _in_single(x, xp.expm1, value, xp.exp)


def sinh_of(xp: Any, x: Any) -> Any:
    """(e**x - e**-x) / 2; XLA's own is 24 units off next to its overflow."""

    def value(x: Any) -> Any:
        series = _horner([1 / math.factorial(k) for k in range(13, 0, -2)], x * x) * x
        half = _exp(xp, xp.abs(x), 0.5)
        return xp.where(xp.abs(x) < 1, series, xp.sign(x) * (half - np.float32(0.25) / half))

    return _in_single(x, xp.sinh, value, xp.cosh)


def cosh_of(xp: Any, x: Any) -> Any:
    """(e**x + e**-x) / 2; XLA's own is 24 units off next to its overflow."""

    def value(x: Any) -> Any:
        half = _exp(xp, xp.abs(x), 0.5)
        return half + np.float32(0.25) / half

    return _in_single(x, xp.cosh, value, xp.sinh)


def asin_of(xp: Any, x: Any) -> Any:
    """The angle whose sine is x; XLA halves x on the way, and so loses the smallest numbers."""

    def value(x: Any) -> Any:
        return xp.where(xp.abs(x) < np.float32(1e-4), x, xp.arcsin(x))

    return _in_single(x, xp.arcsin, value, lambda x: 1 / xp.sqrt(1 - xp.square(x)))


def _horner(coefficients: list[float], x: Any) -> Any:
    """The polynomial with these coefficients, that of the highest power first."""
    total: Any = x.dtype.type(coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * x + x.dtype.type(coefficient)
    return total


# exp(t**2 / 2) * P(X < -t) * (t + 3) of a standard normal X as a polynomial in (t - 3) / (t + 3), for t from 0 to 14.6;
# found by least squares with weights until its relative error was the same all over, 1e-9
_NORMAL_TAIL = [
    5.44639374522e-05, 0.000131273563354, -0.00024474871087, -0.0010325371702, 0.00102477645986, 0.00696930478179,
    -0.0104625184345, -0.0472626877321, 0.230017699815, -0.509331991407, 0.729083690372,
]  # fmt: skip


def _normal_below(xp: Any, x: Any) -> Any:
    """P(X <= x) of a standard normal X as float64, for float32 x: with the digits that float32 has, also far below 0."""
    wide = x.astype(FLOAT64)
    t = xp.abs(wide)
    s = 1 / (t + 3)
    tail = xp.exp(t * t * -0.5) * _horner(_NORMAL_TAIL, 1 - 6 * s) * s
    return xp.where(wide > 0, 1 - tail, tail)


def gelu_of(xp: Any, x: Any) -> Any:
    """x * P(X <= x) of a standard normal X.

    x**2 / 2 has no room for its digits in float32: at -10 the result would be 100 units off.
    """
    from tensorsmith.ops.special import special

    if xp is np or x.dtype != FLOAT32:
        wide = x.astype(FLOAT64) if xp is np else x
        # erfc keeps the digits that 1 + erf loses far below 0
        below = special(np).ndtr(wide) if xp is np else 0.5 * special(xp).erfc(wide * -math.sqrt(0.5))
        return (wide * below).astype(x.dtype)

    def slope(x: Any) -> Any:
        # in float32, which is off where the slope is next to nothing
        below = 0.5 * special(xp).erfc(x * np.float32(-math.sqrt(0.5)))
        return below + x * np.float32(1 / math.sqrt(2 * math.pi)) * xp.exp(x * x * np.float32(-0.5))

    return with_slope(x, lambda x: (x.astype(FLOAT64) * _normal_below(xp, x)).astype(FLOAT32), slope)


def gated(xp: Any, x: Any, gate: Callable[[Any], Any], gate_slope: Callable[[Any], Any]) -> Any:
    """x * sigmoid(gate(x)), the gate computed in float64: one that is far below 0 is the exponent of the result.

    gate_slope  the derivative of gate.
    """
    from tensorsmith.ops.activations import sigmoid_of

    def value(x: Any) -> Any:
        wide = x.astype(FLOAT64)
        e = xp.exp(-gate(wide))
        return (wide / (e + _ONE)).astype(x.dtype)

    if xp is np:
        return value(x)

    def slope(x: Any) -> Any:
        s = sigmoid_of(xp, gate(x))
        return s + x * gate_slope(x) * s * (1 - s)

    return with_slope(x, value, slope)


def mish_of(xp: Any, x: Any) -> Any:
    """x * tanh(log(1 + exp(x))) of JAX arrays, in float64, as exp(x) is smaller than the smallest float32 where the
    result is not."""
    from tensorsmith.ops.activations import sigmoid_of, softplus_of

    def value(x: Any) -> Any:
        # tanh(log(1 + e)) is e (e + 2) / (e (e + 2) + 2); above 40 it is 1
        wide = x.astype(FLOAT64)
        e = xp.exp(xp.minimum(wide, 40.0))
        n = e * (e + 2.0)
        return (wide * (n / (n + 2.0))).astype(x.dtype)

    def slope(x: Any) -> Any:
        t = xp.tanh(softplus_of(xp, x))
        return t + x * sigmoid_of(xp, x) * (1 - t * t)

    return with_slope(x, value, slope)
