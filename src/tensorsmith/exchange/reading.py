"""A place in a file that is being read: takes its parts out, and refuses what is not what it must be."""

from __future__ import annotations

from typing import Any

from tensorsmith.exchange.safety import quoted, refusal

_KINDS = {"object": dict, "list": list, "text": str, "whole number": int, "truth value": bool}


class Place:
    """A part of a JSON value, with the file and the path to it for messages."""

    __slots__ = ("file", "path", "value")

    def __init__(self, value: Any, file: Any, path: str) -> None:
        self.value, self.file, self.path = value, file, path

    def refuse(self, wrong: str, way_out: str = "") -> Exception:
        return refusal(self.file, wrong, self.path, way_out)

    def _as(self, kind: str) -> Any:
        value = self.value
        if type(value) is not _KINDS[kind]:
            raise self.refuse(f"{quoted(value, 60)} is no {kind}")
        return value

    def text(self) -> str:
        return self._as("text")

    def truth(self) -> bool:
        return self._as("truth value")

    def number(self, below: int, least: int = 0) -> int:
        """A whole number from `least` to `below - 1`."""
        value = self._as("whole number")
        if not least <= value < below:
            raise self.refuse(f"{value} is not from {least} to {below - 1}")
        return value

    def parts(self, count: int | None = None) -> list[Place]:
        """The parts of a list (of `count` parts)."""
        value = self._as("list")
        if count is not None and len(value) != count:
            raise self.refuse(f"there are {len(value)} parts and not {count}")
        return [Place(part, self.file, f"{self.path}[{at}]") for at, part in enumerate(value)]

    def items(self) -> dict[str, Place]:
        """The parts of an object, by name."""
        return {
            key: Place(part, self.file, f"{self.path}.{quoted(key, 40)}") for key, part in self._as("object").items()
        }

    def fields(self, *names: str, optional: tuple[str, ...] = ()) -> list[Any]:
        """The named parts of an object that has these and no others; None for an optional one that is missing."""
        found = self.items()
        for name in names:
            if name not in found:
                raise self.refuse(f"there is no {name!r}")
        for name in found:
            if name not in names and name not in optional:
                raise self.refuse(f"{quoted(name, 60)!r} is not known here")
        return [found[name] for name in names] + [found.get(name) for name in optional]
