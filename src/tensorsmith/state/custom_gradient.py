"""custom_gradient: a function that brings its own derivative."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tensorsmith.core import context, nest, ports
from tensorsmith.core.errors import explain
from tensorsmith.program.calls import calls_python
from tensorsmith.program.execute import jax
from tensorsmith.program.lower import conjugated, lower
from tensorsmith.program.op import Arrays, Op, register
from tensorsmith.program.program import Program
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Tensor

_local = context.local


def _kernel(
    xp: Any, results: Arrays, sources: Arrays, captured: Arrays, backward: Any = None, given: Any = ()
) -> list[Any]:
    """The results as they are; the derivative by the sources is what the program `backward` makes of the results'.

    given: for each source the place of its derivative among the program's outputs, None for one that has none.
    """
    if xp is np or getattr(xp, "forward", False):
        return list(results)
    module = jax()
    run, printing = lower(backward, xp), bool(backward.updates) and calls_python(backward)

    @module.custom_vjp
    def surrogate(results: list[Any], sources: list[Any], captured: list[Any]) -> list[Any]:
        return results

    def forward(results: list[Any], sources: list[Any], captured: list[Any]) -> Any:
        return results, (results, sources, captured)

    def back(kept: Any, flowing: list[Any]) -> Any:
        results, sources, captured = kept
        # the captured values come behind what flows in
        ends, status = run([*conjugated(xp, flowing), *captured], [])
        slopes = conjugated(xp, ends)
        if printing:
            # nothing takes the status of the way back: without this call XLA would drop what is printed there
            module.debug.callback(_ended, *status)
        by_source = [
            None if at is None else xp.asarray(slopes[at], s.dtype).reshape(s.shape) for s, at in zip(sources, given)
        ]
        # None cuts the results' own way to the sources: zeros would not, as 0 times an infinite slope is NaN
        return [None] * len(results), by_source, [None] * len(captured)

    surrogate.defvjp(forward, back)
    return surrogate(list(results), list(sources), list(captured))


def _like_results(specs: Any, settings: dict) -> tuple:
    return tuple(specs[0])


def _ended(*status: Any) -> None:
    """The way back is at its end."""


CUSTOM = register(
    Op("custom_gradient", _kernel, same=False, shapes=_like_results, steady=("results", "captured")),
)


class _Reads:
    """Hears which variables are read."""

    def __init__(self) -> None:
        self.found: dict[int, tuple[Variable, Tensor]] = {}

    def record(self, call: Any) -> None: ...

    def knows(self, tensor: Tensor) -> bool:
        return False

    def note_read(self, variable: Variable, value: Tensor) -> None:
        if variable.trainable:
            self.found[id(variable)] = variable, value


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a function its own derivative.

    f: a function of tensors that returns `(results, grad_fn)`. `grad_fn(*upstream)` takes the derivative by each
    result and returns the derivative by each argument (None for one that has none); arguments that are no values, as
    the `self` of a method, are passed on and have none, keyword arguments are constants. Where f reads trainable
    variables, grad_fn also takes `variables=` (a list of them) and returns `(by_arguments, by_variables)`.

    Raises TypeError when f reads trainable variables that grad_fn does not take.

    >>> import tensorsmith as tf
    >>> @tf.custom_gradient
    ... def clipped(x):
    ...     return tf.identity(x), lambda upstream: tf.clip_by_value(upstream, -1.0, 1.0)
    >>> x = tf.Variable(2.0)
    >>> with tf.GradientTape() as tape:
    ...     y = 10.0 * clipped(x)
    >>> tape.gradient(y, x).numpy().item()
    1.0
    """

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        leaves = [convert(a) if _is_value(a) else a for a in nest.flatten(args)]
        arguments = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        reads = _Reads()
        listening = bool(_local.tapes) or _local.graph is not None
        _local.tapes.append(reads)
        context.busy.append(reads)
        try:
            outcome, grad_fn = ports.rewritten(f)(*nest.pack_sequence_as(args, leaves), **kwargs)
        finally:
            _local.tapes.remove(reads)
            context.busy.remove(reads)
        if not listening:
            return outcome
        results = [convert(r) for r in nest.flatten(outcome)]
        variables = [variable for variable, _ in reads.found.values()]
        sources = [*arguments, *(value for _, value in reads.found.values())]
        backward, given, captured = _traced(f, grad_fn, results, len(arguments), variables)
        own = apply(CUSTOM, [results, sources, captured], {"backward": backward, "given": given})
        return nest.pack_sequence_as(outcome, list(own)) if nest.is_nested(outcome) else own[0]

    return wrapped


