"""vectorized_map: a function of one row, computed for all rows at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, errors, nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.composites import is_composite, split
from tensorsmith.function.control_kernels import run_of
from tensorsmith.function.folding import map_fn
from tensorsmith.function.merging import PLAIN
from tensorsmith.function.subprograms import closed, operands
from tensorsmith.ops.random import random_step
from tensorsmith.program import checks, execute
from tensorsmith.program.checks import STATUS
from tensorsmith.program.op import Arrays, Op, register
from tensorsmith.program.program import Program
from tensorsmith.tensor.apply import apply, functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Tensor

_local = context.local


def _size(shapes: list[Any]) -> int | None:
    """The common number of rows: a single row stands for as many as the others have."""
    sizes = {shape[0] for shape in shapes} - {1}
    return None if None in sizes else max(sizes, default=1)


def _result_specs(specs: Any, settings: dict) -> tuple[Any, ...]:
    body = settings["body"]
    size = _size([shape for shape, _ in specs[0]])
    return tuple([((size, *body.specs[number][0]), body.specs[number][1]) for number in body.outputs])


def _kernel(xp: Any, rows: Arrays, fixed: Arrays, body: Any = None) -> list[Any]:
    """The results of `body` on row i of each of `rows` and on the fixed values, all at once and stacked."""
    if xp is np and checks.repeating():
        # a row by itself can say what is wrong with it
        return _in_turn(rows, fixed, body)
    if xp is np:
        count = len(rows)

        def make() -> Callable[..., Any]:
            return lambda *arrays: _kernel(execute.jax().numpy, list(arrays[:count]), list(arrays[count:]), body)

        try:
            results = execute.jitted(("vectorized_map", body.signature(), count), make)(*rows, *fixed)
            return [np.asarray(result) for result in results]
        except execute.REFUSED:
            return _in_turn(rows, fixed, body)
    if getattr(xp, "unrolled", False):
        xp = execute.jax().numpy
    step, size = run_of(body, xp), _size([row.shape for row in rows])
    shared = [row.shape[0] == 1 and size != 1 for row in rows]
    axes = [None if alone else 0 for alone in shared]
    given = [row[0] if alone else row for row, alone in zip(rows, shared)]
    return execute.jax().vmap(lambda parts: step([*parts, *fixed]), in_axes=(axes,), axis_size=size)(given)


def _in_turn(rows: list[Any], fixed: list[Any], body: Program) -> list[Any]:
    step, size = run_of(body, np), _size([row.shape for row in rows]) or 0
    results = [step([*[row[at if len(row) > 1 else 0] for row in rows], *fixed]) for at in range(size)]
    if not results:
        specs = [body.specs[number] for number in body.outputs]
        return [np.zeros((0, *(d or 0 for d in shape)), dtype) for shape, dtype in specs]
    return [np.stack([np.asarray(part) for part in parts]) for parts in zip(*results)]


VECTORIZED = register(Op("vectorized_map", _kernel, same=False, shapes=_result_specs))


def vectorized_map(fn: Callable[..., Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """`fn` of each row of `elems`, stacked as by `tf.map_fn`, computed for all rows at once.

    elems                   tensors [n, ...], nested as fn takes them; one with a single row gives it to every call.
    fallback_to_while_loop  True: an fn that cannot be computed for all rows at once (it holds strings, results whose
                            size hangs on values, assignments to variables) is mapped row by row; False: ValueError.
    warn                    True: a UserWarning tells so.

    fn is traced once. Random operations give each row numbers of its own, those that `tf.map_fn` would give.

    Raises ValueError where the numbers of rows differ.

    >>> import tensorsmith as tf
    >>> tf.vectorized_map(lambda row: tf.reduce_sum(row * row), tf.constant([[1.0, 2.0], [3.0, 4.0]])).numpy()
    array([ 5., 25.], dtype=float32)
    """
    rows = _rows(fn, elems)
    graph = Graph(_local.graph, "vectorized_map")
    with context.tracing(graph):
        parts = [graph.input(tuple(row.shape)[1:], row.dtype) for row in rows]
        value = fn(nest.pack_sequence_as(elems, parts) if nest.is_nested(elems) else parts[0])
        tensors, form = split(nest.map_structure(lambda v: convert(v) if isinstance(v, PLAIN) else v, value))
        program = graph.finish(tensors)
    reason = _reason(program, value)
    if reason:
        return _one_by_one(fn, elems, rows, reason, fallback_to_while_loop, warn)
    if not tensors:
        return value
    size = _size([tuple(row.shape) for row in rows])
    count = convert(size) if size is not None else _count(rows)
    status = next((number for variable, number in program.updates if variable is STATUS), None)
    if status is not None:
        program.outputs.append(status)
    states = [variable for variable, _ in program.updates if variable is not STATUS]
    draws = [np.uint64(_draws(program, variable) or 0) for variable in states]
    rows += [_states(variable, count, drawn) for variable, drawn in zip(states, draws)]
    taken = {id(variable): number for variable, number in program.captures}
    program.inputs += [taken[id(variable)] for variable in states]
    program.captures = [(source, number) for source, number in program.captures if source not in _Same(states)]
    program.updates = []
    if _local.tapes:
        _take_constants(graph, program)
    fixed = operands(closed([program]))
    results = list(apply(VECTORIZED, [rows, fixed], {"body": program}))
    if status is not None:
        _settle(results.pop(), rows, fixed, program)
    for variable, drawn in zip(states, draws):
        variable._write(_advanced(variable._read(), functions["cast"](count, "uint64") * drawn))
    return form.pack(results)


def _take_constants(graph: Graph, program: Program) -> None:
    """Tensors that fn takes from around it become captures: a tape that watches them must hear of them."""
    for tensor, number in graph._constants.values():
        if number in program.constants:
            del program.constants[number]
            program.captures.append((tensor, number))


def _settle(statuses: Tensor, rows: list[Tensor], fixed: list[Any], body: Program) -> None:
    """Tells what a check of some row found: now, or when the program runs that is being traced."""
    if _local.graph is not None:
        lowest, highest = functions["reduce_min"](statuses), functions["reduce_max"](statuses)
        _local.graph.write(STATUS, functions["where"](lowest < 0, lowest, highest))
        return
    failed = np.asarray(statuses._array)
    if failed.any():

        def again() -> None:
            _in_turn([row._array for row in rows], [value._array for value in fixed], body)

        checks.tell(body, int(failed[failed != 0][0]), again)


class _Same:
    """Membership by identity: variables compare by value."""

    def __init__(self, things: list[Any]) -> None:
        self.ids = {id(thing) for thing in things}

    def __contains__(self, thing: Any) -> bool:
        return id(thing) in self.ids


def _rows(fn: Any, elems: Any) -> list[Tensor]:
    if not callable(fn):
        raise TypeError(explain("vectorized_map", "fn must be callable", {"fn": describe(fn)}))
    rows = [convert(leaf) for leaf in nest.flatten(elems)]
    sizes = {row.shape[0] for row in rows if row.shape.rank} - {None, 1}
    if not rows or any(not row.shape.rank for row in rows) or len(sizes) > 1:
        raise ValueError(
            explain(
                "vectorized_map",
                "elems must be tensors with the same number of rows, or one",
                {"elems": describe(elems)},
            )
        )
    return rows


def _reason(program: Program, value: Any) -> str:
    """Why a program cannot be computed for all rows at once; empty where it can."""
    if any(map(is_composite, nest.flatten(value))):
        return "it gives ragged or sparse tensors"
    assigned = [
        "what Python and tf.print tell" if variable is STATUS else variable.name
        for variable, _ in program.updates
        if _draws(program, variable) is None and not (variable is STATUS and not _called(program))
    ]
    if assigned:
        return f"it assigns to {', '.join(map(str, assigned))}"
    return "it holds operations that run on NumPy alone" if execute.on_numpy(program) else ""


def _called(program: Program) -> bool:
    """Whether Python is called by a program, to print, say: once for each row, in order."""
    return any("call" in node.settings or any(map(_called, node.programs)) for node in program.nodes)


def _draws(program: Program, variable: Any) -> int | None:
    """How often a row draws from a generator whose state the variable is; None for any other variable."""
    now = next((number for source, number in program.captures if source is variable), None)
    last = next((number for source, number in program.updates if source is variable), None)
    made = {node.outputs[0]: node for node in program.nodes if node.op is random_step}
    count = 0
    while last is not None and last != now:
        if last not in made:
            return None
        last, count = made[last].inputs[0], count + 1
    return None if last is None else count


def _count(rows: list[Tensor]) -> Tensor:
    sizes = [functions["shape"](row)[0] for row in rows]
    return functions["reduce_max"](functions["stack"](sizes))


def _advanced(state: Tensor, draws: Tensor) -> Tensor:
    """A generator's state after so many draws; for a list of numbers a list of states."""
    steps = functions["expand_dims"](draws, -1) * np.array([0, 0, 1], np.uint64)
    return state + steps


def _states(variable: Any, count: Tensor, drawn: Any) -> Tensor:
    """The state with which each row draws, as if the rows were taken one after another."""
    numbers = functions["cast"](functions["range"](count), "uint64")
    return _advanced(variable._read(), numbers * drawn)


def _one_by_one(fn: Any, elems: Any, rows: list[Tensor], reason: str, fallback: bool, tell: bool) -> Any:
    text = explain("vectorized_map", "fn cannot be computed for all rows at once", reason)
    if not fallback:
        raise ValueError(text)
    if tell:
        errors.warn(f"{text} It runs row by row, as in tf.map_fn.")
    size = _size([tuple(row.shape) for row in rows])
    if any(row.shape[0] == 1 for row in rows) and size != 1:
        length = convert(size) if size is not None else _count(rows)
        rows = [functions["repeat"](row, length, axis=0) if row.shape[0] == 1 else row for row in rows]
    packed = nest.pack_sequence_as(elems, rows) if nest.is_nested(elems) else rows[0]
    return map_fn(fn, packed, infer_shape=False)
