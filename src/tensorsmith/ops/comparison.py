"""Comparisons, logic, bits, and the choice between two tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import context, dtypes
from tensorsmith.core.errors import DtypeError, explain
from tensorsmith.program.op import Array, Specs, elementwise, predicate
from tensorsmith.tensor.apply import apply, op, primitive, public, wrap
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_busy = context.busy


@op(shapes=predicate)
def equal(xp, x: Array, y: Array):
    """True where x is y, elementwise with broadcasting; NaN equals nothing.

    >>> import tensorsmith as tf
    >>> tf.equal([1, 2], 2).numpy()
    array([False,  True])
    """
    return xp.equal(x, y)


@op(shapes=predicate)
def not_equal(xp, x: Array, y: Array):
    """True where x is not y, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.not_equal([1, 2], 2).numpy()
    array([ True, False])
    """
    return xp.not_equal(x, y)


@op(kinds="fiu", shapes=predicate)
def less(xp, x: Array, y: Array):
    """True where x < y, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.less([1, 2], 2).numpy()
    array([ True, False])
    """
    return xp.less(x, y)


@op(kinds="fiu", shapes=predicate)
def less_equal(xp, x: Array, y: Array):
    """True where x <= y, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.less_equal([1, 2], 1).numpy()
    array([ True, False])
    """
    return xp.less_equal(x, y)


@op(kinds="fiu", shapes=predicate)
def greater(xp, x: Array, y: Array):
    """True where x > y, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.greater([1, 2], 1).numpy()
    array([False,  True])
    """
    return xp.greater(x, y)


@op(kinds="fiu", shapes=predicate)
def greater_equal(xp, x: Array, y: Array):
    """True where x >= y, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.greater_equal([1, 2], 2).numpy()
    array([False,  True])
    """
    return xp.greater_equal(x, y)


@op(kinds="b", shapes=predicate)
def logical_and(xp, x: Array, y: Array):
    """True where both are, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.logical_and([True, True], [True, False]).numpy()
    array([ True, False])
    """
    return xp.logical_and(x, y)


@op(kinds="b", shapes=predicate)
def logical_or(xp, x: Array, y: Array):
    """True where either is, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.logical_or([False, True], False).numpy()
    array([False,  True])
    """
    return xp.logical_or(x, y)


@op(kinds="b", shapes=predicate)
def logical_xor(xp, x: Array, y: Array):
    """True where one is and the other is not, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.math.logical_xor([True, True], [True, False]).numpy()
    array([False,  True])
    """
    return xp.logical_xor(x, y)


@op(kinds="b", shapes=predicate)
def logical_not(xp, x: Array):
    """True where x is False, elementwise.

    >>> import tensorsmith as tf
    >>> tf.logical_not([True, False]).numpy()
    array([False,  True])
    """
    return xp.logical_not(x)


@op(kinds="iu", shapes=elementwise)
def bitwise_and(xp, x: Array, y: Array):
    """The bits that both integers have, elementwise.

    >>> import tensorsmith as tf
    >>> tf.bitwise.bitwise_and([6], [3]).numpy()
    array([2], dtype=int32)
    """
    return xp.bitwise_and(x, y)


@op(kinds="iu", shapes=elementwise)
def bitwise_or(xp, x: Array, y: Array):
    """The bits that either integer has, elementwise.

    >>> import tensorsmith as tf
    >>> tf.bitwise.bitwise_or([6], [3]).numpy()
    array([7], dtype=int32)
    """
    return xp.bitwise_or(x, y)


@op(kinds="iu", shapes=elementwise)
def bitwise_xor(xp, x: Array, y: Array):
    """The bits that one integer has and the other has not, elementwise.

    >>> import tensorsmith as tf
    >>> tf.bitwise.bitwise_xor([6], [3]).numpy()
    array([5], dtype=int32)
    """
    return xp.bitwise_xor(x, y)


@op(kinds="iu", shapes=elementwise)
def invert(xp, x: Array):
    """Every bit flipped, elementwise.

    >>> import tensorsmith as tf
    >>> tf.bitwise.invert([0, 5]).numpy()
    array([-1, -6], dtype=int32)
    """
    return xp.invert(x)


@op(kinds="iu", shapes=elementwise)
def left_shift(xp, x: Array, y: Array):
    """The bits of x moved up by y places, elementwise.

    >>> import tensorsmith as tf
    >>> tf.bitwise.left_shift([1], [3]).numpy()
    array([8], dtype=int32)
    """
    return xp.left_shift(x, y)


@op(kinds="iu", shapes=elementwise)
def right_shift(xp, x: Array, y: Array):
    """The bits of x moved down by y places, elementwise; the sign stays.

    >>> import tensorsmith as tf
    >>> tf.bitwise.right_shift([8], [3]).numpy()
    array([1], dtype=int32)
    """
    return xp.right_shift(x, y)


def _where_shape(specs: Specs, settings: dict) -> Specs:
    return [(elementwise(specs, settings)[0][0], specs[1][1])]


@primitive(name="where", same=frozenset({"x", "y"}), shapes=_where_shape)
def _where(xp, condition: Array, x: Array, y: Array):
    return xp.where(condition, x, y)


def _rows_unknown(specs: Specs, settings: dict) -> Specs:
    return [((None, len(specs[0][0])), np.dtype("int64"))]


@primitive(name="nonzero_rows", eager=True, differentiable=False, shapes=_rows_unknown)
def _nonzero_rows(xp, condition: Array):
    return xp.argwhere(condition).astype("int64")


@public
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """x where the condition is true, y elsewhere, elementwise with broadcasting.

    condition  booleans; numbers too where it stands alone, and count as true unless they are 0.
    x, y       of one dtype; without them the result is the places [n, rank] (int64) where the condition is true.

    Raises ValueError when one of x and y is given without the other, DtypeError where numbers choose between two tensors.

    >>> import tensorsmith as tf
    >>> tf.where([True, False], [1.0, 2.0], 0.0).numpy()
    array([1., 0.], dtype=float32)
    >>> tf.where([[False, True], [True, False]]).numpy()
    array([[0, 1],
           [1, 0]])
    """
    if (x is None) != (y is None):
        raise ValueError("where: x and y must both be given, or neither.")
    if x is None:
        return apply(_nonzero_rows, (condition,), {})
    if type(condition) is Tensor and type(x) is Tensor and type(y) is Tensor and not _busy:
        a, b = x._array, y._array
        if a.dtype is b.dtype and condition._array.dtype.kind == "b":
            try:
                return wrap(np.where(condition._array, a, b))
            except ValueError:
                pass  # told in full below
    if not hasattr(condition, "dtype"):
        condition = convert(condition)
    if dtypes.as_dtype(condition.dtype) is not dtypes.bool_:
        raise DtypeError(
            explain(
                "where",
                f"the condition is {condition.dtype.name}",
                {"condition": condition.shape},
                "it is booleans where it chooses between x and y",
                "Compare it: condition != 0.",
            )
        )
    return apply(_where, (condition, x, y), {})
