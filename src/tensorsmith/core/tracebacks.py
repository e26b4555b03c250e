"""Shows an error with the frames of the user's own code."""

from __future__ import annotations

import os
import sys
import sysconfig
from types import TracebackType
from typing import Any

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARIES = tuple(
    os.path.abspath(path) + os.sep
    for path in {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)


def show(error: BaseException, full: bool = False) -> None:
    """Print the error as Python would, by way of `sys.excepthook`, with our frames folded unless `full`."""
    folded = 0 if full else fold(error)
    sys.excepthook(type(error), error, error.__traceback__)
    if folded:
        frames = "1 frame" if folded == 1 else f"{folded} frames"
        print(
            f"({frames} inside Tensorsmith not shown; see all with: tensorsmith run --full-traceback)", file=sys.stderr
        )


def fold(error: BaseException) -> int:
    """Take the frames that are not the user's out of the error and of those that led to it.

    Gone are our frames and those of libraries that we called; a library that the user called stays, as does the
    user's code that we called, a custom loss for one. Returns how many were taken below the user's first.
    """
    folded, waiting, seen = 0, [error], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        kept, below = _users(current.__traceback__)
        # An error with no frame of the user's at all is ours: then every frame tells something.
        if kept or isinstance(current, SyntaxError):
            current.__traceback__ = _chain(kept)
            folded += below
        waiting += [linked for linked in (current.__cause__, current.__context__) if linked is not None]
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
    return folded


def _users(traceback: TracebackType | None) -> tuple[list[TracebackType], int]:
    """The frames to keep, outermost first, and how many were left out after the first of them."""
    kept: list[TracebackType] = []
    below, inside_ours = 0, False
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.startswith(_OURS):
            inside_ours = True
        elif not file.startswith(("<frozen ", *_LIBRARIES)):
            inside_ours = False
        if not inside_ours and not file.startswith("<frozen importlib"):
            kept.append(traceback)
        elif kept:
            below += 1
        traceback = traceback.tb_next
    return kept, below


def _chain(frames: list[TracebackType]) -> TracebackType | None:
    following: TracebackType | None = None
    for frame in reversed(frames):
        following = TracebackType(following, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return following


# what `sys.excepthook` was before; None while errors are shown as Python shows them
_before: list[Any] = []


def _folded(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    fold(error)
    _before[-1](kind, error, error.__traceback__)


def enable_traceback_filtering() -> None:
    """From here on an error that nobody caught is shown with the frames of the user's own code alone.

    By default, unlike in TensorFlow, errors are shown as Python shows them: no import changes that. `tensorsmith run` folds
    frames by itself.

    >>> import tensorsmith as tf
    >>> tf.debugging.enable_traceback_filtering()
    >>> tf.debugging.is_traceback_filtering_enabled()
    True
    >>> tf.debugging.disable_traceback_filtering()
    """
    if not _before:
        _before.append(sys.excepthook)
        sys.excepthook = _folded


def disable_traceback_filtering() -> None:
    """Errors are shown with all frames again."""
    if _before:
        before = _before.pop()
        if sys.excepthook is _folded:
            sys.excepthook = before


def is_traceback_filtering_enabled() -> bool:
    """Whether `enable_traceback_filtering` holds.

    >>> import tensorsmith as tf
    >>> tf.debugging.is_traceback_filtering_enabled()
    False
    """
    return bool(_before)
