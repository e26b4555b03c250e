"""Program -> pure function of arrays: state threaded through, gradients planned so that forward runs once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.program.op import Op, register
from tensorsmith.program.program import Node, Program

Env = dict[int, Any]


def _gradient_kernel(xp: Any, values: list, targets: int = 1, seeds: bool = False) -> Any:
    raise NotImplementedError("a gradient node is lowered with the nodes it differentiates, never alone")


# Inputs: the targets, the sources, then (seeds=True) what flows into each target. Results: one array a source.
GRADIENT = register(Op("gradient", _gradient_kernel))


class Group:
    """A gradient node with the forward nodes between its sources and targets, to be run as one `jax.vjp`."""

    __slots__ = ("node", "slice")

    def __init__(self, node: Node, forward: list[Node]) -> None:
        self.node, self.slice = node, forward

    @property
    def targets(self) -> tuple[int, ...]:
        return self.node.inputs[: self.node.settings["targets"]]

    @property
    def sources(self) -> tuple[int, ...]:
        count = self.node.settings["targets"]
        return self.node.inputs[count : count + len(self.node.outputs)]

    @property
    def seeds(self) -> tuple[int, ...]:
        return self.node.inputs[len(self.targets) + len(self.sources) :]


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
    return [*_schedule(before, everything), group, *_schedule(after, everything), *nodes[last + 1 :]]


def between(nodes: list[Node], sources: Any, targets: Any, end: Node | None = None) -> list[Node]:
    """The nodes, in order, through which some target depends on some source (before the node `end`)."""
    reached = set(sources)
    forward: list[Node] = []
    for node in nodes:
        if node is end:
            break
        if reached.intersection(node.inputs) and not reached.issuperset(node.outputs):
            reached.update(node.outputs)
            forward.append(node)
    needed = set(targets)
    kept: list[Node] = []
    fixed = set(sources)
    for node in reversed(forward):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(i for i in node.inputs if i not in fixed)
    return kept[::-1]


Call = Callable[[Node, Env, Any], None]


def execute(steps: list[Node | Group], env: Env, xp: Any, run: Call | None = None) -> None:
    """Runs scheduled steps over `xp`, reading and filling `env` ({id: array}); `run` runs one node (`call`)."""
    run = run or call
    for step in steps:
        if isinstance(step, Group):
            _differentiate(step, env, xp, run)
        else:
            run(step, env, xp)


def call(node: Node, env: Env, xp: Any) -> None:
    """Runs one node."""
    results = _folded(node, env, xp) if xp is not np else None
    if results is None:
        results = node.op.kernel(xp, *arguments(node, env), **node.settings)
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
    known = False
    if _holds_programs(node):
        return None  # a loop may take any time, which is XLA's to spend
    for number in node.inputs:
        if number >= 0:
            value = env[number]
            if not isinstance(value, (np.ndarray, np.generic)) or value.size > FOLD or value.dtype == object:
                return None
            known = True
    if not known:
        return None
    results = node.op.kernel(np, *arguments(node, env), **node.settings)
    if results is None:
        return None
    large = any(r.size > FOLD for r in (results if isinstance(results, (tuple, list)) else (results,)))
    return None if large else results


def _holds_programs(node: Node) -> bool:
    return any(isinstance(setting, Program) for setting in node.settings.values())


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


def _differentiate(group: Group, env: Env, xp: Any, run: Call) -> None:
    from tensorsmith.program.execute import jax

    if xp is np:
        _differentiate_unrolled(group, env, run)
        return
    made = [o for node in group.slice for o in node.outputs]
    steps = schedule(group.slice)

    def forward(*values: Any) -> tuple[list[Any], list[Any]]:
        inner = dict(env)
        inner.update(zip(group.sources, values))
        execute(steps, inner, xp, run)
        return [inner[i] for i in group.targets], [inner[i] for i in made]

    sources = [env[i] for i in group.sources]
    targets, pull, handed_on = jax().vjp(forward, *sources, has_aux=True)
    env.update(zip(made, handed_on))
    seeds = [env[i] for i in group.seeds] if group.seeds else jax().tree.map(xp.ones_like, targets)
    env.update(zip(group.node.outputs, pull(seeds)))


class _Unrolled:
    """jax.numpy for code that runs step by step: branches and loops ask values and take Python's way (`unrolled`)."""

    unrolled = True

    def __getattr__(self, name: str) -> Any:
        from tensorsmith.program.execute import jax

        return getattr(jax().numpy, name)


def _differentiate_unrolled(group: Group, env: Env, run: Call) -> None:
    """A gradient in a program that XLA cannot run as a whole: JAX takes it operation by operation."""
    from tensorsmith.program.execute import guard

    with guard():
        _differentiate(group, env, _Unrolled(), run)
    for number in [*(o for node in group.slice for o in node.outputs), *group.node.outputs]:
        env[number] = np.asarray(env[number])
