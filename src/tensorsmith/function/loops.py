"""Rewrites for, while, break, continue, early return; decides at run time whether a loop is part of a program."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from tensorsmith.core import context
from tensorsmith.function.analysis import LOOPS, SCOPES, always_returns, holds, jumps, read
from tensorsmith.function.branches import VALUE, State, Variables, if_, shown
from tensorsmith.function.control_flow import is_open, loop
from tensorsmith.function.source import Fresh, quote, quote_expression
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

Get = Callable[[], State]
Put = Callable[[State], None]


# ---- when the code runs


def while_(test: Callable[[], Any], body: Callable[[], None], get: Get, put: Put, names: tuple[str, ...]) -> None:
    """A while statement: Python's own as long as its test is a Python value, else a loop of the program being traced."""
    answer = test()
    while not (is_open(answer) or isinstance(answer, Tensor) and not context.executing_eagerly()):
        if not answer:
            return
        body()
        answer = test()

    def go_on(*state: Any) -> Any:
        put(state)
        return test()

    def step(*state: Any) -> State:
        put(state)
        body()
        return get()

    put(tuple(loop(go_on, step, list(get()), [shown(name) for name in names])))


def for_(
    items: Any, go_on: Callable[[], Any] | None, body: Callable[[Any], None], get: Get, put: Put, names: tuple[str, ...]
) -> None:
    """A for statement: Python's own over Python's iterables, a loop of the program being traced over tensors.

    go_on  None, or what says after a break or return that there are no more rounds.
    """
    if hasattr(type(items), "_read"):
        items = items._read()
    if not isinstance(items, Tensor) or context.executing_eagerly():
        _python_for(items, go_on, body, get, put, names)
        return
    count, item = rounds(items)

    def more(*state: Any) -> Any:
        put(state)
        assert go_on is not None
        return go_on()

    def step(number: Tensor, *state: Any) -> State:
        put(state)
        body(item(number))
        return get()

    test = None if go_on is None else more
    put(tuple(loop(test, step, list(get()), [shown(name) for name in names], count=count)))


def _python_for(
    items: Any, go_on: Any, body: Callable[[Any], None], get: Get, put: Put, names: tuple[str, ...]
) -> None:
    more: Any = True
    for item in items:
        if is_open(more):
            # whether the loop was left is known only when the program runs: the rest of its rounds hang on it
            if_(more, lambda item=item: body(item), lambda: None, get, put, names)
        else:
            body(item)
        if go_on is not None:
            more = go_on()
            if not is_open(more) and not more:
                break


def rounds(items: Tensor) -> tuple[Any, Callable[[Tensor], Any]]:
    """The number of rows of a tensor, and what gives row number i; a range is counted, never made."""
    if items.ndim == 0:
        raise TypeError(f"Cannot iterate over a scalar tensor: {items!r}. Did you mean tf.range(...)?")
    bounds = _bounds(items) if isinstance(items, Symbol) else None
    if bounds is None:
        size = items.shape[0]
        count = convert(size) if size is not None else functions["shape"](items)[0]
        return count, lambda number: functions["gather"](items, number)
    start, limit, step = bounds
    count = functions["maximum"](_steps(start, limit, step), 0)
    return count, lambda number: start + functions["cast"](number, start.dtype) * step


