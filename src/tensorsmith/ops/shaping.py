"""Shapes: asked, changed, joined, split, turned."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from tensorsmith.core import context, dtypes, ports
from tensorsmith.core.errors import DtypeError, InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape, broadcast
from tensorsmith.ops.sizes import fill_sizes, known_sizes, note_sizes, split_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, op, plain, primitive, public, wrap
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_busy = context.busy
_INT32 = np.dtype("int32")


# ---- asked


@primitive(name="shape", same=False, differentiable=False, shapes=lambda s, k: [((len(s[0][0]),), k["out_type"])])
def _shape(xp, input: Array, out_type: Any = _INT32):
    # NumPy's also when XLA traces: a shape is known there, and must stay a number to serve as one. Where an exported
    # program leaves a size open, it is an expression of JAX, which serves as a size too.
    known = all(isinstance(size, int) for size in input.shape)
    return np.array(input.shape, out_type if known else object)


@public
def shape(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """The sizes of the axes as a vector (int32): also of a symbolic tensor whose sizes are not known yet.

    >>> import tensorsmith as tf
    >>> tf.shape([[1, 2, 3], [4, 5, 6]]).numpy()
    array([2, 3], dtype=int32)
    """
    wanted = _INT32 if out_type is None else dtypes.as_dtype(out_type).numpy_dtype
    result = apply(_shape, (input,), {"out_type": wanted})
    if not isinstance(result, Symbol):
        return result
    if input.shape.rank is None:
        result.set_shape([None])
        return result
    return note_sizes(result, tuple(input.shape))


def shape_n(input: Any, out_type: Any = None, name: str | None = None) -> list[Tensor]:
    """The shapes of several tensors.

    >>> import tensorsmith as tf
    >>> [s.numpy().tolist() for s in tf.shape_n([[1, 2], [[3]]])]
    [[2], [1, 1]]
    """
    return [shape(part, out_type) for part in input]


@primitive(name="size", same=False, differentiable=False, shapes=lambda s, k: [((), k["out_type"])])
def _size(xp, input: Array, out_type: Any = _INT32):
    return np.array(input.size, out_type)


@public
def size(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """The number of elements, a scalar (int32).

    >>> import tensorsmith as tf
    >>> tf.size([[1, 2, 3], [4, 5, 6]]).numpy().item()
    6
    """
    wanted = _INT32 if out_type is None else dtypes.as_dtype(out_type).numpy_dtype
    result = apply(_size, (input,), {"out_type": wanted})
    if isinstance(result, Symbol):
        count = TensorShape(input.shape).num_elements()
        return result if count is None else Tensor(np.array(count, wanted))
    return result


def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes, a scalar (int32).

    >>> import tensorsmith as tf
    >>> tf.rank([[1, 2]]).numpy().item()
    2
    """
    dims = getattr(input, "shape", None)
    if getattr(dims, "rank", 0) is None:
        return size(shape(input))
    return Tensor(np.array(len(convert(input).shape if dims is None else dims), _INT32))


# ---- changed


def _reshaped(specs: Any, settings: dict) -> Specs:
    old, dtype = specs[0]
    new = list(settings["sizes"])
    if new.count(-1) > 1:
        raise ValueError("at most one size can be -1")
    if any(size is not None and size < -1 for size in new):
        raise ValueError("a size is below -1")
    if -1 in new:
        at = new.index(-1)
        new[at] = None
        rest = [d for i, d in enumerate(new) if i != at]
        if None not in rest:
            count = int(np.prod(rest, dtype=np.int64))
            have = TensorShape(old).num_elements()
            if have == 0:
                new[at] = _open_size(old, rest)
            elif have is not None:
                if count == 0 or have % count:
                    raise ValueError(f"cannot reshape {have} elements into {tuple(settings['sizes'])}")
                new[at] = have // count
    elif None not in new and None not in old and np.prod(old, dtype=np.int64) != np.prod(new, dtype=np.int64):
        raise ValueError(f"cannot reshape {TensorShape(old).num_elements()} elements into {tuple(new)}")
    return [(tuple(new), dtype)]


