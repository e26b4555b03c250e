"""The public namespace `tf.sets`."""

from tensorsmith.structures.sets import difference, intersection, size, union

__all__ = ["difference", "intersection", "size", "union"]
