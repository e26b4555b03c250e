"""The operations under a tensor array that a compiled loop carries: dense where its size is known, else a list of rows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, OutOfRangeError, explain
from tensorsmith.function.control_kernels import fitting
from tensorsmith.ops.guards import MISSING, exist, guard
from tensorsmith.program.op import Array, Arrays
from tensorsmith.tensor.apply import op

# ---- dense: [size, ...], or [size, 0] while nothing was written and the shape of an element is not known


def unset(size: int, dtype: np.dtype) -> np.ndarray:
    """A dense array of which no element was written yet."""
    return np.zeros((size, 0), dtype)


@op(same=("array", "value"), shapes=lambda specs, settings: [((specs[0][0][0], *specs[2][0]), specs[0][1])])
def array_write(xp, array: Array, index: Array, value: Array):
    """A dense array [size, ...] with element `index` set."""
    whole = fitting(xp, array, (array.shape[0], *value.shape))
    if xp is not np:
        # beyond the end it is left out, and JAX would count what is below 0 from there
        return whole.at[xp.where(index < 0, len(array), index)].set(value)
    _check(int(index), len(array), "write")
    whole = whole.copy()
    whole[int(index)] = value
    return whole


@op(same=("array", "values"), shapes=lambda specs, settings: [((specs[0][0][0], *specs[2][0][1:]), specs[0][1])])
def array_scatter(xp, array: Array, indices: Array, values: Array):
    """A dense array [size, ...] with the elements at indices [n] set to values [n, ...]."""
    whole = fitting(xp, array, (array.shape[0], *values.shape[1:]))
    if xp is not np:
        return whole.at[xp.where(indices < 0, len(array), indices)].set(values)
    for index in indices:
        _check(int(index), len(array), "scatter")
    whole = whole.copy()
    whole[indices] = values
    return whole


@op(same=False, shapes=lambda specs, settings: [(tuple(specs[0][0][1:]), specs[0][1])])
def array_read(xp, array: Array, index: Array):
    """Element `index` of a dense array [size, ...]."""
    if xp is np:
        _check(int(index), len(array), "read")
        return array[index]
    missing = xp.nan if array.dtype.kind in "fcV" else 0
    inside = xp.logical_and(index >= 0, index < len(array))
    return (
        xp.where(inside, array[index], xp.asarray(missing, array.dtype))
        if len(array)
        else xp.full(array.shape[1:], missing, array.dtype)
    )


_RULE = "indices go from 0 to the size of the array - 1"
guard(array_write.op, MISSING, _RULE, lambda given, settings, result: exist(result, given[1]), ("index",))
guard(array_scatter.op, MISSING, _RULE, lambda given, settings, result: exist(result, given[1]), ("indices",))
guard(array_read.op, MISSING, _RULE, lambda given, settings, result: exist(given[0], given[1]), ("index",))


def _check(index: int, size: int, what: str) -> None:
    if not 0 <= index < size:
        raise OutOfRangeError(
            explain(
                f"TensorArray.{what}",
                "the index lies outside the array",
                {"index": index, "size": size},
                way_out="dynamic_size=True lets it grow." if what != "read" else "",
            )
        )


# ---- rows: a list whose length is known when the program runs


class Rows:
    """An immutable list of arrays. Appending to the newest version shares the memory of all older ones."""

    __slots__ = ("count", "fixed", "parts")

    def __init__(self, parts: list[Any], count: int, fixed: bool) -> None:
        self.parts, self.count, self.fixed = parts, count, fixed

    def write(self, index: int, value: Any) -> Rows:
        if self.fixed or index < 0:
            _check(index, self.count, "write")
        # (an empty list may be a constant of a program, which must not keep what a run appends)
        if 0 < index == self.count == len(self.parts):
            self.parts.append(value)
            return Rows(self.parts, self.count + 1, self.fixed)
        parts = self.parts[: self.count]
        parts.extend([None] * (index + 1 - len(parts)))
        parts[index] = value
        return Rows(parts, len(parts), self.fixed)

    def without(self, index: int) -> Rows:
        last = index == self.count - 1
        parts = self.parts if last else [*self.parts[:index], *self.parts[index + 1 : self.count]]
        return Rows(parts, self.count - 1, self.fixed)

    def all(self, shape: tuple[Any, ...], dtype: np.dtype) -> list[Any]:
        """The arrays; zeros of the first one's shape stand for those that were not written."""
        parts = self.parts[: self.count]
        known = next((part.shape for part in parts if part is not None), None)
        if known is None and None in shape and parts:
            raise InvalidArgumentError(
                explain("TensorArray", "nothing was written, so the shape of an element is not known")
            )
        zeros = np.zeros(shape if known is None and None not in shape else known or (), dtype)
        return [zeros if part is None else part for part in parts]

    def __repr__(self) -> str:
        return f"Rows({self.parts[: self.count]!r}, fixed={self.fixed})"


