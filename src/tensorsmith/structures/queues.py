"""FIFO, padding, priority and shuffling queues, safe for threads."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from collections import deque
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.errors import CancelledError, OutOfRangeError, explain
from tensorsmith.core.naming import unique
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

Element = list[Tensor]


class QueueBase:
    """What all queues are: elements of several tensors each, that threads put in and take out.

    capacity  how many elements there is room for; putting in waits while it is full.
    dtypes    of the tensors of one element.
    shapes    of these tensors; needed to take out many at once.
    names     if given, elements are dictionaries with these keys.

    A subclass says in which order elements leave: `_push`, `_pop`, and `_ready` where more than
    an element is needed before one may leave.
    """

    def __init__(self, capacity: int, dtypes: Any, shapes: Any = None, names: Any = None, name: str = "queue") -> None:
        self.capacity = int(capacity)
        self._dtypes = [as_dtype(d) for d in (dtypes if isinstance(dtypes, (list, tuple)) else [dtypes])]
        self._shapes = _shapes(shapes, len(self._dtypes))
        self._names = None if names is None else [names] if isinstance(names, str) else list(names)
        for what, given in (("shapes", self._shapes), ("names", self._names)):
            if given is not None and len(given) != len(self._dtypes):
                raise ValueError(
                    explain(name, f"there must be as many {what} as dtypes", {"dtypes": self._dtypes, what: given})
                )
        self._name = unique(name)
        self._closed = self._cancelled = False
        # one lock for the elements; two for the order of those who wait to put in and to take out,
        # so that what belongs to one dequeue_many is not shared with another thread
        self._changed = threading.Condition()
        self._putting, self._taking = threading.Lock(), threading.Lock()

    # ---- the order, for subclasses

    def _push(self, element: Element) -> None:
        raise NotImplementedError

    def _pop(self) -> Element:
        raise NotImplementedError

    def _unpop(self, elements: list[Element]) -> None:
        """Puts back what was taken, as if it never left."""
        raise NotImplementedError

    def _count(self) -> int:
        raise NotImplementedError

    def _ready(self) -> bool:
        return self._count() > 0

    # ---- what it is

    @property
    def dtypes(self) -> list[DType]:
        return list(self._dtypes)

    @property
    def shapes(self) -> list[TensorShape]:
        return list(self._shapes or [TensorShape(None)] * len(self._dtypes))

    @property
    def names(self) -> list[str] | None:
        return self._names

    @property
    def name(self) -> str:
        return self._name

    @property
    def queue_ref(self) -> QueueBase:
        return self

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements in it, a scalar int32."""
        with self._changed:
            return convert(self._count())

    def is_closed(self, name: str | None = None) -> Tensor:
        with self._changed:
            return convert(self._closed)

    # ---- putting in

    def enqueue(self, vals: Any, name: str | None = None) -> None:
        """Puts in one element, waiting while the queue is full.

        vals  its tensors in order, or a dictionary where the queue has names.

        Raises CancelledError when the queue is closed, ValueError where dtype or shape do not fit.
        """
        element = self._components(vals)
        for tensor, shape in zip(element, self._shapes or []):
            self._check(tensor, shape)
        with self._putting:
            self._put(element)

    def enqueue_many(self, vals: Any, name: str | None = None) -> None:
        """Puts in as many elements as the tensors have rows: element i takes row i of each."""
        tensors = self._components(vals)
        sizes = {tuple(t.shape)[:1] for t in tensors}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(
                explain(
                    f"{self._name}.enqueue_many",
                    "the tensors differ in their number of rows",
                    {"vals": describe(tensors)},
                )
            )
        for tensor, shape in zip(tensors, self._shapes or []):
            self._check(Tensor(tensor._array[0, ...]) if len(tensor) else None, shape)
        with self._putting:
            for row in range(len(tensors[0])):
                self._put([Tensor(t._array[row, ...]) for t in tensors])

    def _put(self, element: Element) -> None:
        with self._changed:
            self._refuse_closed()
            while 0 < self.capacity <= self._count():
                self._changed.wait()
                # an element that waited when the queue was closed still goes in, unless it was cancelled
                if self._cancelled:
                    self._refuse_closed()
            self._push(element)
            self._changed.notify_all()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise CancelledError(explain(self._name, "the queue is closed", rule="nothing can be put in any more"))

    def _components(self, vals: Any) -> Element:
        _refuse_trace(self._name)
        if isinstance(vals, dict):
            if self._names is None or sorted(vals) != sorted(self._names):
                raise ValueError(
                    explain(
                        self._name, "the keys are not the queue's names", {"keys": sorted(vals), "names": self._names}
                    )
                )
            vals = [vals[key] for key in self._names]
        elif self._names is not None:
            raise ValueError(
                explain(self._name, "the queue has names", {"names": self._names}, "elements are dictionaries")
            )
        elif not isinstance(vals, (list, tuple)):
            vals = [vals]
        if len(vals) != len(self._dtypes):
            raise ValueError(
                explain(
                    self._name,
                    "an element has another number of tensors",
                    {"given": len(vals), "needed": len(self._dtypes)},
                )
            )
        return [_component(value, dtype) for value, dtype in zip(vals, self._dtypes)]

    def _check(self, tensor: Tensor | None, shape: TensorShape) -> None:
        if tensor is not None and not shape.is_compatible_with(tensor.shape):
            raise ValueError(
                explain(self._name, "a tensor has another shape", {"given": tuple(tensor.shape), "needed": str(shape)})
            )

    # ---- taking out

    def dequeue(self, name: str | None = None) -> Any:
        """Takes out one element, waiting while there is none.

        Gives its tensor, a list of tensors when an element has several, a dictionary when they have names.
        Raises OutOfRangeError when the queue is closed and empty.
        """
        return self._form(self._take(1, 1)[0])

    def dequeue_many(self, n: int, name: str | None = None) -> Any:
        """Takes out n elements as one, its tensors stacked, waiting until there are so many.

        Raises OutOfRangeError when the queue is closed and holds fewer, which then stay in it.
        """
        self._refuse_unknown_shapes()
        return self._batch(self._take(int(n), int(n)))

    def dequeue_up_to(self, n: int, name: str | None = None) -> Any:
        """As `dequeue_many`, but takes the fewer that a closed queue holds; OutOfRangeError only when it is empty."""
        self._refuse_unknown_shapes()
        return self._batch(self._take(int(n), 1 if int(n) else 0))

    def _take(self, wanted: int, least: int) -> list[Element]:
        _refuse_trace(self._name)
        taken: list[Element] = []
        with self._taking, self._changed:
            try:
                while len(taken) < wanted:
                    while not (self._count() if self._closed else self._ready()):
                        if self._closed:
                            if len(taken) >= least:
                                return taken
                            raise OutOfRangeError(
                                explain(
                                    self._name,
                                    "the queue is closed and has too few elements",
                                    {"wanted": wanted, "there": len(taken)},
                                )
                            )
                        self._changed.wait()
                    taken.append(self._pop())
                    self._changed.notify_all()
            except BaseException:
                # nothing is lost when the wait is broken off
                self._unpop(taken)
                self._changed.notify_all()
                raise
        return taken

    def _refuse_unknown_shapes(self) -> None:
        if self._shapes is None or any(not self._stackable(shape) for shape in self._shapes):
            raise ValueError(
                explain(
                    self._name,
                    "many elements can be taken at once only where their shapes are known",
                    way_out="Give shapes=[...] when the queue is made.",
                )
            )

    def _batch(self, elements: list[Element]) -> Any:
        columns = [[np.asarray(e[at]._array) for e in elements] for at in range(len(self._dtypes))]
        tensors = []
        for parts, dtype, shape in zip(columns, self._dtypes, self._shapes or []):
            empty = np.zeros((0, *(size or 0 for size in shape)), dtype.numpy_dtype)
            tensors.append(Tensor(self._stacked(parts) if parts else empty))
        return self._form(tensors)

    def _stackable(self, shape: TensorShape) -> bool:
        return shape.is_fully_defined()

    def _stacked(self, parts: list[np.ndarray]) -> np.ndarray:
        return np.stack(parts)

    def _form(self, tensors: list[Tensor]) -> Any:
        if self._names is not None:
            return dict(zip(self._names, tensors))
        return tensors[0] if len(tensors) == 1 else tensors

    # ---- closing

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> None:
        """Nothing can be put in any more; what is inside can still be taken out.

        cancel_pending_enqueues  True: threads that wait to put in get a CancelledError.
        """
        with self._changed:
            self._closed = True
            self._cancelled = self._cancelled or cancel_pending_enqueues
            self._changed.notify_all()

    @staticmethod
    def from_list(index: int, queues: list[QueueBase]) -> QueueBase:
        """The queue at `index`; ValueError unless all hold the same dtypes."""
        if any(q.dtypes != queues[0].dtypes for q in queues):
            raise ValueError(
                explain("QueueBase.from_list", "the queues differ in dtypes", {"dtypes": [q.dtypes for q in queues]})
            )
        return queues[int(index)]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}: {self._count()} of {self.capacity}, {self._dtypes}>"