def _open_size(old: Any, rest: list[Any]) -> int:
    """What -1 means among the other sizes `rest` where there are no elements: sizes of 0 on both sides are left out."""
    if 0 not in rest:
        return 0
    return math.prod(size for size in old if size) // math.prod(size for size in rest if size)


@primitive(name="reshape", same=frozenset({"tensor"}), shapes=_reshaped)
def _reshape(xp, tensor: Array, parts: Arrays, sizes: Any = ()):
    wanted = fill_sizes(sizes, parts, "reshape")
    if -1 in wanted and tensor.size == 0:
        # NumPy refuses 0 / 0
        rest = [s for s in wanted if s != -1]
        wanted = tuple(_open_size(tensor.shape, rest) if s == -1 else s for s in wanted)
    if any(isinstance(s, int) and s < -1 for s in wanted):
        raise ValueError("a size is below -1")
    return xp.reshape(tensor, wanted)


@public
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements, in the same order, with other sizes; one size may be -1 and follows from the others.

    >>> import tensorsmith as tf
    >>> tf.reshape([1, 2, 3, 4], [2, -1]).numpy()
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    sizes, parts = split_sizes(shape, "reshape")
    if type(tensor) is Tensor and not _busy and not parts:
        try:
            return wrap(tensor._array.reshape(sizes))
        except ValueError:
            pass  # told in full below
    return apply(_reshape, (tensor, parts), {"sizes": sizes})


def _permuted(specs: Specs, settings: dict) -> Specs:
    old, dtype = specs[0]
    perm = settings["perm"] or tuple(range(len(old)))[::-1]
    if sorted(p % len(old) if len(old) else p for p in perm) != list(range(len(old))):
        raise ValueError(f"perm {perm} does not name each of the {len(old)} axes once")
    return [(tuple(old[p] for p in perm), dtype)]


@primitive(name="transpose", shapes=_permuted)
def _transpose(xp, a: Array, perm: Any = None):
    return xp.transpose(a, perm)


@public
def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = None) -> Tensor:
    """The axes in another order: `perm[i]` is the old place of axis i; by default reversed.

    >>> import tensorsmith as tf
    >>> tf.transpose([[1, 2, 3], [4, 5, 6]]).numpy()
    array([[1, 4],
           [2, 5],
           [3, 6]], dtype=int32)
    """
    if type(a) is Tensor and not _busy and perm is None and not conjugate:
        return wrap(a._array.T if a._array.ndim else a._array)
    result = apply(_transpose, (a,), {"perm": None if perm is None else tuple(plain(perm, "perm"))})
    if conjugate and result.dtype.is_complex:
        from tensorsmith.ops.complex_numbers import conj

        return conj(result)
    return result


def _expanded(specs: Specs, settings: dict) -> Specs:
    old, dtype = specs[0]
    axis = settings["axis"]
    if not -len(old) - 1 <= axis <= len(old):
        raise ValueError(f"axis {axis} is out of bounds for a tensor of {len(old)} axes")
    at = axis if axis >= 0 else axis + len(old) + 1
    return [((*old[:at], 1, *old[at:]), dtype)]


@op(shapes=_expanded)
def expand_dims(xp, input: Array, axis: int):
    """A new axis of size 1 at place `axis` of the result.

    >>> import tensorsmith as tf
    >>> tf.expand_dims([1, 2], -1).numpy()
    array([[1],
           [2]], dtype=int32)
    """
    return xp.expand_dims(input, axis)


def _squeezed(specs: Specs, settings: dict) -> Specs:
    old, dtype = specs[0]
    axis = settings["axis"]
    if axis is None or axis == ():
        if None in old:
            raise ValueError(f"the axes to squeeze out of {old} must be named, as not all sizes are known")
        return [(tuple(d for d in old if d != 1), dtype)]
    axes = {a % len(old) for a in (axis if isinstance(axis, tuple) else (axis,))}
    wrong = [a for a in axes if old[a] not in (1, None)]
    if wrong:
        raise ValueError(f"cannot squeeze axis {wrong[0]} of size {old[wrong[0]]}")
    return [(tuple(d for a, d in enumerate(old) if a not in axes), dtype)]


