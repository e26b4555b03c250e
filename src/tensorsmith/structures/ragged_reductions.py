"""Ragged tensors reduced: sums and extremes, moments, softmax, running sums, groups of rows."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops.normalization import moments
from tensorsmith.ops.sorting import numbers_counted
from tensorsmith.program.op import Op, registry
from tensorsmith.structures.between import from_tensor
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.ragged_grouping import (
    Grouping,
    by_place,
    grouping,
    grouping_of_axes,
    reduced,
    running_sums,
)
from tensorsmith.structures.ragged_shaping import axis_numbers, same_rows
from tensorsmith.tensor.apply import apply, functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_KINDS = {
    "reduce_sum": "sum",
    "reduce_prod": "prod",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_mean": "mean",
    "reduce_any": "max",
    "reduce_all": "min",
}


# ---- one axis after another


def _reduce(op: Op, arguments: tuple, settings: dict) -> Any:
    ragged: RaggedTensor = arguments[0]
    axis, keepdims = settings.get("axis"), bool(settings.get("keepdims"))
    rank = len(ragged.shape)
    if axis is None:
        flat = ragged.flat_values
        if op.name == "reduce_mean" and not flat.dtype.is_floating and not flat.dtype.is_complex:
            flat = functions["cast"](flat, "float64")
        total = apply(op, [flat], {**settings, "axis": None, "keepdims": False})
        return functions["reshape"](total, (1,) * rank) if keepdims else total
    axes = sorted(set(axis_numbers(axis, rank, op.name)), reverse=True)
    if op.name == "reduce_mean":
        total = _over_axes(registry["reduce_sum"], ragged, axes, settings)
        result = operator.truediv(total, quietly(_counts, *ragged._parts(), like=ragged, axes=axes, settings=settings))
    else:
        result = _over_axes(op, ragged, axes, settings)
    return _kept(result, axes, keepdims)


def _counts(*parts: Tensor, like: RaggedTensor, axes: list[int], settings: dict) -> Any:
    """How many values of the ragged tensor with these parts are reduced together."""
    flat = parts[0]
    if max(axes) <= like.ragged_rank and len(flat.shape) > 1 and len(axes) == like.ragged_rank:
        # the same for all values of the inner axes
        flat = flat[(slice(None), *[slice(0, 1)] * (len(flat.shape) - 1))]
    ones = like._from_parts([functions["ones_like"](flat), *parts[1:]])
    return _over_axes(registry["reduce_sum"], ones, axes, settings)


def _over_axes(op: Op, ragged: Any, axes: list[int], settings: dict) -> Any:
    for axis in axes:
        if not is_ragged(ragged):
            ragged = apply(op, [ragged], {**settings, "axis": axis, "keepdims": False})
        elif axis > ragged.ragged_rank:
            inner = {**settings, "axis": axis - ragged.ragged_rank, "keepdims": False}
            ragged = ragged.with_flat_values(apply(op, [ragged.flat_values], inner))
        else:
            found = grouping(ragged, axis)
            ragged = found.partitioned(reduced(ragged.flat_values, found, _KINDS[op.name]))
    return ragged


def _kept(result: Any, axes: list[int], keepdims: bool) -> Any:
    for axis in sorted(axes) if keepdims else ():
        result = functions["expand_dims"](result, axis)
    return result


# ---- all axes at once


def _parted(op: Op, ragged: RaggedTensor, axis: Any) -> tuple[list[int], list[int], Grouping | None]:
    """The axes, those of them that the flat values have, and the grouping along the ragged ones (None: of all or none)."""
    rank, depth = len(ragged.shape), ragged.ragged_rank
    axes = list(range(rank)) if axis is None else sorted(set(axis_numbers(axis, rank, op.name)))
    along = [a for a in axes if a <= depth]
    flat = [a - depth for a in axes if a > depth]
    if len(along) == depth + 1:
        return axes, [0, *flat], None
    return axes, flat, grouping_of_axes(ragged, along) if along else None


def _flat_only(ragged: RaggedTensor, flat_axes: list[int], result: Any) -> Any:
    """What came of the flat values alone: under the rows, unless these were reduced too."""
    return result if 0 in flat_axes else ragged.with_flat_values(result)


def _moments(op: Op, arguments: tuple, settings: dict) -> tuple[Any, Any]:
    ragged: RaggedTensor = arguments[0]
    given = settings["axes"] if "axes" in settings else settings.get("axis")
    axes, flat_axes, found = _parted(op, ragged, given)
    flat, mean_of = ragged.flat_values, functions["reduce_mean"]
    if found is None:
        parts = moments(flat, flat_axes)
        mean, variance = (_flat_only(ragged, flat_axes, part) for part in parts)
    else:
        # about the mean of each group: the difference of two mean squares loses what is small
        count = reduced(functions["ones_like"](flat), found, "sum")
        inner = {"axis": tuple(flat_axes), "keepdims": True}
        if flat_axes:
            count = mean_of(count, **inner)
        means = functions["divide"](reduced(mean_of(flat, **inner) if flat_axes else flat, found, "sum"), count)
        squares = functions["square"](flat - functions["gather"](means, found.groups))
        variances = functions["divide"](
            reduced(mean_of(squares, **inner) if flat_axes else squares, found, "sum"), count
        )
        squeeze = functions["squeeze"]
        mean, variance = (
            found.partitioned(squeeze(part, tuple(flat_axes)) if flat_axes else part) for part in (means, variances)
        )
    keep = bool(settings.get("keepdims"))
    return _kept(mean, axes, keep), _kept(variance, axes, keep)


def _spread(op: Op, arguments: tuple, settings: dict) -> Any:
    variance = _moments(op, arguments, settings)[1]
    return functions["sqrt"](variance) if op.name == "reduce_std" else variance


def _logsumexp(op: Op, arguments: tuple, settings: dict) -> Any:
    ragged: RaggedTensor = arguments[0]
    axes, flat_axes, found = _parted(op, ragged, settings.get("axis"))
    inner = {**settings, "axis": tuple(flat_axes), "keepdims": False}
    flat = apply(op, [ragged.flat_values], inner) if flat_axes else ragged.flat_values
    if found is None:
        result = _flat_only(ragged, flat_axes, flat)
    else:
        top = _greatest(flat, found)
        powers = functions["exp"](flat - functions["gather"](top, found.groups))
        result = found.partitioned(functions["log"](reduced(powers, found, "sum")) + top)
    return _kept(result, axes, bool(settings.get("keepdims")))


def _greatest(flat: Any, found: Grouping) -> Tensor:
    """The greatest of each group, a constant to derivatives, and finite: what infinite values are compared with."""
    top = functions["stop_gradient"](reduced(flat, found, "max"))
    return functions["where"](functions["is_finite"](top), top, functions["zeros_like"](top))


# ---- of the same form


def _softmax(op: Op, arguments: tuple, settings: dict) -> Any:
    ragged: RaggedTensor = arguments[0]
    (axis,) = axis_numbers(settings["axis"], len(ragged.shape), op.name)
    depth, flat = ragged.ragged_rank, ragged.flat_values
    if axis > depth:
        return ragged.with_flat_values(apply(op, [flat], {**settings, "axis": axis - depth}))
    found, gather = grouping(ragged, axis), functions["gather"]
    moved = flat - gather(_greatest(flat, found), found.groups)
    powers = functions["exp"](moved)
    total = gather(reduced(powers, found, "sum"), found.groups)
    return ragged.with_flat_values(powers / total if op.name == "softmax" else moved - functions["log"](total))


def _cumsum(op: Op, arguments: tuple, settings: dict) -> Any:
    ragged: RaggedTensor = arguments[0]
    (axis,) = axis_numbers(settings["axis"], len(ragged.shape), op.name)
    depth = ragged.ragged_rank
    if axis > depth:
        return ragged.with_flat_values(apply(op, [ragged.flat_values], {**settings, "axis": axis - depth}))
    return running_sums(ragged, axis, bool(settings.get("exclusive")), bool(settings.get("reverse")))


# ---- groups of rows


def _segments(op: Op, arguments: tuple, settings: dict) -> Any:
    data, ids = arguments
    ids: Any = ids if is_ragged(ids) else convert(ids)
    count = int(settings["num_segments"])
    if is_ragged(ids) or len(ids.shape) > 1:
        data = data if is_ragged(data) else from_tensor(convert(data))
        ids = ids if is_ragged(ids) else from_tensor(ids)
        if not same_rows(data, ids, op.name):
            raise _unfit(op, data, ids)
        return functions[op.name](data.values, ids.values, count)
    sizes = data.shape[0], ids.shape[0]
    if not len(ids.shape) or None not in sizes and sizes[0] != sizes[1]:
        raise _unfit(op, data, ids)
    if not isinstance(ids, Symbol):
        known = np.asarray(ids._array)
        wrong = (known < 0) | (known >= count)
        if wrong.any():
            raise InvalidArgumentError(
                explain(op.name, "a segment id is out of range", {"id": int(known[wrong][0]), "num_segments": count})
            )
    kind, flat = op.name.removeprefix("unsorted_segment_"), data.flat_values
    found = by_place(data, ids, Tensor(np.zeros(count, np.int64)))
    if kind not in ("mean", "sqrt_n"):
        return found.partitioned(reduced(flat, found, kind))
    total = reduced(flat, found, "sum")
    count_of = reduced(functions["ones_like"](flat), found, "sum")
    if kind == "sqrt_n":
        count_of = functions["sqrt"](count_of)
    return found.partitioned(operator.truediv(total, count_of))


def _unfit(op: Op, data: Any, ids: Any) -> InvalidArgumentError:
    return InvalidArgumentError(
        explain(op.name, "the segment ids do not fit the rows", {"data": describe(data), "segment_ids": describe(ids)},
                "their form must be the beginning of that of the data")
    )  # fmt: skip


def _bincount(op: Op, arguments: tuple, settings: dict) -> Tensor:
    ragged, weights = arguments
    weights: Any = weights if weights is None or is_ragged(weights) else convert(weights)
    if settings["axis"] != -1:
        worth = weights.flat_values if is_ragged(weights) else weights
        return functions["bincount"](ragged.flat_values, worth, **settings)
    if len(ragged.shape) != 2:
        raise InvalidArgumentError(
            explain("bincount", "rows of one ragged axis are needed to count in", {"arr": describe(ragged)})
        )
    # numbers below 0 are not counted
    padded = ragged.to_tensor(default_value=-1)
    worth = weights.to_tensor() if is_ragged(weights) else weights
    return numbers_counted(padded, worth, **settings)


REDUCING = {
    "bincount": _bincount,
    **dict.fromkeys(_KINDS, _reduce),
    **dict.fromkeys(
        [f"unsorted_segment_{kind}" for kind in ("sum", "prod", "max", "min", "mean", "sqrt_n")], _segments
    ),
    "moments": _moments,
    "reduce_variance": _spread,
    "reduce_std": _spread,
    "reduce_logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "cumsum": _cumsum,
}
