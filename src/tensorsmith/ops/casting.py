"""Conversions between dtypes, and of anything to a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes, ports
from tensorsmith.ops.reductions import still
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, primitive, public
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
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Like `cast`, values beyond the range of `dtype` giving its limits, also between integers.

    >>> import tensorsmith as tf
    >>> tf.saturate_cast([300, -5], tf.uint8).numpy()
    array([255,   0], dtype=uint8)
    """
    value, wanted = convert(value), dtypes.as_dtype(dtype)
    return apply(_saturate_cast, (value,), {"dtype": wanted.numpy_dtype})


@primitive(name="saturate_cast", kinds="fiu", shapes=_cast_shape, quiet=True)
def _saturate_cast(xp, x: Array, dtype: Any):
    if dtype.kind in "iu" and x.dtype.kind in "iu":
        have, want = np.iinfo(x.dtype), np.iinfo(dtype)
        x = xp.clip(x, np.asarray(max(have.min, want.min), x.dtype), np.asarray(min(have.max, want.max), x.dtype))
        return x.astype(dtype)
    if dtype.kind == "f" and x.dtype.kind == "f" and dtype.itemsize < x.dtype.itemsize:
        limits = np.finfo(dtype)
        return xp.clip(x, np.asarray(limits.min, x.dtype), np.asarray(limits.max, x.dtype)).astype(dtype)
    return _cast.kernel(xp, x, dtype)


@primitive(name="bitcast", kinds="fiu", differentiable=False)
def _bitcast(xp, x: Array, dtype: Any):
    if xp is np:
        return np.asarray(x).view(dtype)
    from tensorsmith.program.execute import jax

    return jax().lax.bitcast_convert_type(x, dtype)


@public
def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The same bits read as another dtype of the same size.

    >>> import tensorsmith as tf
    >>> tf.bitcast([1.0], tf.int32).numpy()
    array([1065353216], dtype=int32)
    """
    value, wanted = convert(input), dtypes.as_dtype(type)
    if value.dtype.size != wanted.size:
        raise ValueError(f"bitcast: {value.dtype.name} and {wanted.name} differ in size; they must have the same.")
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
