"""Conversions between dtypes, and of anything to a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes, ports
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.reductions import still
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, by_element, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _cast_shape(specs: Specs, settings: dict) -> Specs:
    return [(specs[0][0], settings["dtype"])]


@primitive(name="cast", kinds="fiucb", shapes=_cast_shape, quiet=True)
def _cast(xp, x: Array, dtype: Any):
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = xp.real(x)
    if xp is np and x.dtype.kind == "f" and dtype.kind in "iu":
        return _saturated(np.asarray(x), dtype)
    return x.astype(dtype)


def _saturated(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Floats as integers, those out of range as its limits and NaN as 0: as XLA does; C, so NumPy, does as it likes."""
    limits = np.iinfo(dtype)
    result = x.astype(dtype)
    low, high = float(limits.min), float(limits.max) + 1.0
    if x.size and not (np.min(x) >= low and np.max(x) < high):
        result = np.where(x < low, np.asarray(limits.min, dtype), result)
        result = np.where(x >= high, np.asarray(limits.max, dtype), result)
        result = np.where(np.isnan(x), np.asarray(0, dtype), result)
    return result


@public
def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """x with its elements converted to `dtype`; floats lose their fraction towards zero when they become integers.

    Floats beyond the range of an integer dtype give its nearest limit, NaN gives 0. Not defined for strings
    (tf.strings.to_number).

    >>> import tensorsmith as tf
    >>> tf.cast([1.8, -1.8], tf.int32).numpy()
    array([ 1, -1], dtype=int32)
    """
    wanted = dtypes.as_dtype(dtype)
    if not isinstance(x, Tensor):
        if type(x) in ports.lifters:
            return apply(_cast, (x,), {"dtype": wanted.numpy_dtype})
        x = convert(x, None, wanted.numpy_dtype if isinstance(x, (int, float)) and wanted.is_floating else None)
    if x.dtype is wanted:
        return x
    return apply(_cast, (x,), {"dtype": wanted.numpy_dtype})


