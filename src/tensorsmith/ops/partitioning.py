"""Rows dealt out to groups, and groups put together again: dynamic_partition and dynamic_stitch."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.comparison import equal
from tensorsmith.ops.creation import fill
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.indexing import boolean_mask
from tensorsmith.ops.repeating import pad
from tensorsmith.ops.shaping import concat, reshape, shape
from tensorsmith.program.op import Array, Arrays, elementwise
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_INT32 = np.dtype("int32")


@primitive(differentiable=False, kinds="iu", shapes=elementwise)
def partition_numbers(xp, partitions: Array, num_partitions: int):
    """The numbers of the groups, refused where one is none of 0 to num_partitions - 1."""
    wrong = (partitions < 0) | (partitions >= num_partitions)
    if xp is np and wrong.any():
        raise InvalidArgumentError(
            explain(
                "dynamic_partition",
                "there is no such group",
                {"partition": int(partitions[wrong].ravel()[0]), "num_partitions": num_partitions},
                f"groups are numbered from 0 to {num_partitions - 1}",
            )
        )
    return partitions


def dynamic_partition(data: Any, partitions: Any, num_partitions: Any, name: str | None = None) -> list[Tensor]:
    """The rows of each group, in order: a list of num_partitions tensors.

        out[i] = the data[j...] with partitions[j...] == i

    data [*P, ...], partitions int32 [*P] -> tensors [n_i, ...]. Their sizes hang on values: where partitions are not known
    when a function is traced, its program runs on NumPy.
    Raises InvalidArgumentError where data does not begin with the shape of partitions, or for a number of no group.

    >>> import tensorsmith as tf
    >>> a, b = tf.dynamic_partition([10, 20, 30], [0, 1, 0], 2)
    >>> a.numpy(), b.numpy()
    (array([10, 30], dtype=int32), array([20], dtype=int32))
    """
    data, partitions, count = convert(data), convert(partitions, dtypes.int32), int(plain(num_partitions))
    if count < 1:
        raise InvalidArgumentError(
            explain("dynamic_partition", "there must be at least one group", {"num_partitions": count})
        )
    _check_lead("dynamic_partition", "data", data, "partitions", partitions)
    numbers = apply(partition_numbers, (partitions,), {"num_partitions": count})
    if not partitions.ndim:
        data, numbers = reshape(data, concat([[1], shape(data)], 0)), reshape(numbers, [1])
    return [boolean_mask(data, equal(numbers, at)) for at in range(count)]


@primitive(same=False, eager=True, differentiable=False, shapes=lambda specs, settings: [((None,), _INT32)])
def stitched_rows(xp, indices: Arrays):
    """For each row of a result which of the given rows it is, the last one that names it; their count where none does."""
    places = np.concatenate([part.reshape(-1) for part in indices]) if indices else np.zeros(0, _INT32)
    if places.size and places.min() < 0:
        raise InvalidArgumentError(
            explain("dynamic_stitch", "a place is below 0", {"index": int(places.min())}, "places go from 0 up")
        )
    found = np.full(int(places.max()) + 1 if places.size else 0, places.size, _INT32)
    found[places] = np.arange(places.size, dtype=_INT32)
    return found


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """Rows put at their places: the way back of `dynamic_partition`.

        out[indices[i][j...]] = data[i][j...]

    indices  a list of int32 tensors of any shape; of a place that is named twice the last one counts.
    data     a list of tensors of one dtype, each beginning with the shape of its indices: [*I, ...] -> [max + 1, ...].
             What no index names is 0.

    Where the indices are not known when a function is traced, its program runs on NumPy.
    Raises InvalidArgumentError for an index below 0, and where shapes do not fit.

    >>> import tensorsmith as tf
    >>> tf.dynamic_stitch([[0, 2], [1]], [[1.0, 3.0], [2.0]]).numpy()
    array([1., 2., 3.], dtype=float32)
    """
    places = [convert(part, dtypes.int32) for part in indices]
    first = next((part for part in data if isinstance(part, Tensor)), None)
    like = convert(data[0]).dtype if first is None else first.dtype
    values = [convert(part, None, like.numpy_dtype) for part in data]
    if len(places) != len(values):
        raise InvalidArgumentError(
            explain(
                "dynamic_stitch",
                "there must be data for each of the indices",
                {"indices": len(places), "data": len(values)},
            )
        )
    rows = []
    for at, (where, value) in enumerate(zip(places, values)):
        _check_lead("dynamic_stitch", f"data[{at}]", value, f"indices[{at}]", where)
        inner = value.shape[where.ndim :]
        if not inner.is_compatible_with(values[0].shape[places[0].ndim :]):
            raise InvalidArgumentError(
                explain(
                    "dynamic_stitch",
                    "rows differ in shape",
                    {"data[0]": tuple(values[0].shape[places[0].ndim :]), f"data[{at}]": tuple(inner)},
                )
            )
        rows.append(_in_rows(value, where.ndim))
    whole = rows[0] if len(rows) == 1 else concat(rows, 0)
    # a row of zeros behind the others, for places that none of them has
    if like is dtypes.string:
        whole = concat([whole, fill(concat([[1], shape(whole)[1:]], 0), b"")], 0)
    else:
        whole = pad(whole, [(0, 1), *[(0, 0)] * (whole.ndim - 1)])
    return gather(whole, apply(stitched_rows, (places,), {}))


def _in_rows(value: Tensor, rank: int) -> Tensor:
    """The first `rank` axes as one."""
    inner = tuple(value.shape[rank:])
    if None in inner:
        return reshape(value, concat([[-1], shape(value)[rank:]], 0))
    lead = tuple(value.shape[:rank])
    # not -1, which says nothing beside a size of 0
    return reshape(value, [int(np.prod(lead)) if None not in lead else -1, *inner])


def _check_lead(who: str, what: str, value: Tensor, by: str, places: Tensor) -> None:
    if value.ndim < places.ndim or not value.shape[: places.ndim].is_compatible_with(places.shape):
        raise InvalidArgumentError(
            explain(
                who,
                f"{what} does not begin with the shape of {by}",
                {what: tuple(value.shape), by: tuple(places.shape)},
            )
        )
