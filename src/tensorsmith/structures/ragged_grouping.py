"""Which values of a ragged tensor lie along an axis, and what is computed over those: reductions, running sums."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorsmith.ops import segments
from tensorsmith.program.op import Array
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.ragged import RaggedTensor, first_part, is_ragged
from tensorsmith.structures.row_partition import (
    column_ids,
    column_range,
    row_ids,
    row_lengths,
    row_order,
    splits_from_lengths,
)
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.tensor import Tensor

_KERNELS = {
    "sum": segments.unsorted_segment_sum.op.kernel,
    "prod": segments.unsorted_segment_prod.op.kernel,
    "max": segments.unsorted_segment_max.op.kernel,
    "min": segments.unsorted_segment_min.op.kernel,
}


def _reduced(specs: Any, settings: Any) -> Any:
    (_, *inner), dtype = specs[0]
    return [((specs[2][0][0], *inner), dtype)]


@op(same=False, shapes=_reduced)
def group_reduce(xp, values: Array, groups: Array, like: Array, kind="sum"):
    """Reduces values [n, ...] into as many groups as `like` has rows; value i belongs to group groups[i].

    kind  "sum", "prod", "max" or "min"; an empty group has the sum 0, the product 1, and the lowest
          (highest) finite value of the dtype as its maximum (minimum).
    """
    if values.dtype == bool:
        return _KERNELS[kind](xp, values.astype(np.int8), groups, like.shape[0]) > 0
    return _KERNELS[kind](xp, values, groups, like.shape[0])


@op(same=False, kinds="fiuc", shapes=lambda specs, settings: [specs[0]])
def group_cumsum(xp, values: Array, groups: Array, exclusive=False, reverse=False):
    """The sums of the values [n, ...] up to each of them, within groups [n] that lie one after another.

    exclusive  without the value itself; reverse  from the end of the group.
    """
    if reverse:
        values, groups = values[::-1], groups[::-1]
    count, step, total = values.shape[0], 1, values

    def before(part: Any, step: int) -> Any:
        """What stands `step` places before each value of the same group, from place `step` on; else 0."""
        same = (groups[step:] == groups[:-step]).reshape(-1, *[1] * (values.ndim - 1))
        return xp.where(same, part[:-step], xp.zeros((), values.dtype))

    # in twice as long steps, as a difference of sums over all groups loses what is small
    while step < count:
        total = xp.concatenate([total[:step], total[step:] + before(total, step)])
        step *= 2
    if exclusive and count:
        total = xp.concatenate([xp.zeros_like(total[:1]), before(total, 1)])
    return total[::-1] if reverse else total


class Grouping(NamedTuple):
    """Which values of a ragged tensor go into one element when an axis is reduced.

    groups  [n] the element of each of the flat values.
    like    a tensor with as many rows as there are elements.
    rows    the partitions of the elements, outermost first, each with the length of its rows where all are equal.
    """

    groups: Tensor
    like: Tensor
    rows: list[tuple[Tensor, int | None]]

    def partitioned(self, flat: Any) -> Any:
        """The elements under their partitions."""
        for splits, length in reversed(self.rows):
            flat = RaggedTensor(flat, splits, length)
        return flat


def grouping(ragged: RaggedTensor, axis: int) -> Grouping:
    """Which values are reduced together along an axis, the first or a ragged one."""
    if axis > 1:
        inner = grouping(ragged.values, axis - 1)
        return Grouping(inner.groups, inner.like, [(ragged.row_splits, ragged._uniform), *inner.rows])
    head = first_part(ragged.values)
    if axis == 1:
        groups, like = quietly(row_ids, ragged.row_splits, head), ragged.row_lengths()
    else:
        groups, like = quietly(column_ids, ragged.row_splits, head), quietly(column_range, ragged.row_splits)
    return by_place(ragged.values, groups, like)


def grouping_of_axes(ragged: RaggedTensor, axes: list[int]) -> Grouping:
    """Which values are reduced together along several axes, not all of the ragged ones."""
    rest, groups, found = ragged, None, None
    for axis in sorted(axes, reverse=True):
        found = grouping(rest, axis)
        groups = found.groups if groups is None else quietly(functions["gather"], found.groups, groups)
        rest = found.partitioned(found.like)
    assert found is not None and groups is not None
    return found._replace(groups=groups)


def by_place(values: Any, groups: Tensor, like: Tensor) -> Grouping:
    """The grouping of the rows of `values`, dense or ragged: ragged rows go together place by place, as far as the longest."""
    if not is_ragged(values):
        return Grouping(groups, like, [])
    gather = functions["gather"]

    def splits_of(lengths: Tensor, groups: Tensor, like: Tensor) -> Tensor:
        longest = group_reduce(lengths, groups, like, kind="max")
        return splits_from_lengths(functions["maximum"](longest, functions["zeros_like"](longest)))

    def places(splits: Tensor, groups: Tensor, own: Tensor, head: Tensor) -> Tensor:
        return gather(splits, gather(groups, row_ids(own, head))) + column_ids(own, head)

    splits = quietly(splits_of, quietly(row_lengths, values.row_splits), groups, like)
    inner = quietly(places, splits, groups, values.row_splits, first_part(values.values))
    found = by_place(values.values, inner, quietly(lambda s: functions["range"](s[-1]), splits))
    return found._replace(rows=[(splits, None), *found.rows])


def reduced(flat: Any, found: Grouping, kind: str) -> Any:
    """The flat values reduced in their groups, without the partitions of the result."""
    return group_reduce(flat, found.groups, found.like, kind=kind)


def running_sums(ragged: RaggedTensor, axis: int, exclusive: bool, reverse: bool) -> RaggedTensor:
    """The sums along the first or a ragged axis up to each value."""
    groups, flat = grouping(ragged, axis).groups, ragged.flat_values
    if axis == ragged.ragged_rank:
        # the values of a row lie side by side
        return ragged.with_flat_values(group_cumsum(flat, groups, exclusive=exclusive, reverse=reverse))
    gather = functions["gather"]
    order = quietly(row_order, groups)
    sums = group_cumsum(gather(flat, order), quietly(gather, groups, order), exclusive=exclusive, reverse=reverse)
    return ragged.with_flat_values(gather(sums, quietly(row_order, order)))
