"""What a branch or the body of a loop takes from around it: programs closed over arguments, variables carried through."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.program.program import Program
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Tensor


def closed(programs: list[Program], carried: list[Any] = ()) -> list[Any]:  # type: ignore[assignment]
    """Turns what sub-programs capture into arguments that all of them take; gives what they captured.

    carried  variables that stand among the arguments already.
    """
    sources: dict[int, Any] = {}
    for program in programs:
        for source, _ in program.captures:
            sources.setdefault(id(source), source)
    for variable in carried:
        sources.pop(id(variable), None)
    for program in programs:
        own = {id(source): number for source, number in program.captures}
        for source in [*carried, *sources.values()]:
            number = own.get(id(source))
            if number is None:
                number = program.value(tuple(source.shape), source.dtype.numpy_dtype)
            program.inputs.append(number)
        program.captures = []
    return list(sources.values())


def written(programs: list[Program]) -> list[Any]:
    """The variables that some of the programs assign to, each once."""
    found = {id(variable): variable for program in programs for variable, _ in program.updates}
    return list(found.values())


def give_written(program: Program, variables: list[Any]) -> None:
    """The values of the variables behind a program become results."""
    last = {id(variable): number for variable, number in program.updates}
    read = {id(source): number for source, number in program.captures}
    for variable in variables:
        number = last.get(id(variable), read.get(id(variable)))
        if number is None:
            number = program.capture(variable, tuple(variable.shape), variable.dtype.numpy_dtype)
        program.outputs.append(number)
    program.updates = []


def operands(sources: list[Any]) -> list[Tensor]:
    """What the sub-programs captured, as values of the graph around them."""
    return [source if isinstance(source, Tensor) else source._read() for source in sources]


def node(graph: Graph | None, op: Any, arguments: list[Any], settings: dict, specs: list[Any]) -> list[Any]:
    if graph is None:
        # what decides is a symbol, and no trace is open: it is one of a model
        raise TypeError(
            explain(
                op.name,
                "a branch or a loop on symbols cannot stand between the layers of a model",
                way_out="Put it into the `call` of a layer of your own, or into keras.layers.Lambda(function).",
            )
        )
    numbers: list[int] = []
    groups: list[int | None] = []
    for argument in arguments:
        if isinstance(argument, list):
            numbers.extend(graph.number(part) for part in argument)
            groups.append(len(argument))
        else:
            numbers.append(-1 if argument is None else graph.number(argument))
            groups.append(None)
    return graph.add(op, numbers, tuple(groups), settings, specs, list)


def commit(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values):
        variable._write(value)
