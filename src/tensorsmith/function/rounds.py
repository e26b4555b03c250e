"""What a loop of a program runs over: so many rounds, each of which is given a value; and such runs one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.function.control_flow import is_open
from tensorsmith.tensor.apply import functions

# more runs than these are not written out one by one
_MOST = 64


class Rounds:
    """So many rounds, each of which is given a value; the values are all of one form, dtype and shape.

    count  how many: a Python number where it is known, else a scalar tensor.
    item   gives the value of round number i, a Python number or a scalar tensor.
    keep   None, or says of a value whether its round counts.
    """

    __slots__ = ("count", "item", "keep")

    def __init__(self, count: Any, item: Callable[[Any], Any], keep: Callable[[Any], Any] | None = None) -> None:
        self.count, self.item, self.keep = count, item, keep

    def _rounds(self) -> Rounds:
        return self

    def __iter__(self) -> Iterator[Any]:
        """Its values one by one, where Python itself runs over them: their number must be known."""
        if is_open(self.count) or self.keep is not None:
            raise TypeError(
                explain(
                    "for",
                    "how many rows there are is known only when the program runs",
                    "",
                    "a comprehension, list() and other Python code need a known number",
                    "Write it as a for statement.",
                )
            )
        return (self.item(number) for number in range(int(self.count)))

    def mapped(self, function: Callable[[Any], Any]) -> Rounds:
        """The function's results on its values."""
        return Rounds(self.count, lambda number: function(self.item(number)), self.keep)

    def numbered(self, start: Any) -> Rounds:
        """(number, value) pairs."""
        plain = type(start) is int and start == 0
        return Rounds(self.count, lambda number: (number if plain else number + start, self.item(number)))

    def part(self, first: int, count: int) -> Rounds:
        """`count` of its rounds from number `first` on."""
        return Rounds(count, lambda number: self.item(number + first) if first else self.item(number))


class Series:
    """Rounds of several kinds, one after another, all of it `times` over (None: without end)."""

    __slots__ = ("parts", "times")

    def __init__(self, parts: list[Any], times: int | None = 1) -> None:
        self.parts, self.times = parts, times

    def _rounds(self) -> Series:
        return self

    @property
    def once(self) -> int:
        """How many rounds there are before it starts again."""
        return sum(rounds_of(part) for part in self.parts)

    def __iter__(self) -> Iterator[Any]:
        left = self.times
        while left is None or left > 0:
            for part in self.parts:
                yield from part
            left = None if left is None else left - 1

    def mapped(self, function: Callable[[Any], Any]) -> Series:
        """The function's results on its values."""
        return Series([part.mapped(function) for part in self.parts], self.times)

    def numbered(self, start: Any) -> Series:
        """(number, value) pairs."""
        parts = []
        for part in flat(self, "enumerate"):
            parts.append(part.numbered(start))
            start = start + part.count
        return Series(parts)

    def part(self, first: int, count: int) -> Series:
        """`count` of its rounds from number `first` on."""
        once, parts = self.once, []
        if not once:
            return Series([])
        first %= once
        if first:
            head = min(count, once - first)
            parts.extend(_cut(self.parts, first, head))
            count -= head
        whole, rest = divmod(count, once)
        if whole:
            parts.append(Series(self.parts, whole))
        return Series([*parts, *_cut(self.parts, 0, rest)])


def _cut(parts: list[Any], first: int, count: int) -> list[Any]:
    found = []
    for part in parts:
        size = rounds_of(part)
        begin, end = max(first, 0), min(first + count, size)
        if begin < end:
            found.append(part if (begin, end) == (0, size) else part.part(begin, end - begin))
        first -= size
    return found


def rounds_of(over: Any) -> Any:
    """How many rounds there are; -1 without end."""
    if isinstance(over, Rounds):
        return over.count
    return -1 if over.times is None else over.once * over.times


def flat(over: Any, who: str) -> list[Rounds]:
    """Its runs one by one; ValueError where they are too many to be written out."""
    if isinstance(over, Rounds):
        if over.keep is not None:
            raise TypeError(
                explain(who, "a filter of a tensor can be looped over only", way_out="Use an if in the loop's body.")
            )
        return [over]
    inner = [run for part in over.parts for run in flat(part, who)]
    if over.times is None or over.times * len(inner) > _MOST:
        raise ValueError(
            explain(
                who,
                "batches of several sizes are repeated too often",
                {"times": "without end" if over.times is None else over.times},
                "in a traced function each of them would be written out",
                "Drop the short batch (drop_remainder=True), or repeat before batching.",
            )
        )
    return inner * over.times


def zipped(known: list[Any]) -> Any:
    """Tuples of the values of several, as many rounds as the shortest has."""
    runs = [flat(over, "zip") for over in known]
    if all(len(run) == 1 for run in runs):
        return _together([run[0] for run in runs], least([run[0].count for run in runs]))
    parts: list[Any] = []
    queues = [list(run) for run in runs]
    while all(queues):
        heads = [queue[0] for queue in queues]
        count = min(head.count for head in heads)
        if count:
            parts.append(_together(heads, count))
        for queue, head in zip(queues, heads):
            queue[0] = head.part(count, head.count - count)
            if not queue[0].count:
                queue.pop(0)
    return Series(parts)


def _together(heads: list[Rounds], count: Any) -> Rounds:
    return Rounds(count, lambda number: tuple([head.item(number) for head in heads]))


def least(counts: list[Any]) -> Any:
    """The smallest of some numbers, known ones and tensors."""
    fixed = [int(count) for count in counts if not is_open(count)]
    smallest: Any = min(fixed) if fixed else None
    for count in counts:
        if is_open(count):
            smallest = count if smallest is None else functions["minimum"](count, smallest)
    return smallest
