"""Elements repeated, padded, turned around, moved on, and laid out as a grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import ports
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.sizes import fill_sizes, split_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, op, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _tiled(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    counts = settings["sizes"]
    if len(counts) != len(shape):
        raise ValueError(f"multiples {counts} must hold one number for each of the {len(shape)} axes")
    return [(tuple(None if d is None or c is None else d * c for d, c in zip(shape, counts, strict=False)), dtype)]


@primitive(name="tile", same=frozenset({"input"}), shapes=_tiled)
def _tile(xp, input: Array, parts: Arrays, sizes: Any = ()):
    return xp.tile(input, fill_sizes(sizes, parts, "tile"))


@public
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """The tensor repeated `multiples[i]` times along axis i.

    >>> import tensorsmith as tf
    >>> tf.tile([1, 2], [2]).numpy()
    array([1, 2, 1, 2], dtype=int32)
    """
    if not isinstance(input, Tensor) and type(input) not in ports.lifters:
        input = convert(input)  # noqa: A001
    sizes, parts = split_sizes(multiples, "tile")
    if isinstance(input, Tensor) and len(sizes) != len(input.shape):
        raise InvalidArgumentError(
            explain("tile", "one multiple is needed for each axis", {"input": input.shape, "multiples": sizes})
        )
    return apply(_tile, (input, parts), {"sizes": sizes})


@primitive(name="repeat")
def _repeat(xp, input: Array, repeats: Any, axis: Any = None):
    if isinstance(repeats, tuple):
        # the total is named for XLA, which must know the size of its result
        places = np.repeat(np.arange(len(repeats)), repeats)
        return xp.take(xp.ravel(input) if axis is None else input, places, axis=0 if axis is None else axis)
    return xp.repeat(input, repeats, axis=axis)


@public
def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Each element (each slice along `axis`) repeated `repeats` times, or as many times as each is told.

    >>> import tensorsmith as tf
    >>> tf.repeat([1, 2], 2).numpy(), tf.repeat([1, 2], [1, 3]).numpy()
    (array([1, 1, 2, 2], dtype=int32), array([1, 2, 2, 2], dtype=int32))
    """
    counts = plain(repeats, "repeats")
    if isinstance(counts, tuple) and len(counts) == 1:
        counts = counts[0]
    return apply(_repeat, (input,), {"repeats": counts, "axis": plain(axis, "axis")})


@primitive(name="pad", same=frozenset({"tensor"}))
def _pad(xp, tensor: Array, constant_values: Array, paddings: Any = (), mode: str = "constant"):
    if mode == "constant":
        if tensor.dtype == object:
            # np.pad makes np.bytes_ of the filling
            whole = np.full([s + sum(pair) for s, pair in zip(tensor.shape, paddings)], None, object)
            whole.fill(np.asarray(constant_values)[()])
            whole[tuple(slice(low, low + s) for s, (low, _) in zip(tensor.shape, paddings))] = tensor
            return whole
        return xp.pad(tensor, paddings, constant_values=xp.asarray(constant_values).astype(tensor.dtype))
    return xp.pad(tensor, paddings, mode=mode)


@public
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None
) -> Tensor:
    """The tensor with `paddings[i] = (before, after)` more elements along axis i.

    mode  "CONSTANT" (of `constant_values`), "REFLECT" (mirrored, the edge not repeated), "SYMMETRIC" (mirrored).

    >>> import tensorsmith as tf
    >>> tf.pad([1, 2], [[1, 0]]).numpy()
    array([0, 1, 2], dtype=int32)
    """
    tensor = convert(tensor)
    kind = mode.lower()
    if kind not in ("constant", "reflect", "symmetric"):
        raise ValueError(f"pad: mode must be CONSTANT, REFLECT or SYMMETRIC, not {mode!r}.")
    rows = plain(paddings, "paddings")
    if len(rows) != tensor.ndim or any(len(row) != 2 for row in rows):
        raise InvalidArgumentError(
            explain("pad", "one (before, after) is needed for each axis", {"tensor": tensor.shape, "paddings": rows})
        )
    spare = {"reflect": 1, "symmetric": 0}.get(kind)
    for axis, (size, row) in enumerate(zip(tensor.shape, rows)):
        if min(row) < 0 or (spare is not None and size is not None and max(row) > size - spare):
            raise InvalidArgumentError(
                explain(
                    "pad",
                    f"so many elements cannot be put around axis {axis}",
                    {"size": size, "paddings": row, "mode": mode},
                    "paddings are at least 0"
                    if spare is None
                    else f"{mode} has {'size - 1' if spare else 'size'} to mirror",
                )
            )
    fill: Any = constant_values
    if not isinstance(fill, Tensor) and not hasattr(fill, "_read"):
        if fill == 0 and not tensor.dtype.is_numeric:
            fill = b"" if tensor.dtype == "string" else False
        fill = convert(fill, tensor.dtype)
    return apply(_pad, (tensor, fill), {"paddings": rows, "mode": kind})


@op(name="reverse")
def reverse(xp, tensor: Array, axis: Any):
    """The order of the elements turned around along each axis named.

    >>> import tensorsmith as tf
    >>> tf.reverse([1, 2, 3], axis=[0]).numpy()
    array([3, 2, 1], dtype=int32)
    """
    return xp.flip(tensor, axis)


@op(name="roll")
def roll(xp, input: Array, shift: Any, axis: Any):
    """The elements moved on by `shift` places along `axis`, those that fall off put in at the other end.

    >>> import tensorsmith as tf
    >>> tf.roll([1, 2, 3], shift=1, axis=0).numpy()
    array([3, 1, 2], dtype=int32)
    """
    return xp.roll(input, shift, axis)


@primitive(name="meshgrid", same=False)
def _meshgrid(xp, args: Arrays, indexing: str = "xy"):
    return list(xp.meshgrid(*args, indexing=indexing))


@public
def meshgrid(*args: Any, indexing: str = "xy", name: str | None = None) -> list[Tensor]:
    """The coordinates of the points of a grid, one tensor an axis, from the places on each axis.

    >>> import tensorsmith as tf
    >>> x, y = tf.meshgrid([1, 2], [3])
    >>> x.numpy(), y.numpy()
    (array([[1, 2]], dtype=int32), array([[3, 3]], dtype=int32))
    """
    return apply(_meshgrid, (list(args),), {"indexing": indexing})
