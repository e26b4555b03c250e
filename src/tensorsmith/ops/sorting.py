"""sort, top_k, unique, searchsorted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorsmith.core import dtypes, ports
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.elementwise import negative
from tensorsmith.ops.guards import gives_places
from tensorsmith.ops.shaping import moveaxis
from tensorsmith.program.op import Array, Specs, elementwise
from tensorsmith.tensor.apply import apply, functions, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_INT32, _INT64 = np.dtype("int32"), np.dtype("int64")


def _descends(direction: str, who: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"{who}: direction must be 'ASCENDING' or 'DESCENDING', not {direction!r}.")
    return direction == "DESCENDING"


def order_of(xp: Any, values: Any, axis: int, descending: bool) -> Any:
    """The places of the elements in sorted order; equal ones keep theirs, also when descending."""

    def stable(v: Any) -> Any:
        return np.argsort(v, axis=axis, kind="stable") if xp is np else xp.argsort(v, axis=axis, stable=True)

    if not descending:
        return stable(values)
    # turned around before and after: so equal elements stay in order
    size = values.shape[axis]
    return xp.flip((size - 1) - stable(xp.flip(values, axis)), axis)


@primitive(name="sort", kinds="fiubO", shapes=elementwise)
def _sort(xp, values: Array, axis: int = -1, descending: bool = False):
    if xp is np and values.dtype == object:
        return np.take_along_axis(values, order_of(xp, values, axis, descending), axis)
    found = xp.sort(values, axis=axis)
    return xp.flip(found, axis) if descending else found


@public
def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """The elements along `axis` in order, NaN last (first when descending).

    >>> import tensorsmith as tf
    >>> tf.sort([3, 1, 2], direction="DESCENDING").numpy()
    array([3, 2, 1], dtype=int32)
    """
    settings = {"axis": plain(axis, "axis"), "descending": _descends(direction, "sort")}
    return apply(_sort, (values,), settings)


def _places(specs: Specs, settings: dict) -> Specs:
    return [(specs[0][0], _INT32)]


@primitive(name="argsort", kinds="fiubO", differentiable=False, shapes=_places)
def _argsort(xp, values: Array, axis: int = -1, descending: bool = False):
    return order_of(xp, values, axis, descending).astype(_INT32)


gives_places(_argsort, lambda settings: settings["axis"])


@public
def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Tensor:
    """The places (int32) of the elements along `axis` in order; equal ones stay in theirs.

    >>> import tensorsmith as tf
    >>> tf.argsort([3, 1, 2]).numpy()
    array([1, 2, 0], dtype=int32)
    """
    settings = {"axis": plain(axis, "axis"), "descending": _descends(direction, "argsort")}
    return apply(_argsort, (values,), settings)


class TopKV2(NamedTuple):
    """The greatest elements and their places."""

    values: Any
    indices: Any


def _best(specs: Specs, settings: dict) -> Any:
    shape, dtype = specs[0]
    found = (*shape[:-1], settings["k"])
    return TopKV2((found, dtype), (found, settings["index_type"]))


@primitive(name="top_k", kinds="fiu", shapes=_best)
def _top_k(xp, input: Array, k: int = 1, index_type: Any = _INT32):
    if xp is not np:
        from tensorsmith.program.execute import jax

        values, places = jax().lax.top_k(input, k)
        return TopKV2(values, places.astype(index_type))
    places = order_of(np, input, -1, descending=True)[..., :k]
    return TopKV2(np.take_along_axis(input, places, -1), places.astype(index_type))


gives_places(_top_k, lambda settings: -1, at=1)


@public
def top_k(
    input: Any, k: Any = 1, sorted: bool = True, index_type: Any = dtypes.int32, name: str | None = None
) -> TopKV2:
    """The k greatest elements along the last axis, greatest first, and their places; of equal ones the first.

    Raises InvalidArgumentError when there are fewer than k.

    >>> import tensorsmith as tf
    >>> values, indices = tf.math.top_k([1.0, 5.0, 3.0], k=2)
    >>> values.numpy(), indices.numpy()
    (array([5., 3.], dtype=float32), array([1, 2], dtype=int32))
    """
    input, count = convert(input), plain(k, "k")  # noqa: A001
    size = input.shape[-1] if input.ndim else 0
    if size is not None and not 0 <= count <= size:
        raise InvalidArgumentError(
            explain("top_k", "there are not so many elements", {"input": input.shape, "k": count})
        )
    settings = {"k": count, "index_type": dtypes.as_dtype(index_type).numpy_dtype}
    return apply(_top_k, (input,), settings)


@primitive(name="in_top_k", same=False, differentiable=False, shapes=lambda s, k: [(s[0][0], np.dtype(bool))])
def _in_top_k(xp, targets: Array, predictions: Array, k: int):
    there = (targets >= 0) & (targets < predictions.shape[1])
    if not predictions.shape[1]:
        return there
    places = xp.where(there, targets, xp.zeros_like(targets))[:, None].astype(_INT64)
    rows = xp.take_along_axis(predictions, places, axis=1)
    better = xp.sum(predictions > rows, axis=1)
    return there & (better < k) & xp.isfinite(rows[:, 0])


@public
def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """True for each row whose target [B] is among the k greatest of its predictions [B, C]; ties count as within.

    A target that is no class, and one whose prediction is not finite, is within none.

    >>> import tensorsmith as tf
    >>> tf.math.in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], k=1).numpy()
    array([ True, False])
    """
    return apply(_in_top_k, (targets, predictions), {"k": plain(k, "k")})


@primitive(name="searchsorted", differentiable=False, shapes=lambda s, k: [(s[1][0], k["out_type"])])
def _searchsorted(xp, sorted_sequence: Array, values: Array, side: str = "left", out_type: Any = _INT32):
    if sorted_sequence.ndim == 1:
        return xp.searchsorted(sorted_sequence, values, side=side).astype(out_type)
    if sorted_sequence.shape[:-1] != values.shape[:-1]:
        raise ValueError("all axes of the sequences and of the values but the last must have the same sizes")
    # row by row: how many of the row's elements stand before each value
    row, wanted = sorted_sequence[..., None, :], values[..., :, None]
    before = row < wanted if side == "left" else row <= wanted
    return xp.sum(before, axis=-1, dtype=out_type)


@public
def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """The places at which values would be put in so that the sequence (the last axis) stays sorted.

    side: before ("left") or behind ("right") elements that are equal.

    >>> import tensorsmith as tf
    >>> tf.searchsorted([1, 3, 5], [3, 4]).numpy()
    array([1, 2], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', not {side!r}.")
    settings = {"side": side, "out_type": dtypes.as_dtype(out_type).numpy_dtype}
    return apply(_searchsorted, (sorted_sequence, values), settings)


class Unique(NamedTuple):
    """The different elements, and for each element the place of its like among them."""

    y: Any
    idx: Any


class UniqueWithCounts(NamedTuple):
    """The different elements, for each element the place of its like among them, and how often each is there."""

    y: Any
    idx: Any
    count: Any


def _different(specs: Specs, settings: dict) -> Any:
    shape, dtype = specs[0]
    return UniqueWithCounts(((None,), dtype), (shape, settings["out_idx"]), ((None,), settings["out_idx"]))


@primitive(name="unique_with_counts", eager=True, differentiable=False, shapes=_different)
def _unique(xp, x: Array, out_idx: Any = _INT32):
    # NaN is not equal to itself
    _, first, inverse, count = np.unique(
        np.asarray(x), return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    # in order of appearance, not sorted
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return UniqueWithCounts(
        np.asarray(x)[first[order]], rank[inverse.ravel()].astype(out_idx), count[order].astype(out_idx)
    )


@public
def unique_with_counts(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> UniqueWithCounts:
    """The different elements of a vector in order of appearance, their places, and how often each is there.

    >>> import tensorsmith as tf
    >>> tf.unique_with_counts([7, 5, 7]).count.numpy()
    array([2, 1], dtype=int32)
    """
    x = convert(x)
    if x.ndim != 1:
        raise InvalidArgumentError(explain("unique", "it takes a vector", {"x": x.shape}))
    return apply(_unique, (x,), {"out_idx": dtypes.as_dtype(out_idx).numpy_dtype})


def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Unique:
    """The different elements of a vector in order of appearance, and for each element the place of its like among them.

    >>> import tensorsmith as tf
    >>> y, idx = tf.unique([7, 5, 7])
    >>> y.numpy(), idx.numpy()
    (array([7, 5], dtype=int32), array([0, 1, 0], dtype=int32))
    """
    found = unique_with_counts(x, out_idx)
    return Unique(found.y, found.idx)


def _counted(specs: Specs, settings: dict) -> Specs:
    return [((*(specs[0][0][:1] if settings["by_row"] else ()), settings["size"]), specs[1][1])]


@primitive(name="bincount", same=False, differentiable=False, shapes=_counted)
def _bincount(xp, arr: Array, weights: Array, size: int, by_row: bool = False):
    from tensorsmith.ops.gathering import scattered

    flat, worth = arr.reshape(-1), weights.reshape(-1)
    inside = (flat >= 0) & (flat < size)
    places = xp.where(inside, flat, xp.zeros_like(flat))
    worth = xp.where(inside, worth, xp.zeros_like(worth))
    if not by_row:
        return scattered(xp, xp.zeros(size, worth.dtype), (places,), worth, "add")
    rows = xp.repeat(xp.arange(arr.shape[0]), arr.shape[1])
    return scattered(xp, xp.zeros((arr.shape[0], size), worth.dtype), (rows, places), worth, "add")


@public
def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
    axis: int | None = None,
    binary_output: bool = False,
) -> Tensor:
    """How often each of 0, 1, 2, ... is there; with weights, the sum of those.

    arr            integers, dense or ragged; weights of the same form.
    axis           0 or None: counted over all; -1: over the last axis of [rows, n], which gives [rows, size].
    minlength      the least number of counts; maxlength  the greatest: numbers from there on are left out. Otherwise there are
                   as many as the greatest number asks for, or, in a traced function, which must know it, maxlength.
    binary_output  True: 1 for what is there at all.

    Raises ValueError for another axis, InvalidArgumentError for weights beside a binary output.

    >>> import tensorsmith as tf
    >>> tf.math.bincount([1, 1, 3]).numpy()
    array([0, 2, 0, 1], dtype=int32)
    """
    if axis not in (None, 0, -1):
        raise ValueError(explain("bincount", "only axis 0 and -1 are there", {"axis": axis}))
    if binary_output and weights is not None:
        raise InvalidArgumentError(explain("bincount", "binary_output and weights exclude each other"))
    if type(arr) in ports.lifters:
        settings = {"minlength": minlength, "maxlength": maxlength, "dtype": dtype}
        return apply(_bincount, (arr, weights), {**settings, "axis": axis, "binary_output": binary_output})
    arr = convert(arr)
    if not arr.dtype.is_integer:
        arr = functions["cast"](arr, dtypes.int32)
    if weights is not None:
        weights = convert(weights)
        if not weights.shape.is_compatible_with(arr.shape):
            raise InvalidArgumentError(
                explain(
                    "bincount", "there must be a weight for each number", {"arr": arr.shape, "weights": weights.shape}
                )
            )
    if not isinstance(arr, Symbol) and arr._array.size and arr._array.min() < 0:
        raise InvalidArgumentError(explain("bincount", "a number is below 0", {"arr": int(arr._array.min())}))
    return numbers_counted(arr, weights, minlength, maxlength, dtype, axis, binary_output)


def numbers_counted(
    arr: Tensor, weights: Any, minlength: Any, maxlength: Any, dtype: Any, axis: int | None, binary_output: bool
) -> Tensor:
    """What `bincount` gives; numbers below 0, which fill up rows of different length, count nothing."""
    least = 0 if minlength is None else plain(minlength, "minlength")
    most = None if maxlength is None else plain(maxlength, "maxlength")
    if most is not None and (isinstance(arr, Symbol) or least >= most):
        size = most
    else:
        flat = np.asarray(plain(arr, "bincount"), np.int64)
        size = max(least, int(flat.max()) + 1 if flat.size else 0)
        size = size if most is None else min(size, most)
    worth = convert(np.ones(1, dtypes.as_dtype(dtype).numpy_dtype)) if weights is None else convert(weights)
    if weights is None:
        from tensorsmith.ops.creation import ones_like

        worth = ones_like(arr, dtype)
    found = apply(_bincount, (arr, worth), {"size": size, "by_row": axis == -1 and len(arr.shape) > 1})
    return functions["minimum"](found, 1) if binary_output else found


def approx_max_k(
    operand: Any, k: int, reduction_dimension: int = -1, recall_target: float = 0.95,
    reduction_input_size_override: int = -1, aggregate_to_topk: bool = True, name: str | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The k greatest values along an axis and where they stand; all of them are found, whatever recall_target allows.

    >>> import tensorsmith as tf
    >>> values, at = tf.nn.approx_max_k([1.0, 3.0, 2.0], 2)
    >>> values.numpy(), at.numpy()
    (array([3., 2.], dtype=float32), array([1, 2], dtype=int32))
    """
    x = moveaxis(convert(operand), reduction_dimension, -1)
    values, at = top_k(x, k)
    return moveaxis(values, -1, reduction_dimension), moveaxis(at, -1, reduction_dimension)


def approx_min_k(
    operand: Any, k: int, reduction_dimension: int = -1, recall_target: float = 0.95,
    reduction_input_size_override: int = -1, aggregate_to_topk: bool = True, name: str | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The k least values along an axis and where they stand; all of them are found, whatever recall_target allows.

    >>> import tensorsmith as tf
    >>> tf.nn.approx_min_k([1.0, 3.0, 2.0], 2)[0].numpy()
    array([1., 2.], dtype=float32)
    """
    values, at = approx_max_k(negative(operand), k, reduction_dimension)
    return negative(values), at
