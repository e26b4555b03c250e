"""QueueBase: what all queues are, whatever the order in which elements leave."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.errors import CancelledError, InvalidArgumentError, OutOfRangeError, explain
from tensorsmith.core.naming import unique
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function.python_calls import in_turn
from tensorsmith.ops.identifying import get_static_value
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
        self._shapes = listed_shapes(shapes, len(self._dtypes))
        self._names = None if names is None else [names] if isinstance(names, str) else list(names)
        for what, given, kind in (("shapes", self._shapes, InvalidArgumentError), ("names", self._names, ValueError)):
            if given is not None and len(given) != len(self._dtypes):
                raise kind(
                    explain(name, f"there must be as many {what} as dtypes", {"dtypes": self._dtypes, what: given})
                )
        for shape in self._shapes or []:
            if not self._stackable(shape):
                raise ValueError(explain(name, self._needed, {"shapes": [str(s) for s in self._shapes or []]}))
        self._name = unique(name)
        self._closed = self._cancelled = False
        # how many elements those are yet to put in who began before the queue was closed
        self._promised = 0
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
        return self._told("size", lambda: self._count(), "int32")

    def is_closed(self, name: str | None = None) -> Tensor:
        return self._told("is_closed", lambda: self._closed, "bool")

    def _told(self, what: str, ask: Callable[[], Any], dtype: str) -> Tensor:
        def told() -> list[Tensor]:
            with self._changed:
                return [convert(ask(), dtype)]

        return in_turn(f"{self._name}.{what}", told, [], lambda: [TensorSpec((), dtype)])[0]

    # ---- putting in

    def enqueue(self, vals: Any, name: str | None = None) -> None:
        """Puts in one element, waiting while the queue is full.

        vals  its tensors in order, or a dictionary where the queue has names.

        Raises CancelledError when the queue is closed, ValueError where dtype or shape do not fit.
        """
        element = self._components(vals)
        self._check([tensor.shape for tensor in element])
        in_turn(f"{self._name}.enqueue", self._put_one, element, list)

    def enqueue_many(self, vals: Any, name: str | None = None) -> None:
        """Puts in as many elements as the tensors have rows: element i takes row i of each."""
        tensors = self._components(vals)
        sizes = {tuple(t.shape)[:1] for t in tensors}
        if () in sizes or len(sizes - {(None,)}) > 1:
            raise ValueError(
                explain(
                    f"{self._name}.enqueue_many",
                    "the tensors differ in their number of rows",
                    {"vals": describe(tensors)},
                )
            )
        self._check([tensor.shape[1:] for tensor in tensors])
        in_turn(f"{self._name}.enqueue_many", self._put_rows, tensors, list)

    def _put_one(self, *element: Tensor) -> list[Tensor]:
        self._check([tensor.shape for tensor in element])
        return self._put([list(element)])

    def _put_rows(self, *tensors: Tensor) -> list[Tensor]:
        self._check([tensor.shape[1:] for tensor in tensors])
        return self._put([[Tensor(t._array[row, ...]) for t in tensors] for row in range(len(tensors[0]))])

    def _put(self, elements: list[Element]) -> list[Tensor]:
        left = len(elements)
        with self._changed:
            if left:
                self._refuse_closed()
            self._promised += left
        try:
            with self._putting, self._changed:
                for element in elements:
                    # an element that waited when the queue was closed still goes in, unless it was cancelled
                    while not self._cancelled and 0 < self.capacity <= self._count():
                        self._changed.wait()
                    if self._cancelled:
                        self._refuse_closed()
                    self._push(element)
                    left -= 1
                    self._promised -= 1
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._promised -= left
                self._changed.notify_all()
        return []

    def _refuse_closed(self) -> None:
        if self._closed:
            raise CancelledError(explain(self._name, "the queue is closed", rule="nothing can be put in any more"))

    def _components(self, vals: Any) -> Element:
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
            raise InvalidArgumentError(
                explain(
                    self._name,
                    "an element has another number of tensors",
                    {"given": len(vals), "needed": len(self._dtypes)},
                )
            )
        return [_component(value, dtype) for value, dtype in zip(vals, self._dtypes)]

    def _check(self, given: list[TensorShape]) -> None:
        for shape, needed in zip(given, self._shapes or []):
            if not needed.is_compatible_with(shape):
                raise ValueError(
                    explain(self._name, "a tensor has another shape", {"given": str(shape), "needed": str(needed)})
                )

    # ---- taking out

    def dequeue(self, name: str | None = None) -> Any:
        """Takes out one element, waiting while there is none.

        Gives its tensor, a list of tensors when an element has several, a dictionary when they have names.
        Raises OutOfRangeError when the queue is closed and empty.
        """
        return self._form(
            in_turn(f"{self._name}.dequeue", lambda: self._take(1, 1)[0], [], lambda: self._specs(self.shapes))
        )

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """Takes out n elements as one, its tensors stacked, waiting until there are so many.

        Raises OutOfRangeError when the queue is closed and holds fewer, which then stay in it.
        """
        return self._several("dequeue_many", n, get_static_value(convert(n)), lambda count: count)

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """As `dequeue_many`, but takes the fewer that a closed queue holds; OutOfRangeError only when it is empty."""
        return self._several("dequeue_up_to", n, None, lambda count: 1)

    def _several(self, what: str, n: Any, rows: Any, least: Callable[[int], int]) -> Any:
        who = f"{self._name}.{what}"
        if self._shapes is None:
            raise InvalidArgumentError(
                explain(
                    who,
                    "many elements can be taken at once only where their shapes are known",
                    way_out="Give shapes=[...] when the queue is made.",
                )
            )
        known = None if rows is None or rows < 0 else int(rows)

        def take(n: Tensor) -> list[Tensor]:
            count = int(n)
            if count < 0:
                raise InvalidArgumentError(explain(who, "there is no such number of elements", {"n": count}))
            return self._stack(self._take(count, least(count)))

        specs = [TensorShape([known, *shape]) for shape in self._shapes]
        return self._form(in_turn(who, take, [convert(n)], lambda: self._specs(specs)))

    def _specs(self, shapes: list[TensorShape]) -> list[TensorSpec]:
        return [TensorSpec(shape, dtype) for shape, dtype in zip(shapes, self._dtypes)]

    def _take(self, wanted: int, least: int) -> list[Element]:
        taken: list[Element] = []
        with self._taking, self._changed:
            try:
                while len(taken) < wanted:
                    while not (self._count() if self._ended() else self._ready()):
                        if self._ended():
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

    def _ended(self) -> bool:
        return self._closed and not self._promised

    def _stack(self, elements: list[Element]) -> list[Tensor]:
        columns = [[np.asarray(e[at]._array) for e in elements] for at in range(len(self._dtypes))]
        tensors = []
        for parts, dtype, shape in zip(columns, self._dtypes, self._shapes or []):
            empty = np.zeros((0, *(size or 0 for size in shape)), dtype.numpy_dtype)
            tensors.append(Tensor(self._stacked(parts) if parts else empty))
        return tensors

    _needed = "the shapes must be fully known"

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
        """Nothing can be put in any more; what is inside, or waits to get in, can still be taken out.

        cancel_pending_enqueues  True: threads that wait to put in get a CancelledError.

        Raises CancelledError when it is closed already, unless enqueues are to be cancelled.
        """

        def close() -> list[Tensor]:
            with self._changed:
                if not cancel_pending_enqueues:
                    self._refuse_closed()
                self._closed = True
                self._cancelled = self._cancelled or cancel_pending_enqueues
                self._changed.notify_all()
            return []

        in_turn(f"{self._name}.close", close, [], list)

    @staticmethod
    def from_list(index: Any, queues: list[QueueBase]) -> QueueBase:
        """The queue at `index`.

        Raises TypeError unless all hold the same dtypes under the same names, InvalidArgumentError past the end.
        """
        who = "QueueBase.from_list"
        if not queues or not all(isinstance(q, QueueBase) for q in queues):
            raise TypeError(explain(who, "a list of queues is needed", {"queues": describe(queues)}))
        for what in ("dtypes", "names"):
            found = [getattr(q, what) for q in queues]
            if any(f != found[0] for f in found):
                raise TypeError(explain(who, f"the queues differ in {what}", {what: found}))
        at = int(index)
        if not 0 <= at < len(queues):
            raise InvalidArgumentError(explain(who, "there is no such queue", {"index": at, "queues": len(queues)}))
        return queues[at]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}: {self._count()} of {self.capacity}, {self._dtypes}>"


def listed_shapes(shapes: Any, count: int) -> list[TensorShape] | None:
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
