"""Which names and places a block reads and writes, which values are wanted behind it, and which surely exist."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
LOOPS = (ast.For, ast.While)
# methods that change a list in place
CHANGING = frozenset({"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"})


def is_made(node: Any) -> bool:
    """True for a function that the rewrite made: it is a part of its surroundings, not a scope of the user's."""
    return getattr(node, "made", False)


class Bindings(ast.NodeVisitor):
    """What statements bind in their own scope.

    names    in the order of their first binding.
    places   {text: node} of attributes and elements that are set: `self.n = ...`, `state["n"] = ...`.
    changed  names whose lists may be changed in place: `out.append(x)`, `out[i + 1] = x`.
    globals_, nonlocals  names declared so.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.changed: list[str] = []
        self.places: dict[str, Any] = {}
        self.globals_: set[str] = set()
        self.nonlocals: set[str] = set()

    def _bind(self, name: str) -> None:
        if name not in self.names:
            self.names.append(name)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id)

    def _place(self, node: Any) -> None:
        if isinstance(node.ctx, ast.Store) and names_of_place(node):
            self.places.setdefault(ast.unparse(node), node)
        elif isinstance(node.ctx, ast.Store) and isinstance(node, ast.Subscript):
            self._change(node.value)
        self.generic_visit(node)

    def _change(self, node: Any) -> None:
        if isinstance(node, ast.Name) and node.id not in self.changed:
            self.changed.append(node.id)

    def visit_Call(self, node: ast.Call) -> None:
        method = node.func
        if isinstance(method, ast.Call) and method.args and ast.unparse(method.func) == "ag__.converted":
            method = method.args[0]
        if isinstance(method, ast.Attribute) and method.attr in CHANGING:
            self._change(method.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        # out += [x]
        if isinstance(node.op, ast.Add):
            self._change(node.target)
        self.generic_visit(node)

    visit_Attribute = visit_Subscript = _place

    def visit_FunctionDef(self, node: Any) -> None:
        if is_made(node):
            for statement in node.body:
                self.visit(statement)
        else:
            self._bind(node.name)

    def visit_ClassDef(self, node: Any) -> None:
        self._bind(node.name)

    visit_AsyncFunctionDef = visit_ClassDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def _comprehension(self, node: ast.AST) -> None:
        # its own variables stay inside; only := reaches out
        for part in ast.walk(node):
            if isinstance(part, ast.NamedExpr):
                self.visit_Name(part.target)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Global(self, node: ast.Global) -> None:
        self.globals_.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.nonlocals.update(node.names)

    def _import(self, node: Any) -> None:
        for alias in node.names:
            self._bind((alias.asname or alias.name).split(".")[0])

    visit_Import = visit_ImportFrom = _import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    def _capture(self, node: Any) -> None:
        if node.name:
            self._bind(node.name)
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = _capture

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest)
        self.generic_visit(node)


def names_of_place(node: Any) -> set[str]:
    """The names in `a.b`, `a["k"]`, `a.b[0]`, `a[i]`; empty where the place is not one that can be named twice."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return names_of_place(node.value)
    if isinstance(node, ast.Subscript):
        base, key = names_of_place(node.value), node.slice
        if isinstance(key, ast.UnaryOp):
            key = key.operand
        if base and isinstance(key, ast.Constant):
            return base
        if base and isinstance(key, ast.Name):
            return base | {key.id}
    return set()


def bound(nodes: Iterable[ast.AST]) -> Bindings:
    """What nodes bind."""
    bindings = Bindings()
    for node in nodes:
        bindings.visit(node)
    return bindings


def read(nodes: Iterable[ast.AST | None]) -> set[str]:
    """The names that nodes read, in nested functions too."""
    return {
        part.id
        for node in nodes
        if node is not None
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, (ast.Load, ast.Del))
    }


def holds(nodes: Iterable[ast.AST], kinds: Any, stop: Any = SCOPES) -> bool:
    """Whether a node of these kinds stands in the nodes, not looking into the kinds `stop`."""
    for node in nodes:
        if isinstance(node, kinds):
            return True
        if not isinstance(node, stop) and holds(ast.iter_child_nodes(node), kinds, stop):
            return True
    return False


def jumps(nodes: Iterable[ast.AST], kinds: Any) -> bool:
    """Whether a break or continue of the loop around the nodes stands in them."""
    return holds(nodes, kinds, (*SCOPES, *LOOPS))


def always_returns(statements: list[ast.stmt]) -> bool:
    """True where no way through the statements falls off their end."""
    for statement in statements:
        if isinstance(statement, (ast.Return, ast.Raise)):
            return True
        if isinstance(statement, ast.If) and always_returns(statement.body) and always_returns(statement.orelse):
            return True
        if isinstance(statement, ast.With) and always_returns(statement.body):
            return True
        if isinstance(statement, ast.Try):
            ways = [statement.body + statement.orelse, *(handler.body for handler in statement.handlers)]
            if always_returns(statement.finalbody) or all(map(always_returns, ways)):
                return True
    return False


