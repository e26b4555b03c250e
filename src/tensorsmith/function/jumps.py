"""Rewrites return, break and continue as flags, so that every block has one way in and one way out."""

from __future__ import annotations

import ast
from typing import Any

from tensorsmith.function.analysis import LOOPS, SCOPES, always_returns, holds, jumps, plain_names, read
from tensorsmith.function.merging import RETURNED
from tensorsmith.function.source import Fresh, Statements, quote, quote_expression

FLAG = "a flag for break or return"


def lower_returns(body: list[ast.stmt], fresh: Fresh) -> list[ast.stmt]:
    """The statements of a function whose only return is their last."""
    compound = [s for s in body if not isinstance(s, (ast.Return, *SCOPES))]
    if not holds(compound, ast.Return):
        return body
    complete = always_returns(body)
    lowered = _Returns(fresh.flag("return_value", RETURNED), fresh.flag("returned", FLAG))
    head = body[:1] if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else []
    statements = lowered.block(body[len(head) :], False)
    begun = quote(f"{lowered.value} = ag__.Undefined({RETURNED!r})", body[0])
    if complete and lowered.done not in read(statements):
        # each way ends in its return and nothing asks which one it was
        statements = [_Without(lowered.done).visit(statement) for statement in statements]
        return [*head, *begun, *statements, *quote(f"return {lowered.value}", body[-1])]
    return [
        *head,
        *quote(f"{lowered.done} = False", body[0]),
        *begun,
        *statements,
        *quote(f"return ag__.returned({lowered.done}, {lowered.value}, {complete})", body[-1]),
    ]


class _Without(ast.NodeTransformer):
    """Statements without the assignments to a flag."""

    def __init__(self, flag: str) -> None:
        self.flag = flag

    def visit_Assign(self, node: ast.Assign) -> Any:
        return None if plain_names(node.targets) == {self.flag} else node


class _Returns:
    """Returns as assignments to `value` and `done`; what stands behind one runs unless `done`."""

    def __init__(self, value: str, done: str) -> None:
        self.value, self.done = value, done

    def block(self, statements: list[ast.stmt], in_loop: bool) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for at, statement in enumerate(statements):
            rest = statements[at + 1 :]
            if isinstance(statement, ast.Return):
                value = statement.value or ast.copy_location(ast.Constant(None), statement)
                out += quote(f"{self.value} = v\n{self.done} = True", statement, v=value)
                return [*out, *([ast.copy_location(ast.Break(), statement)] if in_loop else [])]
            out.append(statement)
            if isinstance(statement, SCOPES) or not holds([statement], ast.Return):
                continue
            if isinstance(statement, ast.If) and self._one_sided(statement, rest, in_loop):
                return out
            self._inside(statement, in_loop)
            if in_loop:
                out += quote(f"if {self.done}: break", statement)
            if rest:
                out += quote(f"if ag__.not_({self.done}): rest", statement, rest=self.block(rest, in_loop))
            return out
        return out

    def _one_sided(self, node: ast.If, rest: list[ast.stmt], in_loop: bool) -> bool:
        """Where one side always returns, the rest belongs to the other: no flag is asked then."""
        if always_returns(node.body):
            node.body, node.orelse = self.block(node.body, in_loop), self.block([*node.orelse, *rest], in_loop)
        elif always_returns(node.orelse):
            node.body, node.orelse = self.block([*node.body, *rest], in_loop), self.block(node.orelse, in_loop)
        else:
            return False
        return True

    def _inside(self, node: Any, in_loop: bool) -> None:
        inner = in_loop or isinstance(node, LOOPS)
        leaves = isinstance(node, ast.Try) and holds(node.body, ast.Return)
        for field in ("body", "orelse", "finalbody"):
            part = getattr(node, field, None)
            if part:
                # the else of a loop stands outside of it
                setattr(node, field, self.block(part, inner if field == "body" else in_loop))
        for part in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            part.body = self.block(part.body, inner)
        if leaves and node.orelse:
            # a body that returned has no else
            node.orelse = quote(f"if ag__.not_({self.done}): rest", node.orelse[0], rest=node.orelse)