def _steps(start: Tensor, limit: Tensor, step: Tensor) -> Tensor:
    # rounded up, by the floor of the negative
    return functions["cast"](-((start - limit) // step), "int32")


def _bounds(items: Symbol) -> tuple[Tensor, Tensor, Tensor] | None:
    """Start, limit and step of a symbol that tf.range made; None for another."""
    graph = items._graph
    node = next((n for n in reversed(graph.program.nodes) if items._id in n.outputs), None)
    if node is None or node.op.name != "range":
        return None
    found = []
    for number in node.inputs:
        if number in graph.program.constants:
            found.append(Tensor(graph.program.constants[number]))
        else:
            shape, dtype = graph.program.specs[number]
            found.append(Symbol(graph, number, shape, dtype))
    return tuple(found)  # type: ignore[return-value]


# ---- when the code is rewritten


def lower_returns(body: list[ast.stmt], fresh: Fresh) -> list[ast.stmt]:
    """The statements of a function whose only return is their last."""
    compound = [s for s in body if not isinstance(s, (ast.Return, *SCOPES))]
    if not holds(compound, ast.Return):
        return body
    complete = always_returns(body)
    lowered = _Returns(fresh(VALUE), fresh("done"))
    statements = lowered.block(body, False)
    return [
        *quote(f"{lowered.done} = False\n{lowered.value} = ag__.Undefined({shown(lowered.value)!r})", body[0]),
        *statements,
        *quote(f"return ag__.returned({lowered.done}, {lowered.value}, {complete})", body[-1]),
    ]


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
        for field in ("body", "orelse", "finalbody"):
            part = getattr(node, field, None)
            if part:
                # the else of a loop stands outside of it
                setattr(node, field, self.block(part, inner if field == "body" else in_loop))
        for part in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            part.body = self.block(part.body, inner)


class Jumps(ast.NodeTransformer):
    """break and continue as flags: what stands behind one runs unless its flag is set."""

    def __init__(self, fresh: Fresh) -> None:
        self.fresh = fresh

    def block(self, statements: list[Any]) -> list[Any]:
        out: list[Any] = []
        for statement in statements:
            result = self.visit(statement)
            out.extend(result if isinstance(result, list) else [result])
        return out

    def visit_FunctionDef(self, node: Any) -> Any:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef

    def visit_For(self, node: Any) -> Any:
        self.generic_visit(node)
        node.flags = ()
        left, next_ = jumps(node.body, ast.Break), jumps(node.body, ast.Continue)
        if not (left or next_):
            return node
        broken = self.fresh("break") if left else ""
        skipped = self.fresh("continue") if next_ else ""
        node.body = self._flagged(node.body, broken, skipped)
        if skipped:
            node.body = [*quote(f"{skipped} = False", node), *node.body]
        if not broken:
            return node
        node.flags = (broken,)
        before = quote(f"{broken} = False", node)
        if isinstance(node, ast.While):
            node.test = quote_expression(f"ag__.and_(ag__.not_({broken}), lambda: t)", node, t=node.test)
        after: list[ast.stmt] = []
        if node.orelse:
            after = quote(f"if ag__.not_({broken}): rest", node, rest=node.orelse)
            node.orelse = []
        return [*before, node, *after]

    def visit_While(self, node: ast.While) -> Any:
        if any(isinstance(part, ast.NamedExpr) for part in ast.walk(node.test)) and not node.orelse:
            # a test that assigns belongs to the round: what it assigns is carried then
            stop = quote("if ag__.not_(t): stop", node, t=node.test, stop=[ast.copy_location(ast.Break(), node)])
            node.body, node.test = [*stop, *node.body], quote_expression("True", node)
        return self.visit_For(node)

    def _flagged(self, statements: list[ast.stmt], broken: str, skipped: str) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for at, statement in enumerate(statements):
            if isinstance(statement, (ast.Break, ast.Continue)):
                return [*out, *quote(f"{broken if isinstance(statement, ast.Break) else skipped} = True", statement)]
            out.append(statement)
            if isinstance(statement, (*LOOPS, *SCOPES)) or not jumps([statement], (ast.Break, ast.Continue)):
                continue
            flags = [flag for flag, kind in ((broken, ast.Break), (skipped, ast.Continue)) if jumps([statement], kind)]
            for field in ("body", "orelse", "finalbody"):
                if getattr(statement, field, None):
                    setattr(statement, field, self._flagged(getattr(statement, field), broken, skipped))
            for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
                part.body = self._flagged(part.body, broken, skipped)
            rest = statements[at + 1 :]
            if rest:
                test = flags[0] if len(flags) == 1 else f"ag__.or_({flags[0]}, lambda: {flags[1]})"
                out += quote(f"if ag__.not_({test}): rest", statement, rest=self._flagged(rest, broken, skipped))
            return out
        return out


def rewrite_while(node: ast.While, wanted: set[str], fresh: Fresh, outer: Any) -> list[ast.stmt]:
    """The statements that stand for a while loop, its parts being rewritten already."""
    asked = ast.copy_location(ast.Expr(node.test), node)
    variables = Variables([*node.body, asked], wanted | read([node.test]), fresh, node, outer)
    test, body = fresh("test"), fresh("body")
    return [
        *variables.statements,
        *variables.function(test, "", quote("return t", node, t=node.test), node),
        *variables.function(body, "", node.body, node),
        *quote(f"ag__.while_({test}, {body}, {variables.get}, {variables.put}, {variables.names!r})", node),
        *node.orelse,
    ]


def rewrite_for(node: ast.For, wanted: set[str], fresh: Fresh, outer: Any) -> list[ast.stmt]:
    """The statements that stand for a for loop, its parts being rewritten already."""
    item = ast.copy_location(ast.Name("ag_item", ast.Load()), node.target)
    given = ast.copy_location(ast.Assign([node.target], item), node.target)
    flags = getattr(node, "flags", ())
    variables = Variables([given, *node.body], wanted | set(flags), fresh, node, outer)
    body = fresh("body")
    go_on = f"lambda: ag__.not_({flags[0]})" if flags else "None"
    return [
        *variables.statements,
        *variables.function(body, "ag_item", [given, *node.body], node),
        *quote(
            f"ag__.for_(i, {go_on}, {body}, {variables.get}, {variables.put}, {variables.names!r})", node, i=node.iter
        ),
        *node.orelse,
    ]
