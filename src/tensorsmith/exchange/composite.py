"""What a saved function returns where it returned a ragged or a sparse tensor: how to make one of its parts."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.shapes import TensorShape
from tensorsmith.structures.ragged import RaggedTensor
from tensorsmith.structures.sparse import SparseTensor


class Composite:
    """Stands for a tensor made of `count` others: values and row splits of a ragged one, the three parts of a sparse one."""

    KINDS = frozenset({"ragged", "sparse"})

    def __init__(self, kind: str, count: int, shape: tuple[int | None, ...] | None) -> None:
        self.kind, self.count, self.shape = kind, count, shape

    @classmethod
    def of(cls, value: Any) -> Composite | None:
        """What stands for a value; None for one that is made in another way."""
        if isinstance(value, Composite):
            return value
        if isinstance(value, RaggedTensor):
            return cls("ragged", len(value._parts()), None)
        if isinstance(value, SparseTensor):
            return cls("sparse", 3, tuple(value.shape))
        return None

    def _parts(self) -> list[Any]:
        raise TypeError("This stands for a tensor that a saved function returns; it has no value.")

    def _from_parts(self, parts: list[Any]) -> Any:
        if self.kind == "ragged":
            return RaggedTensor.from_nested_row_splits(parts[0], parts[1:], validate=False)
        result = SparseTensor(*parts)
        if self.shape is not None:
            result._known = TensorShape(self.shape)
        return result
