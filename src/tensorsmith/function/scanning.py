"""keras.ops.scan: a state that goes from step to step, and what each step gives besides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.carrying import Carried
from tensorsmith.function.control_flow import carry, is_open
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Tensor


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    """The last state of `state, y = f(state, x)` over the rows of xs, and all y, stacked.

    init     the state before the first step, nested as f gives it.
    xs       tensors [n, ...], nested as f takes their rows; None: f is called with None, `length` times.
    reverse  True: from the last row to the first; the results stand at the places of their rows.
    unroll   True: a compiled program holds every step by itself, so f is called `n` times; else it holds one step.

    Raises ValueError where the numbers of rows differ or f changes the structure of the state, TypeError where it changes
    a dtype.

    >>> import tensorsmith as tf
    >>> last, sums = scan(lambda total, x: (total + x, total + x), tf.constant(0), tf.constant([1, 2, 3]))
    >>> last.numpy().item(), sums.numpy()
    (6, array([1, 3, 6], dtype=int32))
    """
    if not callable(f):
        raise TypeError(explain("scan", "f must be callable", {"f": describe(f)}))
    leaves = [convert(leaf) for leaf in nest.flatten(xs)] if xs is not None else []
    sizes = {leaf.shape[0] if leaf.shape.rank else -1 for leaf in leaves} | ({length} - {None})
    if (not leaves and length is None) or -1 in sizes or len(sizes - {None}) > 1:
        raise ValueError(
            explain(
                "scan",
                "the number of steps is not clear",
                {"xs": describe(xs), "length": length},
                "all tensors of xs have one first axis, as long as `length` where that is given",
            )
        )
    state = nest.map_structure(convert, init)
    size = next(iter(sizes - {None}), None)
    known = context.local.graph is None and not any(map(is_open, [*leaves, *nest.flatten(state)]))
    if known or (unroll is True and size is not None):
        return _in_turn(f, state, xs, leaves, size or 0, reverse)
    form: Any = None

    def body(number: Any, state: list[Any], row: list[Tensor]) -> tuple[list[Any], list[Tensor]]:
        nonlocal form
        after, form = _step(f, state[0], _packed(xs, row))
        return [after], [y for y in nest.flatten(form) if y is not None]

    rows = leaves or [functions["range"](size)]
    last, stacked = carry(None, body, Carried([state], ["the state"]), rows=rows, reverse=reverse)
    results = iter(stacked)
    return last[0], _packed(form, [y if y is None else next(results) for y in nest.flatten(form)])


def _packed(structure: Any, parts: list[Any]) -> Any:
    if structure is None:
        return None
    return nest.pack_sequence_as(structure, parts) if nest.is_nested(structure) else parts[0]


def _step(f: Callable[[Any, Any], Any], state: Any, x: Any) -> tuple[Any, Any]:
    """One step's next state and result, as tensors."""
    given = f(state, x)
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise TypeError(
            explain(
                "scan", "f must give the next state and a result", {"given": describe(given)}, "a result may be None"
            )
        )
    after, y = (nest.map_structure(lambda leaf: leaf if leaf is None else convert(leaf), part) for part in given)
    try:
        nest.assert_same_structure(state, after)
    except ValueError:
        raise ValueError(
            explain(
                "scan", "f changes the structure of the state", {"before": describe(state), "after": describe(after)}
            )
        ) from None
    return after, y


def _in_turn(
    f: Callable[[Any, Any], Any], state: Any, xs: Any, leaves: list[Tensor], size: int, reverse: bool
) -> tuple[Any, Any]:
    columns = [functions["unstack"](leaf) for leaf in leaves]
    results: list[Any] = []
    form: Any = None
    for at in reversed(range(size)) if reverse else range(size):
        before = nest.flatten(state)
        state, form = _step(f, state, _packed(xs, [column[at] for column in columns]))
        for a, b in zip(before, nest.flatten(state)):
            if a.dtype != b.dtype:
                raise TypeError(
                    explain(
                        "scan",
                        "f changes a dtype from step to step",
                        {"before": describe(a), "after": describe(b)},
                        "",
                        f"Convert it: tf.cast(value, tf.{a.dtype.name}).",
                    )
                )
        results.append(nest.flatten(form))
    if not size:
        return state, _of_no_steps(f, state, xs, leaves)
    if reverse:
        results.reverse()
    return state, _packed(
        form, [None if parts[0] is None else functions["stack"](list(parts)) for parts in zip(*results)]
    )


def _of_no_steps(f: Callable[[Any, Any], Any], state: Any, xs: Any, leaves: list[Tensor]) -> Any:
    """Results of no rows, whose other sizes are learnt by a trace."""
    graph = Graph(None, "scan")
    with context.tracing(graph):
        rows = [graph.input(tuple(leaf.shape)[1:], leaf.dtype) for leaf in leaves]
        stand = nest.map_structure(lambda leaf: graph.input(leaf.shape, leaf.dtype), state)
        form = _step(f, stand, _packed(xs, rows))[1]
    return nest.map_structure(
        lambda y: y if y is None else Tensor(np.zeros((0, *(n or 0 for n in y.shape)), y.dtype.numpy_dtype)), form
    )
