"""What a program costs: operations by kind, arithmetic, bytes, by rules from the shapes alone.

A product of [m, k] and [k, n] is 2mnk, an elementwise operation 1 for each element of its result, a reduction 1 for each
element of what it reduces. A derivative costs what its forward operations cost once more for each of their inputs that it
goes through. A loop counts its rounds where their number is known, else one round, which the notes say; of branches
the larger counts.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tensorsmith.program.lower import GRADIENT, Group, between
from tensorsmith.program.program import Node, Program

# arithmetic for each element of the result: a normal form such as softmax has its maximum, exponentials, sum, quotient
PER_RESULT = {
    "softmax": 5, "log_softmax": 5, "sigmoid": 4, "tanh": 1, "gelu": 8, "elu": 3, "selu": 4, "softplus": 4, "silu": 5,
    "square": 1, "rsqrt": 2, "clip_by_value": 2,
}  # fmt: skip
# operations that only move elements, or ask of shapes
FREE = frozenset(
    """
    reshape transpose concat stack unstack split expand_dims squeeze identity stop_gradient cast shape size fill zeros_like
    ones_like gather gather_nd getitem tile pad broadcast_to reverse roll constant where one_hot eye range bitcast
    """.split()
)
REDUCTIONS = frozenset(
    """
    reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_all reduce_any argmax argmin count_nonzero cumsum
    cumprod
    """.split()
)
# a size of None where nothing else is said
ONE = 1


@dataclass
class Counts:
    """What one run of a program costs.

    operations          {name: how many nodes}, those of sub-programs too.
    flops               arithmetic operations.
    input_bytes, variable_bytes, constant_bytes  of what it is given.
    intermediate_bytes  of all values that it makes.
    peak_bytes          of the values alive at once, at most, inputs and variables among them.
    notes               what had to be assumed.
    """

    operations: Counter = field(default_factory=Counter)
    flops: int = 0
    input_bytes: int = 0
    variable_bytes: int = 0
    constant_bytes: int = 0
    intermediate_bytes: int = 0
    peak_bytes: int = 0
    notes: list[str] = field(default_factory=list)
    flops_by_operation: Counter = field(default_factory=Counter)

    def __str__(self) -> str:
        width = max((len(name) for name in self.operations), default=9)
        lines = [f"{'operation'.ljust(width)}  {'nodes':>6}  {'FLOPs':>14}"]
        for name, count in self.operations.most_common():
            lines.append(f"{name.ljust(width)}  {count:>6}  {self.flops_by_operation[name]:>14,}")
        lines.append(f"{'all'.ljust(width)}  {sum(self.operations.values()):>6}  {self.flops:>14,}")
        for name in ("input", "variable", "constant", "intermediate", "peak"):
            lines.append(f"{(name + ' bytes').ljust(width + 8)}  {getattr(self, name + '_bytes'):>14,}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def count(program: Program, batch: int | None = None) -> Counts:
    """What one run costs, with `batch` in the place of every size that is open (1 where it is not given)."""
    size = ONE if batch is None else batch
    found = Counts()
    if batch is None and any(None in shape for shape, _ in program.specs):
        found.notes.append("open sizes count as 1: give batch=")
    _into(found, program, size, 1)
    made = {o for node in program.nodes for o in node.outputs}
    found.input_bytes = sum(_bytes(program.specs[i], size) for i in program.inputs)
    found.variable_bytes = sum(_bytes(program.specs[i], size) for _, i in program.captures)
    found.constant_bytes = sum(np.asarray(array).nbytes for array in program.constants.values())
    found.intermediate_bytes = sum(_bytes(program.specs[i], size) for i in made)
    found.peak_bytes = _peak(program, size)
    found.notes = list(dict.fromkeys(found.notes))
    return found


def formula(program: Program, name: str = "flops") -> list[int]:
    """The coefficients of a count as a polynomial in the batch size, the constant first.

    Raises ValueError for a count that is none (a peak that changes place, say).
    """
    points = [getattr(count(program, batch), name) for batch in range(2, 8)]
    for degree in range(4):
        matrix = np.vander(np.arange(2, 3 + degree), increasing=True)
        found = [round(c) for c in np.linalg.solve(matrix.astype("float64"), np.array(points[: degree + 1], "float64"))]
        if all(sum(c * b**k for k, c in enumerate(found)) == p for b, p in zip(range(2, 8), points)):
            return found
    raise ValueError(f"{name} of the program is no polynomial in the batch size of degree 3 or less.")


def _into(found: Counts, program: Program, size: int, times: int) -> None:
    for node in program.nodes:
        found.operations[node.op.name] += 1
        rounds, inner = _inner(found, node, program)
        if inner:
            # of branches the larger counts
            costs = []
            for each in inner:
                cost = Counts()
                _into(cost, each, size, times * rounds)
                costs.append(cost)
                found.operations.update(cost.operations)
                found.notes.extend(cost.notes)
            chosen = (
                [max(costs, key=lambda c: c.flops)] if "cond" in node.op.name or "switch" in node.op.name else costs
            )
            for cost in chosen:
                found.flops += cost.flops
                found.flops_by_operation.update(cost.flops_by_operation)
            continue
        cost = times * (_gradient(program, node, size) if node.op is GRADIENT else flops(program, node, size))
        found.flops += cost
        found.flops_by_operation[node.op.name] += cost


def _inner(found: Counts, node: Node, program: Program) -> tuple[int, list[Program]]:
    """How often the sub-programs of a node run, and which."""
    if node.op.name == "custom_gradient" or not node.programs:
        return 1, []
    if node.op.name == "for_loop":
        known = program.constants.get(node.inputs[0])
        if known is not None:
            return max(int(known), 0), node.programs
    if node.op.name in ("for_loop", "while_loop"):
        found.notes.append(f"a {node.op.name} counts as one round: how many there are is known only when it runs")
    return 1, node.programs


def flops(program: Program, node: Node, size: int) -> int:
    """The arithmetic of one node."""
    name = node.op.name
    given = [_elements(program.specs[i][0], size) for i in node.inputs if i >= 0]
    results = sum(_elements(program.specs[o][0], size) for o in node.outputs)
    if name in FREE:
        return 0
    if name in ("matmul", "matvec"):
        shape: Any = program.specs[node.inputs[0]][0]
        turned = node.settings.get("transpose_a") or node.settings.get("adjoint_a")
        inner = shape[-2] if turned and len(shape) > 1 else shape[-1]
        return 2 * results * (size if inner is None else inner)
    if name == "einsum":
        return _einsum(program, node, size)
    if name in REDUCTIONS:
        return max(given, default=results)
    return PER_RESULT.get(name, 1) * results


def _einsum(program: Program, node: Node, size: int) -> int:
    left = str(node.settings["equation"]).replace(" ", "").split("->")[0].split(",")
    sizes: dict[str, int] = {}
    for letters, number in zip(left, node.inputs):
        for letter, length in zip(letters, program.specs[number][0]):
            sizes[letter] = size if length is None else length
    return len(left) * math.prod(sizes.values())


def _gradient(program: Program, node: Node, size: int) -> int:
    group = Group(node, [])
    reached = set(group.sources)
    total = 0
    for each in between(program.nodes, group.sources, group.targets, node):
        if each.op is GRADIENT:
            continue
        inputs = sum(1 for i in each.inputs if i in reached)
        reached.update(each.outputs)
        total += flops(program, each, size) * max(inputs, 1)
    return total


def _elements(shape: Any, size: int) -> int:
    return math.prod([size if length is None else length for length in shape])


def _bytes(spec: Any, size: int) -> int:
    return _elements(spec[0], size) * spec[1].itemsize


def _peak(program: Program, size: int) -> int:
    last = {i: at for at, node in enumerate(program.nodes) for i in node.inputs}
    kept = {*program.inputs, *program.outputs, *(i for _, i in program.captures), *(i for _, i in program.updates)}
    alive = {i: _bytes(program.specs[i], size) for i in [*program.inputs, *(i for _, i in program.captures)]}
    alive.update({i: np.asarray(array).nbytes for i, array in program.constants.items()})
    now = peak = sum(alive.values())
    for at, node in enumerate(program.nodes):
        for output in node.outputs:
            alive[output] = _bytes(program.specs[output], size)
            now += alive[output]
        peak = max(peak, now)
        for number in {*node.inputs, *node.outputs}:
            if (
                number in alive
                and last.get(number, at) <= at
                and number not in kept
                and number not in program.constants
            ):
                now -= alive.pop(number)
    return peak
