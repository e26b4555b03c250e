"""Program -> pure function of arrays: state threaded through, gradients planned so that forward runs once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, OpError, explain
from tensorsmith.program.op import Array, Op, register
from tensorsmith.program.program import Node, Program, Spec

Env = dict[int, Any]


def _gradient_kernel(
    xp: Any, values: list, targets: int = 1, sources: int = 1, seeds: bool = False, stops: int = 0, mode: str = ""
) -> Any:
    raise NotImplementedError("a gradient node is lowered with the nodes it differentiates, never alone")


# A derivative. Inputs: the targets, the sources, then (seeds=True) the seeds, then the stops: values that are constants
# to it. The mode says what it gives:
#   gradient        for each source, what flows back from the targets; the seeds flow into the targets (default: ones).
#   jacobian        for each source, the derivative of every element of the one target by every element of the source.
#   batch_jacobian  the same row by row: no row of the target depends on another row of the source.
#   tangent         for each target, how fast it moves when the sources move by the seeds.
GRADIENT = register(Op("gradient", _gradient_kernel))
MODES = frozenset({"gradient", "jacobian", "batch_jacobian", "tangent"})


def derivative_settings(
    targets: int, sources: int, seeds: bool = False, stops: int = 0, mode: str = "gradient"
) -> dict[str, Any]:
    """The settings of a gradient node."""
    return {"targets": targets, "sources": sources, "seeds": seeds, "stops": stops, "mode": mode}


def derivative_specs(mode: str, targets: list[Spec], sources: list[Spec]) -> list[Spec]:
    """The specs of a gradient node's results."""
    if mode == "gradient":
        return sources
    if mode == "tangent":
        return targets
    shape = targets[0][0]
    if mode == "jacobian":
        return [(shape + own, dtype) for own, dtype in sources]
    return [(shape + own[1:], dtype) for own, dtype in sources]


class Group:
    """A gradient node with the forward nodes between its sources and targets, to be run as one `jax.vjp`.

    late  the steps that make seeds from what the forward nodes give: they run between forward and backward.
    """

    __slots__ = ("late", "mode", "node", "seeds", "slice", "sources", "stops", "targets")

    def __init__(self, node: Node, forward: list[Node]) -> None:
        self.node, self.slice = node, forward
        self.late: list[Node | Group] = []
        settings, inputs = node.settings, node.inputs
        first, second = settings["targets"], settings["targets"] + settings["sources"]
        self.mode: str = settings["mode"]
        self.targets, self.sources = inputs[:first], inputs[first:second]
        seeds = (second - first if self.mode == "tangent" else first) if settings["seeds"] else 0
        self.seeds, self.stops = inputs[second : second + seeds], inputs[second + seeds :]


def lower(program: Program, xp: Any) -> Callable[[list[Any], list[Any]], tuple[list[Any], list[Any]]]:
    """A pure function (inputs, captured values) -> (outputs, updated values) over the namespace `xp`."""
    steps = schedule(program.nodes)
    captured = [number for _, number in program.captures]
    updated = [number for _, number in program.updates]

    def run(inputs: list[Any], captures: list[Any]) -> tuple[list[Any], list[Any]]:
        env: Env = dict(program.constants)
        env.update(zip(program.inputs, inputs))
        env.update(zip(captured, captures))
        execute(steps, env, xp)
        return [env[i] for i in program.outputs], [env[i] for i in updated]

    return run


def schedule(nodes: list[Node]) -> list[Node | Group]:
    """The nodes in an order in which each gradient's forward part runs inside its own `jax.vjp`.

    The last gradient node takes the nodes of its slice; what does not depend on them runs before it,
    the rest after. Its forward values are handed on, so nothing is computed twice, and a gradient
    inside the slice (a second derivative) is scheduled when the slice is run.
    """
    return _schedule(nodes, nodes)


