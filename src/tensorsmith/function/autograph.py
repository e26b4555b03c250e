"""Puts the rewrites together and decides what is left alone: Python's control flow on tensors becomes part of a program."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import sysconfig
import threading
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorsmith.function import branches, loops
from tensorsmith.function.analysis import Liveness, bound, holds, plain_names
from tensorsmith.function.control_flow import is_open
from tensorsmith.function.merging import Undefined
from tensorsmith.function.source import Fresh, NoSource, definition
from tensorsmith.tensor.apply import functions


class _Flow(ast.NodeTransformer):
    """if, for and while as calls, from the inside out."""

    def __init__(self, live: Liveness, fresh: Fresh, outer: Any) -> None:
        self.live, self.fresh, self.outer = live, fresh, outer

    def block(self, statements: list[Any]) -> list[Any]:
        out: list[Any] = []
        for statement in statements:
            result = self.visit(statement)
            out.extend(result if isinstance(result, list) else [result])
        return out

    def visit_FunctionDef(self, node: Any) -> Any:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef

    def _wanted(self, node: Any) -> set[str]:
        """The names whose values a statement must hand on, or takes from before."""
        after = self.live.after[id(node)]
        inside = set(self.live.before[id(node.body[0])])
        if isinstance(node, ast.For):
            inside -= plain_names([node.target])  # each round sets it anew
        return after | inside | (self.live.before[id(node.orelse[0])] if node.orelse else set())

    def visit_If(self, node: ast.If) -> Any:
        wanted = self._wanted(node)
        self.generic_visit(node)
        return branches.rewrite_if(node, wanted, self.fresh, self.outer)

    def visit_While(self, node: ast.While) -> Any:
        wanted = self._wanted(node)
        self.generic_visit(node)
        return loops.rewrite_while(node, wanted, self.fresh, self.outer)

    def visit_For(self, node: ast.For) -> Any:
        wanted = self._wanted(node)
        self.generic_visit(node)
        return loops.rewrite_for(node, wanted, self.fresh, self.outer)


def _rewritten(function: types.FunctionType) -> tuple[ast.Module, str]:
    """The module whose only function makes the rewritten one, and the rewritten one's name."""
    node = definition(function)
    if holds(
        node.body if isinstance(node.body, list) else [node.body], (ast.Yield, ast.YieldFrom, ast.Await, ast.TryStar)
    ):
        raise NoSource("generators and coroutines are left alone")
    fresh, arguments = Fresh(), node.args
    body: list[Any] = (
        node.body if isinstance(node, ast.FunctionDef) else [ast.copy_location(ast.Return(node.body), node)]
    )
    outer = bound(body)
    positional = [*arguments.posonlyargs, *arguments.args]
    body = loops.Jumps(fresh).block(loops.lower_returns(body, fresh))
    expressions = branches.Expressions(positional[0].arg if positional else "self")
    body = [expressions.visit(statement) for statement in body]
    body = _Flow(Liveness(body), fresh, outer).block(body)
    # default values and annotations belong to the function that there is
    arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]
    arguments.kw_defaults = [None if d is None else ast.Constant(None) for d in arguments.kw_defaults]
    for part in ast.walk(arguments):
        if isinstance(part, ast.arg):
            part.annotation = None
    name = "lambda_" if isinstance(node, ast.Lambda) else node.name
    made = ast.parse(f"def {name}(): pass").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.args, made.body = arguments, body
    free = [*function.__code__.co_freevars, "ag__"]
    factory = ast.parse("def ag_factory():\n" + "".join(f"    {n} = None\n" for n in free) + f"    return {name}")
    factory.body[0].body.insert(len(free), made)  # type: ignore[attr-defined]
    for part in ast.walk(factory):
        if "lineno" in part._attributes and not hasattr(part, "lineno"):
            ast.copy_location(part, node)
    first = ast.copy_location(made, node)
    for part in (first, *ast.walk(arguments)):
        if "lineno" in part._attributes:
            ast.copy_location(part, node)
    return ast.fix_missing_locations(factory), name


_forms: weakref.WeakKeyDictionary[types.CodeType, tuple[types.CodeType, str] | None] = weakref.WeakKeyDictionary()
_done: weakref.WeakSet[types.CodeType] = weakref.WeakSet()
_lock = threading.RLock()


