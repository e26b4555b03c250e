"""What a variable promises where it stands on several devices: VariableSynchronization and VariableAggregation."""

from __future__ import annotations

import enum
from typing import Any, TypeVar


class VariableSynchronization(enum.Enum):
    """When the copies of a variable become equal.

    AUTO        the strategy decides.
    NONE        there is one copy only.
    ON_WRITE    at every assignment.
    ON_READ     when it is read; such a variable is not trainable.
    """

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How values that several devices assign to one variable become one.

    NONE                they must be equal.
    SUM, MEAN           they are added, averaged.
    ONLY_FIRST_REPLICA  the first device's counts.
    """

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


Choice = TypeVar("Choice", VariableSynchronization, VariableAggregation)


def chosen(kind: type[Choice], given: Any, what: str) -> Choice:
    """The member that is meant: itself, its name in any case as Keras writes it, or None for the first."""
    if given is None:
        return next(iter(kind))
    if isinstance(given, kind):
        return given
    if isinstance(given, str) and given.upper() in kind.__members__:
        return kind[given.upper()]
    raise ValueError(f"tf.Variable: {what} must be one of {', '.join(map(str, kind))}, not {given!r}.")