def _schedule(nodes: list[Node], everything: list[Node]) -> list[Node | Group]:
    last = next((i for i in range(len(nodes) - 1, -1, -1) if nodes[i].op is GRADIENT), None)
    if last is None:
        return list(nodes)
    group = Group(nodes[last], [])
    group.slice = between(everything, group.sources, group.targets, nodes[last])
    inside = set(map(id, group.slice))
    made = {o for node in group.slice for o in node.outputs}
    before: list[Node] = []
    after: list[Node] = []
    for node in nodes[:last]:
        if id(node) in inside:
            continue
        if made.intersection(node.inputs):
            made.update(node.outputs)
            after.append(node)
        else:
            before.append(node)
    if made.intersection(group.seeds):
        needed = set(group.seeds)
        late = []
        for node in reversed(after):
            if needed.intersection(node.outputs):
                needed.update(node.inputs)
                late.append(node)
        group.late = _schedule(late[::-1], everything)
        after = [node for node in after if node not in late]
    return [*_schedule(before, everything), group, *_schedule(after, everything), *nodes[last + 1 :]]


def between(nodes: list[Node], sources: Any, targets: Any, end: Node | None = None) -> list[Node]:
    """The nodes, in order, through which some target depends on some source (before the node `end`).

    A gradient among them runs its forward part anew, so the nodes of that are there too, whether they depend on the
    sources or not, with all that stands between them and the others.
    """
    if end is not None:
        nodes = nodes[: next(i for i, node in enumerate(nodes) if node is end)]
    kept = _between(nodes, set(sources), set(targets))
    gradients = [node for node in kept if node.op is GRADIENT]
    seen: set[int] = set()
    while gradients:
        every = {id(node): node for node in kept}
        for node in gradients:
            seen.add(id(node))
            group = Group(node, [])
            every.update((id(n), n) for n in between(nodes, group.sources, group.targets, node))
        made = {o for node in every.values() for o in node.outputs}
        taken = {i for node in every.values() for i in node.inputs}
        every.update((id(n), n) for n in _between(nodes, made, taken))
        kept = [node for node in nodes if id(node) in every]
        gradients = [node for node in kept if node.op is GRADIENT and id(node) not in seen]
    return kept


def _between(nodes: list[Node], reached: set[int], needed: set[int]) -> list[Node]:
    """The nodes that take, directly or not, what is reached and give what is needed."""
    forward: list[Node] = []
    for node in nodes:
        if reached.intersection(node.inputs):
            reached.update(node.outputs)
            forward.append(node)
    kept: list[Node] = []
    for node in reversed(forward):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(node.inputs)
    return kept[::-1]


Call = Callable[[Node, Env, Any], None]
# what happens to the values that a step has just made: (their ids, env)
Amend = Callable[[Any, Env], None]


def execute(
    steps: list[Node | Group], env: Env, xp: Any, run: Call | None = None, amends: tuple[Amend, ...] = ()
) -> None:
    """Runs scheduled steps over `xp`, reading and filling `env` ({id: array}); `run` runs one node (`call`)."""
    run = run or call
    for step in steps:
        if isinstance(step, Group):
            _differentiate(step, env, xp, run, amends)
            made = step.node.outputs
        else:
            run(step, env, xp)
            made = step.outputs
        for amend in amends:
            amend(made, env)


def call(node: Node, env: Env, xp: Any) -> None:
    """Runs one node."""
    results = _folded(node, env, xp) if xp is not np else None
    if results is None:
        given = arguments(node, env)
        try:
            results = node.op.kernel(xp, *given, **node.settings)
        except OpError:
            raise
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            if xp is np:
                raise InvalidArgumentError(explain(node.op.name, str(error).rstrip("."))) from error
            if not any(map(_is_open, given)):
                raise
            results = node.op.kernel(xp, *[_reckoned(xp, each) for each in given], **node.settings)
    if len(node.outputs) == 1 and not isinstance(results, (tuple, list)):
        env[node.outputs[0]] = results
    else:
        env.update(zip(node.outputs, results))


# Up to this many elements a value may be that is computed with NumPy while a program is lowered.
FOLD = 1024


