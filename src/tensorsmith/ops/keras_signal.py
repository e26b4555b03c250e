"""The part of `keras.ops` about signals: Keras 3's names, and complex values as pairs of real and imaginary parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.ops import complex_numbers, fourier, special, spectrograms, window_functions
from tensorsmith.ops.frames import frame
from tensorsmith.ops.keras_math import both_floats, floats
from tensorsmith.ops.repeating import pad
from tensorsmith.ops.shaping import stack
from tensorsmith.program.op import Array, Specs, elementwise
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

Pair = tuple[Tensor, Tensor]


# ---- transforms


def _joined(x: Any, who: str) -> Tensor:
    """The complex tensor of a pair of its parts; ValueError where it is none, of floats of one shape."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        given = describe(x) if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(explain(who, "no pair of a real and an imaginary part", {"x": given}))
    parts = [convert(part) for part in x]
    told = {"real": describe(parts[0]), "imag": describe(parts[1])}
    if not parts[0].shape.is_compatible_with(parts[1].shape):
        raise ValueError(explain(who, "the parts differ in shape", told))
    if not all(part.dtype.is_floating for part in parts):
        raise ValueError(explain(who, "the parts are not of floats", told))
    return complex_numbers.complex_(*parts)


def _parts(x: Tensor) -> Pair:
    return complex_numbers.real(x), complex_numbers.imag(x)


def fft(x: Any) -> Pair:
    """The Fourier transform along the last axis.

    x: the pair of the real and the imaginary part, floats [..., n] each -> such a pair.

    >>> real, imag = fft(([1.0, 0.0], [0.0, 0.0]))
    >>> real.numpy(), imag.numpy()
    (array([1., 1.], dtype=float32), array([0., 0.], dtype=float32))
    """
    return _parts(fourier.fft(_joined(x, "fft")))


def fft2(x: Any) -> Pair:
    """The Fourier transform over the last two axes of a pair of parts."""
    return _parts(fourier.fft2d(_joined(x, "fft2")))


def ifft2(x: Any) -> Pair:
    """The inverse Fourier transform over the last two axes of a pair of parts."""
    return _parts(fourier.ifft2d(_joined(x, "ifft2")))


def rfft(x: Any, fft_length: Any = None) -> Pair:
    """The Fourier transform of real values along the last axis: the half that tells the other one, as a pair of parts.

    fft_length: a number of values to which x is cut, or filled with zeros, first.

    >>> real, imag = rfft([1.0, 0.0, 0.0])
    >>> real.numpy()
    array([1., 1.], dtype=float32)
    """
    return _parts(fourier.rfft(x, None if fft_length is None else [fft_length]))


def irfft(x: Any, fft_length: Any = None) -> Tensor:
    """The real values [..., fft_length] that half a spectrum comes from, a pair of parts; by default 2 * (m - 1) values."""
    return fourier.irfft(_joined(x, "irfft"), None if fft_length is None else [fft_length])


def extract_sequences(x: Any, sequence_length: Any, sequence_stride: Any) -> Tensor:
    """Frames of the last axis: each of `sequence_length` values, `sequence_stride` behind the one before.

    >>> extract_sequences([1, 2, 3, 4, 5], 3, 2).numpy()
    array([[1, 2, 3],
           [3, 4, 5]], dtype=int32)
    """
    return frame(x, sequence_length, sequence_stride)


def _window(window: Any, sequence_length: int, fft_length: int, dtype: Any, who: str) -> Any:
    """The window in the middle of a frame of `fft_length`, as a function; None for none."""
    if window is None:
        return None
    if isinstance(window, str):
        made = {"hann": window_functions.hann_window, "hamming": window_functions.hamming_window}.get(window)
        if made is None:
            raise ValueError(explain(who, "no window", {"window": window}, "it is 'hann', 'hamming', values or None"))
        values = made(sequence_length, dtype=dtype)
    else:
        values = convert(window, None if isinstance(window, Tensor) else dtype)
    if tuple(values.shape) != (sequence_length,):
        given = {"window": describe(values), "sequence_length": sequence_length}
        raise ValueError(explain(who, "the window is not as long as a sequence", given))
    before = (fft_length - sequence_length) // 2
    wide = pad(values, [[before, fft_length - sequence_length - before]])
    return lambda frame_length, dtype: wide


