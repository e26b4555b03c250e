"""The public namespace `tf.ragged`."""

from tensorsmith.structures.between import boolean_mask, constant, stack_dynamic_partitions
from tensorsmith.structures.between import ragged_range as range
from tensorsmith.structures.ragged import is_ragged
from tensorsmith.structures.ragged_ops import map_flat_values, stack

__all__ = ["boolean_mask", "constant", "is_ragged", "map_flat_values", "range", "stack", "stack_dynamic_partitions"]
