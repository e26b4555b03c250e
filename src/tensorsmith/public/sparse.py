"""The public namespace `tf.sparse`."""

from tensorsmith.structures.crossing import sparse_cross as cross
from tensorsmith.structures.crossing import sparse_cross_hashed as cross_hashed
from tensorsmith.structures.sparse import SparseTensor, is_sparse
from tensorsmith.structures.sparse_math import (
    bincount,
    mask,
    maximum,
    minimum,
    sampled_addmm,
    segment_mean,
    segment_sqrt_n,
    segment_sum,
    softmax,
    to_indicator,
)
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
    "bincount",
    "concat",
    "cross",
    "cross_hashed",
    "expand_dims",
    "eye",
    "fill_empty_rows",
    "from_dense",
    "is_sparse",
    "map_values",
    "mask",
    "maximum",
    "minimum",
    "reduce_max",
    "reduce_sum",
    "reorder",
    "reset_shape",
    "reshape",
    "retain",
    "sampled_addmm",
    "segment_mean",
    "segment_sqrt_n",
    "segment_sum",
    "slice",
    "softmax",
    "sparse_dense_matmul",
    "split",
    "to_dense",
    "to_indicator",
    "transpose",
]
