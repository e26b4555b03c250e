"""Arithmetic, powers, roots, exponentials and logarithms."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.bare import clip, count_nonzero
from tensorsmith.ops.guards import guard, never_negative, never_zero
from tensorsmith.ops.precise import exp_of, expm1_of
from tensorsmith.ops.reductions import still
from tensorsmith.program.op import Array, Arrays, Specs, elementwise
from tensorsmith.tensor.apply import apply, op, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# names bound here save 30 ns a call each
_log, _log1p, _reciprocal, _sqrt = np.log, np.log1p, np.reciprocal, np.sqrt


@op(kinds="fiucO", shapes=elementwise)
def add(xp, x: Array, y: Array):
    """x + y, elementwise with broadcasting; strings are joined.

    >>> import tensorsmith as tf
    >>> tf.add([1.0, 2.0], 1.0).numpy()
    array([2., 3.], dtype=float32)
    """
    return xp.add(x, y)


@op(kinds="fiuc", shapes=elementwise)
def subtract(xp, x: Array, y: Array):
    """x - y, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.subtract([1, 2], 1).numpy()
    array([0, 1], dtype=int32)
    """
    return xp.subtract(x, y)


@op(kinds="fiuc", shapes=elementwise)
def multiply(xp, x: Array, y: Array):
    """x * y, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.multiply([1.0, 2.0], [[2.0], [3.0]]).numpy()
    array([[2., 4.],
           [3., 6.]], dtype=float32)
    """
    return xp.multiply(x, y)


# the float dtype in which integers are divided, as TensorFlow does: those of at most 16 bits fit float32
_QUOTIENT = {np.dtype(name): np.dtype("float32") for name in ("int8", "uint8", "int16", "uint16")}
_FLOAT64 = np.dtype("float64")


def _quotient_shape(specs: Specs, settings: dict) -> Specs:
    shape, dtype = elementwise(specs, settings)[0]
    return [(shape, _QUOTIENT.get(dtype, _FLOAT64) if dtype.kind in "iu" else dtype)]


@op(kinds="fiuc", shapes=_quotient_shape, quiet=True)
def divide(xp, x: Array, y: Array):
    """x / y, elementwise with broadcasting; integers give float64 (float32 when they have at most 16 bits).

    >>> import tensorsmith as tf
    >>> tf.divide([1, 3], 2).numpy()
    array([0.5, 1.5])
    """
    if x.dtype.kind in "iu":
        wide = _QUOTIENT.get(x.dtype, _FLOAT64)
        return xp.true_divide(x.astype(wide), y.astype(wide))
    return xp.true_divide(x, y)


truediv = divide


def _refuse_zero(xp: Any, name: str, y: Any) -> None:
    # where XLA runs it, which cannot raise and gives -1, a guard tells the user
    if xp is np and y.dtype.kind in "iu" and not np.all(y):
        raise InvalidArgumentError(explain(name, "integer division by zero", {"y": np.asarray(y).tolist()}))


@op(kinds="fc", shapes=elementwise, quiet=True)
def realdiv(xp, x: Array, y: Array):
    """x / y of real or complex numbers, elementwise with broadcasting; integers are refused.

    >>> import tensorsmith as tf
    >>> tf.realdiv([1.0, 3.0], 2.0).numpy()
    array([0.5, 1.5], dtype=float32)
    """
    return xp.true_divide(x, y)


@op(kinds="fiu", shapes=elementwise, quiet=True)
def truncatediv(xp, x: Array, y: Array):
    """x / y without the fraction, elementwise: -7 / 3 is -2. An integer y of 0 raises InvalidArgumentError.

    >>> import tensorsmith as tf
    >>> tf.truncatediv([-7, 7], 3).numpy()
    array([-2,  2], dtype=int32)
    """
    if x.dtype.kind not in "iu":
        return xp.trunc(xp.true_divide(x, y))
    _refuse_zero(xp, "truncatediv", y)
    # what is left has the sign of x, so the division has no remainder
    return xp.floor_divide(x - xp.fmod(x, y), y)


@op(kinds="fiu", shapes=elementwise, quiet=True)
def floordiv(xp, x: Array, y: Array):
    """floor(x / y), elementwise; the dtype stays. Integer division by zero raises InvalidArgumentError.

    >>> import tensorsmith as tf
    >>> tf.math.floordiv([-7, 7], 2).numpy()
    array([-4,  3], dtype=int32)
    """
    _refuse_zero(xp, "floordiv", y)
    found = xp.floor_divide(x, y)
    if xp is np or x.dtype.kind != "f":
        return found
    # a zero has the sign of the quotient, as with NumPy; XLA's has not
    return xp.where(found == 0, still(xp, x / y) * 0, found)


@op(kinds="fiu", shapes=elementwise, quiet=True)
def floormod(xp, x: Array, y: Array):
    """x - floor(x / y) * y, elementwise: the remainder with the sign of y. A zero integer y raises InvalidArgumentError.

    >>> import tensorsmith as tf
    >>> tf.math.floormod([-7, 7], 3).numpy()
    array([2, 1], dtype=int32)
    """
    _refuse_zero(xp, "floormod", y)
    found = xp.remainder(x, y)
    if xp is np or x.dtype.kind != "f":
        return found
    # a zero has the sign of y, as with NumPy; XLA's has that of x
    zero = xp.zeros((), x.dtype)
    return xp.where(found == 0, xp.where(y < 0, -zero, zero), found)


@op(kinds="fiu", shapes=elementwise, quiet=True)
def truncatemod(xp, x: Array, y: Array):
    """The remainder of x / y with the sign of x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.truncatemod([-7, 7], 3).numpy()
    array([-1,  1], dtype=int32)
    """
    _refuse_zero(xp, "truncatemod", y)
    return xp.fmod(x, y)


for _division in (truncatediv, floordiv, floormod, truncatemod):
    guard(_division.op, "integer division by zero", "no element of y is 0", never_zero, ("y",))


def _zeros(x: Any) -> Any:
    """Where a NumPy array is 0; None where it is nowhere, as nearly always."""
    # (of numbers it counts in one short call, and more slowly than of truths)
    if x.size < 4096 and count_nonzero(x) == x.size:
        return None
    zero = x == 0
    return zero if count_nonzero(zero) else None


@op(kinds="fc", shapes=elementwise, quiet=True)
def divide_no_nan(xp, x: Array, y: Array):
    """x / y, and 0 where y is 0, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.divide_no_nan([1.0, 1.0], [2.0, 0.0]).numpy()
    array([0.5, 0. ], dtype=float32)
    """
    if xp is np:
        zero = _zeros(y)
        if zero is None:
            return np.true_divide(x, y)
        return np.true_divide(x, y, out=np.zeros(np.broadcast(x, y).shape, x.dtype), where=np.logical_not(zero))
    zero = y == 0
    # the division sees a 1 there too: else the gradient would be NaN
    return xp.where(zero, xp.zeros_like(x), xp.true_divide(x, xp.where(zero, xp.ones_like(y), y)))


@op(kinds="fc", shapes=elementwise, quiet=True)
def multiply_no_nan(xp, x: Array, y: Array):
    """x * y, and 0 where y is 0 even if x is NaN or infinite, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.multiply_no_nan([2.0, float("nan")], [3.0, 0.0]).numpy()
    array([6., 0.], dtype=float32)
    """
    if xp is np and _zeros(y) is None:
        return np.multiply(x, y)
    # x alone is put aside, so that the derivative by y stays x where x is finite
    return xp.multiply(xp.where((y == 0) & ~xp.isfinite(x), xp.zeros_like(x), x), y)


@op(kinds="fiuc", shapes=elementwise)
def negative(xp, x: Array):
    """-x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.negative([1.0, -2.0]).numpy()
    array([-1.,  2.], dtype=float32)
    """
    return xp.negative(x)


def _absolute_shape(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    return [(shape, np.real(np.zeros((), dtype)).dtype if dtype.kind == "c" else dtype)]


@op(kinds="fiuc", shapes=_absolute_shape)
def abs(xp, x: Array):  # noqa: A001
    """The absolute value, elementwise; of complex numbers the modulus, as real numbers.

    >>> import tensorsmith as tf
    >>> tf.abs([1.0, -2.0]).numpy()
    array([1., 2.], dtype=float32)
    """
    if xp is not np and x.dtype.kind == "f":
        # at 0 the derivative is 0, as in TensorFlow; JAX's abs has 1 there
        return x * xp.sign(x)
    return xp.abs(x)


@op(kinds="fiuc", shapes=elementwise)
def sign(xp, x: Array):
    """-1, 0 or 1, elementwise; z / |z| of complex numbers.

    >>> import tensorsmith as tf
    >>> tf.sign([3.0, 0.0, -2.0]).numpy()
    array([ 1.,  0., -1.], dtype=float32)
    """
    return xp.sign(x)


@op(kinds="fiuc", shapes=elementwise)
def square(xp, x: Array):
    """x * x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.square([1.0, -2.0]).numpy()
    array([1., 4.], dtype=float32)
    """
    return xp.square(x)


@op(kinds="fiuc", shapes=elementwise)
def squared_difference(xp, x: Array, y: Array):
    """(x - y)**2, elementwise with broadcasting.

    >>> import tensorsmith as tf
    >>> tf.math.squared_difference([1.0, 5.0], 2.0).numpy()
    array([1., 9.], dtype=float32)
    """
    return xp.square(xp.subtract(x, y))


@op(kinds="fc", shapes=elementwise, quiet=True)
def sqrt(xp, x: Array):
    """The square root, elementwise; NaN below zero.

    >>> import tensorsmith as tf
    >>> tf.sqrt([4.0, 9.0]).numpy()
    array([2., 3.], dtype=float32)
    """
    return xp.sqrt(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def rsqrt(xp, x: Array):
    """1 / sqrt(x), elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.rsqrt([4.0, 0.25]).numpy()
    array([0.5, 2. ], dtype=float32)
    """
    return _reciprocal(_sqrt(x)) if xp is np else xp.true_divide(xp.ones_like(x), xp.sqrt(x))


@op(kinds="fc", shapes=elementwise, quiet=True)
def reciprocal(xp, x: Array):
    """1 / x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.reciprocal([4.0, 0.5]).numpy()
    array([0.25, 2.  ], dtype=float32)
    """
    return np.reciprocal(x) if xp is np else xp.true_divide(xp.ones_like(x), x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def reciprocal_no_nan(xp, x: Array):
    """1 / x, and 0 where x is 0, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.reciprocal_no_nan([4.0, 0.0]).numpy()
    array([0.25, 0.  ], dtype=float32)
    """
    if xp is np:
        zero, found = _zeros(x), _reciprocal(x)
        return found if zero is None else np.where(zero, x.dtype.type(0), found)
    zero = x == 0
    # the division sees a 1 there too: else the gradient would be NaN
    return xp.where(zero, xp.zeros_like(x), xp.true_divide(xp.ones_like(x), xp.where(zero, xp.ones_like(x), x)))


@op(kinds="fiuc", shapes=elementwise, quiet=True)
def pow(xp, x: Array, y: Array):  # noqa: A001
    """x**y, elementwise with broadcasting. Integers to negative powers raise InvalidArgumentError.

    >>> import tensorsmith as tf
    >>> tf.pow([2.0, 3.0], 3.0).numpy()
    array([ 8., 27.], dtype=float32)
    """
    if xp is np and y.dtype.kind == "i" and x.dtype.kind in "iu" and np.any(y < 0):
        raise InvalidArgumentError(explain("pow", "an integer to a negative power", {"y": np.asarray(y).tolist()}))
    return xp.power(x, y)


guard(pow.op, "an integer to a negative power", "no element of y is below 0", never_negative, ("y",))


@op(kinds="fc", shapes=elementwise, quiet=True)
def exp(xp, x: Array):
    """e**x, elementwise.

    >>> import tensorsmith as tf
    >>> tf.exp([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return np.exp(x) if xp is np else exp_of(xp, x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def expm1(xp, x: Array):
    """e**x - 1, elementwise, exact also near 0.

    >>> import tensorsmith as tf
    >>> tf.math.expm1([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return np.expm1(x) if xp is np else expm1_of(xp, x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def log(xp, x: Array):
    """The natural logarithm, elementwise; -inf at 0, NaN below.

    >>> import tensorsmith as tf
    >>> tf.math.log([1.0, 0.0]).numpy()
    array([  0., -inf], dtype=float32)
    """
    return xp.log(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def log1p(xp, x: Array):
    """log(1 + x), elementwise, exact also near 0.

    >>> import tensorsmith as tf
    >>> tf.math.log1p([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return xp.log1p(x)


@op(kinds="fc", shapes=elementwise, quiet=True)
def xlogy(xp, x: Array, y: Array):
    """x * log(y), and 0 where x is 0, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.xlogy([0.0, 2.0], [0.0, 1.0]).numpy()
    array([0., 0.], dtype=float32)
    """
    if xp is np:
        zero, found = _zeros(x), x * _log(y)
        return found if zero is None else np.where(zero, x.dtype.type(0), found)
    zero = x == 0
    return xp.where(zero, xp.zeros_like(y), x * xp.log(xp.where(zero, xp.ones_like(y), y)))


@op(kinds="fc", shapes=elementwise, quiet=True)
def xlog1py(xp, x: Array, y: Array):
    """x * log(1 + y), and 0 where x is 0, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.xlog1py([0.0], [-1.0]).numpy()
    array([0.], dtype=float32)
    """
    if xp is np:
        zero, found = _zeros(x), x * _log1p(y)
        return found if zero is None else np.where(zero, x.dtype.type(0), found)
    zero = x == 0
    return xp.where(zero, xp.zeros_like(y), x * xp.log1p(xp.where(zero, xp.zeros_like(y), y)))


@op(kinds="fc", shapes=elementwise, quiet=True)
def xdivy(xp, x: Array, y: Array):
    """x / y, and 0 where x is 0, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.xdivy([0.0, 2.0], [0.0, 4.0]).numpy()
    array([0. , 0.5], dtype=float32)
    """
    if xp is np:
        zero, found = _zeros(x), np.true_divide(x, y)
        return found if zero is None else np.where(zero, x.dtype.type(0), found)
    zero = x == 0
    return xp.where(zero, xp.zeros_like(y), xp.true_divide(x, xp.where(zero, xp.ones_like(y), y)))


def _first_of_ties(xp: Any, chosen: Any, x: Any, y: Any) -> Any:
    # Where both are equal the derivative goes to x, as in TensorFlow; JAX's own maximum gives a half to each.
    # A NaN on either side passes: x != x takes one of x, and no comparison with one of y is true.
    return xp.where(chosen | (x != x), x, y)


@op(kinds="fiu", shapes=elementwise)
def maximum(xp, x: Array, y: Array):
    """The greater of x and y, elementwise with broadcasting; NaN where either is NaN.

    >>> import tensorsmith as tf
    >>> tf.maximum([1.0, -2.0], 0.0).numpy()
    array([1., 0.], dtype=float32)
    """
    return np.maximum(x, y) if xp is np else _first_of_ties(xp, x >= y, x, y)


@op(kinds="fiu", shapes=elementwise)
def minimum(xp, x: Array, y: Array):
    """The smaller of x and y, elementwise with broadcasting; NaN where either is NaN.

    >>> import tensorsmith as tf
    >>> tf.minimum([1.0, -2.0], 0.0).numpy()
    array([ 0., -2.], dtype=float32)
    """
    return np.minimum(x, y) if xp is np else _first_of_ties(xp, x <= y, x, y)


@op(kinds="fiu", shapes=elementwise)
def clip_by_value(xp, t: Array, clip_value_min: Array, clip_value_max: Array):
    """min(max(t, clip_value_min), clip_value_max), elementwise; the derivative is 1 within and at the limits, 0 beyond.

    >>> import tensorsmith as tf
    >>> tf.clip_by_value([-5.0, 0.5, 5.0], -1.0, 1.0).numpy()
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    if xp is np:
        if t.itemsize >= 4:
            return clip(t, clip_value_min, clip_value_max)
        return np.minimum(np.maximum(t, clip_value_min), clip_value_max)
    low, high = clip_value_min, clip_value_max
    # low != low takes a limit that is NaN
    below = xp.where((t < low) | (low != low), low, t)
    return xp.where((below > high) | (high != high), high, below)


@primitive(name="add_n", kinds="fiuc")
def _add_n(xp, inputs: Arrays):
    total = inputs[0]
    for part in inputs[1:]:
        if part.shape != total.shape:
            shapes = [tuple(given.shape) for given in inputs]
            raise InvalidArgumentError(explain("add_n", "the tensors differ in shape", {"shapes": shapes}))
        total = xp.add(total, part)
    return total


@public
def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of tensors of one shape and dtype.

    inputs: a list of tensors, or one tensor (given back as it is). Raises ValueError for an empty list,
    InvalidArgumentError where shapes differ.

    >>> import tensorsmith as tf
    >>> tf.add_n([[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([4., 6.], dtype=float32)
    """
    if hasattr(type(inputs), "_listed"):
        return apply(_add_n, (inputs,), {})
    parts = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    if not parts:
        raise ValueError("add_n: the list of tensors is empty; there must be at least one.")
    return apply(_add_n, (parts,), {})


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """`add_n` of a list that is not empty, checked against a shape and a dtype where they are given.

    >>> import tensorsmith as tf
    >>> tf.math.accumulate_n([[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([4., 6.], dtype=float32)
    """
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError("accumulate_n: inputs must be a list of at least one tensor.")
    parts = [convert(part) for part in inputs]
    for part in parts:
        wrong_dtype = tensor_dtype is not None and part.dtype != tensor_dtype
        if wrong_dtype or (shape is not None and not part.shape.is_compatible_with(shape)):
            raise ValueError(
                explain(
                    "accumulate_n",
                    "a tensor is not what was promised",
                    {"tensor": f"{part.dtype.name}{part.shape}", "shape": shape, "tensor_dtype": tensor_dtype},
                )
            )
    return add_n(parts)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Tensor:
    """scalar * x.

    >>> import tensorsmith as tf
    >>> tf.math.scalar_mul(2.0, [1.0, 2.0]).numpy()
    array([2., 4.], dtype=float32)
    """
    return multiply(scalar, x)


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """coeffs[0] * x**(n-1) + ... + coeffs[n-1], elementwise, by Horner's rule.

    >>> import tensorsmith as tf
    >>> tf.math.polyval([1.0, 0.0, -1.0], [2.0, 3.0]).numpy()
    array([3., 8.], dtype=float32)
    """
    if not isinstance(coeffs, (list, tuple)):
        raise ValueError(f"polyval: coeffs must be a list, not {type(coeffs).__name__}.")
    x = convert(x)
    if not coeffs:
        return multiply(x, 0)
    total: Any = add(multiply(x, 0), coeffs[0])
    for coefficient in coeffs[1:]:
        total = add(multiply(total, x), coefficient)
    return total
