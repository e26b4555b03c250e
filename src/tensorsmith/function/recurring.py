"""Calls of a part that come again: traced at the second one, then run as one straight line of NumPy calls.

An optimizer's step and a metric's update are dozens of operations on arrays of a few elements: looking up, checking and
wrapping each costs ten times its arithmetic. The Program of such a call is the same as long as shapes and settings are.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from operator import is_not
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.function.function import functions_run_eagerly
from tensorsmith.function.trace import trace
from tensorsmith.program.checks import STATUS
from tensorsmith.program.program import Program
from tensorsmith.program.straight import NotStraight, Straight
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local
_ndarray = np.ndarray
# as many forms a part may have: a loop whose shapes always change keeps no more, and traces none
_MOST = 64


def recurring(part: Any, *also: Any, outside: frozenset[str] = frozenset()) -> Recurring:
    """The forms of a part's calls, which it keeps.

    part     the object whose attributes the calls read: it and all that it holds must be of this package, as the calls of
             a user's own code may print, count and look at values, and so are never traced unasked.
    also     live views (as `dict.values()` gives) of further values that the calls read.
    outside  names of attributes that the calls do not use where they are the user's own.
    """
    found = part.__dict__.get("_calls")
    if found is None:
        found = part.__dict__["_calls"] = Recurring(part, also, outside)
    return found


class Recurring:
    """The forms of the calls of one part: of each kind of call, whether it was seen, or the function that runs it."""

    __slots__ = ("_also", "_forms", "_outside", "_part", "_sizes", "_views", "_was")

    def __init__(self, part: Any, also: tuple[Any, ...], outside: frozenset[str]) -> None:
        self._part, self._outside, self._also = part, outside, also
        self._forms: dict[Any, Any] = {}
        self._views: list[Any] | None = []
        self._look()

    def __call__(
        self, body: Callable[..., Any], args: Any, named: dict[str, Any] | None = None, key: Any = None
    ) -> Any:
        """What `body(*args, **named)` gives and does to variables. `key` tells bodies apart that differ otherwise."""
        if _local.tapes or _local.graph is not None or functions_run_eagerly():
            # tapes are told of single operations, and an outer trace takes the body in
            return body(*args, **named) if named else body(*args)
        arrays: list[Any] = []
        parts: list[Any] = [key]
        for value in (*args, *named.values()) if named else args:
            kind = type(value)
            if kind is Tensor:
                if getattr(value, "_keras_mask", None) is not None:
                    return body(*args, **(named or {}))
                value = value._array
            elif kind is not _ndarray or value.dtype.kind not in "fiub":
                if value is not None:
                    return body(*args, **(named or {}))
                parts.append(None)
                continue
            arrays.append(value)
            parts.append(value.shape)
            parts.append(value.dtype)
        if named:
            parts.extend(named)
        known = tuple(parts)
        form = self._forms.get(known)
        if type(form) is FunctionType and self._unchanged():
            return form(*arrays)
        return self._met(known, arrays, body, args, named or {})

    def _met(self, known: Any, arrays: list[Any], body: Callable[..., Any], args: Any, named: dict[str, Any]) -> Any:
        """A call that has no form yet: the first of its kind runs as it is, the second is traced."""
        if not self._unchanged():
            self._look()
        forms = self._forms
        if self._views is not None and forms.get(known) == "seen":
            forms[known] = "not straight"
            made = _form(body, args, named, arrays)
            if made is not None:
                forms[known] = made
                return made(*arrays)
        result = body(*args, **named)
        if self._views is not None and known not in forms:
            if len(forms) >= _MOST:
                forms.clear()
            # a first call may have made variables
            if not self._unchanged():
                self._look()
            forms[known] = "seen"
        return result

    def _unchanged(self) -> bool:
        """True while all that the calls read are the very things that they were."""
        views = self._views
        return (
            views is not None
            and list(map(len, views)) == self._sizes
            and not any(map(is_not, chain.from_iterable(views), self._was))
        )

    def _look(self) -> None:
        self._forms.clear()
        views: list[Any] = [vars(self._part).values(), *self._also]
        pure, seen = _ours(type(self._part)), {id(self._part)}
        for name, value in vars(self._part).items():
            pure = (_gather(value, views, seen) or name in self._outside) and pure
        self._views = views if pure else None
        self._sizes, self._was = list(map(len, views)), list(chain.from_iterable(views))

    def __reduce__(self) -> Any:
        return _nothing, ()


def _nothing() -> None:
    """What a copy of a part, or one read from a file, has in the place of its forms."""


def _ours(thing: Any) -> bool:
    return (getattr(thing, "__module__", None) or "").partition(".")[0] == "tensorsmith"


def is_own(value: Any) -> bool:
    """True for a value that is, and holds, nothing but objects and functions of this package and plain data."""
    return _gather(value, [], set())


def _gather(value: Any, views: list[Any], seen: set[int]) -> bool:
    """Adds views of all that may change in a value; False where something in it is not of this package."""
    if value is None or isinstance(
        value, (bool, int, float, str, bytes, np.generic, np.ndarray, np.dtype, Tensor, Variable)
    ):
        return not isinstance(value, Symbol)
    if id(value) in seen:
        return True
    seen.add(id(value))
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, (list, dict)):
            views.append(inner)
        return all(_gather(part, views, seen) for part in inner)
    if isinstance(value, MethodType):
        return _ours(value.__func__) and _gather(value.__self__, views, seen)
    if isinstance(value, (FunctionType, BuiltinFunctionType, type)):
        return _ours(value)
    if not _ours(type(value)):
        return False
    if isinstance(value, Recurring) or not hasattr(value, "__dict__"):
        return True
    views.append(vars(value).values())
    return all(_gather(part, views, seen) for part in vars(value).values())


def _form(body: Callable[..., Any], args: Any, named: dict[str, Any], arrays: list[Any]) -> Callable[..., Any] | None:
    """A function of the arrays that does what the body does; None where it must be run as it is."""

    def traced(graph: Any) -> Any:
        given = [None if value is None else graph.input(value.shape, value.dtype) for value in args]
        rest = {key: None if value is None else graph.input(value.shape, value.dtype) for key, value in named.items()}
        return body(*given, **rest)

    guards, context.local.guards = context.local.guards, False  # NumPy refuses values by itself
    try:
        found = trace(traced)
        return _straight(found.program, found.form, arrays)
    except Exception:
        # what fails on symbols but not on arrays asks for values
        return None
    finally:
        context.local.guards = guards


def _straight(program: Program, form: Any, arrays: list[Any]) -> Callable[..., Any]:
    # checks raise by themselves where NumPy runs them
    updates = [(variable, number) for variable, number in program.updates if variable is not STATUS]
    variables = [variable for variable, _ in program.captures]
    for variable in (*variables, *(variable for variable, _ in updates)):
        if variable is STATUS:
            continue
        kind = type(variable)
        usual = isinstance(variable, Variable) and kind._read is Variable._read and kind._write is Variable._write
        if not usual or not variable.shape.is_fully_defined():
            raise NotStraight
    code = Straight(program, arrays, [variable._tensor._array for variable in variables])
    names = code.names
    names["new"], names["Tensor"], names["pack"] = object.__new__, Tensor, form.pack
    before, after = [], []
    for at, (number, array) in enumerate(zip(program.inputs, arrays)):
        before.append(f"v{number} = a{at}" if np.ndim(array) else f"v{number} = a{at}[()]")
    for variable, number in program.captures:
        before.append(f"v{number} = {_named(variable, names)}._tensor._array{'' if len(variable.shape) else '[()]'}")
    made = [*program.outputs, *(number for _, number in updates)]
    for at, number in enumerate(made):
        # what the caller may still write to must not become a tensor's
        shared = any(np.may_share_memory(code.example(number), array) for array in arrays)
        copy = "np.array({})" if shared else "{}"
        after += [f"r{at} = new(Tensor)", f"r{at}._array = {copy.format(code.name(number))}"]
    # when all is computed and wrapped, so that a call that fails leaves everything as it was
    for at, (variable, _) in enumerate(updates, len(program.outputs)):
        after.append(f"{_named(variable, names)}._tensor = r{at}")
    results = ", ".join(f"r{at}" for at in range(len(program.outputs)))
    single = isinstance(form.structure, Tensor)
    after.append("return r0" if single else f"return pack([{results}])" if program.outputs else "return pack([])")
    head = f"def run({', '.join(f'a{at}' for at in range(len(arrays)))}):"
    return code.written(head, before, after, made)


def _named(variable: Any, names: dict[str, Any]) -> str:
    name = f"variable_{id(variable)}"
    names[name] = variable
    return name
