"""Python's own functions where they are given tensors: len, range, int, float, print, and those of iteration.py."""

from __future__ import annotations

import builtins
import sys
from typing import Any

from tensorsmith.core import context
from tensorsmith.function import iteration
from tensorsmith.function.control_flow import is_open
from tensorsmith.function.printing import print_ as print_at_run_time
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.tensor import Tensor


def range_(*bounds: Any) -> Any:
    """range: tf.range where a bound is a symbol."""
    return functions["range"](*bounds) if any(map(is_open, bounds)) else range(*bounds)


def len_(value: Any) -> Any:
    """len: a tensor where the number of rows is known only when the program runs."""
    if is_open(value):
        if value.ndim == 0:
            raise TypeError("A scalar tensor has no len().")
        return functions["shape"](value)[0] if value.shape[0] is None else value.shape[0]
    tell = getattr(type(value), "_length", None)
    if tell is not None and not context.executing_eagerly():
        return tell(value)
    return len(value)


def int_(value: Any = 0, *base: Any) -> Any:
    """int: tf.cast to int32, of a string its number."""
    if not is_open(value):
        return int(value, *base)
    return _number(value, "int32")


def float_(value: Any = 0.0) -> Any:
    """float: tf.cast to float32, of a string its number."""
    return _number(value, "float32") if is_open(value) else float(value)


def _number(value: Tensor, dtype: str) -> Any:
    if value.dtype == "string":
        return functions["string_to_number"](value, dtype)
    return functions["cast"](value, dtype)


def print_(*values: Any, **settings: Any) -> None:
    """print: when the program runs where a symbol is among the values."""
    if not any(map(is_open, values)):
        builtins.print(*values, **settings)
        return
    stream = settings.pop("file", None) or sys.stdout
    settings.pop("flush", None)
    print_at_run_time(*values, output_stream=stream, **settings)


OVERLOADS: dict[Any, Any] = {
    all: iteration.all_,
    any: iteration.any_,
    enumerate: iteration.enumerate_,
    filter: iteration.filter_,
    float: float_,
    int: int_,
    len: len_,
    map: iteration.map_,
    max: iteration.max_,
    min: iteration.min_,
    range: range_,
    reversed: iteration.reversed_,
    sorted: iteration.sorted_,
    sum: iteration.sum_,
    zip: iteration.zip_,
}
