"""Fourier transforms of complex and of real values, over one axis or several; spectra turned about their middle."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops.casting import cast
from tensorsmith.ops.sizes import fill_sizes, split_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, op, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_NORMS = ("backward", "ortho", "forward")


# ---- the kernels
#
# settings of all of them: `axes`, the last of which is the halved one of real transforms; `lengths`, of the longer side
# along each of them, None for what follows from the shape, with None in it for what `parts` hold; `norm`, NumPy's.


def _axes(shape: Any, settings: dict) -> list[int]:
    """The axes from 0 up; ValueError where one is not there, or named twice."""
    rank, axes = len(shape), settings["axes"]
    if axes is None:
        axes = tuple(range(rank))
    if not rank or any(not -rank <= axis < rank for axis in axes):
        at_least = max(axis + 1 if axis >= 0 else -axis for axis in axes) if axes else 1
        raise ValueError(f"the rank must be at least {at_least}, it is {rank}")
    found = [axis % rank for axis in axes]
    if len(set(found)) < len(found):
        raise ValueError(f"each axis is transformed once, not as in {tuple(axes)}")
    if settings["lengths"] is not None and len(settings["lengths"]) != len(found):
        raise ValueError(f"{len(found)} lengths are needed, one for each axis, not {len(settings['lengths'])}")
    return found


def _doubled(size: int | None) -> int | None:
    """The length of real values that `size` values of a halved spectrum come from, where nobody says it."""
    return None if size is None else max(0, 2 * (size - 1))


def _halved(length: int | None) -> int | None:
    return None if length is None else length // 2 + 1 if length else 0


def _lengths(shape: Any, settings: dict, axes: list[int], inverse_real: bool) -> list[Any]:
    given = settings["lengths"]
    if given is not None:
        return list(given)
    found = [shape[axis] for axis in axes]
    if inverse_real and found:
        found[-1] = _doubled(found[-1])
    return found


def _shape_rule(half_in: bool = False, half_out: bool = False) -> Any:
    def rule(specs: Any, settings: dict) -> Specs:
        shape, dtype = specs[0]
        axes = _axes(shape, settings)
        out = list(shape)
        for axis, length in zip(axes, _lengths(shape, settings, axes, half_in)):
            out[axis] = length
        if half_out and axes:
            out[axes[-1]] = _halved(out[axes[-1]])
        if half_in or half_out:
            dtype = _partner(dtype)
        return [(tuple(out), dtype)]

    return rule


def _partner(dtype: np.dtype) -> np.dtype:
    """The complex dtype of a real one, and the other way round."""
    names = {"float32": "complex64", "float64": "complex128", "complex64": "float32", "complex128": "float64"}
    return np.dtype(names[dtype.name])


# From so many values on SciPy's transforms take a third of the time of NumPy's, or less, and are worth the 0.15 s that
# their import takes.
_LARGE = 4096


def transforms(xp: Any, x: Any) -> Any:
    """The namespace of transforms for an array: NumPy's, SciPy's of the same names and arguments, or JAX's."""
    if xp is not np or x.size < _LARGE:
        return xp.fft
    import scipy.fft

    return scipy.fft


def _transformed(xp: Any, how: str, x: Any, parts: Any, settings: dict) -> Any:
    """np.fft's functions, also of no elements, and of more than the three axes that XLA takes at once."""
    settings = {**settings, "lengths": settings["lengths"] and fill_sizes(settings["lengths"], parts, how)}
    half_in, half_out = how == "irfft", how == "rfft"
    axes = _axes(x.shape, settings)
    lengths = _lengths(x.shape, settings, axes, half_in)
    (shape, dtype), *_ = _shape_rule(half_in, half_out)([(x.shape, x.dtype)], settings)
    known = [length for length in lengths if isinstance(length, int)]
    if any(length < 1 for length in known) and (settings["lengths"] or 0 not in x.shape):
        # half a spectrum of one value comes from 0 real ones, unless one says that it is one
        raise ValueError(f"lengths of a transform are at least 1, not as in {tuple(lengths)}")
    if 0 in x.shape:
        return xp.zeros(shape, dtype)
    norm, fft = settings["norm"], transforms(xp, x)
    if half_out and axes:
        x = fft.rfft(x, n=lengths[-1], axis=axes[-1], norm=norm)
    rest = axes[:-1] if half_in or half_out else axes
    for at in range(0, len(rest), 3):
        some, sizes = rest[at : at + 3], lengths[at : min(at + 3, len(rest))]
        transform = fft.ifftn if how in ("ifft", "irfft") else fft.fftn
        x = transform(x, s=sizes, axes=some, norm=norm)
    if half_in and axes:
        x = fft.irfft(x, n=lengths[-1], axis=axes[-1], norm=norm)
    return x.astype(dtype)


