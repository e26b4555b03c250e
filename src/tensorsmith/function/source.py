"""Reads a function's source and maps each new line to the old one."""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import linecache
from types import FunctionType
from typing import Any


class LeftAlone(Exception):
    """A function cannot be rewritten; the text says why."""


Definition = ast.FunctionDef | ast.Lambda


def definition(function: FunctionType) -> Definition:
    """A copy of the syntax tree of a function; LeftAlone where the text is not to be found."""
    code = function.__code__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if not lines:
        raise LeftAlone(_no_text(code.co_filename))
    try:
        tree = _parsed("".join(lines))
    except SyntaxError as error:
        raise LeftAlone(f"its source text cannot be read ({error})") from None
    found = [node for node in ast.walk(tree) if _is_definition(node, code)]
    if len(found) > 1:
        found = _by_columns(found, code)
    if not found:
        raise LeftAlone(
            f"its source text is not in {code.co_filename} at line {code.co_firstlineno}, as if the file had been changed "
            "since it was imported"
        )
    node = copy.deepcopy(found[0])
    owner = _owner(function)
    return _Mangled(owner).visit(node) if owner else node  # type: ignore[return-value]


def _no_text(filename: str) -> str:
    if filename == "<stdin>":
        return "Python's prompt before version 3.13 keeps no source text: write it to a file, or use IPython or Python 3.13"
    if filename.startswith("<"):
        return (
            f"code made by exec has no source text ({filename}): write it to a file, or put the text into "
            "linecache.cache under its file name"
        )
    return f"its source text cannot be had ({filename})"


@functools.lru_cache(32)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _is_definition(node: ast.AST, code: Any) -> bool:
    if isinstance(node, ast.Lambda):
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno and _takes(node, code)
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.name != code.co_name:
        return False
    return min([node.lineno, *(d.lineno for d in node.decorator_list)]) == code.co_firstlineno and _takes(node, code)


def _takes(node: Any, code: Any) -> bool:
    """Whether the arguments of a definition are those of the code: the file may have been changed since."""
    given = node.args
    names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len(names) == code.co_argcount + code.co_kwonlyargcount and all(
        known == name or known.endswith(name) for known, name in zip(code.co_varnames, names)
    )


def _by_columns(nodes: list[Any], code: Any) -> list[Any]:
    """Of several lambdas on one line the one whose text holds the places that the code remembers."""
    known = [p for p in code.co_positions() if None not in p]
    # the code's beginning and end have an empty place at the start of the line
    places = [p for p in known if (p[0], p[2]) < (p[1], p[3])]

    def holds(node: Any) -> bool:
        begin, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        return all(begin <= (line, column) and (last, stop) <= end for line, last, column, stop in places)

    fitting = [node for node in nodes if holds(node)]
    return sorted(fitting, key=lambda n: (n.end_lineno - n.lineno, n.end_col_offset - n.col_offset))[:1]


def _owner(function: FunctionType) -> str:
    """The name of the class in whose body the function stands; empty where it stands in none."""
    parts = function.__qualname__.split(".")
    return parts[-2].lstrip("_") if len(parts) > 1 and parts[-2] != "<locals>" else ""


class _Mangled(ast.NodeTransformer):
    """Private names as Python writes them in the body of a class, which the new code does not stand in."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def _name(self, name: str) -> str:
        return f"_{self.owner}{name}" if name.startswith("__") and not name.endswith("__") else name

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self._name(node.attr)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._name(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._name(node.arg)
        return node


class Blocks(ast.NodeTransformer):
    """Rewrites statements one by one, of which one may become several."""

    def block(self, statements: list[Any]) -> list[Any]:
        out: list[Any] = []
        for statement in statements:
            result = self.visit(statement)
            out.extend(result if isinstance(result, list) else [result])
        return out


class Fresh:
    """Names that the user's code does not have: the base itself where it is free."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.flags: dict[str, str] = {}

    def __call__(self, base: str) -> str:
        """A name for a new variable."""
        name = self.shared(base)
        self.taken.add(name)
        return name

    def shared(self, base: str) -> str:
        """A name for a function that is used at once: others of its kind may have it too."""
        candidates = itertools.chain([base], (f"{base}_{number}" for number in itertools.count(1)))
        return next(name for name in candidates if name not in self.taken)

    def flag(self, base: str, meaning: str) -> str:
        """A name for a variable of the rewrite, and what it is called in messages."""
        name = self(base)
        self.flags[name] = meaning
        return name


class Statements(Blocks):
    """Rewrites the statements of one function, not those of functions and classes in it."""

    def __init__(self, fresh: Fresh) -> None:
        self.fresh = fresh

    def visit_FunctionDef(self, node: Any) -> Any:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef


def quote(template: str, at: ast.AST, **parts: Any) -> list[ast.stmt]:
    """The statements of a template, all at the place of the node `at`, names in it replaced by nodes.

    A name that stands alone as a statement may be replaced by a list of statements. Functions in it are marked as
    made by the rewrite, lambdas as ones that are called at once or not at all.
    """
    module = ast.parse(template)
    place = _head(at)
    for node in ast.walk(module):
        if "lineno" in node._attributes:
            node.lineno, node.col_offset, node.end_lineno, node.end_col_offset = place  # type: ignore[attr-defined]
        if isinstance(node, ast.FunctionDef):
            node.made = True  # type: ignore[attr-defined]
        elif isinstance(node, ast.Lambda):
            node.at_once = True  # type: ignore[attr-defined]
    return _Filled(parts).block(module.body)


def _head(at: Any) -> tuple[int, int, int, int]:
    """Where a node begins, on one line: the call of a method over several lines would be said to be on the last."""
    end = getattr(at, "iter", None) or getattr(at, "test", None) if hasattr(at, "body") else None
    last = at if end is None else end
    column = last.end_col_offset if last.end_lineno == at.lineno else at.col_offset + 1
    return at.lineno, at.col_offset, at.lineno, column


def quote_expression(template: str, at: ast.AST, **parts: Any) -> ast.expr:
    """The expression of a template; see `quote`."""
    (statement,) = quote(template, at, **parts)
    assert isinstance(statement, ast.Expr)
    return statement.value


class _Filled(Blocks):
    def __init__(self, parts: dict[str, Any]) -> None:
        self.parts = parts

    def visit_Expr(self, node: ast.Expr) -> Any:
        if isinstance(node.value, ast.Name) and isinstance(self.parts.get(node.value.id), list):
            return self.parts[node.value.id]
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        found = self.parts.get(node.id)
        return found if isinstance(found, ast.AST) else node
