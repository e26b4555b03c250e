"""How an operation acts on a structure: on its flat values where it is elementwise, else by a rule of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorsmith.core import context
from tensorsmith.core.errors import explain
from tensorsmith.program.op import Op, pointwise
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.tensor import Symbol

# operations that act on each element by itself although their shape rule does not say so
ELEMENTWISE = frozenset(
    [
        "abs",
        "angle",
        "cast",
        "clip_by_value",
        "complex",
        "divide",
        "identity",
        "imag",
        "ones_like",
        "real",
        "relu",
        "sigmoid",
        "softplus",
        "stop_gradient",
        "tanh",
        "where",
        "zeros_like",
    ]
)


def is_elementwise(op: Op) -> bool:
    """True for an operation that makes each element of its result from the elements at the same place."""
    return pointwise(op) or op.name in ELEMENTWISE


def quietly(function: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
    """Bookkeeping on index arrays: done at once and told to no tape, unless it hangs on symbols.

    A size that hangs on values cannot be replayed by a compiled gradient; the indices that come out
    can, as plain inputs of a gather.
    """
    if any(isinstance(a, Symbol) for a in arguments):
        return function(*arguments, **settings)
    with context.eagerly():
        return function(*arguments, **settings)


def several(function: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """The public function of an operation that gives several results from one array: its short way expects one."""
    return lambda *arguments: apply(function.op, arguments, {})  # type: ignore[attr-defined]


def refuse(op: Op, kind: str, way_out: str = "") -> TypeError:
    """What is raised for an operation that a structure does not take."""
    return TypeError(explain(op.name, f"it does not take a {kind}", rule="", way_out=way_out))
