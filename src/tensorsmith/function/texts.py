"""The elements of an array as text, as tf.print and tf.strings.format write them.

Bytes of strings that are no UTF-8 stand in the text as Python's `surrogateescape` keeps them.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def elements(array: np.ndarray, edge: int) -> str:
    """An array's elements: `edge` of them at both ends of each axis, all for -1.

    >>> print(elements(np.arange(6.0).reshape(3, 2) / 4, 1))
    [[0 0.25]
     ...
     [1 1.25]]
    """
    # (an array of nothing is written as one of which nothing is shown)
    return _block(array, array.size if edge < 0 else min(edge, array.size), 0)


def _block(array: Any, edge: int, depth: int) -> str:
    if not isinstance(array, np.ndarray) or not array.ndim:
        return element(array[()] if isinstance(array, np.ndarray) else array, quoted=True)
    gap = " " if array.ndim == 1 else "\n" * (array.ndim - 1) + " " * (depth + 1)
    text = gap.join([_block(part, edge, depth + 1) for part in array[:edge]])
    if len(array) > 2 * edge:
        text += f"{gap}..."
    for part in array[max(edge, len(array) - edge) :]:
        text += gap + _block(part, edge, depth + 1)
    return f"[{text}]"


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "'": "\\'"}


def _escaped(letter: str) -> str:
    return _ESCAPES.get(letter) or (f"\\{ord(letter):03o}" if letter < " " or letter == "\x7f" else letter)


def element(item: Any, quoted: bool = False) -> str:
    """One element: the shortest of 6 and 9 digits (15 and 17 for float64) that reads back as the same number.

    >>> [element(np.float32(x)) for x in (1.0, 0.1, 1 / 3, 1e6)]
    ['1', '0.1', '0.333333343', '1e+06']
    """
    if isinstance(item, bytes):
        text = item.decode("utf-8", "surrogateescape")
        return f'"{"".join(map(_escaped, text))}"' if quoted else text
    if isinstance(item, (bool, np.bool_)):
        return "1" if item else "0"
    if isinstance(item, (complex, np.complexfloating)):
        return f"({element(item.real)},{element(item.imag)})"
    if isinstance(item, (int, np.integer)):
        return str(int(item))
    value = float(item)
    if value != value:
        return "-nan" if np.signbit(value) else "nan"
    kind = np.asarray(item).dtype
    if kind == np.float64:
        short = f"{value:.15g}"
        return short if float(short) == value else f"{value:.17g}"
    short = f"{value:.6g}"
    return short if np.float32(float(short)) == np.float32(value) else f"{value:.9g}"
