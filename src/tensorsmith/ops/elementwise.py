"""Arithmetic, powers, exponentials, trigonometry, rounding."""

from __future__ import annotations

from tensorsmith.program.op import Array, elementwise
from tensorsmith.tensor.apply import op


@op(shapes=elementwise)
def add(xp, x: Array, y: Array):
    """x + y, elementwise with broadcasting; strings are joined.

    >>> import tensorsmith as tf
    >>> tf.add([1.0, 2.0], 1.0).numpy()
    array([2., 3.], dtype=float32)
    """
    return xp.add(x, y)


@op(kinds="fiuc", shapes=elementwise)
def subtract(xp, x: Array, y: Array):
    """x - y, elementwise with broadcasting."""
    return xp.subtract(x, y)


@op(kinds="fiuc", shapes=elementwise)
def multiply(xp, x: Array, y: Array):
    """x * y, elementwise with broadcasting."""
    return xp.multiply(x, y)


@op(kinds="fiuc", shapes=elementwise)
def square(xp, x: Array):
    """x * x, elementwise."""
    return xp.square(x)
