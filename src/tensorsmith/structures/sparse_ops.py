"""Sparse products, sums, slices, reordering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Array
from tensorsmith.structures.lifting import quietly, several
from tensorsmith.structures.sparse import SparseTensor, is_sparse
from tensorsmith.tensor.apply import functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

# ---- the operations on parts


@op(same=False, shapes=lambda specs, settings: [(tuple(settings["shape"]), specs[1][1])])
def sparse_scatter(xp, indices: Array, values: Array, default: Array, shape=(), check=True):
    """The dense array of this shape with values [n] at indices [n, rank] and the default elsewhere."""
    shape = tuple(shape)
    if xp is np:
        if check:
            _check_indices(indices, shape)
        dense = np.full(shape, default, values.dtype)
        dense[tuple(indices.T)] = values
        return dense
    dense = xp.broadcast_to(default.astype(values.dtype), shape)
    return dense.at[tuple(indices[:, axis] for axis in range(len(shape)))].set(values)


@op(same=False, eager=True, shapes=lambda specs, settings: [((None,) * specs[3][0][0], specs[1][1])])
def sparse_scatter_any(xp, indices: Array, values: Array, default: Array, dense_shape: Array, check=True):
    """`sparse_scatter` to a shape that is a value."""
    shape = tuple(int(size) for size in dense_shape)
    if check:
        _check_indices(indices, shape)
    dense = np.full(shape, default, values.dtype)
    dense[tuple(indices.T)] = values
    return dense


def _check_indices(indices: Any, shape: tuple[int, ...]) -> None:
    """InvalidArgumentError unless the indices lie inside, in row-major order, each once."""
    if not len(indices):
        return
    outside = ((indices < 0) | (indices >= np.array(shape))).any(axis=1)
    if outside.any():
        at = int(outside.argmax())
        raise InvalidArgumentError(
            explain(
                "sparse.to_dense",
                f"indices[{at}] lies outside the shape",
                {f"indices[{at}]": indices[at].tolist(), "dense_shape": list(shape)},
            )
        )
    flat = np.ravel_multi_index(tuple(indices.T), shape) if shape else np.zeros(len(indices), np.int64)
    steps = np.diff(flat)
    if (steps <= 0).any():
        at = int((steps <= 0).argmax()) + 1
        wrong = "is repeated" if steps[at - 1] == 0 else "is out of order"
        way = "Merge repeated ones with tf.sparse.add." if steps[at - 1] == 0 else "Call tf.sparse.reorder(s) first."
        raise InvalidArgumentError(
            explain(
                "sparse.to_dense",
                f"indices[{at}] {wrong}",
                {f"indices[{at - 1}]": indices[at - 1].tolist(), f"indices[{at}]": indices[at].tolist()},
                "indices must rise in row-major order",
                way,
            )
        )


def _positions_shapes(specs: Any, settings: Any) -> Any:
    return [((None, len(specs[0][0])), np.dtype(np.int64))]


@op(eager=True, differentiable=False, shapes=_positions_shapes)
def nonzero_positions(xp, x: Array):
    """The indices [n, rank] int64 of the elements that are not zero (not empty), in row-major order."""
    mask = x != (b"" if x.dtype == object else 0)
    return np.argwhere(np.asarray(mask, bool)).astype(np.int64)


@op(differentiable=False, shapes=lambda specs, settings: [((specs[0][0][0],), np.dtype(np.int64))])
def sparse_order(xp, indices: Array):
    """The permutation [n] int64 that puts indices [n, rank] in row-major order (equal ones keep theirs)."""
    if not indices.shape[1]:
        return xp.arange(indices.shape[0], dtype=np.int64)
    return xp.lexsort(tuple(indices[:, axis] for axis in range(indices.shape[1] - 1, -1, -1))).astype(np.int64)


def _merged_shapes(specs: Any, settings: Any) -> Any:
    (count, rank), _ = specs[0]
    return ((None, rank), np.dtype(np.int64)), ((count,), np.dtype(np.int64))


@op(eager=True, differentiable=False, shapes=_merged_shapes)
def sparse_merge(xp, indices: Array):
    """The distinct indices [m, rank] in order, and for each index given the row [n] of its own among them."""
    distinct, inverse = np.unique(indices, axis=0, return_inverse=True)
    return distinct.astype(np.int64), inverse.reshape(-1).astype(np.int64)


@op(same=False, shapes=lambda specs, settings: [((specs[2][0][0],), specs[0][1])])
def sum_into(xp, values: Array, rows: Array, like: Array):
    """Sums values [n] into as many places as `like` has rows: result[rows[i]] += values[i]."""
    if xp is np:
        total = np.zeros(like.shape[0], values.dtype)
        np.add.at(total, rows, values)
        return total
    return xp.zeros(like.shape[0], values.dtype).at[rows].add(values)


def _product_shapes(specs: Any, settings: Any) -> Any:
    return [((settings["rows"], specs[2][0][1]), specs[1][1])]


@op(same=False, kinds="fiuc", shapes=_product_shapes)
def sparse_product(xp, indices: Array, values: Array, dense: Array, rows=1):
    """sparse [rows, k] @ dense [k, m] -> [rows, m], from indices [n, 2] and values [n]."""
    parts = values[:, None] * dense[indices[:, 1]]
    if xp is np:
        total = np.zeros((rows, dense.shape[1]), values.dtype)
        np.add.at(total, indices[:, 0], parts)
        return total
    return xp.zeros((rows, dense.shape[1]), values.dtype).at[indices[:, 0]].add(parts)


# ---- the public functions


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

    threshold  stored sums of smaller magnitude are left out (0 leaves out none).

    Raises InvalidArgumentError where shapes or dtypes differ.

    >>> s = SparseTensor([[0, 1]], [5], [1, 2])
    >>> add(s, s).values.numpy()
    array([10], dtype=int32)
    """
    if not (is_sparse(a) or is_sparse(b)):
        raise TypeError(explain("sparse.add", "neither is a SparseTensor", {"a": describe(a), "b": describe(b)}))
    if not (is_sparse(a) and is_sparse(b)):
        sparse, dense = (a, b) if is_sparse(a) else (b, a)
        dense = convert(dense, None, sparse.dtype.numpy_dtype)
        return functions["add"](to_dense(reorder(sparse)), dense)
    if not a.shape.is_compatible_with(b.shape):
        raise InvalidArgumentError(
            explain("sparse.add", "the shapes differ", {"a": tuple(a.shape), "b": tuple(b.shape)})
        )
    join = functions["concat"]
    indices, rows = quietly(several(sparse_merge), quietly(_joined, a.indices, b.indices))
    values = sum_into(join([a.values, b.values], axis=0), rows, indices)
    total = SparseTensor(indices, values, a.dense_shape)
    if isinstance(threshold, (int, float)) and threshold == 0:
        return total
    return retain(total, functions["greater_equal"](functions["abs"](values), threshold))


