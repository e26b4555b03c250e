"""Guards: values that an operation refuses, as places that are not there, are refused in compiled programs too.

A kernel raises on values where NumPy runs it. XLA cannot: so in a trace such an operation is followed by a question,
whether all places are there, and a check of the answer (`program/checks.py`). What is known to be there, as the number
of a round of a loop over so many rows, is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.errors import InvalidArgumentError
from tensorsmith.program.checks import CHECK, STATUS, failure
from tensorsmith.program.op import Array, Op
from tensorsmith.tensor.apply import apply, functions, primitive
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local


def note_span(number: Any, least: Any, end: Any) -> None:
    """Notes of a whole number that it is at least `least` and below `end`, where these are known."""
    if isinstance(end, Tensor) and not isinstance(end, Symbol):
        end = int(end)
    if isinstance(end, (int, np.integer)):
        number._span = int(least), int(end) - 1


def span(places: Any) -> tuple[int, int] | None:
    """The least and the greatest of places, where a trace knows them."""
    if isinstance(places, Symbol):
        return getattr(places, "_span", None)
    array = np.asarray(places._array)
    return (int(array.min()), int(array.max())) if array.size else (0, -1)


def refuse(who: str, values: dict[str, Any], message: str, rule: str, summarize: int = 3) -> NoReturn:
    """Raises InvalidArgumentError, telling the values that are known."""
    known = {name: "not known yet" if isinstance(v, Symbol) else v._array for name, v in values.items()}
    raise InvalidArgumentError(failure(who, message, known, rule, summarize))


def check_later(
    who: str, holds: Any, values: dict[str, Any], message: str, rule: str, summarize: int = 3, **told: Any
) -> None:
    """Adds a check to the program that is being traced. A model that is drawn checks when its layers are called.

    told  `where`, the user's line, or `at`, a number that stands for it (`program/checks.py`).
    """
    graph = _local.graph
    if graph is not None:
        settings = {"who": who, "message": message, "rule": rule, "names": tuple(values), "summarize": summarize}
        checked = [graph.read(STATUS), holds, list(values.values())]
        graph.write(STATUS, apply(CHECK, checked, {**CHECK.settings, **settings, **told}))


def require(who: str, holds: Any, values: dict[str, Any], message: str, rule: str) -> None:
    """InvalidArgumentError unless `holds` is true: now, or when the program runs that is being traced.

    None stands for what is known to hold. Unlike a check that a user writes (`debugging.hold`) this one leaves a program
    the same when lines above it change.
    """
    if holds is None or (not isinstance(holds, Symbol) and bool(holds)):
        return
    graph, at = _local.graph, 0
    if graph is None and not isinstance(holds, Symbol):
        refuse(who, values, message, rule)
    # what is wrong in a branch or a round that is never run does not matter: a trace goes on
    while graph is not None:
        at, graph = (at * 8191 + len(graph.program.nodes)) & 0x7FFFFFFF, graph.outer
    check_later(who, holds, values, message, rule, at=at)


MISSING = "a place is out of range"


def guard(op: Op, message: str, rule: str, ask: Callable[[list[Any], dict, Any], Any], names: tuple[str, ...]) -> None:
    """Sets the guard of an operation.

    message  what is wrong where it does not hold.
    rule     what must hold.
    ask      (arguments, settings, results) -> the boolean scalar that must hold, or None where it is known to hold.
    names    the arguments, by name, that the message tells.
    """
    told = [op.arrays.index(name) for name in names]

    def follow(arguments: list[Any], settings: dict, results: Any) -> None:
        holds = ask(arguments, settings, results)
        values = [part for at in told for part in (arguments[at] if type(arguments[at]) is list else [arguments[at]])]
        labels = names if len(values) == len(names) else [f"{names[0]}[{at}]" for at in range(len(values))]
        require(op.name, holds, dict(zip(labels, values)), message, rule)

    op.guard = follow


def gives_places(op: Op, axis: Callable[[dict], int], of: int = 0, at: int | None = None) -> None:
    """Notes of an operation that its result (result `at` of several) holds places along an axis of argument `of`."""

    def note(arguments: list[Any], settings: dict, results: Any) -> None:
        note_span(results if at is None else results[at], 0, arguments[of].shape[axis(settings)])

    op.guard = note


def _single(specs: Any, settings: dict) -> Any:
    return [((), np.dtype(bool))]


@primitive(name="places_exist", same=False, shapes=_single, differentiable=False)
def _places_exist(xp, x: Array, places: Array, axis: int = 0, columns: bool = False, least: Any = 0):
    """Whether all places are in axis `axis` of x; with `columns`, those of the last axis in the axes from `axis` on.

    least  the lowest place that is one; None where what is below is left out.
    """
    sizes = x.shape[axis]
    if columns:
        sizes = np.asarray(x.shape[axis : axis + places.shape[-1]], places.dtype)
    below = places < sizes
    return xp.all(below if least is None else xp.logical_and(below, places >= least))


def exist(x: Any, places: Any, axis: int = 0, columns: bool = False, least: int | None = 0) -> Any:
    """Whether places are in an axis of x: None where the trace knows that they are."""
    known = span(places)
    if known is not None and not columns:
        size = x.shape[axis]
        if size is not None and known[1] < size and (least is None or known[0] >= least):
            return None
    return apply(_places_exist, (x, places), {"axis": axis, "columns": columns, "least": least})


def never_zero(arguments: list[Any], settings: dict, result: Any) -> Any:
    """Whether no element of the second of two integers is 0: it divides."""
    y = arguments[1]
    known = span(y) if y.dtype.is_integer else (1, 1)
    if known is not None and (known[0] > 0 or known[1] < 0):
        return None
    return functions["reduce_all"](functions["not_equal"](y, 0))


def never_negative(arguments: list[Any], settings: dict, result: Any) -> Any:
    """Whether no element of the second of two integers is below 0: it is a power."""
    y = arguments[1]
    known = span(y) if y.dtype.is_integer else (0, 0)
    if known is not None and (known[0] >= 0 or y.dtype.is_unsigned):
        return None
    return functions["reduce_all"](functions["greater_equal"](y, 0))