class Jumps(Statements):
    """break and continue as flags: what stands behind one runs unless its flag is set."""

    def visit_For(self, node: Any) -> Any:
        self.generic_visit(node)
        node.flags = ()
        left, next_ = jumps(node.body, ast.Break), jumps(node.body, ast.Continue)
        if not (left or next_):
            return node
        broken = self.fresh.flag("broken", FLAG) if left else ""
        skipped = self.fresh.flag("skipped", FLAG) if next_ else ""
        node.body = self._flagged(node.body, broken, skipped)
        if skipped:
            node.body = [*quote(f"{skipped} = False", node), *node.body]
        if not broken:
            return node
        node.flags = (broken,)
        before = quote(f"{broken} = False", node)
        if isinstance(node, ast.While):
            endless = isinstance(node.test, ast.Constant) and node.test.value
            template = f"ag__.not_({broken})" if endless else f"ag__.and_(ag__.not_({broken}), lambda: t)"
            node.test = quote_expression(template, node, t=node.test)
        after: list[ast.stmt] = []
        if node.orelse:
            after = quote(f"if ag__.not_({broken}): rest", node, rest=node.orelse)
            node.orelse = []
        return [*before, node, *after]

    def visit_While(self, node: ast.While) -> Any:
        if not any(isinstance(part, ast.NamedExpr) for part in ast.walk(node.test)):
            return self.visit_For(node)
        # a test that assigns belongs to the round: what it assigns is carried then
        ended = self.fresh.flag("ended", FLAG) if node.orelse else ""
        stop: list[ast.stmt] = [ast.copy_location(ast.Break(), node)]
        if ended:
            stop = [*quote(f"{ended} = True", node), *stop]
        head = quote("if ag__.not_(t): stop", node, t=node.test, stop=stop)
        whole = ast.copy_location(ast.While(quote_expression("True", node), [*head, *node.body], []), node)
        before, after = [], []
        if ended:
            before = quote(f"{ended} = False", node)
            after = quote(f"if {ended}: rest", node, rest=self.block(node.orelse))
        result = self.visit_For(whole)
        return [*before, *(result if isinstance(result, list) else [result]), *after]

    def _flagged(self, statements: list[ast.stmt], broken: str, skipped: str) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for at, statement in enumerate(statements):
            if isinstance(statement, (ast.Break, ast.Continue)):
                return [*out, *quote(f"{broken if isinstance(statement, ast.Break) else skipped} = True", statement)]
            out.append(statement)
            if isinstance(statement, (*LOOPS, *SCOPES)) or not jumps([statement], (ast.Break, ast.Continue)):
                continue
            flags = self._flags([statement], broken, skipped)
            leaves = self._flags(statement.body, broken, skipped) if isinstance(statement, ast.Try) else []
            for field in ("body", "orelse", "finalbody"):
                if getattr(statement, field, None):
                    setattr(statement, field, self._flagged(getattr(statement, field), broken, skipped))
            for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
                part.body = self._flagged(part.body, broken, skipped)
            if leaves and statement.orelse:  # type: ignore[attr-defined]
                statement.orelse = _unless(leaves, statement, statement.orelse)  # type: ignore[attr-defined]
            rest = statements[at + 1 :]
            if rest:
                out += _unless(flags, statement, self._flagged(rest, broken, skipped))
            return out
        return out

    def _flags(self, nodes: list[Any], broken: str, skipped: str) -> list[str]:
        return [flag for flag, kind in ((broken, ast.Break), (skipped, ast.Continue)) if jumps(nodes, kind)]


def _unless(flags: list[str], at: ast.AST, rest: list[ast.stmt]) -> list[ast.stmt]:
    """`rest`, run where none of the flags is set."""
    test = flags[0] if len(flags) == 1 else f"ag__.or_({flags[0]}, lambda: {flags[1]})"
    return quote(f"if ag__.not_({test}): rest", at, rest=rest)
