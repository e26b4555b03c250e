"""Spectra of frames: Fourier and cosine transforms of short times and back, mel bands, cepstral coefficients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops import elementwise
from tensorsmith.ops.casting import cast
from tensorsmith.ops.cosine_transforms import dct
from tensorsmith.ops.creation import linspace, range_
from tensorsmith.ops.fourier import irfft, rfft
from tensorsmith.ops.frames import frame, known_whole, overlap_and_add
from tensorsmith.ops.reductions import reduce_sum
from tensorsmith.ops.repeating import pad, reverse, tile
from tensorsmith.ops.shaping import concat, expand_dims, reshape, shape, split
from tensorsmith.ops.window_functions import constant_of_numbers, hann_window, vorbis_window
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

Window = Callable[..., Any]


def _power_of_two(length: int) -> int:
    """The smallest power of two that is not below `length`."""
    return 1 << (length - 1).bit_length() if length > 0 else 0


def _of_rank(x: Any, at_least: int, who: str, what: str) -> Tensor:
    x = convert(x)
    if x.shape.rank is not None and x.shape.rank < at_least:
        raise InvalidArgumentError(explain(who, f"{what} have at least {at_least} axes", {what: describe(x)}))
    return x


# ---- Fourier transforms of frames


def stft(
    signals: Any, frame_length: Any, frame_step: Any, fft_length: Any = None,
    window_fn: Window | None = hann_window, pad_end: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The short-time Fourier transform: of each frame, weighed by a window, half the spectrum.

    signals: float32 or float64 [..., samples] -> complex [..., frames, fft_length // 2 + 1].
    frame_length, frame_step, pad_end: the frames, as `tf.signal.frame` has them.
    fft_length: to so many samples frames are filled with zeros, or cut; the next power of two by default.
    window_fn: called as window_fn(frame_length, dtype=...) it gives the weights; None: all are 1.

    >>> import tensorsmith as tf
    >>> spectra = tf.signal.stft(tf.sin(tf.range(1000.0)), frame_length=400, frame_step=160)
    >>> spectra.shape, spectra.dtype
    (TensorShape([4, 257]), tf.complex64)
    """
    signals = _of_rank(signals, 1, "stft", "signals")
    length = known_whole(frame_length, "stft", "frame_length")
    framed = frame(signals, length, frame_step, pad_end=pad_end)
    if window_fn is not None:
        framed = framed * window_fn(length, dtype=framed.dtype)
    return rfft(framed, [_power_of_two(length) if fft_length is None else fft_length])


