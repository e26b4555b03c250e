"""The backward pass of a recording as a list of pieces: run one by one at first sight, as one function from then on."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.program import slopes
from tensorsmith.program.pieces import Call, Piece, origins, piece
from tensorsmith.program.small import NotSmall, Small

Spec = tuple[tuple[int, ...], np.dtype]


class Backward:
    """What flows from the targets of a recording back to its sources.

    form     the recording's calls and which tensor stands where (`state/replay.py`).
    flat     the tensors of one such recording: shapes and dtypes are taken from them.
    sources  the numbers of those tensors that it ends at.
    seeded   whether something is given that flows into the targets; else it is ones.

    Values are numbered as the steps make them: first the arrays of the recording that some step needs (`places`, or,
    from -1 downwards, the seeds), then what flows.
    """

    def __init__(self, form: Any, flat: list[Any], sources: list[int], seeded: bool) -> None:
        self.places: list[int] = []
        self.constants: dict[int, Any] = {}
        self.steps: list[tuple[Piece | None, list[int], list[int]]] = []
        self._specs: list[Spec] = []
        self._entered: dict[int, int] = {}
        self._flat, self._first = flat, form.first
        flows: dict[int, int] = {}
        for at, target in enumerate(form.targets):
            spec = self._spec(target)
            if spec[1].kind not in "fcV":
                continue
            seed = self._enter(~at, spec) if seeded else self._ones(spec)
            self._flow(flows, target, seed)
        reached = _reached(form.calls, sources, self._spec)
        for op, inputs, settings, outputs in reversed(form.calls):
            outs = outputs if type(outputs) is tuple else (outputs,)
            flowing = tuple([at for at, o in enumerate(outs) if o in flows and o in form.made])
            if not flowing or not op.differentiable:
                continue
            taken = [i for x in inputs for i in _numbers(x)]
            steady = [name in op.steady for name, x in zip(op.arrays, inputs) for _ in _numbers(x)]
            wanted = tuple([at for at, i in enumerate(taken) if i in reached and not steady[at]])
            if not wanted:
                continue
            call = Call(
                op,
                settings,
                tuple([len(x) if type(x) is tuple else None for x in inputs]),
                tuple([x is None for x in inputs]),
                tuple([self._spec(i) for i in taken]),
                tuple([self._spec(o) for o in outs]),
                wanted,
                flowing,
            )
            found = piece(call)
            values = [*taken, *[flows[outs[at]] for at in flowing]]
            count = len(taken)
            given = [
                values[k] if k >= count else self._enter(self._first[values[k]], call.taken[k]) for k in found.given
            ]
            made = [self._value(call.taken[at]) for at in wanted]
            self.steps.append((found, given, made))
            for at, value, flowed in zip(wanted, made, found.reached or [True] * len(made)):
                if flowed:
                    self._flow(flows, taken[at], value)
        self.outputs = [flows[s] if s in flows else self._zeros(self._spec(s)) for s in sources]
        del self._flat, self._first, self._entered

    # ---- how it is built

    def _spec(self, number: int) -> Spec:
        array = self._flat[self._first[number]]._array
        return array.shape, array.dtype

    def _value(self, spec: Spec) -> int:
        self._specs.append(spec)
        return len(self._specs) - 1

    def _enter(self, place: int, spec: Spec) -> int:
        found = self._entered.get(place)
        if found is None:
            found = self._entered[place] = self._value(spec)
            self.places.append(place)
            self.steps.append((None, [len(self.places) - 1], [found]))
        return found

    def _ones(self, spec: Spec) -> int:
        value = self._value(spec)
        self.constants[value] = np.ones(*spec)
        return value

    def _zeros(self, spec: Spec) -> int:
        value = self._value(spec)
        self.constants[value] = np.zeros(*spec)
        return value

    def _flow(self, flows: dict[int, int], number: int, value: int) -> None:
        before = flows.get(number)
        if before is not None:
            total = self._value(self._specs[value])
            self.steps.append((_SUM, [before, value], [total]))
            value = total
        flows[number] = value

    # ---- how it is run

    @np.errstate(all="ignore")
    def run(self, arrays: list[Any]) -> list[Any]:
        """The gradients, piece by piece; `arrays` are those at `places`."""
        values: dict[int, Any] = dict(self.constants)
        for found, given, made in self.steps:
            if found is None:
                values[made[0]] = arrays[given[0]]
            else:
                values.update(zip(made, found.run(*[values[i] for i in given])))
        return [values[i] for i in self.outputs]

    def origins(self) -> list[set[int]]:
        """For each gradient, at which places of the recording stands what it is computed from."""
        sources: dict[int, set[int]] = {}
        for found, given, made in self.steps:
            if found is None:
                sources[made[0]] = {self.places[given[0]]}
                continue
            taken = [sources.get(i, set()) for i in given]
            parts = None if found is _SUM else origins(found)
            for at, value in enumerate(made):
                sources[value] = set().union(*(taken if parts is None else [taken[i] for i in parts[at]]))
        return [sources.get(i, set()) for i in self.outputs]

    def whole(self) -> Small:
        """All pieces as one function of the arrays at `places`; NotSmall where XLA should run it."""
        values = [slopes.Value(*spec) for spec in self._specs]
        entered: list[Any] = [None] * len(self.places)
        listing = slopes.Listing(entered, [values[i] for i in self.outputs], [])
        for found, given, made in self.steps:
            if found is None:
                entered[given[0]] = values[made[0]]
            elif found is _SUM:
                listing.eqns.append(
                    slopes.Equation("add_any", {}, [values[i] for i in given], [values[i] for i in made])
                )
            else:
                closed = found.closed
                if closed is None:
                    raise NotSmall
                # the jaxpr takes arrays that no equation needs too
                takes: list[Any] = [_NOTHING] * len(closed.jaxpr.invars)
                for place, i in zip(found.given, given):
                    takes[place] = values[i]
                listing.eqns.append(
                    slopes.Equation("closed_call", {"call_jaxpr": closed}, takes, [values[i] for i in made])
                )
        listing.constvars = tuple(values[i] for i in self.constants)
        listing.consts = tuple(self.constants.values())
        return Small(listing)


_SUM = Piece(lambda a, b: [a + b], [0, 1], None)
_NOTHING = slopes.Literal(0.0, np.dtype("float32"))


def _numbers(argument: Any) -> tuple[int, ...]:
    """The numbers of the tensors in one argument of a call."""
    return argument if type(argument) is tuple else () if argument is None else (argument,)


def _reached(calls: list[Any], sources: list[int], spec: Any) -> set[int]:
    """The numbers of the tensors that depend on some source by differentiable operations on real or complex values."""
    found = set(sources)
    for op, inputs, _, outputs in calls:
        if op.differentiable and any(
            not found.isdisjoint(_numbers(x)) and name not in op.steady for name, x in zip(op.arrays, inputs)
        ):
            outs = outputs if type(outputs) is tuple else (outputs,)
            found.update(o for o in outs if spec(o)[1].kind in "fcV")
    return found
