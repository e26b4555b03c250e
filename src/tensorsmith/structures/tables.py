"""Table: what all lookup tables are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.structures.sparse import SparseTensor, is_sparse


class Table:
    """From keys of one dtype to values of another, under a name."""

    def __init__(self, name: str, key_dtype: Any, value_dtype: Any) -> None:
        self._name, self._key_dtype, self._value_dtype = name, as_dtype(key_dtype), as_dtype(value_dtype)

    @property
    def name(self) -> str:
        return self._name

    @property
    def key_dtype(self) -> DType:
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        return self._value_dtype

    def _in_any_form(self, keys: Any, ask: Callable[[Any], Any]) -> Any:
        """What `ask` gives for dense keys; for ragged and sparse ones their like."""
        if is_ragged(keys):
            return keys.with_flat_values(ask(keys.flat_values))
        if is_sparse(keys):
            return SparseTensor(keys.indices, ask(keys.values), keys.dense_shape)
        return ask(keys)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}: {self._key_dtype.name} to {self._value_dtype.name}>"
