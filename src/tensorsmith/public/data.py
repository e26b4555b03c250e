"""The public namespace `tf.data`."""

from tensorsmith.data.dataset import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset

AUTOTUNE = -1  # of num_parallel_calls: taken, and not needed

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset"]
