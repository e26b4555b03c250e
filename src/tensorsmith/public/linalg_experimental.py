"""The public namespace `tf.linalg.experimental`."""

from tensorsmith.structures.conjugate_gradient import conjugate_gradient

__all__ = ["conjugate_gradient"]
