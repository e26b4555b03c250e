"""The public namespace `tf.experimental.dlpack`."""

from tensorsmith.tensor.dlpack import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