def _lengths(sequence_length: Any, fft_length: Any, who: str) -> tuple[int, int]:
    given = {"sequence_length": plain(sequence_length, who), "fft_length": plain(fft_length, who)}
    if given["fft_length"] < given["sequence_length"]:
        raise ValueError(explain(who, "fft_length is below sequence_length", given))
    return given["sequence_length"], given["fft_length"]


def stft(
    x: Any, sequence_length: Any, sequence_stride: Any, fft_length: Any, window: Any = "hann", center: bool = True
) -> Pair:
    """The short-time Fourier transform: of each sequence, weighed by a window, half the spectrum, as a pair of parts.

    x: float32 or float64 [..., samples] -> two of [..., sequences, fft_length // 2 + 1]. Sequences stand in the middle
    of `fft_length` samples.
    window: "hann", "hamming", `sequence_length` values, or None. center: x is first mirrored at both ends, so that
    sequence number i is about sample i * sequence_stride.
    Raises TypeError for another dtype, ValueError for another window and for an fft_length below sequence_length.

    >>> real, imag = stft([1.0] * 16, 4, 2, 8)
    >>> real.shape
    TensorShape([9, 5])
    """
    x = convert(x)
    if x.dtype not in (dtypes.float32, dtypes.float64):
        raise TypeError(explain("stft", f"it does not take {x.dtype.name}", {"x": describe(x)}, "float32 or float64"))
    length, inner = _lengths(sequence_length, fft_length, "stft")
    made = _window(window, length, inner, x.dtype, "stft")
    if center:
        x = pad(x, [[0, 0]] * (x.ndim - 1) + [[inner // 2, inner // 2]], mode="REFLECT")
    return _parts(spectrograms.stft(x, inner, sequence_stride, inner, window_fn=made))


def istft(
    x: Any, sequence_length: Any, sequence_stride: Any, fft_length: Any, length: Any = None, window: Any = "hann",
    center: bool = True,
) -> Tensor:  # fmt: skip
    """The signal [..., samples] whose short-time spectra these are, a pair of parts; settings as for `stft`.

    length: how many samples are given back; by default as many as the sequences reach, less what `center` added.

    >>> x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    >>> istft(stft(x, 4, 2, 4), 4, 2, 4).numpy().round(4)
    array([1., 2., 3., 4., 5., 6., 7., 8.], dtype=float32)
    """
    spectra = _joined(x, "istft")
    size, inner = _lengths(sequence_length, fft_length, "istft")
    made = _window(window, size, inner, spectra.dtype.real_dtype, "istft")
    if made is not None:
        made = spectrograms.inverse_stft_window_fn(sequence_stride, forward_window_fn=made)
    signal = spectrograms.inverse_stft(spectra, inner, sequence_stride, inner, window_fn=made)
    cut = inner // 2 if center else 0
    if length is not None:
        return signal[..., cut : cut + plain(length, "length")]
    return signal[..., cut:-cut] if cut else signal


# ---- windows


def bartlett(x: Any) -> Tensor:
    """Bartlett's window of x samples: a triangle that is 0 at both ends.

    >>> bartlett(5).numpy()
    array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _of_numpy(np.bartlett, x)


def blackman(x: Any) -> Tensor:
    """Blackman's window of x samples: 0.42 - 0.5 cos(a) + 0.08 cos(2 a) for a from 0 to 2 pi.

    >>> blackman(3).numpy().round(4) + 0
    array([0., 1., 0.], dtype=float32)
    """
    return _of_numpy(np.blackman, x)


def hamming(x: Any) -> Tensor:
    """Hamming's symmetric window of x samples."""
    return _of_numpy(np.hamming, x)


def hanning(x: Any) -> Tensor:
    """Hann's symmetric window of x samples.

    >>> hanning(5).numpy()
    array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _of_numpy(np.hanning, x)


def _of_numpy(window: Any, x: Any) -> Tensor:
    return Tensor(window(plain(x, "x")).astype("float32"))


def kaiser(x: Any, beta: Any) -> Tensor:
    """Kaiser's window of x samples, the narrower the larger `beta` is."""
    return window_functions.kaiser_window(x, beta)


# ---- functions


@primitive(name="sinc", kinds="f", shapes=elementwise, quiet=True)
def _sinc(xp, x: Array):
    kind = x.dtype.type
    near = xp.abs(x) < kind(0.25)
    # near 0 a series, since a difference of the two terms of the quotient's derivative would lose all its digits
    small = xp.where(near, x * kind(math.pi), kind(0))
    square, series = small * small, xp.zeros_like(x)
    for k in range(9, -1, -1):
        series = series * square + kind((-1) ** k / math.factorial(2 * k + 1))
    far = xp.where(near, kind(1), x)
    # of the distance from the nearest whole number, which is exact: pi x is not, and its sine far from 0 at them
    whole = xp.round(far)
    sign = 1 - 2 * xp.abs(whole - 2 * xp.floor(whole / 2))
    quotient = sign * xp.sin((far - whole) * kind(math.pi)) / (far * kind(math.pi))
    return xp.where(near, series, quotient).astype(x.dtype)


def sinc(x: Any) -> Tensor:
    """sin(pi x) / (pi x), elementwise; 1 at 0, and 0 at all other whole numbers.

    >>> sinc([0.0, 0.5, 1.0]).numpy().round(4) + 0
    array([1.    , 0.6366, 0.    ], dtype=float32)
    """
    return apply(_sinc, (floats(x),), {})


@primitive(name="hypot", kinds="f", shapes=elementwise, quiet=True)
def _hypot(xp, x1: Array, x2: Array):
    return xp.hypot(x1, x2).astype(x1.dtype)


def hypot(x1: Any, x2: Any) -> Tensor:
    """sqrt(x1**2 + x2**2), elementwise, also where the squares would overflow.

    >>> hypot([3.0], [4]).numpy()
    array([5.], dtype=float32)
    """
    return apply(_hypot, both_floats(x1, x2), {})


def i0(x: Any) -> Tensor:
    """The modified Bessel function of the first kind and order 0, elementwise."""
    return special.bessel_i0(floats(x))


def angle(x: Any) -> Tensor:
    """The angle in radians in the complex plane, elementwise; pi of negative real numbers.

    >>> angle([1.0, -1.0]).numpy().round(4)
    array([0.    , 3.1416], dtype=float32)
    """
    return complex_numbers.angle(floats(x))


def view_as_complex(x: Any) -> Tensor:
    """Complex numbers [...] of their real and imaginary parts [..., 2]; ValueError for another last size.

    >>> view_as_complex([[1.0, 2.0]]).numpy()
    array([1.+2.j], dtype=complex64)
    """
    x = floats(x)
    if not x.ndim or x.shape[-1] != 2:
        raise ValueError(explain("view_as_complex", "the last axis is not of 2 parts", {"x": describe(x)}))
    return complex_numbers.complex_(x[..., 0], x[..., 1])


def view_as_real(x: Any) -> Tensor:
    """The real and imaginary parts [..., 2] of complex numbers [...].

    >>> view_as_real([1 + 2j]).numpy()
    array([[1., 2.]])
    """
    return stack(_parts(floats(x)), axis=-1)


_MODES = ("valid", "same", "full")


def _correlated_shape(specs: Any, settings: dict) -> Specs:
    (first, dtype), (second, _) = specs
    if len(first) != 1 or len(second) != 1:
        raise ValueError(f"correlated are vectors, not values of shapes {first} and {second}")
    if 0 in (first[0], second[0]):
        raise ValueError("correlated vectors have at least 1 element")
    if None in (first[0], second[0]):
        return [((None,), dtype)]
    low, high = sorted((first[0], second[0]))
    return [(({"valid": high - low + 1, "same": high, "full": high + low - 1}[settings["mode"]],), dtype)]


@primitive(name="correlate", kinds="fc", shapes=_correlated_shape)
def _correlate(xp, x1: Array, x2: Array, mode: str = "valid"):
    _correlated_shape([(x1.shape, x1.dtype), (x2.shape, x2.dtype)], {"mode": mode})
    return xp.correlate(x1, x2, mode).astype(x1.dtype)


def correlate(x1: Any, x2: Any, mode: str = "valid") -> Tensor:
    """The products of two vectors at each distance: y[k] = sum over n of x1[n + k] * conj(x2[n]).

    mode: "valid" where one lies within the other, "full" wherever they overlap, "same" as many as the longer one has.
    Raises ValueError for another mode and for what are no vectors.

    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5]).numpy()
    array([3.5], dtype=float32)
    """
    if mode not in _MODES:
        raise ValueError(explain("correlate", "no mode", {"mode": mode}, f"it is one of {', '.join(_MODES)}"))
    return apply(_correlate, both_floats(x1, x2), {"mode": mode})
