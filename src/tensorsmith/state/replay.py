"""How the gradients of a recording are computed, kept for all recordings of one form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.program import execute
from tensorsmith.program.connected import connected, moved
from tensorsmith.program.lower import (
    GRADIENT,
    Group,
    between,
    derivative_settings,
    derivative_specs,
    lower,
)
from tensorsmith.program.lower import execute as run_steps
from tensorsmith.program.op import Op
from tensorsmith.program.program import Program
from tensorsmith.program.small import NotSmall, Small, traced
from tensorsmith.state.backward import Backward
from tensorsmith.tensor.apply import apply, wrap
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local
# of a function that nobody asked for yet: neither one nor None, which is one that NumPy cannot run
_UNTRIED: Any = False


class Family:
    """Replays of one loop, as far as that can be told: the same operations, by sources of the same shapes.

    Its steps may differ in their sizes, in settings as where they cut, and in how often they go round.

    met  how many different ones there were.
    """

    __slots__ = ("met",)

    def __init__(self) -> None:
        self.met = 0

    def times(self) -> int:
        """How often a replay must come before it is made whole.

        Two times where a loop has a few shapes. Ragged batches have hundreds, of which some come again by chance: each
        would wait for a compile of its own.
        """
        return 2 if self.met <= 4 else min(self.met, _MOST)


_families: dict[Any, Family] = {}


def _family(key: Any) -> Family:
    if len(_families) > 4096:
        _families.clear()
    return _families.setdefault(key, Family())


# replays that a form keeps: of more shapes the oldest are forgotten
_MOST = 512


class Form:
    """What all recordings of one form share: the operations, and which tensor stands where.

    calls    the calls of one such recording.
    pattern  the number of each tensor, in the order: all inputs of all calls, all results, targets, sources.
    watched  the numbers of the tensors that the tape watches.
    mode     what is asked: "gradient", "jacobian", "batch_jacobian" or "tangent" (`program/lower.py`).
    """

    def __init__(
        self,
        calls: list[Any],
        pattern: tuple[int, ...],
        targets: int,
        sources: int,
        watched: tuple[int, ...],
        mode: str = "gradient",
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
        self.mode = mode
        self.targets, self.sources = pattern[at : at + targets], pattern[at + targets : at + targets + sources]
        # what is watched, or made from something watched
        self.live = self._reached(set(watched))
        # A source that some call made is a leaf like any other, so that the derivative is a function of it and has
        # one by it; not so where another source goes into it, whose derivative goes through it.
        roots = set(self.sources).intersection(made)
        for root in roots:
            if root not in self._reached(set(self.sources) - {root}):
                del made[root]
        # numbers of the tensors that no call made, and where they stand; the same for those that some call made
        self.leaves = {n: place for n, place in first.items() if n not in made and n not in absent}
        self.made, self.first = made, first
        self.leaf_places = list(self.leaves.values())
        self.replays: dict[Any, Replay] = {}
        # a replay for each choice of dtypes
        self._examples: dict[Any, Replay] = {}
        self._operations = frozenset([op for op, *_ in calls])

    def _reached(self, start: set[int]) -> set[int]:
        """The numbers of the tensors that are made from some of these, and these."""
        found = set(start)
        for _, inputs, _, outputs in self.calls:
            if any(not found.isdisjoint(x) if type(x) is tuple else x in found for x in inputs):
                found.update(outputs if type(outputs) is tuple else (outputs,))
        return found

    def roots_of(self) -> dict[int, set[int]]:
        """For every tensor, the leaves on which it depends by differentiable operations."""
        found: dict[int, set[int]] = {leaf: {leaf} for leaf in self.leaves}
        for op, inputs, _, outputs in self.calls:
            if not op.differentiable:
                continue
            taken = [i for x in inputs for i in (x if type(x) is tuple else () if x is None else (x,))]
            roots = set().union(*(found.get(i, set()) for i in taken))
            for made in outputs if type(outputs) is tuple else (outputs,):
                found.setdefault(made, roots)
        return found

    def replay(self, flat: list[Any], seeds: list[Tensor]) -> list[Any]:
        """The derivatives for one recording: its tensors in the order of the pattern."""
        leaves = [flat[i] for i in self.leaf_places]
        # sizes are not part of the form: a loop whose last batch is short has two replays
        arrays = [t._array for t in leaves]
        shapes = tuple([a.shape for a in arrays]), tuple([a.dtype.char for a in arrays])
        found = self.replays.get(shapes)
        if found is None:
            if len(self.replays) >= _MOST:
                del self.replays[next(iter(self.replays))]
            found = self.replays[shapes] = Replay(self, flat, seeds, self._examples.get(shapes[1]))
            self._examples.setdefault(shapes[1], found)
            found.family.met += 1
        return found(flat, seeds)


class Replay:
    """The derivatives of one form of recording: a Program that ends in a gradient node.

    A gradient is computed piece by piece when its form is new (`state/backward.py`). When it comes again, a small one is
    one function on NumPy, of the values that the tape recorded (`program/small.py`); any other is one call of a
    compiled function of the leaves.

    example  a replay of this form on arrays of other sizes and these dtypes, where there is one: what depends on what
             hangs on no size, and the program is made when somebody needs it.
    """

    def __init__(self, form: Form, flat: list[Any], seeds: list[Tensor], example: Replay | None = None) -> None:
        self.form = form
        self._backward: Any = None
        self._small: Any = _UNTRIED
        self._times = 0
        self._built = False
        by = [flat[form.first[s]]._array.shape for s in form.sources]
        self.family = _family((form._operations, tuple(by), form.mode))
        if example is None:
            self._build(flat, seeds)
        else:
            self.linked, self.places, self._by = example.linked, example.places, example._by

    def _build(self, flat: list[Any], seeds: list[Tensor]) -> None:
        """Makes the program, for arrays of these sizes."""
        form = self.form
        program = Program()
        ids: dict[Any, int] = {}
        for number, place in form.leaves.items():
            array = flat[place]._array
            ids[number] = program.input(array.shape, array.dtype)
        for op, inputs, settings, outputs in form.calls:
            taken: list[int] = []
            groups: list[int | None] = []
            for x in inputs:
                groups.append(len(x) if type(x) is tuple else None)
                taken.extend([ids[i] for i in x] if type(x) is tuple else [-1 if x is None else ids[x]])
            outs = outputs if type(outputs) is tuple else (outputs,)
            arrays = [flat[form.first[o]]._array for o in outs]
            specs = [(a.shape, a.dtype) for a in arrays]
            for o, value in zip(outs, program.add(op, taken, tuple(groups), settings, specs)):
                ids.setdefault(o, value)
        self.ids = ids
        seed_ids = [program.input(tuple(s.shape), s.dtype.numpy_dtype) for s in seeds]
        targets, sources = [ids[t] for t in form.targets], [ids[s] for s in form.sources]
        live = {ids[n] for n in form.live if n in ids}
        if form.mode == "tangent":
            moving = moved(program, sources)
            targets = [t for t in dict.fromkeys(targets) if t in moving]
            self.places = [targets.index(ids[t]) if ids[t] in moving else None for t in form.targets]
        else:
            linked = connected(program, sources, targets)
            sources = [s for s in dict.fromkeys(sources) if s in linked and s in live]
            self.places = [sources.index(ids[s]) if ids[s] in sources else None for s in form.sources]
        self.linked = bool(targets and sources)
        self.program = program
        self._built = True
        # the numbers of the tensors that the derivatives are by; None where pieces do not give them
        self._by: list[int] | None = None
        if not self.linked:
            return
        if form.mode == "gradient" and not any(dtype.kind == "c" for _, dtype in program.specs):
            numbers = {value: number for number, value in ids.items()}
            self._by = [numbers[s] for s in sources]
        specs = derivative_specs(form.mode, [program.specs[t] for t in targets], [program.specs[s] for s in sources])
        settings = derivative_settings(len(targets), len(sources), bool(seeds), 0, form.mode)
        numbers = [*targets, *sources, *seed_ids]
        program.outputs = list(program.add(GRADIENT, numbers, (None,) * len(numbers), settings, specs))
        program.drop_unused()
        needed = {i for node in program.nodes for i in node.inputs}
        self.keep = [at for at, i in enumerate(program.inputs) if i in needed]
        program.inputs = [program.inputs[at] for at in self.keep]
        self.shapes: list[Any] = [shape for shape, _ in specs]
        self.flat = len(specs) > 1 and len({dtype for _, dtype in specs}) == 1
        self.bounds = np.cumsum([0] + [int(np.prod(s)) for s in self.shapes]).tolist()
        # one operation to an outer tape: differentiating it again gives the second derivative
        self.op = Op("tape_gradient", self._kernel, same=False, shapes=lambda given, settings: tuple(specs))
        self.op.links = self._links
        self._leaves_of: list[set[int]] | None = None
        self.function: Any = None
        # True once XLA has turned the program down: JAX then takes it operation by operation
        self.refused = False

    def __call__(self, flat: list[Any], seeds: list[Tensor]) -> list[Any]:
        """The derivatives for a recording of this form: all its tensors, and the seeds."""
        if not self.linked:
            return [None] * len(self.places)
        if _local.tapes or _local.graph is not None:
            if not self._built:
                self._build(flat, seeds)
            every = [*(flat[i] for i in self.form.leaf_places), *seeds]
            values = [every[at] for at in self.keep]
            if any(isinstance(value, Symbol) for value in values):
                results = apply(self.op, [values], {})
            else:
                results = list(map(wrap, self._arrays(flat, seeds)))
                for tape in _local.tapes:
                    tape.record((self.op, [values], {}, results))
            return [None if place is None else results[place] for place in self.places]
        arrays = self._arrays(flat, seeds)
        return [None if place is None else wrap(arrays[place]) for place in self.places]

    def _arrays(self, flat: list[Any], seeds: list[Tensor]) -> list[Any]:
        # places count the seeds from -1 downwards
        every = [*flat, *reversed(seeds)] if seeds else flat
        if self._small:
            return self._small(*[every[at]._array for at in self._given])
        if self._backward is None:
            self._backward = False if self._by is None else Backward(self.form, flat, self._by, bool(seeds))
        if self._backward and self._small is _UNTRIED:
            self._times += 1
            if self._times < max(self.family.times(), (len(self.form.calls) // 40) ** 2):
                # What is new is not worth a compile: it may never come again. That of many rounds side by side takes
                # seconds (40 steps of an LSTM, 600 operations: 14), and a step of pieces a few ms.
                return self._backward.run([every[at]._array for at in self._backward.places])
        if self._is_small(flat, seeds):
            return self._small(*[every[at]._array for at in self._given])
        if not self._built:
            self._build(flat, seeds)
        places = [*self.form.leaf_places, *range(-1, -1 - len(seeds), -1)]
        return self._compiled([every[places[at]]._array for at in self.keep])

    def _links(self, results: list[int]) -> set[int] | None:
        """Which of the values that the operation takes these results hang on: 2 * w1, as the derivative of 2 * w1 * w2 by
        w2, does not hang on w2, whose own derivative is None then. None where the gradients are not known in pieces.
        """
        if not self._backward:
            return None
        if self._leaves_of is None:
            form = self.form
            number_at = {place: number for number, place in form.first.items()}
            numbers = [*form.leaves, *range(-1, -1 - len(self.program.inputs), -1)]
            order = {numbers[at]: i for i, at in enumerate(self.keep)}
            above = form.roots_of()
            self._leaves_of = [
                {
                    order[leaf]
                    for place in places
                    for leaf in (above.get(number_at[place], ()) if place >= 0 else (place,))
                    if leaf in order
                }
                for places in self._backward.origins()
            ]
        return set().union(*(self._leaves_of[at] for at in results))

    def _is_small(self, flat: list[Any], seeds: list[Tensor]) -> bool:
        """Whether NumPy runs it, from the recorded values; found out when it is first asked."""
        if self._small is _UNTRIED:
            try:
                if self._backward:
                    small, places = self._backward.whole(), self._backward.places
                else:
                    small, places = self._traced(flat, seeds)
                self._small, self._given = small, [places[at] for at in small.inputs]
            except (NotSmall, *execute.REFUSED):
                # or a size in it hangs on values
                self._small = None
        return self._small is not None

    def _traced(self, flat: list[Any], seeds: list[Tensor]) -> tuple[Small, list[int]]:
        """A jacobian or tangent, as JAX traces it: a function of the leaves and of the values that were recorded."""
        if not self._built:
            self._build(flat, seeds)
        program, jax = self.program, execute.jax()
        if any(node.op.eager for node in program.nodes):
            raise NotSmall
        count = len(program.inputs)
        numbers = {value: number for number, value in self.ids.items()}
        made = [o for node in program.nodes[:-1] for o in node.outputs if o in numbers]
        node = program.nodes[-1]
        group = Group(node, [])
        group.slice = between(program.nodes, group.sources, group.targets, node)

        def function(*arrays: Any) -> list[Any]:
            env = dict(program.constants)
            env.update(zip(program.inputs, arrays[:count]))
            known = dict(zip(made, arrays[count:]))
            env.update(known)
            run_steps([group], env, jax.numpy, amends=(recorded(program, known, jax),))
            return [env[i] for i in node.outputs]

        specs: list[Any] = [program.specs[i] for i in [*program.inputs, *made]]
        every = [*self.form.leaf_places, *range(-1, -1 - len(program.inputs), -1)]
        places = [every[at] for at in self.keep] + [self.form.made[numbers[o]] for o in made]
        return Small(traced(function, specs, jax)), places

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


def recorded(program: Program, known: dict[int, Any], jax: Any) -> Callable[[Any, dict[int, Any]], None]:
    """Puts the recorded values in place of those just made: what was computed once is not computed again."""

    @jax.custom_jvp
    def recorded_as(value: Any, known: Any) -> Any:
        return known

    # what flows goes on through the operation that gave the value
    recorded_as.defjvp(lambda values, speeds: (values[1], speeds[0]))

    def amend(outputs: Any, env: dict[int, Any]) -> None:
        for number in known.keys() & outputs:
            real = program.specs[number][1].kind in "fc"
            env[number] = recorded_as(env[number], known[number]) if real else known[number]

    return amend
