"""What Python calls for the operators of tensors: the operation, or NotImplemented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import ports
from tensorsmith.program.op import Op
from tensorsmith.tensor.apply import apply, binary_function, variables
from tensorsmith.tensor.tensor import Tensor


def operator_pair(function: Any) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """What Python calls for `x + y` and, reflected, for `2 + y`, of the public function of an operation.

    Both give NotImplemented for an object that means nothing to us, so that its own operators get their turn.
    """
    made = function.op
    forward = binary_function(made, _operate)

    def reflected(y: Any, x: Any) -> Any:
        return _operate(made, (x, y), made.settings)

    forward.__name__ = reflected.__name__ = made.name
    return forward, reflected


def _operate(made: Op, arguments: Any, settings: dict) -> Any:
    for value in arguments:
        kind = type(value)
        if kind is not Tensor and kind not in variables and kind is not float and not _means_something(value):
            return NotImplemented
    return apply(made, arguments, settings)


# of tensors and the structures that operations know
_HIGHEST = 110


def _means_something(value: Any) -> bool:
    # an array on top of tensors has operators of its own, that know more
    if getattr(value, "__array_priority__", 0) > _HIGHEST:
        return False
    return (
        hasattr(value, "_read")
        or isinstance(value, (Tensor, np.ndarray, np.generic, int, float, complex, str, bytes, list, tuple))
        or hasattr(value, "__array__")
        or type(value) in ports.lifters
        or ports.converter_of(value) is not None
    )
