"""Shapes and places as tensors: what two of them broadcast to, and flat places as rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _longer(specs: Specs, settings: dict) -> Specs:
    (a, dtype), (b, _) = specs
    return [((None if None in (a[0], b[0]) else max(a[0], b[0]),), dtype)]  # type: ignore[type-var]


@primitive(name="broadcast_shapes", kinds="i", differentiable=False, shapes=_longer)
def _broadcast_shapes(xp, shape_x: Array, shape_y: Array):
    rank = max(shape_x.shape[0], shape_y.shape[0])
    x, y = (
        xp.concatenate([xp.ones(rank - s.shape[0], s.dtype), s]) if s.shape[0] < rank else s for s in (shape_x, shape_y)
    )
    if xp is np and np.any((x != y) & (x != 1) & (y != 1)):
        raise InvalidArgumentError(
            explain(
                "broadcast_dynamic_shape",
                "the shapes do not broadcast",
                {"shape_x": shape_x.tolist(), "shape_y": shape_y.tolist()},
                "sizes must be equal, or one of them 1",
            )
        )
    return xp.where(x == 1, y, x)


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape that two shapes, given as vectors, broadcast to; `broadcast_static_shape` for a TensorShape.

    Raises InvalidArgumentError where they do not fit.

    >>> import tensorsmith as tf
    >>> tf.broadcast_dynamic_shape([1, 2, 3], [5, 1, 3]).numpy()
    array([5, 2, 3], dtype=int32)
    """
    first = shape_x if isinstance(shape_x, Tensor) or not isinstance(shape_y, Tensor) else None
    like = dtypes.int32 if not isinstance(shape_y, Tensor) else shape_y.dtype
    x = convert(shape_x, None, like.numpy_dtype) if first is None or isinstance(first, Tensor) else convert(first, like)
    return apply(_broadcast_shapes, (x, convert(shape_y, None, x.dtype.numpy_dtype)), {})


def _unravelled(specs: Specs, settings: dict) -> Specs:
    (places, dtype), (dims, _) = specs
    return [((dims[0], *places), dtype)]


@primitive(name="unravel_index", kinds="i", differentiable=False, shapes=_unravelled)
def _unravel_index(xp, indices: Array, dims: Array):
    if xp is np:
        whole = int(np.prod(dims, dtype=object))
        if indices.size and (indices.min() < 0 or indices.max() >= whole):
            wrong = indices[(indices < 0) | (indices >= whole)].ravel()[0]
            raise InvalidArgumentError(
                explain(
                    "unravel_index",
                    "a place is out of range",
                    {"index": int(wrong), "dims": dims.tolist()},
                    f"places go from 0 to {whole - 1}" if whole else "a shape with a size of 0 has no places",
                )
            )
    rows, rest = [], indices
    for at in range(dims.shape[0] - 1, 0, -1):
        rows.append(rest % dims[at])
        rest = rest // dims[at]
    return xp.stack([rest, *rows[::-1]])


def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """Flat places in an array of sizes `dims` as places along its axes: scalar or [n] -> [rank] or [rank, n].

    Raises InvalidArgumentError for a place out of range (compiled: it is not looked at), or indices of more than one axis.

    >>> import tensorsmith as tf
    >>> tf.unravel_index([2, 5, 7], [3, 3]).numpy()
    array([[0, 1, 2],
           [2, 2, 1]], dtype=int32)
    """
    places = convert(indices)
    if places.ndim > 1:
        raise InvalidArgumentError(
            explain("unravel_index", "indices are a scalar or a vector", {"indices": tuple(places.shape)})
        )
    sizes = convert(dims, None, places.dtype.numpy_dtype)
    if not sizes.shape.is_compatible_with([None]) or sizes.shape[0] in (None, 0):
        raise InvalidArgumentError(
            explain("unravel_index", "dims must be a vector of known length", {"dims": tuple(sizes.shape)})
        )
    return apply(_unravel_index, (places, sizes), {})