def _folded(node: Node, env: Env, xp: Any) -> Any:
    """What a node makes of small arrays that are known while XLA traces; None where some are not.

    Sizes computed from shapes stay numbers so, and a reshape or a range can take them.
    """
    known = open_ = False
    if node.programs:
        return None  # a loop may take any time, which is XLA's to spend
    for number in node.inputs:
        if number >= 0:
            value = env[number]
            if type(value).__name__ == "_DimExpr":
                value = env[number] = np.asarray(value, object)
            if not isinstance(value, (np.ndarray, np.generic)) or value.size > FOLD:
                return None
            known, open_ = True, open_ or value.dtype == object
    if not known:
        return None
    try:
        results = node.op.kernel(np, *arguments(node, env), **node.settings)
    except (TypeError, ValueError):
        if open_:
            return None
        raise
    if open_:
        whole = results if isinstance(results, (tuple, list)) else [results]
        results = [np.asarray(r, object) if type(r).__name__ == "_DimExpr" else r for r in whole]
    if results is None:
        return None
    large = any(r.size > FOLD for r in (results if isinstance(results, (tuple, list)) else (results,)))
    return None if large else results


def _is_open(value: Any) -> bool:
    """True for sizes that an exported program leaves open: expressions of JAX, in arrays of objects."""
    return isinstance(value, np.ndarray) and value.dtype == object


def _reckoned(xp: Any, value: Any) -> Any:
    """Open sizes as numbers that are known when the program runs, where they serve as no sizes."""
    if not _is_open(value):
        return value
    flat = [xp.asarray(size, np.int32) for size in value.ravel().tolist()]
    return xp.reshape(xp.stack(flat), value.shape) if flat else xp.zeros(value.shape, np.int32)


def arguments(node: Node, env: Env) -> list[Any]:
    """The arrays that a node takes, list arguments put together again."""
    values: list[Any] = [None if i < 0 else env[i] for i in node.inputs]
    if not any(count is not None for count in node.groups):
        return values
    packed: list[Any] = []
    at = 0
    for count in node.groups:
        if count is None:
            packed.append(values[at])
            at += 1
        else:
            packed.append(values[at : at + count])
            at += count
    return packed


def _differentiate(group: Group, env: Env, xp: Any, run: Call, amends: tuple[Amend, ...]) -> None:
    from tensorsmith.program.execute import jax

    if xp is np:
        _differentiate_unrolled(group, env, run)
        return
    module = jax()
    forwards = group.mode == "tangent"
    if forwards or getattr(xp, "forward", False):
        xp = Namespace(getattr(xp, "unrolled", False), forwards, getattr(xp, "looped", False))
    made = [o for node in group.slice for o in node.outputs]
    steps = schedule(group.slice)
    inside = set(made)
    again = [s for s in group.sources if s in inside]
    if again:
        # a source that is made from another one: its value is needed before the slice runs
        ahead = dict(env)
        execute(schedule(between(group.slice, set(group.sources) - inside, again)), ahead, xp, run, amends)
        given = [ahead[i] for i in group.sources]
    else:
        given = [env[i] for i in group.sources]
    cut = inside.intersection(group.stops)

    def forward(*values: Any) -> tuple[list[Any], list[Any]]:
        inner = dict(env)
        inner.update(zip(group.sources, values))
        own = dict(zip(group.sources, values))

        def amend(outputs: Any, now: Env) -> None:
            for number in outputs:
                if number in cut:
                    now[number] = own.get(number, module.lax.stop_gradient(now[number]))
                elif number in own:
                    now[number] = joined(now[number], own[number])

        execute(steps, inner, xp, run, (*amends, amend) if again or cut else amends)
        return [inner[i] for i in group.targets], [inner[i] for i in made]

    if forwards:
        seeds = [env[i] for i in group.seeds]
        # Twice backwards, and not `jvp`: loops whose length is known only when they run go backwards alone. What flows
        # back is linear in what flows in, and its own derivative by that is the way forward.
        targets, pull, handed_on = module.vjp(forward, *given, has_aux=True)
        _, push = module.vjp(pull, module.tree.map(xp.zeros_like, targets))
        (results,) = push(tuple(seeds))
        env.update(zip(made, handed_on))
    else:
        targets, pull, handed_on = module.vjp(forward, *given, has_aux=True)
        env.update(zip(made, handed_on))
        execute(group.late, env, xp, run, amends)
        seeds = [env[i] for i in group.seeds]
        if group.mode == "gradient":
            # ones where nothing is given; TensorFlow's gradient of complex values is the conjugate of JAX's
            flows = conjugated(xp, seeds) if seeds else module.tree.map(xp.ones_like, targets)
            results = pull(flows)
        else:
            results = _every_element(xp, targets[0], pull, given, group.mode == "batch_jacobian")
        results = conjugated(xp, results)
    env.update(zip(group.node.outputs, results))


