"""tf.gradients and tf.hessians: derivatives of symbols inside a traced function."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.state.tape import unconnected_choice
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Symbol

_local = context.local


class AggregationMethod:
    """Names that `aggregation_method` of `tf.gradients` takes: how terms of a derivative are added. XLA decides that."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str | None = None,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = "none",
) -> list[Any]:
    """Inside a `tf.function`: the derivative of the sum of `ys` by each of `xs`, as a list.

    ys, xs          tensors and variables, or lists of them.
    grad_ys         what flows into each of ys; None (for all, or for one): ones.
    stop_gradients  tensors that are constants to it; where they stand among `xs`, partial derivatives result.
    unconnected_gradients  "none": None where no y depends on an x; "zero": zeros.
    name, gate_gradients, aggregation_method  taken, but of no effect.

    What is computed from numbers alone is a number while the function is traced, and no y depends on it: take it as
    an argument of the function. Raises RuntimeError outside of a traced function.

    >>> import tensorsmith as tf
    >>> @tf.function
    ... def slope(x):
    ...     return tf.gradients(x * x, x)[0]
    >>> slope(tf.constant(3.0)).numpy().item()
    6.0
    """
    graph = _graph("gradients")
    choice = unconnected_choice(unconnected_gradients)
    targets = [convert(y) for y in nest.flatten(ys)]
    sources = [_symbol(graph, x) for x in nest.flatten(xs)]
    flows = [None] * len(targets) if grad_ys is None else nest.flatten(grad_ys)
    if len(flows) != len(targets):
        raise ValueError(
            explain("gradients", "grad_ys has another length than ys", {"ys": len(targets), "grad_ys": len(flows)})
        )
    seeds = [
        functions["ones_like"](y) if flow is None else convert(flow, None, y.dtype.numpy_dtype)
        for y, flow in zip(targets, flows)
    ]
    stops = [_symbol(graph, s) for s in nest.flatten(stop_gradients)] if stop_gradients is not None else []
    moving = [(y, seed) for y, seed in zip(targets, seeds) if isinstance(y, Symbol) and y._graph is graph]
    symbols = [graph.symbol_of(s) for s in sources]
    own = [s for s in symbols if s is not None]
    if moving and own:
        ids = [s._id for s in map(graph.symbol_of, stops) if s is not None]
        given = [seed for _, seed in moving] if grad_ys is not None else None
        slopes = iter(graph.derivative([y for y, _ in moving], own, given, ids))
    else:
        slopes = iter([None] * len(own))
    found = [None if s is None else next(slopes) for s in symbols]
    if choice == "zero":
        found = [functions["zeros_like"](s) if f is None else f for s, f in zip(sources, found)]
    return found


def hessians(
    ys: Any,
    xs: Any,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    name: str | None = None,
) -> list[Any]:
    """Inside a `tf.function`: the second derivative of the sum of `ys` by each of `xs`, as a list.

    An x of shape S gives S + S. gate_gradients, aggregation_method and name are taken, but of no effect.

    Raises RuntimeError outside of a traced function, ValueError where no y depends on an x.

    >>> import tensorsmith as tf
    >>> @tf.function
    ... def curvature(x):
    ...     return tf.hessians(tf.reduce_sum(x**3), x)[0]
    >>> curvature(tf.constant([1.0, 2.0])).numpy()
    array([[ 6.,  0.],
           [ 0., 12.]], dtype=float32)
    """
    graph = _graph("hessians")
    found = []
    for x in nest.flatten(xs):
        (slope,) = gradients(ys, x)
        source = graph.symbol_of(_symbol(graph, x))
        if slope is None or source is None:
            raise ValueError(explain("hessians", "ys do not depend on an x", {"x": x}))
        (second,) = graph.derivative([slope], [source], None, [], "jacobian")
        if second is None:
            zeros = functions["zeros_like"](source)
            second = functions["tensordot"](zeros, zeros, 0)
        found.append(second)
    return found


def _graph(who: str) -> Graph:
    graph = _local.graph
    if graph is None:
        raise RuntimeError(
            f"tf.{who} is not supported when eager execution is enabled. Use tf.GradientTape instead, or call it inside a "
            "tf.function."
        )
    return graph


def _symbol(graph: Graph, value: Any) -> Any:
    """A tensor of the program being traced; of a variable, its value as it was first read."""
    if isinstance(value, Variable):
        first = graph.first_read(value)
        return value._read_quietly() if first is None else first
    return convert(value)
