"""The operations under a Python list that a compiled loop changes: elements of several arrays each, any number of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, OutOfRangeError, explain
from tensorsmith.function.array_rows import Rows, boxed
from tensorsmith.program.op import Array, Arrays
from tensorsmith.tensor.apply import op
from tensorsmith.tensor.tensor import Tensor


def empty() -> Tensor:
    """A list without elements."""
    return Tensor(boxed(Rows([], 0, False)))


def _box(specs: Any, settings: Any) -> Any:
    return [((), np.dtype(object))]


def _place(rows: Rows, index: Any, what: str) -> int:
    at = int(index)
    if not -rows.count <= at < rows.count:
        raise OutOfRangeError(explain(what, "the index lies outside the list", {"index": at, "elements": rows.count}))
    return at % rows.count


def _arrays(xp: Any, parts: Any) -> tuple:
    return tuple([np.asarray(part) if xp is np else part for part in parts])


@op(same=False, eager=True, shapes=_box)
def list_append(xp, rows: Array, parts: Arrays):
    """The list with one element more, made of these arrays."""
    held = rows[()]
    return boxed(held.write(held.count, _arrays(xp, parts)))


@op(same=False, eager=True, shapes=_box)
def list_extend(xp, rows: Array, columns: Arrays):
    """The list with n elements more, the rows of columns [n, ...]."""
    held = rows[()]
    for at in range(columns[0].shape[0]):
        held = held.write(held.count, _arrays(xp, [column[at] for column in columns]))
    return boxed(held)


@op(same=False, eager=True, shapes=_box)
def list_write(xp, rows: Array, index: Array, parts: Arrays):
    """The list with element `index` replaced."""
    held = rows[()]
    return boxed(held.write(_place(held, index, "list[...] ="), _arrays(xp, parts)))


@op(same=False, eager=True, shapes=_box)
def list_without(xp, rows: Array, index: Array):
    """The list without element `index`."""
    held = rows[()]
    return boxed(held.without(_place(held, index, "list.pop")))


def _forms(specs: Any, settings: Any) -> Any:
    return [(tuple(shape), np.dtype(dtype)) for shape, dtype in settings["forms"]]


@op(same=False, eager=True, shapes=_forms)
def list_read(xp, rows: Array, index: Array, forms: Any = ()):
    """The arrays of element `index`; `forms` tells shape and dtype of each."""
    held = rows[()]
    return list(held.parts[_place(held, index, "list[...]")])


@op(
    same=False,
    eager=True,
    shapes=lambda specs, s: [((None, *shape), np.dtype(dtype)) for shape, dtype in s["forms"]],
)
def list_stack(xp, rows: Array, forms: Any = ()):
    """The elements stacked: an array [n, ...] for each array of an element."""
    held = rows[()]
    if not held.count:
        return [np.zeros((0, *(size or 0 for size in shape)), dtype) for shape, dtype in forms]
    columns = list(zip(*held.parts[: held.count]))
    for column in columns:
        if len(shapes := {part.shape for part in column}) > 1:
            raise InvalidArgumentError(
                explain(
                    "list",
                    "its elements differ in shape",
                    {"shapes": sorted(shapes)},
                    "elements that are stacked have one shape",
                    "Use tf.concat(list, 0), or pad them.",
                )
            )
    return [xp.stack(column) for column in columns]


@op(same=False, eager=True, shapes=lambda specs, s: [((None, *s["shape"][1:]), np.dtype(s["dtype"]))])
def list_concat(xp, rows: Array, shape: Any = (), dtype: Any = "float32"):
    """The elements of a list of single arrays one after another along their first axis."""
    held = rows[()]
    if not held.count:
        return np.zeros((0, *(size or 0 for size in shape[1:])), dtype)
    return xp.concatenate([part for (part,) in held.parts[: held.count]])


@op(same=False, differentiable=False, eager=True, shapes=lambda specs, settings: [((), np.dtype("int32"))])
def list_size(xp, rows: Array):
    """How many elements the list has."""
    return np.int32(rows[()].count)


@op(same=False, differentiable=False, eager=True, shapes=lambda specs, settings: [((), np.dtype("int32"))])
def known_count(xp, count: Array):
    """The number itself, for which a program waits: what hangs on it has a size that is not known before."""
    return np.int32(count)
