"""Ragged and sparse tensors between the layers of a model: their tensors are symbols of the drawing."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TypeSpec
from tensorsmith.ops import operators
from tensorsmith.structures.ragged import RaggedTensor
from tensorsmith.structures.sparse import SparseTensor


class DrawnRagged(RaggedTensor):
    """A ragged tensor that a layer gives; an operation on it becomes a layer of its own."""

    _keras_history: tuple[Any, int]

    @property
    def name(self) -> str:
        return self._keras_history[0].layer.name

    @property
    def type_spec(self) -> TypeSpec:
        return self._type_spec()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        # as a symbol: two are never compared by value
        return id(self)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype.name}, sparse=False, ragged=True, name={self.name}>"

    __str__ = __repr__


# `r + 1` as the one operation that it is on tensors
operators.install(DrawnRagged, item=False)


class DrawnSparse(SparseTensor):
    """A sparse tensor that a layer gives; an operation on it becomes a layer of its own."""

    _keras_history: tuple[Any, int]

    @property
    def name(self) -> str:
        return self._keras_history[0].layer.name

    @property
    def type_spec(self) -> TypeSpec:
        return self._type_spec()  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype.name}, sparse=True, ragged=False, name={self.name}>"

    __str__ = __repr__


KINDS: dict[type, type] = {RaggedTensor: DrawnRagged, SparseTensor: DrawnSparse}


def drawn(spec: Any, parts: list[Any], layer: Any) -> Any:
    """The ragged or sparse tensor of a spec whose tensors are these symbols. TypeError for anything else."""
    value = spec._from_parts(parts)
    kind = KINDS.get(type(value))
    if kind is None:
        raise TypeError(
            explain(
                layer.name,
                f"it gives a {type(value).__name__}",
                rule="tensors, ragged and sparse ones, and lists and dicts of them go from layer to layer",
                way_out="Return its tensors.",
            )
        )
    value.__class__ = kind
    return value
