"""Decides what is rewritten and what is left alone: Python's control flow on tensors becomes part of a program."""

from __future__ import annotations

import enum
import functools
import sys
import sysconfig
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tensorsmith.core import context, ports
from tensorsmith.core.places import users_frame
from tensorsmith.function import branches, loops
from tensorsmith.function.merging import Undefined
from tensorsmith.function.overloads import OVERLOADS, print_
from tensorsmith.function.rewriting import Form, done, rewritten
from tensorsmith.function.source import LeftAlone

_local = context.local

# ---- what is left alone

_HOME = str(Path(__file__).resolve().parents[1])
_LIBRARIES = tuple(
    {str(Path(sysconfig.get_paths()[key]).resolve()) for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {_HOME}
)


@functools.lru_cache(4096)
def _of_library(filename: str) -> bool:
    if filename.startswith("<frozen"):
        return True
    path = str(Path(filename).resolve()) if not filename.startswith("<") else filename
    return path.startswith(_LIBRARIES) or "/site-packages/" in path or "/dist-packages/" in path


def _plain(value: Any) -> bool:
    """True for what is called as it stands: a class or function of a library that takes no part in the rewrite."""
    if isinstance(value, types.FunctionType):
        return _of_library(value.__code__.co_filename) and not _takes_functions(value)
    if isinstance(value, types.BuiltinFunctionType):
        return value not in OVERLOADS and value is not print
    if isinstance(value, type):
        file = getattr(sys.modules.get(value.__module__), "__file__", None)
        return value not in OVERLOADS and (value.__module__ == "builtins" or file is not None and _of_library(file))
    return False


_APPLYING = (
    "tensorsmith.core.nest",
    "tensorsmith.function.control_flow",
    "tensorsmith.function.folding",
    "tensorsmith.function.vectorizing",
)


def _takes_functions(value: types.FunctionType) -> bool:
    """True for tf.cond, tf.map_fn and their kin, which call the functions that they are given."""
    return value.__module__ in _APPLYING


# ---- forms

# by code and file: the code of one text in two notebook cells is equal, and each cell's errors are its own
_forms: weakref.WeakKeyDictionary[types.CodeType, dict[str, Form | str]] = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def _form(function: types.FunctionType) -> Form | str:
    """The rewritten form of a function, or why it is left alone. Found once for each code."""
    code = function.__code__
    with _lock:
        known = _forms.setdefault(code, {})
        found = known.get(code.co_filename)
        if found is None:
            try:
                found = rewritten(function, _plain)
                _tell(1, f"Rewritten: {function.__qualname__} ({code.co_filename}:{code.co_firstlineno})")
                _tell(10, found.text)
            except LeftAlone as reason:
                found = str(reason)
                _tell(1, f"Left alone: {function.__qualname__}: {reason}")
            known[code.co_filename] = found
        return found


class Conversion:
    """What rewritten code calls, by the name `ag__`, for one choice of optional features.

    prints  whether print of a symbol runs when the program does.
    """

    Undefined = Undefined
    and_ = staticmethod(branches.and_)
    asserted = staticmethod(branches.asserted)
    for_ = staticmethod(loops.for_)
    if_ = staticmethod(branches.if_)
    if_expression = staticmethod(branches.if_expression)
    load = staticmethod(branches.load)
    not_ = staticmethod(branches.not_)
    or_ = staticmethod(branches.or_)
    returned = staticmethod(branches.returned)
    set_attribute = staticmethod(branches.set_attribute)
    set_item = staticmethod(branches.set_item)
    while_ = staticmethod(loops.while_)

    def __init__(self, prints: bool) -> None:
        self.cell = types.CellType(self)
        self.overloads = {**OVERLOADS, print: print_} if prints else OVERLOADS

    def converted(self, function: Any) -> Any:
        """What is called in place of a function: its rewritten form for the user's own, else itself."""
        if isinstance(function, types.FunctionType):
            if not _of_library(function.__code__.co_filename):
                return self._convert(function)
            return functools.partial(self._applied, function) if _takes_functions(function) else function
        if isinstance(function, types.MethodType):
            inner = function.__func__
            if isinstance(inner, types.FunctionType) and not _of_library(inner.__code__.co_filename):
                return types.MethodType(self._convert(inner), function.__self__)
            return function
        if isinstance(function, functools.partial):
            return functools.partial(self.converted(function.func), *function.args, **function.keywords)
        if isinstance(function, (types.BuiltinFunctionType, type)):
            return self.overloads.get(function, function)
        call = getattr(type(function), "__call__", None)  # noqa: B004 - which function it is
        if isinstance(call, types.FunctionType) and not _of_library(call.__code__.co_filename):
            return types.MethodType(self._convert(call), function)
        return function

    def _applied(self, function: Any, /, *args: Any, **settings: Any) -> Any:
        """A call of a function that takes functions: the user's own among them are rewritten."""
        return function(*map(self._within, args), **{key: self._within(value) for key, value in settings.items()})

    def _within(self, value: Any) -> Any:
        if isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
            return self.converted(value)
        if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
            return type(value)(map(self._within, value)) if type(value) in (list, tuple) else value
        return {key: self._within(part) for key, part in value.items()} if type(value) is dict else value

    def _convert(self, function: types.FunctionType) -> Any:
        if function.__code__ in done:
            return function
        found = _form(function)
        if isinstance(found, str):
            return function
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
        cells["ag__"] = self.cell
        closure = tuple(cells[name] for name in found.code.co_freevars)
        made = types.FunctionType(found.code, function.__globals__, function.__name__, function.__defaults__, closure)
        made.__kwdefaults__ = function.__kwdefaults__
        made.__dict__.update(function.__dict__)
        made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
        return made


_usual, _printing = Conversion(False), Conversion(True)
converted = _usual.converted


def in_trace(function: Any) -> Any:
    """What a library calls in place of a user's function or method: rewritten while a program is traced, itself else."""
    return function if _local.graph is None or not _local.rewrites else converted(function)


ports.rewriters.append(in_trace)


@contextmanager
def rewriting(on: bool) -> Iterator[None]:
    """Whether AutoGraph rewrites what libraries call of the user's, until the end of the block."""
    outer, _local.rewrites = _local.rewrites, on
    try:
        yield
    finally:
        _local.rewrites = outer


def conversion(features: Any) -> Callable[[Any], Any]:
    """What rewrites functions with these optional features (a Feature, several, or None)."""
    chosen = features if isinstance(features, (list, tuple, set, frozenset)) else (features,)
    return (_printing if {Feature.ALL, Feature.BUILTIN_FUNCTIONS} & set(chosen) else _usual).converted


# ---- why Python was asked


def reason() -> str:
    """Why the user's line that asks a symbol for its value was not rewritten, and what to do."""
    frame = users_frame(2)[0]
    code = frame.f_code
    name = code.co_name
    if code in done or name in ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"):
        return (
            "AutoGraph rewrites if, while, for, and, or, not and assert; comprehensions, `in` and calls of libraries ask "
            "Python, which cannot wait for the value. Use tf operations (tf.where, tf.reduce_any, tf.map_fn), or a for "
            "statement."
        )
    place = f"{name} ({code.co_filename}:{frame.f_lineno})"
    found = _forms.get(code, {}).get(code.co_filename)
    if isinstance(found, str):
        return f"AutoGraph left {place} as it is: {found}. Use tf.cond, tf.while_loop or tf.where there."
    if _of_library(code.co_filename):
        return f"AutoGraph leaves libraries as they are, and {place} is in one. Use tf operations there."
    return (
        f"AutoGraph did not rewrite {place}: it has @tf.autograph.experimental.do_not_convert or autograph=False, or is "
        "called by something that has, or by a library. Use tf.cond, tf.while_loop or tf.where there, or let AutoGraph "
        "rewrite it: tf.autograph.to_graph(function)."
    )


ports.reasons.append(reason)


# ---- the public functions


class Feature(enum.Enum):
    """Optional parts of the rewrite.

    BUILTIN_FUNCTIONS: print of a tensor prints its value each time the program runs, where it else prints the symbol
    while the program is traced. All others are always on, or have nothing to do here.
    """

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"

    @classmethod
    def all(cls) -> tuple[Feature, ...]:
        return tuple(cls)

    @classmethod
    def all_but(cls, exclude: Any) -> tuple[Feature, ...]:
        left = exclude if isinstance(exclude, (list, tuple, set)) else (exclude,)
        return tuple(feature for feature in cls if feature is not cls.ALL and feature not in left)


class _Verbosity:
    level, on_screen = 0, False


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """How much is told of what is rewritten: 0 nothing, from 1 each function, from 10 the new code too.

    alsologtostdout  True: on the standard output as well as in the log (`logging.getLogger("tensorsmith")`).
    """
    _Verbosity.level, _Verbosity.on_screen = int(level), bool(alsologtostdout)


def _tell(level: int, text: str) -> None:
    if _Verbosity.level >= level:
        import logging

        logging.getLogger("tensorsmith").info(text)
        if _Verbosity.on_screen:
            print(text)


def trace(*args: Any) -> None:
    """Prints its arguments while a function is traced: once for each trace, however often the program runs."""
    print(*args)


def to_graph(
    entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None
) -> Callable[..., Any]:
    """The rewritten form of a function: one whose if, for and while take tensors when it is traced.

    Called with values it does what the function does. Raises ValueError, with the reason, where a function cannot be
    rewritten.

    >>> import tensorsmith as tf
    >>> def size(x):
    ...     return x if x > 0 else -x
    >>> tf.autograph.to_graph(size)(-3)
    3
    """
    target = getattr(entity, "python_function", entity)
    function = _python_function(target)
    if isinstance(function, types.FunctionType):
        _must(function)
    return conversion(experimental_optional_features)(target)


def to_code(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> str:
    """The text of the rewritten form of a function, for reading.

    Raises ValueError, with the reason, where a function cannot be rewritten.
    """
    function = _python_function(entity)
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"tf.autograph.to_code takes a Python function, not {entity!r}.")
    return _must(function).text


def _python_function(entity: Any) -> Any:
    """The plain function of a function, method, traced function or object that can be called."""
    function = getattr(entity, "python_function", entity)
    function = getattr(function, "__func__", function)
    if not isinstance(function, (types.FunctionType, types.BuiltinFunctionType, type, functools.partial)):
        call = getattr(type(function), "__call__", None)  # noqa: B004 - which function it is
        return call if isinstance(call, types.FunctionType) else function
    return function


def _must(function: types.FunctionType) -> Form:
    found = _form(function)
    if isinstance(found, str):
        raise ValueError(f"{function.__qualname__} cannot be rewritten: {found}.")
    return found


def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """A decorator: the function is called as it is when a traced function calls it.

    >>> import tensorsmith as tf
    >>> @tf.autograph.experimental.do_not_convert
    ... def plain(x):
    ...     return x
    >>> plain(3)
    3
    """
    if func is None:
        return do_not_convert
    inner = getattr(func, "__func__", func)

    # this function stands in a library's file, which is left alone
    @functools.wraps(inner)
    def as_it_is(*args: Any, **settings: Any) -> Any:
        with rewriting(False):
            return inner(*args, **settings)

    return types.MethodType(as_it_is, func.__self__) if isinstance(func, types.MethodType) else as_it_is
