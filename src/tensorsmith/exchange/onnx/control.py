"""Branches and loops of JAX as ONNX: If and Loop, whose bodies are graphs that see what is around them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.exchange.onnx.graph import Builder
from tensorsmith.exchange.onnx.primitives import jaxpr, reversed_, rule


def _dtypes(variables: Any) -> list[Any]:
    return [variable.aval.dtype for variable in variables]


@rule("cond")
def _(b: Builder, e: Any, x: list[str]) -> list[str]:
    branches, dtypes = e.params["branches"], _dtypes(e.outvars)
    number = b.add("Cast", x[0], to=b.type_of(np.int64))

    def chosen(builder: Builder, first: int) -> list[str]:
        if first == len(branches) - 1:
            return jaxpr(builder, branches[first], x[1:])
        then, otherwise = builder.inside(), builder.inside()
        here = jaxpr(then, branches[first], x[1:])
        there = chosen(otherwise, first + 1)
        test = builder.add("LessOrEqual", number, builder.like(first, np.int64))
        return builder.many(
            "If",
            [test],
            len(dtypes),
            then_branch=then.graph("then", [], list(zip(here, dtypes))),
            else_branch=otherwise.graph("otherwise", [], list(zip(there, dtypes))),
        )

    return chosen(b, 0)


def _loop(
    b: Builder, trips: str, test: str, state: list[str], dtypes: list[Any], step: Any, made: list[Any]
) -> list[str]:
    """A Loop: `step(builder, number, state)` gives whether to go on, the new state and what is stacked."""
    inner = b.inside()
    number, going = inner.name("round"), inner.name("go_on")
    names = [inner.name("carried") for _ in state]
    on, after, rows = step(inner, number, names)
    body = inner.graph(
        "body",
        [(number, np.int64, []), (going, bool, []), *zip(names, dtypes)],
        [(on or going, bool), *zip(after, dtypes), *zip(rows, made)],
    )
    return b.many("Loop", [trips, test, *state], len(state) + len(made), body=body)


@rule("while")
def _(b: Builder, e: Any, x: list[str]) -> list[str]:
    p = e.params
    first, second = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
    tested, fixed, state = x[:first], x[first:second], x[second:]
    start = jaxpr(b, p["cond_jaxpr"], [*tested, *state])[0]

    def step(inner: Builder, number: str, names: list[str]) -> Any:
        after = jaxpr(inner, p["body_jaxpr"], [*fixed, *names])
        return jaxpr(inner, p["cond_jaxpr"], [*tested, *after])[0], after, []

    return _loop(b, "", start, state, _dtypes(e.outvars), step, [])


@rule("scan")
def _(b: Builder, e: Any, x: list[str]) -> list[str]:
    p = e.params
    consts, carry, length = p["num_consts"], p["num_carry"], p["length"]
    fixed, state, rows = x[:consts], x[consts : consts + carry], x[consts + carry :]
    dtypes = _dtypes(e.outvars)
    trips = b.add("Squeeze", b.size(length), b.ints(0))

    def step(inner: Builder, number: str, names: list[str]) -> Any:
        at = number
        if p["reverse"]:
            at = inner.add("Sub", inner.add("Sub", trips, inner.like(1, np.int64)), number)
        parts = [inner.add("Gather", each, at, axis=0) for each in rows]
        results = jaxpr(inner, p["jaxpr"], [*fixed, *names, *parts])
        return None, results[:carry], results[carry:]

    results = _loop(b, trips, b.like(True, bool), state, dtypes[:carry], step, dtypes[carry:])
    if p["reverse"]:
        results[carry:] = [reversed_(b, each, [0]) for each in results[carry:]]
    return results
