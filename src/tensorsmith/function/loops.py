"""for and while of rewritten code: Python's own, or a loop of the program where a tensor decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain, warn
from tensorsmith.core.specs import describe
from tensorsmith.function.branches import Get, Put, State, forget, if_, no_state
from tensorsmith.function.carrying import Carried
from tensorsmith.function.composites import is_composite
from tensorsmith.function.control_flow import carry, is_open
from tensorsmith.function.growing import Again, Grown
from tensorsmith.function.iteration import rounds
from tensorsmith.function.rounds import Rounds, Series
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.tensor import Symbol, Tensor

# a loop that Python unrolls into a program takes a second to trace for some thousand rounds
MANY_ROUNDS = 3000
_NO_END = 2**31 - 1


def while_(
    test: Callable[[], Any],
    body: Callable[[], None],
    get: Get = no_state,
    put: Put = forget,
    names: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
) -> None:
    """A while statement: Python's own as long as its test is a Python value, else a loop of the program being traced."""
    answer = test()
    with _plain_loop() as unrolled:
        while not (is_open(answer) or isinstance(answer, Tensor) and not context.executing_eagerly()):
            if not answer:
                return
            unrolled.another()
            body()
            answer = test()

    def go_on(*state: Any) -> Any:
        put(state)
        return test()

    def step(*state: Any) -> State:
        put(state)
        body()
        return get()

    _loop(go_on, step, None, get, put, names, lists)


def for_(
    items: Any,
    go_on: Callable[[], Any] | None,
    body: Callable[[Any], None],
    get: Get = no_state,
    put: Put = forget,
    names: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
) -> None:
    """A for statement: Python's own over Python's iterables, a loop of the program being traced over tensors.

    go_on  None, or what says after a break or return that there are no more rounds.
    lists  the names of lists that the body changes in place.
    """
    over = rounds(items)
    if over is None:
        _python_for(items, go_on, body, get, put, names, lists)
    else:
        _run(over, go_on, body, get, put, names, lists)


def _run(
    over: Rounds | Series,
    go_on: Any,
    body: Callable[[Any], None],
    get: Get,
    put: Put,
    names: tuple[str, ...],
    lists: tuple[str, ...],
) -> None:
    """A loop of the program being traced; runs of several kinds one after another, repeated ones as a loop of such loops."""
    if isinstance(over, Series):
        if over.times == 1:
            for part in over.parts:  # each asks go_on before its first round
                _run(part, go_on, body, get, put, names, lists)
            return
        count: Any = _NO_END if over.times is None else over.times

        def do(number: Any) -> None:
            for part in over.parts:
                _run(part, go_on, body, get, put, names, lists)
    else:
        count, kept = over.count, body if over.keep is None else _kept(over, body, get, put, names, lists)

        def do(number: Any) -> None:
            kept(over.item(number))

    def more(*state: Any) -> Any:
        put(state)
        assert go_on is not None
        return go_on()

    def step(number: Tensor, *state: Any) -> State:
        put(state)
        do(number)
        return get()

    _loop(None if go_on is None else more, step, count, get, put, names, lists)


def _kept(
    over: Rounds, body: Callable[[Any], None], get: Get, put: Put, names: tuple[str, ...], lists: tuple[str, ...]
) -> Any:
    def do(item: Any) -> None:
        assert over.keep is not None
        if_(over.keep(item), lambda: body(item), None, get, put, names, lists)

    return do


def _python_for(
    items: Any,
    go_on: Any,
    body: Callable[[Any], None],
    get: Get,
    put: Put,
    names: tuple[str, ...],
    lists: tuple[str, ...],
) -> None:
    if hasattr(type(items), "_read"):
        items = items._read()
    more: Any = True
    with _plain_loop() as unrolled:
        for item in items:
            unrolled.another()
            if is_open(more):
                # whether the loop was left is known only when the program runs: the rest of its rounds hang on it
                if_(more, lambda item=item: body(item), None, get, put, names, lists)
            else:
                body(item)
            if go_on is not None:
                more = go_on()
                if not is_open(more) and not more:
                    break


# ---- what a loop is told


class _Loop:
    """A loop whose body is being traced.

    state   what its body was given in this tracing.
    told    whether `set_loop_options` was heeded.
    """

    def __init__(self) -> None:
        self.state: tuple = ()
        self.told = False
        self.limit: Any = None
        self.shapes: list[Any] | None = None


