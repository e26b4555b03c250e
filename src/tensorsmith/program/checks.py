"""Checks in compiled programs: a failed one is a number in a hidden variable, told before anything is committed.

XLA can neither raise nor stop half-way. So a check in a trace writes its code into `STATUS`, where it finds zero there,
and control flow carries that like any other variable. Who ran the program looks at it before the variables get their new
values, and runs the program once more on NumPy, where the check itself raises and can tell the values.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, NoReturn

import numpy as np

from tensorsmith.core import context, dtypes
from tensorsmith.core.errors import InvalidArgumentError, OpError, explain
from tensorsmith.core.places import Place
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Array, Arrays, Op, register
from tensorsmith.program.program import Node, Program


class Status:
    """The variable that programs carry to say how they fared; outside of a run it is always zero.

    0 all is well; above 0 the code of the check that failed first; below 0 the number of an exception that Python
    code called from the program raised (`calls.py`).
    """

    __slots__ = ()
    shape, dtype, trainable, name = TensorShape(()), dtypes.int32, False, "status"
    # the tensor 0, which the floor above sets
    zero: Any = None

    @property
    def _tensor(self) -> Any:
        return Status.zero

    @_tensor.setter
    def _tensor(self, value: Any) -> None:
        """What a run leaves is looked at (`settle`), never kept."""

    def _read(self) -> Any:
        graph = context.local.graph
        return Status.zero if graph is None else graph.read(self)

    def _write(self, value: Any) -> None:
        graph = context.local.graph
        if graph is not None:
            graph.write(self, value)


STATUS = Status()


def _check(
    xp: Any, status: Array, holds: Array, values: Arrays, who: str = "", message: str = "", rule: str = "",
    names: Any = (), where: Any = None, summarize: int = 3, at: int = -1,
) -> Any:  # fmt: skip
    """The status after a check: its code where `holds` is not true everywhere and nothing failed before.

    where  the user's line, of a check that the user wrote; a guard has a number instead (`at`), so that a program stays the
           same to the caches when the lines above it change, and is told at the line of its node.
    """
    if xp is np:
        if not status and not np.all(holds):
            text = failure(who, message, dict(zip(names, values)), rule, summarize, where)
            raise_at(InvalidArgumentError(text), where)
        return status
    failed = xp.logical_and(status == 0, xp.logical_not(xp.all(holds)))
    return xp.where(failed, np.int32(code(who, message, rule, where, at)), status)


CHECK = register(
    Op(
        "check",
        _check,
        same=False,
        shapes=lambda specs, settings: [((), np.dtype(np.int32))],
        differentiable=False,
    )
)


def code(who: str, message: str, rule: str, where: Any, at: int = -1) -> int:
    """A number above 0 for a check at a line: the same in every process, so that compiled programs can be kept."""
    return zlib.crc32(repr((who, message, rule, tuple(where or (at,)))).encode()) & 0x7FFFFFFF or 1


def failure(who: str, message: str, values: dict[str, Any], rule: str, summarize: int, where: Any = None) -> str:
    """The text of a failed check."""
    given = {name: shown(value, summarize) for name, value in values.items()}
    text = explain(who, message or "the condition does not hold", given, rule)
    return f"{text} Checked at {Place(*where)}." if where else text


def shown(value: Any, summarize: int) -> str:
    """An array in a message: all of a few elements, the first of many, and between what numbers whole ones lie."""
    array = np.asarray(value)
    if not array.ndim:
        return str(array[()])
    if array.size > (max(12, summarize) if summarize >= 0 else array.size):
        first = ", ".join([str(item) for item in array.ravel()[: max(summarize, 1)]])
        # of places, the one that is not there may be far from the first
        span = f" from {array.min()} to {array.max()}" if array.dtype.kind in "iu" else ""
        return f"{describe(array)} [{first}, ...]{span}"
    text = np.array2string(array, separator=", ", threshold=array.size + 1, formatter={"all": str}, max_line_width=1000)
    return " ".join(text.split())


def raise_at(error: Exception, where: Any) -> NoReturn:
    """Raises with a traceback whose last line is the user's own, the one that the error is about."""
    if where is None:
        raise error

    def thrown(error: Exception) -> NoReturn:
        raise error

    file, line, function = where
    # the `raise` stands in the second line of `thrown`
    at = thrown.__code__.replace(co_filename=file, co_firstlineno=max(line - 1, 1), co_name=function)
    FunctionType(at, {})(error)
    raise error


class _Again(threading.local):
    on = False


_again = _Again()


def repeating() -> bool:
    """True while a program runs a second time only to say what failed in it: nothing is printed then."""
    return _again.on


@contextmanager
def _repeated() -> Iterator[None]:
    _again.on = True
    try:
        yield
    finally:
        _again.on = False


# what exceptions of Python code called by programs are kept under until the run ends
raised: dict[int, BaseException] = {}


def settle(program: Program, updates: list[Any], again: Callable[[], Any]) -> None:
    """Raises what went wrong in a run that gave these updates; `again()` runs it once more on NumPy."""
    for (variable, _), value in zip(program.updates, updates):
        if variable is STATUS and int(value):
            tell(program, int(value), again)


def tell(program: Program, status: int, again: Callable[[], Any]) -> NoReturn:
    """Raises what a status other than 0 stands for."""
    error = raised.pop(status, None)
    if error is not None:
        raise error
    node = next((node for node in _checks(program) if _code_of(node.settings) == status), None)
    place = None if node is None else node.where
    try:
        with _repeated():
            again()
    except OpError as error:
        if node is None or node.settings["where"] is not None or place is None:
            _note(error, node)
            raise
        error = type(error)(f"{error} Checked at {place}.")
        _note(error, node)
        raise_at(error, place)
    # NumPy found nothing to say (a value at the very edge), or may not look: the values stay untold
    if node is None:
        raise InvalidArgumentError(explain("a traced function", "a check failed", {"code": status}))
    settings = node.settings
    failed = InvalidArgumentError(failure(settings["who"], settings["message"], {}, settings["rule"], 0, place))
    _note(failed, node)
    raise_at(failed, place)


def _note(error: OpError, node: Node | None) -> None:
    """Says on an error which layers and scopes the check stands in."""
    if node is not None and node.part:
        error.add_note(f"in {node.part!r}")


def _code_of(settings: dict) -> int:
    return code(settings["who"], settings["message"], settings["rule"], settings["where"], settings.get("at", -1))


def _checks(program: Program) -> Iterator[Node]:
    for node in program.nodes:
        if node.op is CHECK:
            yield node
        for part in node.programs:
            yield from _checks(part)
