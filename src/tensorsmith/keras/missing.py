"""Names that a file uses and nobody defines: collected, then told in one error.

with missing.collecting("my_model.h5"):
    ...          # objects are made from configs; unknown ones become `Unknown` placeholders
# here ModelFileError lists every one of them
"""

from __future__ import annotations

import keyword
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorsmith.core.errors import ModelFileError

_LONGEST, _LONGEST_CONFIG = 2000, 120


class Unknown:
    """Stands for an object whose class or function is not known here, until the error that names it.

    Does nothing to what it is called with, so that the rest of the file can be looked through.
    """

    def __init__(self, kind: str, name: str, config: Any = None, place: str = "") -> None:
        self.kind, self.name, self.config, self.place = kind, name, config, place
        self.__name__ = name

    def __call__(self, value: Any = None, *args: Any, **named: Any) -> Any:
        return value

    def __repr__(self) -> str:
        return f"<unknown {self.kind} {self.name!r}>"


class _Local(threading.local):
    def __init__(self) -> None:
        self.collectors: list[list[Unknown]] = []
        self.places: list[str] = []


_local = _Local()


@contextmanager
def collecting(file: Any = None) -> Iterator[list[Unknown]]:
    """Unknown names become placeholders; at the end of the block one ModelFileError lists them all.

    file  what was loaded, as it stands in the error; None for a config that came from no file.

    Another error inside the block, once a name is missing, is only its consequence and gives way to the list.
    """
    found: list[Unknown] = []
    _local.collectors.append(found)
    try:
        yield found
    except Exception:
        if not found:
            raise
    finally:
        _local.collectors.pop()
    if found:
        raise ModelFileError(message(found, file))


@contextmanager
def place(where: str) -> Iterator[None]:
    """What is made in the block stands at `where` in its file ("layer 'dense_1'"), for messages."""
    _local.places.append(where)
    try:
        yield
    finally:
        _local.places.pop()


def report(kind: str, name: str, config: Any = None) -> Unknown | None:
    """Notes a missing name and gives its placeholder; None when nobody collects."""
    if not _local.collectors:
        return None
    unknown = Unknown(kind, name, config, _local.places[-1] if _local.places else "")
    _local.collectors[-1].append(unknown)
    return unknown


def message(found: list[Unknown], file: Any = None) -> str:
    """The error's text: kind, name, place and config of each, and the call that would know them; at most 2000 letters."""
    rows = []
    for unknown in found:
        row = [unknown.kind, _cut(unknown.name), _cut(unknown.place), _config(unknown.config)]
        if row not in rows:
            rows.append(row)
    names = list(dict.fromkeys(unknown.name for unknown in found if pasteable(unknown.name)))
    shown = len(rows)
    text = _text(rows, shown, names, file)
    while len(text) > _LONGEST and shown > 1:
        shown -= 1
        text = _text(rows, shown, names[:shown], file)
    return text[:_LONGEST]


def _text(rows: list[list[str]], shown: int, names: list[str], file: Any) -> str:
    count = "1 custom part" if len(rows) == 1 else f"{len(rows)} custom parts"
    source = f" of {_cut(str(file))!r}" if file is not None else ""
    lines = [f"{count}{source} {'is' if len(rows) == 1 else 'are'} not known here:"]
    widths = [max(len(row[i]) for row in rows[:shown]) for i in range(3)]
    for row in rows[:shown]:
        lines.append("  " + "  ".join(part.ljust(width) for part, width in zip(row, [*widths, 0])).rstrip())
    if shown < len(rows):
        lines.append(f"  and {len(rows) - shown} more")
    if names:
        pairs = ", ".join(f'"{name}": {name.split(">")[-1]}' for name in names)
        call = "deserialize_keras_object(config, " if file is None else f'keras.models.load_model("{_cut(file)}", '
        rest = ", ..." if shown < len(rows) else ""
        lines += ["Load with:", f"  {call}custom_objects={{{pairs}{rest}}})"]
    here = vars(sys.modules["__main__"]) if "__main__" in sys.modules else {}
    known = [name for name in names if callable(here.get(name.split(">")[-1]))]
    if known:
        lines.append(f"Names defined here that match: {', '.join(known)}")
    return "\n".join(lines)


def pasteable(name: str) -> bool:
    """True for the name of a class or function, of a package or not: what may stand in a line that is made to be pasted.

    >>> pasteable("my_loss"), pasteable("mine>MyLoss"), pasteable('a": evil(), "b')
    (True, True, False)
    """
    package, _, own = name.rpartition(">")
    return own.isidentifier() and not keyword.iskeyword(own) and re.fullmatch(r"[\w. -]*", package) is not None


def _cut(name: Any, length: int = 200) -> str:
    """A name out of a file, printable and short: what stands in a file is quoted, never trusted."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(name))
    return text if len(text) <= length else text[: length - 3] + "..."


def _config(config: Any) -> str:
    if not isinstance(config, dict) or not config:
        return ""
    return "config " + _cut(config, _LONGEST_CONFIG)
