"""Keeps NumPy's floating-point warnings silent during one call of a kernel, at a third of what `numpy.errstate` costs."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from typing import Any

import numpy as np


def _silence() -> tuple[contextvars.ContextVar[Any], Any] | None:
    """The context variable in which NumPy keeps what `errstate` sets, and its value when all is ignored."""
    with np.errstate(all="ignore"):
        for variable, value in contextvars.copy_context().items():
            if variable.name == "numpy.ufunc.extobj":
                return variable, value
    return None


_found = _silence()


def quietly(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel, which warns of nothing when it is run with NumPy."""
    if _found is None:
        # a NumPy that keeps it elsewhere; as a decorator errstate costs 0.4 µs a call, as a `with` block twice that
        return np.errstate(all="ignore")(kernel)
    variable, silent = _found
    begin, end = variable.set, variable.reset

    @functools.wraps(kernel)
    def quiet(*arguments: Any, **settings: Any) -> Any:
        token = begin(silent)
        try:
            return kernel(*arguments, **settings)
        finally:
            end(token)

    return quiet
