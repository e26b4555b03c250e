"""How the gradients of a recording are computed, kept for all recordings of one form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.program import execute
from tensorsmith.program.lower import GRADIENT, Group, between, call, lower
from tensorsmith.program.op import Op
from tensorsmith.program.program import Program
from tensorsmith.program.small import NotSmall, Small
from tensorsmith.tensor.apply import apply, wrap
from tensorsmith.tensor.graph import connected
from tensorsmith.tensor.tensor import Tensor

_local = context.local
_UNTRIED: Any = object()


class Form:
    """What all recordings of one form share: the operations, and which tensor stands where.

    calls    the calls of one such recording.
    pattern  the number of each tensor, in the order: all inputs of all calls, all results, targets, sources.
    """

    def __init__(
        self, calls: list[Any], pattern: tuple[int, ...], targets: int, sources: int, watched: tuple[int, ...]
    ) -> None:
        at = 0
        self.calls: list[Any] = []
        made: dict[int, int] = {}
        first: dict[int, int] = {}
        taken: list[list[Any]] = []
        absent: set[int] = set()
        for _, inputs, _, _ in calls:
            ids: list[Any] = []
            for x in inputs:
                count = len(x) if type(x) is list else 1
                for place in range(at, at + count):
                    first.setdefault(pattern[place], place)
                if x is None:
                    absent.add(pattern[at])
                ids.append(tuple(pattern[at : at + count]) if type(x) is list else None if x is None else pattern[at])
                at += count
            taken.append(ids)
        for (op, _, settings, outputs), ids in zip(calls, taken):
            several = type(outputs) is not Tensor
            count = len(outputs) if several else 1
            for place in range(at, at + count):
                made[pattern[place]] = first[pattern[place]] = place
            self.calls.append((op, ids, settings, tuple(pattern[at : at + count]) if several else pattern[at]))
            at += count
        for place in range(at, len(pattern)):
            first.setdefault(pattern[place], place)
        # numbers of the tensors that no call made, and where they stand; the same for those that some call made
        self.leaves = {n: place for n, place in first.items() if n not in made and n not in absent}
        self.made = made
        self.targets, self.sources = pattern[at : at + targets], pattern[at + targets : at + targets + sources]
        self.watched = watched
        self.leaf_places = list(self.leaves.values())
        self.replays: dict[Any, Replay] = {}

    def replay(self, flat: list[Any], seeds: list[Tensor] | None) -> list[Any]:
        """The gradients for one recording: its tensors in the order of the pattern."""
        leaves = [flat[i] for i in self.leaf_places]
        # sizes are not part of the form: a loop whose last batch is short has two replays
        arrays = [t._array for t in leaves]
        shapes = tuple([a.shape for a in arrays]), tuple([a.dtype.char for a in arrays])
        found = self.replays.get(shapes)
        if found is None:
            if len(self.replays) > 64:
                self.replays.clear()
            made = {n: flat[place] for n, place in self.made.items()}
            given = dict(zip(self.leaves, leaves))
            found = Replay(self.calls, given, made, self.targets, self.sources, self.watched, seeds)
            found.leaf_places, found.made_places = self.leaf_places, list(self.made.values())
            self.replays[shapes] = found
        return found(flat, seeds or [])


class Replay:
    """The gradients of one form of recording: a Program that ends in a gradient node.

    A small one runs its backward half on NumPy, from the values that the tape recorded (`program/small.py`);
    any other is one call of a compiled function of the leaves.
    """

    def __init__(
        self,
        calls: list[Any],
        leaves: dict[int, Tensor],
        made: dict[int, Tensor],
        targets: tuple[int, ...],
        sources: tuple[int, ...],
        watched: tuple[int, ...],
        seeds: list[Tensor] | None,
    ) -> None:
        # where, among the tensors of a recording, its leaves and its results stand
        self.leaf_places: list[int] = []
        self.made_places: list[int] = []
        program = Program()
        ids: dict[Any, int] = {}
        for number, leaf in leaves.items():
            ids[number] = program.input(leaf._array.shape, leaf._array.dtype)
        for op, inputs, settings, outputs in calls:
            flat: list[int] = []
            groups: list[int | None] = []
            for x in inputs:
                groups.append(len(x) if type(x) is tuple else None)
                flat.extend([ids[i] for i in x] if type(x) is tuple else [-1 if x is None else ids[x]])
            outs = outputs if type(outputs) is tuple else (outputs,)
            specs = [(made[o]._array.shape, made[o]._array.dtype) for o in outs]
            for o, value in zip(outs, program.add(op, flat, tuple(groups), settings, specs)):
                ids[o] = value
        seed_ids = [program.input(s._array.shape, s._array.dtype) for s in seeds or []]
        target_ids, source_ids = [ids[t] for t in targets], [ids[s] for s in sources]
        # a source counts when it is watched, or made from something watched
        live = {ids[w] for w in watched}
        for node in program.nodes:
            if live.intersection(node.inputs):
                live.update(node.outputs)
        linked = connected(program, source_ids, target_ids)
        used = [s for s in dict.fromkeys(source_ids) if s in linked and s in live]
        self.places = [used.index(s) if s in used else None for s in source_ids]
        self.linked = bool(used)
        if used:
            specs = [program.specs[s] for s in used]
            numbers = [*target_ids, *used, *seed_ids]
            settings = {"targets": len(target_ids), "seeds": bool(seed_ids)}
            program.outputs = list(program.add(GRADIENT, numbers, (None,) * len(numbers), settings, specs))
            program.drop_unused()
            needed = {i for node in program.nodes for i in node.inputs}
            self.keep = [at for at, i in enumerate(program.inputs) if i in needed]
            program.inputs = [program.inputs[at] for at in self.keep]
            self.program = program
            self.shapes: list[Any] = [shape for shape, _ in specs]
            self.flat = len(used) > 1 and len({dtype for _, dtype in specs}) == 1
            self.bounds = np.cumsum([0] + [int(np.prod(s)) for s in self.shapes]).tolist()
            # one operation to an outer tape: differentiating it again gives the second derivative
            self.op = Op("tape_gradient", self._kernel)
            self.function: Any = None
            # True once XLA has turned the program down: JAX then takes it operation by operation
            self.refused = False
            self._small: Any = _UNTRIED
            self._made = [ids[o] for _, _, _, outs in calls for o in (outs if type(outs) is tuple else (outs,))]

    def __call__(self, flat: list[Any], seeds: list[Tensor]) -> list[Any]:
        """The gradients for a recording of this form: all its tensors, and what flows into the targets."""
        if not self.linked:
            return [None] * len(self.places)
        listened_to = bool(_local.tapes) or _local.graph is not None
        if not seeds and not listened_to and self._is_small():
            arrays = self._small(*[flat[i]._array for i in self._given])
            return [None if place is None else wrap(arrays[place]) for place in self.places]
        every = [*(flat[i] for i in self.leaf_places), *seeds]
        values = [every[at] for at in self.keep]
        if listened_to:
            results = apply(self.op, [values], {})
        else:
            results = [Tensor(array) for array in self._compiled([v._array for v in values])]
        return [None if place is None else results[place] for place in self.places]

    def _is_small(self) -> bool:
        """Whether NumPy runs the backward half, from the recorded values; found out when it is first asked."""
        if self._small is _UNTRIED:
            try:
                self._small = self._backward()
            except (NotSmall, *execute.REFUSED):
                # or a size in it hangs on values
                self._small = None
        return self._small is not None

    def _backward(self) -> Small:
        """The backward half alone, as a function of the leaves and of the values that the forward half recorded."""
        program, jax = self.program, execute.jax()
        if any(node.op.eager for node in program.nodes):
            raise NotSmall
        count = len(program.inputs)
        made = [o for node in program.nodes[:-1] for o in node.outputs]
        order = {number: at for at, number in enumerate(self._made)}
        node = program.nodes[-1]
        group = Group(node, [])
        between_nodes = between(program.nodes, group.sources, group.targets, node)

        @jax.custom_vjp
        def recorded_as(value: Any, known: Any) -> Any:
            return known

        # the value is the recorded one; what flows back goes on into the operation that gave it
        def back(_: None, flow: Any) -> tuple[Any, None]:
            # nothing stays nothing: as zeros it would meet an infinite slope and be NaN
            return None if isinstance(flow, jax.custom_derivatives.SymbolicZero) else flow, None

        recorded_as.defvjp(lambda value, known: (known.value, None), back, symbolic_zeros=True)

        def backward(*arrays: Any) -> list[Any]:
            env = dict(program.constants)
            env.update(zip(program.inputs, arrays[:count]))
            known = dict(zip(made, arrays[count:]))
            env.update(known)

            def forward(*values: Any) -> list[Any]:
                inner = dict(env)
                inner.update(zip(group.sources, values))
                for each in between_nodes:
                    call(each, inner, jax.numpy)
                    for out in each.outputs:
                        real = program.specs[out][1].kind in "fc"
                        inner[out] = recorded_as(inner[out], known[out]) if real else known[out]
                return [inner[i] for i in group.targets]

            targets, pull = jax.vjp(forward, *(env[i] for i in group.sources))
            return list(pull([jax.numpy.ones_like(t) for t in targets]))

        known_specs: list[Any] = [program.specs[i] for i in [*program.inputs, *made]]
        examples: list[Any] = [np.broadcast_to(np.zeros((), dtype), shape) for shape, dtype in known_specs]
        with execute.guard():
            small = Small(backward, examples, jax)
        every = [self.leaf_places[at] for at in self.keep] + [self.made_places[order[number]] for number in made]
        self._given = [where for where, at in zip(every, small.inputs) if at is not None]
        small.inputs = [at for at in small.inputs if at is not None]
        return small

    def _kernel(self, xp: Any, values: Any) -> list[Any]:
        if xp is np:
            return self._compiled(values)
        return lower(self.program, xp)(values, [])[0]

    _kernel.__annotations__["values"] = "Arrays"

    def _compiled(self, arrays: list[Any]) -> list[Any]:
        if self.function is None:
            self.function = execute.jitted(("tape", self.program.signature()), self._make)
        if self.refused:
            return execute.interpreted(self.program, arrays, [])[0]
        try:
            results = self.function(*arrays)
        except execute.REFUSED:
            results = execute.interpreted(self.program, arrays, [])[0]
            self.refused = True
            return results
        if not self.flat:
            return [np.asarray(r) for r in results]
        # one transfer for all gradients: each result array costs a few µs by itself
        whole = np.asarray(results)
        return [whole[a:b].reshape(s) for a, b, s in zip(self.bounds, self.bounds[1:], self.shapes)]

    def _make(self) -> Callable[..., Any]:
        xp = execute.jax().numpy
        function = lower(self.program, xp)

        def flat(*arrays: Any) -> Any:
            results = function(list(arrays), [])[0]
            return xp.concatenate([xp.ravel(r) for r in results]) if self.flat else results

        return flat