class _Open(threading.local):
    """The loops of rewritten code whose bodies are running on this thread, outermost first."""

    def __init__(self) -> None:
        self.loops: list[Any] = []


_open = _Open()


class _plain_loop:
    """A loop that Python runs: it has no options, and warns where it makes a program long."""

    def __init__(self) -> None:
        graph = context.local.graph
        self.program = None if graph is None else graph.program
        self.count, self.nodes = 0, 0

    def __enter__(self) -> _plain_loop:
        _open.loops.append(None)
        return self

    def __exit__(self, *exc: Any) -> None:
        _open.loops.pop()

    def another(self) -> None:
        if self.program is None:
            return
        if not self.count:
            self.nodes = len(self.program.nodes)
        self.count += 1
        if self.count == MANY_ROUNDS and len(self.program.nodes) - self.nodes >= MANY_ROUNDS - 1:
            warn(
                f"A Python loop of more than {MANY_ROUNDS} rounds is being written out into a program, operation by "
                "operation, which makes it long and slow to compile. Did you mean a loop over tf.range(...), or a "
                "tensor as the test of the while statement?"
            )


def _loop(
    go_on: Any,
    step: Callable[..., State],
    count: Any,
    get: Get,
    put: Put,
    names: tuple[str, ...],
    lists: tuple[str, ...],
) -> None:
    this, before = _Loop(), get()
    grown = Grown(before, names, lists, count is not None and go_on is None)

    def body(number: Any, state: list[Any], row: list[Tensor]) -> tuple[list[Any], list[Tensor]]:
        this.state = grown.given(tuple(state))
        return grown.taken(step(*this.state) if count is None else step(number, *this.state))

    _open.loops.append(this)
    try:
        while True:
            try:
                limit = count if this.limit is None else this.limit
                if this.limit is not None and count is not None:
                    limit = functions["minimum"](count, this.limit)
                carried = Carried(grown.first(), list(names), this.shapes)
                state, stacked = carry(go_on, body, carried, grown.counting(limit))
            except Again as again:
                if again.of not in (this, grown):
                    raise
                continue
            except (TypeError, ValueError, IndexError):
                if not grown.failed():
                    raise
                continue
            break
        after = grown.after(state, stacked)
    except BaseException:
        put(before)
        raise
    finally:
        _open.loops.pop()
    put(after)


def set_loop_options(
    parallel_iterations: Any = None,
    swap_memory: Any = None,
    maximum_iterations: Any = None,
    shape_invariants: Any = None,
) -> None:
    """Tells the loop in whose body it is the first statement how it runs as part of a program.

    maximum_iterations   how many rounds at most.
    shape_invariants     [(variable, shape)]: the shapes that variables have in every round, None for sizes that change.
    parallel_iterations, swap_memory  are for the compiler to decide: taken, and not needed.

    A loop that Python runs ignores it. Raises ValueError for a value that is no variable of the loop.

    >>> import tensorsmith as tf
    >>> @tf.function
    ... def doubled(v):
    ...     for _ in tf.range(3):
    ...         tf.autograph.experimental.set_loop_options(shape_invariants=[(v, [None])])
    ...         v = tf.concat([v, v], 0)
    ...     return v
    >>> doubled(tf.constant([1.0])).shape
    TensorShape([8])
    """
    this = _open.loops[-1] if _open.loops else None
    if this is None or this.told:
        return
    this.told = True
    if maximum_iterations is not None:
        this.limit = functions["cast"](maximum_iterations, "int32")
    if shape_invariants is not None:
        this.shapes = _shapes(this.state, shape_invariants)
    if maximum_iterations is not None or shape_invariants is not None:
        raise Again(this)


def _shapes(state: tuple, invariants: Any) -> list[Any]:
    """The shape of each tensor that a loop carries, with those of the invariants in place."""
    parts: list[Any] = []
    shapes: list[Any] = []
    for leaf in nest.flatten(list(state)):
        inside = leaf._parts() if is_composite(leaf) else [leaf] if isinstance(leaf, Symbol) else []
        parts.extend([leaf] * len(inside))
        shapes.extend(tuple(part.shape) for part in inside)
    for value, shape in invariants:
        at = next((at for at, part in enumerate(parts) if part is value), None)
        if at is None:
            raise ValueError(
                explain(
                    "set_loop_options",
                    "shape_invariants names a value that is no variable of the loop",
                    {"value": describe(value)},
                    "it must be the first statement of the loop's body, and the variable one that the body sets",
                )
            )
        shapes[at] = tuple(getattr(shape, "shape", shape))
    return shapes
