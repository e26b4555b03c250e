"""Flatten, map and rebuild nested lists, tuples, dicts and namedtuples.

Dicts are walked in sorted key order, as TensorFlow and JAX do, so that two equal
structures flatten alike whatever the order in which their keys were set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def is_nested(value: Any) -> bool:
    """True for a list, tuple or dict (a static shape is a value, not a structure)."""
    return isinstance(value, (list, tuple, dict)) and type(value).__name__ != "TensorShape"


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order.

    >>> flatten({"b": 1, "a": [2, (3,)]})
    [2, 3, 1]
    """
    leaves: list[Any] = []
    _flatten(structure, leaves)
    return leaves


def _flatten(structure: Any, leaves: list[Any]) -> None:
    if not is_nested(structure):
        leaves.append(structure)
    elif isinstance(structure, dict):
        for key in _sorted(structure):
            _flatten(structure[key], leaves)
    else:
        for part in structure:
            _flatten(part, leaves)


def _sorted(mapping: dict) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """`function` on the leaves that stand at one place in each structure, in a structure like the first.

    Raises ValueError where the structures differ.

    >>> map_structure(lambda a, b: a + b, [1, {"x": 2}], [10, {"x": 20}])
    [11, {'x': 22}]
    """
    first = structures[0]
    if not is_nested(first):
        return function(*structures)
    for other in structures[1:]:
        if not is_nested(other) or len(other) != len(first) or isinstance(first, dict) != isinstance(other, dict):
            raise ValueError(f"The two structures don't have the same nested structure: {first!r} and {other!r}.")
    if isinstance(first, dict):
        for other in structures[1:]:
            if set(other) != set(first):
                raise ValueError(f"The two dictionaries don't have the same keys: {list(first)} and {list(other)}.")
        # called in the order of `flatten`: what `function` numbers must stand as flattened values do
        made = {key: map_structure(function, *(s[key] for s in structures)) for key in _sorted(first)}
        return like(first, {key: made[key] for key in first})
    return like(first, [map_structure(function, *parts) for parts in zip(*structures)])


def like(template: Any, parts: Any) -> Any:
    """A list, tuple, named tuple or dict of the kind of `template` with these parts (a dict for a dict)."""
    if isinstance(template, dict):
        return parts if type(template) is dict else type(template)(parts)
    if hasattr(template, "_fields"):
        return type(template)(*parts)
    if isinstance(template, list):
        return parts
    return tuple(parts)


def pack_sequence_as(structure: Any, leaves: list[Any] | tuple) -> Any:
    """`leaves`, in the nested form of `structure`; ValueError when their numbers differ.

    >>> pack_sequence_as({"b": 0, "a": [0]}, [1, 2])
    {'b': 2, 'a': [1]}
    """
    rest = iter(leaves)
    try:
        packed = _pack(structure, rest)
    except StopIteration:
        raise ValueError(f"The structure {structure!r} has more leaves than the {len(leaves)} given.") from None
    if next(rest, rest) is not rest:
        raise ValueError(f"The structure {structure!r} has fewer leaves than the {len(leaves)} given.")
    return packed


def _pack(structure: Any, rest: Any) -> Any:
    if not is_nested(structure):
        return next(rest)
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], rest) for key in _sorted(structure)}
        return like(structure, {key: packed[key] for key in structure})
    parts = []
    for part in structure:
        parts.append(_pack(part, rest))
    return like(structure, parts)


def assert_same_structure(first: Any, second: Any) -> None:
    """ValueError, naming both, unless the two nest alike."""
    map_structure(lambda a, b: None, first, second)
