"""Functions of analysis of one argument: erf, gamma, Bessel functions and their kin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.program.op import Array, elementwise
from tensorsmith.tensor.apply import op


def special(xp: Any) -> Any:
    """SciPy's special functions, or JAX's; neither is imported before it is needed."""
    if xp is np:
        import scipy.special

        return scipy.special
    from tensorsmith.program.execute import jax

    jax()
    import jax.scipy.special

    return jax.scipy.special


@op(kinds="f", shapes=elementwise)
def erf(xp, x: Array):
    """The error function: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.erf([0.0, 9.0]).numpy()
    array([0., 1.], dtype=float32)
    """
    return special(xp).erf(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise)
def erfc(xp, x: Array):
    """1 - erf(x), elementwise, exact also where that is tiny.

    >>> import tensorsmith as tf
    >>> tf.math.erfc([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return special(xp).erfc(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def erfinv(xp, x: Array):
    """The inverse of erf, elementwise; infinite at -1 and 1.

    >>> import tensorsmith as tf
    >>> tf.math.erfinv([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return special(xp).erfinv(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def ndtri(xp, x: Array):
    """The place below which a standard normal falls with probability x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.ndtri([0.5]).numpy()
    array([0.], dtype=float32)
    """
    return special(xp).ndtri(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def lgamma(xp, x: Array):
    """log|gamma(x)|, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.lgamma([1.0]).numpy()
    array([0.], dtype=float32)
    """
    return special(xp).gammaln(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def digamma(xp, x: Array):
    """The derivative of lgamma, elementwise.

    >>> import tensorsmith as tf
    >>> round(tf.math.digamma(1.0).numpy().item(), 4)
    -0.5772
    """
    return special(xp).digamma(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise)
def bessel_i0(xp, x: Array):
    """The modified Bessel function of the first kind and order 0, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.bessel_i0([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return special(xp).i0(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise)
def bessel_i1(xp, x: Array):
    """The modified Bessel function of the first kind and order 1, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.bessel_i1([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return special(xp).i1(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise)
def bessel_i0e(xp, x: Array):
    """exp(-|x|) * bessel_i0(x), elementwise, without overflow.

    >>> import tensorsmith as tf
    >>> tf.math.bessel_i0e([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return special(xp).i0e(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise)
def bessel_i1e(xp, x: Array):
    """exp(-|x|) * bessel_i1(x), elementwise, without overflow.

    >>> import tensorsmith as tf
    >>> tf.math.bessel_i1e([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return special(xp).i1e(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def erfcinv(xp, x: Array):
    """The inverse of erfc, elementwise; infinite at 0 and 2, NaN beyond.

    >>> import tensorsmith as tf
    >>> tf.math.erfcinv([1.0, 0.0]).numpy()
    array([-0., inf], dtype=float32)
    """
    # by way of the normal quantile: 1 - x would lose all digits near 0
    return (special(xp).ndtri(x / 2) * x.dtype.type(-math.sqrt(0.5))).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def dawsn(xp, x: Array):
    """Dawson's integral, elementwise: exp(-x**2) times the integral of exp(t**2) from 0 to x.

    >>> import tensorsmith as tf
    >>> tf.math.special.dawsn([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return special(xp).dawsn(x).astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def expint(xp, x: Array):
    """The exponential integral, elementwise: the principal value of the integral of exp(t) / t from -inf to x.

    -inf at 0. NaN below 0, as in TensorFlow.

    >>> import tensorsmith as tf
    >>> tf.math.special.expint([0.0, 1.0]).numpy().round(4)
    array([  -inf, 1.8951], dtype=float32)
    """
    return xp.where(x < 0, xp.full_like(x, xp.nan), special(xp).expi(x).astype(x.dtype))


@op(kinds="f", shapes=elementwise, quiet=True)
def fresnel_cos(xp, x: Array):
    """The integral of cos(pi / 2 * t**2) from 0 to x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.special.fresnel_cos([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return special(xp).fresnel(x)[1].astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def fresnel_sin(xp, x: Array):
    """The integral of sin(pi / 2 * t**2) from 0 to x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.special.fresnel_sin([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return special(xp).fresnel(x)[0].astype(x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def spence(xp, x: Array):
    """Spence's function, elementwise: the integral of log(t) / (1 - t) from 1 to x; NaN below 0.

    >>> import tensorsmith as tf
    >>> tf.math.special.spence([1.0]).numpy()
    array([0.], dtype=float32)
    """
    if xp is np:
        return special(np).spence(x).astype(x.dtype)
    from tensorsmith.program.execute import jax

    @jax().custom_jvp
    def value(x: Any) -> Any:
        return special(xp).spence(x).astype(x.dtype)

    # JAX's own derivative is NaN in places
    value.defjvps(lambda moved, _, x: moved * xp.where(x == 1, -1, xp.log(x) / xp.where(x == 1, 1, 1 - x)))
    return value(x)
