"""The standard's functions that arrange, join and repeat elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.array_api.array import Array
from tensorsmith.array_api.promotion import meet, tensor_of
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops import gathering, repeating, shaping
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.elementwise import maximum
from tensorsmith.tensor.tensor import Symbol, Tensor


def place(who: str, axis: int, ndim: int) -> int:
    """An axis counted from the front; IndexError where there is none."""
    if not -ndim <= axis < ndim:
        raise IndexError(explain(who, f"there is no axis {axis}", {"axes": ndim}))
    return axis % ndim


def places(who: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front (all for None); ValueError where one is named twice."""
    if axis is None:
        return tuple(range(ndim))
    found = tuple(place(who, each, ndim) for each in ((axis,) if isinstance(axis, int) else axis))
    if len(set(found)) < len(found):
        raise ValueError(explain(who, "an axis is named twice", {"axis": axis}))
    return found


def flat(x: Tensor) -> Tensor:
    """All elements in a row."""
    return x if x.ndim == 1 else shaping.reshape(x, [-1] if x.size else [0])


def _one_dtype(who: str, arrays: Any) -> list[Tensor]:
    tensors = [tensor_of(x, who) for x in arrays]
    if not tensors:
        raise ValueError(explain(who, "no arrays are given"))
    dtype = meet(who, *(t.dtype for t in tensors))
    return [cast(t, dtype) for t in tensors]


def broadcast_arrays(*arrays: Any) -> list[Array]:
    """The arrays repeated to the shape that they have together."""
    tensors = [tensor_of(x, "broadcast_arrays") for x in arrays]
    shape = broadcast(*(tuple(t.shape) for t in tensors)) if tensors else ()
    return [broadcast_to(t, shape) for t in tensors]


def broadcast_to(x: Any, /, shape: Any) -> Array:
    """x repeated along axes of size 1, and along new ones in front, to a shape."""
    return Array(shaping.broadcast_to(tensor_of(x, "broadcast_to"), shape))


def concat(arrays: Any, /, *, axis: int | None = 0) -> Array:
    """Arrays one behind the other along an axis that there is; None: all elements in a row."""
    tensors = _one_dtype("concat", arrays)
    if axis is None:
        return Array(shaping.concat([flat(t) for t in tensors], 0))
    return Array(shaping.concat(tensors, place("concat", axis, tensors[0].ndim)))


def expand_dims(x: Any, /, axis: int) -> Array:
    """x with a new axis of size 1; IndexError where it would be beyond the last."""
    tensor = tensor_of(x, "expand_dims")
    return Array(shaping.expand_dims(tensor, place("expand_dims", axis, tensor.ndim + 1)))


def flip(x: Any, /, *, axis: Any = None) -> Array:
    """The elements in reverse along axes, by default all."""
    tensor = tensor_of(x, "flip")
    axes = places("flip", axis, tensor.ndim)
    return Array(repeating.reverse(tensor, list(axes)) if axes else tensor)


def moveaxis(x: Any, source: Any, destination: Any, /) -> Array:
    """Axes moved to other places, the rest in their order."""
    tensor = tensor_of(x, "moveaxis")
    source, destination = (places("moveaxis", axis, tensor.ndim) for axis in (source, destination))
    if len(source) != len(destination):
        raise ValueError(explain("moveaxis", "there must be one place for each axis", {"source": source}))
    order = [axis for axis in range(tensor.ndim) if axis not in source]
    for to, axis in sorted(zip(destination, source)):
        order.insert(to, axis)
    return permute_dims(tensor, tuple(order))


def permute_dims(x: Any, /, axes: tuple[int, ...]) -> Array:
    """The axes in another order."""
    tensor = tensor_of(x, "permute_dims")
    order = places("permute_dims", tuple(axes), tensor.ndim)
    if len(order) != tensor.ndim:
        raise ValueError(explain("permute_dims", "each axis must be named", {"axes": axes, "shape": tensor.shape}))
    return Array(shaping.transpose(tensor, list(order)) if order else tensor)


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Array:
    """Each element as often as `repeats` says (a number, or one for each), along an axis or of all in a row."""
    tensor = tensor_of(x, "repeat")
    tensor, axis = (flat(tensor), 0) if axis is None else (tensor, place("repeat", axis, tensor.ndim))
    if not isinstance(repeats, int):
        repeats = tensor_of(repeats, "repeat")
        if repeats.size == 1:
            repeats = int(shaping.reshape(repeats, []))
    return Array(repeating.repeat(tensor, repeats, axis=axis))


def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Array:
    """The elements in another shape; one size may be -1: as large as is needed."""
    tensor = tensor_of(x, "reshape")
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    known = math.prod(size for size in shape if size != -1)
    if -1 in shape and known == 0:
        raise ValueError(explain("reshape", "-1 beside a size of 0 could be any", {"shape": shape}))
    return Array(shaping.reshape(tensor, shape))


