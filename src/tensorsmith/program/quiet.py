"""Keeps NumPy's floating-point warnings silent during one call of a kernel, at a tenth of what `numpy.errstate` costs."""

from __future__ import annotations

import contextvars
import functools
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def _kept(**settings: Any) -> tuple[contextvars.ContextVar[Any], Any] | None:
    """The context variable in which NumPy keeps what `errstate` sets, and its value for these settings."""
    with np.errstate(**settings):
        for variable, value in contextvars.copy_context().items():
            if variable.name == "numpy.ufunc.extobj":
                return variable, value
    return None


_found = _kept(all="ignore")


def _entrance(kept: tuple[contextvars.ContextVar[Any], Any] | None) -> Callable[..., Any] | None:
    """enter(function, *arguments): calls it in a context of Python's that holds what is kept; None where it cannot.

    To step into a context costs 15 ns, to set a variable of the one at hand and set it back 200. But a context holds
    one call at a time: RuntimeError when another thread is within it, or a call that this one led to. (A Python
    without its lock does not notice the other thread.)
    """
    if kept is None or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    context = contextvars.Context()
    context.run(kept[0].set, kept[1])
    return context.run


enter = _entrance(_found)


def _noticing(what: str, function: Callable[..., Any], *numbers: float) -> Callable[..., Any]:
    """The entrance to a context where NumPy raises for this alone, if it is seen to do so for the function of these."""
    settings: dict[str, Any] = {"all": "ignore", what: "raise"}
    way = _entrance(_kept(**settings))
    if way is None:
        return _unnoticed
    for dtype in ("float32", "float64"):
        for count in (1, 40):
            try:
                way(function, *[np.full(count, number, dtype) for number in numbers])
            except FloatingPointError:
                continue
            return _unnoticed
    return way


def _unnoticed(function: Callable[..., Any], *arrays: Any) -> Any:
    raise FloatingPointError


# unless_overflow(numpy.exp, x), unless_invalid(numpy.divide, x, y): the call; FloatingPointError where a finite number
# overflows, or where inf / inf is asked for, RuntimeError where the context is taken; and always one of them where
# NumPy would not notice. So a formula may leave out what few arrays need, and do it when it is told.
unless_overflow: Callable[..., Any] = _noticing("over", np.exp, 1000.0)
unless_invalid: Callable[..., Any] = _noticing("invalid", np.divide, np.inf, np.inf)


def quietly(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel, which warns of nothing when it is run with NumPy."""
    if _found is None:
        # a NumPy that keeps it elsewhere; as a decorator errstate costs 0.4 µs a call, as a `with` block twice that
        return np.errstate(all="ignore")(kernel)
    variable, silent = _found
    begin, end, step_in = variable.set, variable.reset, enter

    @functools.wraps(kernel)
    def quiet(xp: Any, *arguments: Any, **settings: Any) -> Any:
        if xp is np and step_in is not None:
            try:
                return step_in(kernel, np, *arguments, **settings)
            except RuntimeError:
                pass  # the context is taken; and what a kernel itself raises, it raises again below
        token = begin(silent)
        try:
            return kernel(xp, *arguments, **settings)
        finally:
            end(token)

    return quiet


def way_in(kernel: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """(run, inner): run(inner, numpy, *arrays) is kernel(numpy, *arrays) at the least cost, where it does not raise
    RuntimeError."""
    inner = getattr(kernel, "__wrapped__", None)
    return (operator.call, kernel) if inner is None or enter is None else (enter, inner)
