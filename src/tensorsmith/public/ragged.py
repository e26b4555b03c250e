"""The public namespace `tf.ragged`."""

from tensorsmith.structures.between import constant, stack_dynamic_partitions
from tensorsmith.structures.between import ragged_range as range
from tensorsmith.structures.crossing import cross, cross_hashed
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.structures.ragged_gathering import boolean_mask, row_splits_to_segment_ids, segment_ids_to_row_splits
from tensorsmith.structures.ragged_joining import stack
from tensorsmith.structures.ragged_ops import map_flat_values

__all__ = [
    "boolean_mask",
    "constant",
    "cross",
    "cross_hashed",
    "is_ragged",
    "map_flat_values",
    "range",
    "row_splits_to_segment_ids",
    "segment_ids_to_row_splits",
    "stack",
    "stack_dynamic_partitions",
]
