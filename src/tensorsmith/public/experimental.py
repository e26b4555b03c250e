"""The public namespace `tf.experimental`."""

from tensorsmith.public import experimental_dlpack as dlpack
from tensorsmith.structures.optional import Optional

__all__ = ["Optional", "dlpack"]
