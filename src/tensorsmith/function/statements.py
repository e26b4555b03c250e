"""Rewrites if, while and for as calls that take their blocks as functions."""

from __future__ import annotations

import ast
from typing import Any

from tensorsmith.function.analysis import Bindings, Existing, Liveness, bound, names_of_place, plain_names, read
from tensorsmith.function.source import Fresh, Statements, quote


class Variables:
    """The variables of a branch or a loop: how to read them all, set them all, and declare them in a function."""

    def __init__(
        self,
        nodes: list[Any],
        wanted: set[str],
        there: set[str],
        fresh: Fresh,
        at: ast.AST,
        outer: Bindings,
        mine: set[str],
    ) -> None:
        bindings = bound(nodes)
        set_anew = set(bindings.names)
        # an element whose index is another one in each round
        keyed = [n.value for n in bindings.places.values() if isinstance(n, ast.Subscript) and _index(n) in set_anew]
        lists = [*bindings.changed, *(base.id for base in keyed if isinstance(base, ast.Name))]
        lists = [n for n in dict.fromkeys(lists) if n in mine]
        names = list(dict.fromkeys([*bindings.names, *lists]))
        self.plain = [n for n in names if n in wanted or n in outer.nonlocals or n in outer.globals_]
        set_anew = set(names)
        places = {text: node for text, node in bindings.places.items() if not names_of_place(node) & set_anew}
        # an element of an element that is set, too, goes with it
        local = [n for n in self.plain if n not in outer.globals_]
        public = [n for n in self.plain if n in outer.globals_]
        lines = [f"nonlocal {', '.join(local)}"] if local else []
        lines += [f"global {', '.join(public)}"] if public else []
        self.declared = lines
        # in a function that the rewrite makes a name must be bound for `nonlocal` to find it
        unbound = [name for name in local if name not in there and name not in outer.nonlocals]
        self.statements = quote("".join(f"if False: {name} = None\n" for name in unbound), at) if unbound else []
        self.arguments = ""
        if not self.plain and not places:
            return
        names = [fresh.flags.get(name, name) for name in self.plain] + list(places)
        loads = [n if n in there and n not in public else f"ag__.load(lambda: {n}, {n!r})" for n in self.plain]
        loads += [f"ag__.load(lambda: {text}, {text!r})" for text in places]
        get, put, state = fresh.shared("get_state"), fresh.shared("set_state"), fresh.shared("state")
        changed = tuple([fresh.flags.get(name, name) for name in self.plain if name in lists])
        self.arguments = f", {get}, {put}, {tuple(names)!r}" + (f", {changed!r}" if changed else "")
        stores = list(lines)
        count = len(self.plain)
        if self.plain:
            targets = ", ".join(self.plain) + ("," if count == 1 else "")
            stores.append(f"{targets} = {state}" + (f"[:{count}]" if places else ""))
        stores += [_store(node, f"{state}[{count + number}]") for number, node in enumerate(places.values())]
        body = "".join(f"    {line}\n" for line in stores)
        loaded = ", ".join(loads) + ("," if len(loads) == 1 else "")
        self.statements += quote(f"def {get}():\n    return ({loaded})\ndef {put}({state}):\n{body}", at)

    def function(
        self, name: str, arguments: str, body: list[ast.stmt], at: ast.AST, own: bool = True
    ) -> list[ast.stmt]:
        """The definition of a function that runs the statements on these variables."""
        declared = "".join(f"    {line}\n" for line in self.declared) if own else ""
        return quote(f"def {name}({arguments}):\n{declared}    body", at, body=body or quote("pass", at))


def _index(node: ast.Subscript) -> str:
    return node.slice.id if isinstance(node.slice, ast.Name) else ""


def _store(node: Any, value: str) -> str:
    base = ast.unparse(node.value)
    if isinstance(node, ast.Attribute):
        return f"ag__.set_attribute({base}, {node.attr!r}, {value})"
    return f"ag__.set_item({base}, {ast.unparse(node.slice)}, {value})"


class Flow(Statements):
    """if, for and while as calls, from the inside out.

    statements  of the whole function, which has no return but its last, no break and no continue.
    given       the names of its arguments.
    """

    def __init__(self, statements: list[ast.stmt], given: set[str], fresh: Fresh, outer: Bindings) -> None:
        self.live, self.there = Liveness(statements), Existing(statements, given).before
        super().__init__(fresh)
        self.outer = outer
        # its own variables: what a list becomes that is known elsewhere too, nobody would see there
        self.mine = (given | set(outer.names)) - outer.globals_ - outer.nonlocals

    def _wanted(self, node: Any) -> set[str]:
        """The names whose values a statement must hand on, or takes from before."""
        after = self.live.after[id(node)]
        inside = set(self.live.before[id(node.body[0])])
        if isinstance(node, ast.For):
            inside -= plain_names([node.target])  # each round sets it anew
        return after | inside | (self.live.before[id(node.orelse[0])] if node.orelse else set())

    def _variables(self, node: Any, nodes: list[Any], wanted: set[str]) -> Variables:
        return Variables(nodes, wanted, self.there.get(id(node), set()), self.fresh, node, self.outer, self.mine)

    def visit_If(self, node: ast.If) -> Any:
        wanted = self._wanted(node)
        self.generic_visit(node)
        variables = self._variables(node, [*node.body, *node.orelse], wanted)
        then, otherwise = self.fresh.shared("if_body"), self.fresh.shared("else_body")
        made = variables.function(then, "", node.body, node)
        if node.orelse:
            made += variables.function(otherwise, "", node.orelse, node)
        else:
            otherwise = "None"
        call = f"ag__.if_(t, {then}, {otherwise}{variables.arguments})"
        return [*variables.statements, *made, *quote(call, node, t=node.test)]

    def visit_While(self, node: ast.While) -> Any:
        wanted = self._wanted(node)
        self.generic_visit(node)
        asked = ast.copy_location(ast.Expr(node.test), node)
        variables = self._variables(node, [*node.body, asked], wanted | read([node.test]))
        test, body = self.fresh.shared("loop_test"), self.fresh.shared("loop_body")
        return [
            *variables.statements,
            # it reads the variables, and sets none
            *variables.function(test, "", quote("return t", node, t=node.test), node, own=False),
            *variables.function(body, "", node.body, node),
            *quote(f"ag__.while_({test}, {body}{variables.arguments})", node),
            *node.orelse,
        ]

    def visit_For(self, node: ast.For) -> Any:
        wanted = self._wanted(node)
        self.generic_visit(node)
        item = self.fresh.shared("item")
        given = quote(f"t = {item}", node.target)[0]
        assert isinstance(given, ast.Assign)
        given.targets = [node.target]
        flags = getattr(node, "flags", ())
        variables = self._variables(node, [given, *node.body], wanted | set(flags))
        first: list[ast.stmt] = [given]
        if isinstance(node.target, ast.Name) and node.target.id not in variables.plain:
            # nobody else reads it: it is an argument
            item, first = node.target.id, []
        body = self.fresh.shared("loop_body")
        go_on = f"lambda: ag__.not_({flags[0]})" if flags else "None"
        return [
            *variables.statements,
            *variables.function(body, item, [*first, *node.body], node),
            *quote(f"ag__.for_(i, {go_on}, {body}{variables.arguments})", node, i=node.iter),
            *node.orelse,
        ]
