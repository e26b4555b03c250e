"""Rewrites `and`, `or` and ternaries whose operands assign (`:=`) as if statements, whose blocks may set variables."""

from __future__ import annotations

import ast
import copy
from typing import Any

from tensorsmith.function.source import Statements, quote


def assigns(node: ast.AST) -> bool:
    """Whether an expression sets a variable: a := in a lambda would set the lambda's own."""
    return any(isinstance(part, ast.NamedExpr) for part in ast.walk(node))


class Assigning(Statements):
    """Statements whose expression decides which of its operands are computed, and has operands that assign."""

    def visit_If(self, node: ast.If) -> Any:
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        test = node.test
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and any(map(assigns, test.values[1:])):
            # one inside the other, so that the body has what the last one assigned
            first, rest = test.values[0], test.values[1:]
            node.test = rest[0] if len(rest) == 1 else ast.copy_location(ast.BoolOp(ast.And(), rest), test)
            otherwise = copy.deepcopy(node.orelse)
            return self.visit_If(ast.copy_location(ast.If(first, self.block([node]), otherwise), node))
        before, node.test = self._taken_out(test)
        return [*before, node]

    def _with_value(self, node: Any) -> Any:
        if node.value is None:
            return node
        before, node.value = self._taken_out(node.value)
        return [*before, node]

    visit_Assign = visit_AnnAssign = visit_Return = visit_Expr = _with_value

    def _taken_out(self, node: ast.expr) -> tuple[list[ast.stmt], ast.expr]:
        """Statements that compute an expression, and what stands for its value behind them."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            before, node.operand = self._taken_out(node.operand)
            return before, node
        if isinstance(node, ast.IfExp) and (assigns(node.body) or assigns(node.orelse)):
            begun, test = self._taken_out(node.test)
            value = self.fresh("value")
            sides = [
                [*made, *quote(f"{value} = e", node, e=last)]
                for made, last in map(self._taken_out, (node.body, node.orelse))
            ]
            made = quote("if t: a\nelse: b", node, t=test, a=sides[0], b=sides[1])
        elif isinstance(node, ast.BoolOp) and any(map(assigns, node.values[1:])):
            value = self.fresh("value")
            begun, first = self._taken_out(node.values[0])
            begun += quote(f"{value} = e", node, e=first)
            made: list[ast.stmt] = []
            for operand in reversed(node.values[1:]):
                before, last = self._taken_out(operand)
                test = value if isinstance(node.op, ast.And) else f"not {value}"
                inner = [*before, *quote(f"{value} = e", node, e=last), *made]
                made = quote(f"if {test}: rest", node, rest=inner)
        else:
            return [], node
        return [*begun, *made], ast.copy_location(ast.Name(value, ast.Load()), node)