@primitive(name="fft", kinds="c", same=frozenset({"input"}), shapes=_shape_rule())
def _fft(xp, input: Array, parts: Arrays, axes: Any = (-1,), lengths: Any = None, norm: str = "backward"):
    return _transformed(xp, "fft", input, parts, {"axes": axes, "lengths": lengths, "norm": norm})


@primitive(name="ifft", kinds="c", same=frozenset({"input"}), shapes=_shape_rule())
def _ifft(xp, input: Array, parts: Arrays, axes: Any = (-1,), lengths: Any = None, norm: str = "backward"):
    return _transformed(xp, "ifft", input, parts, {"axes": axes, "lengths": lengths, "norm": norm})


@primitive(name="rfft", kinds="f", same=frozenset({"input"}), shapes=_shape_rule(half_out=True))
def _rfft(xp, input: Array, parts: Arrays, axes: Any = (-1,), lengths: Any = None, norm: str = "backward"):
    return _transformed(xp, "rfft", input, parts, {"axes": axes, "lengths": lengths, "norm": norm})


@primitive(name="irfft", kinds="c", same=frozenset({"input"}), shapes=_shape_rule(half_in=True))
def _irfft(xp, input: Array, parts: Arrays, axes: Any = (-1,), lengths: Any = None, norm: str = "backward"):
    return _transformed(xp, "irfft", input, parts, {"axes": axes, "lengths": lengths, "norm": norm})


# ---- what users call


def _preferring(x: Any, wanted: DType) -> Tensor:
    """x as a tensor; what is none yet, as `wanted` where that holds it, as TensorFlow takes arrays and lists here."""
    if isinstance(x, Tensor) or hasattr(x, "_read"):
        return convert(x)
    found = convert(x)
    kind = found.dtype.numpy_dtype.kind
    if kind in "fiub" or (kind == "c" and wanted.is_complex and isinstance(x, (np.ndarray, np.generic))):
        return cast(found, wanted)
    return found


def _real(x: Any, who: str) -> Tensor:
    x = _preferring(x, dtypes.float32)
    if x.dtype not in (dtypes.float32, dtypes.float64):
        told = "Convert: tf.cast(x, tf.float32)." if x.dtype.is_numeric and not x.dtype.is_complex else ""
        raise _refusal(x, who, "float32 or float64", told)
    return x


def _complex(x: Any, who: str) -> Tensor:
    x = _preferring(x, dtypes.complex64)
    if not x.dtype.is_complex:
        told = "Convert: tf.cast(x, tf.complex64)." if x.dtype.is_numeric else ""
        raise _refusal(x, who, "complex64 or complex128", told)
    return x


def _refusal(x: Tensor, who: str, taken: str, told: str) -> InvalidArgumentError:
    given = {"input": describe(x)}
    return InvalidArgumentError(explain(who, f"it does not take {x.dtype.name}", given, f"it takes {taken}", told))


def _called(op: Any, x: Tensor, rank: int, fft_length: Any, who: str) -> Tensor:
    """A transform of the last `rank` axes."""
    settings: dict[str, Any] = {"axes": tuple(range(-rank, 0)), "lengths": None, "norm": "backward"}
    parts: list[Any] = []
    if fft_length is not None:
        settings["lengths"], parts = split_sizes(fft_length, who)
    return apply(op, (x, parts), settings)


def _called_on(op: Any, x: Tensor, fft_length: Any, axes: Any, norm: Any, who: str) -> Tensor:
    """A transform of the axes that are named."""
    if norm is not None and norm not in _NORMS:
        raise ValueError(explain(who, "no norm", {"norm": norm}, f"it is one of {', '.join(_NORMS)}, or None"))
    wanted = None if axes is None else plain(axes, "axes")
    settings: dict[str, Any] = {
        "axes": (wanted,) if isinstance(wanted, int) else wanted,
        "lengths": None,
        "norm": norm or "backward",
    }
    parts: list[Any] = []
    if fft_length is not None:
        settings["lengths"], parts = split_sizes(fft_length, who)
    return apply(op, (x, parts), settings)


