"""The elements of a dataset: tensors in tuples and dicts, their specs, rows of whole arrays and stacks of elements."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function.folding import map_fn
from tensorsmith.ops.creation import range_
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.shaping import stack
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def mapped(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    """`function` on what stands at one place in each element. Tuples and dicts nest; a list is one tensor."""
    if isinstance(first, dict):
        return type(first)((key, mapped(function, first[key], *[o[key] for o in others])) for key in first)
    if isinstance(first, tuple) and not isinstance(first, TensorShape):
        parts = [mapped(function, *part) for part in zip(first, *others)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    return function(first, *others)


def leaves(element: Any) -> list[Any]:
    """What stands in an element, in order."""
    found: list[Any] = []
    mapped(found.append, element)
    return found


def columns_of(tensors: Any) -> tuple[Any, int]:
    """Tensors whose rows are the elements, and how many rows they have.

    Raises ValueError for scalars and for columns of several lengths.
    """
    columns = mapped(convert, tensors)
    sizes = {column.shape[0] if len(column.shape) else None for column in leaves(columns)}
    size = sizes.pop() if len(sizes) == 1 else None
    if size is None:
        raise ValueError(
            explain(
                "Dataset.from_tensor_slices",
                "the columns must have rows, and all as many",
                {"tensors": describe(columns)},
                way_out="Dataset.from_tensors makes one element of all of it.",
            )
        )
    return columns, size


def row(columns: Any, number: Any) -> Any:
    """Element `number`, which may be known only when a program runs."""
    if isinstance(number, Symbol):
        return mapped(lambda column: gather(column, number), columns)
    return mapped(lambda column: _known(column, number), columns)


def rows(columns: Any, first: Any, count: int) -> Any:
    """`count` elements from number `first` on, stacked."""
    if isinstance(first, Symbol):
        return mapped(lambda column: gather(column, range_(count) + first), columns)
    return mapped(lambda column: _known(column, slice(first, first + count)), columns)


def _known(column: Any, place: Any) -> Any:
    return column[place] if isinstance(column, Symbol) else Tensor(np.asarray(column._array)[place, ...])


def stacked(item: Callable[[Any], Any], first: Any, count: int) -> Any:
    """`count` elements from number `first` on, stacked, where each is computed."""
    if context.executing_eagerly():
        return stack_of([item(first + number) for number in range(count)])
    return map_fn(lambda number: item(number + first), range_(count))


def stack_of(elements: list[Any]) -> Any:
    """Elements of one form as one, each tensor with an axis more.

    Raises InvalidArgumentError where their shapes differ.
    """
    return mapped(lambda *parts: stack(list(parts)), *elements)


def gathered(found: Iterator[Any], size: int, drop_remainder: bool) -> Iterator[Any]:
    """Every `size` elements of an iterator as one."""
    while held := list(itertools.islice(found, size)):
        if len(held) == size or not drop_remainder:
            yield stack_of(held)


def spec_of(element: Any) -> Any:
    """The specs of an element's tensors."""
    return mapped(lambda leaf: TensorSpec(leaf.shape, leaf.dtype), element)


def with_axis(spec: Any, size: int | None) -> Any:
    """Specs with an axis of this size in front."""
    return mapped(lambda leaf: TensorSpec((size, *leaf.shape), leaf.dtype), spec)
