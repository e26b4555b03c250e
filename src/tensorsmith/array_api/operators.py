"""Sets Python's operators on Array: `x + y`, reflected, in place (`x += y`), and `x[i] = v`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.array_api import elementwise, linalg
from tensorsmith.array_api.array import Array, is_truth, plain_key
from tensorsmith.array_api.promotion import is_scalar, meet, meet_scalar, number_tensor, tensor_of
from tensorsmith.core.errors import explain
from tensorsmith.ops.comparison import where
from tensorsmith.ops.indexing import getitem, strided_slice_update
from tensorsmith.ops.shaping import expand_dims
from tensorsmith.tensor.tensor import Tensor

# Python's name of an operator, without underscores, and the function that it is
_ARITHMETIC = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.remainder,
    "pow": elementwise.pow,
    "matmul": linalg.matmul,
    "and": elementwise.bitwise_and,
    "or": elementwise.bitwise_or,
    "xor": elementwise.bitwise_xor,
    "lshift": elementwise.bitwise_left_shift,
    "rshift": elementwise.bitwise_right_shift,
}
_COMPARISONS = {
    "eq": elementwise.equal,
    "ne": elementwise.not_equal,
    "lt": elementwise.less,
    "le": elementwise.less_equal,
    "gt": elementwise.greater,
    "ge": elementwise.greater_equal,
}
_UNARY = {
    "neg": elementwise.negative,
    "pos": elementwise.positive,
    "abs": elementwise.abs,
    "invert": elementwise.bitwise_invert,
}


def _operand(other: Any) -> bool:
    """Whether an operator has something to say to `other`: else its own operators get their turn."""
    kind = type(other)
    return kind is Array or is_scalar(other) or isinstance(other, (Tensor, np.ndarray)) or hasattr(kind, "_read")


def _operator(function: Callable[[Any, Any], Array], name: str) -> tuple[Callable[..., Any], ...]:
    """`x + y`, its reflected form and `x += y`."""

    def forward(self: Array, other: Any, /) -> Any:
        return function(self, other) if _operand(other) else NotImplemented

    def reflected(self: Array, other: Any, /) -> Any:
        return function(other, self) if _operand(other) else NotImplemented

    def in_place(self: Array, other: Any, /) -> Any:
        if not _operand(other):
            return NotImplemented
        result = function(self, other)
        if result.dtype is not self.dtype or result.shape != self.shape:
            raise (TypeError if result.dtype is not self.dtype else ValueError)(
                explain(
                    f"__i{name}__",
                    "the result does not fit the array that it is put in",
                    {"array": (self.dtype.name, self.shape), "result": (result.dtype.name, result.shape)},
                    "an operator in place changes neither dtype nor shape",
                )
            )
        self._tensor = result._tensor
        return self

    for made, prefix in ((forward, ""), (reflected, "r"), (in_place, "i")):
        made.__name__ = f"__{prefix}{name}__"
    return forward, reflected, in_place


def _unary(function: Callable[[Any], Array], name: str) -> Callable[[Array], Array]:
    def operator(self: Array, /) -> Array:
        return function(self)

    operator.__name__ = f"__{name}__"
    return operator


def _setitem(self: Array, key: Any, value: Any, /) -> None:
    key = plain_key(key)
    self._tensor = _with_elements(self._tensor, key, _fitting(value, self))


def _fitting(value: Any, x: Array) -> Tensor:
    """What is put in an array, as a tensor of its dtype; TypeError where it would have to be wider."""
    if is_scalar(value):
        dtype = meet_scalar("__setitem__", x.dtype, value)
        given: Any = number_tensor("__setitem__", value, dtype)
    else:
        given = tensor_of(value, "__setitem__")
        dtype = meet("__setitem__", x.dtype, given.dtype)
    if dtype is not x.dtype:
        raise TypeError(
            explain(
                "__setitem__",
                f"an array of {x.dtype.name} does not hold {given.dtype.name}",
                way_out="Convert what is put in: xp.astype(value, x.dtype).",
            )
        )
    return elementwise.cast(given, dtype)


def _with_elements(x: Tensor, key: Any, value: Tensor) -> Tensor:
    truth = is_truth(key)
    mask = truth or (isinstance(key, (Tensor, np.ndarray)) and key.dtype == "bool" and key.shape == x.shape)
    if mask and not value.ndim:
        # sizes do not hang on the mask's values then, so that a program can hold it
        return where(key, value, x)
    if truth:
        # a mask of no axes picks from an axis that stands in front
        return getitem(strided_slice_update(expand_dims(x, 0), value, slice(0, int(bool(key)))), 0)
    return strided_slice_update(x, value, key)


for _name, _function in _ARITHMETIC.items():
    for _prefix, _made in zip(("", "r", "i"), _operator(_function, _name)):
        setattr(Array, f"__{_prefix}{_name}__", _made)
for _name, _function in _COMPARISONS.items():
    setattr(Array, f"__{_name}__", _operator(_function, _name)[0])
for _name, _function in _UNARY.items():
    setattr(Array, f"__{_name}__", _unary(_function, _name))
Array.__setitem__ = _setitem
