"""Which values of a program a derivative runs through, and which it is none by."""

from __future__ import annotations

from typing import Any

from tensorsmith.program import execute
from tensorsmith.program.lower import GRADIENT, Group, between
from tensorsmith.program.pieces import Call, origins, piece
from tensorsmith.program.program import Node, Program, Spec

# a size that is not known, as the derivative of one operation is asked for: which values it takes hangs on no size
_STAND_IN = 2


def connected(program: Program, sources: list[int], targets: list[int], stops: Any = ()) -> set[int]:
    """Those of the sources on which some target depends by differentiable operations on real or complex values."""
    stopped = set(stops)
    needed = {t for t in targets if smooth(program, t)}
    for node in reversed(program.nodes):
        wanted = [at for at, o in enumerate(node.outputs) if o in needed and o not in stopped]
        if node.op.differentiable and wanted:
            needed.update(i for i in _varying(program, node, wanted) if i >= 0 and _passes(program, i))
    return {s for s in needed.intersection(sources) if smooth(program, s)}


def _varying(program: Program, node: Node, wanted: list[int]) -> Any:
    """The values that a node takes, without those that are constants to the derivative of the results at these places."""
    if node.op is GRADIENT and node.settings["mode"] != "tangent":
        return _behind(program, node, wanted)
    if node.op.links is not None:
        places = node.op.links(wanted)
        if places is not None:
            return [node.inputs[at] for at in places]
    if not node.op.steady:
        return node.inputs
    found: list[int] = []
    at = 0
    for name, count in zip(node.op.arrays, node.groups):
        size = 1 if count is None else count
        if name not in node.op.steady:
            found.extend(node.inputs[at : at + size])
        at += size
    return found


def moved(program: Program, sources: list[int], stops: Any = ()) -> set[int]:
    """The values that depend on some source by differentiable operations on real or complex values."""
    found = {s for s in sources if smooth(program, s)}
    stopped = set(stops)
    for node in program.nodes:
        if node.op.differentiable and found.intersection(node.inputs):
            found.update(o for o in node.outputs if o not in stopped and _passes(program, o))
    return found


def smooth(program: Program, number: int) -> bool:
    """True for a value of a floating or complex dtype."""
    return program.specs[number][1].kind in "fcV"


def _passes(program: Program, number: int) -> bool:
    """True for a smooth value, and for a list of them: a tensor array that grows."""
    return program.specs[number][1].kind in "fcVO"


def _behind(program: Program, node: Node, wanted: list[int]) -> set[int]:
    """The values of the program from which a gradient node computes the gradients at these places.

    The slope of 2 * w1 * w2 by w1 does not hang on w1: its own derivative by w1 is None, and no zero.
    """
    group = Group(node, [])
    nodes = between(program.nodes, group.sources, group.targets, node)
    reached = {*group.sources, *(o for each in nodes for o in each.outputs)}.difference(group.stops)
    # for each value that something flows into, what that is computed from
    flows: dict[int, set[int]] = {}
    for at, target in enumerate(group.targets):
        flows.setdefault(target, set()).update(group.seeds[at : at + 1])
    for each in reversed(nodes):
        flowing = [at for at, o in enumerate(each.outputs) if o in flows]
        if not flowing or not each.op.differentiable:
            continue
        moving = set(_varying(program, each, flowing))
        taken = [i for i in each.inputs if i >= 0]
        by = [at for at, i in enumerate(taken) if i in reached and i in moving and _passes(program, i)]
        values = [{i} for i in taken] + [flows[each.outputs[at]] for at in flowing]
        for at, found in zip(by, _parts(program, each, by, flowing)):
            if found is not None:
                flows.setdefault(taken[at], set()).update(*(values[k] for k in found))
    return set().union(*(flows.get(group.sources[at], set()) for at in wanted))


def _known(spec: Spec) -> Any:
    return tuple([_STAND_IN if size is None else size for size in spec[0]]), spec[1]


def _parts(program: Program, node: Node, by: list[int], flowing: list[int]) -> list[Any]:
    """For each slope of one node, which it is computed from, among the arrays taken and what flows in; None: it is none."""
    everything = range(sum(i >= 0 for i in node.inputs) + len(flowing))
    if not by or node.programs or node.op is GRADIENT or node.op.eager:
        return [everything] * len(by)
    absent, at = [], 0
    for count in node.groups:
        absent.append(count is None and node.inputs[at] < 0)
        at += 1 if count is None else count
    call = Call(
        node.op,
        node.settings,
        node.groups,
        tuple(absent),
        tuple([_known(program.specs[i]) for i in node.inputs if i >= 0]),
        tuple([_known(program.specs[o]) for o in node.outputs]),
        tuple(by),
        tuple(flowing),
    )
    try:
        found = piece(call)
    except execute.REFUSED:
        return [everything] * len(by)
    parts, flowed = origins(found), found.reached or [True] * len(by)
    if parts is None:
        return [everything if flows else None for flows in flowed]
    return [{found.given[k] for k in part} if flows else None for part, flows in zip(parts, flowed)]
