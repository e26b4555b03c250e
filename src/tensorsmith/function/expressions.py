"""Rewrites and, or, not, ternaries, chains of comparisons, asserts and calls."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from typing import Any

from tensorsmith.function.assigning import assigns
from tensorsmith.function.source import Fresh, quote_expression

# these ask the frame that calls them
OF_THE_FRAME = frozenset({"locals", "globals", "vars", "eval", "exec", "super", "dir", "__import__"})


class Expressions(ast.NodeTransformer):
    """and, or, not, ternaries, chains of comparisons, asserts and calls, as calls of what decides when the code runs.

    first_argument  the name of the function's first argument, for `super()`.
    plain           says of a call's `a.b.c` whether it is surely nothing that is rewritten: it is called as it stands then.
    """

    def __init__(self, first_argument: str, fresh: Fresh, plain: Callable[[list[str]], bool]) -> None:
        self.first_argument, self.fresh, self.plain = first_argument, fresh, plain

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        # rewritten by itself when it is made, whoever calls it
        node.decorator_list.append(quote_expression("ag__.converted", node))
        return node

    def visit_ClassDef(self, node: Any) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_ClassDef

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if any(map(assigns, node.values[1:])):
            return node
        name = "and_" if isinstance(node.op, ast.And) else "or_"
        result = node.values[-1]
        for value in reversed(node.values[:-1]):
            result = quote_expression(f"ag__.{name}(a, lambda: b)", node, a=value, b=result)
        return result

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return quote_expression("ag__.not_(a)", node, a=node.operand) if isinstance(node.op, ast.Not) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if assigns(node.body) or assigns(node.orelse):
            return node
        return quote_expression(
            "ag__.if_expression(c, lambda: a, lambda: b)", node, c=node.test, a=node.body, b=node.orelse
        )

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1 or assigns(node):
            return node
        # the values in the middle are computed once, as Python does
        *middle, _ = node.comparators
        names: list[str] = []
        left, parts = node.left, []
        for at, (op, right) in enumerate(zip(node.ops, node.comparators)):
            kept = right
            if at < len(middle) and not isinstance(right, (ast.Name, ast.Constant)):
                names.append(self.fresh("between"))
                kept = ast.copy_location(ast.Name(names[-1], ast.Load()), right)
            elif at < len(middle):
                names.append("")
            parts.append(ast.copy_location(ast.Compare(left, [op], [kept]), node))
            left = copy.deepcopy(kept)
        inner: ast.expr = parts[-1]
        for at in range(len(middle) - 1, -1, -1):
            inner = quote_expression("ag__.and_(a, lambda: b)", node, a=parts[at], b=inner)
            if names[at]:
                inner = quote_expression(f"(lambda {names[at]}: e)(v)", node, e=inner, v=middle[at])
        return inner

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        self.generic_visit(node)
        message = copy.deepcopy(node.msg) or ast.copy_location(ast.Constant(None), node)
        node.test = quote_expression("ag__.asserted(t, lambda: m)", node, t=node.test, m=message)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        path = _path(node.func)
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            # without arguments it asks the frame, which is another one now
            node.args = [quote_expression("__class__", node), quote_expression(self.first_argument, node)]
            return node
        if path and (path[0] == "ag__" or len(path) == 1 and path[0] in OF_THE_FRAME or self.plain(path)):
            return node
        node.func = quote_expression("ag__.converted(f)", node.func, f=node.func)
        return node


def _path(node: ast.AST) -> list[str]:
    """["a", "b", "c"] for a.b.c; empty for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else []
