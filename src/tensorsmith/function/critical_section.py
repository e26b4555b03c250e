"""CriticalSection: code that one thread at a time runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from tensorsmith.core import context
from tensorsmith.core.errors import explain
from tensorsmith.core.naming import scoped


class _Inside(threading.local):
    now = False


class _Room:
    """What sections of one name share: who holds the lock is inside."""

    def __init__(self) -> None:
        self.lock, self.inside = threading.Lock(), _Inside()


class CriticalSection:
    """Functions that are executed through one section never run at the same time.

    Eager, a thread waits until the others have left. In a traced function there is one thread, and what is executed runs in
    the order in which it stands in the code.

    name         shown in messages.
    shared_name  sections of one shared name are one section.

    >>> import tensorsmith as tf
    >>> section, v = tf.CriticalSection(), tf.Variable(0)
    >>> section.execute(lambda: v.assign_add(1)).numpy().item()
    1
    """

    _shared: dict[str, _Room] = {}

    def __init__(
        self,
        name: str | None = None,
        shared_name: str | None = None,
        critical_section_def: None = None,
        import_scope: None = None,
    ) -> None:
        if critical_section_def is not None:
            raise ValueError(
                explain("CriticalSection", "critical_section_def is of TensorFlow's graphs, and not taken")
            )
        self._name = scoped(name or "critical_section")
        self._room = _Room() if shared_name is None else self._shared.setdefault(shared_name, _Room())

    @property
    def name(self) -> str:
        return self._name

    def execute(self, fn: Callable[[], Any], exclusive_resource_access: bool = True, name: str | None = None) -> Any:
        """What fn() gives, run while nobody else is in this section.

        Raises ValueError where fn itself executes something in this section: it would wait for itself.
        """
        room = self._room
        if room.inside.now:
            raise ValueError(
                explain(
                    self._name,
                    "a function that is executed in this section executes another one in it",
                    way_out="It would wait for itself: use a second CriticalSection, or call the function as it is.",
                )
            )
        # a trace happens on one thread: there the order of the code is that of the program
        with nullcontext() if context.local.graph is not None else room.lock:
            room.inside.now = True
            try:
                return fn()
            finally:
                room.inside.now = False
