"""The layer that stands for one operation called on symbolic inputs outside any layer."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import naming
from tensorsmith.keras.layers import node
from tensorsmith.keras.layers.base import Layer
from tensorsmith.program.op import Op, registry
from tensorsmith.tensor.apply import apply


class Operation(Layer):
    """Applies one operation by its name; what `keras.Input(...) * 2` puts into a model.

    op         the operation, or its name.
    settings   its settings.
    """

    def __init__(self, op: Op | str, settings: dict | None = None, **kwargs: Any) -> None:
        self.op: Op = registry[op] if isinstance(op, str) else op
        kwargs.setdefault("name", naming.unique(self.op.name))
        super().__init__(autocast=False, **kwargs)
        self.settings = dict(settings or {})
        self.built = True

    def call(self, *arguments: Any) -> Any:
        return apply(self.op, arguments, self.settings)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "op": self.op.name, "settings": self.settings}


node._operation_layer.append(Operation)