@op(shapes=_squeezed)
def squeeze(xp, input: Array, axis: Any = None):
    """Without its axes of size 1: all of them, or those named by `axis`.

    >>> import tensorsmith as tf
    >>> tf.squeeze([[[1], [2]]]).numpy()
    array([1, 2], dtype=int32)
    """
    return xp.squeeze(input, axis=axis or None if isinstance(axis, tuple) else axis)


def _broadcasted(specs: Specs, settings: dict) -> Specs:
    sizes = settings["sizes"]
    old = specs[0][0]
    kept = tuple(o if s == -1 else s for o, s in zip((1,) * (len(sizes) - len(old)) + tuple(old), sizes, strict=False))
    if None not in kept and broadcast(old, kept) != kept:
        raise ValueError(f"a tensor of shape {old} does not broadcast to {sizes}")
    return [(kept, specs[0][1])]


@primitive(name="broadcast_to", same=frozenset({"input"}), shapes=_broadcasted)
def _broadcast_to(xp, input: Array, parts: Arrays, sizes: Any = ()):
    return xp.broadcast_to(input, fill_sizes(sizes, parts, "broadcast_to"))


@public
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """The elements repeated along axes of size 1 until the shape is `shape`.

    >>> import tensorsmith as tf
    >>> tf.broadcast_to([1, 2], [2, 2]).numpy()
    array([[1, 2],
           [1, 2]], dtype=int32)
    """
    sizes, parts = split_sizes(shape, "broadcast_to")
    return apply(_broadcast_to, (input, parts), {"sizes": sizes})


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The shape that tensors of these static shapes broadcast to.

    >>> import tensorsmith as tf
    >>> tf.broadcast_static_shape(tf.TensorShape([None, 3]), tf.TensorShape([1, 3]))
    TensorShape([None, 3])
    """
    shapes = TensorShape(shape_x), TensorShape(shape_y)
    if any(shape.rank is None for shape in shapes):
        return TensorShape(None)
    return TensorShape(broadcast(*shapes))


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """x, after its shape was held against `shape`. Raises InvalidArgumentError where they disagree.

    >>> import tensorsmith as tf
    >>> tf.ensure_shape([1, 2], [None]).numpy()
    array([1, 2], dtype=int32)
    """
    x = convert(x)
    if not x.shape.is_compatible_with(shape):
        raise InvalidArgumentError(
            explain("ensure_shape", "the shapes differ", {"x": x.shape, "shape": TensorShape(shape)})
        )
    if isinstance(x, Symbol):
        x.set_shape(shape)
    return x


# ---- joined and split


def _stacked(specs: Specs, settings: dict) -> Specs:
    parts: Any = specs[0]
    shape: Any = parts[0][0]
    for other, _ in parts[1:]:
        shape = TensorShape(shape).merge_with(other)
    ((shape, dtype),) = _expanded([(tuple(shape), parts[0][1])], settings)
    axis = settings["axis"] % len(shape)
    return [((*shape[:axis], len(parts), *shape[axis + 1 :]), dtype)]


@primitive(name="stack", shapes=_stacked)
def _stack(xp, values: Arrays, axis: int = 0):
    return xp.stack(values, axis)


@public
def stack(values: Any, axis: int = 0, name: str | None = None) -> Tensor:
    """Tensors of one shape laid side by side along a new axis.

    >>> import tensorsmith as tf
    >>> tf.stack([[1, 2], [3, 4]], axis=1).numpy()
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    if isinstance(values, (list, tuple)) and not values:
        return convert(values)
    try:
        result = apply(_stack, (values,), {"axis": plain(axis, "axis")})
    except DtypeError:
        if not isinstance(values, (list, tuple)) or any(hasattr(part, "dtype") for part in values):
            raise
        # of Python numbers alone the widest decides, as in tf.constant
        result = apply(_stack, (list(convert(values)),), {"axis": plain(axis, "axis")})
    if (
        isinstance(result, Symbol)
        and result.ndim == 1
        and result.dtype.is_integer
        and isinstance(values, (list, tuple))
    ):
        sizes = tuple(None if isinstance(v, Symbol) else int(convert(v)) for v in values)  # type: ignore[arg-type]
        return note_sizes(result, sizes)
    return result


