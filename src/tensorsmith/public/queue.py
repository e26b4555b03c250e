"""The public namespace `tf.queue`."""

from tensorsmith.structures.queue_base import QueueBase
from tensorsmith.structures.queues import FIFOQueue, PaddingFIFOQueue, PriorityQueue, RandomShuffleQueue

__all__ = ["FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "QueueBase", "RandomShuffleQueue"]
