"""The operations under sparse tensors, on their parts: indices [n, rank] and values [n]."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.program.op import Array
from tensorsmith.program.places import joined_at
from tensorsmith.tensor.apply import op


@op(same=False, shapes=lambda specs, settings: [(tuple(settings["shape"]), specs[1][1])])
def sparse_scatter(xp, indices: Array, values: Array, default: Array, shape=(), check=True):
    """The dense array of this shape with values [n] at indices [n, rank] and the default elsewhere."""
    shape = tuple(shape)
    if xp is np:
        if check:
            _check_indices(indices, shape)
        return _filled(indices, values, default, shape)
    if not shape:
        return xp.concatenate([default.astype(values.dtype)[None], values])[-1]
    dense = xp.broadcast_to(default.astype(values.dtype), shape)
    return dense.at[tuple(indices[:, axis] for axis in range(len(shape)))].set(values)


@op(same=False, eager=True, shapes=lambda specs, settings: [((None,) * specs[3][0][0], specs[1][1])])
def sparse_scatter_any(xp, indices: Array, values: Array, default: Array, dense_shape: Array, check=True):
    """`sparse_scatter` to a shape that is a value."""
    shape = tuple(int(size) for size in dense_shape)
    if check:
        _check_indices(indices, shape)
    return _filled(indices, values, default, shape)


def _filled(indices: Any, values: Any, default: Any, shape: tuple[int, ...]) -> Any:
    dense = np.full(shape, default, values.dtype)
    dense[tuple(indices.T)] = values if shape else values[-1] if len(values) else default
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
        joined_at(total, (rows,), values, np.add)
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
        joined_at(total, (indices[:, 0],), parts, np.add)
        return total
    return xp.zeros((rows, dense.shape[1]), values.dtype).at[indices[:, 0]].add(parts)
