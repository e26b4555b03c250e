"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

import numpy as np

from tensorsmith.ops.precise import asin_of, cosh_of, sinh_of
from tensorsmith.program.op import Array, elementwise
from tensorsmith.tensor.apply import op


@op(kinds="fc", shapes=elementwise, quiet=True)
def sin(xp, x: Array):
    """The sine of x radians, elementwise.

    >>> import tensorsmith as tf
    >>> tf.sin([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return xp.sin(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def cos(xp, x: Array):
    """The cosine of x radians, elementwise.

    >>> import tensorsmith as tf
    >>> tf.cos([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return xp.cos(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def tan(xp, x: Array):
    """The tangent of x radians, elementwise.

    >>> import tensorsmith as tf
    >>> tf.tan([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return xp.tan(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def asin(xp, x: Array):
    """The angle in radians whose sine is x, elementwise; NaN beyond [-1, 1].

    >>> import tensorsmith as tf
    >>> tf.asin([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return np.arcsin(x) if xp is np else asin_of(xp, x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def acos(xp, x: Array):
    """The angle in radians whose cosine is x, elementwise; NaN beyond [-1, 1].

    >>> import tensorsmith as tf
    >>> tf.acos([1.0]).numpy()
    array([0.], dtype=float32)
    """
    return xp.arccos(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def atan(xp, x: Array):
    """The angle in radians whose tangent is x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.atan([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return xp.arctan(x)


@op(kinds="f", shapes=elementwise, quiet=True)
def atan2(xp, y: Array, x: Array):
    """The angle in radians, within [-pi, pi], of the point (x, y), elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.atan2([0.0], [1.0]).numpy()
    array([0.], dtype=float32)
    """
    return xp.arctan2(y, x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def sinh(xp, x: Array):
    """(e**x - e**-x) / 2, elementwise.

    >>> import tensorsmith as tf
    >>> tf.sinh([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return np.sinh(x) if xp is np else sinh_of(xp, x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def cosh(xp, x: Array):
    """(e**x + e**-x) / 2, elementwise.

    >>> import tensorsmith as tf
    >>> tf.cosh([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return np.cosh(x) if xp is np else cosh_of(xp, x)


@op(kinds="fc", shapes=elementwise)
def tanh(xp, x: Array):
    """sinh(x) / cosh(x), elementwise.

    >>> import tensorsmith as tf
    >>> tf.tanh([0.0, 100.0]).numpy()
    array([0., 1.], dtype=float32)
    """
    return xp.tanh(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def asinh(xp, x: Array):
    """The inverse of sinh, elementwise.

    >>> import tensorsmith as tf
    >>> tf.asinh([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return xp.arcsinh(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def acosh(xp, x: Array):
    """The inverse of cosh, elementwise; NaN below 1.

    >>> import tensorsmith as tf
    >>> tf.acosh([1.0]).numpy()
    array([0.], dtype=float32)
    """
    return xp.arccosh(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def atanh(xp, x: Array):
    """The inverse of tanh, elementwise; infinite at -1 and 1.

    >>> import tensorsmith as tf
    >>> tf.atanh([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return xp.arctanh(x)
