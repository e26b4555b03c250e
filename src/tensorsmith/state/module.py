"""Module: finds the variables held in an object's attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tensorsmith.core.naming import name_scope, snake_case
from tensorsmith.state.variable import Variable


def held(thing: Any, seen: set[int]) -> Iterator[Any]:
    """The variables and modules in an object's attributes, lists, tuples and dicts, each once, in the order of names."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, Variable):
        yield thing
        return
    if isinstance(thing, Module):
        yield thing
        attributes = vars(thing)
        for key in sorted(attributes):
            yield from held(attributes[key], seen)
    elif isinstance(thing, dict):
        for key in sorted(thing, key=str):
            yield from held(thing[key], seen)
    elif isinstance(thing, (list, tuple)):
        for part in thing:
            yield from held(part, seen)


class Module:
    """A base for objects that hold variables, in attributes of their own or of other modules in them.

    >>> import tensorsmith as tf
    >>> class Line(tf.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope, self.at_zero = tf.Variable(2.0), tf.Variable(1.0, trainable=False)
    >>> len(Line().variables), len(Line().trainable_variables)
    (2, 1)
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = name or snake_case(type(self).__name__)

    @property
    def name(self) -> str:
        return getattr(self, "_name", snake_case(type(self).__name__))

    @property
    def name_scope(self) -> name_scope:
        return name_scope(self.name)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Every variable held, each once."""
        return tuple(found for found in held(self, set()) if isinstance(found, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those of the variables that optimizers change."""
        return tuple(variable for variable in self.variables if variable.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """Those of the variables that optimizers leave alone."""
        return tuple(variable for variable in self.variables if not variable.trainable)

    @property
    def submodules(self) -> tuple[Module, ...]:
        """The modules held in this one, each once."""
        return tuple(found for found in held(self, set()) if isinstance(found, Module) and found is not self)
