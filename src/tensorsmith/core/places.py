"""Where in the user's own code something was asked for: the nearest frame outside this package."""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple

HOUSE = os.path.dirname(os.path.dirname(__file__)) + os.sep


class Place(NamedTuple):
    """A line of a user's code: the file, the number of the line, and the function that it is in.

    >>> print(Place("train.py", 12, "step"))
    train.py:12, in step
    """

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}, in {self.function}"


def users_frame(skip: int = 1) -> tuple[Any, int]:
    """The nearest frame outside this package, and how far up it is from who asks; the outermost where there is none."""
    level, frame = 0, sys._getframe(skip)
    while frame.f_code.co_filename.startswith(HOUSE) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    return frame, level


def users_place() -> Place | None:
    """The line of the user's code that is being run; None where only this package is (its own command line, say)."""
    frame = users_frame(2)[0]
    code = frame.f_code
    if code.co_filename.startswith(HOUSE):
        return None
    return Place(code.co_filename, frame.f_lineno, code.co_name)
