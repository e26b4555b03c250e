"""Functions of analysis of one argument: erf, gamma, Bessel functions and their kin."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.ops.bare import count_nonzero
from tensorsmith.ops.precise import FLOAT32, FLOAT64, with_slope
from tensorsmith.ops.reductions import still
from tensorsmith.program.op import Array, elementwise
from tensorsmith.tensor.apply import op

_imported: dict[bool, Any] = {}
_maximum = np.maximum


def special(xp: Any) -> Any:
    """SciPy's special functions, or JAX's; neither is imported before it is needed."""
    found = _imported.get(xp is np)
    if found is None:
        if xp is np:
            import scipy.special as found
        else:
            from tensorsmith.program.execute import jax

            jax()
            import jax.scipy.special as found

        _imported[xp is np] = found
    return found


def _at_once(name: str) -> Callable[[Any, Any], Any]:
    """What an operation that is SciPy's function does with float32 (`direct` of `op`); that is found at the first call.

    SciPy keeps its own record of errors: NumPy warns of nothing in it.
    """
    function: Any = None

    def direct(xp: Any, x: Any) -> Any:
        nonlocal function
        if function is None:
            function = getattr(special(np), name)
        return function(x)

    return direct


# SciPy computes these in float64 itself, or within 3 units in float32
_WIDE_IN_SCIPY = frozenset(
    "erf erfc erfcinv expi ndtri erfinv gammaln digamma i0 i1 i0e i1e dawsn fresnel spence zeta gammainc gammaincc".split()
)


def wide(xp: Any, name: str, *arrays: Any) -> Any:
    """The special function `name` of SciPy or JAX, computed in float64: in float32 their series and fractions lose digits.

    The result (or each of several) has the dtype of the last of the arrays.
    """
    if xp is np and name in _WIDE_IN_SCIPY:
        found = getattr(special(np), name)(*arrays)
    else:
        found = getattr(special(xp), name)(*[array.astype(FLOAT64) for array in arrays])
    dtype = arrays[-1].dtype
    if type(found) is tuple:
        return tuple([part.astype(dtype) for part in found])
    return found if found.dtype is dtype else found.astype(dtype)


def _error_function(xp: Any, name: str, x: Any, slope: float) -> Any:
    """erf or erfc, with its slope at 0."""
    if xp is np:
        return wide(np, name, x)
    return with_slope(x, lambda x: wide(xp, name, x), lambda x: x.dtype.type(slope) * xp.exp(-xp.square(x)))


@op(kinds="f", shapes=elementwise, direct=_at_once("erf"))
def erf(xp, x: Array):
    """The error function: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.erf([0.0, 9.0]).numpy()
    array([0., 1.], dtype=float32)
    """
    return _error_function(xp, "erf", x, 2 / math.sqrt(math.pi))


@op(kinds="f", shapes=elementwise, direct=_at_once("erfc"))
def erfc(xp, x: Array):
    """1 - erf(x), elementwise, exact also where that is tiny.

    >>> import tensorsmith as tf
    >>> tf.math.erfc([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return _error_function(xp, "erfc", x, -2 / math.sqrt(math.pi))


@op(kinds="f", shapes=elementwise, quiet=True, direct=_at_once("erfinv"))
def erfinv(xp, x: Array):
    """The inverse of erf, elementwise; infinite at -1 and 1.

    >>> import tensorsmith as tf
    >>> tf.math.erfinv([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return wide(xp, "erfinv", x)


@op(kinds="f", shapes=elementwise, quiet=True, direct=_at_once("ndtri"))
def ndtri(xp, x: Array):
    """The place below which a standard normal falls with probability x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.ndtri([0.5]).numpy()
    array([0.], dtype=float32)
    """
    return wide(xp, "ndtri", x)


@functools.cache
def _lowest(dtype: np.dtype) -> Any:
    return np.array(np.finfo(dtype).min if dtype.kind == "f" else float("-3.3e38"), dtype)


_LOWEST_SINGLE, _gammaln = _lowest(FLOAT32), _at_once("gammaln")


@op(
    kinds="f", shapes=elementwise, quiet=True,
    direct=lambda xp, x: _gammaln(xp, _maximum(x, _LOWEST_SINGLE)),
)  # fmt: skip
def lgamma(xp, x: Array):
    """log|gamma(x)|, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.lgamma([1.0]).numpy()
    array([0.], dtype=float32)
    """
    if xp is np:
        # SciPy has -inf at -inf; the lowest number is a pole, as every whole one
        return wide(np, "gammaln", _maximum(x, _lowest(x.dtype)))
    found = wide(xp, "gammaln", x)
    # JAX's is some 1e-16 where the function passes 0
    return found - still(xp, xp.where((x == 1) | (x == 2), found, xp.zeros_like(found)))


@op(kinds="f", shapes=elementwise, quiet=True)
def digamma(xp, x: Array):
    """The derivative of lgamma, elementwise; NaN at 0, -1, -2, ...

    >>> import tensorsmith as tf
    >>> round(tf.math.digamma(1.0).numpy().item(), 4)
    -0.5772
    """
    found = wide(xp, "digamma", x)
    if xp is np and count_nonzero(x) == x.size:
        return found
    return xp.where(x == 0, xp.full_like(x, xp.nan), found)


@op(kinds="f", shapes=elementwise, direct=_at_once("i0"))
def bessel_i0(xp, x: Array):
    """The modified Bessel function of the first kind and order 0, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.bessel_i0([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return wide(xp, "i0", x)


@op(kinds="f", shapes=elementwise, direct=_at_once("i1"))
def bessel_i1(xp, x: Array):
    """The modified Bessel function of the first kind and order 1, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.bessel_i1([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return wide(xp, "i1", x)


@op(kinds="f", shapes=elementwise, direct=_at_once("i0e"))
def bessel_i0e(xp, x: Array):
    """exp(-|x|) * bessel_i0(x), elementwise, without overflow.

    >>> import tensorsmith as tf
    >>> tf.math.bessel_i0e([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return wide(xp, "i0e", x)


@op(kinds="f", shapes=elementwise, direct=_at_once("i1e"))
def bessel_i1e(xp, x: Array):
    """exp(-|x|) * bessel_i1(x), elementwise, without overflow.

    >>> import tensorsmith as tf
    >>> tf.math.bessel_i1e([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return wide(xp, "i1e", x)


@op(kinds="f", shapes=elementwise, quiet=True, direct=_at_once("erfcinv"))
def erfcinv(xp, x: Array):
    """The inverse of erfc, elementwise; infinite at 0 and 2, NaN beyond.

    >>> import tensorsmith as tf
    >>> tf.math.erfcinv([1.0, 0.0]).numpy()
    array([-0., inf], dtype=float32)
    """
    if xp is np:
        return wide(np, "erfcinv", x)
    # by way of the normal quantile: 1 - x would lose all digits near 0
    return (special(xp).ndtri(x.astype(FLOAT64) / 2) * -math.sqrt(0.5)).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def dawsn(xp, x: Array):
    """Dawson's integral, elementwise: exp(-x**2) times the integral of exp(t**2) from 0 to x.

    >>> import tensorsmith as tf
    >>> tf.math.special.dawsn([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return wide(xp, "dawsn", x)


@op(kinds="f", shapes=elementwise, quiet=True)
def expint(xp, x: Array):
    """The exponential integral, elementwise: the principal value of the integral of exp(t) / t from -inf to x.

    -inf at 0. NaN below 0, as in TensorFlow.

    >>> import tensorsmith as tf
    >>> tf.math.special.expint([0.0, 1.0]).numpy().round(4)
    array([  -inf, 1.8951], dtype=float32)
    """
    if xp is np:
        found, below = wide(np, "expi", x), x < 0
        return np.where(below, x.dtype.type(np.nan), found) if count_nonzero(below) else found
    return with_slope(x, lambda x: _expint(xp, x), lambda x: xp.where(x < 0, xp.zeros_like(x), xp.exp(x) / x))


def _expint(xp: Any, x: Any) -> Any:
    """The exponential integral of JAX arrays: JAX's own goes through a loop that does not end for some of them."""
    wide = xp.where(x > 0, x.astype(FLOAT64), xp.nan)
    # terms x**n / (n n!) up to 40, of which 120 are enough; beyond it n! / x**n until they grow again
    near = xp.where(wide < 40, wide, 1.0)
    series: Any = 0.0
    for n in range(120, 0, -1):
        series = near / n * (1 / n + series)
    far = xp.where(wide < 40, 40.0, wide)
    asymptotic: Any = 1.0
    for n in range(40, 0, -1):
        asymptotic = 1 + n / far * asymptotic
    found = xp.where(wide < 40, np.euler_gamma + xp.log(near) + series, xp.exp(far) / far * asymptotic)
    found = xp.where(wide == np.inf, np.inf, xp.where(x == 0, -np.inf, xp.where(wide > 0, found, wide)))
    return found.astype(x.dtype)


def _fresnel(xp: Any, x: Any, which: int) -> Any:
    """The integral of sin(pi / 2 * t**2) (which = 0) or cos (1) from 0 to x."""
    if xp is np:
        return wide(np, "fresnel", x)[which]

    def value(x: Any) -> Any:
        found = special(xp).fresnel(x.astype(FLOAT64))[which]
        # beyond 36974 JAX gives the limit, a half, which the waves leave by 1e-5
        far = xp.clip(xp.abs(x.astype(FLOAT64)), 3e4, 1e9)
        turn = xp.remainder(far * far, 4.0) * (math.pi / 2)
        wave = (xp.sin(turn) if which else -xp.cos(turn)) / (math.pi * far)
        limit = xp.sign(x) * xp.where(xp.isinf(x), 0.5, 0.5 + wave)
        return xp.where(xp.abs(x) > 3e4, limit, found).astype(x.dtype)

    return with_slope(x, value, lambda x: (xp.cos if which else xp.sin)(math.pi / 2 * x * x).astype(x.dtype))


@op(kinds="f", shapes=elementwise, quiet=True)
def fresnel_cos(xp, x: Array):
    """The integral of cos(pi / 2 * t**2) from 0 to x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.special.fresnel_cos([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return _fresnel(xp, x, 1)


@op(kinds="f", shapes=elementwise, quiet=True)
def fresnel_sin(xp, x: Array):
    """The integral of sin(pi / 2 * t**2) from 0 to x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.special.fresnel_sin([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return _fresnel(xp, x, 0)


@op(kinds="f", shapes=elementwise, quiet=True)
def spence(xp, x: Array):
    """Spence's function, elementwise: the integral of log(t) / (1 - t) from 1 to x; NaN below 0.

    >>> import tensorsmith as tf
    >>> tf.math.special.spence([1.0]).numpy()
    array([0.], dtype=float32)
    """
    if xp is np:
        return wide(np, "spence", x)

    def value(x: Any) -> Any:
        return special(xp).spence(x.astype(FLOAT64)).astype(x.dtype)

    # JAX's own derivative is NaN in places
    return with_slope(x, value, lambda x: xp.where(x == 1, -1, xp.log(x) / xp.where(x == 1, 1, 1 - x)))
