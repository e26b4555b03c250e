"""Sets of code points, as patterns know them: by name, with both cases, turned round, and as bytes of UTF-8.

A set is a tuple of ranges (first, last), rising, with a gap between each and the next.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections.abc import Iterable

from tensorsmith.structures import scripts

Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
ANY: Ranges = ((0, LAST),)
# the last code point that has a second case lies below
_CASED = 0x1F000

# what \d, \s and \w mean, and [:alpha:] and its kin: ASCII alone
PERL: dict[str, Ranges] = {
    "d": ((0x30, 0x39),),
    "s": ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
}
POSIX: dict[str, Ranges] = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0x00, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "digit": PERL["d"],
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": ((0x41, 0x5A),),
    "word": PERL["w"],
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The set that ranges in any order make together."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1] + 1:
            out[-1] = out[-1][0], max(out[-1][1], last)
        else:
            out.append((first, last))
    return tuple(out)


def without(ranges: Ranges) -> Ranges:
    """All code points that are not in a set."""
    edges = [-1, *itertools.chain.from_iterable((first - 1, last) for first, last in ranges), LAST]
    return tuple((a + 1, b) for a, b in zip(edges[::2], edges[1::2]) if a < b)


# ---- both cases


@functools.cache
def _cases() -> dict[int, tuple[int, ...]]:
    """The other code points that differ from one by their case alone."""
    families: dict[int, set[int]] = {}
    for point in range(_CASED):
        # dotless i and I with a dot have a second case in Turkish alone
        if point in (0x130, 0x131):
            continue
        text = chr(point)
        for other in (text.lower(), text.upper()):
            if other != text and len(other) == 1:
                together = families.get(point, {point}) | families.get(ord(other), {ord(other)})
                families.update(dict.fromkeys(together, together))
    return {point: tuple(sorted(together - {point})) for point, together in families.items()}


@functools.cache
def both_cases(ranges: Ranges) -> Ranges:
    """A set with all that differ from its members by their case alone."""
    cases = _cases()
    inside = (p for first, last in ranges for p in range(first, min(last, _CASED) + 1))
    return merged([*ranges, *((other, other) for point in inside for other in cases.get(point, ()))])


# ---- by name


@functools.cache
def _categories() -> dict[str, Ranges]:
    """The general categories, and by their first letter groups of them: L is Lu, Ll, Lt, Lm and Lo."""
    found: dict[str, list[tuple[int, int]]] = {}
    at = 0
    for category, points in itertools.groupby(map(unicodedata.category, map(chr, range(LAST + 1)))):
        size = sum(1 for _ in points)
        # what is not assigned has no name
        if category != "Cn":
            for name in (category, category[0]):
                found.setdefault(name, []).append((at, at + size - 1))
        at += size
    return {name: merged(ranges) for name, ranges in found.items()}


def named(name: str) -> Ranges | None:
    """The set of a general category or a script; None where there is no such name."""
    if name == "Any":
        return ANY
    script = scripts.ranges().get(name)
    return _categories().get(name) if script is None else merged(script[1])


# ---- as bytes


def as_utf8(ranges: Ranges) -> str:
    """The pattern (for Python's `re`, on bytes) of the UTF-8 of one member of a set.

    Halves of UTF-16 pairs have bytes like any other code point; and where a set holds all beyond ASCII, longer forms than
    needed, and numbers just beyond the last, count too: RE2 reads bytes so.
    """
    if not ranges:
        return "(?!)"
    tree: dict[tuple[int, int], dict] = {}
    for first, last in ranges:
        if first <= 0x80 and last == LAST:
            if first < 0x80:
                tree[first, 0x7F] = {}
            tails = {(0x80, 0xBF): {}}
            tree[0xC2, 0xDF] = tails
            tree[0xE0, 0xEF] = {(0x80, 0xBF): tails}
            tree[0xF0, 0xF4] = {(0x80, 0xBF): {(0x80, 0xBF): tails}}
            continue
        for sequence in _sequences(first, last):
            branch = tree
            for span in sequence:
                branch = branch.setdefault(span, {})
    return _written(tree)


def _sequences(first: int, last: int) -> Iterable[list[tuple[int, int]]]:
    """Ranges of bytes, one after another, that together are the UTF-8 of a range of code points."""
    for end in (0x7F, 0x7FF, 0xFFFF):
        if first <= end < last:
            yield from _sequences(first, end)
            yield from _sequences(end + 1, last)
            return
    if last < 0x80:
        yield [(first, last)]
        return
    count = 1 if last < 0x800 else 2 if last < 0x10000 else 3
    for place in range(1, count + 1):
        low = (1 << 6 * place) - 1
        if first & ~low != last & ~low:
            if first & low:
                yield from _sequences(first, first | low)
                yield from _sequences((first | low) + 1, last)
                return
            if last & low != low:
                yield from _sequences(first, (last & ~low) - 1)
                yield from _sequences(last & ~low, last)
                return
    yield list(zip(_encoded(first, count), _encoded(last, count)))


def _encoded(point: int, count: int) -> list[int]:
    lead = (0, 0xC0, 0xE0, 0xF0)[count] | point >> 6 * count
    return [lead, *(0x80 | point >> 6 * place & 0x3F for place in reversed(range(count)))]


def _written(tree: dict[tuple[int, int], dict]) -> str:
    """A tree of ranges of bytes as a pattern; branches that go on alike stand together."""
    alike: dict[str, list[tuple[int, int]]] = {}
    for span, rest in tree.items():
        alike.setdefault(_written(rest) if rest else "", []).append(span)
    parts = [_one_of(spans) + rest for rest, spans in alike.items()]
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


def _one_of(spans: list[tuple[int, int]]) -> str:
    if len(spans) == 1 and spans[0][0] == spans[0][1]:
        return f"\\x{spans[0][0]:02x}"
    return "[" + "".join(f"\\x{a:02x}" if a == b else f"\\x{a:02x}-\\x{b:02x}" for a, b in spans) + "]"
