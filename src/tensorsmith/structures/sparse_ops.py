"""Sparse products, sums, slices, reordering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.ops.cumulative import cumprod
from tensorsmith.ops.debugging import hold
from tensorsmith.structures.lifting import quietly, several
from tensorsmith.structures.ragged_grouping import group_reduce
from tensorsmith.structures.sparse import SparseTensor, is_sparse
from tensorsmith.structures.sparse_parts import (
    nonzero_positions,
    sparse_merge,
    sparse_order,
    sparse_product,
    sparse_scatter,
    sparse_scatter_any,
    sum_into,
)
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def _checked(s: SparseTensor, who: str = "sparse.to_dense") -> None:
    """What `_check_indices` asks, of indices that are known only when the program runs."""
    if not isinstance(s.indices, Symbol) and not isinstance(s.dense_shape, Symbol):
        return
    both, every = functions["logical_and"], functions["reduce_all"]

    def inside(indices: Tensor, shape: Tensor) -> Tensor:
        return every(both(functions["greater_equal"](indices, 0), functions["less"](indices, shape)))

    def rising(indices: Tensor, shape: Tensor) -> Tensor:
        flat = functions["reduce_sum"](indices * row_strides(shape), axis=1)
        return every(functions["less"](flat[:-1], flat[1:]))

    told = {"indices": s.indices, "dense_shape": s.dense_shape}
    hold(who, quietly(inside, s.indices, s.dense_shape), told, "indices lie outside the shape", "they must lie inside")
    hold(who, quietly(rising, s.indices, s.dense_shape), told, "indices are repeated or out of order",
         "indices must rise in row-major order")  # fmt: skip


def row_strides(shape: Tensor) -> Tensor:
    """How many elements lie between two neighbours along each axis, in row-major order."""
    return cumprod(shape, exclusive=True, reverse=True)


def to_dense(
    sp_input: SparseTensor, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """The dense tensor of a sparse one.

    default_value     what stands where nothing is stored; zero (or the empty string) by default.
    validate_indices  whether indices that are out of order, repeated or outside are refused.

    Raises InvalidArgumentError for such indices, naming the first and the mend.

    >>> to_dense(SparseTensor([[0, 1]], [5], [2, 2])).numpy()
    array([[0, 5],
           [0, 0]], dtype=int32)
    """
    s = as_sparse("sparse.to_dense", sp_input)
    dtype = s.dtype.numpy_dtype
    if default_value is None:
        default = Tensor(np.array(b"" if dtype.kind == "O" else 0, dtype))
    else:
        default = convert(default_value, None, dtype)
    if validate_indices:
        _checked(s)
    shape = tuple(s.shape)
    if None in shape:
        return sparse_scatter_any(s.indices, s.values, default, s.dense_shape, check=validate_indices)
    return sparse_scatter(s.indices, s.values, default, shape=shape, check=validate_indices)


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """The sparse tensor of the elements that are not zero.

    >>> from_dense([[0, 3], [4, 0]]).values.numpy()
    array([3, 4], dtype=int32)
    """
    dense = convert(tensor)
    indices = quietly(nonzero_positions, dense)
    return SparseTensor(indices, functions["gather_nd"](dense, indices), _shape_of(dense))


def _shape_of(dense: Tensor) -> Tensor:
    if None in tuple(dense.shape):
        return functions["cast"](functions["shape"](dense), "int64")
    return Tensor(np.array(dense.shape, np.int64))


def reorder(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """The same tensor, its elements stored in row-major order."""
    s = as_sparse("sparse.reorder", sp_input)
    order = quietly(sparse_order, s.indices)
    gather = functions["gather"]
    return SparseTensor(quietly(gather, s.indices, order), gather(s.values, order), s.dense_shape)._shaped(s.shape)


def add(a: Any, b: Any, threshold: Any = 0) -> Any:
    """a + b: sparse where both are, dense where one is.

    threshold  of two sparse tensors: where both store an element, a sum of smaller magnitude is left out.

    Raises InvalidArgumentError where shapes or dtypes differ, or an index lies outside the shape.

    >>> s = SparseTensor([[0, 1]], [5], [1, 2])
    >>> add(s, s).values.numpy()
    array([10], dtype=int32)
    """
    if not (is_sparse(a) or is_sparse(b)):
        raise TypeError(explain("sparse.add", "neither is a SparseTensor", {"a": describe(a), "b": describe(b)}))
    if not (is_sparse(a) and is_sparse(b)):
        sparse, dense = (a, b) if is_sparse(a) else (b, a)
        dense = convert(dense, None, sparse.dtype.numpy_dtype)
        if not dense.shape.is_compatible_with(sparse.shape):
            dense = functions["broadcast_to"](dense, sparse.dense_shape)
        inside("sparse.add", sparse)
        return functions["tensor_scatter_nd_add"](dense, sparse.indices, sparse.values)
    if not a.shape.is_compatible_with(b.shape):
        raise InvalidArgumentError(
            explain("sparse.add", "the shapes differ", {"a": tuple(a.shape), "b": tuple(b.shape)})
        )
    join = functions["concat"]
    indices, rows = quietly(several(sparse_merge), quietly(_joined, a.indices, b.indices))
    values = sum_into(join([a.values, b.values], axis=0), rows, indices)
    total = SparseTensor(indices, values, a.dense_shape)
    total._shaped(a.shape)
    if isinstance(threshold, (int, float)) and threshold == 0:
        return total

    one = [functions["fill"](functions["shape"](s.indices)[:1], bit) for s, bit in ((a, 1), (b, 2))]
    which = quietly(join, one, axis=0)
    first = quietly(lambda w, r, i: group_reduce(w, r, i, kind="min"), which, rows, indices)
    last = quietly(lambda w, r, i: group_reduce(w, r, i, kind="max"), which, rows, indices)
    alone = functions["equal"](first, last)
    return retain(
        total, functions["logical_or"](alone, functions["greater_equal"](functions["abs"](values), threshold))
    )


def _joined(a: Tensor, b: Tensor) -> Tensor:
    return functions["concat"]([a, b], axis=0)


def retain(sp_input: SparseTensor, to_retain: Any) -> SparseTensor:
    """Only those stored elements at which `to_retain` [n] is True; ValueError for a mask of another shape."""
    s = as_sparse("sparse.retain", sp_input)
    mask = convert(to_retain)
    if not mask.shape.is_compatible_with(s.values.shape):
        raise ValueError(
            explain("sparse.retain", "one answer is needed for each element",
                    {"to_retain": mask.shape, "values": s.values.shape})
        )  # fmt: skip
    return _kept(s, quietly(_true_positions, mask))


def _true_positions(mask: Tensor) -> Tensor:
    return functions["reshape"](nonzero_positions(mask), (-1,))


def _kept(s: SparseTensor, places: Tensor) -> SparseTensor:
    gather = functions["gather"]
    return SparseTensor(quietly(gather, s.indices, places), gather(s.values, places), s.dense_shape)._shaped(s.shape)


def sparse_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Tensor:
    """Matrix product of a sparse and a dense matrix, in either order, without making the sparse one dense.

    Shapes: a [n, k], b [k, m] -> [n, m]; `adjoint_a`, `adjoint_b` transpose (and conjugate) first.
    Raises InvalidArgumentError where the inner sizes differ.
    """
    if is_sparse(b):
        flipped = sparse_dense_matmul(b, sp_a, not adjoint_b, not adjoint_a)
        return functions["transpose"](flipped)
    s = as_sparse("sparse.sparse_dense_matmul", sp_a)
    dense = convert(b, None, s.dtype.numpy_dtype)
    if adjoint_a:
        s = transpose(s)
        s = s.with_values(functions["conj"](s.values)) if s.dtype.is_complex else s
    if adjoint_b:
        dense = functions["transpose"](dense)
        dense = functions["conj"](dense) if s.dtype.is_complex else dense
    shapes = tuple(s.shape), tuple(dense.shape)
    if (
        len(shapes[0]) != 2
        or len(shapes[1]) != 2
        or None not in (shapes[0][1], shapes[1][0])
        and shapes[0][1] != shapes[1][0]
    ):
        raise InvalidArgumentError(
            explain(
                "sparse.sparse_dense_matmul",
                "the shapes do not fit",
                {"a": shapes[0], "b": shapes[1]},
                "a.shape[1] must equal b.shape[0]",
            )
        )
    if s.dtype is not dense.dtype:
        raise InvalidArgumentError(
            explain(
                "sparse.sparse_dense_matmul",
                f"cannot mix {s.dtype.name} and {dense.dtype.name}",
                {"a": describe(s), "b": describe(dense)},
                "tensors are never converted silently",
                "Convert one of them with tf.cast.",
            )
        )
    inside("sparse.sparse_dense_matmul", s)
    if shapes[0][0] is None:
        return functions["matmul"](to_dense(s, validate_indices=False), dense)
    return sparse_product(s.indices, s.values, dense, rows=shapes[0][0])


def transpose(sp_input: SparseTensor, perm: Any = None, name: str | None = None) -> SparseTensor:
    """The axes in the order `perm` (reversed by default); ValueError where it does not name each axis once."""
    s = as_sparse("sparse.transpose", sp_input)
    axes = np.array(range(s.rank)[::-1] if perm is None else perm, np.int32)
    if sorted(axes.tolist()) != list(range(s.rank)):
        raise ValueError(
            explain("sparse.transpose", "perm must name each axis once", {"perm": axes.tolist(), "rank": s.rank})
        )
    gather = functions["gather"]
    turned = SparseTensor(quietly(gather, s.indices, axes, axis=1), s.values, quietly(gather, s.dense_shape, axes))
    return reorder(turned._shaped(TensorShape([s.shape[axis] for axis in axes.tolist()])))


def slice(sp_input: SparseTensor, start: Any, size: Any, name: str | None = None) -> SparseTensor:  # noqa: A001 - TensorFlow names it so
    """The part that begins at `start` [rank] and has at most `size` [rank] elements along each axis.

    Raises InvalidArgumentError where they do not have a number for each axis, or a size is below 0.
    """
    s = as_sparse("sparse.slice", sp_input)
    first, wanted = _whole(start), _whole(size)
    negative = not isinstance(wanted, Symbol) and bool((np.asarray(wanted._array) < 0).any())
    if negative or not all(part.shape.is_compatible_with([s.rank]) for part in (first, wanted)):
        raise InvalidArgumentError(
            explain("sparse.slice", "start and size do not fit the axes", {"start": start, "size": size, "rank": s.rank},
                    "one number is needed for each axis, and no size may be below 0")
        )  # fmt: skip
    less, sub = functions["less"], functions["subtract"]
    both, every = functions["logical_and"], functions["reduce_all"]

    def inside(indices: Tensor, first: Tensor, wanted: Tensor) -> Tensor:
        moved = sub(indices, first)
        return every(both(functions["greater_equal"](moved, 0), less(moved, wanted)), axis=1)

    def rest(dense_shape: Tensor, first: Tensor, wanted: Tensor) -> Tensor:
        return functions["maximum"](functions["minimum"](wanted, sub(dense_shape, first)), 0)

    kept = retain(s, quietly(inside, s.indices, first, wanted))
    shape = quietly(rest, s.dense_shape, first, wanted)
    return SparseTensor(quietly(sub, kept.indices, first), kept.values, shape)


def _whole(value: Any) -> Tensor:
    tensor = convert(value)
    return tensor if tensor.dtype == "int64" else functions["cast"](tensor, "int64")


def concat(axis: int, sp_inputs: Any, expand_nonconcat_dims: bool = False, name: str | None = None) -> SparseTensor:
    """Sparse tensors one after another along an axis; other axes must agree unless they may be expanded."""
    parts = [as_sparse("sparse.concat", s) for s in sp_inputs]
    if not parts:
        raise InvalidArgumentError(explain("sparse.concat", "there is nothing to join", {"sp_inputs": parts}))
    rank = parts[0].rank
    if any(s.rank != rank for s in parts) or not -rank <= axis < rank:
        raise InvalidArgumentError(
            explain("sparse.concat", "there is no such axis in all", {"axis": axis, "ranks": [s.rank for s in parts]})
        )
    axis %= rank
    shapes = [list(s.shape) for s in parts]
    others = [TensorShape([*shape[:axis], *shape[axis + 1 :]]) for shape in shapes]
    if not expand_nonconcat_dims and any(not others[0].is_compatible_with(other) for other in others):
        raise InvalidArgumentError(
            explain(
                "sparse.concat",
                "the shapes differ off the axis",
                {"shapes": [tuple(s.shape) for s in parts]},
                "",
                "Pass expand_nonconcat_dims=True to take the largest.",
            )
        )
    here = np.arange(rank) == axis
    join, add, maximum = functions["concat"], functions["add"], functions["maximum"]

    def shifted(indices: Tensor, before: Tensor) -> Tensor:
        return add(indices, functions["where"](Tensor(here), before, functions["zeros_like"](before)))

    def longer(shape: Tensor, more: Tensor) -> Tensor:
        return functions["where"](Tensor(here), add(shape, more), maximum(shape, more))

    total, moved = parts[0].dense_shape, [parts[0].indices]
    for s in parts[1:]:
        moved.append(quietly(shifted, s.indices, total))
        total = quietly(longer, total, s.dense_shape)
    values = join([s.values for s in parts], axis=0)
    result = SparseTensor(quietly(lambda *parts: join(list(parts), axis=0), *moved), values, total)
    if isinstance(total, Symbol):
        sizes = [TensorShape(shape) for shape in shapes]
        result._shaped(TensorShape([_joined_size([s[i] for s in sizes], i == axis) for i in range(rank)]))
    return reorder(result)


def _joined_size(sizes: list[int | None], along: bool) -> int | None:
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    return sum(known) if along else max(known)


def inside(who: str, s: SparseTensor) -> None:
    """InvalidArgumentError, now or when the program runs, for an index that lies outside the shape."""
    if isinstance(s.indices, Symbol) or isinstance(s.dense_shape, Symbol):

        def within(indices: Tensor, shape: Tensor) -> Tensor:
            there = functions["logical_and"](functions["greater_equal"](indices, 0), functions["less"](indices, shape))
            return functions["reduce_all"](there)

        told = {"indices": s.indices, "dense_shape": s.dense_shape}
        hold(
            who,
            quietly(within, s.indices, s.dense_shape),
            told,
            "indices lie outside the shape",
            "they must lie inside",
        )
        return
    indices, shape = np.asarray(s.indices._array), np.asarray(s.dense_shape._array)
    outside = ((indices < 0) | (indices >= shape)).any(axis=1)
    if outside.any():
        at = int(outside.argmax())
        raise InvalidArgumentError(
            explain(who, f"indices[{at}] lies outside the shape",
                    {f"indices[{at}]": indices[at].tolist(), "dense_shape": shape.tolist()})
        )  # fmt: skip


def _reduced(who: str, sp_input: Any, axis: Any, keepdims: Any, output_is_sparse: bool, kind: str) -> Any:
    s = as_sparse(who, sp_input)
    rank = s.rank
    given = list(range(rank)) if axis is None else [int(a) for a in np.atleast_1d(np.asarray(axis))]
    if any(not -rank <= a < rank for a in given):
        raise InvalidArgumentError(explain(who, "there is no such axis", {"axis": axis, "rank": rank}))
    gone = {a % rank for a in given}
    kept = [a for a in range(rank) if a not in gone]
    inside(who, s)
    gather, keep = functions["gather"], np.array(kept, np.int64)
    indices = quietly(gather, s.indices, keep, axis=1)
    sizes = [s.shape[a] for a in kept]
    if not output_is_sparse and kept and None not in sizes:
        # of known size: no program needs to know which places there are
        dense = _scattered(indices, s.values, sizes, kind)
        return functions["reshape"](dense, [1 if a in gone else s.shape[a] for a in range(rank)]) if keepdims else dense
    places, which = quietly(several(sparse_merge), indices)
    values = group_reduce(s.values, which, places, kind=kind)
    result = SparseTensor(places, values, quietly(gather, s.dense_shape, keep))
    result._shaped(TensorShape([s.shape[a] for a in kept]))
    if keepdims:
        for a in sorted(gone):
            result = _with_axis(result, a)
    return result if output_is_sparse else to_dense(result, validate_indices=False)


def _scattered(indices: Tensor, values: Tensor, sizes: list[Any], kind: str) -> Tensor:
    """The dense tensor of the sums, or the greatest, of the values at each place; 0 where there are none."""
    zeros = functions["fill"](sizes, values.dtype.numpy_dtype.type(0))
    if kind == "sum":
        return functions["tensor_scatter_nd_add"](zeros, indices, values)
    lowest = -np.inf if values.dtype.is_floating else values.dtype.min
    top = functions["tensor_scatter_nd_max"](
        functions["fill"](sizes, values.dtype.numpy_dtype.type(lowest)), indices, values
    )
    ones = functions["ones_like"](values)
    there = functions["tensor_scatter_nd_max"](zeros, indices, ones)
    return functions["where"](functions["not_equal"](there, zeros), top, zeros)


def _with_axis(s: SparseTensor, at: int) -> SparseTensor:
    """An axis of size 1 more."""
    join = functions["concat"]

    def column(indices: Tensor) -> Tensor:
        size = functions["stack"]([functions["shape"](indices)[0], 1])
        return join([indices[:, :at], functions["fill"](size, np.int64(0)), indices[:, at:]], axis=1)

    def size(shape: Tensor) -> Tensor:
        return join([shape[:at], np.array([1], np.int64), shape[at:]], axis=0)

    result = SparseTensor(quietly(column, s.indices), s.values, quietly(size, s.dense_shape))
    return result._shaped(TensorShape([*s.shape[:at], 1, *s.shape[at:]]))


def reduce_sum(
    sp_input: SparseTensor,
    axis: Any = None,
    keepdims: bool | None = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """The sum of the stored elements over axes (all by default), as a dense tensor unless `output_is_sparse`.

    Elements stored at one place are added. Only what is stored is touched, unless the result is dense.

    >>> reduce_sum(SparseTensor([[0, 1], [0, 2]], [1, 5], [2, 3]), axis=1).numpy()
    array([6, 0], dtype=int32)
    """
    return _reduced("sparse.reduce_sum", sp_input, axis, keepdims, output_is_sparse, "sum")


def reduce_max(
    sp_input: SparseTensor,
    axis: Any = None,
    keepdims: bool | None = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """The largest stored element over axes (all by default); zero where none is stored.

    >>> reduce_max(SparseTensor([[0, 1], [0, 2]], [-7, -5], [2, 3]), axis=1).numpy()
    array([-5,  0], dtype=int32)
    """
    return _reduced("sparse.reduce_max", sp_input, axis, keepdims, output_is_sparse, "max")


def map_values(function: Callable[..., Any], *args: Any, **kwargs: Any) -> SparseTensor:
    """`function` of the stored values of each sparse argument, all of which stand at the same places.

    Raises ValueError where no argument is sparse, or the function changes the number of values, InvalidArgumentError where
    the places differ.
    """
    given = [a for a in (*args, *kwargs.values()) if is_sparse(a)]
    if not given:
        raise ValueError(explain("sparse.map_values", "there is no SparseTensor among the arguments"))
    first = given[0]
    for other in given[1:]:
        _same_places(first, other)
    inner = [a.values if is_sparse(a) else a for a in args]
    named = {key: a.values if is_sparse(a) else a for key, a in kwargs.items()}
    return first.with_values(function(*inner, **named))


def _same_places(first: SparseTensor, other: SparseTensor) -> None:
    a, b = first.indices, other.indices
    same = a is b or a.shape.is_compatible_with(b.shape)
    if same and a is not b and (isinstance(a, Symbol) or isinstance(b, Symbol)):
        holds = quietly(lambda a, b: functions["reduce_all"](functions["equal"](a, b)), a, b)
        hold("sparse.map_values", holds, {"indices": a, "others": b}, "the places of the values differ", "they may not")
    elif not same or a is not b and not np.array_equal(a._array, b._array):
        raise InvalidArgumentError(
            explain(
                "sparse.map_values", "the places of the values differ", {"indices": describe(a), "others": describe(b)}
            )
        )


def reshape(sp_input: SparseTensor, shape: Any, name: str | None = None) -> SparseTensor:
    """The elements in row-major order under another shape (-1 for one size is worked out)."""
    s = as_sparse("sparse.reshape", sp_input)
    if isinstance(s.indices, Symbol) or isinstance(s.dense_shape, Symbol):
        return _reshaped(s, _whole(shape))
    old = tuple(int(size) for size in s.dense_shape._array)
    wanted = [int(size) for size in convert(shape)._array]
    count = int(np.prod(old))
    if -1 in wanted:
        others = int(np.prod([size for size in wanted if size != -1]))
        wanted[wanted.index(-1)] = count // others if others else 0
    if int(np.prod(wanted)) != count:
        raise InvalidArgumentError(
            explain("sparse.reshape", "the number of elements differs", {"dense_shape": old, "shape": tuple(wanted)})
        )
    flat = np.ravel_multi_index(tuple(s.indices._array.T), old)
    new = np.stack(np.unravel_index(flat, wanted), axis=-1).astype(np.int64)
    return SparseTensor(Tensor(new), s.values, np.array(wanted, np.int64))


def _reshaped(s: SparseTensor, shape: Tensor) -> SparseTensor:
    """`reshape` where places or sizes are known only when the program runs."""
    product, cast = functions["reduce_prod"], functions["cast"]

    def wanted_sizes(old: Tensor, shape: Tensor) -> Tensor:
        rest = product(functions["where"](shape < 0, functions["ones_like"](shape), shape))
        return functions["where"](shape < 0, product(old) // functions["maximum"](rest, 1), shape)

    def places(indices: Tensor, old: Tensor, new: Tensor) -> Tensor:
        flat = functions["reduce_sum"](indices * row_strides(old), axis=1)[:, None]
        return flat // functions["maximum"](row_strides(new), 1) % functions["maximum"](new, 1)

    new = quietly(wanted_sizes, s.dense_shape, shape)
    same = quietly(lambda old, new: functions["equal"](product(old), product(new)), s.dense_shape, new)
    told = {"dense_shape": s.dense_shape, "shape": cast(shape, "int64")}
    hold("sparse.reshape", same, told, "the number of elements differs", "it must stay")
    result = SparseTensor(quietly(places, s.indices, s.dense_shape, new), s.values, new)
    known = None if isinstance(shape, Symbol) else TensorShape([None if size < 0 else size for size in shape.tolist()])
    return result if known is None else result._shaped(known)


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32", name: str | None = None) -> SparseTensor:
    """Ones on the diagonal.

    >>> eye(2, 3, "int32").values.numpy()
    array([1, 1], dtype=int32)
    """
    columns = num_rows if num_columns is None else num_columns
    if min(num_rows, columns) < 0:
        raise InvalidArgumentError(
            explain("sparse.eye", "a size is below 0", {"num_rows": num_rows, "num_columns": columns})
        )
    at = np.arange(min(num_rows, columns), dtype=np.int64)
    ones = Tensor(np.ones(len(at), as_dtype(dtype).numpy_dtype))
    return SparseTensor(np.stack([at, at], axis=1), ones, [num_rows, columns])


def as_sparse(who: str, value: Any) -> SparseTensor:
    if is_sparse(value):
        return value
    parts = getattr(value, "indices", None), getattr(value, "values", None), getattr(value, "dense_shape", None)
    if all(part is not None for part in parts):
        return SparseTensor(*parts)
    raise TypeError(explain(who, "the input must be a SparseTensor", {"input": describe(value)}))
