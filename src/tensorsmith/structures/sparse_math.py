"""Sparse tensors compared, normalised, counted; sums over groups of picked rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops import segments
from tensorsmith.state.variable import IndexedSlices
from tensorsmith.structures.between import to_sparse
from tensorsmith.structures.lifting import quietly, several
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.structures.ragged_grouping import group_reduce
from tensorsmith.structures.sparse import SparseTensor, is_sparse
from tensorsmith.structures.sparse_ops import as_sparse, reorder, to_dense
from tensorsmith.structures.sparse_parts import nonzero_positions, sparse_merge, sum_into
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

# ---- of two, element by element


def _of_both(who: str, function: Callable[..., Tensor], a: Any, b: Any) -> SparseTensor:
    """`function` of two sparse tensors at all places at which one of them stores an element."""
    x, y = as_sparse(who, a), as_sparse(who, b)
    if x.dtype is not y.dtype:
        raise InvalidArgumentError(
            explain(who, f"cannot mix {x.dtype.name} and {y.dtype.name}", {"sp_a": describe(x), "sp_b": describe(y)},
                    "tensors are never converted silently", "Convert one of them with tf.cast.")
        )  # fmt: skip
    if not x.shape.is_compatible_with(y.shape):
        raise InvalidArgumentError(explain(who, "the shapes differ", {"sp_a": tuple(x.shape), "sp_b": tuple(y.shape)}))
    concat, zeros = functions["concat"], functions["zeros_like"]
    places, rows = quietly(several(sparse_merge), quietly(_one_below, x.indices, y.indices))
    sides = [concat([x.values, zeros(y.values)], axis=0), concat([zeros(x.values), y.values], axis=0)]
    mine, its = (sum_into(side, rows, places) for side in sides)
    return SparseTensor(places, function(mine, its), x.dense_shape)._shaped(x.shape)


def _one_below(a: Tensor, b: Tensor) -> Tensor:
    return functions["concat"]([a, b], axis=0)


def maximum(sp_a: SparseTensor, sp_b: SparseTensor, name: str | None = None) -> SparseTensor:
    """The greater of two sparse tensors at each place where one of them stores an element; the other is 0 there.

    Raises InvalidArgumentError where shapes or dtypes differ.

    >>> maximum(SparseTensor([[0]], [5], [3]), SparseTensor([[1]], [-2], [3])).values.numpy()
    array([5, 0], dtype=int32)
    """
    return _of_both("sparse.maximum", functions["maximum"], sp_a, sp_b)


def minimum(sp_a: SparseTensor, sp_b: SparseTensor, name: str | None = None) -> SparseTensor:
    """The smaller of two sparse tensors at each place where one of them stores an element; the other is 0 there.

    Raises InvalidArgumentError where shapes or dtypes differ.

    >>> minimum(SparseTensor([[0]], [5], [3]), SparseTensor([[1]], [-2], [3])).values.numpy()
    array([ 0, -2], dtype=int32)
    """
    return _of_both("sparse.minimum", functions["minimum"], sp_a, sp_b)


# ---- over rows


def softmax(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """exp(x) / sum(exp(x)) over the stored elements of each row of the last axis; the others stay out of it.

    Raises InvalidArgumentError for fewer than two axes, and for values that are no floats.

    >>> softmax(SparseTensor([[0, 0], [0, 2]], [1.0, 1.0], [1, 3])).values.numpy()
    array([0.5, 0.5], dtype=float32)
    """
    s = as_sparse("sparse.softmax", sp_input)
    if s.rank < 2:
        raise InvalidArgumentError(explain("sparse.softmax", "at least two axes are needed", {"shape": tuple(s.shape)}))
    if not s.dtype.is_floating:
        raise InvalidArgumentError(explain("sparse.softmax", "the values must be floats", {"sp_input": describe(s)}))
    gather = functions["gather"]
    rows, which = quietly(several(sparse_merge), quietly(lambda i: i[:, :-1], s.indices))
    # the greatest of a row is a constant of it: no gradient passes
    top = quietly(lambda v, w, r: group_reduce(v, w, r, kind="max"), s.values, which, rows)
    powers = functions["exp"](functions["subtract"](s.values, quietly(gather, top, which)))
    return s.with_values(functions["divide"](powers, gather(sum_into(powers, which, rows), which)))


def to_indicator(sp_input: SparseTensor, vocab_size: int, name: str | None = None) -> Tensor:
    """For each row of the last axis which of 0 to vocab_size - 1 are among its stored values, bool [..., vocab_size].

    Floats lose their fraction. Raises InvalidArgumentError for values that lie outside.

    >>> to_indicator(SparseTensor([[0, 0]], [2], [1, 1]), 3).numpy()
    array([[False, False,  True]])
    """
    s = as_sparse("sparse.to_indicator", sp_input)
    size = int(convert(vocab_size))

    def places(indices: Tensor, values: Tensor) -> Tensor:
        last = functions["cast"](values, "int64")[:, None]
        return several(sparse_merge)(functions["concat"]([indices[:, :-1], last], axis=1))[0]

    def wide(shape: Tensor) -> Tensor:
        return functions["concat"]([shape[:-1], [size]], axis=0)

    where = quietly(places, s.indices, s.values)
    true = quietly(lambda w: functions["cast"](functions["ones_like"](w[:, 0]), "bool"), where)
    shape = quietly(wide, s.dense_shape)
    return to_dense(SparseTensor(where, true, shape), default_value=False)


# ---- counting


def bincount(
    values: Any,
    weights: Any = None,
    axis: int | None = 0,
    minlength: int | None = None,
    maxlength: int | None = None,
    binary_output: bool = False,
    name: str | None = None,
) -> SparseTensor:
    """How often each of 0, 1, 2, ... is among the values: of all (axis 0 or None), or of each row (axis -1).

    values         integers, dense [n] or [rows, n], ragged or sparse.
    weights        of the same form: their sums in the place of counts.
    minlength      the least size of the counts; maxlength  values from there on are left out.
    binary_output  True: 1 for what is there at all. Not with weights.

    The counts have the dtype of the values.

    Raises ValueError for another axis, InvalidArgumentError for negative values and weights of another form.

    >>> bincount([[1, 1], [3, 0]], axis=-1).values.numpy()
    array([2, 1, 1], dtype=int32)
    """
    if axis not in (0, -1, None):
        raise ValueError(explain("sparse.bincount", "only axis 0 and -1 are there", {"axis": axis}))
    if weights is not None and binary_output:
        raise ValueError(explain("sparse.bincount", "binary_output and weights exclude each other"))
    given, rows, count = _counted(values)
    worth = None if weights is None else _counted(weights)[0]
    if worth is not None and worth.shape != given.shape:
        raise InvalidArgumentError(
            explain("sparse.bincount", "weights and values differ in form",
                    {"values": describe(values), "weights": describe(weights)})
        )  # fmt: skip
    if isinstance(given, Symbol):
        raise InvalidArgumentError(
            explain("sparse.bincount", "the size of the result hangs on values", {"values": describe(values)}, "",
                    "Use tf.math.bincount with minlength and maxlength, or call it outside of the traced function.")
        )  # fmt: skip
    numbers = np.asarray(given._array, np.int64)
    if numbers.size and numbers.min() < 0:
        raise InvalidArgumentError(explain("sparse.bincount", "a value is below 0", {"smallest": int(numbers.min())}))
    kept = np.ones(numbers.shape, bool) if maxlength is None else numbers < int(maxlength)
    table = np.stack([np.asarray(rows)[kept], numbers[kept]], axis=1)
    if axis != -1:
        table = table[:, 1:]
    size = max(int(numbers.max()) + 1 if numbers.size else 0, int(minlength or 0))
    if maxlength is not None:
        size = min(size, int(maxlength))
    places, which = quietly(several(sparse_merge), Tensor(table))
    if worth is None:
        totals = np.bincount(np.asarray(which._array), minlength=places.shape[0]).astype(given.dtype.numpy_dtype)
        found: Any = Tensor(np.minimum(totals, 1) if binary_output else totals)
    else:
        found = sum_into(functions["gather"](worth, np.flatnonzero(kept)), which, places)
    return SparseTensor(places, found, [size] if axis != -1 else [count, size])


def _counted(values: Any) -> tuple[Tensor, Any, int]:
    """The values [n] of a dense, ragged or sparse tensor, the row of each, and the number of rows."""
    if is_ragged(values) and isinstance(values.row_splits, Symbol):
        return values.flat_values, None, 0
    if is_sparse(values) and isinstance(values.indices, Symbol):
        return values.values, None, 0
    source: Any = values
    if is_ragged(source):
        source = to_sparse(source)
    if is_sparse(source):
        s = reorder(source)
        if s.rank == 1:
            return s.values, np.zeros(s.values.shape[0] or 0, np.int64), 1
        return s.values, s.indices._array[:, 0], s.shape[0] or 0
    dense = convert(source)
    if len(dense.shape) > 2:
        raise InvalidArgumentError(
            explain("sparse.bincount", "values of one or two axes are needed", {"values": describe(dense)})
        )
    count, size = (1, *dense.shape)[-2:]
    return functions["reshape"](dense, (-1,)), np.repeat(np.arange(count or 0), size or 0), count or 0


# ---- picked rows


def _segments(who: str, function: Any, data: Any, indices: Any, segment_ids: Any, num_segments: Any) -> Tensor:
    picked, groups = convert(indices), convert(segment_ids)
    if picked.shape != groups.shape:
        raise InvalidArgumentError(
            explain(
                who, "indices and segment_ids differ in size", {"indices": picked.shape, "segment_ids": groups.shape}
            )
        )
    known = None if isinstance(groups, Symbol) else np.asarray(groups._array)
    if known is None and num_segments is None:
        raise InvalidArgumentError(
            explain(who, "how many groups there are hangs on values", {"segment_ids": groups.shape}, "",
                    "Pass num_segments.")
        )  # fmt: skip
    if known is not None and ((np.diff(known) < 0).any() or (known < 0).any()):
        wrong = "segment_ids fall" if (np.diff(known) < 0).any() else "a segment id is below 0"
        raise InvalidArgumentError(explain(who, wrong, {"segment_ids": known.tolist()}, "they must rise from 0 on"))
    count = int(convert(num_segments)) if num_segments is not None else int(known[-1]) + 1 if len(known) else 0  # type: ignore[arg-type]
    return function(functions["gather"](data, picked, axis=0), groups, num_segments=count)


def segment_sum(
    data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, sparse_gradient: bool = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The sums of the rows `data[indices]` in each group; 0 where a group has none.

    segment_ids   the group of each index; they rise.
    num_segments  how many groups the result has; one more than the last id by default.

    Raises InvalidArgumentError where the ids fall, or an index lies outside.

    >>> segment_sum([[1.0], [2.0], [4.0]], [0, 2, 1], [0, 0, 1]).numpy()
    array([[5.],
           [2.]], dtype=float32)
    """
    return _segments("sparse.segment_sum", segments.unsorted_segment_sum, data, indices, segment_ids, num_segments)


