"""The slots upper floors fill: operators, converters, lifters, variables.

A low file must sometimes reach a high one (`x + y` needs the operations). It leaves a slot here,
which the upper floor fills once, when it is imported. There are four:

operators   set by `ops/operators.py`: Tensor's Python operators (installed on the class itself).
converters  set by upper floors: {class: function(value, dtype) -> Tensor} for values that become tensors.
lifters     set by `structures/lifting.py`: {class: function(op, args, settings) -> result} for an operation
            that meets a value which is not one dense array.
graphs      set by upper floors: {name: function}, how a symbol of the layer graph takes an operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

converters: dict[type, Callable[[Any, Any], Any]] = {}
lifters: dict[type, Callable[[Any, tuple, dict], Any]] = {}


def converter_of(value: Any) -> Callable[[Any, Any], Any] | None:
    """The function that makes a Tensor of `value`, looked up by its class and bases; None when there is none."""
    for kind in type(value).__mro__:
        if kind in converters:
            return converters[kind]
    return None
