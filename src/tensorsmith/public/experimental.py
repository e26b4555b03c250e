"""The public namespace `tf.experimental`."""

from tensorsmith.public import experimental_dlpack as dlpack

__all__ = ["dlpack"]