def joined(made: Any, value: Any) -> Any:
    """A value that was made from one source and is itself another: both move it."""
    from tensorsmith.program.execute import jax

    module = jax()

    @module.custom_jvp
    def both(made: Any, value: Any) -> Any:
        return made

    both.defjvp(lambda values, speeds: (values[0], module.tree.map(lambda a, b: a + b, *speeds)))
    return both(made, value)


def _assigned(xp: Any, value: Array, before: Array | None = None) -> Any:
    """An assigned value that moves as the variable did before, or not at all."""
    if xp is np:
        return value
    from tensorsmith.program.execute import jax

    module = jax()
    if before is None:
        return module.lax.stop_gradient(value)

    @module.custom_jvp
    def moved(value: Any, before: Any) -> Any:
        return value

    moved.defjvp(lambda values, speeds: (values[0], speeds[1]))
    return moved(value, before)


# What a variable is read as after it was assigned in a program. A variable's derivative is by all values that it is read
# as, and none goes through an assignment.
ASSIGNED = register(
    Op("assigned", _assigned, shapes=lambda specs, settings: [specs[0]], steady=("value",)),
)


def conjugated(xp: Any, arrays: Any) -> list[Any]:
    """Complex arrays conjugated: from JAX's gradients to TensorFlow's, and back."""
    return [xp.conj(a) if getattr(a, "dtype", None) in _COMPLEX else a for a in arrays]


_COMPLEX = (np.dtype("complex64"), np.dtype("complex128"))


def _every_element(xp: Any, target: Any, pull: Any, sources: list[Any], by_row: bool) -> list[Any]:
    """The pull-back of every element of the target, all at once; `by_row`: of every element of a row, in all rows."""
    shape = target.shape
    inner = shape[1:] if by_row else shape
    count = int(np.prod(inner))
    basis = xp.eye(count, dtype=target.dtype)
    if by_row:
        seeds = xp.broadcast_to(xp.reshape(basis, (count, 1, *inner)), (count, *shape))
    else:
        seeds = xp.reshape(basis, (count, *shape))
    from tensorsmith.program.execute import jax

    results = jax().vmap(lambda seed: pull([seed]))(seeds)
    if by_row:
        return [xp.reshape(xp.moveaxis(r, 0, 1), (*shape, *s.shape[1:])) for r, s in zip(results, sources)]
    return [xp.reshape(r, (*shape, *s.shape)) for r, s in zip(results, sources)]


class Namespace:
    """jax.numpy, and what a kernel may ask besides.

    unrolled  the code runs step by step: branches and loops ask values and take Python's way.
    forward   a tangent is computed: what was computed moves, and a derivative that somebody gave has no say.
    looped    the code stands in a loop of the compiled program, where XLA's CPU code of some primitives is another.
    """

    def __init__(self, unrolled: bool = False, forward: bool = False, looped: bool = False) -> None:
        self.unrolled, self.forward, self.looped = unrolled, forward, looped

    def __getattr__(self, name: str) -> Any:
        from tensorsmith.program.execute import jax

        return getattr(jax().numpy, name)


def in_loop(xp: Any) -> Any:
    """The namespace for code inside a loop."""
    if xp is np:
        return xp
    return Namespace(getattr(xp, "unrolled", False), getattr(xp, "forward", False), looped=True)


def _differentiate_unrolled(group: Group, env: Env, run: Call) -> None:
    """A gradient in a program that XLA cannot run as a whole: JAX takes it operation by operation."""
    from tensorsmith.program.execute import guard

    known = set(env)
    with guard():
        _differentiate(group, env, Namespace(unrolled=True), run, ())
    for number in env.keys() - known:
        env[number] = np.asarray(env[number])
