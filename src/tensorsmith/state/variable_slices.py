"""The elements of a variable at an index: a tensor to which one can assign."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import context
from tensorsmith.program.op import registry
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local


class _Slice(Tensor):
    """The elements of a variable at an index; assigning to it assigns to the variable."""

    __slots__ = ("_key", "_variable")

    def __repr__(self) -> str:
        return Tensor(self._array).__repr__()

    def assign(self, value: Any, name: str | None = None, read_value: bool = True) -> Any:
        """Sets these elements (the value broadcasts); gives the whole variable."""
        return self._variable.assign(functions["strided_slice_update"](self._variable, value, key=self._key))

    def assign_add(self, value: Any, name: str | None = None, read_value: bool = True) -> Any:
        return self.assign(functions["add"](self, value))

    def assign_sub(self, value: Any, name: str | None = None, read_value: bool = True) -> Any:
        return self.assign(functions["subtract"](self, value))

    def __reduce__(self) -> Any:
        return Tensor, (self._array,)


class _SymbolicSlice(Symbol):
    """A `_Slice` in a trace."""

    __slots__ = ("_key", "_variable")

    assign, assign_add, assign_sub = _Slice.assign, _Slice.assign_add, _Slice.assign_sub


def sliced(variable: Any, key: Any) -> Any:
    """The elements of a variable at an index, as a tensor that also has `assign`, `assign_add` and `assign_sub`."""
    value = functions["getitem"](variable, key)
    if isinstance(value, Symbol):
        result: Any = _SymbolicSlice(value._graph, value._id, value._shape, value._dtype)
    else:
        result = _Slice(value._array)
        # tapes know tensors by identity: the slice, of which the user goes on computing, is made from what the operation gave
        for tape in _local.tapes:
            tape.record((registry["identity"], [value], {}, [result]))
    result._variable, result._key = variable, key
    return result
