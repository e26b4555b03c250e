"""Functions of analysis: erf, gamma and their kin."""

from __future__ import annotations

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
