"""Complex numbers: made, taken apart, conjugated."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.program.op import Array, Specs, elementwise
from tensorsmith.tensor.apply import apply, by_element, op
from tensorsmith.tensor.convert import convert


def _real_shape(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    return [(shape, np.real(np.zeros((), dtype)).dtype)]


def _complex_shape(specs: Specs, settings: dict) -> Specs:
    shape, dtype = elementwise(specs, settings)[0]
    return [(shape, np.dtype("complex128" if dtype.itemsize == 8 else "complex64"))]


@op(name="complex", kinds="f", shapes=_complex_shape)
def complex_(xp, real: Array, imag: Array):
    """real + 1j * imag, elementwise; float32 gives complex64, float64 complex128.

    >>> import tensorsmith as tf
    >>> tf.complex([1.0], [2.0]).numpy()
    array([1.+2.j], dtype=complex64)
    """
    # not real + 1j * imag: 1j * inf has a real part, NaN, and -0.0 + 0j is 0j
    if xp is np:
        kind = np.dtype("complex128" if real.dtype.itemsize == 8 else "complex64")
        return np.stack(np.broadcast_arrays(real, imag), axis=-1).view(kind)[..., 0]
    from tensorsmith.program.execute import jax

    return jax().lax.complex(*xp.broadcast_arrays(real, imag))


@op(name="real", kinds="fiuc", shapes=_real_shape)
def real(xp, input: Array):
    """The real part, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.real([1 + 2j]).numpy()
    array([1.])
    """
    return xp.real(input)


@op(name="imag", kinds="fiuc", shapes=_real_shape)
def imag(xp, input: Array):
    """The imaginary part, elementwise; 0 of real numbers.

    >>> import tensorsmith as tf
    >>> tf.math.imag([1 + 2j]).numpy()
    array([2.])
    """
    return xp.imag(input)


@op(name="angle", kinds="fc", shapes=_real_shape)
def angle(xp, input: Array):
    """The angle in radians in the complex plane, elementwise.

    >>> import tensorsmith as tf
    >>> tf.math.angle([1 + 0j]).numpy()
    array([0.])
    """
    return xp.angle(input)


@by_element
def _conj(x: Any) -> Any:
    x = convert(x)
    return apply(conj.op, (x,), {}) if x.dtype.is_complex else x  # pyright: ignore[reportFunctionMemberAccess]


@op(kinds="c", shapes=elementwise, otherwise=lambda made, arguments, settings: _conj(*arguments))
def conj(xp, x: Array):
    """The complex conjugate, elementwise; real numbers are given back as they are.

    >>> import tensorsmith as tf
    >>> tf.math.conj([1 + 2j]).numpy()
    array([1.-2.j])
    """
    return xp.conj(x)
