"""How branches and loops run: operations whose settings are sub-programs.

NumPy runs them as Python would. XLA gets `lax.cond` and `lax.switch`; a scan for a loop whose number of rounds is known
when it is compiled; a `lax.while_loop` that can be differentiated (`reverse_loop`) for any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.function.reverse_loop import reversible
from tensorsmith.program.execute import jax
from tensorsmith.program.lower import in_loop, lower
from tensorsmith.program.op import Array, Arrays, Op, register
from tensorsmith.program.program import Program

Values = list[Any]


def _python_runs(xp: Any) -> bool:
    """True where the values are known, so that Python decides: under NumPy, and while a gradient is taken unrolled."""
    return xp is np or getattr(xp, "unrolled", False)


def run_of(program: Program, xp: Any) -> Callable[[Values], Values]:
    """A program as a function of arrays, whose results have exactly the dtypes that the program says."""
    inner = lower(program, xp)
    dtypes = [program.specs[number][1] for number in program.outputs]

    def run(values: Values) -> Values:
        results = inner(values, [])[0]
        if xp is np:
            return results
        # a weakly typed result would be another type to lax.cond and lax.while_loop
        return [r if d.kind == "O" else xp.asarray(r, d) for r, d in zip(results, dtypes)]

    return run


def fitting(xp: Any, array: Any, shape: tuple[int, ...]) -> Any:
    """`array`, or zeros of `shape` where it is an empty stand-in: a tensor array that nothing was written to yet, say."""
    return array if array.size or array.shape == tuple(shape) else xp.zeros(shape, array.dtype)


def _cond(xp: Any, predicate: Array, values: Arrays, then: Any = None, otherwise: Any = None, late: Any = ()) -> Values:
    """The results of one of two programs; `late` names results whose shape may be open in one of them."""
    if _python_runs(xp):
        return run_of(then if bool(predicate) else otherwise, xp)(values)
    first, second = _alike(xp, [run_of(then, xp), run_of(otherwise, xp)], values, late)
    return jax().lax.cond(xp.reshape(predicate, ()), first, second, values)


def _switch(xp: Any, index: Array, values: Arrays, branches: Any = (), late: Any = ()) -> Values:
    """The results of program number `index`; of the last for a number that no other has."""
    last = len(branches) - 1
    if _python_runs(xp):
        at = int(index)
        return run_of(branches[at if 0 <= at < last else last], xp)(values)
    functions = _alike(xp, [run_of(branch, xp) for branch in branches], values, late)
    index = xp.reshape(index, ())
    within = xp.logical_and(index >= 0, index < last)
    return jax().lax.switch(xp.where(within, index, last).astype(np.int32), functions, values)


def _alike(xp: Any, functions: list[Any], values: Values, late: Any) -> list[Any]:
    """The functions, whose results at the places `late` get the shape that one of them knows."""
    if not late:
        return functions
    specs = [jax().eval_shape(function, values) for function in functions]
    shapes = {at: next((s[at].shape for s in specs if s[at].size), specs[0][at].shape) for at in late}

    def like(function: Callable[[Values], Values]) -> Callable[[Values], Values]:
        return lambda v: [fitting(xp, r, shapes[at]) if at in shapes else r for at, r in enumerate(function(v))]

    return [like(function) for function in functions]


def _while(xp: Any, carried: Arrays, fixed: Arrays, test: Any = None, body: Any = None, late: Any = ()) -> Values:
    """`carried` after rounds of `body` as long as `test` says so; both take carried and fixed values."""
    go_on, step = run_of(test, in_loop(xp)), run_of(body, in_loop(xp))
    values = list(carried)
    if _python_runs(xp):
        while bool(go_on([*values, *fixed])[0]):
            values = step([*values, *fixed])
        return values
    values = _settled(xp, lambda v: step([*v, *fixed]), _typed(xp, values, body), late)
    return reversible(
        lambda v, fixed: xp.reshape(go_on([*v, *fixed])[0], ()),
        lambda v, fixed: step([*v, *fixed]),
        values,
        _arrays(xp, fixed),
    )


def _for(
    xp: Any,
    count: Array,
    carried: Arrays,
    rows: Arrays,
    fixed: Arrays,
    test: Any = None,
    body: Any = None,
    late: Any = (),
    reverse: Any = False,
) -> Values:
    """`carried` after `count` rounds of `body`, and behind it, stacked, what each round gives besides.

    The body takes the number of the round, the carried values, that row of each of `rows`, and the fixed values.

    count    the number of rounds, which with rows is theirs.
    test     None, or the program that says from carried and fixed values whether to go on (without rows then).
    reverse  True: from the last row to the first.
    """
    step = run_of(body, in_loop(xp))
    go_on = None if test is None else run_of(test, in_loop(xp))
    values, kept = list(carried), len(carried)
    rounds: Any = rows[0].shape[0] if rows else count
    if _python_runs(xp):
        return _rounds(xp, int(rounds), values, rows, fixed, go_on, step, body, reverse)
    values = _typed(xp, values, body, 1)
    first = [r[0] if r.shape[0] else xp.zeros(r.shape[1:], r.dtype) for r in rows]
    values = _settled(xp, lambda v: step([np.int32(0), *v, *first, *fixed])[:kept], values, late)
    known = isinstance(rounds, (np.ndarray, np.generic, int))
    # rows that are as many as an exported program leaves open are walked like those of a known number
    if (known or rows) and go_on is None:

        def round_(values: Values, given: Any) -> tuple[Values, Values]:
            number, row = given
            results = step([number, *values, *row, *fixed])
            return results[:kept], results[kept:]

        numbers = np.arange(max(int(rounds), 0), dtype=np.int32) if known else xp.arange(rounds, dtype=np.int32)
        last, stacked = jax().lax.scan(round_, values, (numbers, list(rows)), reverse=reverse)
        return [*last, *stacked]

    if len(body.outputs) > kept:
        raise TypeError("XLA stacks a number of rounds that is known when it compiles")  # NumPy runs the program then

    def more(state: Values, fixed: Values) -> Any:
        within = state[0] < fixed[0]
        if go_on is None:
            return within
        return xp.logical_and(within, xp.reshape(go_on([*state[1:], *fixed[1:]])[0], ()))

    def one(state: Values, fixed: Values) -> Values:
        return [state[0] + np.int32(1), *step([*state, *fixed[1:]])]

    limit = xp.reshape(xp.asarray(rounds, np.int32), ())
    bound = max(int(rounds), 0) if known else None
    return reversible(more, one, [xp.asarray(0, np.int32), *values], [limit, *_arrays(xp, fixed)], bound)[1:]


def _rounds(
    xp: Any,
    count: int,
    values: Values,
    rows: Values,
    fixed: Values,
    go_on: Any,
    step: Any,
    body: Program,
    reverse: bool,
) -> Values:
    """The rounds of a loop one after the other."""
    kept, given = len(values), []
    for number in reversed(range(count)) if reverse else range(count):
        if go_on is not None and not bool(go_on([*values, *fixed])[0]):
            break
        results = step([np.int32(number), *values, *[row[number] for row in rows], *fixed])
        values, rest = list(results[:kept]), results[kept:]
        given.append(rest)
    if reverse:
        given.reverse()
    if given:
        return [*values, *[xp.stack([xp.asarray(part) for part in parts]) for parts in zip(*given)]]
    specs = [body.specs[number] for number in body.outputs[kept:]]
    return [*values, *[np.zeros((0, *(d or 0 for d in shape)), dtype) for shape, dtype in specs]]


def _arrays(xp: Any, values: Values) -> Values:
    return [xp.asarray(value) for value in values]


def _typed(xp: Any, values: Values, body: Program, skip: int = 0) -> Values:
    dtypes = [body.specs[number][1] for number in body.inputs[skip : skip + len(values)]]
    return [xp.asarray(value, dtype) for value, dtype in zip(values, dtypes)]


def _settled(xp: Any, step: Callable[[Values], Values], values: Values, late: Any) -> Values:
    """First values in the shapes that the loop keeps: those named `late` are stand-ins and take the body's shapes."""
    for _ in range(len(late) + 1 if late else 0):
        shapes = [result.shape for result in jax().eval_shape(step, values)]
        open_ = [at for at in late if values[at].shape != shapes[at]]
        if not open_:
            break
        for at in open_:
            values[at] = xp.zeros(shapes[at], values[at].dtype)
    return values


COND = register(Op("cond", _cond, same=False))
SWITCH = register(Op("switch", _switch, same=False))
WHILE = register(Op("while_loop", _while, same=False))
FOR = register(Op("for_loop", _for, same=False))
