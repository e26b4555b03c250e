"""Static shapes with unknown sizes: merge, broadcast, compare."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any


class TensorShape(tuple):
    """A static shape: a tuple of sizes, `None` where a size is not known yet.

    `TensorShape(None)` is a shape of unknown rank, whose length and sizes raise ValueError. Being a tuple, it serves where
    Keras 3 wants one; `as_list()` serves code written for TensorFlow 2.

    >>> TensorShape([None, 3]).as_list()
    [None, 3]
    >>> TensorShape([2, 3]) == (2, 3)
    True
    >>> TensorShape([2, 3])
    TensorShape([2, 3])
    >>> print(TensorShape([None, 3]))
    (None, 3)
    """

    _unknown_rank: bool = False

    def __new__(cls, dims: Any = ()) -> TensorShape:
        if isinstance(dims, TensorShape):
            return dims
        if dims is None:
            return tuple.__new__(_OfUnknownRank, ())
        if isinstance(dims, int):
            dims = (dims,)
        return super().__new__(cls, map(_size, dims))

    def __reduce__(self) -> Any:
        return TensorShape, (None if self._unknown_rank else tuple(self),)

    @property
    def rank(self) -> int | None:
        return None if self._unknown_rank else tuple.__len__(self)

    ndims = rank

    @property
    def dims(self) -> list[int | None] | None:
        return None if self._unknown_rank else list(self)

    def as_list(self) -> list[int | None]:
        """The sizes as a list; ValueError when the rank is unknown."""
        if self._unknown_rank:
            raise ValueError("as_list() is not defined on a TensorShape of unknown rank.")
        return list(self)

    def is_fully_defined(self) -> bool:
        return not self._unknown_rank and None not in tuple.__iter__(self)  # type: ignore[operator]

    def num_elements(self) -> int | None:
        """The number of elements, or None when some size is unknown."""
        if not self.is_fully_defined():
            return None
        count = 1
        for size in self:
            count *= size
        return count

    def is_compatible_with(self, other: Any) -> bool:
        other = TensorShape(other)
        if self._unknown_rank or other._unknown_rank:
            return True
        return len(self) == len(other) and all(a is None or b is None or a == b for a, b in zip(self, other))

    def merge_with(self, other: Any) -> TensorShape:
        """The shape that holds what both know; ValueError where they disagree."""
        other = TensorShape(other)
        if self._unknown_rank:
            return other
        if other._unknown_rank:
            return self
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are not compatible")
        return TensorShape([b if a is None else a for a, b in zip(self, other)])

    def assert_is_compatible_with(self, other: Any) -> None:
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    def assert_same_rank(self, other: Any) -> None:
        other = TensorShape(other)
        if None not in (self.rank, other.rank) and self.rank != other.rank:
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def assert_has_rank(self, rank: int) -> None:
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def assert_is_fully_defined(self) -> None:
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def is_subtype_of(self, other: Any) -> bool:
        """True when every value of this shape is of the other one, too."""
        other = TensorShape(other)
        if other._unknown_rank:
            return True
        return self.rank == other.rank and all(b is None or a == b for a, b in zip(self, other))

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """The narrowest shape that both are of: None where they differ.

        >>> TensorShape([2, 3]).most_specific_compatible_shape([2, 4])
        TensorShape([2, None])
        """
        other = TensorShape(other)
        if self.rank is None or self.rank != other.rank:
            return TensorShape(None)
        return TensorShape([a if a == b else None for a, b in zip(self, other)])

    def most_specific_common_supertype(self, others: Any) -> TensorShape:
        """The narrowest shape that this one and all others are of."""
        found = self
        for other in others:
            found = found.most_specific_compatible_shape(other)
        return found

    def with_rank(self, rank: int) -> TensorShape:
        return self.merge_with([None] * rank)

    def with_rank_at_most(self, rank: int) -> TensorShape:
        if self.rank is not None and self.rank > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        if self.rank is not None and self.rank < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def concatenate(self, other: Any) -> TensorShape:
        other = TensorShape(other)
        if self._unknown_rank or other._unknown_rank:
            return TensorShape(None)
        return TensorShape(tuple(self) + tuple(other))

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            if not self._unknown_rank:
                return TensorShape(tuple.__getitem__(self, key))
            # of how many sizes a slice from the front is can be told without the rank
            start, stop, step = key.start or 0, key.stop, 1 if key.step is None else key.step
            if stop is None or start < 0 or stop < 0 or step < 0:
                return TensorShape(None)
            return TensorShape([None] * len(range(start, stop, step)))
        return None if self._unknown_rank else tuple.__getitem__(self, key)

    def __bool__(self) -> bool:
        return not self._unknown_rank

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TensorShape):
            return self._unknown_rank == other._unknown_rank and tuple.__eq__(self, other)
        if other is None:
            return self._unknown_rank
        if isinstance(other, (tuple, list)):
            return not self._unknown_rank and tuple.__eq__(self, tuple(other))
        return NotImplemented

    def __ne__(self, other: object) -> bool:
        same = self.__eq__(other)
        return same if same is NotImplemented else not same

    def __hash__(self) -> int:
        return tuple.__hash__(self)

    def __repr__(self) -> str:
        return "TensorShape(None)" if self._unknown_rank else f"TensorShape({list(self)})"

    def __str__(self) -> str:
        return "<unknown>" if self._unknown_rank else tuple.__repr__(self)


class _OfUnknownRank(TensorShape):
    """The shape of unknown rank: nobody knows how many sizes it has, nor which."""

    _unknown_rank = True

    def __len__(self) -> int:
        raise ValueError("Cannot take the length of a shape of unknown rank.")

    def __iter__(self) -> Any:
        raise ValueError("Cannot iterate over a shape of unknown rank.")

    def __contains__(self, size: object) -> bool:
        if size is None:
            return True
        raise ValueError("Cannot iterate over a shape of unknown rank.")


def _size(given: Any) -> int | None:
    """One size as users give it: an int, None, a NumPy integer, a scalar tensor of integers."""
    if given is None or (type(given) is int and given >= 0):
        return given
    if not hasattr(given, "__index__"):
        raise TypeError(f"A size of a TensorShape is an integer or None, not {given!r} ({type(given).__name__}).")
    size = operator.index(given)
    if size < 0:
        raise ValueError(f"A size of a TensorShape is at least 0, or None where it is not known, not {size}.")
    return size


Shape = tuple[int | None, ...]


def is_known(shape: tuple[int | None, ...]) -> bool:
    """True for a shape of known rank and sizes; a plain tuple, or a TensorShape.

    >>> is_known((2, 3)), is_known((None,)), is_known(TensorShape(None))
    (True, False, False)
    """
    return getattr(shape, "rank", 0) is not None and None not in shape


def broadcast(*shapes: Iterable[int | None]) -> Shape:
    """The shape that NumPy's rule gives to operands of these shapes; ValueError where two sizes clash.

    An unknown size beside 1 stays unknown; beside a known n > 1 it is n.

    >>> broadcast((None, 3), (1,))
    (None, 3)
    """
    rows = [tuple(shape) for shape in shapes]
    rank = max(map(len, rows), default=0)
    out: list[int | None] = []
    for axis in range(-rank, 0):
        size: int | None = 1
        for row in rows:
            if -axis > len(row):
                continue
            here = row[axis]
            if here == 1 or here == size:
                continue
            if here is None:
                size = None if size == 1 else size
            elif size == 1 or size is None:
                size = here
            else:
                raise ValueError(f"shapes {' and '.join(map(str, rows))} do not broadcast")
        out.append(size)
    return tuple(out)
