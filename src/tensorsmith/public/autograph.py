"""The public namespace `tf.autograph`."""

from tensorsmith.function.autograph import to_code

__all__ = ["to_code"]
