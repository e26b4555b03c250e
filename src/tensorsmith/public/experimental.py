"""The public namespace `tf.experimental`."""

from tensorsmith.public import experimental_dlpack as dlpack
from tensorsmith.structures.optional import Optional
from tensorsmith.structures.ragged_shape import DynamicRaggedShape

__all__ = ["DynamicRaggedShape", "Optional", "dlpack"]
