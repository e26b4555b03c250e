"""Rows of an embedding looked up by ids; by sparse ids, combined row by row."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import ports
from tensorsmith.core.errors import explain
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import equal, greater, where
from tensorsmith.ops.creation import ones_like, range_, zeros_like
from tensorsmith.ops.elementwise import divide, multiply, sqrt, square
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.normalization import clip_by_norm
from tensorsmith.ops.shaping import concat, reshape
from tensorsmith.structures.between import to_sparse
from tensorsmith.structures.ragged import RaggedTensor
from tensorsmith.structures.ragged_grouping import group_reduce
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_COMBINERS = ("mean", "sqrtn", "sum")


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Tensor:
    """The rows of `params` [n, ...] at `ids`, each made shorter where its norm is above `max_norm`.

    params  a table, or a list of tables, one below the other; ids  integers, dense or ragged.

    >>> import tensorsmith as tf
    >>> tf.nn.embedding_lookup([[3.0, 4.0], [0.0, 1.0]], [0], max_norm=1.0).numpy()
    array([[0.6, 0.8]], dtype=float32)
    """
    if isinstance(params, (list, tuple)) and params and hasattr(params[0], "shape"):
        params = params[0] if len(params) == 1 else concat(list(params), 0)
    if type(ids) in ports.by_element:
        return ports.by_element[type(ids)](lambda flat: embedding_lookup(params, flat, max_norm), (ids,), {})
    ids = convert(ids)
    found = gather(params, ids, axis=0)
    if max_norm is None:
        return found
    return clip_by_norm(found, max_norm, axes=list(range(len(ids.shape), len(found.shape))))


def _table(params: Any) -> Any:
    """One table, of the parts of one."""
    if isinstance(params, (list, tuple)) and params and hasattr(params[0], "shape"):
        return params[0] if len(params) == 1 else concat(list(params), 0)
    return params


def _combined(table: Any, rows: Any, ids: Any, weights: Any, like: Any, combiner: str, max_norm: Any) -> Tensor:
    found = embedding_lookup(table, ids, max_norm=max_norm)
    if weights is None:
        weights = ones_like(ids, dtype=found.dtype)
    weights = convert(weights)
    if weights.dtype is not found.dtype:
        weights = cast(weights, found.dtype)
    shape = [-1] + [1] * (len(found.shape) - 1)
    total = group_reduce(multiply(found, reshape(weights, shape)), rows, like)
    if combiner == "sum":
        return total
    size = group_reduce(weights if combiner == "mean" else square(weights), rows, like)
    size = size if combiner == "mean" else sqrt(size)
    size = where(equal(size, 0), ones_like(size), size)
    return divide(total, reshape(size, shape))


def embedding_lookup_sparse(
    params: Any, sp_ids: Any, sp_weights: Any, combiner: str | None = None, max_norm: Any = None, name: str | None = None,
    allow_fast_lookup: bool = False,
) -> Tensor:  # fmt: skip
    """The embeddings of each row's ids, weighted and combined: [B, ...] of params [n, ...] and sp_ids [B, ids].

    sp_ids, sp_weights  sparse or ragged, of one form; no weights (None) are weights of 1.

    combiner  "mean" (divided by the sum of weights, the default), "sqrtn" (by the root of the sum of their squares), "sum".

    Raises TypeError for ids that are not sparse, ValueError for another combiner.

    >>> import tensorsmith as tf
    >>> ids = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [0, 1, 1], [2, 2])
    >>> tf.nn.embedding_lookup_sparse([[1.0, 2.0], [3.0, 4.0]], ids, None).numpy()
    array([[2., 3.],
           [3., 4.]], dtype=float32)
    """
    combiner = "mean" if combiner is None else combiner
    if combiner not in _COMBINERS:
        raise ValueError(
            explain(
                "embedding_lookup_sparse",
                "no way to combine",
                {"combiner": combiner},
                f"one of {', '.join(_COMBINERS)}",
            )
        )
    if isinstance(sp_ids, RaggedTensor):
        ids, rows, like = sp_ids.flat_values, sp_ids.value_rowids(), sp_ids.row_lengths()
    elif isinstance(sp_ids, SparseTensor):
        ids, rows, like = sp_ids.values, sp_ids.indices[:, 0], range_(sp_ids.dense_shape[0])
    else:
        raise TypeError(
            explain("embedding_lookup_sparse", "the ids are no SparseTensor or RaggedTensor",
                    {"sp_ids": type(sp_ids).__name__})
        )  # fmt: skip
    return _combined(_table(params), rows, ids, _flat(sp_weights), like, combiner, max_norm)


def _flat(weights: Any) -> Any:
    if isinstance(weights, RaggedTensor):
        return weights.flat_values
    return weights.values if isinstance(weights, SparseTensor) else weights


def safe_embedding_lookup_sparse(
    embedding_weights: Any, sparse_ids: Any, sparse_weights: Any = None, combiner: str = "mean", default_id: Any = None,
    max_norm: Any = None, name: str | None = None, allow_fast_lookup: bool = False,
) -> Tensor:  # fmt: skip
    """`embedding_lookup_sparse` that leaves out negative ids and weights that are not positive.

    Rows without ids give the embedding of default_id, or zeros. Ids of more axes [*D, ids] give [*D, ...].

    >>> import tensorsmith as tf
    >>> ids = tf.SparseTensor([[0, 0], [0, 1]], [1, -1], [2, 2])
    >>> tf.nn.safe_embedding_lookup_sparse([[1.0, 2.0], [3.0, 4.0]], ids).numpy()
    array([[3., 4.],
           [0., 0.]], dtype=float32)
    """
    table = convert(_table(embedding_weights))
    if isinstance(sparse_ids, RaggedTensor):
        sparse_weights = None if sparse_weights is None else _flat(sparse_weights)
        sparse_ids = to_sparse(sparse_ids)
    sizes: list[Any] = [
        sparse_ids.dense_shape[axis] if size is None else size for axis, size in enumerate(sparse_ids.shape)
    ]
    count: Any = 1
    rows: Any = zeros_like(sparse_ids.indices[:, 0])
    for axis, size in enumerate(sizes[:-1]):
        count = count * size
        rows = rows * size + sparse_ids.indices[:, axis]
    like = range_(count)
    ids = sparse_ids.values
    good: Any = cast(ids >= 0, table.dtype)
    weights = good
    if sparse_weights is not None:
        given = cast(convert(_flat(sparse_weights)), table.dtype)
        if combiner != "sum":
            good = multiply(good, cast(greater(given, 0), table.dtype))
        weights = multiply(good, given)
    # what is left out counts with a weight of 0: no size hangs on values
    found = _combined(table, rows, where(ids >= 0, ids, zeros_like(ids)), weights, like, combiner, max_norm)
    if default_id is not None:
        some = greater(group_reduce(good, rows, like), 0)
        default = embedding_lookup(table, [default_id], max_norm=max_norm)
        found = where(reshape(some, [-1] + [1] * (len(found.shape) - 1)), found, default)
    return found if len(sizes) == 2 else reshape(found, [*sizes[:-1], *found.shape[1:]])
