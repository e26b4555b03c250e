"""Elements by their places: gather and scatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import ports
from tensorsmith.core.errors import DtypeError, InvalidArgumentError, explain
from tensorsmith.ops.guards import MISSING, exist, guard, note_span, span
from tensorsmith.ops.sizes import fill_sizes, split_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.program.places import joined_at
from tensorsmith.tensor.apply import apply, op, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def check_places(xp: Any, who: str, places: Any, size: int) -> None:
    """Refuses places below 0 or beyond the end, where values can be looked at."""
    # a compiled program, where such a place gives NaN (0 for integers), has a guard that tells it
    if xp is np and places.size and (places.min() < 0 or places.max() >= size):
        wrong = places[(places < 0) | (places >= size)].ravel()[0]
        raise InvalidArgumentError(
            explain(
                who, "a place is out of range", {"place": int(wrong), "size": size}, f"places go from 0 to {size - 1}"
            )
        )


def _missing(params: Any) -> Any:
    """What a compiled program gives for a place that is not there: NaN, and 0 for integers."""
    return None if params.dtype.kind in "fcV" else 0


def _gathered(specs: Specs, settings: dict) -> Specs:
    (params, dtype), (places, _) = specs
    axis, batch = settings["axis"], settings["batch_dims"]
    return [((*params[:axis], *places[batch:], *params[axis + 1 :]), dtype)]


def _batch_places(xp: Any, shape: tuple[int, ...], batch: int, rank: int) -> list[Any]:
    """For each of the first `batch` axes its own places, shaped to go with places of `rank` axes."""
    return [
        xp.reshape(xp.arange(shape[at]), tuple(shape[at] if i == at else 1 for i in range(rank))) for at in range(batch)
    ]


@primitive(name="gather", same=False, shapes=_gathered)
def _gather(xp, params: Array, indices: Array, axis: int = 0, batch_dims: int = 0):
    check_places(xp, "gather", indices, params.shape[axis])
    if batch_dims == 0:
        if xp is np:
            return np.take(params, indices, axis=axis)
        return xp.take(params, indices, axis=axis, mode="fill", fill_value=_missing(params))
    rows = xp.moveaxis(params, axis, batch_dims)
    key = (*_batch_places(xp, rows.shape, batch_dims, indices.ndim), indices)
    found = rows[key] if xp is np else xp.asarray(rows).at[key].get(mode="fill", fill_value=_missing(params))
    # the axes between the batch and `axis` go back in front of those of the places
    between = axis - batch_dims
    order = [
        *range(batch_dims),
        *range(indices.ndim, indices.ndim + between),
        *range(batch_dims, indices.ndim),
        *range(indices.ndim + between, found.ndim),
    ]
    return xp.transpose(found, order)


def _rows_exist(arguments: list[Any], settings: dict, result: Any) -> Any:
    params, indices = arguments
    if result.ndim == 0 and not isinstance(params, Symbol) and params.dtype.is_integer:
        # the numbers that a loop takes from a range, say, are places further on
        known = span(params)
        note_span(result, known[0], known[1] + 1) if known is not None else None
    return exist(params, indices, settings["axis"])


guard(_gather, MISSING, "places go from 0 to the size of the axis - 1", _rows_exist, ("indices",))


@public
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: int = 0,
    name: str | None = None,
) -> Tensor:
    """The slices of `params` at `indices` along `axis`.

        out[p..., i..., q...] = params[p..., indices[i...], q...]

    batch_dims: how many leading axes params and indices share; `axis` is by default the one behind them.
    Raises InvalidArgumentError for a place out of range.

    >>> import tensorsmith as tf
    >>> tf.gather([10, 20, 30], [2, 0]).numpy()
    array([30, 10], dtype=int32)
    """
    if type(params) in ports.lifters or type(indices) in ports.lifters:
        settings = {"axis": batch_dims if axis is None else axis, "batch_dims": batch_dims}
        return apply(_gather, (params, indices), settings)
    params, indices = convert(params), convert(indices)
    batch = batch_dims if type(batch_dims) is int else plain(batch_dims, "batch_dims")
    # as TensorFlow has it, -1 batch axes name the last axis, too
    axis = batch if axis is None else plain(axis, "axis")
    batch = batch + indices.ndim if batch < 0 else batch
    axis = axis + params.ndim if axis < 0 else axis
    if not indices.dtype.is_integer:
        raise DtypeError(f"gather: indices must be integers, not {indices.dtype.name}.")
    _check_batch("gather", params, indices, batch)
    if not 0 <= axis < max(params.ndim, 1) or batch > axis:
        raise InvalidArgumentError(explain("gather", "there is no such axis", {"params": params.shape, "axis": axis}))
    return apply(_gather, (params, indices), {"axis": axis, "batch_dims": batch})


def _check_batch(who: str, params: Tensor, indices: Tensor, batch: int) -> None:
    """InvalidArgumentError where the batch axes, which both share, differ in size: they are not broadcast."""
    if not batch or params.shape.rank is None or indices.shape.rank is None:
        return
    if not params.shape[:batch].is_compatible_with(indices.shape[:batch]):
        raise InvalidArgumentError(
            explain(
                who,
                "the batch axes differ in size",
                {"params": params.shape, "indices": indices.shape, "batch_dims": batch},
                "the first batch_dims sizes of both must be equal",
            )
        )


def _gathered_nd(specs: Specs, settings: dict) -> Specs:
    (params, dtype), (places, _) = specs
    batch = settings["batch_dims"]
    depth = places[-1]
    if depth is None:
        raise ValueError("the size of the last axis of indices must be known")
    return [((*places[:-1], *params[batch + depth :]), dtype)]


@primitive(name="gather_nd", same=False, shapes=_gathered_nd)
def _gather_nd(xp, params: Array, indices: Array, batch_dims: int = 0):
    depth = indices.shape[-1]
    if batch_dims + depth > params.ndim:
        raise ValueError(f"indices name {depth} axes, but only {params.ndim - batch_dims} are there")
    columns = [indices[..., at] for at in range(depth)]
    for at, column in enumerate(columns):
        check_places(xp, "gather_nd", column, params.shape[batch_dims + at])
    if not depth:
        return xp.broadcast_to(params, (*indices.shape[:-1], *params.shape))
    key = (*_batch_places(xp, params.shape, batch_dims, indices.ndim - 1), *columns)
    return params[key] if xp is np else xp.asarray(params).at[key].get(mode="fill", fill_value=_missing(params))


guard(
    _gather_nd,
    MISSING,
    "places go from 0 to the sizes of the axes - 1",
    lambda arguments, settings, _: exist(arguments[0], arguments[1], settings["batch_dims"], columns=True),
    ("indices",),
)


@public
def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: str | None = None) -> Tensor:
    """The elements (slices) of `params` whose places along its leading axes are the rows of `indices`.

        out[i...] = params[indices[i..., 0], ..., indices[i..., k - 1]]

    Raises InvalidArgumentError for a place out of range.

    >>> import tensorsmith as tf
    >>> tf.gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).numpy()
    array([2, 3], dtype=int32)
    """
    batch = batch_dims if type(batch_dims) is int else plain(batch_dims, "batch_dims")
    if type(params) not in ports.lifters and type(indices) not in ports.lifters:
        params, indices = convert(params), convert(indices)
        if not indices.dtype.is_integer:
            raise DtypeError(f"gather_nd: indices must be integers, not {indices.dtype.name}.")
        if batch:
            if batch >= indices.ndim:
                raise ValueError(
                    explain(
                        "gather_nd", "there are not so many batch axes", {"indices": indices.shape, "batch_dims": batch}
                    )
                )
            _check_batch("gather_nd", params, indices, batch)
    return apply(_gather_nd, (params, indices), {"batch_dims": batch})


_JOIN = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "max": np.maximum, "min": np.minimum,
}  # fmt: skip


def scattered(xp: Any, base: Any, key: Any, updates: Any, how: str) -> Any:
    """`base` with `updates` put in, added, taken away, or compared at the index `key`; doubles count each time."""
    if xp is np:
        result = np.array(base, order="C")
        if how == "update":
            result[key] = updates
        else:
            joined_at(result, key, updates, _JOIN[how])
        return result
    at = xp.asarray(base).at[key]
    if how == "sub":
        return at.add(-updates)
    return getattr(at, {"update": "set", "mul": "multiply", "div": "divide"}.get(how, how))(updates)


def _scatter_kernel(how: str) -> Any:
    def kernel(xp, tensor: Array, indices: Array, updates: Array):
        depth = indices.shape[-1]
        if depth > tensor.ndim:
            raise ValueError(f"indices name {depth} axes, but the tensor has {tensor.ndim}")
        wanted = (*indices.shape[:-1], *tensor.shape[depth:])
        if tuple(updates.shape) != wanted:
            raise ValueError(f"updates have shape {tuple(updates.shape)}, needed are {wanted}")
        columns = tuple(indices[..., at] for at in range(depth))
        for at, column in enumerate(columns):
            check_places(xp, f"tensor_scatter_nd_{how}", column, tensor.shape[at])
        return scattered(xp, tensor, columns, updates, how)

    verb = {
        "update": "replaced by", "add": "plus", "sub": "minus", "max": "or the greater of", "min": "or the smaller of",
        "mul": "times", "div": "divided by",
    }[how]  # fmt: skip
    kernel.__name__ = f"tensor_scatter_nd_{how}"
    known = {"update": 4, "add": 9, "sub": 1, "max": 5, "min": 4}
    # of the others only the methods of a variable are public
    example = f"""    >>> import tensorsmith as tf
    >>> tf.tensor_scatter_nd_{how}([1, 5, 3], [[1]], [4]).numpy()
    array([1, {known[how]}, 3], dtype=int32)
