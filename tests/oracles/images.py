"""Images, pixel by pixel."""

from __future__ import annotations

import colorsys
import math

import numpy as np

from tests.support.spine import Draw, Row

d = Draw(43)

# ---- resizing: a line at a time, by what each method means


def cubic(x, b, c):
    """The family of cubics of Mitchell and Netravali; b = 0, c = 1/2 is Keys'."""
    x = abs(x)
    if x < 1:
        return ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b) / 6
    if x < 2:
        return ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c) / 6
    return 0.0


def lanczos(x, a):
    if x == 0:
        return 1.0
    if abs(x) >= a:
        return 0.0
    return a * math.sin(math.pi * x) * math.sin(math.pi * x / a) / (math.pi * x) ** 2


FILTERS = {
    "bilinear": lambda x: max(0.0, 1 - abs(x)),
    "bicubic": lambda x: cubic(x, 0, 0.5),
    "mitchellcubic": lambda x: cubic(x, 1 / 3, 1 / 3),
    "lanczos3": lambda x: lanczos(x, 3),
    "lanczos5": lambda x: lanczos(x, 5),
    "gaussian": lambda x: math.exp(-(x**2) / (2 * 0.5**2)) if abs(x) < 1.5 else 0.0,
}


def line(values, size, method, antialias):
    """values [n, ...] at another size."""
    n = len(values)
    step = n / size
    found = []
    for i in range(size):
        middle = (i + 0.5) * step
        if method == "nearest":
            found.append(values[min(int(middle), n - 1)])
            continue
        if method == "area":
            shares = [max(0.0, min(j + 1, (i + 1) * step) - max(j, i * step)) for j in range(n)]
        elif method == "bicubic" and not antialias:
            # TensorFlow looks the cubic up at 1024 places between two pixels
            first = math.floor(middle - 0.5)
            part = round((middle - 0.5 - first) * 1024) / 1024
            shares = [cubic(first + part - j, 0, 0.5) for j in range(n)]
        else:
            width = max(1.0, step) if antialias else 1.0
            shares = [FILTERS[method]((j + 0.5 - middle) / width) for j in range(n)]
        found.append(sum(share * values[j] for j, share in enumerate(shares)) / sum(shares))
    return np.array(found).reshape(size, *values.shape[1:])


def resized(x, parts, sizes, method, antialias):
    x = np.moveaxis(line(np.moveaxis(x, 1, 0), sizes[0], method, antialias), 0, 1)
    return np.moveaxis(line(np.moveaxis(x, 2, 0), sizes[1], method, antialias), 0, 2)


def at(method, antialias, *sizes):
    return {"sizes": sizes, "method": method, "antialias": antialias}


# ---- windows


def window(x, parts, begin, sizes):
    out = np.zeros((x.shape[0], *sizes, x.shape[3]), x.dtype)
    for i in range(sizes[0]):
        for j in range(sizes[1]):
            row, column = i + begin[0], j + begin[1]
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                out[:, i, j] = x[:, row, column]
    return out


def patches(x, sizes, strides, rates, padding):
    rows, columns = ((s - 1) * r + 1 for s, r in zip(sizes, rates))
    top = left = 0
    if padding == "SAME":
        counts = [-(-n // s) for n, s in zip(x.shape[1:3], strides)]
        top, left = (
            max((c - 1) * s + k - n, 0) // 2 for c, s, k, n in zip(counts, strides, (rows, columns), x.shape[1:3])
        )
    else:
        counts = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:3], (rows, columns), strides)]
    seen = window(x, [], (-top, -left), (x.shape[1] + 99, x.shape[2] + 99))
    out = np.zeros((x.shape[0], *counts, sizes[0] * sizes[1] * x.shape[3]), x.dtype)
    for i in range(counts[0]):
        for j in range(counts[1]):
            high, wide = i * strides[0], j * strides[1]
            part = seen[:, high : high + rows : rates[0], wide : wide + columns : rates[1]]
            out[:, i, j] = part.reshape(len(x), -1)
    return out


# ---- colours


def pixels(function):
    return lambda x: np.array([function(*pixel) for pixel in x.reshape(-1, 3)]).reshape(x.shape)


# no two channels near each other: there hues have steps
COLOURS = d.apart(2, 3, 3) / np.float32(6) + np.float32(0.5)
SMALL, GREY, WHOLE = d.normal(2, 3, 5, 2), d.normal(1, 6, 4, 1), d.ints(0, 9, 1, 4, 3, 2)

ROWS: dict[str, Row] = {
    "image_resize": Row(
        resized,
        [
            ((SMALL, []), at("bilinear", False, 4, 3)),
            ((GREY, []), at("bilinear", True, 2, 3)),
            ((SMALL, []), at("bicubic", False, 4, 4)),
            ((GREY, []), at("bicubic", True, 3, 5)),
            ((SMALL, []), at("nearest", False, 7, 4)),
            ((GREY, []), at("area", False, 4, 3)),
            ((SMALL, []), at("mitchellcubic", False, 3, 4)),
            ((GREY, []), at("gaussian", True, 2, 6)),
            ((SMALL, []), at("lanczos3", True, 2, 9)),
            ((GREY, []), at("lanczos5", False, 7, 3)),
            ((WHOLE, []), at("nearest", True, 2, 5)),
            ((d.normal(1, 40, 2, 1), []), at("bilinear", True, 3, 2)),
        ],
    ),
    "image_window": Row(
        window,
        [
            ((SMALL, []), {"begin": (1, 2), "sizes": (2, 2)}),
            ((SMALL, []), {"begin": (-1, -2), "sizes": (5, 8)}),
            ((WHOLE, []), {"begin": (2, -4), "sizes": (4, 3)}),
        ],
        nan="what the window leaves out",
    ),
    "rgb_to_hsv": Row(
        pixels(colorsys.rgb_to_hsv),
        [((COLOURS,), {}), ((np.array([[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.25], [0.25, 0.5, 0.5], [0.5, 0.25, 0.5]], "f"),), {})],
        smooth=1,
    ),
    "hsv_to_rgb": Row(
        pixels(colorsys.hsv_to_rgb),
        [((COLOURS,), {}), ((np.array([[0, 1, 1], [1 / 6, 1, 0.5], [1 / 3, 0, 0.5], [0.5, 0.5, 0], [1, 1, 1]], "f"),), {})],
        smooth=1,
    ),
    "extract_patches": Row(
        patches,
        [
            ((SMALL,), {"sizes": (2, 3), "strides": (1, 2), "rates": (1, 1), "padding": "VALID"}),
            ((GREY,), {"sizes": (3, 2), "strides": (2, 1), "rates": (1, 2), "padding": "SAME"}),
            ((WHOLE,), {"sizes": (1, 1), "strides": (3, 2), "rates": (2, 2), "padding": "SAME"}),
        ],
    ),
}  # fmt: skip
