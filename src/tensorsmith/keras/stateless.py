"""Runs a part on values instead of its own state: what Keras 3's `stateless_*` methods do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tensorsmith.core.errors import explain


@contextmanager
def holding(variables: list[Any], values: Iterable[Any], who: str) -> Iterator[None]:
    """The variables hold these values in the block, and their own again after it.

    Raises ValueError where there are more or fewer values than variables.
    """
    new = list(values)
    if len(new) != len(variables):
        raise ValueError(
            explain(who, "there must be one value for each variable", {"values": len(new), "variables": len(variables)})
        )
    old = [variable.value() for variable in variables]
    try:
        for variable, value in zip(variables, new):
            variable.assign(value)
        yield
    finally:
        for variable, value in zip(variables, old):
            variable.assign(value)