def parallel_stack(values: Any, name: str | None = None) -> Tensor:
    """`stack` along the first axis; the parts may be computed in any order, which is the compiler's affair.

    >>> import tensorsmith as tf
    >>> tf.parallel_stack([1, 2]).numpy()
    array([1, 2], dtype=int32)
    """
    return stack(values)


def _check_axis(who: str, value: Any, axis: Any, kind: type[Exception]) -> None:
    rank = value.shape.rank
    if rank is not None and not -rank <= axis < rank:
        raise kind(explain(who, "there is no such axis", {"value": value.shape, "axis": axis}))


@primitive(name="unstack")
def _unstack(xp, value: Array, axis: int = 0):
    return list(xp.unstack(value, axis=axis))


@public
def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = None) -> list[Tensor]:
    """The slices along `axis`, whose size must be known, as a list of tensors without that axis.

    >>> import tensorsmith as tf
    >>> [t.numpy().item() for t in tf.unstack([1, 2])]
    [1, 2]
    """
    value = convert(value)
    _check_axis("unstack", value, axis, ValueError)
    size = value.shape[axis]
    if size is None:
        raise ValueError(f"unstack: the size of axis {axis} of {value.shape} is not known while a program is traced.")
    if num is not None and num != size:
        raise InvalidArgumentError(f"unstack: num is {num}, but axis {axis} has size {size}.")
    known = known_sizes(value) if isinstance(value, Symbol) else None
    parts = apply(_unstack, (value,), {"axis": plain(axis, "axis")})
    if known is not None:
        dtype = value.dtype.numpy_dtype
        return [part if n is None else Tensor(np.array(n, dtype)) for part, n in zip(parts, known, strict=False)]
    return parts


def _concatenated(specs: Specs, settings: dict) -> Specs:
    parts: Any = specs[0]
    rank = len(parts[0][0])
    axis = settings["axis"]
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} is out of bounds for tensors of {rank} axes")
    axis %= rank
    merged = list(parts[0][0])
    for other, _ in parts[1:]:
        if len(other) != rank:
            raise ValueError(f"ranks differ: {[tuple(s) for s, _ in parts]}")
        for at in range(rank):
            if at == axis:
                merged[at] = None if None in (merged[at], other[at]) else merged[at] + other[at]
            elif None not in (merged[at], other[at]) and merged[at] != other[at]:
                raise ValueError(f"sizes differ beside axis {axis}: {[tuple(s) for s, _ in parts]}")
            elif merged[at] is None:
                merged[at] = other[at]
    return [(tuple(merged), parts[0][1])]


@primitive(name="concat", shapes=_concatenated)
def _concat(xp, values: Arrays, axis: int):
    return xp.concatenate(values, axis)


