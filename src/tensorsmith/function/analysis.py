"""Which names a block reads and writes, and which values are still wanted behind it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
LOOPS = (ast.For, ast.While)


class Bindings(ast.NodeVisitor):
    """What statements bind in their own scope.

    names       in the order of their first binding.
    attributes  [(name, attribute)]: `name.attribute = ...`.
    globals_, nonlocals  names declared so.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.globals_: set[str] = set()
        self.nonlocals: set[str] = set()

    def _bind(self, name: str) -> None:
        if name not in self.names:
            self.names.append(name)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            target = (node.value.id, node.attr)
            if target not in self.attributes:
                self.attributes.append(target)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: Any) -> None:
        # a function that the rewrite made is a part of its surroundings, the user's own has its own scope
        if node.name.startswith("ag_"):
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
    return False


def shared(statements: list[ast.stmt]) -> set[str]:
    """Names that functions written inside read: these may run at any time, so the names are always wanted."""
    inner = [n for s in statements for n in ast.walk(s) if isinstance(n, (*SCOPES, ast.GeneratorExp))]
    return read(inner)


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
