"""Functions around the gamma function, of two or three arguments: incomplete gamma and beta, zeta, polygamma."""

from __future__ import annotations

from tensorsmith.ops.precise import FLOAT64
from tensorsmith.ops.special import special, wide
from tensorsmith.program.op import Array, Specs, elementwise
from tensorsmith.tensor.apply import op


@op(kinds="f", shapes=elementwise, quiet=True)
def igamma(xp, a: Array, x: Array):
    """The lower regularized incomplete gamma function, elementwise with broadcasting.

        P(a, x) = 1 / gamma(a) times the integral of t**(a - 1) * exp(-t) from 0 to x

    NaN for a <= 0 or x < 0.

    >>> import tensorsmith as tf
    >>> tf.math.igamma([1.0], [0.0]).numpy()
    array([0.], dtype=float32)
    """
    # (SciPy takes the limit at a = 0)
    return xp.where(a > 0, wide(xp, "gammainc", a, x), xp.nan).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def igammac(xp, a: Array, x: Array):
    """1 - igamma(a, x), elementwise with broadcasting, exact also where that is tiny.

    >>> import tensorsmith as tf
    >>> tf.math.igammac([1.0], [0.0]).numpy()
    array([1.], dtype=float32)
    """
    return xp.where(a > 0, wide(xp, "gammaincc", a, x), xp.nan).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True, steady=("a", "b"))
def betainc(xp, a: Array, b: Array, x: Array):
    """The regularized incomplete beta function, elementwise with broadcasting.

        I(a, b, x) = 1 / beta(a, b) times the integral of t**(a - 1) * (1 - t)**(b - 1) from 0 to x

    NaN unless a > 0, b > 0 and 0 <= x <= 1. To derivatives a and b are constants, as in TensorFlow.

    >>> import tensorsmith as tf
    >>> tf.math.betainc(1.0, 1.0, [0.0, 0.25, 1.0]).numpy()
    array([0.  , 0.25, 1.  ], dtype=float32)
    """
    return wide(xp, "betainc", a, b, x)


@op(kinds="f", shapes=elementwise, quiet=True, steady=("x",))
def zeta(xp, x: Array, q: Array):
    """The Hurwitz zeta function, elementwise with broadcasting: the sum of (k + q)**-x over k = 0, 1, 2, ...

    Infinite at x = 1; NaN for x < 1. To derivatives x is a constant, as in TensorFlow.

    >>> import tensorsmith as tf
    >>> tf.math.zeta(2.0, 1.0).numpy().item()
    1.6449...
    """
    return wide(xp, "zeta", x, q)


@op(kinds="f", shapes=elementwise, quiet=True, steady=("a",))
def polygamma(xp, a: Array, x: Array):
    """The derivative number `a` of digamma, elementwise with broadcasting; NaN unless `a` is 0, 1, 2, ...

    >>> import tensorsmith as tf
    >>> tf.math.polygamma(1.0, 1.0).numpy().item()
    1.6449...
    """
    functions, dtype = special(xp), x.dtype
    # in float64: n! and the sum differ by many orders
    a, x = a.astype(FLOAT64), x.astype(FLOAT64)
    whole = (a >= 0) & (a == xp.floor(a))
    n = xp.where(whole, a, 0.0)
    sign = xp.where(n % 2 == 1, 1.0, -1.0)
    # the sum of sign * n! / (k + x)**(n + 1)
    n1 = xp.where(n == 0, 1.0, n)
    series = sign * xp.exp(functions.gammaln(n1 + 1)) * functions.zeta(n1 + 1, x)
    found = xp.where(n == 0, functions.digamma(x), series)
    return xp.where(whole, found, xp.nan).astype(dtype)


def _without_last(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    if not shape:
        raise ValueError("x must have at least one axis")
    return [(shape[:-1], dtype)]


@op(kinds="f", shapes=_without_last, quiet=True)
def lbeta(xp, x: Array):
    """log|beta(x)| along the last axis: the sum of lgamma(x) less lgamma of the sum; -inf where the axis is empty.

    x: [..., n]; the result is [...].

    >>> import tensorsmith as tf
    >>> tf.math.lbeta([[1.0, 1.0], [2.0, 1.0]]).numpy().round(4)
    array([ 0.    , -0.6931], dtype=float32)
    """
    gammaln = special(xp).gammaln
    return (xp.sum(gammaln(x), axis=-1) - gammaln(xp.sum(x, axis=-1))).astype(x.dtype)
