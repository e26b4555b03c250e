"""Nested values as flat lists of tensors and back: also ragged and sparse tensors and tensor arrays.

A value that holds tensors takes part by two methods: `_parts()` gives them as a list, `_from_parts(parts)` a value
like itself with others. `_type_spec()` may give its spec, which is of the same protocol: its parts are TensorSpecs, and it
makes values of parts. `_static()` may give what else it knows (a loop carries it until it settles), `_merged(other)` a
value that knows what both know, `_late()` may tell for each part whether its shape is still open.

The spec of a value that has rows (`map_fn` takes them one by one) knows their number, `_count(value)`, a row,
`_row(value, at)`, `count` rows that follow each other, `_rows(value, first, count)`, and what a row is, `_row_spec()`;
`_like_row(result)` is the spec of a result that is a row of the same kind, else None. Of a row's spec, `_batch(rows)` is
the value of these rows, `_rows_spec(count)` its spec, and `_below(first, second)` that of the rows of both.
"""

from __future__ import annotations

from typing import Any

from tensorsmith.core import nest
from tensorsmith.core.nest import is_composite
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def is_tensor(value: Any) -> bool:
    """True for tensors and for variables, which are read."""
    return isinstance(value, Tensor) or hasattr(type(value), "_read")


def held(value: Any) -> Any:
    """The tensor that a variable, or an array on top of a tensor, holds; any other value as it is."""
    kind = type(value)
    if hasattr(kind, "_read"):
        return value._read()
    return value._parts()[0] if hasattr(kind, "__array_namespace__") and is_composite(value) else value


def parts_of(leaf: Any) -> list[Tensor] | None:
    """The tensors in a leaf; None for a plain Python value."""
    if is_composite(leaf):
        return leaf._parts()
    return [convert(leaf)] if is_tensor(leaf) else None


def spec_of(leaf: Any, parts: list[Any]) -> Any:
    """The spec of a composite; where its class has none, the list of the specs of its parts."""
    return leaf._type_spec() if hasattr(leaf, "_type_spec") else parts


def parts_of_spec(spec: Any) -> list[Any]:
    """The specs of the tensors in what a spec (or a list of specs, that stands for a composite without one) stands for."""
    return spec._parts() if is_composite(spec) else spec if isinstance(spec, list) else [spec]


class Form:
    """The nested form of a value, without its tensors."""

    __slots__ = ("counts", "leaves", "structure")

    def __init__(self, structure: Any, leaves: list[Any], counts: list[int]) -> None:
        # structure: nested, any leaves; counts: how many tensors each leaf has (-1: a plain value, kept)
        self.structure, self.leaves, self.counts = structure, leaves, counts

    def is_one_tensor(self) -> bool:
        """True where the value is a tensor and nothing else."""
        return self.counts == [1] and not nest.is_nested(self.structure) and not is_composite(self.leaves[0])

    def pack(self, tensors: list[Any]) -> Any:
        """The value with these tensors."""
        leaves, at = [], 0
        for leaf, count in zip(self.leaves, self.counts):
            if count < 0:
                leaves.append(leaf)
            elif is_composite(leaf):
                leaves.append(leaf._from_parts(tensors[at : at + count]))
            else:
                leaves.append(tensors[at])
            at += max(count, 0)
        return nest.pack_sequence_as(self.structure, leaves) if nest.is_nested(self.structure) else leaves[0]

    def describe(self, specs: list[Any]) -> Any:
        """The value with these specs for its tensors."""
        leaves, at = [], 0
        for leaf, count in zip(self.leaves, self.counts):
            inside = specs[at : at + count]
            leaves.append(leaf if count < 0 else spec_of(leaf, inside) if is_composite(leaf) else inside[0])
            at += max(count, 0)
        return nest.pack_sequence_as(self.structure, leaves) if nest.is_nested(self.structure) else leaves[0]


def split(value: Any) -> tuple[list[Tensor], Form]:
    """The tensors in a nested value, in order, and its form."""
    leaves, counts, tensors = nest.flatten(value), [], []
    for leaf in leaves:
        parts = parts_of(leaf)
        counts.append(-1 if parts is None else len(parts))
        tensors.extend(parts or [])
    return tensors, Form(value, leaves, counts)
