"""Gradients beside finite differences, for tests of a user's own functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.state.tape import GradientTape
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def compute_gradient(
    f: Callable[..., Any], x: Any, delta: float | None = None
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """The jacobians of f by each of its arguments: as the tape gives them, and as central differences.

    f      a function of tensors that gives one tensor.
    x      a list or tuple of its arguments: anything that can become a tensor of floats.
    delta  how far an element is moved, up and down; 1/1024 by default.

    Both are tuples of matrices: one row for each element of the result, one column for each element of the argument; for
    complex values two of each, the real and the imaginary part.

    Raises ValueError where x is no list, TypeError where an argument is not of floats.

    >>> import tensorsmith as tf
    >>> theoretical, numerical = tf.test.compute_gradient(lambda v: v * v, [tf.constant([1.0, 2.0])])
    >>> theoretical[0]
    array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    if not isinstance(x, (list, tuple)):
        raise ValueError(
            explain(
                "compute_gradient", f"x must be a list of the arguments of f, not {type(x).__name__}",
                way_out="Give [x] for a function of one argument.",
            )
        )  # fmt: skip
    arguments = [convert(part) for part in x]
    for argument in arguments:
        if not (argument.dtype.is_floating or argument.dtype.is_complex):
            raise TypeError(explain("compute_gradient", "an argument is not of floats", {"dtype": argument.dtype.name}))
    step = 1 / 1024 if delta is None else delta
    by_tape = tuple([_by_tape(f, arguments, at) for at in range(len(arguments))])
    return by_tape, tuple([_by_difference(f, arguments, at, step) for at in range(len(arguments))])


def _parts(array: np.ndarray) -> np.ndarray:
    """The elements as real numbers: of complex ones the real and the imaginary part, in turn."""
    flat = np.ascontiguousarray(array).ravel()
    return flat.view(np.real(flat).dtype) if flat.dtype.kind == "c" else flat


def _units(array: np.ndarray) -> Any:
    """Arrays of this shape with a one at one element, of complex ones also with an i."""
    for at in range(array.size):
        for unit in (1, 1j) if array.dtype.kind == "c" else (1,):
            one = np.zeros(array.shape, array.dtype)
            one.flat[at] = unit
            yield one


def _by_tape(f: Callable[..., Any], arguments: list[Tensor], at: int) -> np.ndarray:
    source = arguments[at]
    with GradientTape(persistent=True) as tape:
        tape.watch(source)
        result = convert(f(*arguments))
    rows = []
    for unit in _units(np.asarray(result._array)):
        gradient = tape.gradient(result, source, output_gradients=Tensor(unit), unconnected_gradients="zero")
        rows.append(_parts(np.asarray(gradient._array)))
    return np.stack(rows) if rows else np.zeros((0, _parts(np.asarray(source._array)).size))


def _by_difference(f: Callable[..., Any], arguments: list[Tensor], at: int, step: float) -> np.ndarray:
    source = np.asarray(arguments[at]._array)

    def value(array: np.ndarray) -> np.ndarray:
        moved = list(arguments)
        moved[at] = Tensor(array)
        return _parts(np.asarray(convert(f(*moved))._array))

    columns = []
    for unit in _units(source):
        change = (unit * step).astype(source.dtype)
        columns.append((value(source + change) - value(source - change)) / (2 * step))
    return np.stack(columns, axis=1) if columns else np.zeros((value(source).size, 0))