""" if how in known else ""  # fmt: skip
    kernel.__doc__ = f"""The tensor with its elements (slices) at the rows of `indices` {verb} `updates`.

    tensor [n1, ..., nr], indices [..., k], updates [..., n(k+1), ..., nr]. An index that is named twice counts twice.
    Raises InvalidArgumentError for a place out of range.

{example}    """
    return kernel


def _like_first(specs: Specs, settings: dict) -> Specs:
    return [specs[0]]


_SHARED = frozenset({"tensor", "updates"})
tensor_scatter_nd_update = op(_scatter_kernel("update"), same=_SHARED, shapes=_like_first)
tensor_scatter_nd_add = op(_scatter_kernel("add"), same=_SHARED, shapes=_like_first, kinds="fiuc")
tensor_scatter_nd_sub = op(_scatter_kernel("sub"), same=_SHARED, shapes=_like_first, kinds="fiuc")
tensor_scatter_nd_max = op(_scatter_kernel("max"), same=_SHARED, shapes=_like_first, kinds="fiu")
tensor_scatter_nd_min = op(_scatter_kernel("min"), same=_SHARED, shapes=_like_first, kinds="fiu")
# of variables: JAX has no derivative of a scattered product in which a place is named twice, TensorFlow none at all
tensor_scatter_nd_mul = op(_scatter_kernel("mul"), same=_SHARED, shapes=_like_first, kinds="fiuc", differentiable=False)
tensor_scatter_nd_div = op(_scatter_kernel("div"), same=_SHARED, shapes=_like_first, kinds="fc", differentiable=False)


for _scatter in (
    tensor_scatter_nd_update, tensor_scatter_nd_add, tensor_scatter_nd_sub, tensor_scatter_nd_max,
    tensor_scatter_nd_min, tensor_scatter_nd_mul, tensor_scatter_nd_div,
):  # fmt: skip
    guard(
        _scatter.op,
        MISSING,
        "places go from 0 to the sizes of the axes - 1",
        lambda arguments, settings, _: exist(*arguments[:2], columns=True),
        ("indices",),
    )


@primitive(
    name="scatter_nd", same=frozenset({"updates"}), shapes=lambda specs, settings: [(settings["sizes"], specs[1][1])]
)
def _scatter_nd(xp, indices: Array, updates: Array, parts: Arrays, sizes: Any = ()):
    whole = fill_sizes(sizes, parts, "scatter_nd")
    if updates.dtype == object:
        # bytes are joined by +, nothing at all being the empty string
        return tensor_scatter_nd_add.op.kernel(xp, np.full(whole, b"", object), indices, updates)
    zeros = xp.zeros(whole, updates.dtype)
    return tensor_scatter_nd_add.op.kernel(xp, zeros, indices, updates)


guard(
    _scatter_nd,
    MISSING,
    "places go from 0 to the sizes of the axes - 1",
    lambda arguments, settings, result: exist(result, arguments[0], columns=True),
    ("indices",),
)


@public
def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """A tensor of zeros with `updates` added at the rows of `indices`.

    >>> import tensorsmith as tf
    >>> tf.scatter_nd([[1], [3]], [9, 10], [5]).numpy()
    array([ 0,  9,  0, 10,  0], dtype=int32)
    """
    sizes, parts = split_sizes(shape, "scatter_nd")
    return apply(_scatter_nd, (indices, updates, parts), {"sizes": sizes})
