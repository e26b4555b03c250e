"""The script (Latin, Greek, Han, ...) of each code point, from a table of the Unicode standard.

`scripts.json` holds, for each script, its number in ICU (what TensorFlow gives) and its ranges, as hexadecimal numbers.
They are TensorFlow 2.21's own answers for each code point, which are those of Unicode 13: what was assigned later is of
unknown script there, too.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("scripts.json")
UNKNOWN, INVALID = 103, -1
LAST = 0x10FFFF


@functools.cache
def ranges() -> dict[str, tuple[int, list[tuple[int, int]]]]:
    """The number of each script and its ranges, both ends inside."""
    table = json.loads(FILE.read_text(encoding="utf-8"))["scripts"]
    return {name: (number, [_range(part) for part in text.split()]) for name, (number, text) in table.items()}


def _range(part: str) -> tuple[int, int]:
    first, _, last = part.partition("-")
    return int(first, 16), int(last or first, 16)


@functools.cache
def _edges() -> tuple[np.ndarray, np.ndarray]:
    """Where a script begins, rising, and which: the gaps between ranges are unknown, what lies outside is invalid."""
    spans = sorted((first, last, number) for number, found in ranges().values() for first, last in found)
    starts, numbers, at = [np.iinfo(np.int64).min], [INVALID], 0
    for first, last, number in spans:
        if first > at:
            starts.append(at)
            numbers.append(UNKNOWN)
        starts.append(first)
        numbers.append(number)
        at = last + 1
    for start, number in ((at, UNKNOWN), (LAST + 1, INVALID)):
        starts.append(start)
        numbers.append(number)
    return np.array(starts, np.int64), np.array(numbers, np.int32)


def scripts_of(points: np.ndarray) -> np.ndarray:
    """The number of the script of each code point, int32."""
    starts, numbers = _edges()
    return numbers[np.searchsorted(starts, points, side="right") - 1]
