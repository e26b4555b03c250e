"""The elements of a dataset: tensors, ragged and sparse ones in tuples and dicts, their specs, rows and stacks of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function.composites import is_composite
from tensorsmith.function.folding import map_fn
from tensorsmith.ops.creation import range_
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.shaping import stack
from tensorsmith.structures.columns import Column, column_of, has_column
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


def as_leaf(value: Any) -> Any:
    """A tensor of a value; a ragged or sparse tensor, and any other value made of tensors, as it is."""
    return value if is_composite(value) and not isinstance(value, Tensor) else convert(value)


def columns_of(tensors: Any) -> tuple[Any, int]:
    """Tensors whose rows are the elements (of ragged and sparse ones known now: columns), and how many rows they have.

    Raises ValueError for scalars and for columns of several lengths.
    """
    columns = mapped(_column, tensors)
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


def _column(value: Any) -> Any:
    value = as_leaf(value)
    known = has_column(value) and not any(isinstance(part, Symbol) for part in value._parts())
    return column_of(value) if known else value


def row(columns: Any, number: Any) -> Any:
    """Element `number`, which may be known only when a program runs."""
    return mapped(lambda column: _row(column, number), columns)


def _row(column: Any, number: Any) -> Any:
    if isinstance(column, Column) and not isinstance(number, Symbol):
        # of as few rows as are needed: what a sparse row is, is looked for in all that is stored
        column, number = column[number : number + 1], 0
    whole = column.tensor if isinstance(column, Column) else column
    if is_composite(whole):
        return whole._type_spec()._row(whole, number)
    return gather(column, number) if isinstance(number, Symbol) else _known(column, number)


def rows(columns: Any, first: Any, count: int) -> Any:
    """`count` elements from number `first` on, stacked."""
    return mapped(lambda column: _rows(column, first, count), columns)


def _rows(column: Any, first: Any, count: int) -> Any:
    if isinstance(column, Column) and not isinstance(first, Symbol):
        return column[first : first + count].tensor
    whole = column.tensor if isinstance(column, Column) else column
    if is_composite(whole):
        return whole._type_spec()._rows(whole, first, count)
    return (
        gather(column, range_(count) + first)
        if isinstance(first, Symbol)
        else _known(column, slice(first, first + count))
    )


def _known(column: Any, place: Any) -> Any:
    return column[place] if isinstance(column, Symbol) else Tensor(np.asarray(column._array)[place, ...])


def stacked(item: Callable[[Any], Any], first: Any, count: int, spec: Any) -> Any:
    """`count` elements of this spec from number `first` on, stacked, where each is computed."""
    if context.executing_eagerly():
        return stack_of([item(first + number) for number in range(count)], spec)
    signature = spec if any(map(is_composite, leaves(spec))) else None
    return map_fn(lambda number: item(number + first), range_(count), fn_output_signature=signature)


def stack_of(elements: list[Any], spec: Any) -> Any:
    """Elements of one form as one, each tensor with an axis more; rows of a ragged tensor are one again.

    Raises InvalidArgumentError where the shapes of others differ.
    """

    def one(leaf: Any, *parts: Any) -> Any:
        return leaf._batch(list(parts)) if is_composite(leaf) else stack(list(parts))

    return mapped(one, spec, *elements)


def gathered(found: Iterator[Any], size: int, drop_remainder: bool, spec: Any) -> Iterator[Any]:
    """Every `size` elements of an iterator, which are of this spec, as one."""
    while held := list(itertools.islice(found, size)):
        if len(held) == size or not drop_remainder:
            yield stack_of(held, spec)


def spec_of(element: Any) -> Any:
    """The specs of an element's tensors."""
    return mapped(lambda leaf: leaf._type_spec() if is_composite(leaf) else TensorSpec(leaf.shape, leaf.dtype), element)


def row_spec_of(columns: Any) -> Any:
    """The specs of the rows of columns."""

    def one(column: Any) -> Any:
        spec = column.spec if isinstance(column, Column) else spec_of(column)
        return spec._row_spec() if is_composite(spec) else TensorSpec(column.shape[1:], column.dtype)

    return mapped(one, columns)


def with_axis(spec: Any, size: int | None) -> Any:
    """Specs with an axis of this size in front."""
    return mapped(
        lambda leaf: leaf._rows_spec(size) if is_composite(leaf) else TensorSpec((size, *leaf.shape), leaf.dtype), spec
    )