class _Backward(Graph):
    """The graph of a derivative. Outside of any other trace it sees variables by their values."""

    def read(self, variable: Any) -> Tensor:
        return variable._tensor if self.outer is None else super().read(variable)


@contextmanager
def _traced_aside(graph: Graph) -> Iterator[None]:
    """Operations on the graph's symbols become its nodes, while open tapes go on hearing of all others.

    So a second derivative finds its way through what grad_fn makes of the values around it.
    """
    outer, _local.graph = _local.graph, graph
    context.busy.append(graph)
    try:
        yield
    finally:
        _local.graph = outer
        context.busy.remove(graph)


def _traced(
    f: Any, grad_fn: Callable[..., Any], results: list[Tensor], count: int, variables: list[Variable]
) -> tuple[Program, tuple[int | None, ...], list[Tensor]]:
    """`grad_fn` as a program of what flows into the results and of the values that it uses besides."""
    name = getattr(f, "__name__", "the function")
    more: dict[str, Any] = {}
    if variables:
        parameters = inspect.signature(grad_fn).parameters
        if "variables" not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            raise TypeError(
                explain(
                    f"custom_gradient of {name}", "it reads trainable variables, but its grad_fn does not take them",
                    {"variables": [v.name for v in variables]}, "grad_fn(*upstream, variables=None) must return "
                    "(by_arguments, by_variables)",
                )
            )  # fmt: skip
        more["variables"] = variables
    graph = _Backward(_local.graph, name)
    with _traced_aside(graph):
        flowing = [graph.input(tuple(r.shape), r.dtype) for r in results]
        slopes = ports.rewritten(grad_fn)(*flowing, **more)
        by_arguments, by_variables = slopes if variables else (slopes, [])
        every = [*nest.flatten(by_arguments), *nest.flatten(by_variables)]
        if len(every) != count + len(variables):
            raise ValueError(
                explain(
                    f"custom_gradient of {name}", "grad_fn gave another number of derivatives than there are arguments",
                    {"given": len(every), "arguments": count + len(variables)},
                )
            )  # fmt: skip
        outputs = [convert(s) for s in every if s is not None]
        program = graph.finish(outputs)
    places = iter(range(len(outputs)))
    given = tuple(None if s is None else next(places) for s in every)
    # What grad_fn takes from around it becomes arguments too: as constants, each call would be another program.
    captured: list[Tensor] = []
    for number, array in program.constants.items():
        program.inputs.append(number)
        captured.append(next((t for t, n in graph._constants.values() if n == number), Tensor(array)))
    for source, number in program.captures:
        program.inputs.append(number)
        captured.append(source._read() if isinstance(source, Variable) else source)
    program.constants, program.captures = {}, []
    return program, given, captured


def _is_value(leaf: Any) -> bool:
    """True for what becomes a tensor; False for objects that are only passed on."""
    kinds = (Tensor, Variable, np.ndarray, np.generic, bool, int, float, complex, str, bytes)
    return isinstance(leaf, kinds) or hasattr(leaf, "__array__")


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the values of f whose derivative is that of the identity.

    f: takes and gives tensors of one shape. What f reads besides has no derivative.

    >>> import tensorsmith as tf
    >>> x = tf.Variable(2.4)
    >>> with tf.GradientTape() as tape:
    ...     y = 3.0 * tf.grad_pass_through(tf.round)(x)
    >>> y.numpy().item(), tape.gradient(y, x).numpy().item()
    (6.0, 3.0)
    """

    @functools.wraps(f)
    def passed(*args: Any, **kwargs: Any) -> Any:
        def slopes(*upstream: Any, variables: Any = None) -> Any:
            return (upstream, [None] * len(variables)) if variables else upstream

        return f(*args, **kwargs), slopes

    return custom_gradient(passed)
