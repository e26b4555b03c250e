"""Runs a body once on Symbols and returns its Program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.function.composites import Form, is_composite, split
from tensorsmith.program.program import Program
from tensorsmith.tensor.graph import Graph


class Traced:
    """A traced function: its Program, and the nested form of what it returned (leaves that are no tensors kept)."""

    __slots__ = ("form", "graph", "program", "structure")

    def __init__(self, graph: Graph, program: Program, form: Form) -> None:
        self.graph, self.program, self.form, self.structure = graph, program, form, form.structure

    def pack(self, outputs: list[Any]) -> Any:
        """The outputs of a run, in the form in which the function returned them."""
        return self.form.pack(outputs)


def trace(body: Callable[[Graph], Any], outer: Graph | None = None, label: str = "") -> Traced:
    """Runs `body(graph)` once while operations on symbols become nodes.

    The body makes its arguments with `graph.input(shape, dtype)`. Tensors, variables, symbols and the parts of
    ragged and sparse tensors in what it returns become the program's outputs; None and other values are kept.
    """
    graph = Graph(outer, label)
    with context.tracing(graph):
        outputs, form = split(body(graph))
        program = graph.finish(outputs)
    graph.closed, graph.given = True, None
    return Traced(graph, program, form)


def symbols_like(graph: Graph, value: Any, shape_of: Callable[[Any], Any] | None = None) -> Any:
    """Arguments of a graph in the nested form, dtypes and shapes of `value` (tensors, TensorSpecs, specs of composites)."""

    def one(leaf: Any) -> Any:
        if leaf is None:
            return None
        if is_composite(leaf):
            return leaf._from_parts([one(part) for part in leaf._parts()])
        shape = leaf.shape if shape_of is None else shape_of(leaf)
        return graph.input(shape, leaf.dtype)

    return nest.map_structure(one, value)