def roll(x: Any, /, shift: Any, *, axis: Any = None) -> Array:
    """The elements moved on along axes, those beyond the end to the front; by default of all in a row."""
    tensor = tensor_of(x, "roll")
    if axis is None:
        if isinstance(shift, tuple):
            shift = sum(shift)
        return reshape(repeating.roll(flat(tensor), shift, 0), tensor.shape)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    shifts = (shift,) * len(axes) if isinstance(shift, int) else tuple(shift)
    if len(shifts) != len(axes):
        raise ValueError(explain("roll", "there must be one shift for each axis", {"shift": shift, "axis": axis}))
    return Array(repeating.roll(tensor, shifts, tuple(place("roll", each, tensor.ndim) for each in axes)))


def squeeze(x: Any, /, axis: Any) -> Array:
    """x without axes of size 1; ValueError for one of another size."""
    tensor = tensor_of(x, "squeeze")
    axes = places("squeeze", axis, tensor.ndim)
    if any(tensor.shape[each] not in (1, None) for each in axes):
        raise ValueError(explain("squeeze", "only axes of size 1 go", {"shape": tensor.shape, "axis": axis}))
    return Array(shaping.squeeze(tensor, list(axes)) if axes else tensor)


def stack(arrays: Any, /, *, axis: int = 0) -> Array:
    """Arrays of one shape along a new axis."""
    tensors = _one_dtype("stack", arrays)
    return Array(shaping.stack(tensors, place("stack", axis, tensors[0].ndim + 1)))


def tile(x: Any, repetitions: tuple[int, ...], /) -> Array:
    """x as a whole repeated along each axis; axes are added in front where there are more numbers."""
    tensor = tensor_of(x, "tile")
    missing = len(repetitions) - tensor.ndim
    repetitions = (1,) * -missing + tuple(repetitions)
    for _ in range(missing):
        tensor = shaping.expand_dims(tensor, 0)
    return Array(repeating.tile(tensor, repetitions) if repetitions else tensor)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The slices along an axis, without it."""
    tensor = tensor_of(x, "unstack")
    return tuple(Array(part) for part in shaping.unstack(tensor, axis=place("unstack", axis, tensor.ndim)))


def from_the_end(indices: Tensor, size: Any) -> Tensor:
    """Places with those below 0 counted from the end."""
    if isinstance(indices, Symbol) or bool(np.any(np.asarray(indices._array) < 0)):
        return where(indices < 0, indices + cast(size, indices.dtype), indices)
    return indices


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Array:
    """The slices at places along an axis, which may be left out for a vector; places below 0 count from the end."""
    tensor, found = tensor_of(x, "take"), tensor_of(indices, "take")
    if axis is None:
        if tensor.ndim != 1:
            raise ValueError(explain("take", "the axis must be given for any but a vector", {"shape": tensor.shape}))
        axis = 0
    axis = place("take", axis, tensor.ndim)
    return Array(gathering.gather(tensor, from_the_end(found, shaping.shape(tensor)[axis]), axis=axis))


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Array:
    """For each place of `indices` the element that it names along an axis; the other axes broadcast."""
    tensor, found = tensor_of(x, "take_along_axis"), tensor_of(indices, "take_along_axis")
    axis, last = place("take_along_axis", axis, tensor.ndim), tensor.ndim - 1
    if [*tensor.shape[:axis], *tensor.shape[axis + 1 :]] != [*found.shape[:axis], *found.shape[axis + 1 :]]:
        tensor, found = _broadcast_but(axis, tensor, found), _broadcast_but(axis, found, tensor)
    tensor, found = shaping.moveaxis(tensor, axis, last), shaping.moveaxis(found, axis, last)
    found = from_the_end(found, shaping.shape(tensor)[last])
    return Array(shaping.moveaxis(gathering.gather(tensor, found, axis=last, batch_dims=last), last, axis))


def _broadcast_but(axis: int, x: Tensor, other: Tensor) -> Tensor:
    """x repeated along the axes in which `other` is larger, but for one."""
    have, want = tuple(x.shape), tuple(other.shape)
    sizes: list[Any] = list(broadcast((*have[:axis], 1, *have[axis + 1 :]), (*want[:axis], 1, *want[axis + 1 :])))
    sizes[axis] = have[axis]
    if None in sizes:
        known, also = shaping.shape(x), shaping.shape(other)
        sizes = [
            size if size is not None else known[at] if at == axis else maximum(known[at], also[at])
            for at, size in enumerate(sizes)
        ]
    return shaping.broadcast_to(x, sizes)
