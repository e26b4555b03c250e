"""Which pixels of a line make each pixel of the resized line, and how much of each: the filters of `tf.image.resize`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

Taps = tuple[np.ndarray, np.ndarray]


def _keys(x: np.ndarray) -> np.ndarray:
    """The cubic of Keys (1981) with a = -0.5."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x >= 2, 0, np.where(x >= 1, far, near))


def _mitchell(x: np.ndarray) -> np.ndarray:
    """The cubic of Mitchell and Netravali (1988) with b = c = 1 / 3."""
    near = (7 * x - 12) * x * x / 6 + 16 / 18
    far = (((-7 * x + 36) * x - 60) * x + 32) / 18
    return np.where(x >= 2, 0, np.where(x >= 1, far, near))


def _lanczos(radius: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x > radius, 0, np.sinc(x) * np.sinc(x / radius))


# {method: (how far the filter reaches, the filter of a distance in pixels from 0 up)}
_FILTERS: dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1.0, lambda x: np.maximum(1 - x, 0)),
    "bicubic": (2.0, _keys),
    "mitchellcubic": (2.0, _mitchell),
    "lanczos3": (3.0, _lanczos(3.0)),
    "lanczos5": (5.0, _lanczos(5.0)),
    "gaussian": (1.5, lambda x: np.where(x >= 1.5, 0, np.exp(-2 * x * x))),
}

METHODS = ("nearest", "area", *_FILTERS)


@functools.lru_cache(maxsize=128)
def taps(method: str, before: int, after: int, antialias: bool = False) -> Taps:
    """Places [after, K] in a line of `before` pixels and their weights [after, K], float64, for a line of `after`."""
    if method == "nearest":
        found = _nearest(before, after)
    elif method == "area":
        found = _area(before, after)
    elif method == "bicubic" and not antialias:
        found = _cubic(before, after)
    else:
        found = _filtered(method, before, after, antialias)
    for part in found:
        part.flags.writeable = False
    return found


def _nearest(before: int, after: int) -> Taps:
    # in float32, as the pixel that is picked where two are equally near is a matter of rounding
    at = (np.arange(after, dtype="float32") + np.float32(0.5)) * np.float32(before / after)
    places = np.minimum(np.floor(at).astype("int64"), before - 1)[:, None]
    return places, np.ones(places.shape)


def _area(before: int, after: int) -> Taps:
    scale = before / after
    low, high = np.arange(after) * scale, np.arange(1, after + 1) * scale
    first = np.floor(low).astype("int64")
    places = first[:, None] + np.arange(math.ceil(scale) + 1)
    covered = np.minimum(high[:, None], places + 1) - np.maximum(low[:, None], places)
    return np.clip(places, 0, before - 1), np.maximum(covered, 0) / scale


def _cubic(before: int, after: int) -> Taps:
    """Keys' cubic over four pixels, those outside of the line left out, its places rounded to 1 / 1024 of a pixel."""
    scale = np.float32(before / after)
    at = (np.arange(after, dtype="float32") + np.float32(0.5)) * scale - np.float32(0.5)
    first = np.floor(at)
    part = np.rint((at - first) * np.float32(1024)).astype("float64") / 1024
    places = first.astype("int64")[:, None] + np.arange(-1, 3)
    weights = _keys(np.abs(np.arange(-1, 3) - part[:, None]))
    weights = np.where((places < 0) | (places >= before), 0, weights)
    return np.clip(places, 0, before - 1), weights / weights.sum(1, keepdims=True)


def _filtered(method: str, before: int, after: int, antialias: bool) -> Taps:
    """A filter around each new pixel's middle, as wide as it when it is larger than an old one and antialias is asked for."""
    reach, filter_ = _FILTERS[method]
    scale = before / after
    width = max(scale, 1.0) if antialias else 1.0
    middle = (np.arange(after) + 0.5) * scale
    first = np.ceil(middle - reach * width - 0.5).astype("int64")
    places = first[:, None] + np.arange(math.floor(2 * reach * width) + 1)
    weights = filter_(np.abs(places + 0.5 - middle[:, None]) / width)
    weights = np.where((places < 0) | (places >= before), 0, weights)
    return np.clip(places, 0, before - 1), weights / weights.sum(1, keepdims=True)


def matrix(method: str, before: int, after: int, antialias: bool = False) -> np.ndarray:
    """The same weights as a matrix [after, before]."""
    places, weights = taps(method, before, after, antialias)
    found = np.zeros((after, before))
    np.add.at(found, (np.arange(after)[:, None], places), weights)
    return found
