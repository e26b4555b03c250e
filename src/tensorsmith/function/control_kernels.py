"""How branches and loops run: operations whose settings are sub-programs.

NumPy runs them as Python would. XLA gets `lax.cond`, `lax.while_loop`, and for a loop whose number of rounds is
known when it is compiled a scan, which has a reverse gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.program.execute import jax
from tensorsmith.program.lower import lower
from tensorsmith.program.op import Array, Arrays, Op, register
from tensorsmith.program.program import Program

Values = list[Any]


def _python_runs(xp: Any) -> bool:
    """True where the values are known, so that Python decides: under NumPy, and while a gradient is taken unrolled."""
    return xp is np or getattr(xp, "unrolled", False)


def _function(program: Program, xp: Any) -> Callable[[Values], Values]:
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
        return _function(then if bool(predicate) else otherwise, xp)(values)
    first, second = _function(then, xp), _function(otherwise, xp)
    if late:
        shapes = [jax().eval_shape(f, values) for f in (first, second)]
        first, second = _alike(xp, first, shapes[1], late), _alike(xp, second, shapes[0], late)
    return jax().lax.cond(xp.reshape(predicate, ()), first, second, values)


def _alike(xp: Any, function: Callable[[Values], Values], other: Values, late: Any) -> Callable[[Values], Values]:
    def run(values: Values) -> Values:
        return [fitting(xp, r, other[at].shape) if at in late else r for at, r in enumerate(function(values))]

    return run


def _while(xp: Any, carried: Arrays, fixed: Arrays, test: Any = None, body: Any = None, late: Any = ()) -> Values:
    """`carried` after rounds of `body` as long as `test` says so; both take carried and fixed values."""
    go_on, step = _function(test, xp), _function(body, xp)
    values = list(carried)
    if _python_runs(xp):
        while bool(go_on([*values, *fixed])[0]):
            values = step([*values, *fixed])
        return values
    values = _settled(xp, lambda v: step([*v, *fixed]), _typed(xp, values, body), late)
    return jax().lax.while_loop(lambda v: xp.reshape(go_on([*v, *fixed])[0], ()), lambda v: step([*v, *fixed]), values)


def _for(
    xp: Any, count: Array, carried: Arrays, fixed: Arrays, test: Any = None, body: Any = None, late: Any = ()
) -> Values:
    """`carried` after `count` rounds of `body`, which takes the number of the round, carried and fixed values.

    test  None, or the program that says from carried and fixed values whether to go on.
    """
    step = _function(body, xp)
    go_on = None if test is None else _function(test, xp)
    values = list(carried)
    if _python_runs(xp):
        for number in range(int(count)):
            if go_on is not None and not bool(go_on([*values, *fixed])[0]):
                break
            values = step([np.int32(number), *values, *fixed])
        return values
    known = isinstance(count, (np.ndarray, np.generic, int))
    values = _settled(xp, lambda v: step([np.int32(0), *v, *fixed]), _typed(xp, values, body, 1), late)
    if not known:
        return _counted(xp, xp.reshape(count, ()), values, fixed, step, go_on)

    def round_(values: Values, number: Any) -> tuple[Values, None]:
        def one(v: Values) -> Values:
            return step([number, *v, *fixed])

        if go_on is None:
            return one(values), None
        return jax().lax.cond(xp.reshape(go_on([*values, *fixed])[0], ()), one, lambda v: v, values), None

    return jax().lax.scan(round_, values, np.arange(max(int(count), 0), dtype=np.int32))[0]


def _counted(xp: Any, count: Any, values: Values, fixed: Values, step: Any, go_on: Any) -> Values:
    """A loop whose number of rounds is known only when it runs."""

    def test(state: Any) -> Any:
        number, values = state
        more = number < count
        return more if go_on is None else xp.logical_and(more, xp.reshape(go_on([*values, *fixed])[0], ()))

    def body(state: Any) -> Any:
        number, values = state
        return number + np.int32(1), step([number, *values, *fixed])

    return jax().lax.while_loop(test, body, (xp.asarray(np.int32(0)), values))[1]


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


def _map(xp: Any, rows: Arrays, fixed: Arrays, body: Any = None) -> Values:
    """The results of `body` on row i of each of `rows` and on the fixed values, stacked."""
    step = _function(body, xp)
    size = rows[0].shape[0]
    if _python_runs(xp) and size:
        results = [step([*[r[at] for r in rows], *fixed]) for at in range(size)]
        return [xp.stack([xp.asarray(part) for part in parts]) for parts in zip(*results)]
    if xp is np:
        specs = [body.specs[number] for number in body.outputs]
        return [np.zeros((0, *(d or 0 for d in shape)), dtype) for shape, dtype in specs]
    return jax().lax.map(lambda parts: step([*parts, *fixed]), list(rows))


COND = register(Op("cond", _cond, same=False))
WHILE = register(Op("while_loop", _while, same=False))
FOR = register(Op("for_loop", _for, same=False))
MAP = register(Op("map_rows", _map, same=False))
