"""Slices and elements: `t[...]`, slice, boolean_mask."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tensorsmith.core import context, dtypes, ports
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops.guards import MISSING, guard, span
from tensorsmith.ops.sizes import fill_sizes, known_sizes, note_sizes, split_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, functions, primitive, public, wrap
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_busy = context.busy


class Hole:
    """Stands in an index where a tensor goes: the next of the arrays handed to the kernel."""

    def __repr__(self) -> str:
        return "?"

    def __reduce__(self) -> Any:
        return _hole, ()


HOLE = Hole()


def _hole() -> Hole:
    return HOLE


# An index as a setting: a tuple of ints, None, Ellipsis, HOLE and ("slice", start, stop, step), the last three
# ints, None or HOLE. Plain values only, so that a program which holds it can be kept on disk.
Key = tuple


def split_key(key: Any, shape: Any = None) -> tuple[Key, list[Any]]:
    """An index as users write it, as a setting and the tensors in it; `shape`: of what is indexed."""
    if type(key) is list and not any([isinstance(item, (list, bool, np.bool_, np.ndarray)) for item in key]):  # noqa: C419
        key = tuple(key)
    parts: list[Any] = []
    whole: list[Any] = []
    for item in key if isinstance(key, tuple) else (key,):
        if isinstance(item, slice):
            whole.append(("slice", *(_number(bound, parts) for bound in (item.start, item.stop, item.step))))
        elif item is None or item is Ellipsis or type(item) is int:
            whole.append(item)
        else:
            # which axis an entry behind an ellipsis or another mask stands for is left to NumPy
            simple = all(isinstance(i, tuple) or type(i) is int for i in whole)
            whole.extend(_place(item, parts, None if shape is None or not simple else shape[len(whole) :]))
    return tuple(whole), parts


# what NumPy takes as it is; the bounds of a slice answer for themselves, as a Symbol refuses to be a number
_PLAIN = frozenset({int, slice, type(None), type(Ellipsis)})


def _number(bound: Any, parts: list[Any]) -> Any:
    if bound is None or type(bound) is int:
        return bound
    value = bound._read() if hasattr(bound, "_read") else bound
    if isinstance(value, Symbol):
        parts.append(value)
        return HOLE
    if not hasattr(value, "__index__"):
        raise TypeError(_no_index(bound))
    return operator.index(value)


def _no_index(given: Any) -> str:
    return (
        "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors, "
        f"and masks and arrays of places are valid indices, got {given!r}."
    )


def _place(item: Any, parts: list[Any], shape: Any = None) -> list[Any]:
    """One entry of an index that is neither a slice nor an int: a mask or numbers of places.

    shape: of the axes from this entry on, where it is known.
    """
    if isinstance(item, (np.integer, bool)) and not isinstance(item, (bool, np.bool_)):
        return [int(item)]
    if isinstance(item, bool):
        raise TypeError("A tensor cannot be indexed with True or False; use tf.boolean_mask for masks.")
    if isinstance(item, str) or not (
        isinstance(item, (Tensor, np.ndarray, np.generic, list)) or hasattr(item, "_read")
    ):
        raise TypeError(_no_index(item))
    tensor = convert(item)
    kind = tensor.dtype.numpy_dtype.kind
    if kind == "b":
        if shape is not None and not tensor.shape.is_compatible_with(shape[: tensor.ndim]):
            raise InvalidArgumentError(
                explain(
                    "indexing",
                    "the mask does not fit the axes that it stands for",
                    {"mask": tensor.shape, "axes": shape[: tensor.ndim]},
                )
            )
        if isinstance(tensor, Symbol):
            # how many it picks is not known before the program runs
            rows = functions["where"](tensor)
            parts.extend([rows[:, axis] for axis in range(tensor.ndim)])
        else:
            parts.extend([Tensor(places) for places in np.nonzero(np.asarray(tensor._array))])
        return [HOLE] * tensor.ndim
    if kind not in "iu":
        raise TypeError(f"A tensor cannot be indexed with {tensor.dtype.name}; places are integers.")
    if tensor.ndim == 0 and not isinstance(tensor, Symbol):
        return [int(tensor)]
    parts.append(tensor)
    return [HOLE]


def join_key(key: Key, parts: Any, who: str) -> tuple:
    """The index with the arrays in their places, as NumPy takes it."""
    if not parts and not any(isinstance(item, tuple) for item in key):
        return key
    rest = iter(parts)

    def bound(value: Any) -> Any:
        return fill_sizes((None,), [next(rest)], who)[0] if value is HOLE else value

    whole: list[Any] = []
    for item in key:
        if isinstance(item, tuple):
            whole.append(slice(*[bound(value) for value in item[1:]]))
        else:
            whole.append(next(rest) if item is HOLE else item)
    return tuple(whole)


def _picked(specs: Any, settings: dict) -> Specs:
    """Shape rule, as NumPy has it: arrays of places broadcast together; their axes stand where the places stood,
    in front when something else stands between them."""
    (shape, dtype), key = specs[0], settings["key"]
    rest = iter(specs[1])
    taken = sum(1 for item in key if item is not None and item is not Ellipsis)
    if taken > len(shape):
        raise IndexError(f"too many indices: {taken} for a tensor of {len(shape)} axes")
    if Ellipsis not in key:
        key = (*key, Ellipsis)
    out: list[int | None] = []
    places: list[tuple[int | None, ...]] = []
    ends: list[tuple[int, int]] = []  # for each place: which entry it is, and how many axes stand before it
    axis = 0
    for number, item in enumerate(key):
        if item is None:
            out.append(1)
        elif item is ...:
            out.extend(shape[axis : axis + len(shape) - taken])
            axis += len(shape) - taken
        elif item is HOLE or isinstance(item, int):
            ends.append((number, len(out)))
            if item is HOLE:
                places.append(next(rest)[0])
            else:
                _check_place(item, shape[axis], axis)
            axis += 1
        else:
            for bound in item[1:]:
                if bound is HOLE:
                    next(rest)
            known = HOLE not in item
            out.append(_slice_size(shape[axis], slice(*item[1:])) if known else None)
            axis += 1
    if not places:
        return [(tuple(out), dtype)]
    together = ends[-1][0] - ends[0][0] == len(ends) - 1
    at = ends[0][1] if together else 0
    return [((*out[:at], *broadcast(*places), *out[at:]), dtype)]


def _check_place(place: int, size: int | None, axis: int) -> None:
    if size is not None and not -size <= place < size:
        raise IndexError(f"index {place} is out of bounds for axis {axis} with size {size}")


def _slice_size(size: int | None, cut: slice) -> int | None:
    if size is not None:
        return len(range(*cut.indices(size)))
    # of an unknown size only an empty slice, and none at all, are known
    return None


@primitive(name="getitem", same=frozenset({"x"}), shapes=_picked)
def _getitem(xp, x: Array, parts: Arrays, key: Any = ()):
    whole = join_key(key, parts, "indexing")
    if xp is np and parts:
        return np.asarray(x)[whole]
    return x[whole]


def _axes_of_places(key: Key, shape: Any, parts: Any) -> list[tuple[Any, int]]:
    """What stands in an index as a place, an int or one of `parts`, and the axis that it stands for."""
    taken = sum(1 for item in key if item is not None and item is not Ellipsis)
    rest, axis, found = iter(parts), 0, []
    for item in key:
        if item is Ellipsis:
            axis += len(shape) - taken
        elif item is not None:
            if isinstance(item, tuple):
                for bound in item[1:]:
                    if bound is HOLE:
                        next(rest)
            else:
                found.append((next(rest) if item is HOLE else item, axis))
            axis += 1
    return found


@primitive(name="index_exists", same=False, shapes=lambda specs, settings: [((), np.dtype(bool))], differentiable=False)
def _index_exists(xp, x: Array, parts: Arrays, key: Any = ()):
    """Whether all places of an index are there; those below 0 count from the end."""
    holds = xp.asarray(True)
    for place, axis in _axes_of_places(key, x.shape, parts):
        size = x.shape[axis]
        holds = xp.logical_and(holds, xp.all(xp.logical_and(place >= -size, place < size)))
    return holds


def _ask_index(arguments: list[Any], settings: dict, result: Any) -> Any:
    x, parts = arguments[0], arguments[-1]
    for place, axis in _axes_of_places(settings["key"], x.shape, parts):
        size = x.shape[axis]
        known = (place, place) if isinstance(place, int) else span(place)
        if size is None or known is None or known[0] < -size or known[1] >= size:
            return apply(_index_exists, (x, parts), {"key": settings["key"]})
    return None


guard(_getitem, MISSING, "places go from -size to size - 1 of their axes", _ask_index, ("parts",))


@public
def getitem(x: Any, key: Any) -> Tensor:
    """The elements at an index: what `x[key]` gives.

    key: ints, slices, `...`, None (a new axis of size 1), scalar tensors, arrays of places, boolean masks, or a
    tuple of these. A list of them is a tuple, as in TensorFlow: `t[[0, 1]]` is `t[0, 1]`.
    Raises InvalidArgumentError for a place that is not there.

    >>> import tensorsmith as tf
    >>> t = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> t[..., 1, tf.newaxis].numpy()
    array([[2.],
           [5.]], dtype=float32)
    """
    if (
        type(x) is Tensor
        and not _busy
        # of a list, as `all` of a generator costs several times as much
        and (type(key) in _PLAIN or (type(key) is tuple and all([type(item) in _PLAIN for item in key])))  # noqa: C419
    ):
        try:
            result = x._array[key]
        except (IndexError, TypeError):
            pass  # told in full below
        else:
            if not isinstance(result, bytes):
                return wrap(result)
    if not isinstance(x, Tensor):
        x = convert(x)
    whole, parts = split_key(key, x.shape)
    if isinstance(x, Symbol) and x.ndim == 1 and not parts and len(whole) == 1:
        known = known_sizes(x)
        if known is not None:
            found = _known_part(x, known, whole[0])
            if found is not None:
                return found
            if isinstance(whole[0], tuple):
                result = apply(_getitem, (x, parts), {"key": whole})
                return note_sizes(result, known[slice(*whole[0][1:])])
    return apply(_getitem, (x, parts), {"key": whole})


def _known_part(x: Symbol, known: tuple, item: Any) -> Tensor | None:
    """The part of a vector of sizes, as a constant, where the trace knows it."""
    dtype = x.dtype.numpy_dtype
    if isinstance(item, int) and -len(known) <= item < len(known) and known[item] is not None:
        return Tensor(np.array(known[item], dtype))
    if isinstance(item, tuple):
        part = known[slice(*item[1:])]
        if None not in part:
            return Tensor(np.array(part, dtype))
    return None


@primitive(name="strided_slice_update", same=frozenset({"x", "value"}), shapes=lambda specs, settings: [specs[0]])
def _strided_slice_update(xp, x: Array, value: Array, parts: Arrays, key: Any = ()):
    whole = join_key(key, parts, "slice assignment")
    if xp is np:
        result = np.array(x)
        result[whole] = value
        return result
    return xp.asarray(x).at[whole].set(value)


guard(_strided_slice_update, MISSING, "places go from -size to size - 1 of their axes", _ask_index, ("parts",))


@public
def strided_slice_update(x: Any, value: Any, key: Any) -> Tensor:
    """x with the elements at `key` replaced by `value`, which broadcasts.

    >>> import tensorsmith as tf
    >>> v = tf.Variable([1.0, 2.0, 3.0])
    >>> v[1].assign(42.0).numpy()
    array([ 1., 42.,  3.], dtype=float32)
    """
    whole, parts = split_key(key)
    return apply(_strided_slice_update, (x, value, parts), {"key": whole})


def _sliced(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    begin, sizes = settings["begin"], settings["sizes"]
    out: list[int | None] = []
    for have, b, s in zip(shape, begin, sizes, strict=False):
        if s == -1:
            out.append(None if have is None or b is None else have - b)
        else:
            out.append(s)
        if None not in (have, b, s) and s != -1 and b + s > have:
            raise ValueError(f"a slice from {b} of size {s} does not fit an axis of size {have}")
    return [(tuple(out), dtype)]


@primitive(name="slice", same=frozenset({"input_"}), shapes=_sliced)
def _slice(xp, input_: Array, parts: Arrays, begin: Any = (), sizes: Any = ()):
    n_begin = sum(1 for b in begin if b is None)
    lengths = fill_sizes(sizes, parts[n_begin:], "slice")
    if xp is not np and n_begin:
        # where a slice begins may be known only at run time, how long it is may not
        from tensorsmith.program.execute import jax

        rest = iter(parts[:n_begin])
        starts = [next(rest) if b is None else b for b in begin]
        if -1 in lengths:
            starts = list(fill_sizes(begin, parts[:n_begin], "slice with a size of -1"))
            lengths = tuple(
                have - b if s == -1 else s for have, b, s in zip(input_.shape, starts, lengths, strict=False)
            )
        return jax().lax.dynamic_slice(input_, [xp.asarray(s, "int32") for s in starts], lengths)
    starts = fill_sizes(begin, parts[:n_begin], "slice")
    for have, b, s in zip(input_.shape, starts, lengths, strict=False):
        # sizes that are left open fit, as they did where they were known
        if all(isinstance(n, int) for n in (have, b, s)) and (b < 0 or (s != -1 and b + s > have)):
            raise ValueError(f"a slice from {b} of size {s} does not fit an axis of size {have}")
    return input_[tuple(slice(b, None if s == -1 else b + s) for b, s in zip(starts, lengths, strict=False))]


@primitive(name="slice_exists", same=False, shapes=lambda specs, settings: [((), np.dtype(bool))], differentiable=False)
def _slice_exists(xp, input_: Array, parts: Arrays, begin: Any = (), sizes: Any = ()):
    """Whether a slice lies within its axes."""
    n_begin = sum(1 for b in begin if b is None)
    lengths = fill_sizes(sizes, parts[n_begin:], "slice")
    rest, holds = iter(parts[:n_begin]), xp.asarray(True)
    for have, b, s in zip(input_.shape, begin, lengths, strict=False):
        start = next(rest) if b is None else b
        holds = xp.logical_and(holds, xp.logical_and(start >= 0, start + max(s, 0) <= have))
    return holds


def _ask_slice(arguments: list[Any], settings: dict, result: Any) -> Any:
    input_, parts = arguments
    rest = iter(parts)
    for have, b, s in zip(input_.shape, settings["begin"], settings["sizes"], strict=False):
        known = span(next(rest)) if b is None else (b, b)
        if have is None or s is None or known is None or known[0] < 0 or known[1] + max(s, 0) > have:
            return apply(_slice_exists, (input_, parts), {"begin": settings["begin"], "sizes": settings["sizes"]})
    return None


guard(_slice, MISSING, "0 <= begin and begin + size <= the size of the axis", _ask_slice, ("parts",))


@public
def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """The block that begins at `begin` and has `size` elements along each axis (-1: all that are left).

    >>> import tensorsmith as tf
    >>> tf.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1]).numpy()
    array([[2, 3],
           [5, 6]], dtype=int32)
    """
    starts, first = split_sizes(begin, "slice")
    sizes, second = split_sizes(size, "slice")
    if type(input_) not in ports.lifters:
        input_ = convert(input_)
        rank = input_.shape.rank
        if len(starts) != len(sizes) or rank not in (None, len(starts)):
            raise InvalidArgumentError(
                explain(
                    "slice",
                    "a begin and a size are needed for each axis",
                    {"input": input_.shape, "begin": starts, "size": sizes},
                )
            )
        if any(n is not None and n < -1 for n in sizes):
            raise InvalidArgumentError(explain("slice", "a size is below -1", {"size": sizes}))
    return apply(_slice, (input_, [*first, *second]), {"begin": starts, "sizes": sizes})


@public
def strided_slice(
    input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: int = 0, end_mask: int = 0,
    ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0, var: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """x[begin[0]:end[0]:strides[0], ...]; bit i of a mask makes entry i open (begin, end), `...`, a new axis, or an int.

    >>> import tensorsmith as tf
    >>> tf.strided_slice([1, 2, 3, 4], [0], [4], [2]).numpy()
    array([1, 3], dtype=int32)
    """
    starts, stops = list(begin), list(end)
    steps = [1] * len(starts) if strides is None else list(strides)
    key: list[Any] = []
    for at, (start, stop, step) in enumerate(zip(starts, stops, steps, strict=False)):
        bit = 1 << at
        if ellipsis_mask & bit:
            key.append(Ellipsis)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_axis_mask & bit:
            key.append(start)
        else:
            key.append(slice(None if begin_mask & bit else start, None if end_mask & bit else stop, step))
    return getitem(input_, tuple(key))


def _masked(specs: Specs, settings: dict) -> Specs:
    (shape, dtype), (mask, _) = specs
    axis = settings["axis"]
    return [((*shape[:axis], None, *shape[axis + len(mask) :]), dtype)]


@primitive(name="boolean_mask", same=False, eager=True, shapes=_masked)
def _boolean_mask(xp, tensor: Array, mask: Array, axis: int = 0):
    return tensor[(slice(None),) * axis + (mask,)]


@public
def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: str = "boolean_mask") -> Tensor:
    """The elements (the slices from `axis` on) where the mask is true, in order.

    mask: booleans, of the shape of as many axes of the tensor as it has, from `axis` (0) on.
    Raises ValueError where these shapes differ. Its size hangs on values: a compiled program cannot hold it.

    >>> import tensorsmith as tf
    >>> tf.boolean_mask([1, 2, 3], [True, False, True]).numpy()
    array([1, 3], dtype=int32)
    """
    tensor, mask = convert(tensor), functions["cast"](mask, dtypes.bool_)
    axis = 0 if axis is None else int(axis)
    axis = axis % max(tensor.ndim, 1)
    if mask.ndim == 0:
        raise ValueError("boolean_mask: the mask cannot be a scalar.")
    if not mask.shape.is_compatible_with(tensor.shape[axis : axis + mask.ndim]):
        raise ValueError(
            explain(
                "boolean_mask",
                "the mask does not fit the tensor",
                {"mask": mask.shape, "tensor": tensor.shape, "axis": axis},
            )
        )
    if isinstance(mask, Symbol):
        return apply(_boolean_mask, (tensor, mask), {"axis": axis})
    # the places are known: an index that can be differentiated and compiled
    return getitem(tensor, (slice(None),) * axis + (np.asarray(mask._array),))
