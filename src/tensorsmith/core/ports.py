"""The slots upper floors fill: converters, lifters, by_element, reasons, rewriters.

A low file must sometimes reach a high one. It leaves a slot here, which the upper floor fills once, when it is imported:

converters  {class: function(value, dtype) -> Tensor} for values that become tensors.
lifters     {class: function(op, args, settings) -> result} for an operation that meets a value which is not one
            dense array.
by_element  {class: function(f, args, settings) -> result} for a function of elements that looks at its arguments before an
            operation sees them: `tf.bitcast` asks their dtype, `tf.debugging.assert_less` compares and raises.
reasons     [function() -> str]: why the user's line that asks a symbol for its value runs as plain Python. Only the floor
            that rewrites functions knows, and it is the symbol, far below, that is asked.
rewriters   [function(f) -> f]: what is called in place of a user's function while a program is traced. Functions with a
            derivative of their own are called by the floor of tapes, below the one that rewrites.
namespaces  [function(version) -> module]: the array API's namespace, which stands far above tensors; only who asks imports it.

Two more stand elsewhere, where speed wants them: Python's operators are set on Tensor itself (`ops/operators.py`), and
the classes that hold a tensor are listed in `tensor/apply.py` (`variables`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

converters: dict[type, Callable[[Any, Any], Any]] = {}
lifters: dict[type, Callable[[Any, tuple, dict], Any]] = {}
by_element: dict[type, Callable[[Callable[..., Any], tuple, dict], Any]] = {}
reasons: list[Callable[[], str]] = []
namespaces: list[Callable[[str | None], Any]] = []
rewriters: list[Callable[[Callable[..., Any]], Callable[..., Any]]] = []


def rewritten(function: Callable[..., Any]) -> Callable[..., Any]:
    """What is called in place of a user's function: its rewritten form while a program is traced, else itself."""
    for rewriter in rewriters:
        function = rewriter(function)
    return function


def converter_of(value: Any) -> Callable[[Any, Any], Any] | None:
    """The function that makes a Tensor of `value`, looked up by its class and bases; None when there is none."""
    for kind in type(value).__mro__:
        if kind in converters:
            return converters[kind]
    return None