def _form(function: types.FunctionType) -> tuple[types.CodeType, str] | None:
    """The rewritten code of a function and its text; None where it is left alone. Found once for each code."""
    code = function.__code__
    with _lock:
        if code not in _forms:
            try:
                module, name = _rewritten(function)
                whole = compile(module, code.co_filename, "exec", dont_inherit=True)
                factory = _inner(whole, "ag_factory")
                made = _inner(factory, name)
                _mark(made)
                _forms[code] = made.replace(co_name=code.co_name), ast.unparse(module)
            except NoSource:
                _forms[code] = None
        return _forms[code]


def _inner(code: types.CodeType, name: str) -> types.CodeType:
    return next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)


def _mark(code: types.CodeType) -> None:
    """Lambdas inside were rewritten with the function around them."""
    _done.add(code)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType) and (
            constant.co_name == "<lambda>" or constant.co_name.startswith("ag_")
        ):
            _mark(constant)


def _convert(function: types.FunctionType) -> Any:
    if function.__code__ in _done or getattr(function, "_ag_left_alone", False):
        return function
    found = _form(function)
    if found is None:
        return function
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
    cells["ag__"] = types.CellType(runtime)
    closure = tuple(cells[name] for name in found[0].co_freevars)
    made = types.FunctionType(found[0], function.__globals__, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
    _done.add(found[0])
    return made


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


def converted(function: Any) -> Any:
    """What is called in place of a function: its rewritten form for the user's own, else itself."""
    if isinstance(function, types.FunctionType):
        return function if _of_library(function.__code__.co_filename) else _convert(function)
    if isinstance(function, types.MethodType):
        inner = function.__func__
        if isinstance(inner, types.FunctionType) and not _of_library(inner.__code__.co_filename):
            return types.MethodType(_convert(inner), function.__self__)
        return function
    if isinstance(function, functools.partial):
        return functools.partial(converted(function.func), *function.args, **function.keywords)
    if isinstance(function, (types.BuiltinFunctionType, type)):
        return _BUILTINS.get(function, function)
    call = getattr(type(function), "__call__", None)  # noqa: B004 - which function it is
    if isinstance(call, types.FunctionType) and not _of_library(call.__code__.co_filename):
        return types.MethodType(_convert(call), function)
    return function


def _range(*bounds: Any) -> Any:
    return functions["range"](*bounds) if any(map(is_open, bounds)) else range(*bounds)


def _len(value: Any) -> Any:
    if is_open(value) and value.shape[:1] == (None,):
        return functions["shape"](value)[0]
    return len(value)


def _int(value: Any = 0, *rest: Any) -> Any:
    return functions["cast"](value, "int32") if is_open(value) else int(value, *rest)


def _float(value: Any = 0.0) -> Any:
    return functions["cast"](value, "float32") if is_open(value) else float(value)


_BUILTINS: dict[Any, Any] = {range: _range, builtins.len: _len, int: _int, float: _float}

runtime = types.SimpleNamespace(
    Undefined=Undefined,
    and_=branches.and_,
    converted=converted,
    for_=loops.for_,
    if_=branches.if_,
    if_expression=branches.if_expression,
    load=branches.load,
    not_=branches.not_,
    or_=branches.or_,
    returned=branches.returned,
    while_=loops.while_,
)


# ---- the public functions


def to_graph(
    entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None
) -> Callable[..., Any]:
    """The rewritten form of a function: one whose if, for and while take tensors when it is traced."""
    function = inspect.unwrap(entity) if not isinstance(entity, types.MethodType) else entity
    return converted(function)


def to_code(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> str:
    """The text of the rewritten form of a function, for reading.

    Raises ValueError where its source text cannot be had.
    """
    function = getattr(entity, "python_function", entity)
    function = getattr(function, "__func__", function)
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"tf.autograph.to_code takes a Python function, not {entity!r}.")
    found = _form(function)
    if found is None:
        raise ValueError(f"The source text of {function.__qualname__} cannot be had, so it is left as it is.")
    return found[1]


def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """A decorator: the function is called as it is when a traced function calls it."""
    if func is None:
        return do_not_convert
    target = getattr(func, "__func__", func)
    if isinstance(target, types.FunctionType):
        # on a copy: the user's own function stays what it was
        target = types.FunctionType(
            target.__code__, target.__globals__, target.__name__, target.__defaults__, target.__closure__
        )
        functools.update_wrapper(target, getattr(func, "__func__", func))
        target.__kwdefaults__ = getattr(func, "__func__", func).__kwdefaults__
        target._ag_left_alone = True  # type: ignore[attr-defined]
        return types.MethodType(target, func.__self__) if isinstance(func, types.MethodType) else target
    return func
