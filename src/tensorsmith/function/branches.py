"""Rewrites if, and, or, not, ternaries and chains of comparisons; decides at run time whether they are part of a program."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from tensorsmith.function.analysis import bound
from tensorsmith.function.control_flow import branch, is_open
from tensorsmith.function.merging import RETURNED, Undefined
from tensorsmith.function.source import Fresh, quote, quote_expression
from tensorsmith.tensor.apply import functions

State = tuple[Any, ...]
VALUE = "value"  # names of the rewrite that hold what a function returns: ag_value_1, ...


# ---- when the code runs


def if_(
    test: Any,
    then: Callable[[], None],
    otherwise: Callable[[], None],
    get: Callable[[], State],
    put: Callable[[State], None],
    names: tuple[str, ...],
) -> None:
    """An if statement: Python's own, or a branch of the program being traced where the test is a symbol."""
    if not is_open(test):
        then() if test else otherwise()
        return
    before = get()

    def run(body: Callable[[], None]) -> State:
        put(before)
        body()
        return get()

    put(branch(test, lambda: run(then), lambda: run(otherwise), [shown(name) for name in names]))


def shown(name: str) -> str:
    """What a variable is called in messages."""
    return (
        RETURNED
        if name.startswith(f"ag_{VALUE}_")
        else "a flag for break or return"
        if name.startswith("ag_")
        else name
    )


def if_expression(test: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """then() if test else otherwise()."""
    if is_open(test):
        return branch(test, then, otherwise)
    return then() if test else otherwise()


def and_(value: Any, second: Callable[[], Any]) -> Any:
    """value and second()."""
    return functions["logical_and"](value, second()) if is_open(value) else value and second()


def or_(value: Any, second: Callable[[], Any]) -> Any:
    """value or second()."""
    return functions["logical_or"](value, second()) if is_open(value) else value or second()


def not_(value: Any) -> Any:
    """not value."""
    return functions["logical_not"](value) if is_open(value) else not value


def load(read: Callable[[], Any], name: str) -> Any:
    """The value of a variable or attribute, or what says that it has none."""
    try:
        return read()
    except (NameError, AttributeError):
        return Undefined(name)


def returned(done: Any, value: Any, complete: bool) -> Any:
    """What a function returns whose returns were rewritten; `complete`: it never falls off its end."""
    if is_open(done) and not complete and value is not None:
        raise ValueError(
            "A function returns a value on some of its ways only, and which way is taken is known only when the program "
            "runs: return a value on every way."
        )
    return None if isinstance(value, Undefined) or done is False else value


# ---- when the code is rewritten


class Expressions(ast.NodeTransformer):
    """and, or, not, ternaries, chains of comparisons, and calls, as calls of the functions above."""

    def __init__(self, first_argument: str) -> None:
        self.first_argument = first_argument

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        # rewritten by itself when it is made, whoever calls it
        node.decorator_list.append(quote_expression("ag__.converted", node))
        return node

    def visit_ClassDef(self, node: Any) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_ClassDef

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        return (
            node
            if any(map(_assigns, node.values[1:]))
            else self._joined(node.values, "and_" if isinstance(node.op, ast.And) else "or_", node)
        )

    def _joined(self, values: list[ast.expr], name: str, at: ast.AST) -> ast.expr:
        result = values[-1]
        for value in reversed(values[:-1]):
            result = quote_expression(f"ag__.{name}(a, lambda: b)", at, a=value, b=result)
        return result

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return quote_expression("ag__.not_(a)", node, a=node.operand) if isinstance(node.op, ast.Not) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if _assigns(node):
            return node
        return quote_expression(
            "ag__.if_expression(c, lambda: a, lambda: b)", node, c=node.test, a=node.body, b=node.orelse
        )

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1 or _assigns(node):
            return node
        # the values in the middle are computed once, as Python does
        *middle, _ = node.comparators
        names = [f"ag_c{at}" for at in range(len(middle))]
        left, parts = node.left, []
        for at, (op, right) in enumerate(zip(node.ops, node.comparators)):
            kept: ast.expr = right
            if at < len(middle):
                kept = ast.copy_location(ast.Name(names[at], ast.Load()), right)
            parts.append(ast.copy_location(ast.Compare(left, [op], [kept]), node))
            left = ast.copy_location(ast.Name(names[at], ast.Load()), right) if at < len(middle) else right
        inner = parts[-1]
        for at in range(len(middle) - 1, -1, -1):
            inner = quote_expression("ag__.and_(a, lambda: b)", node, a=parts[at], b=inner)
            inner = quote_expression(f"(lambda {names[at]}: e)(v)", node, e=inner, v=middle[at])
        return inner

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            # without arguments it asks the frame, which is another one now
            node.args = [quote_expression("__class__", node), quote_expression(self.first_argument, node)]
            return node
        if isinstance(node.func, ast.Name) and node.func.id in _OF_THE_FRAME:
            return node
        if (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "ag__"
        ):
            return node
        node.func = quote_expression("ag__.converted(f)", node, f=node.func)
        return node


_OF_THE_FRAME = frozenset({"locals", "globals", "vars", "eval", "exec", "super", "dir", "__import__"})


def _assigns(node: ast.AST) -> bool:
    # a := inside a lambda would bind the lambda's own variable
    return any(isinstance(part, ast.NamedExpr) for part in ast.walk(node))


class Variables:
    """The variables of a branch or a loop: how to read them all, set them all, and declare them in a function."""

    def __init__(self, nodes: list[Any], wanted: set[str], fresh: Fresh, at: ast.AST, outer: Any) -> None:
        bindings = bound(nodes)
        plain = [n for n in bindings.names if n in wanted or n in outer.nonlocals or n in outer.globals_]
        local = [n for n in plain if n not in outer.globals_]
        public = [n for n in plain if n in outer.globals_]
        self.names = tuple(plain + [f"{a}.{b}" for a, b in bindings.attributes])
        lines = [f"nonlocal {', '.join(local)}"] if local else []
        lines += [f"global {', '.join(public)}"] if public else []
        self.declared = "\n    ".join(lines or ["pass"])
        self.get, self.put = fresh("get"), fresh("put")
        loads = "".join(f"ag__.load(lambda: {name}, {name!r}), " for name in self.names)
        stores = f"({', '.join(self.names)},) = ag_state" if self.names else "pass"
        # a name that is bound nowhere else in the function must be its local for `nonlocal` to find it
        binding = "".join(f"if False: {name} = None\n" for name in local if name not in outer.nonlocals)
        self.statements = quote(
            f"{binding}def {self.get}():\n    return ({loads})\n"
            f"def {self.put}(ag_state):\n    {self.declared}\n    {stores}\n",
            at,
        )

    def function(self, name: str, arguments: str, body: list[ast.stmt], at: ast.AST) -> list[ast.stmt]:
        """The definition of a function that runs the statements on these variables."""
        return quote(f"def {name}({arguments}):\n    {self.declared}\n    body", at, body=body or quote("pass", at))


def rewrite_if(node: ast.If, wanted: set[str], fresh: Fresh, outer: Any) -> list[ast.stmt]:
    """The statements that stand for an if, its parts being rewritten already."""
    variables = Variables([*node.body, *node.orelse], wanted, fresh, node, outer)
    then, otherwise = fresh("then"), fresh("else")
    return [
        *variables.statements,
        *variables.function(then, "", node.body, node),
        *variables.function(otherwise, "", node.orelse, node),
        *quote(
            f"ag__.if_(t, {then}, {otherwise}, {variables.get}, {variables.put}, {variables.names!r})",
            node,
            t=node.test,
        ),
    ]
