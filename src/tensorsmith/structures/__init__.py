"""Values that are not one dense array: sparse, ragged, strings, sets, queues, tensor arrays."""

from tensorsmith.structures import between, ragged, ragged_index, ragged_ops, row_partition, sparse, sparse_ops, specs

__all__ = ["between", "ragged", "ragged_index", "ragged_ops", "row_partition", "sparse", "sparse_ops", "specs"]
