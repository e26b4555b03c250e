"""Python code called from a program, in order, also in branches and loops.

Each call takes the status of the program (`checks.py`) and gives it back, so the calls follow one another by their data
alone and need no order from XLA. What nobody needs the status of, such as the forward part run anew for a gradient,
makes no call. After a failed check or call none is made.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.program import checks
from tensorsmith.program.program import Program

_numbers = itertools.count(1)
_lock = threading.Lock()


class Call:
    """The Python code of a node, as its setting: equal to another that does the same.

    Programs that hold one are never kept on disk, and are compiled through JAX's public interface, which alone knows
    how to call back.
    """

    __slots__ = ("function", "key")

    def __init__(self, function: Callable[[list[np.ndarray]], None], key: Any) -> None:
        self.function, self.key = function, key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def called(xp: Any, status: Any, values: list[Any], call: Call) -> Any:
    """The status after the Python code was called with the values."""
    if xp is np:
        if not status and not checks.repeating():
            call.function([np.asarray(value) for value in values])
        return status
    from tensorsmith.program.execute import jax

    module = jax()

    def back(status: Any, *values: Any) -> np.ndarray:
        before = int(status)
        return np.int32(before or _guarded(call, [np.asarray(value) for value in values]))  # type: ignore[return-value]

    fixed = [module.lax.stop_gradient(value) for value in (status, *values)]
    return module.pure_callback(back, module.ShapeDtypeStruct((), np.int32), *fixed)


def _guarded(call: Call, values: list[np.ndarray]) -> int:
    """Calls; 0, or the number under which an exception waits for the end of the run: XLA would make a text of it."""
    try:
        call.function(values)
    except BaseException as error:
        with _lock:
            number = -(next(_numbers) % 0x7FFFFFFF or 1)
            checks.raised[number] = error
        return number
    return 0


def calls_python(program: Program) -> bool:
    """True for a program that holds, or whose sub-programs hold, a call of Python code."""
    return signature_calls(program.signature())


def signature_calls(part: Any) -> bool:
    """The same, asked of the signature of a program."""
    if isinstance(part, tuple):
        # a shape of unknown rank has no parts
        return getattr(part, "rank", 0) is not None and any(map(signature_calls, part))
    return isinstance(part, Call) or (hasattr(part, "parts") and signature_calls(part.parts))
