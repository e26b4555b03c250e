"""Runs a body once on Symbols and returns its Program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.program.program import Program
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Tensor


class Traced:
    """A traced function: its Program, and the nested form of what it returned (leaves that are no tensors kept)."""

    __slots__ = ("graph", "leaves", "places", "program", "structure")

    def __init__(self, graph: Graph, program: Program, structure: Any, leaves: list[Any], places: list[int | None]) -> None:
        self.graph, self.program, self.structure, self.leaves, self.places = graph, program, structure, leaves, places

    def pack(self, outputs: list[Any]) -> Any:
        """The outputs of a run, in the form in which the function returned them."""
        leaves = [leaf if at is None else outputs[at] for leaf, at in zip(self.leaves, self.places)]
        return nest.pack_sequence_as(self.structure, leaves) if nest.is_nested(self.structure) else leaves[0]


def trace(body: Callable[[Graph], Any], outer: Graph | None = None, label: str = "") -> Traced:
    """Runs `body(graph)` once while operations on symbols become nodes.

    The body makes its arguments with `graph.input(shape, dtype)`. Tensors, variables and symbols in what
    it returns become the program's outputs; None and other values are kept as they are.
    """
    graph = Graph(outer, label)
    with context.tracing(graph):
        result = body(graph)
        leaves = nest.flatten(result)
        outputs: list[Tensor] = []
        places: list[int | None] = []
        for leaf in leaves:
            if isinstance(leaf, Tensor) or hasattr(leaf, "_read"):
                places.append(len(outputs))
                outputs.append(convert(leaf))
            else:
                places.append(None)
        program = graph.finish(outputs)
    return Traced(graph, program, result, leaves, places)


def symbols_like(graph: Graph, value: Any, shape_of: Callable[[Any], Any] | None = None) -> Any:
    """Arguments of a graph in the nested form, dtypes and shapes of `value` (tensors or TensorSpecs)."""

    def one(leaf: Any) -> Any:
        if leaf is None:
            return None
        shape = leaf.shape if shape_of is None else shape_of(leaf)
        return graph.input(shape, leaf.dtype)

    return nest.map_structure(one, value)


