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
from tensorsmith.structures.sparse_shaping import expand_dims, fill_empty_rows, reset_shape, split

__all__ = [
    "SparseTensor",
    "add",
    "concat",
    "expand_dims",
    "eye",
    "fill_empty_rows",
    "from_dense",
    "is_sparse",
    "map_values",
    "reduce_max",
    "reduce_sum",
    "reorder",
    "reset_shape",
    "reshape",
    "retain",
    "slice",
    "sparse_dense_matmul",
    "split",
    "to_dense",
    "transpose",
]