@public
def fft(input: Any, name: str | None = None) -> Tensor:
    """The Fourier transform along the last axis.

        y[k] = sum over t of x[t] * exp(-2 i pi k t / n)

    input: complex64 or complex128 [..., n] -> the same shape and dtype. Lists and arrays of numbers become complex64.
    Raises InvalidArgumentError for a tensor of real numbers, and for one without axes.

    >>> import tensorsmith as tf
    >>> tf.signal.fft([1.0, 0.0, 0.0]).numpy()
    array([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _called(_fft, _complex(input, "fft"), 1, None, "fft")


@public
def ifft(input: Any, name: str | None = None) -> Tensor:
    """The inverse Fourier transform along the last axis: `ifft(fft(x))` is x.

        x[t] = sum over k of y[k] * exp(2 i pi k t / n), over n

    input: complex64 or complex128 [..., n] -> the same shape and dtype.

    >>> import tensorsmith as tf
    >>> tf.signal.ifft([1.0, 1.0, 1.0]).numpy()
    array([1.+0.j, 0.+0.j, 0.+0.j], dtype=complex64)
    """
    return _called(_ifft, _complex(input, "ifft"), 1, None, "ifft")


def fft2d(input: Any, name: str | None = None) -> Tensor:
    """The Fourier transform over the last two axes of complex values [..., n, m].

    >>> import tensorsmith as tf
    >>> tf.signal.fft2d([[1.0, 0.0], [0.0, 0.0]]).numpy()
    array([[1.+0.j, 1.+0.j],
           [1.+0.j, 1.+0.j]], dtype=complex64)
    """
    return _called(_fft, _complex(input, "fft2d"), 2, None, "fft2d")


def ifft2d(input: Any, name: str | None = None) -> Tensor:
    """The inverse Fourier transform over the last two axes of complex values [..., n, m].

    >>> import tensorsmith as tf
    >>> tf.signal.ifft2d([[4.0, 0.0], [0.0, 0.0]]).numpy()
    array([[1.+0.j, 1.+0.j],
           [1.+0.j, 1.+0.j]], dtype=complex64)
    """
    return _called(_ifft, _complex(input, "ifft2d"), 2, None, "ifft2d")


def fft3d(input: Any, name: str | None = None) -> Tensor:
    """The Fourier transform over the last three axes of complex values [..., n, m, k].

    >>> import tensorsmith as tf
    >>> tf.signal.fft3d([[[1.0, 0.0]]]).numpy()
    array([[[1.+0.j, 1.+0.j]]], dtype=complex64)
    """
    return _called(_fft, _complex(input, "fft3d"), 3, None, "fft3d")


def ifft3d(input: Any, name: str | None = None) -> Tensor:
    """The inverse Fourier transform over the last three axes of complex values [..., n, m, k].

    >>> import tensorsmith as tf
    >>> tf.signal.ifft3d([[[2.0, 0.0]]]).numpy()
    array([[[1.+0.j, 1.+0.j]]], dtype=complex64)
    """
    return _called(_ifft, _complex(input, "ifft3d"), 3, None, "ifft3d")


@public
def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The Fourier transform of real values along the last axis: the half that tells the other one.

    input_tensor: float32 or float64 [..., n] -> complex [..., n // 2 + 1]. Lists and arrays of numbers become float32.
    fft_length: [n], to which the values are cut, or filled with zeros, first.
    Raises InvalidArgumentError (a ValueError) for a tensor of another dtype.

    >>> import tensorsmith as tf
    >>> tf.signal.rfft([1.0, 0.0, 0.0, 0.0]).numpy()
    array([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _called(_rfft, _real(input_tensor, "rfft"), 1, fft_length, "rfft")


@public
def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The real values along the last axis that half a spectrum comes from: `irfft(rfft(x), [n])` is x.

    input_tensor: complex64 or complex128 [..., m] -> real [..., n].
    fft_length: [n]; by default 2 * (m - 1). Values are cut to n // 2 + 1, or filled with zeros, first. The imaginary
    part of the first one does not count, nor, where n is even, that of the last one.

    >>> import tensorsmith as tf
    >>> tf.signal.irfft([1.0, 1.0, 1.0]).numpy()
    array([1., 0., 0., 0.], dtype=float32)
    """
    return _called(_irfft, _complex(input_tensor, "irfft"), 1, fft_length, "irfft")


def rfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The Fourier transform of real values over the last two axes; of the last one the half that tells the other one.

    input_tensor: float32 or float64 [..., n, m] -> complex [..., n, m // 2 + 1]. fft_length: [n, m].

    >>> import tensorsmith as tf
    >>> tf.signal.rfft2d([[1.0, 0.0], [0.0, 0.0]]).numpy()
    array([[1.+0.j, 1.+0.j],
           [1.+0.j, 1.+0.j]], dtype=complex64)
    """
    return _called(_rfft, _real(input_tensor, "rfft2d"), 2, fft_length, "rfft2d")


def irfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The real values over the last two axes that half a spectrum comes from.

    input_tensor: complex [..., n, m] -> real [..., n, 2 * (m - 1)]; fft_length says other sizes.

    >>> import tensorsmith as tf
    >>> tf.signal.irfft2d([[4.0, 0.0], [0.0, 0.0]]).numpy()
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """
    return _called(_irfft, _complex(input_tensor, "irfft2d"), 2, fft_length, "irfft2d")


def rfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The Fourier transform of real values over the last three axes; of the last one the half that tells the other one.

    >>> import tensorsmith as tf
    >>> tf.signal.rfft3d([[[1.0, 0.0]]]).numpy()
    array([[[1.+0.j, 1.+0.j]]], dtype=complex64)
    """
    return _called(_rfft, _real(input_tensor, "rfft3d"), 3, fft_length, "rfft3d")


def irfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The real values over the last three axes that half a spectrum comes from.

    >>> import tensorsmith as tf
    >>> tf.signal.irfft3d([[[2.0, 0.0]]]).numpy()
    array([[[1., 1.]]], dtype=float32)
    """
    return _called(_irfft, _complex(input_tensor, "irfft3d"), 3, fft_length, "irfft3d")


def fftnd(
    input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The Fourier transform over any axes of complex values.

    fft_length: a size for each of `axes`, to which values are cut, or filled with zeros, first.
    axes: by default all.
    norm: "backward" (None) divides the inverse transform by the number of values n, "forward" this one, "ortho" both by
    the root of n.

    >>> import tensorsmith as tf
    >>> tf.signal.fftnd([[1.0, 2.0], [3.0, 4.0]], axes=[0]).numpy()
    array([[ 4.+0.j,  6.+0.j],
           [-2.+0.j, -2.+0.j]], dtype=complex64)
    """
    return _called_on(_fft, _complex(input_tensor, "fftnd"), fft_length, axes, norm, "fftnd")


def ifftnd(
    input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The inverse Fourier transform over any axes of complex values; see `fftnd`.

    >>> import tensorsmith as tf
    >>> tf.signal.ifftnd([[4.0, 6.0], [-2.0, -2.0]], axes=[0]).numpy()
    array([[1.+0.j, 2.+0.j],
           [3.+0.j, 4.+0.j]], dtype=complex64)
    """
    return _called_on(_ifft, _complex(input_tensor, "ifftnd"), fft_length, axes, norm, "ifftnd")


def rfftnd(
    input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The Fourier transform over any axes of real values; of the last one named the half that tells the other one.

    fft_length, axes and norm as those of `fftnd`.

    >>> import tensorsmith as tf
    >>> tf.signal.rfftnd([[1.0, 0.0], [0.0, 0.0]], norm="ortho").numpy().round(4)
    array([[0.5+0.j, 0.5+0.j],
           [0.5+0.j, 0.5+0.j]], dtype=complex64)
    """
    return _called_on(_rfft, _real(input_tensor, "rfftnd"), fft_length, axes, norm, "rfftnd")


def irfftnd(
    input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The real values over any axes that half a spectrum comes from; the last axis named is the halved one.

    fft_length: sizes of the result, by default those of the spectrum, 2 * (m - 1) for m values of the halved axis.
    axes and norm as those of `fftnd`.

    >>> import tensorsmith as tf
    >>> tf.signal.irfftnd([[4.0, 0.0], [0.0, 0.0]]).numpy()
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """
    return _called_on(_irfft, _complex(input_tensor, "irfftnd"), fft_length, axes, norm, "irfftnd")


@op
def fftshift(xp, x: Array, axes: Any = None):
    """The halves of each axis exchanged, so that frequency 0 stands in the middle; of all axes unless some are named.

    >>> import tensorsmith as tf
    >>> tf.signal.fftshift([0.0, 1.0, 2.0, -2.0, -1.0]).numpy()
    array([-2., -1.,  0.,  1.,  2.], dtype=float32)
    """
    return xp.fft.fftshift(x, axes)


@op
def ifftshift(xp, x: Array, axes: Any = None):
    """The way back of `fftshift`, which is another one where a size is odd.

    >>> import tensorsmith as tf
    >>> tf.signal.ifftshift([-2.0, -1.0, 0.0, 1.0, 2.0]).numpy()
    array([ 0.,  1.,  2., -2., -1.], dtype=float32)
    """
    return xp.fft.ifftshift(x, axes)
