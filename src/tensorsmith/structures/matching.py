"""Patterns matched: those that need no care by Python's `re`, the others by a search that remembers where it was.

Python's `re` tries what it tried before: (a*)*b takes it 2**n steps on n letters. RE2 never does, so a pattern that repeats
what can match in several ways is searched here place by place, each pair of place and instruction once. The same search
gives the text of a group in a repeat that can match nothing as RE2 gives it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from tensorsmith.structures.characters import as_utf8
from tensorsmith.structures.regex import Byte, Choice, Class, Group, Node, Place, Repeat, Sequence, parsed

Spans = list[int]  # where the match and each group begin and end, -1 where they do not
_ANY_BYTE = r"[\x00-\xff]"


class Matcher(NamedTuple):
    """A pattern that is ready to be matched.

    search  the first match at or behind a place; None where there is none.
    full    whether the whole text matches.
    plain   the pattern of `re` that says the same, if there is one and it never matches nothing.
    """

    groups: int
    search: Callable[[bytes, int], Spans | None]
    full: Callable[[bytes], bool]
    plain: re.Pattern[bytes] | None


@functools.lru_cache(256)
def matcher(pattern: bytes) -> Matcher:
    """The matcher of a pattern in RE2's syntax.

    Raises PatternError where it cannot be read.
    """
    tree, groups = parsed(pattern)
    if _ambiguous(tree, False):
        program = Program(tree, groups)
        return Matcher(groups, program.search, program.full, None)
    compiled = re.compile(_written(tree).encode())

    def search(text: bytes, at: int) -> Spans | None:
        found = compiled.search(text, at)
        return None if found is None else [place for group in range(groups + 1) for place in found.span(group)]

    return Matcher(
        groups, search, lambda text: compiled.fullmatch(text) is not None, None if _nullable(tree) else compiled
    )


def _written(node: Node) -> str:
    """A tree as a pattern of `re` on bytes."""
    if isinstance(node, Class):
        return as_utf8(node.ranges)
    if isinstance(node, Byte):
        return _ANY_BYTE
    if isinstance(node, Place):
        return node.kind
    if isinstance(node, Sequence):
        return "".join(f"(?:{_written(p)})" if isinstance(p, Choice) else _written(p) for p in node.parts)
    if isinstance(node, Choice):
        return "|".join(map(_written, node.parts))
    if isinstance(node, Group):
        return f"({_written(node.part)})"
    most = "" if node.most is None else node.most
    return f"(?:{_written(node.part)}){{{node.least},{most}}}" + ("" if node.greedy else "?")


# ---- what a tree is like


def _nullable(node: Node) -> bool:
    """Whether it can match nothing."""
    if isinstance(node, Class | Byte):
        return False
    if isinstance(node, Place):
        return True
    if isinstance(node, Sequence):
        return all(map(_nullable, node.parts))
    if isinstance(node, Choice):
        return any(map(_nullable, node.parts))
    return isinstance(node, Repeat) and node.least == 0 or _nullable(node.part)


def _first(node: Node) -> int:
    """The bytes that it can begin with, as the bits of a number."""
    if isinstance(node, Class):
        found = 0
        for begin, end in node.ranges:
            lead, last = (_lead(begin), _lead(end))
            found |= (1 << last + 1) - (1 << lead)
        return found
    if isinstance(node, Byte):
        return (1 << 256) - 1
    if isinstance(node, Place):
        return 0
    if isinstance(node, Choice):
        return functools.reduce(int.__or__, map(_first, node.parts))
    if isinstance(node, Sequence):
        found = 0
        for part in node.parts:
            found |= _first(part)
            if not _nullable(part):
                break
        return found
    return _first(node.part)


def _lead(point: int) -> int:
    return chr(point).encode("utf-8", "surrogatepass")[0]


def _ambiguous(node: Node, repeated: bool) -> bool:
    """Whether it repeats what can match in several ways, so that trying all of them might never end."""
    if isinstance(node, Class | Byte | Place):
        return False
    if isinstance(node, Group):
        return _ambiguous(node.part, repeated)
    if isinstance(node, Repeat):
        several = node.most is None or node.most > 1
        if repeated and node.least != node.most or several and _nullable(node.part):
            return True
        return _ambiguous(node.part, repeated or several)
    if repeated and isinstance(node, Choice):
        seen = 0
        for part in node.parts:
            first = _first(part)
            if _nullable(part) or seen & first:
                return True
            seen |= first
    return any(_ambiguous(part, repeated) for part in node.parts)


# ---- the search that remembers


class Program:
    """A pattern as instructions, searched depth first; what once led nowhere is not tried again.

    An instruction is what it takes (a pattern of `re`, which may take nothing) and where to go on; or two places to
    go on at, the better one first; or the number of an end of a group.
    """

    def __init__(self, tree: Node, groups: int) -> None:
        self._take: list[re.Pattern[bytes] | None] = []
        self._next: list[int] = []
        self._other: list[int] = []  # of a fork
        self._save: list[int] = []  # -1, or what is kept: 2 * group, + 1 for its end
        self._groups = groups
        self._match = self._add()
        self._start = self._before(tree, self._match)

    def _add(self, take: str | None = None, after: int = -1, other: int = -1, save: int = -1) -> int:
        self._take.append(None if take is None else re.compile(take.encode()))
        self._next.append(after)
        self._other.append(other)
        self._save.append(save)
        return len(self._next) - 1

    def _before(self, node: Node, after: int) -> int:
        """Where the instructions begin that match a tree and go on at `after`."""
        if isinstance(node, Class | Byte | Place):
            return self._add(_written(node), after)
        if isinstance(node, Sequence):
            for part in reversed(node.parts):
                after = self._before(part, after)
            return after
        if isinstance(node, Choice):
            *others, begin = [self._before(part, after) for part in node.parts]
            for other in reversed(others):
                begin = self._fork(other, begin)
            return begin
        if isinstance(node, Group):
            end = self._add(after=after, save=2 * node.number + 1)
            return self._add(after=self._before(node.part, end), save=2 * node.number)
        return self._repeat(node, after)

    def _fork(self, first: int, second: int, greedy: bool = True) -> int:
        return self._add(after=first if greedy else second, other=second if greedy else first)

    def _repeat(self, node: Repeat, after: int) -> int:
        if node.most is None:
            # x+ is x and then a fork back; x* of what can match nothing is (x+)?, or an x that takes nothing would win
            loop = self._add()
            begin = self._before(node.part, loop)
            forward = (begin, after) if node.greedy else (after, begin)
            self._next[loop], self._other[loop] = forward
            if node.least:
                after = begin
            elif _nullable(node.part):
                after = self._fork(begin, after, node.greedy)
            else:
                after = loop
            copies = node.least - 1
        else:
            end = after
            for _ in range(node.most - node.least):
                after = self._fork(self._before(node.part, after), end, node.greedy)
            copies = node.least
        for _ in range(copies):
            after = self._before(node.part, after)
        return after

    def search(self, text: bytes, at: int) -> Spans | None:
        seen: set[int] = set()
        for start in range(at, len(text) + 1):
            found = self._run(text, start, seen, False)
            if found is not None:
                return found
        return None

    def full(self, text: bytes) -> bool:
        return self._run(text, 0, set(), True) is not None

    def _run(self, text: bytes, start: int, seen: set[int], whole: bool) -> Spans | None:
        size, nothing = len(text) + 1, (-1,) * (2 * self._groups + 2)
        waiting = [(self._start, start, nothing)]
        while waiting:
            number, at, kept = waiting.pop()
            while number * size + at not in seen:
                seen.add(number * size + at)
                if number == self._match:
                    if whole and at < len(text):
                        break
                    return [start, at, *kept[2:]]
                take, other, save = self._take[number], self._other[number], self._save[number]
                if take is not None:
                    found = take.match(text, at)
                    if found is None:
                        break
                    at = found.end()
                elif other >= 0:
                    waiting.append((other, at, kept))
                elif save >= 0:
                    kept = (*kept[:save], at, *kept[save + 1 :])
                number = self._next[number]
        return None


# ---- replacing


def replaced(text: bytes, pattern: Matcher, rewrite: bytes, everywhere: bool) -> bytes:
    """The text with its matches (only the first one, unless `everywhere`) written anew.

    In `rewrite`, \\\\0 stands for the match, \\\\1 to \\\\9 for groups, two backslashes for one. One that names a group
    which is not there changes nothing; what follows any other backslash is left out.
    """
    parts, valid, groups = _parts(rewrite)
    if groups > pattern.groups or not everywhere and not valid:
        return text
    constant = b"".join(parts) if all(isinstance(part, bytes) for part in parts) else None  # type: ignore[arg-type]
    if constant is not None and pattern.plain is not None:
        return pattern.plain.sub(lambda _: constant, text, 0 if everywhere else 1)

    def anew(spans: Spans) -> bytes:
        return b"".join(
            part if isinstance(part, bytes) else text[spans[2 * part] : spans[2 * part + 1]] for part in parts
        )

    out: list[bytes] = []
    at, last = 0, -1
    while at <= len(text) and (found := pattern.search(text, at)) is not None:
        begin, end = found[:2]
        out.append(text[at:begin])
        if begin == end == last:
            # nothing again where the last match ended: one character is left as it is
            at = begin + _character(text, begin)
            out.append(text[begin:at])
            continue
        out.append(anew(found))
        at = last = end
        if not everywhere:
            break
    return b"".join(out) + text[at:]


_CHARACTER = re.compile(as_utf8(((0, 0xD7FF), (0xE000, 0x10FFFF))).encode())


def _character(text: bytes, at: int) -> int:
    """How many bytes the character at a place has; what is none counts as one."""
    found = _CHARACTER.match(text, at)
    return 1 if found is None else found.end() - at


@functools.lru_cache(64)
def _parts(rewrite: bytes) -> tuple[list[bytes | int], bool, int]:
    """What is written for a match: bytes and numbers of groups; whether all of it can be read; the greatest group."""
    parts: list[bytes | int] = []
    groups = max((int(digit) for digit in re.findall(rb"(?s)\\([0-9])|\\.", rewrite) if digit), default=0)
    at = 0
    while (slash := rewrite.find(b"\\", at)) >= 0:
        parts.append(rewrite[at:slash])
        after = rewrite[slash + 1 : slash + 2]
        if after.isdigit():
            parts.append(int(after))
        elif after == b"\\":
            parts.append(after)
        else:
            return parts, False, groups
        at = slash + 2
    return [*parts, rewrite[at:]], True, groups
