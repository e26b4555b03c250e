"""What is true on this thread now: eager, recording or tracing; device; seed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

# Every open tape and every graph under construction, of all threads. Empty means that an
# operation on plain tensors has nobody to tell: one truth test of a list, the cheapest there is.
busy: list[object] = []


class Recorder(Protocol):
    """What an open tape offers to operations."""

    def record(self, call: tuple[Any, list, dict, Any], /) -> None: ...

    def note_read(self, variable: Any, value: Any) -> None: ...

    def knows(self, tensor: Any) -> bool: ...


class _Local(threading.local):
    """The state of one thread. `tapes`: open tapes, outermost first; `graph`: what is being traced, or None."""

    def __init__(self) -> None:
        self.tapes: list[Any] = []
        self.graph: Any = None
        # the open tapes that do not listen to the trace under way, as they were opened outside of it
        self.hidden: list[Any] = []
        self.name_scopes: list[str] = []
        # the layers whose calls are under way and the open name scopes, "block/dense": who asks for operations now
        self.part = ""
        # whether AutoGraph rewrites what libraries call of the user's: False in a function that does not want it
        self.rewrites = True
        # whether operations that refuse values are followed, in a trace, by checks that find them when the program runs
        self.guards = True
        # the variables made while a function is traced; None while nobody asks
        self.made: list[Any] | None = None
        # what makes variables in place of tf.Variable, the innermost last (`state/variable_creators.py`)
        self.creators: list[Any] = []
        # function(op, results) that looks at what each new node of a graph gives (`state/numerics.py`); None: nobody does
        self.looks_at_results: Any = None


local = _Local()


def executing_eagerly() -> bool:
    """True where operations run at once: not inside a traced function.

    >>> executing_eagerly()
    True
    """
    return local.graph is None


def inside_function() -> bool:
    """True while a function is traced: where operations do not run at once.

    >>> inside_function()
    False
    """
    return local.graph is not None


@contextmanager
def tracing(graph: Any) -> Iterator[Any]:
    """Operations on symbols become nodes of `graph` until the end of the block; tapes opened outside do not listen."""
    outer, tapes, hidden = local.graph, local.tapes, local.hidden
    local.graph, local.tapes, local.hidden = graph, [], [*hidden, *tapes]
    busy.append(graph)
    try:
        yield graph
    finally:
        local.graph, local.tapes, local.hidden = outer, tapes, hidden
        busy.remove(graph)


def hears(tensor: Any) -> bool:
    """Whether an open tape, also one that a trace hides, watches a tensor or knows what it was made from."""
    return any([tape.knows(tensor) for tape in (*local.tapes, *local.hidden)])  # noqa: C419


@contextmanager
def eagerly() -> Iterator[None]:
    """Operations run at once until the end of the block, also inside a trace or under a tape (to make variables, say)."""
    outer, tapes = local.graph, local.tapes
    local.graph, local.tapes = None, []
    try:
        yield
    finally:
        local.graph, local.tapes = outer, tapes