_OBJECT = np.dtype(object)


def boxed(rows: Rows) -> np.ndarray:
    """An array of no axes that holds the list: what a program passes on."""
    box = np.empty((), _OBJECT)
    box[()] = rows
    return box


def _box(specs: Any, settings: Any) -> Any:
    return [((), _OBJECT)]


@op(same=False, eager=True, shapes=_box)
def rows_of(xp, parts: Arrays, written: tuple = (), fixed=False):
    """A list of these arrays, at the places where `written` is True; the others were not written."""
    given = iter(parts)
    return boxed(Rows([next(given) if there else None for there in written], len(written), fixed))


@op(same=False, eager=True, shapes=_box)
def rows_empty(xp, size: Array, fixed=True):
    """A list of so many arrays, none of them written."""
    return boxed(Rows([None] * int(size), int(size), fixed))


@op(same=False, eager=True, shapes=_box)
def rows_unstack(xp, values: Array, fixed=True):
    """A list of the rows of values [n, ...]."""
    return boxed(Rows(list(values), len(values), fixed))


@op(same=False, eager=True, shapes=_box)
def rows_split(xp, values: Array, lengths: Array, size=None, fixed=True):
    """A list of consecutive parts of values [n, ...]; `size` is how many there must be, None for any."""
    sizes = [int(length) for length in lengths]
    check_lengths(sizes, values.shape[0], size)
    ends = np.cumsum([0, *sizes]).tolist()
    return boxed(Rows([values[a:b] for a, b in itertools.pairwise(ends)], len(sizes), fixed))


def check_lengths(lengths: list[int], rows: int, size: int | None) -> None:
    """Refuses lengths of parts that do not make up the rows, or are not as many as a tensor array of fixed size has elements."""
    wrong = ""
    if size is not None and len(lengths) != size:
        wrong = "the number of parts is not the size"
    elif any(length < 0 for length in lengths):
        wrong = "a length is below 0"
    elif sum(lengths) != rows:
        wrong = "the lengths do not make up the rows"
    if wrong:
        given = {"lengths": lengths, "rows": rows, **({} if size is None else {"size": size})}
        raise InvalidArgumentError(explain("TensorArray.split", wrong, given))


@op(same=False, eager=True, shapes=_box)
def rows_write(xp, rows: Array, index: Array, value: Array):
    """The list with element `index` set; it grows unless it is fixed."""
    return boxed(rows[()].write(int(index), np.asarray(value) if xp is np else value))


@op(same=False, eager=True, shapes=lambda specs, s: [(tuple(s["shape"]), np.dtype(s["dtype"]))])
def rows_read(xp, rows: Array, index: Array, shape=(), dtype="float32"):
    """Element `index` of the list."""
    held = rows[()]
    _check(int(index), held.count, "read")
    return held.all(tuple(shape), np.dtype(dtype))[int(index)]


@op(same=False, eager=True, shapes=lambda specs, s: [((None, *s["shape"]), np.dtype(s["dtype"]))])
def rows_stack(xp, rows: Array, shape=(), dtype="float32"):
    """The list as one array [n, ...]."""
    parts = rows[()].all(tuple(shape), np.dtype(dtype))
    return xp.stack(parts) if parts else np.zeros((0, *(size or 0 for size in shape)), dtype)


@op(
    same=False,
    eager=True,
    shapes=lambda specs, s: [((None, *s["shape"][1:]), np.dtype(s["dtype"]))],
)
def rows_concat(xp, rows: Array, shape=(), dtype="float32"):
    """The arrays of the list one after another along their first axis."""
    parts = rows[()].all(tuple(shape), np.dtype(dtype))
    return xp.concatenate(parts) if parts else np.zeros((0, *(size or 0 for size in shape[1:])), dtype)


@op(same=False, differentiable=False, eager=True, shapes=lambda specs, settings: [((), np.dtype("int32"))])
def rows_size(xp, rows: Array):
    """The length of the list."""
    return np.int32(rows[()].count)
