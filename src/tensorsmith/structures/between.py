"""Dense to ragged to sparse and back; ragged tensors from nested lists."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops.debugging import hold
from tensorsmith.program.op import Array
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.ragged import RaggedTensor, first_part, is_ragged
from tensorsmith.structures.ragged_shaping import same_rows
from tensorsmith.structures.row_partition import column_ids, column_range, row_ids, row_order, splits_from_lengths
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.structures.sparse_parts import nonzero_positions
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def constant(
    pylist: Any,
    dtype: Any = None,
    ragged_rank: int | None = None,
    inner_shape: Any = None,
    name: str | None = None,
    row_splits_dtype: Any = "int64",
) -> Any:
    """A ragged tensor of nested lists whose numbers stand at one depth (a Tensor when that depth is one).

    ragged_rank  how many axes are ragged; all but the first and those of `inner_shape` by default.
    inner_shape  the shape of the dense values inside.

    Raises ValueError where the depths differ.

    >>> constant([[1, 2], [], [3]])
    <tf.RaggedTensor [[1, 2], [], [3]]>
    """
    if isinstance(pylist, np.ndarray):
        pylist = pylist.tolist()
    depth, deepest_list = _depth(pylist)
    inner = None if inner_shape is None else (inner_shape,) if isinstance(inner_shape, int) else tuple(inner_shape)
    depth = max(depth or 0, deepest_list)
    if ragged_rank is None:
        ragged_rank = max(0, depth - 1 - (len(inner) if inner is not None else 0))
    if ragged_rank == 0:
        flat = convert(pylist, dtype)
        return flat if inner is None else functions["reshape"](flat, (-1, *inner))
    splits = []
    rows = pylist
    for _ in range(ragged_rank):
        if not all(isinstance(row, (list, tuple, np.ndarray)) for row in rows):
            raise ValueError(
                explain("ragged.constant", "its depth is less than ragged_rank + 1", {"ragged_rank": ragged_rank})
            )
        splits.append(np.cumsum([0, *(len(row) for row in rows)]).astype(as_dtype(row_splits_dtype).numpy_dtype))
        rows = [item for row in rows for item in row]
    values = convert(rows, dtype) if rows or dtype is not None else Tensor(np.zeros(0, np.float32))
    shape = inner if inner is not None else tuple(values.shape[1:])
    if not rows:
        values = functions["reshape"](values, (0, *shape))
    elif tuple(values.shape[1:]) != shape:
        raise ValueError(
            explain(
                "ragged.constant",
                "the values have another inner shape",
                {"values": tuple(values.shape[1:]), "inner_shape": shape},
            )
        )
    return RaggedTensor.from_nested_row_splits(values, [Tensor(s) for s in splits], validate=False)


def _depth(value: Any) -> tuple[int | None, int]:
    """How deep the scalars stand (None: there are none), and the depth of the deepest list."""
    if not isinstance(value, (list, tuple, np.ndarray)):
        return 0, 0
    scalars, lists = set(), 0
    for item in value:
        inner, deep = _depth(item)
        if inner is not None:
            scalars.add(inner)
        lists = max(lists, deep)
    if len(scalars) > 1 or scalars and lists > next(iter(scalars)):
        raise ValueError(
            explain(
                "ragged.constant",
                "its numbers stand at different depths",
                {"depths": sorted(d + 1 for d in scalars)},
                "all scalars must have the same nesting depth",
            )
        )
    return (next(iter(scalars)) + 1 if scalars else None), lists + 1


def from_tensor(
    tensor: Any,
    lengths: Any = None,
    padding: Any = None,
    ragged_rank: int = 1,
    name: str | None = None,
    row_splits_dtype: Any = "int64",
) -> RaggedTensor:
    """The rows of a dense tensor [r, c, ...]: whole, cut to `lengths` [r], or without the `padding` at their ends.

    Raises ValueError when both are given.

    >>> from_tensor([[1, 0], [2, 3]], padding=0).to_list()
    [[1], [2, 3]]
    """
    dense = convert(tensor)
    if ragged_rank < 1 or len(dense.shape) > 1 and ragged_rank >= len(dense.shape):
        raise ValueError(
            explain("RaggedTensor.from_tensor", "ragged_rank lies outside 1 to the rank of the tensor less one",
                    {"ragged_rank": ragged_rank, "tensor": describe(dense)})
        )  # fmt: skip
    if lengths is not None and padding is not None:
        raise ValueError(explain("RaggedTensor.from_tensor", "lengths and padding exclude each other"))
    if len(dense.shape) < 2:
        raise ValueError(
            explain("RaggedTensor.from_tensor", "a tensor of at least two axes is needed", {"tensor": describe(dense)})
        )
    if isinstance(lengths, (list, tuple)) and lengths and not isinstance(lengths[0], (int, np.integer)):
        return _cut_to(dense, list(lengths), row_splits_dtype)
    known = dense.shape[1]
    rows, width = (dense.shape[axis] if dense.shape[axis] is not None else _size(dense, axis) for axis in (0, 1))
    splits = quietly(_even_splits, convert(rows, "int64"), convert(width, "int64"))
    if ragged_rank > 1:
        values = from_tensor(_merged_front(dense), lengths, padding, ragged_rank - 1)
        return RaggedTensor(values, splits, known).with_row_splits_dtype(row_splits_dtype)
    flat = _merged_front(dense)
    if padding is not None:
        fill = convert(padding, None, dense.dtype.numpy_dtype)
        if fill.shape != dense.shape[2:]:
            raise ValueError(
                explain("RaggedTensor.from_tensor", "the padding is not like an element of a row",
                        {"padding": fill.shape, "element": dense.shape[2:]})
            )  # fmt: skip
        lengths = quietly(unpadded_lengths, dense, fill)
    if lengths is None:
        return RaggedTensor(flat, splits, known).with_row_splits_dtype(row_splits_dtype)
    given = convert(lengths)
    if len(given.shape) != 1 or None not in (given.shape[0], dense.shape[0]) and given.shape[0] != dense.shape[0]:
        raise ValueError(
            explain("RaggedTensor.from_tensor", "one length is needed for each row",
                    {"lengths": given.shape, "tensor": describe(dense)})
        )  # fmt: skip
    wanted = quietly(_clipped, given, convert(width, "int64"))
    places = quietly(_leading_places, wanted, convert(width, "int64"))
    kept = functions["gather"](flat, places, axis=0)
    return RaggedTensor(kept, quietly(splits_from_lengths, wanted)).with_row_splits_dtype(row_splits_dtype)


def _cut_to(dense: Tensor, lengths: list[Any], dtype: Any) -> RaggedTensor:
    """The rows cut to the first lengths, what these hold to the next, and so on."""
    first, *rest = lengths
    rows = from_tensor(dense, first, row_splits_dtype=dtype)
    return rows.with_values(_cut_to(rows.values, rest, dtype)) if rest else rows


def _merged_front(dense: Tensor) -> Tensor:
    """The first two axes made one."""
    if None not in tuple(dense.shape[2:]):
        return functions["reshape"](dense, (-1, *dense.shape[2:]))
    sizes = functions["shape"](dense)
    return functions["reshape"](dense, functions["concat"]([[sizes[0] * sizes[1]], sizes[2:]], axis=0))


def _size(dense: Tensor, axis: int) -> Tensor:
    return functions["cast"](functions["shape"](dense)[axis], "int64")


def _even_splits(rows: Tensor, width: Tensor) -> Tensor:
    """The splits of rows that are all of one width."""
    return functions["range"](rows + 1) * width


def _clipped(lengths: Tensor, width: Tensor) -> Tensor:
    return functions["minimum"](functions["maximum"](functions["cast"](lengths, "int64"), 0), width)


def _leading_places(lengths: Tensor, width: Tensor) -> Tensor:
    """The places, in a flat table of rows of this width, of the first `lengths[i]` elements of each row."""
    there = functions["range"](width)[None, :] < lengths[:, None]
    return functions["reshape"](nonzero_positions(functions["reshape"](there, (-1,))), (-1,))


@op(differentiable=False, shapes=lambda specs, settings: [((specs[0][0][0],), np.dtype(np.int64))])
def unpadded_lengths(xp, x: Array, padding: Array):
    """How many elements of each row [r, c, ...] come before the padding that ends it."""
    filled = x != padding
    if filled.ndim > 2:
        filled = filled.reshape(*filled.shape[:2], -1).any(-1)
    places = xp.arange(1, x.shape[1] + 1, dtype=np.int64)
    return xp.max(xp.where(filled, places, 0), axis=1, initial=0).astype(np.int64)


@op(same=False, shapes=lambda specs, settings: [((_rows(specs), settings["width"], *specs[0][0][1:]), specs[0][1])])
def ragged_to_dense(xp, values: Array, row_splits: Array, default: Array, width=0):
    """The rows of values [n, ...], filled up with the default to [rows, width, ...]; longer rows are cut."""
    return _padded(xp, values, row_splits, default, width)


@op(same=False, eager=True, shapes=lambda specs, settings: [((_rows(specs), None, *specs[0][0][1:]), specs[0][1])])
def ragged_to_dense_any(xp, values: Array, row_splits: Array, default: Array):
    """`ragged_to_dense` as wide as the longest row."""
    lengths = row_splits[1:] - row_splits[:-1]
    return _padded(xp, values, row_splits, default, int(lengths.max()) if len(lengths) else 0)


def _rows(specs: Any) -> int | None:
    size = specs[1][0][0]
    return None if size is None else size - 1


def _padded(xp: Any, values: Any, row_splits: Any, default: Any, width: int) -> Any:
    rows = row_splits.shape[0] - 1
    if not values.shape[0] or not width:
        return xp.broadcast_to(default, (rows, width, *values.shape[1:])).astype(values.dtype)
    places = row_splits[:-1, None] + xp.arange(width, dtype=row_splits.dtype)
    there = places < row_splits[1:, None]
    picked = values[xp.where(there, places, 0)]
    return xp.where(there.reshape(*there.shape, *[1] * (values.ndim - 1)), picked, default).astype(values.dtype)


def to_tensor(ragged: RaggedTensor, default_value: Any = None, name: str | None = None, shape: Any = None) -> Tensor:
    """The dense tensor of the rows, each filled up with `default_value` (zero, or the empty string).

    shape  sizes to cut or fill to, None where an axis keeps its own.
    """
    sizes = list(shape) if shape is not None else [None] * len(ragged.shape)
    values = ragged.values
    if is_ragged(values):
        values = to_tensor(values, default_value, shape=[None, *sizes[2:]])
    dtype = ragged.dtype.numpy_dtype
    zero = b"" if dtype.kind == "O" else 0
    default = Tensor(np.array(zero, dtype)) if default_value is None else convert(default_value, None, dtype)
    width = sizes[1]
    if width is None:
        columns = quietly(column_range, ragged.row_splits)
        width = columns.shape[0]
    if width is None:
        dense = ragged_to_dense_any(values, ragged.row_splits, default)
    else:
        dense = ragged_to_dense(values, ragged.row_splits, default, width=int(width))
    if sizes[0] is None or sizes[0] == dense.shape[0]:
        return dense
    rows = dense[: sizes[0]]
    missing = sizes[0] - rows.shape[0]
    if not missing:
        return rows
    fill = functions["broadcast_to"](default, shape=(missing, *rows.shape[1:]))
    return functions["concat"]([rows, fill], axis=0)


def to_sparse(ragged: RaggedTensor, name: str | None = None) -> SparseTensor:
    """The sparse tensor of the same elements: element j of row i at [i, j]."""
    if not is_ragged(ragged.values):
        like = ragged.values
        pair = quietly(
            _stacked, quietly(row_ids, ragged.row_splits, like), quietly(column_ids, ragged.row_splits, like)
        )
        if len(like.shape) > 1:
            inner = np.argwhere(np.ones(tuple(like.shape[1:]), bool)).astype(np.int64)
            pair = quietly(_crossed, pair, Tensor(inner))
            like = functions["reshape"](like, (-1,))
        return SparseTensor(pair, like, ragged.bounding_shape())
    inner = to_sparse(ragged.values)
    first = inner.indices[:, 0]
    ids = quietly(row_ids, ragged.row_splits, first_part(ragged.values))
    columns = quietly(column_ids, ragged.row_splits, first_part(ragged.values))
    gather = functions["gather"]
    head = quietly(_stacked, quietly(gather, ids, first), quietly(gather, columns, first))
    indices = quietly(lambda a, b: functions["concat"]([a, b[:, 1:]], axis=1), head, inner.indices)
    return SparseTensor(indices, inner.values, ragged.bounding_shape())


def _stacked(a: Tensor, b: Tensor) -> Tensor:
    cast = functions["cast"]
    return functions["stack"]([cast(a, "int64"), cast(b, "int64")], axis=1)


def _crossed(pair: Tensor, inner: Tensor) -> Tensor:
    """Each place of `pair` [n, 2] before each of `inner` [m, k]: [n * m, 2 + k]."""
    size = inner.shape[0] or 0
    rows = functions["repeat"](pair, size, axis=0)
    own = functions["floormod"](functions["range"](functions["shape"](rows)[0]), max(size, 1))
    return functions["concat"]([rows, functions["gather"](inner, own, axis=0)], axis=1)


def from_sparse(st_input: SparseTensor, name: str | None = None, row_splits_dtype: Any = "int64") -> RaggedTensor:
    """The rows of a sparse matrix whose stored elements stand at the beginning of each row, without gaps.

    Raises InvalidArgumentError where there is a gap, naming the row.
    """
    s = st_input
    if not isinstance(s, SparseTensor):
        raise TypeError(explain("RaggedTensor.from_sparse", "a SparseTensor is needed", {"st_input": describe(s)}))
    if s.rank != 2:
        raise ValueError(explain("RaggedTensor.from_sparse", "a sparse matrix is needed", {"shape": tuple(s.shape)}))
    rows = quietly(lambda i: i[:, 0], s.indices)
    count = s.dense_shape[0] if s.shape[0] is None else s.shape[0]
    result = RaggedTensor.from_value_rowids(s.values, rows, nrows=count).with_row_splits_dtype(row_splits_dtype)
    found = quietly(column_ids, result.row_splits, s.values)
    if isinstance(found, Symbol) or isinstance(s.indices, Symbol):
        cast, equal = functions["cast"], functions["equal"]
        side_by_side = quietly(lambda i, c: equal(i[:, 1], cast(c, "int64")), s.indices, found)
        hold("RaggedTensor.from_sparse", side_by_side, {"indices": s.indices}, "a row has a gap",
             "the elements of a row must stand side by side")  # fmt: skip
        return result
    columns = np.asarray(found._array)
    wrong = columns != np.asarray(s.indices._array)[:, 1]
    if wrong.any():
        row = int(np.asarray(s.indices._array)[wrong.argmax(), 0])
        raise InvalidArgumentError(
            explain(
                "RaggedTensor.from_sparse", f"row {row} has a gap", rule="the elements of a row must stand side by side"
            )
        )
    return result


def stack_dynamic_partitions(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> RaggedTensor:
    """The values grouped by their partition number: row i holds those of partition i, in order.

    data        [n, ...], dense or ragged.
    partitions  a number for each row of the data, or for each element of its first axes; ragged where these are.

    Raises InvalidArgumentError where the numbers do not fit the data, or lie outside 0 to num_partitions - 1.

    >>> stack_dynamic_partitions([10, 20, 30], [1, 0, 1], 2)
    <tf.RaggedTensor [[20], [10, 30]]>
    """
    values: Any = data if is_ragged(data) else convert(data)
    groups: Any = partitions if is_ragged(partitions) else convert(partitions)
    who = "ragged.stack_dynamic_partitions"
    if is_ragged(groups) or len(groups.shape) > 1:
        values, groups = (part if is_ragged(part) else from_tensor(part) for part in (values, groups))
        if not same_rows(values, groups, who):
            raise InvalidArgumentError(
                explain(
                    who,
                    "the partitions do not fit the data",
                    {"data": describe(data), "partitions": describe(partitions)},
                )
            )
        return stack_dynamic_partitions(values.values, groups.values, num_partitions)
    if not isinstance(groups, Symbol):
        known = np.asarray(groups._array)
        wrong = (known < 0) | (known >= num_partitions)
        if wrong.any():
            raise InvalidArgumentError(
                explain(who, "a partition is out of range",
                        {"partition": int(known[wrong][0]), "num_partitions": num_partitions})
            )  # fmt: skip
    order = quietly(row_order, groups)
    gather = functions["gather"]
    ids = quietly(lambda g, o: functions["cast"](gather(g, o), "int64"), groups, order)
    return RaggedTensor.from_value_rowids(gather(values, order, axis=0), ids, nrows=num_partitions)


def ragged_range(
    starts: Any,
    limits: Any = None,
    deltas: Any = 1,
    dtype: Any = None,
    name: str | None = None,
    row_splits_dtype: Any = "int64",
) -> RaggedTensor:
    """The numbers from each start up to its limit (from 0 up to each start when there are no limits), a row each.

    >>> ragged_range([2, 0, 3]).to_list()
    [[0, 1], [], [0, 1, 2]]
    """
    first, last = (0, starts) if limits is None else (starts, limits)
    if (np.asarray(convert(deltas)._array) == 0).any():
        raise InvalidArgumentError(explain("ragged.range", "a step is 0", {"deltas": deltas}))
    a, b, d = np.broadcast_arrays(*(np.asarray(convert(part, dtype)._array) for part in (first, last, deltas)))
    rows = [np.arange(x, y, z, dtype=a.dtype) for x, y, z in zip(np.atleast_1d(a), np.atleast_1d(b), np.atleast_1d(d))]
    flat = np.concatenate([np.zeros(0, a.dtype), *rows]).astype(a.dtype)
    made = RaggedTensor.from_row_lengths(Tensor(flat), [len(row) for row in rows], validate=False)
    return made.with_row_splits_dtype(row_splits_dtype)


RaggedTensor.from_tensor = staticmethod(from_tensor)  # type: ignore[attr-defined]
RaggedTensor.from_sparse = staticmethod(from_sparse)  # type: ignore[attr-defined]
RaggedTensor.to_tensor = to_tensor  # type: ignore[attr-defined]
RaggedTensor.to_sparse = to_sparse  # type: ignore[attr-defined]