def _shapes(shapes: Any, count: int) -> list[TensorShape] | None:
    if shapes is None:
        return None
    if count == 1 and (
        isinstance(shapes, TensorShape)
        or all(s is None or isinstance(s, int) for s in shapes)
        and not (isinstance(shapes, list) and len(shapes) == 1 and isinstance(shapes[0], (tuple, list)))
    ):
        return [TensorShape(shapes)]
    return [TensorShape(shape) for shape in shapes]


def _component(value: Any, dtype: DType) -> Tensor:
    if isinstance(value, (list, tuple)) and not value:
        return Tensor(np.zeros(0, dtype.numpy_dtype))  # nothing in it shows its dtype
    return convert(value, dtype)


def _refuse_trace(name: str) -> None:
    if context.local.graph is not None:
        raise NotImplementedError(
            explain(
                name, "a queue was used while a function is traced", rule="", way_out="Use it outside of tf.function."
            )
        )


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
        super().__init__(capacity, dtypes, shapes, names, shared_name, name)

    def _stackable(self, shape: TensorShape) -> bool:
        return shape.rank is not None

    def _stacked(self, parts: list[np.ndarray]) -> np.ndarray:
        sizes = np.max([part.shape for part in parts], axis=0).astype(int).tolist()
        whole = np.full((len(parts), *sizes), b"" if parts[0].dtype == object else 0, parts[0].dtype)
        for row, part in enumerate(parts):
            whole[(row, *(slice(size) for size in part.shape))] = part
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
        known = _shapes(shapes, len(kinds))
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
