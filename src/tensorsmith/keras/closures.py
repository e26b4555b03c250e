"""Values that a function closes over: a file keeps only its name, so that they are lost. Told once, at the save."""

from __future__ import annotations

import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorsmith.core.errors import warn


class _Local(threading.local):
    def __init__(self) -> None:
        self.notes: list[dict[str, dict[str, Any]]] = []


_local = _Local()


@contextmanager
def saving(file: Any) -> Iterator[None]:
    """The functions written in the block go to `file`: at its end one warning names the values it does not hold."""
    lost: dict[str, dict[str, Any]] = {}
    _local.notes.append(lost)
    try:
        yield
    finally:
        _local.notes.pop()
    if lost:
        values = "; ".join(
            f"{name}: {', '.join(f'{key}={_short(value)}' for key, value in cells.items())}"
            for name, cells in lost.items()
        )
        warn(
            f"{str(file)!r} holds only the names of functions, not the values they close over ({values}). "
            "Loading takes them from the function that is given then; a class with get_config keeps them in the file.",
        )


def note(function: Any) -> None:
    """Notes what `function` closes over, where a save listens; functions, classes and modules are no values."""
    if not _local.notes:
        return
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    if code is None or not cells:
        return
    values = {}
    for name, cell in zip(code.co_freevars, cells):
        try:
            value = cell.cell_contents
        except ValueError:  # a name that was never given a value
            continue
        if not isinstance(value, (types.FunctionType, types.ModuleType, type)) and name != "__class__":
            values[name] = value
    if values:
        _local.notes[-1][function.__name__] = values


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