def inverse_stft_window_fn(frame_step: Any, forward_window_fn: Window = hann_window, name: str | None = None) -> Window:
    """The window function with which `inverse_stft` undoes `stft` with `forward_window_fn`, frames `frame_step` apart.

    Its window is the forward one over the sum of the squares of those that overlap; 0 where that is 0.
    Source: Griffin and Lim (1984), Signal estimation from modified short-time Fourier transform, equation 7.

    >>> import tensorsmith as tf
    >>> tf.signal.inverse_stft_window_fn(2)(4, dtype=tf.float32).numpy()
    array([0., 1., 1., 1.], dtype=float32)
    """
    step = known_whole(frame_step, "inverse_stft_window_fn", "frame_step")
    if step < 1:
        raise InvalidArgumentError(explain("inverse_stft_window_fn", "the step is below 1", {"frame_step": step}))

    def window_fn(frame_length: Any, dtype: Any) -> Tensor:
        length = known_whole(frame_length, "inverse_stft_window_fn", "frame_length")
        forward = convert(forward_window_fn(length, dtype=dtype))
        overlaps = -(-length // step)
        squares = reshape(pad(elementwise.square(forward), [[0, overlaps * step - length]]), [overlaps, step])
        total = reshape(tile(reduce_sum(squares, 0, keepdims=True), [overlaps, 1]), [-1])[:length]
        return elementwise.divide_no_nan(forward, total)

    return window_fn


def inverse_stft(
    stfts: Any, frame_length: Any, frame_step: Any, fft_length: Any = None,
    window_fn: Window | None = hann_window, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The signal whose short-time spectra these are: each frame, weighed by a window, added where it belongs.

    stfts: complex [..., frames, fft_length // 2 + 1] -> real [..., (frames - 1) * frame_step + frame_length].
    frame_length, frame_step, fft_length: those of `stft`. window_fn: that of `inverse_stft_window_fn` undoes it, but for
    the ends, where too few frames overlap.

    >>> import tensorsmith as tf
    >>> x = tf.sin(tf.range(16.0))
    >>> back = tf.signal.inverse_stft(tf.signal.stft(x, 8, 4), 8, 4, window_fn=tf.signal.inverse_stft_window_fn(4))
    >>> bool(tf.reduce_max(tf.abs(back - x)[4:-4]) < 1e-6)
    True
    """
    stfts = _of_rank(stfts, 2, "inverse_stft", "stfts")
    length = known_whole(frame_length, "inverse_stft", "frame_length")
    inner = _power_of_two(length) if fft_length is None else known_whole(fft_length, "inverse_stft", "fft_length")
    frames = irfft(stfts, [inner])
    if inner > length:
        frames = frames[..., :length]
    elif inner < length:
        frames = pad(frames, [[0, 0]] * (frames.ndim - 1) + [[0, length - inner]])
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    return overlap_and_add(frames, frame_step)


# ---- cosine transforms of frames


def mdct(
    signals: Any, frame_length: Any, window_fn: Window | None = vorbis_window, pad_end: bool = False,
    norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The modified discrete cosine transform: frames half a length apart, each folded to half, then `dct` of type 4.

    signals: float32 or float64 [..., samples] -> [..., frames, frame_length // 2].
    frame_length: a multiple of 4.
    window_fn: the squares of its window half a length apart must add up to 1 for `inverse_mdct` to undo this one, as
    those of `vorbis_window` (the default) and `kaiser_bessel_derived_window` do; None: all weights are sqrt(1/2).
    norm: "ortho", or None for the plain type 4.

    >>> import tensorsmith as tf
    >>> tf.signal.mdct(tf.range(16.0), 8).shape
    TensorShape([3, 4])
    """
    signals = _of_rank(signals, 1, "mdct", "signals")
    length = known_whole(frame_length, "mdct", "frame_length")
    if length % 4:
        raise ValueError(explain("mdct", "frames must be a multiple of 4 long", {"frame_length": length}))
    framed = frame(signals, length, length // 2, pad_end=pad_end)
    framed = framed * (math.sqrt(0.5) if window_fn is None else window_fn(length, dtype=framed.dtype))
    a, b, c, d = split(framed, 4, axis=-1)
    folded = concat([-reverse(c, [-1]) - d, a - reverse(b, [-1])], axis=-1)
    return dct(folded, type=4, norm=norm)


def inverse_mdct(
    mdcts: Any, window_fn: Window | None = vorbis_window, norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The signal whose modified cosine transform this is, where both have the same window and norm.

    mdcts: [..., frames, half_length] -> [..., (frames + 1) * half_length]; its first and last half frames stay folded.

    >>> import tensorsmith as tf
    >>> x = tf.sin(tf.range(16.0))
    >>> back = tf.signal.inverse_mdct(tf.signal.mdct(x, 8))
    >>> bool(tf.reduce_max(tf.abs(back - x)[4:-4]) < 1e-6)
    True
    """
    mdcts = _of_rank(mdcts, 2, "inverse_mdct", "mdcts")
    half = mdcts.shape[-1]
    if half is None:
        raise InvalidArgumentError(
            explain(
                "inverse_mdct", "the length of frames is not known", {"mdcts": describe(mdcts)}, "its last size must be"
            )
        )
    if half % 2:
        raise InvalidArgumentError(explain("inverse_mdct", "half a frame must be even", {"mdcts": describe(mdcts)}))
    folded = dct(mdcts, type=4, norm=norm)
    if norm is None:
        folded = folded * (0.5 / half)
    a, b = split(folded, 2, axis=-1)
    frames = concat([b, -reverse(b, [-1]), -reverse(a, [-1]), -a], axis=-1)
    frames = frames * (math.sqrt(0.5) if window_fn is None else window_fn(2 * half, dtype=frames.dtype))
    return overlap_and_add(frames, half)


# ---- mel bands


def _mel(hertz: Any) -> Any:
    return 1127.0 * elementwise.log(1.0 + hertz / 700.0)


@constant_of_numbers
def linear_to_mel_weight_matrix(
    num_mel_bins: Any = 20, num_spectrogram_bins: Any = 129, sample_rate: Any = 8000, lower_edge_hertz: Any = 125.0,
    upper_edge_hertz: Any = 3800.0, dtype: Any = dtypes.float32, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The weights that bring a spectrogram to mel bands: `tf.matmul(spectrogram, weights)`.

    The bands are triangles of height 1, even on the mel scale, mel(f) = 1127 log(1 + f / 700) of f in Hz; each reaches
    from the middle of the band below to that of the band above.

    num_spectrogram_bins: frequencies of the spectrogram, evenly from 0 to half the sample rate; 0 counts in no band.
    sample_rate: samples in a second. lower_edge_hertz, upper_edge_hertz: where the lowest band begins, the highest ends.
    -> [num_spectrogram_bins, num_mel_bins], computed in float64 and rounded once.
    Raises ValueError for bins below 1, for edges that are not in order or lie beyond half the sample rate, and for a
    dtype that is none of floats.

    >>> import tensorsmith as tf
    >>> tf.signal.linear_to_mel_weight_matrix(2, 5).numpy().round(3)
    array([[0.   , 0.   ],
           [0.721, 0.279],
           [0.   , 0.903],
           [0.   , 0.346],
           [0.   , 0.   ]], dtype=float32)
    """
    who = "linear_to_mel_weight_matrix"
    mels = known_whole(num_mel_bins, who, "num_mel_bins")
    bins = known_whole(num_spectrogram_bins, who, "num_spectrogram_bins")
    rate, low, high = plain(sample_rate, who), plain(lower_edge_hertz, who), plain(upper_edge_hertz, who)
    wrong = {
        "num_mel_bins must be at least 1": mels < 1,
        "num_spectrogram_bins must be at least 1": bins < 1,
        "sample_rate must be above 0": rate <= 0,
        "lower_edge_hertz must be at least 0": low < 0,
        "lower_edge_hertz must be below upper_edge_hertz": low >= high,
        "upper_edge_hertz must be at most half the sample rate": high > rate / 2,
        "the dtype must be one of floats": not dtypes.as_dtype(dtype).is_floating,
    }
    for what, holds in wrong.items():
        if holds:
            given = {
                "num_mel_bins": mels, "num_spectrogram_bins": bins, "sample_rate": rate, "lower_edge_hertz": low,
                "upper_edge_hertz": high, "dtype": dtypes.as_dtype(dtype).name,
            }  # fmt: skip
            raise ValueError(explain(who, what, given))
    places = cast(range_(1, bins), dtypes.float64)
    here = expand_dims(_mel(places * (rate / 2 / max(bins - 1, 1))), 1)
    edges = linspace(_mel(convert(float(low), dtypes.float64)), _mel(convert(float(high), dtypes.float64)), mels + 2)
    lower, middle, upper = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (here - lower) / (middle - lower), (upper - here) / (upper - middle)
    weights = elementwise.maximum(elementwise.minimum(rising, falling), 0.0)
    return cast(pad(weights, [[1, 0], [0, 0]]), dtype)


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """The cepstral coefficients of mel bands: `dct` of type 2 along the last axis, times sqrt(1 / (2 n)).

    So the Hidden Markov Model Toolkit scales them: as an orthogonal transform, but for the first one.

    log_mel_spectrograms: logarithms of the magnitudes, float32 or float64 [..., n] -> [..., n].
    Raises ValueError where n is 0.

    >>> import tensorsmith as tf
    >>> tf.signal.mfccs_from_log_mel_spectrograms([1.0, 1.0]).numpy().round(4)
    array([2., 0.], dtype=float32)
    """
    who = "mfccs_from_log_mel_spectrograms"
    x = _of_rank(log_mel_spectrograms, 1, who, "log_mel_spectrograms")
    if x.shape[-1] == 0:
        raise ValueError(explain(who, "there must be at least 1 band", {"log_mel_spectrograms": describe(x)}))
    count = cast(shape(x)[-1], x.dtype)
    return dct(x, type=2) * elementwise.rsqrt(2 * count)