@public
@by_element
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Like `cast`, values beyond the range of `dtype` giving its limits, also between integers, and between floats.

    Complex numbers give their real part. Raises TypeError for booleans and strings, which have no limits.

    >>> import tensorsmith as tf
    >>> tf.saturate_cast([300, -5], tf.uint8).numpy()
    array([255,   0], dtype=uint8)
    """
    value, wanted = convert(value), dtypes.as_dtype(dtype)
    for side in (value.dtype, wanted):
        if not side.is_numeric:
            raise TypeError(f"saturate_cast: {side.name} has no lowest and highest value; use tf.cast.")
    return apply(_saturate_cast, (value,), {"dtype": wanted.numpy_dtype})


def _float_limits(dtype: np.dtype) -> Any:
    if dtype.kind == "f":
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)


@primitive(name="saturate_cast", kinds="fiuc", shapes=_cast_shape, quiet=True)
def _saturate_cast(xp, x: Array, dtype: Any):
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = xp.real(x)
    if dtype.kind in "iu" and x.dtype.kind in "iu":
        have, want = np.iinfo(x.dtype), np.iinfo(dtype)
        x = xp.clip(x, np.asarray(max(have.min, want.min), x.dtype), np.asarray(min(have.max, want.max), x.dtype))
        return x.astype(dtype)
    # bfloat16 is of kind V to NumPy
    if dtype.kind in "fV" and x.dtype.kind in "fV" and dtype != x.dtype:
        have, want = _float_limits(x.dtype), _float_limits(dtype)
        if float(want.max) < float(have.max):
            x = xp.clip(x, np.asarray(want.min, x.dtype), np.asarray(want.max, x.dtype))
        return x.astype(dtype)
    if dtype.kind in "iu" and x.dtype.kind == "V":
        # between floats and integers `cast` saturates, bfloat16 as float32, of which it is a part
        x = x.astype("float32")
    return _cast.kernel(xp, x, dtype)


def _reread(specs: Specs, settings: dict) -> Specs:
    (shape, have), wanted = specs[0], settings["dtype"]
    if have.itemsize > wanted.itemsize:
        return [((*shape, have.itemsize // wanted.itemsize), wanted)]
    if have.itemsize < wanted.itemsize:
        return [(shape[:-1], wanted)]
    return [(shape, wanted)]


@primitive(name="bitcast", kinds="fiuc", differentiable=False, shapes=_reread)
def _bitcast(xp, x: Array, dtype: Any):
    have, want = x.dtype, dtype
    if want.itemsize > have.itemsize:
        parts = want.itemsize // have.itemsize
        if not x.ndim or x.shape[-1] != parts:
            raise ValueError(f"the last axis must have size {parts}, as {parts} elements make one of {want.name}")
    if xp is np:
        x = np.ascontiguousarray(x).reshape(x.shape)
        if want.itemsize > have.itemsize:
            return x.view(want)[..., 0]
        return (x[..., None] if have.itemsize > want.itemsize else x).view(want)
    return _bits_read(x, want)


def _bits_read(x: Any, want: Any) -> Any:
    """`bitcast` of a JAX array; XLA's own does not take complex numbers, which are two floats each."""
    from tensorsmith.program.execute import jax

    lax, jnp = jax().lax, jax().numpy
    if x.dtype.kind == "c":
        x = jnp.stack([jnp.real(x), jnp.imag(x)], -1)
        if want.itemsize > x.dtype.itemsize:
            return _bits_read(x, want)
        found = _bits_read(x, want)
        return found.reshape((*x.shape[:-1], 2 * (x.dtype.itemsize // want.itemsize)))
    if want.kind == "c":
        half = np.dtype(f"float{4 * want.itemsize}")
        if x.dtype.itemsize == want.itemsize:
            pair = _bits_read(x, half)
        else:
            pair = _bits_read(
                x.reshape((*x.shape[:-1], 2, x.shape[-1] // 2)) if x.dtype.itemsize < half.itemsize else x, half
            )
        return lax.complex(pair[..., 0], pair[..., 1])
    return lax.bitcast_convert_type(x, want)


@public
@by_element
def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The same bits read as another dtype.

    Of a narrower dtype each element becomes several, along a new last axis; a wider one takes the elements of the
    last axis, which goes away, and whose size must be what makes one. Raises InvalidArgumentError otherwise.

    >>> import tensorsmith as tf
    >>> tf.bitcast([1.0], tf.int32).numpy()
    array([1065353216], dtype=int32)
    >>> tf.bitcast([1.0], tf.uint8).numpy()
    array([[  0,   0, 128,  63]], dtype=uint8)
    """
    value, wanted = convert(input), dtypes.as_dtype(type)
    for side in (value.dtype, wanted):
        if not side.is_numeric:
            raise InvalidArgumentError(
                explain("bitcast", f"it does not take {side.name}", rule="it takes numbers, which have a fixed size")
            )
    return apply(_bitcast, (value,), {"dtype": wanted.numpy_dtype})


@public
def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    """The tensor of a value: a tensor (given back as it is), variable, array, number, string or nested lists of these.

    dtype       what it must be: a tensor of another dtype is refused, all else is converted.
    dtype_hint  what it becomes when that loses nothing.

    >>> import tensorsmith as tf
    >>> tf.convert_to_tensor([1, 2]).dtype
    tf.int32
    """
    if dtype is None and dtype_hint is not None and not isinstance(value, Tensor) and not hasattr(value, "_read"):
        try:
            return convert(value, dtype_hint)
        except (TypeError, ValueError):
            return convert(value)
    return convert(value, dtype)


@primitive(name="identity")
def _identity(xp, x: Array):
    return x


@public
def identity(input: Any, name: str | None = None) -> Tensor:
    """A tensor of the same value.

    >>> import tensorsmith as tf
    >>> tf.identity([1.0]).numpy()
    array([1.], dtype=float32)
    """
    return apply(_identity, (input,), {})


@primitive(name="stop_gradient", differentiable=False)
def _stop_gradient(xp, x: Array):
    return still(xp, x)


@public
def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The same value, a constant to derivatives.

    >>> import tensorsmith as tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = x * tf.stop_gradient(x)
    >>> tape.gradient(y, x).numpy().item()
    3.0
    """
    return apply(_stop_gradient, (input,), {})
