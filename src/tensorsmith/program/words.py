"""Many small arrays in one buffer of 32-bit words: what a compiled program takes and gives in one piece.

Each array that is handed to XLA by itself costs 1.7 µs, each that comes back 1.5; a copy into its place in a buffer costs
0.1, and the program takes the buffer apart while it computes.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tensorsmith.program.program import Spec

WORD = np.dtype("uint32")
# Up to this many words an array is small: copying 8 KB costs less than passing it by itself.
SMALL = 2048
# A buffer that begins on such a boundary is read by XLA where it stands.
ALIGNED = 64


class Span(NamedTuple):
    """Where an array stands in a buffer: words `start` to `stop`, read as this shape and dtype."""

    start: int
    stop: int
    shape: tuple[int, ...]
    dtype: np.dtype

    def of(self, buffer: np.ndarray) -> Any:
        """The array, without a copy; a scalar as a NumPy scalar of its own."""
        part = buffer[self.start : self.stop].view(self.dtype)
        return part.reshape(self.shape) if self.shape else part[0]


def is_small(spec: Spec) -> bool:
    """True for an array that may stand in a buffer: of known shape, few words, and whole words an element."""
    shape, dtype = spec
    if dtype.kind not in "fiu" or dtype.itemsize not in (4, 8) or None in shape:
        return False
    return math.prod(shape) * dtype.itemsize <= SMALL * WORD.itemsize  # type: ignore[arg-type]


class Words:
    """The places of arrays of these specs in one buffer of `size` words, the first at word `start`."""

    def __init__(self, specs: list[Any], start: int = 0) -> None:
        self.spans: list[Span] = []
        at = self.start = start
        for shape, dtype in specs:
            per_element = dtype.itemsize // WORD.itemsize
            at += at % per_element  # a 64-bit number stands on a 64-bit boundary
            stop = at + math.prod(shape) * per_element
            self.spans.append(Span(at, stop, tuple(shape), dtype))
            at = stop
        self.size = at

    def views(self, buffer: np.ndarray) -> list[np.ndarray]:
        """The arrays of a buffer, to be written to."""
        return [buffer[s.start : s.stop].view(s.dtype).reshape(s.shape) for s in self.spans]

    def taken_apart(self, jax: Any, buffer: Any) -> list[Any]:
        """The arrays of a buffer, in a program."""
        return [_read(jax, buffer[s.start : s.stop], s) for s in self.spans]

    def put_together(self, jax: Any, arrays: list[Any]) -> list[Any]:
        """The pieces of a buffer that holds these arrays, in a program; to be joined with what follows."""
        pieces: list[Any] = []
        at = self.start
        for span, array in zip(self.spans, arrays):
            if span.start > at:
                pieces.append(jax.numpy.zeros(span.start - at, WORD))
            pieces.append(_written(jax, array, span))
            at = span.stop
        return pieces


def _read(jax: Any, words: Any, span: Span) -> Any:
    if span.dtype.itemsize == 8:
        words = words.reshape(-1, 2)
    return jax.lax.bitcast_convert_type(words, span.dtype).reshape(span.shape)


def _written(jax: Any, array: Any, span: Span) -> Any:
    array = jax.numpy.asarray(array)
    if array.shape != span.shape or array.dtype != span.dtype:
        raise TypeError(f"a value of {span.dtype}{span.shape} became one of {array.dtype}{array.shape}")
    return jax.lax.bitcast_convert_type(array.reshape(-1), WORD).reshape(-1)


def empty(size: int) -> np.ndarray:
    """A buffer of zeros that XLA reads where it stands."""
    raw = np.zeros(size * WORD.itemsize + ALIGNED, np.uint8)
    start = -raw.ctypes.data % ALIGNED
    return raw[start : start + size * WORD.itemsize].view(WORD)
