"""Fills the operator port: sets Python's operators (`+`, `@`, `t[...]`) on Tensor and on Variable."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops import comparison, elementwise, indexing, linalg
from tensorsmith.tensor.operator_pairs import operator_pair
from tensorsmith.tensor.tensor import Tensor

# Python's name of an operator, without underscores, and the operation that it runs
_BINARY = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floordiv,
    "mod": elementwise.floormod,
    "matmul": linalg.matmul,
}
_COMPARISONS = {
    "lt": comparison.less,
    "le": comparison.less_equal,
    "gt": comparison.greater,
    "ge": comparison.greater_equal,
}
_BITS = {
    "and": (comparison.logical_and, comparison.bitwise_and),
    "or": (comparison.logical_or, comparison.bitwise_or),
    "xor": (comparison.logical_xor, comparison.bitwise_xor),
}

_power, _rpower = operator_pair(elementwise.pow)
_same, _ = operator_pair(comparison.equal)
_other, _ = operator_pair(comparison.not_equal)
_square = elementwise.square


def _pow(x: Any, y: Any) -> Any:
    if type(y) is int and y == 2:
        return _square(x)
    return _power(x, y)


def _clash(x: Any, y: Any) -> bool:
    """True where two values never broadcast, so that they cannot be equal."""
    try:
        shapes = [tuple(v.shape) if hasattr(v, "shape") else np.shape(v) for v in (x, y)]
        broadcast(*shapes)
    except ValueError:
        return True
    return False


def _eq(x: Any, y: Any) -> Any:
    if y is None:
        return False
    try:
        return _same(x, y)
    except InvalidArgumentError:
        if _clash(x, y):
            return Tensor(np.bool_(False))
        raise


def _ne(x: Any, y: Any) -> Any:
    if y is None:
        return True
    try:
        return _other(x, y)
    except InvalidArgumentError:
        if _clash(x, y):
            return Tensor(np.bool_(True))
        raise


def _invert(x: Any) -> Any:
    return (comparison.logical_not if x.dtype.is_bool else comparison.invert)(x)


def _bits(logical: Any, bitwise: Any) -> tuple[Any, Any]:
    truth, reflected_truth = operator_pair(logical)
    number, reflected_number = operator_pair(bitwise)

    def forward(x: Any, y: Any) -> Any:
        return truth(x, y) if x.dtype.is_bool else number(x, y)

    def reflected(x: Any, y: Any) -> Any:
        return reflected_truth(x, y) if x.dtype.is_bool else reflected_number(x, y)

    return forward, reflected


_methods: dict[str, Any] = {
    "__pow__": _pow,
    "__rpow__": _rpower,
    "__eq__": _eq,
    "__ne__": _ne,
    "__neg__": elementwise.negative,
    "__abs__": elementwise.abs,
    "__invert__": _invert,
}
for _name, _function in _BINARY.items():
    _methods[f"__{_name}__"], _methods[f"__r{_name}__"] = operator_pair(_function)
for _name, _function in _COMPARISONS.items():
    _methods[f"__{_name}__"] = operator_pair(_function)[0]
for _name, (_logical, _bitwise) in _BITS.items():
    _methods[f"__{_name}__"], _methods[f"__r{_name}__"] = _bits(_logical, _bitwise)


def _pos(x: Any) -> Any:
    return x


def install(cls: type, item: bool = True) -> None:
    """Sets the operators on a class whose objects become tensors; `item`: also `x[...]`."""
    for name, method in _methods.items():
        setattr(cls, name, method)
    cls.__pos__ = _pos
    if item:
        cls.__getitem__ = indexing.getitem


install(Tensor)