def segment_mean(
    data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, sparse_gradient: bool = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The means of the rows `data[indices]` in each group; as `segment_sum` in all else.

    >>> segment_mean([[1.0], [2.0], [4.0]], [0, 2, 1], [0, 0, 1]).numpy()
    array([[2.5],
           [2. ]], dtype=float32)
    """
    return _segments("sparse.segment_mean", segments.unsorted_segment_mean, data, indices, segment_ids, num_segments)


def segment_sqrt_n(
    data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, sparse_gradient: bool = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """The sums of the rows `data[indices]` in each group by the square root of how many they are; as `segment_sum`.

    >>> segment_sqrt_n([[1.0], [2.0], [4.0]], [0, 0, 0, 0], [0, 0, 0, 0]).numpy()
    array([[2.]], dtype=float32)
    """
    return _segments(
        "sparse.segment_sqrt_n", segments.unsorted_segment_sqrt_n, data, indices, segment_ids, num_segments
    )


def mask(a: IndexedSlices, mask_indices: Any, name: str | None = None) -> IndexedSlices:
    """The slices but those whose index is among `mask_indices`."""
    indices, left_out = convert(a.indices), convert(mask_indices)

    def kept(indices: Tensor, left_out: Tensor) -> Tensor:
        among = functions["reduce_any"](functions["equal"](indices[:, None], left_out[None, :]), axis=1)
        return functions["reshape"](nonzero_positions(functions["logical_not"](among)), (-1,))

    places = quietly(kept, indices, functions["cast"](left_out, indices.dtype))
    gather = functions["gather"]
    return IndexedSlices(gather(convert(a.values), places, axis=0), gather(indices, places, axis=0), a.dense_shape)


def sampled_addmm(
    indices: Any,
    values: Any,
    dense_shape: Any,
    mat1: Any,
    mat2: Any,
    beta: Any = 1.0,
    alpha: Any = 1.0,
    output_type: Any = "float32",
) -> tuple[Tensor, Tensor, Tensor]:
    """alpha * (mat1 @ mat2) + beta * values at the indices alone: (indices, the values there, dense_shape).

    Shapes: indices [n, 2], values [n], mat1 [r, k], mat2 [k, c]. The product is computed at the n places only.
    """
    places, dtype = convert(indices), as_dtype(output_type)
    stored, left, right = (functions["cast"](convert(t), dtype) for t in (values, mat1, mat2))
    gather = functions["gather"]
    rows = gather(left, quietly(lambda p: p[:, 0], places), axis=0)
    columns = gather(functions["transpose"](right), quietly(lambda p: p[:, 1], places), axis=0)
    products = functions["reduce_sum"](functions["multiply"](rows, columns), axis=1)
    scale = [functions["cast"](convert(number), dtype) for number in (alpha, beta)]
    return places, scale[0] * products + scale[1] * stored, convert(dense_shape)
