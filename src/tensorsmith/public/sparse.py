"""The public namespace `tf.sparse`."""

from tensorsmith.structures.sparse import SparseTensor, is_sparse
from tensorsmith.structures.sparse_ops import (
    add,
    concat,
    eye,
    from_dense,
    map_values,
    reduce_max,
    reduce_sum,
    reorder,
    reshape,
    retain,
    slice,
    sparse_dense_matmul,
    to_dense,
    transpose,
)

__all__ = [
    "SparseTensor",
    "add",
    "concat",
    "eye",
    "from_dense",
    "is_sparse",
    "map_values",
    "reduce_max",
    "reduce_sum",
    "reorder",
    "reshape",
    "retain",
    "slice",
    "sparse_dense_matmul",
    "to_dense",
    "transpose",
]
