"""recompute_grad: a function whose intermediate values are computed again for the derivative, not kept."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.program.checks import STATUS
from tensorsmith.program.execute import jax
from tensorsmith.program.lower import lower
from tensorsmith.program.op import Arrays, Op, register
from tensorsmith.program.program import Program
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local


def _kernel(xp: Any, results: Arrays, values: Arrays, program: Any = None) -> list[Any]:
    """What `program` makes of the values; `results`, where they are known already, are taken as they are."""
    if xp is np and results:
        return list(results)
    run = lower(program, xp)
    if xp is np:
        return run(values, [])[0]
    return jax().checkpoint(lambda given: run(given, [])[0])(list(values))


def _like_outputs(specs: Any, settings: dict) -> tuple:
    program = settings["program"]
    return tuple([program.specs[number] for number in program.outputs])


RECOMPUTE = register(Op("recompute", _kernel, same=False, shapes=_like_outputs, steady=("results",)))


class _Recorder:
    """Notes calls in place of the open tapes, which hear only of variables."""

    def __init__(self, outer: list[Any]) -> None:
        self.calls: list[Any] = []
        self.record, self.outer = self.calls.append, outer

    def knows(self, tensor: Tensor) -> bool:
        made = [result for _, _, _, results in self.calls for result in nest.flatten(results)]
        return any([tape.knows(tensor) for tape in self.outer]) or any([tensor is result for result in made])  # noqa: C419

    def note_read(self, variable: Variable, value: Tensor) -> None:
        for tape in self.outer:
            tape.note_read(variable, value)


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the values and the derivative of f that keeps only its arguments, and runs anew for the derivative.

    What a tape must hold of a deep model shrinks so, for one more run forward. f may read variables, which are watched
    as usual; inside a traced function it must not assign to them (ValueError).

    >>> import tensorsmith as tf
    >>> x = tf.Variable(2.0)
    >>> with tf.GradientTape() as tape:
    ...     y = tf.recompute_grad(lambda v: v * v * v)(x)
    >>> tape.gradient(y, x).numpy().item()
    12.0
    """

    @functools.wraps(f)
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        if _local.graph is not None:
            return _traced(f, args, kwargs)
        if not _local.tapes:
            return f(*args, **kwargs)
        outer = _local.tapes
        recorder = _Recorder(outer)
        _local.tapes = [recorder]
        try:
            outcome = f(*args, **kwargs)
        finally:
            _local.tapes = outer
        results = [convert(r) for r in nest.flatten(outcome)]
        program, leaves = _as_program(recorder.calls, results)
        return _packed(outcome, apply(RECOMPUTE, [results, leaves], {"program": program}))

    return recomputed


def _packed(outcome: Any, made: Any) -> Any:
    return nest.pack_sequence_as(outcome, list(made)) if nest.is_nested(outcome) else made[0]


def _as_program(calls: list[Any], results: list[Tensor]) -> tuple[Program, list[Tensor]]:
    """Recorded calls as a program, and the tensors that it takes."""
    program, leaves, ids = Program(), [], {}

    def number(tensor: Tensor) -> int:
        found = ids.get(id(tensor))
        if found is None:
            found = ids[id(tensor)] = program.input(tensor._array.shape, tensor._array.dtype)
            leaves.append(tensor)
        return found

    for op, inputs, settings, outputs in calls:
        taken: list[int] = []
        groups: list[int | None] = []
        for x in inputs:
            groups.append(len(x) if isinstance(x, list) else None)
            taken.extend([number(t) for t in x] if isinstance(x, list) else [-1 if x is None else number(x)])
        outs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
        specs = [(o._array.shape, o._array.dtype) for o in outs]
        ids.update(zip(map(id, outs), program.add(op, taken, tuple(groups), settings, specs)))
    program.outputs = [number(result) for result in results]
    program.drop_unused()
    return program, leaves


def _traced(f: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
    """In a trace f becomes a program of its own, held by one node."""
    name = getattr(f, "__name__", "the function")
    graph = Graph(_local.graph, name)
    flat = nest.flatten((args, kwargs))
    given = [leaf for leaf in flat if isinstance(leaf, Symbol)]
    symbols = {id(leaf): graph.input(tuple(leaf.shape), leaf.dtype) for leaf in given}
    inner = [symbols.get(id(leaf), leaf) for leaf in flat]
    inner_args, inner_kwargs = nest.pack_sequence_as((args, kwargs), inner)
    with context.tracing(graph):
        outcome = f(*inner_args, **inner_kwargs)
        program = graph.finish([convert(r) for r in nest.flatten(outcome)])
    status = [number for variable, number in program.updates if variable is STATUS]
    program.updates = [(variable, number) for variable, number in program.updates if variable is not STATUS]
    program.outputs += status
    if program.updates:
        raise ValueError(
            explain(
                f"recompute_grad of {name}", "it assigns to variables, which would be done twice",
                {"variables": [v.name for v, _ in program.updates]},
                way_out="Return the new values, and assign them outside of it.",
            )
        )  # fmt: skip
    unique = list({id(leaf): leaf for leaf in given}.values())
    program.inputs = [symbols[id(leaf)]._id for leaf in unique]
    values: list[Any] = list(unique)
    for source, number in program.captures:
        program.inputs.append(number)
        values.append(source if isinstance(source, Symbol) else source._read())
    program.captures = []
    made = list(apply(RECOMPUTE, [[], values], {"program": program}))
    if status:
        # what is checked and printed in f; when it is computed again nobody takes it, and nothing is
        assert _local.graph is not None
        _local.graph.write(STATUS, made.pop())
    return _packed(outcome, made)