def shared(statements: list[ast.stmt]) -> set[str]:
    """Names that functions written inside read: these may run at any time, so the names are always wanted."""
    inner = [n for s in statements for n in ast.walk(s) if isinstance(n, (*SCOPES, ast.GeneratorExp))]
    return read(n for n in inner if not getattr(n, "at_once", False))


class Liveness:
    """For each branch and loop the names whose values are wanted behind it (`after`) and at its head (`before`)."""

    def __init__(self, statements: list[ast.stmt]) -> None:
        self.always = shared(statements)
        self.after: dict[int, set[str]] = {}
        self.before: dict[int, set[str]] = {}
        self.block(statements, set(self.always))

    def block(self, statements: list[ast.stmt], after: set[str]) -> set[str]:
        for statement in reversed(statements):
            self.after[id(statement)] = set(after)
            after = self._through(statement, after) | self.always
            self.before[id(statement)] = set(after)
        return after

    def _through(self, node: Any, after: set[str]) -> set[str]:
        """The names wanted before a statement."""
        if isinstance(node, ast.If):
            return self.block(node.body, after) | self.block(node.orelse, after) | read([node.test])
        if isinstance(node, LOOPS):
            return self._loop(node, after)
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return (after - plain_names(targets)) | read([node])
        if isinstance(node, ast.AugAssign):
            return after | read([node]) | ({node.target.id} if isinstance(node.target, ast.Name) else set())
        if isinstance(node, ast.Return):
            return read([node])
        if isinstance(node, ast.With):
            return self.block(node.body, after) | read([item.context_expr for item in node.items])
        if isinstance(node, ast.Try):
            # any statement of the body may be the last that runs
            rest = [*node.handlers, *node.orelse, *node.finalbody]
            wanted = after | read(rest)
            for part in (node.orelse, node.finalbody, *(handler.body for handler in node.handlers)):
                self.block(part, wanted | read(node.finalbody))
            return self.block(node.body, wanted | read(node.body)) | wanted
        if isinstance(node, ast.Match):
            wanted = after | read([node.subject]) | read(case.guard for case in node.cases)
            for case in node.cases:
                wanted |= self.block(case.body, after)
            return wanted
        return after | read([node])

    def _loop(self, node: Any, after: set[str]) -> set[str]:
        head = read([node.test if isinstance(node, ast.While) else node.iter]) | {*getattr(node, "flags", ())}
        targets = plain_names([node.target]) if isinstance(node, ast.For) else set()
        wanted = after | head
        for _ in range(2):  # what one round reads may be what the round before wrote
            wanted = wanted | (self.block(node.body, wanted) - targets)
        return wanted | self.block(node.orelse, after)


class Existing:
    """For each branch and loop the names that surely have a value before it, on every way to it."""

    def __init__(self, statements: list[ast.stmt], given: set[str]) -> None:
        self.before: dict[int, set[str]] = {}
        # a name that is deleted somewhere, as an exception's name is at the end of its handler, is never sure
        parts = [part for statement in statements for part in ast.walk(statement)]
        self.lost = {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Del)}
        self.lost |= {part.name for part in parts if isinstance(part, ast.ExceptHandler) and part.name}
        self.block(statements, given - self.lost)

    def block(self, statements: list[ast.stmt], there: set[str]) -> set[str]:
        for statement in statements:
            self.before[id(statement)] = set(there)
            there = self._through(statement, there) - self.lost
        return there

    def _through(self, node: Any, there: set[str]) -> set[str]:
        """The names that exist behind a statement."""
        if isinstance(node, ast.If):
            return self.block(node.body, there) & self.block(node.orelse, there)
        if isinstance(node, LOOPS):
            inside = there | plain_names([node.target]) if isinstance(node, ast.For) else there
            self.block(node.body, inside)
            self.block(node.orelse, there)
            return there
        if isinstance(node, ast.With):
            targets = plain_names([item.optional_vars for item in node.items if item.optional_vars])
            # a context may swallow an exception: only the targets are sure
            self.block(node.body, there | targets)
            return there | targets
        if isinstance(node, ast.Try):
            self.block(node.orelse, self.block(node.body, there))
            for handler in node.handlers:
                self.block(handler.body, there)
            return self.block(node.finalbody, there)
        if isinstance(node, ast.Match):
            for case in node.cases:
                self.block(case.body, there | set(bound([case.pattern]).names))
            return there
        if isinstance(node, ast.Assign):
            return there | plain_names(node.targets)
        if isinstance(node, ast.AnnAssign):
            return there | plain_names([node.target]) if node.value is not None else there
        if isinstance(node, (ast.AugAssign, ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)):
            return there | set(bound([node]).names)
        return there


def plain_names(targets: list[Any]) -> set[str]:
    """Names that an assignment surely sets."""
    found: set[str] = set()
    for target in targets:
        if isinstance(target, ast.Name):
            found.add(target.id)
        elif isinstance(target, (ast.Tuple, ast.List)):
            found |= plain_names(target.elts)
        elif isinstance(target, ast.Starred):
            found |= plain_names([target.value])
    return found
