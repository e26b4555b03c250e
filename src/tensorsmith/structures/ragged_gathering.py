"""Elements of ragged tensors by their places: gather in batches and along inner axes, gather_nd, masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops.debugging import hold
from tensorsmith.program.op import Op
from tensorsmith.structures.between import from_tensor, to_sparse
from tensorsmith.structures.lifting import quietly, refuse
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.ragged_grouping import group_reduce
from tensorsmith.structures.ragged_index import gather_rows
from tensorsmith.structures.ragged_shaping import axis_numbers, same_rows
from tensorsmith.structures.row_partition import row_ids, row_lengths, splits_from_lengths
from tensorsmith.structures.sparse_ops import retain
from tensorsmith.structures.sparse_parts import nonzero_positions
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def gather(op: Op, arguments: tuple, settings: dict) -> Any:
    """`tf.gather` where source or indices are ragged."""
    source, indices = arguments[:2]
    indices = indices if is_ragged(indices) else convert(indices)
    batch = int(settings.get("batch_dims") or 0)
    given = settings.get("axis")
    (axis,) = axis_numbers(batch if given is None else given, len(source.shape), "gather")
    if batch < 0:
        batch += len(indices.shape)
    if axis < batch:
        raise InvalidArgumentError(explain("gather", "axis is before batch_dims", {"axis": axis, "batch_dims": batch}))
    if batch == 0:
        return _rows(source, indices) if axis == 0 else _columns(op, source, indices, axis)
    if axis != batch:
        raise refuse(op, "RaggedTensor in batches along a later axis", "Use r.to_tensor() first.")
    found = _in_batches(op, source, indices, batch)
    if is_ragged(indices) or source.ragged_rank != batch:
        return found
    # as many places for every row: a dense result
    inner = functions["shape"](found.flat_values)[1:]
    return functions["reshape"](found.flat_values, functions["concat"]([functions["shape"](indices), inner], 0))


def _rows(source: Any, indices: Any) -> Any:
    """Rows of the source in the place of the indices."""
    if is_ragged(indices):
        return indices.with_flat_values(_rows(source, indices.flat_values))
    rank = len(indices.shape)
    if not is_ragged(source):
        return functions["gather"](source, indices, axis=0)
    if not rank:
        return source[indices]
    found = gather_rows(source, functions["reshape"](indices, (-1,)))
    for size in reversed(indices.shape[1:]):
        if size is None:
            raise ValueError(
                explain("gather", "the sizes of the indices' inner axes must be known", {"indices": indices.shape})
            )
        found = RaggedTensor.from_uniform_row_length(found, size)
    return found


def _columns(op: Op, source: Any, indices: Any, axis: int) -> Any:
    """The same places of every row."""
    if not is_ragged(source):
        return functions["gather"](source, indices, axis=axis)
    if axis > 1:
        return source.with_values(_columns(op, source.values, indices, axis - 1))
    if is_ragged(indices) or len(indices.shape) > 1:
        raise refuse(
            op, f"RaggedTensor with indices {describe(indices)} along axis {axis}", "Give indices of one axis."
        )

    def places(splits: Tensor, wanted: Tensor) -> Tensor:
        starts = splits[:-1]
        return functions["expand_dims"](starts, 1) + wanted if len(wanted.shape) else starts + wanted

    wanted = quietly(lambda i: functions["cast"](i, source.row_splits.dtype), indices)
    _check_places("gather", quietly(row_lengths, source.row_splits), wanted, every=True)
    return _rows(source.values, quietly(places, source.row_splits, wanted))


def _in_batches(op: Op, source: Any, indices: Any, batch: int) -> Any:
    source = source if is_ragged(source) else from_tensor(convert(source))
    indices = indices if is_ragged(indices) else from_tensor(indices)
    if not source.row_splits.shape.is_compatible_with(indices.row_splits.shape):
        raise InvalidArgumentError(
            explain("gather", "params and indices differ in their batches",
                    {"params": describe(source), "indices": describe(indices)})
        )  # fmt: skip
    if batch > 1:
        return indices.with_values(gather(op, (source.values, indices.values), {"batch_dims": batch - 1}))
    if is_ragged(indices.values) or len(indices.values.shape) > 1:
        raise refuse(
            op, f"RaggedTensor in batches with indices {describe(indices)}", "Give one row of indices a batch."
        )
    rows = quietly(row_ids, indices.row_splits, indices.values)
    wanted = quietly(lambda i: functions["cast"](i, source.row_splits.dtype), indices.values)
    pick = functions["gather"]
    lengths = quietly(lambda s, r: pick(row_lengths(s), r), source.row_splits, rows)
    _check_places("gather", lengths, wanted)
    places = quietly(lambda s, r, w: pick(s, r) + w, source.row_splits, rows, wanted)
    return RaggedTensor(_rows(source.values, places), indices.row_splits)


def _check_places(who: str, lengths: Tensor, wanted: Tensor, every: bool = False) -> None:
    """InvalidArgumentError for a place that its row does not have; each wanted place in each row with `every`."""
    if isinstance(lengths, Symbol) or isinstance(wanted, Symbol):
        holds = quietly(_all_inside, lengths, wanted, every=every)
        hold(
            who, holds, {"places": wanted, "lengths": lengths}, "a place is out of range", "a row must have each place"
        )
        return
    sizes, places = np.asarray(lengths._array), np.asarray(wanted._array)
    if every:
        sizes, places = np.broadcast_arrays(sizes.reshape(-1, 1), places.reshape(1, -1))
    wrong = (places < 0) | (places >= sizes)
    if wrong.any():
        at = int(wrong.reshape(-1).argmax())
        raise InvalidArgumentError(
            explain(who, "a place is out of range",
                    {"place": int(places.reshape(-1)[at]), "length of the row": int(sizes.reshape(-1)[at])})
        )  # fmt: skip


def _all_inside(lengths: Tensor, wanted: Tensor, every: bool) -> Tensor:
    sizes = functions["reshape"](lengths, (-1, 1)) if every else lengths
    places = functions["reshape"](wanted, (1, -1)) if every else wanted
    inside = functions["logical_and"](functions["greater_equal"](places, 0), functions["less"](places, sizes))
    return functions["reduce_all"](inside)


def gather_nd(op: Op, arguments: tuple, settings: dict) -> Any:
    """`tf.gather_nd` of a ragged source: the last axis of the indices holds a place for each axis."""
    source, indices = arguments[:2]
    if settings.get("batch_dims"):
        raise refuse(op, "RaggedTensor in batches", "Use tf.gather with batch_dims.")
    if is_ragged(indices):
        if len(indices.flat_values.shape) < 2:
            raise InvalidArgumentError(
                explain("gather_nd", "the last axis of the indices cannot be ragged", {"indices": describe(indices)})
            )
        return indices.with_flat_values(functions["gather_nd"](source, indices.flat_values))
    where = convert(indices)
    depth = where.shape[-1]
    if not depth or depth > len(source.shape):
        raise InvalidArgumentError(
            explain("gather_nd", "the indices do not fit the source", {"source": source.shape, "indices": where.shape})
        )
    part, first = source, where[..., 0]
    for at in range(1, depth):
        if not is_ragged(part):
            rest = functions["concat"]([functions["expand_dims"](first, -1), where[..., at:]], axis=-1)
            return functions["gather_nd"](part, rest)
        wanted = quietly(lambda w, s, at=at: functions["cast"](w[..., at], s.dtype), where, part.row_splits)
        splits, rows = part.row_splits, first
        _check_places("gather_nd", quietly(lambda s, r: functions["gather"](row_lengths(s), r), splits, rows), wanted)
        first = quietly(lambda s, r, w: functions["gather"](s, r) + w, splits, rows, wanted)
        part = part.values
    return _rows(part, first)


def boolean_mask(data: Any, mask: Any, name: str | None = None) -> Any:
    """The elements where `mask` is True; the axes that it covers behind the first are ragged in the result.

    data, mask  dense or ragged; the mask of bools, of at least one axis, and of the form of the first axes of the data.

    Raises TypeError for a mask that is not of bools, InvalidArgumentError where the rows differ.

    >>> boolean_mask([[1, 2], [3, 4]], [[True, False], [True, True]])
    <tf.RaggedTensor [[1], [3, 4]]>
    """
    data = data if is_ragged(data) else convert(data)
    chosen: Any = mask if is_ragged(mask) else convert(mask)
    if chosen.dtype.name != "bool":
        raise TypeError(explain("ragged.boolean_mask", "the mask must be of bools", {"mask": describe(chosen)}))
    if not len(chosen.shape):
        raise ValueError(explain("ragged.boolean_mask", "the mask cannot be a scalar", {"mask": describe(chosen)}))
    if len(chosen.shape) == 1:
        places = quietly(lambda m: functions["reshape"](nonzero_positions(m), (-1,)), chosen)
        return gather_rows(data, places)
    rows: RaggedTensor = data if is_ragged(data) else from_tensor(data)  # type: ignore[assignment]
    chosen = chosen if is_ragged(chosen) else from_tensor(chosen)
    if not same_rows(rows, chosen, "ragged.boolean_mask"):
        raise InvalidArgumentError(
            explain("ragged.boolean_mask", "data and mask differ in their rows",
                    {"data": rows.row_splits.tolist(), "mask": chosen.row_splits.tolist()})
        )  # fmt: skip
    kept = boolean_mask(rows.values, chosen.values)
    if len(chosen.shape) > 2:
        return RaggedTensor(kept, rows.row_splits)

    def counts(values: Tensor, splits: Tensor) -> Tensor:
        ids = row_ids(splits, values)
        chosen_ones = functions["cast"](values, splits.dtype)
        return splits_from_lengths(group_reduce(chosen_ones, ids, row_lengths(splits), kind="sum"))

    return RaggedTensor(kept, quietly(counts, chosen.values, chosen.row_splits))


def places_where(op: Op, arguments: tuple, settings: dict) -> Tensor:
    """The indices [n, rank] int64 of the elements of a ragged tensor that are True, or not zero."""
    condition = arguments[0]
    flat = functions["cast"](condition.flat_values, "bool")
    found = to_sparse(condition.with_flat_values(flat))
    return retain(found, found.values).indices


def row_splits_to_segment_ids(splits: Any, name: str | None = None, out_type: Any = None) -> Tensor:
    """The number of the row of each value, from the splits between rows.

    >>> row_splits_to_segment_ids([0, 2, 2, 3]).numpy()
    array([0, 0, 2])
    """
    given = convert(splits) if isinstance(splits, Tensor) else convert(np.asarray(splits, np.int64))
    if not given.dtype.is_integer or len(given.shape) != 1:
        raise ValueError(
            explain("row_splits_to_segment_ids", "splits are integers of one axis", {"splits": describe(given)})
        )
    ids = quietly(lambda s: row_ids(s, functions["range"](s[-1])), given)
    return ids if out_type is None else functions["cast"](ids, out_type)


def segment_ids_to_row_splits(
    segment_ids: Any, num_segments: Any = None, out_type: Any = None, name: str | None = None
) -> Tensor:
    """The splits between rows, from the number of the row of each value; these rise.

    num_segments  the number of rows; one more than the last id by default.

    >>> segment_ids_to_row_splits([0, 0, 2], num_segments=4).numpy()
    array([0, 2, 2, 3, 3])
    """
    given = convert(segment_ids) if isinstance(segment_ids, Tensor) else convert(np.asarray(segment_ids, np.int64))
    splits = RaggedTensor.from_value_rowids(given, given, num_segments).row_splits
    return functions["cast"](splits, out_type or "int64")
