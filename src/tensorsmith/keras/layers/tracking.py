"""Finds the layers, variables and metrics held in an object's attributes, lists, tuples and dicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tensorsmith.state.variable import Variable


class Trackable:
    """The mark of an object whose variables count as its holder's: layers and metrics."""


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


def unique(things: Any) -> list[Any]:
    """The things without repetition (by identity), in order."""
    kept: dict[int, Any] = {}
    for thing in things:
        kept.setdefault(id(thing), thing)
    return list(kept.values())
