"""FIFO, padding, priority and shuffling queues, safe for threads."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.structures.queue_base import Element, QueueBase, listed_shapes


class FIFOQueue(QueueBase):
    """Elements leave in the order in which they came.

    >>> import tensorsmith as tf
    >>> q = FIFOQueue(3, [tf.int32], shapes=[()])
    >>> q.enqueue_many([[1, 2, 3]])
    >>> q.dequeue().numpy().item(), q.dequeue_many(2).numpy().tolist()
    (1, [2, 3])
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:
        super().__init__(capacity, dtypes, shapes, names, name)
        self._elements: deque[Element] = deque()

    def _push(self, element: Element) -> None:
        self._elements.append(element)

    def _pop(self) -> Element:
        return self._elements.popleft()

    def _unpop(self, elements: list[Element]) -> None:
        self._elements.extendleft(reversed(elements))

    def _count(self) -> int:
        return len(self._elements)


class PaddingFIFOQueue(FIFOQueue):
    """A FIFOQueue of tensors whose sizes may differ where `shapes` says None: many taken at once are padded with zeros.

    >>> import tensorsmith as tf
    >>> q = PaddingFIFOQueue(3, [tf.int32], shapes=[(None,)])
    >>> q.enqueue([[1]]), q.enqueue([[2, 3]])
    (None, None)
    >>> q.dequeue_many(2).numpy()
    array([[1, 0],
           [2, 3]], dtype=int32)
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:
        if shapes is None:
            raise ValueError(explain(name, "the shapes must be given", rule="sizes that may differ are None"))
        super().__init__(capacity, dtypes, shapes, names, shared_name, name)

    _needed = "the shapes must be of known rank"

    def _stackable(self, shape: TensorShape) -> bool:
        return shape.rank is not None

    def _stacked(self, parts: list[np.ndarray]) -> np.ndarray:
        sizes = np.max([part.shape for part in parts], axis=0).astype(int).tolist()
        whole = np.full((len(parts), *sizes), b"" if parts[0].dtype == object else 0, parts[0].dtype)
        for row, part in enumerate(parts):
            # an array of objects would hold a scalar one as an array
            whole[(row, *(slice(size) for size in part.shape))] = part if part.ndim else part[()]
        return whole


class RandomShuffleQueue(QueueBase):
    """Elements leave in random order.

    min_after_dequeue  how many must stay behind for a good mixture (until the queue is closed).
    seed               makes the order the same each time.
    """

    def __init__(
        self,
        capacity: int,
        min_after_dequeue: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ) -> None:
        super().__init__(capacity, dtypes, shapes, names, name)
        self.min_after_dequeue = int(min_after_dequeue)
        if not 0 <= self.min_after_dequeue < (self.capacity if self.capacity >= 0 else float("inf")):
            raise InvalidArgumentError(
                explain(
                    name,
                    "min_after_dequeue does not fit",
                    {"min_after_dequeue": self.min_after_dequeue, "capacity": self.capacity},
                    "it must be at least 0 and below the capacity",
                )
            )
        self._elements: list[Element] = []
        self._random = random.Random(seed)

    def _push(self, element: Element) -> None:
        self._elements.append(element)

    def _pop(self) -> Element:
        at = self._random.randrange(len(self._elements))
        self._elements[at], self._elements[-1] = self._elements[-1], self._elements[at]
        return self._elements.pop()

    def _unpop(self, elements: list[Element]) -> None:
        self._elements.extend(elements)

    def _count(self) -> int:
        return len(self._elements)

    def _ready(self) -> bool:
        return len(self._elements) > self.min_after_dequeue


class PriorityQueue(QueueBase):
    """The element with the lowest priority number leaves first; equal ones in the order in which they came.

    types  the dtypes behind the priority, which is an int64 scalar in front of them.
    """

    def __init__(
        self,
        capacity: int,
        types: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:
        kinds = [as_dtype(t) for t in (types if isinstance(types, (list, tuple)) else [types])]
        known = listed_shapes(shapes, len(kinds))
        super().__init__(capacity, ["int64", *kinds], None if known is None else [TensorShape(()), *known], names, name)
        self._heap: list[tuple[int, int, Element]] = []
        self._arrivals, self._returns = itertools.count(), itertools.count(-1, -1)

    def _push(self, element: Element) -> None:
        heapq.heappush(self._heap, (int(element[0]), next(self._arrivals), element))

    def _pop(self) -> Element:
        return heapq.heappop(self._heap)[2]

    def _unpop(self, elements: list[Element]) -> None:
        # arrivals below all others: they came before what is still inside
        for element in reversed(elements):
            heapq.heappush(self._heap, (int(element[0]), next(self._returns), element))

    def _count(self) -> int:
        return len(self._heap)
