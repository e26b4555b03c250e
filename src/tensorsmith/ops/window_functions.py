"""Windows that weigh the samples of a frame: Hann, Hamming, Kaiser, Kaiser-Bessel derived, Vorbis.

All are computed in float64 and rounded once.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

from tensorsmith.core import context, dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops import elementwise, special, trigonometry
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.creation import range_
from tensorsmith.ops.cumulative import cumsum
from tensorsmith.ops.frames import whole
from tensorsmith.ops.shaping import concat
from tensorsmith.tensor.tensor import Tensor

Maker = TypeVar("Maker", bound=Callable[..., Tensor])


def constant_of_numbers(make: Maker) -> Maker:
    """A maker of constants: of plain numbers it works aside, so that no tape hears of it.

    A tape would have to replay it for each gradient, and compiled it could not: how many samples there are would be a
    value there.
    """

    @functools.wraps(make)
    def made(*args: Any, **named: Any) -> Tensor:
        if any(isinstance(value, Tensor) or hasattr(value, "_read") for value in (*args, *named.values())):
            return make(*args, **named)
        with context.eagerly():
            return make(*args, **named)

    return made  # type: ignore[return-value]


def _places(window_length: Any, dtype: Any, who: str) -> tuple[Tensor, Any]:
    """The numbers of the samples in float64, and how many there are: a number, or a scalar where a program knows it."""
    kind = dtypes.as_dtype(dtype)
    if not kind.is_floating:
        raise ValueError(explain(who, "a window is of floats", {"dtype": kind.name}))
    length, parts = whole(window_length, who, "window_length")
    if length is not None and length < 0:
        raise InvalidArgumentError(explain(who, "a window has at least 0 samples", {"window_length": length}))
    count = parts[0] if length is None else length
    return cast(range_(count), dtypes.float64), count


def _raised_cosine(window_length: Any, periodic: Any, dtype: Any, low: float, who: str) -> Tensor:
    places, count = _places(window_length, dtype, who)
    # of an odd length TensorFlow's periodic window is the symmetric one
    turn = cast(count - 1 + (1 - count % 2 if bool(periodic) else 0), dtypes.float64)
    angles = elementwise.divide_no_nan(places * (2 * math.pi), turn)
    found = (1 + low) / 2 - (1 - low) / 2 * trigonometry.cos(angles)
    # of one sample it is 1
    return cast(where(turn == 0, elementwise.pow(found, 0), found), dtype)


@constant_of_numbers
def hann_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Hann's window: 0.5 - 0.5 cos(2 pi t / n), [window_length].

    periodic: n is the length where that is even, so that windows half a length apart add up to 1; else, and of odd
    lengths always, it is the length - 1: the window is symmetric.
    Raises ValueError for a dtype that is none of floats.

    >>> import tensorsmith as tf
    >>> tf.signal.hann_window(4).numpy()
    array([0. , 0.5, 1. , 0.5], dtype=float32)
    """
    return _raised_cosine(window_length, periodic, dtype, 0.0, "hann_window")


@constant_of_numbers
def hamming_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Hamming's window: 0.54 - 0.46 cos(2 pi t / n), [window_length]; n as for `hann_window`.

    >>> import tensorsmith as tf
    >>> tf.signal.hamming_window(4).numpy().round(2)
    array([0.08, 0.54, 1.  , 0.54], dtype=float32)
    """
    return _raised_cosine(window_length, periodic, dtype, 0.08, "hamming_window")


def _kaiser(window_length: Any, beta: Any, dtype: Any, who: str) -> Tensor:
    places, count = _places(window_length, dtype, who)
    beta = cast(beta, dtypes.float64)
    # from -1 to 1; of one sample it is the middle
    side = elementwise.divide_no_nan(2 * places, cast(count - 1, dtypes.float64)) - cast(count > 1, dtypes.float64)
    height = beta * elementwise.sqrt(elementwise.maximum(1 - side * side, 0.0))
    return elementwise.exp(height - beta) * special.bessel_i0e(height) / special.bessel_i0e(beta)


@constant_of_numbers
def kaiser_window(window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Kaiser's window: I0(beta sqrt(1 - s**2)) / I0(beta) for s from -1 to 1, [window_length].

    beta: the larger, the narrower the window and the lower what leaks into far frequencies.

    >>> import tensorsmith as tf
    >>> tf.signal.kaiser_window(5, beta=3.0).numpy().round(4)
    array([0.2049, 0.7269, 1.    , 0.7269, 0.2049], dtype=float32)
    """
    return cast(_kaiser(window_length, beta, dtype, "kaiser_window"), dtype)


@constant_of_numbers
def kaiser_bessel_derived_window(
    window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The window whose squares half a length apart add up to 1, made of the running sums of Kaiser's, [window_length].

    Of an odd length it has one sample less.

    >>> import tensorsmith as tf
    >>> tf.signal.kaiser_bessel_derived_window(4, beta=4.0).numpy().round(4)
    array([0.2742, 0.9617, 0.9617, 0.2742], dtype=float32)
    """
    length, parts = whole(window_length, "kaiser_bessel_derived_window", "window_length")
    half = (parts[0] if length is None else length) // 2
    sums = cumsum(_kaiser(half + 1, beta, dtype, "kaiser_bessel_derived_window"))
    rising = elementwise.sqrt(sums[:-1] / sums[-1])
    return cast(concat([rising, rising[::-1]], 0), dtype)


@constant_of_numbers
def vorbis_window(window_length: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """The window of the Vorbis codec: sin(pi / 2 sin(pi (t + 1/2) / n)**2), [window_length].

    Its squares half a length apart add up to 1.

    >>> import tensorsmith as tf
    >>> tf.signal.vorbis_window(4).numpy().round(4)
    array([0.228 , 0.9737, 0.9737, 0.228 ], dtype=float32)
    """
    places, count = _places(window_length, dtype, "vorbis_window")
    height = trigonometry.sin(math.pi * (places + 0.5) / cast(count, dtypes.float64))
    return cast(trigonometry.sin(math.pi / 2 * height * height), dtype)
