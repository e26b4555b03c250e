"""Patterns in RE2's syntax, read into a tree.

That is TensorFlow's syntax: patterns mean code points of UTF-8, classes such as \\d are ASCII, `$` is the end of the text
alone, and there is neither look-around nor a reference to a group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tensorsmith.structures.characters import ANY, LAST, PERL, POSIX, Ranges, both_cases, merged, named, without

MOST_REPEATS = 1000


class PatternError(ValueError):
    """Why a pattern cannot be read."""


# ---- the tree


@dataclass(frozen=True)
class Class:
    """One code point of a set."""

    ranges: Ranges


@dataclass(frozen=True)
class Byte:
    """Any one byte."""


@dataclass(frozen=True)
class Place:
    """Nothing, at a certain place; `kind` is that in the syntax of `re`."""

    kind: str


@dataclass(frozen=True)
class Sequence:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    """One of its parts, the first one that leads to a match."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """A part at least `least` and at most `most` times (None: no bound), as often as can be if it is `greedy`."""

    part: Node
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True)
class Group:
    """A part whose text is kept under a number."""

    part: Node
    number: int


Node = Class | Byte | Place | Sequence | Choice | Repeat | Group

TEXT_BEGIN, TEXT_END = Place(r"\A"), Place(r"\Z")
LINE_BEGIN, LINE_END = Place("(?m:^)"), Place("(?m:$)")
# \B of Python is false in an empty text
BOUNDARY, NO_BOUNDARY = Place(r"\b"), Place(r"(?!\b)")


@dataclass(frozen=True)
class _Flags:
    fold: bool = False
    lines: bool = False
    dot_all: bool = False
    lazy: bool = False


_FLAGS = {"i": "fold", "m": "lines", "s": "dot_all", "U": "lazy"}
_SIMPLE = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_NO_NEWLINE: Ranges = ((0, 9), (11, LAST))
_COUNT = re.compile(r"\{(0|[1-9][0-9]{0,7})(,(0|[1-9][0-9]{0,7})?)?\}")


def parsed(pattern: bytes) -> tuple[Node, int]:
    """The tree of a pattern, and the number of its groups.

    Raises PatternError, telling what is wrong and where.
    """
    try:
        text = pattern.decode()
    except UnicodeDecodeError:
        raise PatternError("invalid UTF-8") from None
    parser = _Parser(text)
    tree = parser.choice()
    if parser.left():
        raise PatternError(f"unexpected ): {text}")
    _repeats(tree)
    return tree, parser.groups


def _repeats(node: Node) -> int:
    """How often repeats in repeats repeat something at most; PatternError where that is too often."""
    if isinstance(node, Class | Byte | Place):
        return 1
    if isinstance(node, Sequence | Choice):
        return max(map(_repeats, node.parts), default=1)
    times = _repeats(node.part)
    if isinstance(node, Group):
        return times
    times *= max(node.least if node.most is None else node.most, 1)
    if times > MOST_REPEATS:
        most = "" if node.most == node.least else "," if node.most is None else f",{node.most}"
        raise PatternError(f"invalid repetition size: {{{node.least}{most}}}")
    return times


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.groups, self.flags = text, 0, 0, _Flags()

    def left(self) -> str:
        return self.text[self.at :]

    def take(self, what: str) -> bool:
        """Whether `what` comes next; it is taken then."""
        if not self.text.startswith(what, self.at):
            return False
        self.at += len(what)
        return True

    # ---- what stands beside and behind each other

    def choice(self) -> Node:
        parts = [self._sequence()]
        while self.take("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self) -> Node:
        items: list[Node] = []
        operator = -1  # where an operator began that has just been read
        while (rest := self.left()) and rest[0] not in "|)":
            begin = self.at
            bounds = self._repetition()
            if bounds is None:
                items += self._atom()
                operator = -1
                continue
            given = self.text[begin : self.at]
            if operator >= 0:
                raise PatternError(f"bad repetition operator: {self.text[operator : self.at]}")
            if not items:
                raise PatternError(f"no argument for repetition operator: {given}")
            least, most, greedy = bounds
            if most is not None and most < least:
                raise PatternError(f"invalid repetition size: {given}")
            items[-1] = Repeat(items[-1], least, most, greedy)
            operator = begin
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _repetition(self) -> tuple[int, int | None, bool] | None:
        if self.take("*"):
            bounds: tuple[int, int | None] = 0, None
        elif self.take("+"):
            bounds = 1, None
        elif self.take("?"):
            bounds = 0, 1
        elif found := _COUNT.match(self.text, self.at):
            self.at = found.end()
            bounds = int(found[1]), int(found[1]) if not found[2] else int(found[3]) if found[3] else None
        else:
            return None
        least, most = bounds
        return least, most, self.take("?") == self.flags.lazy

    # ---- one thing

    def _atom(self) -> list[Node]:
        if self.take("("):
            return self._group()
        if self.take("["):
            return [self._class()]
        if self.take("\\"):
            return self._escape()
        character = self.text[self.at]
        self.at += 1
        if character == ".":
            return [Class(ANY if self.flags.dot_all else _NO_NEWLINE)]
        if character == "^":
            return [LINE_BEGIN if self.flags.lines else TEXT_BEGIN]
        if character == "$":
            return [LINE_END if self.flags.lines else TEXT_END]
        return [self._one(ord(character))]

    def _one(self, point: int) -> Class:
        return Class(self._folded(((point, point),)))

    def _folded(self, ranges: Ranges) -> Ranges:
        return both_cases(ranges) if self.flags.fold else ranges

    def _group(self) -> list[Node]:
        before, begin, number = self.flags, self.at - 1, 0
        if not self.take("?"):
            self.groups = number = self.groups + 1
        elif self.take("P<"):
            name, closed, _ = self.left().partition(">")
            if not closed or not re.fullmatch(r"\w+", name):
                raise PatternError(
                    f"invalid named capture group: {self.text[begin:] if not closed else f'(?P<{name}>'}"
                )
            self.at += len(name) + 1
            self.groups = number = self.groups + 1
        elif not self._set_flags(begin):
            return []
        part = self.choice()
        if not self.take(")"):
            raise PatternError(f"missing ): {self.text}")
        self.flags = before
        return [Group(part, number) if number else part if isinstance(part, Choice) else Sequence((part,))]

    def _set_flags(self, begin: int) -> bool:
        """Takes (?flags) or (?flags: ; True for the latter."""
        value, named_any = True, True
        while self.left():
            character = self.text[self.at]
            self.at += 1
            if character in _FLAGS:
                self.flags, named_any = replace(self.flags, **{_FLAGS[character]: value}), True
            elif character == "-" and value:
                value = named_any = False
            elif character in ":)" and named_any:
                return character == ":"
            else:
                break
        raise PatternError(f"invalid perl operator: {self.text[begin : self.at]}")

    # ---- escapes

    def _escape(self) -> list[Node]:
        begin = self.at - 1
        for letter, node in (("b", BOUNDARY), ("B", NO_BOUNDARY), ("A", TEXT_BEGIN), ("z", TEXT_END), ("C", Byte())):
            if self.take(letter):
                return [node]
        if self.take("Q"):
            literal, closed, _ = self.left().partition("\\E")
            self.at += len(literal) + len(closed and "\\E")
            return [self._one(ord(character)) for character in literal]
        found = self._known_class(begin)
        return [self._one(self._character(begin)) if found is None else Class(found)]

    def _known_class(self, begin: int) -> Ranges | None:
        """The set of \\d, \\pL and the like, behind the backslash; None where it is none of them."""
        letter = self.text[self.at : self.at + 1]
        if not letter or letter not in "dswDSWpP":
            return None
        self.at += 1
        if letter not in "pP":
            found = self._folded(PERL[letter.lower()])
            return without(found) if letter.isupper() else found
        name = self.text[self.at : self.at + 1]
        self.at += 1
        if name == "{":
            name, closed, _ = self.left().partition("}")
            self.at += len(name) + len(closed)
            name = name if closed else ""
        inverse = name.startswith("^") != (letter == "P")
        ranges = named(name.removeprefix("^"))
        if ranges is None:
            raise PatternError(f"invalid character class range: {self.text[begin : self.at]}")
        return without(self._folded(ranges)) if inverse else self._folded(ranges)

    def _character(self, begin: int) -> int:
        """The code point behind a backslash."""
        rest = self.left()
        if not rest:
            raise PatternError("trailing \\")
        if octal := re.match(r"[1-7][0-7]{1,2}|0[0-7]{0,2}", rest):
            self.at += octal.end()
            return int(octal[0], 8)
        if code := re.match(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})", rest):
            point = int(code[1] or code[2], 16)
            if point <= LAST:
                self.at += code.end()
                return point
        elif rest[0] in _SIMPLE:
            self.at += 1
            return _SIMPLE[rest[0]]
        elif rest[0] < "\x80" and not rest[0].isalnum():
            self.at += 1
            return ord(rest[0])
        wrong = re.match(r"x(?:\{[0-9A-Fa-f]*.?|[0-9A-Fa-f]?.?)|.", rest, re.DOTALL)
        raise PatternError(f"invalid escape sequence: {self.text[begin : self.at]}{wrong[0] if wrong else ''}")

    # ---- classes

    def _class(self) -> Class:
        begin = self.at - 1
        inverse = self.take("^")
        ranges: list[tuple[int, int]] = []
        first = True
        while first or not self.take("]"):
            if not self.left():
                raise PatternError(f"missing ]: {self.text[begin:]}")
            ranges += self._member(begin)
            first = False
        found = merged(ranges)
        return Class(without(found) if inverse else found)

    def _member(self, begin: int) -> Ranges:
        start = self.at
        if posix := re.compile(r"\[:(.*?):\]", re.DOTALL).match(self.text, start):
            name = posix[1].removeprefix("^")
            if name not in POSIX:
                raise PatternError(f"invalid character class range: {posix[0]}")
            self.at = posix.end()
            ranges = self._folded(POSIX[name])
            return without(ranges) if posix[1].startswith("^") else ranges
        if self.take("\\"):
            found = self._known_class(start)
            if found is not None:
                return found
            self.at = start
        low = high = self._member_character(begin)
        if self.left()[:1] == "-" and self.left()[1:2] not in ("", "]"):
            self.at += 1
            high = self._member_character(begin)
        if high < low:
            raise PatternError(f"invalid character class range: {self.text[start : self.at]}")
        return self._folded(((low, high),))

    def _member_character(self, begin: int) -> int:
        if not self.left():
            raise PatternError(f"missing ]: {self.text[begin:]}")
        start = self.at
        if self.take("\\"):
            return self._character(start)
        self.at += 1
        return ord(self.text[start])