def _joined(a: Tensor, b: Tensor) -> Tensor:
    return functions["concat"]([a, b], axis=0)


def retain(sp_input: SparseTensor, to_retain: Any) -> SparseTensor:
    """Only those stored elements at which `to_retain` [n] is True."""
    s = as_sparse("sparse.retain", sp_input)
    return _kept(s, quietly(_true_positions, convert(to_retain)))


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
    if shapes[0][0] is None:
        return functions["matmul"](to_dense(s, validate_indices=False), dense)
    return sparse_product(s.indices, s.values, dense, rows=shapes[0][0])


def transpose(sp_input: SparseTensor, perm: Any = None, name: str | None = None) -> SparseTensor:
    """The axes in the order `perm` (reversed by default)."""
    s = as_sparse("sparse.transpose", sp_input)
    axes = np.array(range(s.rank)[::-1] if perm is None else perm, np.int32)
    gather = functions["gather"]
    turned = SparseTensor(quietly(gather, s.indices, axes, axis=1), s.values, quietly(gather, s.dense_shape, axes))
    return reorder(turned)


def slice(sp_input: SparseTensor, start: Any, size: Any, name: str | None = None) -> SparseTensor:  # noqa: A001 - TensorFlow names it so
    """The part that begins at `start` [rank] and has at most `size` [rank] elements along each axis."""
    s = as_sparse("sparse.slice", sp_input)
    first, wanted = _whole(start), _whole(size)
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


def reduce_sum(
    sp_input: SparseTensor,
    axis: Any = None,
    keepdims: bool | None = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """The sum over axes (all by default), as a dense tensor unless `output_is_sparse`."""
    s = as_sparse("sparse.reduce_sum", sp_input)
    total = functions["reduce_sum"](to_dense(reorder(s)), axis=axis, keepdims=bool(keepdims))
    return from_dense(total) if output_is_sparse else total


def reduce_max(
    sp_input: SparseTensor,
    axis: Any = None,
    keepdims: bool | None = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """The largest stored value over axes (all by default); zero where none is stored."""
    s = as_sparse("sparse.reduce_max", sp_input)
    lowest = -np.inf if s.dtype.is_floating else s.dtype.min
    ordered = reorder(s)
    dense = to_dense(ordered, default_value=lowest)
    there = to_dense(ordered.with_values(functions["ones_like"](s.values)))
    keep = bool(keepdims)
    best = functions["reduce_max"](dense, axis=axis, keepdims=keep)
    some = functions["reduce_max"](there, axis=axis, keepdims=keep)
    top = functions["where"](functions["not_equal"](some, 0), best, functions["zeros_like"](best))
    return from_dense(top) if output_is_sparse else top


def map_values(function: Callable[..., Any], *args: Any, **kwargs: Any) -> SparseTensor:
    """`function` of the stored values of each sparse argument, at the places of the first."""
    first = next((a for a in args if is_sparse(a)), None)
    if first is None:
        raise ValueError(explain("sparse.map_values", "there is no SparseTensor among the arguments"))
    inner = [a.values if is_sparse(a) else a for a in args]
    named = {key: a.values if is_sparse(a) else a for key, a in kwargs.items()}
    return first.with_values(function(*inner, **named))


def reshape(sp_input: SparseTensor, shape: Any, name: str | None = None) -> SparseTensor:
    """The elements in row-major order under another shape (-1 for one size is worked out)."""
    s = as_sparse("sparse.reshape", sp_input)
    if isinstance(s.indices, Symbol) or isinstance(s.dense_shape, Symbol):
        return from_dense(functions["reshape"](to_dense(s), shape))
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


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32", name: str | None = None) -> SparseTensor:
    """Ones on the diagonal."""
    columns = num_rows if num_columns is None else num_columns
    at = np.arange(min(num_rows, columns), dtype=np.int64)
    ones = convert(np.ones(len(at)).tolist(), dtype)
    return SparseTensor(np.stack([at, at], axis=1), ones, [num_rows, columns])


def as_sparse(who: str, value: Any) -> SparseTensor:
    if is_sparse(value):
        return value
    parts = getattr(value, "indices", None), getattr(value, "values", None), getattr(value, "dense_shape", None)
    if all(part is not None for part in parts):
        return SparseTensor(*parts)
    raise TypeError(explain(who, "the input must be a SparseTensor", {"input": describe(value)}))
