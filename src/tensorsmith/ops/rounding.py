"""Rounding, neighbours among floats, and asking whether numbers are finite."""

from __future__ import annotations

from tensorsmith.program.op import Array, elementwise, predicate
from tensorsmith.tensor.apply import op


@op(name="floor", kinds="f", shapes=elementwise)
def floor(xp, x: Array):
    """The greatest whole number that is not above x, elementwise; the dtype stays.

    >>> import tensorsmith as tf
    >>> tf.floor([1.5, -1.5]).numpy()
    array([ 1., -2.], dtype=float32)
    """
    return xp.floor(x)


@op(kinds="f", shapes=elementwise)
def ceil(xp, x: Array):
    """The smallest whole number that is not below x, elementwise; the dtype stays.

    >>> import tensorsmith as tf
    >>> tf.math.ceil([1.5, -1.5]).numpy()
    array([ 2., -1.], dtype=float32)
    """
    return xp.ceil(x)


@op(name="round", kinds="fiu", shapes=elementwise)
def round_(xp, x: Array):
    """The nearest whole number, elementwise; halves go to the even one. The dtype stays.

    >>> import tensorsmith as tf
    >>> tf.round([0.5, 1.5, -0.6]).numpy()
    array([ 0.,  2., -1.], dtype=float32)
    """
    if x.dtype.kind in "iu":
        return x
    # NumPy's round leaves bfloat16, of kind V to it, as it is
    return xp.rint(x)


@op(kinds="f", shapes=elementwise)
def trunc(xp, x: Array):
    """x without its fraction, elementwise; the dtype stays.

    >>> import tensorsmith as tf
    >>> from tensorsmith.ops.rounding import trunc
    >>> trunc(tf.constant([1.7, -1.7])).numpy()
    array([ 1., -1.], dtype=float32)
    """
    return xp.trunc(x)


@op(kinds="f", shapes=elementwise, differentiable=False)
def nextafter(xp, x1: Array, x2: Array):
    """The float beside x1 in the direction of x2, elementwise with broadcasting; x2 where both are equal.

    >>> import tensorsmith as tf
    >>> (tf.math.nextafter([1.0], [2.0]) - 1.0).numpy() == 2.0**-23
    array([ True])
    """
    return xp.nextafter(x1, x2)


@op(kinds="fc", shapes=predicate)
def is_nan(xp, x: Array):
    """True where x is not a number.

    >>> import tensorsmith as tf
    >>> tf.math.is_nan([1.0, float("nan")]).numpy()
    array([False,  True])
    """
    return xp.isnan(x)


@op(kinds="fc", shapes=predicate)
def is_inf(xp, x: Array):
    """True where x is infinite.

    >>> import tensorsmith as tf
    >>> tf.math.is_inf([1.0, float("inf")]).numpy()
    array([False,  True])
    """
    return xp.isinf(x)


@op(kinds="fc", shapes=predicate)
def is_finite(xp, x: Array):
    """True where x is neither NaN nor infinite.

    >>> import tensorsmith as tf
    >>> tf.math.is_finite([1.0, float("nan")]).numpy()
    array([ True, False])
    """
    return xp.isfinite(x)
