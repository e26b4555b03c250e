"""Flatten, map and rebuild nested lists, tuples, dicts, namedtuples, dataclasses and classes of attrs.

Dicts are walked in sorted key order, as TensorFlow and JAX do, so that two equal
structures flatten alike whatever the order in which their keys were set.

A ragged or sparse tensor is a leaf, or, with `expand_composites`, one more structure: of the tensors that it is made of.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tensorsmith.core.errors import explain


def is_nested(value: Any) -> bool:
    """True for a list, tuple, dict or an object with declared fields (a static shape is a value, not a structure)."""
    if isinstance(value, (list, tuple, dict)):
        return type(value).__name__ != "TensorShape"
    return fields(value) is not None


def is_composite(value: Any) -> bool:
    """True for a value made of tensors that is not itself a tensor, and for the spec of one."""
    return hasattr(type(value), "_from_parts")


# the fields of each class seen: asked of every leaf of every structure
_fields: dict[type, tuple[str, ...] | None] = {}


def fields(value: Any) -> tuple[str, ...] | None:
    """The names of the fields of an object of a dataclass or a class of attrs; None for any other."""
    kind = type(value)
    found = _fields.get(kind, _fields)
    if found is not _fields:
        return found  # type: ignore[return-value]
    declared = getattr(kind, "__dataclass_fields__", None)
    if declared is not None:
        names: Any = tuple([f.name for f in declared.values() if f._field_type.name == "_FIELD"])  # no ClassVar
    else:
        attributes = getattr(kind, "__attrs_attrs__", None)
        names = None if attributes is None else tuple([a.name for a in attributes])
    if len(_fields) > 4096:
        _fields.clear()
    _fields[kind] = names
    return names


def parts(value: Any) -> list[Any]:
    """What stands directly in a nested value, in order."""
    if isinstance(value, dict):
        return [value[key] for key in sorted_keys(value)]
    names = fields(value) if not isinstance(value, (list, tuple)) else None
    return list(value) if names is None else [getattr(value, name) for name in names]


def rebuilt(value: Any, function: Callable[[Any], Any]) -> Any:
    """A nested value with `function` of each of its parts in their place."""
    made = [function(part) for part in parts(value)]
    return like(value, dict(zip(sorted_keys(value), made)) if isinstance(value, dict) else made)


def like(template: Any, new: Any) -> Any:
    """A nested value of the template's kind with these parts (a dict for a dict)."""
    kind = type(template)
    if kind is list:
        return new
    if kind is tuple:
        return tuple(new)
    if isinstance(template, dict):
        items = {key: new[key] for key in template}
        if kind is dict:
            return items
        return defaultdict(template.default_factory, items) if isinstance(template, defaultdict) else kind(items)
    if hasattr(template, "_fields"):
        return kind(*new)
    if isinstance(template, (list, tuple)):
        return new if isinstance(template, list) else tuple(new)
    # not made by its constructor, which may have more to say than what its fields hold
    other = copy.copy(template)
    for name, part in zip(fields(template) or (), new):
        object.__setattr__(other, name, part)
    return other


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves, in order; with `expand_composites` the tensors that ragged and sparse ones are made of.

    >>> flatten({"b": 1, "a": [2, (3,)]})
    [2, 3, 1]
    """
    leaves: list[Any] = []
    _flatten(structure, leaves)
    if not expand_composites:
        return leaves
    return [part for leaf in leaves for part in (leaf._parts() if is_composite(leaf) else [leaf])]


def _flatten(structure: Any, leaves: list[Any]) -> None:
    if not is_nested(structure):
        leaves.append(structure)
    else:
        for part in parts(structure):
            _flatten(part, leaves)


def sorted_keys(mapping: dict) -> list[Any]:
    """The keys of a dict in order; as they stand where they have none."""
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)


def map_structure(
    function: Callable[..., Any], *structures: Any, check_types: bool = True, expand_composites: bool = False
) -> Any:
    """`function` on the leaves that stand at one place in each structure, in a structure like the first.

    check_types        whether a list and a tuple, or two kinds of namedtuple, differ. All kinds of dict are one.
    expand_composites  whether `function` sees the tensors that ragged and sparse ones are made of.

    Raises ValueError where the structures differ, TypeError where their types do.

    >>> map_structure(lambda a, b: a + b, [1, {"x": 2}], [10, {"x": 20}])
    [11, {'x': 22}]
    """
    if not structures:
        raise ValueError(explain("nest.map_structure", "at least one structure is needed"))
    first = structures[0]
    if not is_nested(first):
        if not (expand_composites and any(map(is_composite, structures))):
            return function(*structures)
        for other in structures[1:]:
            _same_kind(first, other)
        return first._from_parts([function(*row) for row in zip(*(value._parts() for value in structures))])
    mine = parts(first)
    for other in structures[1:]:
        if not is_nested(other) or len(parts(other)) != len(mine) or isinstance(first, dict) != isinstance(other, dict):
            raise ValueError(f"The two structures don't have the same nested structure: {first!r} and {other!r}.")
        if isinstance(first, dict):
            if set(other) != set(first):
                raise ValueError(f"The two dictionaries don't have the same keys: {list(first)} and {list(other)}.")
        elif check_types and not _same_type(first, other):
            raise TypeError(
                f"The two structures don't have the same types: {first!r} is a {type(first).__name__}, "
                f"{other!r} a {type(other).__name__}; check_types=False lets them pass."
            )
    # called in the order of `flatten`: what `function` numbers must stand as flattened values do
    made = [
        map_structure(function, *row, check_types=check_types, expand_composites=expand_composites)
        for row in zip(mine, *map(parts, structures[1:]))
    ]
    return like(first, dict(zip(sorted_keys(first), made)) if isinstance(first, dict) else made)


def _same_type(first: Any, second: Any) -> bool:
    a, b = type(first), type(second)
    # a namedtuple that was declared twice is one type, as in TensorFlow
    return a is b or a.__name__ == b.__name__ and getattr(a, "_fields", a) == getattr(b, "_fields", b)


def _same_kind(first: Any, second: Any) -> None:
    """ValueError unless both are made of tensors in one way: ragged of one ragged rank, sparse, of one dtype."""
    if is_composite(first) and is_composite(second):
        specs = [value._type_spec() if hasattr(value, "_type_spec") else type(value) for value in (first, second)]
        if isinstance(specs[0], type) or isinstance(specs[1], type):
            alike = specs[0] is specs[1] and len(first._parts()) == len(second._parts())
        else:
            alike = specs[0].most_specific_common_supertype([specs[1]]) is not None
        if alike:
            return
    raise ValueError(f"The two structures don't have the same nested structure: {first!r} and {second!r}.")


def pack_sequence_as(structure: Any, flat_sequence: list[Any] | tuple, expand_composites: bool = False) -> Any:
    """The leaves of `flat_sequence`, in the nested form of `structure`; ValueError when their numbers differ.

    expand_composites  whether the leaves are also the tensors of which ragged and sparse ones are made anew.

    >>> pack_sequence_as({"b": 0, "a": [0]}, [1, 2])
    {'b': 2, 'a': [1]}
    """
    rest = iter(flat_sequence)
    try:
        packed = _pack(structure, rest, expand_composites)
    except StopIteration:
        raise ValueError(f"The structure {structure!r} has more leaves than the {len(flat_sequence)} given.") from None
    if next(rest, rest) is not rest:
        raise ValueError(f"The structure {structure!r} has fewer leaves than the {len(flat_sequence)} given.")
    return packed


def _pack(structure: Any, rest: Any, expand_composites: bool) -> Any:
    if is_nested(structure):
        return rebuilt(structure, lambda part: _pack(part, rest, expand_composites))
    if expand_composites and is_composite(structure):
        return structure._from_parts([next(rest) for _ in structure._parts()])
    return next(rest)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """ValueError, naming both, unless the two nest alike; TypeError where only their types differ.

    check_types        whether a list and a tuple, or two kinds of namedtuple, differ. All kinds of dict are one.
    expand_composites  whether ragged and sparse tensors must be of one kind, ragged rank and dtype.
    """

    def leaf(a: Any, b: Any) -> Any:
        if is_nested(b):
            raise ValueError(f"The two structures don't have the same nested structure: {nest1!r} and {nest2!r}.")
        return a

    map_structure(leaf, nest1, nest2, check_types=check_types, expand_composites=expand_composites)
