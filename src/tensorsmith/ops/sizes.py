"""Shapes given as arguments: the numbers known now become settings, the others stay values.

`tf.reshape(x, [tf.shape(x)[0], 4])` in a trace knows the 4 now and the rest when the program meets its
arguments. Compiling fixes every shape, so what is computed from shapes alone is known by then; a size
computed from the *contents* of a tensor is refused, with the reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import ports
from tensorsmith.core.errors import InvalidArgumentError, SizeNotKnownError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.tensor import Symbol, Tensor

Sizes = tuple[int | None, ...]


def split_sizes(shape: Any, who: str) -> tuple[Sizes, list[Any]]:
    """The sizes in `shape`, None where one is known only when the program runs; the scalars that hold those.

    The shape of a ragged tensor stands for itself: the operation that meets it is lifted.
    """
    if type(shape) in ports.lifters:
        return (None,), [shape]
    if isinstance(shape, (list, tuple)) and not isinstance(shape, TensorShape):
        if all(type(size) is int for size in shape):
            return tuple(shape), []
    elif isinstance(shape, (int, np.integer)):
        return (int(shape),), []
    if isinstance(shape, TensorShape):
        if shape.rank is None or None in tuple(shape):
            raise ValueError(
                f"{who}: the shape {shape} is not fully known; use tf.shape(x) for the sizes at run time, or -1 in reshape."
            )
        return tuple(shape), []
    read = getattr(shape, "_read", None)
    if read is not None:
        shape = read()
    if isinstance(shape, Symbol):
        if shape.ndim == 0:
            return (None,), [shape]
        if shape.shape[0] is None:
            raise InvalidArgumentError(
                explain(
                    who, "the rank of the result is not known", {"shape": shape}, "a shape must have a known length"
                )
            )
        known = known_sizes(shape) or (None,) * shape.shape[0]
        return known, [functions["getitem"](shape, at) for at, size in enumerate(known) if size is None]
    if isinstance(shape, (Tensor, np.ndarray)):
        array = np.asarray(shape)
        return tuple(int(size) for size in array.ravel()), []
    if not isinstance(shape, (list, tuple)):
        return (int(shape),), []
    sizes: list[int | None] = []
    parts: list[Any] = []
    for size in shape:
        value = size._read() if hasattr(size, "_read") else size
        if isinstance(value, Symbol):
            sizes.append(None)
            parts.append(value)
        elif value is None:
            raise ValueError(
                f"{who}: the shape {tuple(shape)} holds None; use tf.shape(x) for sizes at run time, or -1 in reshape."
            )
        else:
            sizes.append(int(value))
    return tuple(sizes), parts


def fill_sizes(sizes: Sizes, parts: Any, who: str) -> tuple[int, ...]:
    """The sizes with the parts, now known, in the places of None."""
    if not parts:
        return sizes  # type: ignore[return-value]
    rest = iter(parts)
    try:
        return tuple(_size(next(rest)) if size is None else size for size in sizes)
    except TypeError:
        raise SizeNotKnownError(
            explain(
                who,
                "a size depends on the contents of a tensor, not on shapes alone",
                {"sizes": sizes},
                "a compiled program must know all its sizes before it runs",
                "Compute it outside of the traced function, or run eagerly.",
            )
        ) from None


def _size(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.item()
    if type(value).__name__ == "_DimExpr":
        return value  # a size that an exported program leaves open
    return int(np.reshape(value, ()))


def known_sizes(symbol: Symbol) -> Sizes | None:
    """What a trace knows of an integer vector that was computed from shapes; None when nothing is."""
    return getattr(symbol, "_sizes", None)


def note_sizes(value: Any, sizes: Sizes) -> Any:
    """Keeps what is known of a symbolic vector of sizes; gives a constant when that is all of it."""
    if not isinstance(value, Symbol):
        return value
    if None not in sizes:
        return Tensor(np.array(sizes, value.dtype.numpy_dtype))
    value._sizes = sizes
    return value
