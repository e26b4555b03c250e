"""What a recurrent layer asks of a cell: the sizes of its states, the first states, and its steps."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.function.autograph import in_trace
from tensorsmith.keras.layers.base import Layer
from tensorsmith.ops.creation import zeros
from tensorsmith.ops.shaping import shape

Step = Callable[[Any, Any], tuple[Any, Any]]


def require_cell(who: str, whose: str, cell: Any) -> None:
    """ValueError, naming `who` was given it, unless an object can be a cell."""
    for needed in ("call", "state_size"):
        if not hasattr(cell, needed):
            raise ValueError(
                explain(who, f"{whose} cell has no `{needed}`", {"cell": cell}, "a cell has `state_size` and `call`")
            )


def is_size(value: Any) -> bool:
    """True for the size of one state: a number or a shape."""
    return isinstance(value, (int, np.integer, TensorShape))


def sizes_of(size: Any) -> tuple[Any, ...]:
    """The size of one state as a shape without the batch."""
    return (int(size),) if isinstance(size, (int, np.integer)) else tuple(size)


def each_size(size: Any, function: Callable[[Any], Any]) -> Any:
    """A nested `state_size` with `function` of each size in its place."""
    if is_size(size):
        return function(size)
    return nest.like(size, [each_size(part, function) for part in size])


def output_size(cell: Any) -> tuple[Any, ...]:
    """The shape of a cell's output without the batch: its `output_size`, else the size of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size
        while not is_size(size):
            size = size[0]
    return sizes_of(size)


def first_states(cell: Any, batch_size: Any, dtype: Any) -> Any:
    """The states at the start of a batch: what the cell's `get_initial_state` gives, else zeros of its `state_size`."""
    own = getattr(cell, "get_initial_state", None)
    if own is not None:
        takes = inspect.signature(own).parameters
        given = {"inputs": None, "batch_size": batch_size, "dtype": dtype}
        return own(**{key: value for key, value in given.items() if key in takes})
    return zero_states(cell.state_size, batch_size, dtype)


def zero_states(state_size: Any, batch_size: Any, dtype: Any) -> Any:
    """Zeros [B, ...] for each size, nested as the sizes are."""
    name = as_dtype(dtype).name
    return each_size(state_size, lambda size: zeros((batch_size, *sizes_of(size)), name))


def batch_of(inputs: Any, batch_size: Any, dtype: Any) -> tuple[Any, Any]:
    """(number of rows, dtype) from the arguments of a cell's `get_initial_state` in either generation of Keras."""
    if inputs is not None:
        first = nest.flatten(inputs)[0]
        if len(getattr(first, "shape", ())) == 0:
            # a number of rows, given in place
            return first, dtype
        batch_size = shape_of_batch(first) if batch_size is None else batch_size
        dtype = dtype or first.dtype
    return batch_size, dtype


def shape_of_batch(tensor: Any) -> Any:
    """The size of the first axis: a number, or a symbol where it is not known."""
    size = tensor.shape[0]
    if size is not None:
        return size
    return tensor.nrows() if hasattr(tensor, "nrows") else shape(tensor)[0]


def steps_of(cell: Any, sequences: Any, training: bool, constants: Any = None) -> tuple[Any, Step]:
    """(rows [T, ...], step(row, states) -> (output, new states)) for inputs [T, B, ...] of a cell."""
    own = getattr(cell, "for_sequence", None)
    if own is not None and constants is None:
        return own(sequences, training)
    return sequences, step_of(cell, training, constants)


def step_of(cell: Any, training: bool, constants: Any = None) -> Step:
    """A function step(inputs, states) -> (output, new states) that calls the cell."""
    takes = inspect.signature(cell.call).parameters
    named: dict[str, Any] = {"training": training} if "training" in takes else {}
    if constants is not None:
        if "constants" not in takes:
            raise ValueError(
                explain(
                    getattr(cell, "name", type(cell).__name__),
                    "it takes no constants",
                    {"constants": describe(constants)},
                    "a cell that uses them has call(self, inputs, states, constants)",
                )
            )
        named["constants"] = constants
    call: Any = cell if callable(cell) else in_trace(cell.call)
    return lambda inputs, states: call(inputs, states, **named)


class AbstractRNNCell(Layer):
    """The base that Keras 2 has for cells; in Keras 3 any layer with `state_size` may be one.

    A subclass has `state_size`, `call(inputs, states)` -> (output, new states), and may have `output_size`.
    """

    def call(self, inputs: Any, states: Any) -> Any:
        raise NotImplementedError(f"The cell {type(self).__name__!r} has no `call(self, inputs, states)`.")

    @property
    def state_size(self) -> Any:
        raise NotImplementedError(f"The cell {type(self).__name__!r} has no `state_size`.")

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        batch_size, dtype = batch_of(inputs, batch_size, dtype)
        return zero_states(self.state_size, batch_size, dtype or self.compute_dtype)