@public
def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """Tensors laid end to end along an axis that they have; all other sizes must agree.

    >>> import tensorsmith as tf
    >>> tf.concat([[[1, 2]], [[3, 4]]], axis=0).numpy()
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    if not isinstance(values, (list, tuple)) and not hasattr(type(values), "_listed"):
        values = [values]
    result = apply(_concat, (values,), {"axis": plain(axis, "axis")})
    if (
        isinstance(result, Symbol)
        and result.ndim == 1
        and result.dtype.is_integer
        and isinstance(values, (list, tuple))
    ):
        sizes: list[Any] = []
        for value in map(convert, values):
            if isinstance(value, Symbol):
                sizes += known_sizes(value) or [None] * (value.shape[0] or 0)
            else:
                sizes += np.asarray(value._array).tolist()
        if len(sizes) == result.shape[0]:
            return note_sizes(result, tuple(sizes))
    return result


def _split_shape(specs: Specs, settings: dict) -> tuple:
    shape, dtype = specs[0]
    axis, sizes = settings["axis"] % len(shape), settings["sizes"]
    if isinstance(sizes, int):
        whole = shape[axis]
        sizes = (None if whole is None else whole // sizes,) * sizes
    return tuple(((*shape[:axis], part, *shape[axis + 1 :]), dtype) for part in sizes)


@primitive(name="split", shapes=_split_shape)
def _split(xp, value: Array, sizes: Any, axis: int = 0):
    if isinstance(sizes, int):
        return list(xp.split(value, sizes, axis=axis))
    if not all(isinstance(size, int) for size in sizes):
        # jnp.split compares sizes, of which some may be left open here
        before = (slice(None),) * (axis % value.ndim)
        ends = [*itertools.accumulate(sizes)]
        return [value[(*before, slice(end - size, end))] for end, size in zip(ends, sizes)]
    return list(xp.split(value, [*itertools.accumulate(sizes)][:-1], axis=axis))


@public
def split(
    value: Any, num_or_size_splits: Any, axis: int = 0, num: int | None = None, name: str = "split"
) -> list[Tensor]:
    """Cut along `axis` into a number of equal parts, or into parts of the sizes given (one may be -1).

    Raises InvalidArgumentError when the size of the axis does not fit.

    >>> import tensorsmith as tf
    >>> [t.numpy().tolist() for t in tf.split([1, 2, 3, 4], 2)], [t.numpy().tolist() for t in tf.split([1, 2, 3], [1, 2])]
    ([[1, 2], [3, 4]], [[1], [2, 3]])
    """
    value = value if type(value) in ports.lifters else convert(value)
    axis = plain(axis, "axis")
    sizes = plain(num_or_size_splits, "num_or_size_splits")
    _check_axis("split", value, axis, InvalidArgumentError)
    have = value.shape[axis]
    if isinstance(sizes, tuple):
        if num is not None and len(sizes) != num:
            raise InvalidArgumentError(explain("split", "num is not the number of sizes", {"num": num, "sizes": sizes}))
        if -1 in sizes:
            rest = sum(s for s in sizes if s != -1)
            if have is None:
                raise ValueError(
                    "split: a size of -1 needs the size of the axis, which is not known while a program is traced."
                )
            sizes = tuple(have - rest if s == -1 else s for s in sizes)
        if have is not None and (sum(sizes) != have or min(sizes, default=0) < 0):
            raise InvalidArgumentError(
                explain("split", "the sizes do not add up to the size of the axis", {"sizes": sizes, "axis size": have})
            )
    elif sizes < 1:
        raise InvalidArgumentError(explain("split", "there must be at least one part", {"parts": sizes}))
    elif have is not None and have % sizes:
        raise InvalidArgumentError(
            explain("split", "the axis does not divide into equal parts", {"axis size": have, "parts": sizes})
        )
    return apply(_split, (value,), {"sizes": sizes, "axis": axis})


# ---- turned


def _swapped(specs: Specs, settings: dict) -> Specs:
    shape = list(specs[0][0])
    shape[-1], shape[-2] = shape[-2], shape[-1]
    return [(tuple(shape), specs[0][1])]


@op(name="matrix_transpose", shapes=_swapped)
def matrix_transpose(xp, a: Array):
    """The last two axes swapped.

    >>> import tensorsmith as tf
    >>> tf.linalg.matrix_transpose([[1, 2]]).numpy()
    array([[1],
           [2]], dtype=int32)
    """
    return xp.swapaxes(a, -1, -2)


def moveaxis(a: Any, source: Any, destination: Any) -> Tensor:
    """Axes moved to other places, the others staying in order.

    >>> import tensorsmith as tf
    >>> moveaxis(tf.zeros([2, 3, 4]), 0, -1).shape
    TensorShape([3, 4, 2])
    """
    a = convert(a)
    sources = [s % a.ndim for s in (source if isinstance(source, (list, tuple)) else [source])]
    places = [d % a.ndim for d in (destination if isinstance(destination, (list, tuple)) else [destination])]
    order = [axis for axis in range(a.ndim) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=False)):
        order.insert(place, axis)
    return transpose(a, order)
