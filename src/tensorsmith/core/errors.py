"""Every exception, and `explain`, the one builder of messages."""

from __future__ import annotations

import warnings
from typing import Any

from tensorsmith.core.places import users_frame


class OpError(Exception):
    """The base of all errors of operations; `message` is its text.

    Takes `(message)`, or TensorFlow's `(node_def, op, message)`.

    >>> OpError(None, None, "no").message
    'no'
    """

    error_code: int | None = None

    def __init__(self, *args: Any) -> None:
        self.message = str(args[-1]) if args else ""
        self.node_def = args[0] if len(args) > 1 else None
        self.op = args[1] if len(args) > 2 else None
        super().__init__(self.message)


class CancelledError(OpError):
    """What was asked of a closed queue or a cancelled step."""

    error_code = 1


class UnknownError(OpError):
    """An error of no other kind."""

    error_code = 2


class InvalidArgumentError(OpError, ValueError):
    """An operation was given values, shapes or dtypes that it cannot take."""

    error_code = 3


class DtypeError(InvalidArgumentError, TypeError):
    """Values of dtypes that an operation does not take, or not together; numbers that a dtype cannot hold.

    TensorFlow raises InvalidArgumentError for some of these and TypeError for others, and which one hangs on whether the
    operation runs at once; code that catches either was written for this one.
    """


class SizeNotKnownError(InvalidArgumentError):
    """The size of a result hangs on values that nobody knows while a program is compiled."""


class DeadlineExceededError(OpError):
    """Something took longer than it was allowed to."""

    error_code = 4


class NotFoundError(OpError):
    """A file or an entity is missing."""

    error_code = 5


class AlreadyExistsError(OpError):
    """An entity that was to be made is there already."""

    error_code = 6


class PermissionDeniedError(OpError):
    """What was asked is not allowed to the one who asks."""

    error_code = 7


class ResourceExhaustedError(OpError):
    """Memory, or another bounded resource, ran out."""

    error_code = 8


class FailedPreconditionError(OpError):
    """The state of the thing asked does not allow what was asked."""

    error_code = 9


class AbortedError(OpError):
    """The operation was given up, as when another one got in its way."""

    error_code = 10


class OutOfRangeError(OpError):
    """An index, or a read, past the end of what there is."""

    error_code = 11


class UnimplementedError(OpError):
    """A combination that does not exist here."""

    error_code = 12


class InternalError(OpError):
    """A broken promise of this library to itself: please report it."""

    error_code = 13


class UnavailableError(OpError):
    """A thing that is not there for now."""

    error_code = 14


class DataLossError(OpError):
    """Data came back damaged."""

    error_code = 15


class UnauthenticatedError(OpError):
    """Nobody knows who asks."""

    error_code = 16


# the codes by their names; an error has its own as `error_code`
OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED = range(8)
RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL = range(8, 14)
UNAVAILABLE, DATA_LOSS, UNAUTHENTICATED = range(14, 17)


class OperatorNotAllowedInGraphError(TypeError):
    """Python asked a symbolic tensor for its truth, its length or its elements, which nobody knows while a program is traced."""


class InaccessibleTensorError(OpError, TypeError):
    """A symbolic tensor was used outside of the trace, branch or loop in which it was made."""


class ModelFileError(ValueError):
    """A model file, or a config, that cannot be read or is refused; says which file, where in it, and what to do."""


class SignatureError(TypeError, ValueError):
    """An argument does not fit the input signature of a function.

    Older versions of TensorFlow raised ValueError for it, newer ones TypeError; code that catches it was written for both.
    """


def explain(who: str, wrong: str, given: dict[str, Any] | str = "", rule: str = "", way_out: str = "") -> str:
    """The text of an error: who, what is wrong, the values given, the rule, the way out.

    >>> explain("matmul", "inner sizes differ", {"a": (1, 3), "b": (1, 3)}, "a.shape[-1] must equal b.shape[-2]")
    'matmul: inner sizes differ (a=(1, 3), b=(1, 3)); a.shape[-1] must equal b.shape[-2].'
    """
    if isinstance(given, dict):
        given = ", ".join(f"{name}={value!s}" for name, value in given.items())
    text = f"{who}: {wrong}"
    if given:
        text += f" ({given})"
    if rule:
        text += f"; {rule}"
    text += "."
    if way_out:
        text += f" {way_out}"
    return text


def warn(text: str) -> None:
    """A UserWarning that points at the user's own line: the nearest one outside this package."""
    warnings.warn(text, UserWarning, stacklevel=users_frame()[1] + 1)
