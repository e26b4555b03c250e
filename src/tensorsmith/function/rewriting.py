"""Puts the rewrites together: the code of a function as one that decides when it runs what tensors decide."""

from __future__ import annotations

import ast
import builtins
import types
import weakref
from collections.abc import Callable
from typing import Any

from tensorsmith.function.analysis import bound, holds
from tensorsmith.function.assigning import Assigning
from tensorsmith.function.expressions import Expressions
from tensorsmith.function.jumps import Jumps, lower_returns
from tensorsmith.function.source import Fresh, LeftAlone, definition
from tensorsmith.function.statements import Flow

_FACTORY, _MADE = "ag_factory", "ag_function"


class Form:
    """The rewritten form of a function.

    code  what runs in the function's place; its free variables are the function's own and `ag__`.
    text  the same for people to read.
    """

    __slots__ = ("code", "text")

    def __init__(self, code: types.CodeType, text: str) -> None:
        self.code, self.text = code, text


# the code of rewritten functions, of the blocks in them and of the lambdas that were rewritten with them
done: weakref.WeakSet[types.CodeType] = weakref.WeakSet()


def rewritten(function: types.FunctionType, plain: Callable[[Any], bool]) -> Form:
    """The rewritten form of a function; LeftAlone, with the reason, where there is none.

    plain  says of a value that is called by its global name whether it is nothing that is rewritten.
    """
    node = definition(function)
    body: list[Any] = node.body if isinstance(node.body, list) else [node.body]
    if isinstance(node, ast.AsyncFunctionDef) or holds(body, (ast.Yield, ast.YieldFrom, ast.Await)):
        raise LeftAlone("generators and coroutines run as Python runs them")
    if holds(body, ast.TryStar):
        raise LeftAlone("`except*` is not rewritten")
    if isinstance(node, ast.Lambda):
        body = [ast.copy_location(ast.Return(node.body), node)]
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    given = {a.arg for a in every if a is not None}
    first = [*arguments.posonlyargs, *arguments.args]
    fresh = Fresh(_names(node) | set(function.__code__.co_freevars))
    outer = bound(body)
    local = given | set(outer.names) | _inner_names(node) | set(function.__code__.co_freevars)
    body = Jumps(fresh).block(lower_returns(Assigning(fresh).block(body), fresh))
    expressions = Expressions(
        first[0].arg if first else "self", fresh, lambda path: _surely(path, local, function, plain)
    )
    body = [expressions.visit(statement) for statement in body]
    body = Flow(body, given, fresh, outer).block(body)
    return _compiled(function, node, body)


def _names(node: ast.AST) -> set[str]:
    """Every name that a function mentions."""
    found = set(builtins.__dict__)
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.arg):
            found.add(part.arg)
        elif isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            found.add(part.name)
        elif isinstance(part, (ast.Global, ast.Nonlocal)):
            found.update(part.names)
    return found


def _inner_names(node: ast.AST) -> set[str]:
    """Names that lambdas and comprehensions inside a function bind: a call of one of them is none of the global."""
    inner = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    return inner | {
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)
    }


def _surely(path: list[str], local: set[str], function: types.FunctionType, plain: Callable[[Any], bool]) -> bool:
    """Whether `a.b.c` is reached through modules alone and is nothing that is rewritten, so that it is called as it stands."""
    if path[0] in local:
        return False
    if path[0] in function.__globals__:
        value = function.__globals__[path[0]]
        if not isinstance(value, types.ModuleType) or len(path) == 1:
            return False
    elif len(path) == 1 and hasattr(builtins, path[0]):
        return plain(getattr(builtins, path[0]))
    else:
        return False
    for name in path[1:]:
        if not isinstance(value, (types.ModuleType, types.SimpleNamespace)):
            return False
        value = getattr(value, name, None)
    return value is not None and plain(value)


def _compiled(function: types.FunctionType, node: Any, body: list[ast.stmt]) -> Form:
    arguments, code = node.args, function.__code__
    # default values and annotations belong to the function that there is
    arguments.defaults = [ast.Constant(...) for _ in arguments.defaults]
    arguments.kw_defaults = [None if d is None else ast.Constant(...) for d in arguments.kw_defaults]
    for part in ast.walk(arguments):
        if isinstance(part, ast.arg):
            part.annotation = None
    # not by its own name: a function that calls itself must find the one that there is
    made = ast.parse(f"def {_MADE}(): pass").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.args, made.body = arguments, body
    free = [*code.co_freevars, "ag__"]
    factory = ast.parse(f"def {_FACTORY}():\n" + "".join(f"    {n} = None\n" for n in free) + f"    return {_MADE}")
    factory.body[0].body.insert(len(free), made)  # type: ignore[attr-defined]
    for part in ast.walk(factory):
        if "lineno" in part._attributes and not hasattr(part, "lineno"):
            ast.copy_location(part, node)
    for part in (made, *ast.walk(arguments)):
        if "lineno" in part._attributes:
            ast.copy_location(part, node)
    ast.fix_missing_locations(factory)
    whole = compile(factory, code.co_filename, "exec", dont_inherit=True)
    inner = _named(_named(whole, _FACTORY), _MADE)
    blocks = {part.name for part in ast.walk(made) if getattr(part, "made", False)}  # type: ignore[attr-defined]
    final = _told(inner, code, blocks)
    return Form(final, _text(node, made))


def _named(code: types.CodeType, name: str) -> types.CodeType:
    return next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)


def _told(code: types.CodeType, original: types.CodeType, blocks: set[str]) -> types.CodeType:
    """The code with its blocks named as the function that they are part of, as tracebacks should say."""
    constants = tuple(
        _told(part, original, blocks)
        if isinstance(part, types.CodeType) and part.co_name in blocks
        else _lambdas_done(part)
        for part in code.co_consts
    )
    made = code.replace(co_consts=constants, co_name=original.co_name, co_qualname=original.co_qualname)
    done.add(made)
    return made


def _lambdas_done(part: Any) -> Any:
    if isinstance(part, types.CodeType) and part.co_name in (
        "<lambda>",
        "<listcomp>",
        "<setcomp>",
        "<dictcomp>",
        "<genexpr>",
    ):
        done.add(part)
        for inner in part.co_consts:
            _lambdas_done(inner)
    return part


def _text(node: Any, made: ast.FunctionDef) -> str:
    """The rewritten function as source text."""
    if isinstance(node, ast.Lambda):
        (statement,) = made.body
        assert isinstance(statement, ast.Return) and statement.value is not None
        return ast.unparse(ast.Lambda(made.args, statement.value)) + "\n"
    made.name = node.name
    return ast.unparse(made) + "\n"
