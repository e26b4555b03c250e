"""Finds the layers, variables and metrics held in an object's attributes, lists, tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from operator import is_not
from typing import Any

from tensorsmith.state.variable import Variable

# how often an attribute of some Trackable was set or deleted: what was found before may no longer be inside
_set = [0]


class Trackable:
    """The mark of an object whose variables count as its holder's: layers and metrics."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        _set[0] += 1

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        _set[0] += 1


# attributes that point back or sideways: walking them would find what is not inside
_NOT_INSIDE = frozenset(
    {
        "_inbound_nodes",
        "_outbound_nodes",
        "_auto_config",
        "_build_shapes",
        "_seen_inputs",
        "_added",
        "_owner",
        "_loss_tracker",
        "_inside",
        "_programs",
        "_rnn_states",
        "history",
    }
)


def held(thing: Any, skip: frozenset[str] = frozenset()) -> Iterator[Any]:
    """The variables and Trackables in an object's attributes, in the order in which they were set, each once."""
    seen: set[int] = set()
    for name, value in list(vars(thing).items()):
        if name not in _NOT_INSIDE and name not in skip:
            yield from _inside(value, seen, 0)


def _inside(value: Any, seen: set[int], depth: int) -> Iterator[Any]:
    if isinstance(value, (Variable, Trackable)):
        if id(value) not in seen:
            seen.add(id(value))
            yield value
    elif isinstance(value, (list, tuple)):
        if depth < 8:
            for part in value:
                yield from _inside(part, seen, depth + 1)
    elif isinstance(value, dict) and depth < 8:
        for part in list(value.values()):
            yield from _inside(part, seen, depth + 1)


class Inside:
    """What was found in an object and in all that is inside it, kept as long as nothing there was changed.

    A training loop asks for `model.trainable_variables` and `model.losses` at every step, and a walk over the
    attributes of a small model costs as much as its gradients. Attributes are counted as they are set; lists and dicts,
    which may change by themselves, and the `trainable` flags of variables are compared with what they were.
    """

    __slots__ = ("_at", "_flags", "_live", "_sizes", "_variables", "_was", "found", "kept")

    def __init__(self, thing: Any = None, own: Callable[[type], bool] | None = None) -> None:
        # {what was asked: the things found}
        self.found: dict[str, list[Any]] = {}
        self._at = _set[0]
        everything: dict[int, Any] = {}
        containers: list[Any] = []
        _gather(thing, everything, containers, 0)
        things = list(everything.values())
        self._variables = [t for t in things if isinstance(t, Variable)]
        self._live = [c.values() if isinstance(c, dict) else c for c in containers]
        self._sizes, self._was = [len(c) for c in self._live], list(chain.from_iterable(self._live))
        self._flags = [v.trainable for v in self._variables]
        # a class that finds its weights in a way of its own is asked each time
        self.kept = own is not None and all(own(type(t)) for t in things if isinstance(t, Trackable))

    def holds(self) -> bool:
        """True while nothing was changed since the walk."""
        return (
            self.kept
            and self._at == _set[0]
            and list(map(len, self._live)) == self._sizes
            and not any(map(is_not, chain.from_iterable(self._live), self._was))
            and [v.trainable for v in self._variables] == self._flags
        )

    def __reduce__(self) -> Any:
        # a copy of the object, or one read from a file, walks by itself
        return Inside, ()


def _gather(value: Any, everything: dict[int, Any], containers: list[Any], depth: int) -> None:
    """Notes every variable and Trackable in a value, to any depth, and the lists and dicts on the way."""
    if isinstance(value, (Variable, Trackable)):
        if id(value) not in everything:
            everything[id(value)] = value
            if isinstance(value, Trackable):
                for name, part in list(vars(value).items()):
                    if name not in _NOT_INSIDE:
                        _gather(part, everything, containers, 0)
    elif isinstance(value, (list, tuple, dict)) and depth < 8:
        if not isinstance(value, tuple):
            containers.append(value)
        for part in list(value.values()) if isinstance(value, dict) else value:
            _gather(part, everything, containers, depth + 1)


def unique(things: Any) -> list[Any]:
    """The things without repetition (by identity), in order."""
    kept: dict[int, Any] = {}
    for thing in things:
        kept.setdefault(id(thing), thing)
    return list(kept.values())
