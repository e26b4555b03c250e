"""The public namespace `tf.lookup.experimental`."""

from tensorsmith.structures.lookup import DatasetInitializer
from tensorsmith.structures.mutable_tables import DenseHashTable, MutableHashTable

__all__ = ["DatasetInitializer", "DenseHashTable", "MutableHashTable"]
