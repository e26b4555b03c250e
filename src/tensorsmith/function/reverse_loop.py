"""A loop whose length is known only when it runs, with derivatives of any order in bounded memory.

XLA cannot go back through a `while`. So the forward loop keeps some of its states: a ring of checkpoints, one every
`stride` rounds; when the ring is full every other one is dropped and the stride doubles. Going back, the newest
checkpoint before a round is the state to run forward from again, and on the way new checkpoints are left in the slots
that are free: the ring is a stack by then. `n` rounds need a fixed number of states and about `n` rounds more for each
power of the slots in `n`; up to `SLOTS` rounds none is run again.

Only what the derivative of a round is a function of is kept: an array that rounds write and never read is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorsmith.program.execute import jax

Values = list[Any]
Test = Callable[[Values, Values], Any]
Step = Callable[[Values, Values], Values]

# Checkpoints of the forward loop, and slots that are free when the way back begins: every split of a stretch of
# rounds takes one and leaves half of them, so that 32 suffice for any number of rounds.
SLOTS, SPARE = 64, 32
# Where states are so large that all checkpoints would take more than this there are fewer of them.
ROOM_BYTES = 1 << 28
FEWEST = 8


def reversible(test: Test, step: Step, values: Values, fixed: Values, bound: int | None = None) -> Values:
    """`values` after rounds of `step(values, fixed)` as long as `test(values, fixed)`: `lax.while_loop` with a gradient.

    bound  the most rounds that there can be, where it is known.
    """
    return Reversible(test, step, bound).run(list(values), list(fixed))


def _real(value: Any) -> bool:
    return np.dtype(value.dtype).kind in "fcV"


@dataclass(frozen=True)
class Wanted:
    """What a derivative is asked by: which of the first values, and which of the fixed ones."""

    values: tuple[bool, ...]
    fixed: tuple[bool, ...]


_registered = False


def _register() -> None:
    # `Wanted` goes from the way forward to the way back beside arrays, and is no array
    global _registered
    if not _registered:
        jax().tree_util.register_static(Wanted)
        _registered = True


class Reversible:
    """One loop: how it runs, how it runs and keeps checkpoints, how it goes back."""

    def __init__(self, test: Test, step: Step, bound: int | None) -> None:
        self.test, self.step, self.bound = test, step, bound
        self._kept_places: list[int] | None = None

    def run(self, values: Values, fixed: Values) -> Values:
        """The loop, to be differentiated or not."""
        module = jax()
        if not any(map(_real, [*values, *fixed])):
            return self._plain(values, fixed)
        _register()

        # Two functions with one derivative: only what is differentiated pays for checkpoints. A derivative of the
        # derivative meets `kept`, whose checkpoints are known numbers to it.
        @module.custom_vjp
        def plain(values: Values, fixed: Values) -> Values:
            return self._plain(values, fixed)

        @module.custom_vjp
        def kept(values: Values, fixed: Values) -> Any:
            return self._kept(values, fixed)

        def forward(values: Any, fixed: Any) -> Any:
            wanted = Wanted(tuple([v.perturbed for v in values]), tuple([v.perturbed for v in fixed]))
            values, fixed = [v.value for v in values], [v.value for v in fixed]
            last, trail = kept(values, fixed)
            return (last, trail), (wanted, values, fixed, trail)

        def back(residuals: Any, flows: Any) -> Any:
            wanted, values, fixed, trail = residuals
            return self._back(wanted, values, fixed, trail, flows[0])

        kept.defvjp(forward, back, symbolic_zeros=True)

        def forward_plain(values: Any, fixed: Any) -> Any:
            (last, _), residuals = forward(values, fixed)
            return last, residuals

        plain.defvjp(forward_plain, lambda residuals, flows: back(residuals, (flows,)), symbolic_zeros=True)
        return plain(values, fixed)

    # ---- forward

    def _plain(self, values: Values, fixed: Values) -> Values:
        return jax().lax.while_loop(lambda v: self.test(v, fixed), lambda v: self.step(v, fixed), values)

    def _kept(self, values: Values, fixed: Values) -> tuple[Values, Any]:
        """The last values, and the trail: the number of rounds, the stride, the checkpoints."""
        lax, jnp = jax().lax, jax().numpy
        needed = self._needed(values, fixed)
        slots, spare = self._slots([values[at] for at in needed])
        half = (slots + 1) // 2

        def room(state: Any) -> Any:
            number, stride, values, _ = state
            return jnp.logical_and(number < slots * stride, self.test(values, fixed))

        def round_(state: Any) -> Any:
            number, stride, values, ring = state
            # between two checkpoints the state goes to a slot that nobody reads: cheaper than to ask
            at = jnp.where(number % stride == 0, number // stride, slots)
            ring = [lax.dynamic_update_index_in_dim(r, values[n], at, 0) for r, n in zip(ring, needed)]
            return number + np.int32(1), stride, self.step(values, fixed), ring

        def stretch(state: Any) -> Any:
            number, stride, values, ring = state
            # every other checkpoint stays (the first time there are none)
            ring = [r.at[:half].set(r[:slots:2]) for r in ring]
            return lax.while_loop(room, round_, (number, jnp.maximum(stride * 2, 1), values, ring))

        ring = [jnp.zeros((slots + spare + 1, *values[n].shape), values[n].dtype) for n in needed]
        if spare:
            first = (jnp.int32(0), jnp.int32(0), values, ring)
            number, stride, last, ring = lax.while_loop(lambda s: self.test(s[2], fixed), stretch, first)
        else:
            first = (jnp.int32(0), jnp.int32(1), values, ring)
            number, stride, last, ring = lax.while_loop(room, round_, first)
        return last, (number, stride, ring)

    def _slots(self, states: Values) -> tuple[int, int]:
        """The number of checkpoints of the way forward, and of slots more for the way back."""
        size = sum(int(np.prod(s.shape)) * np.dtype(s.dtype).itemsize for s in states)
        slots = max(FEWEST, min(SLOTS, ROOM_BYTES // max(size, 1) - SPARE))
        return (slots, SPARE) if self.bound is None or self.bound > slots else (max(self.bound, 1), 0)

    # ---- back

    def _back(self, wanted: Wanted, values: Values, fixed: Values, trail: Any, flows: Values) -> tuple[Any, Any]:
        """What flows into the first and the fixed values, None where nothing does."""
        jnp = jax().numpy
        nothing = jax().custom_derivatives.SymbolicZero
        begin = {at for at, f in enumerate(flows) if _real(values[at]) and not isinstance(f, nothing)}
        live, live_fixed = self._touched(wanted, values, fixed, begin)
        if not live:
            return [None] * len(values), [None] * len(fixed)
        into = [flows[at] if at in begin else jnp.zeros(values[at].shape, values[at].dtype) for at in live]
        by_values, by_fixed = self._swept(live, live_fixed)(values, fixed, trail, into)
        found, found_fixed = dict(zip(live, by_values)), dict(zip(live_fixed, by_fixed))
        return [found.get(at) for at in range(len(values))], [found_fixed.get(at) for at in range(len(fixed))]

    def _touched(self, wanted: Wanted, values: Values, fixed: Values, begin: set[int]) -> tuple[list[int], list[int]]:
        """The carried values that are made from something wanted and are reached by the flows; the fixed ones too."""
        count = len(values)
        hangs = self._hangs(values, fixed)
        real = {at for at, value in enumerate(values) if _real(value)}
        reached = {at for at in real if wanted.values[at]}
        asked = {count + at for at, value in enumerate(fixed) if _real(value) and wanted.fixed[at]}
        while True:
            more = {at for at in real - reached if hangs[at] & (reached | asked)}
            if not more:
                break
            reached |= more
        live = begin & reached
        while True:
            more = {at for at in reached - live if any(at in hangs[of] for of in live)}
            if not more:
                break
            live |= more
        used = sorted(at - count for at in asked if any(at in hangs[of] for of in live))
        return sorted(live), used

    def _hangs(self, values: Values, fixed: Values) -> list[set[int]]:
        """For each value behind a round the arguments (values, then fixed) that a derivative of it may reach."""
        return dependence(lambda *flat: self.step(list(flat[: len(values)]), list(flat[len(values) :])), values, fixed)

    def _needed(self, values: Values, fixed: Values) -> list[int]:
        """The carried values that the derivative of a round is a function of, and those that make them."""
        if self._kept_places is not None:
            return self._kept_places
        size, both = len(values), len(values) + len(fixed)
        real = [at for at, value in enumerate(values) if _real(value)]
        real_fixed = [at for at, value in enumerate(fixed) if _real(value)]

        def pull(*flat: Any) -> Any:
            return self._pulled(list(flat[:size]), list(flat[size:both]), list(flat[both:]), real, real, real_fixed)

        used = dependence(pull, values, fixed, [values[at] for at in real], smooth=False)
        made = dependence(lambda *flat: self.step(list(flat[:size]), list(flat[size:])), values, fixed, smooth=False)
        found = {at for row in used for at in row if at < size}
        while True:
            more = {at for of in found for at in made[of] if at < size} - found
            if not more:
                self._kept_places = sorted(found)
                return self._kept_places
            found |= more

    def _pulled(
        self, values: Values, fixed: Values, flows: Values, of: list[int], by: list[int], by_fixed: list[int]
    ) -> Values:
        """What flows into the values `by` and the fixed ones `by_fixed` of one round, from flows into the values `of`."""

        def some(chosen: Values, chosen_fixed: Values) -> Values:
            values_, fixed_ = list(values), list(fixed)
            for at, value in zip(by, chosen):
                values_[at] = value
            for at, value in zip(by_fixed, chosen_fixed):
                fixed_[at] = value
            results = self.step(values_, fixed_)
            return [results[at] for at in of]

        _, pull = jax().vjp(some, [values[at] for at in by], [fixed[at] for at in by_fixed])
        by_values, by_fixed_ = pull(flows)
        return [*by_values, *by_fixed_]

    def _swept(self, live: list[int], live_fixed: list[int]) -> Callable[..., tuple[Values, Values]]:
        """The way back as a function (values, fixed, trail, flows) -> flows, which has a derivative itself."""
        module = jax()

        @module.custom_vjp
        def swept(values: Values, fixed: Values, trail: Any, flows: Values) -> tuple[Values, Values]:
            return self._sweep(live, live_fixed, values, fixed, trail, flows)

        def forward(values: Values, fixed: Values, trail: Any, flows: Values) -> Any:
            return swept(values, fixed, trail, flows), (values, fixed, flows)

        def back(residuals: Any, slopes: Any) -> Any:
            values, fixed, flows = residuals
            return self._back_of_sweep(live, live_fixed, values, fixed, flows, slopes)

        swept.defvjp(forward, back)
        return swept

    def _sweep(
        self, live: list[int], live_fixed: list[int], values: Values, fixed: Values, trail: Any, flows: Values
    ) -> tuple[Values, Values]:
        lax, jnp = jax().lax, jax().numpy
        count, stride, ring = trail
        needed = self._needed(values, fixed)
        slots, spare = self._slots([values[at] for at in needed])
        last_slot = slots + spare

        def whole(state: Values) -> Values:
            # nobody asks for the values that were not kept
            full = [jnp.zeros(v.shape, v.dtype) for v in values]
            for at, value in zip(needed, state):
                full[at] = value
            return full

        def onward(state: Values, rounds: Any) -> Values:
            def one(_: Any, state: Values) -> Values:
                after = self.step(whole(state), fixed)
                return [after[at] for at in needed]

            return lax.fori_loop(np.int32(0), rounds, one, state)

        def descend(stack: Any, number: Any) -> Any:
            """Leaves checkpoints until the newest is the state before round `number`."""

            def below(stack: Any) -> Any:
                top, places, _ = stack
                return places[top] < number

            def push(stack: Any) -> Any:
                top, places, ring = stack
                length, free = number - places[top], last_slot - 1 - top
                parts = jnp.maximum(free // 2, 1) + 1
                rounds = jnp.where(free > 0, (length + parts - 1) // parts, length)
                state = onward([lax.dynamic_index_in_dim(r, top, 0, False) for r in ring], rounds)
                places = places.at[top + 1].set(places[top] + rounds)
                ring = [lax.dynamic_update_index_in_dim(r, s, top + 1, 0) for r, s in zip(ring, state)]
                return top + 1, places, ring

            return lax.while_loop(below, push, stack)

        def round_(state: Any) -> Any:
            number, stack, by_values, by_fixed = state
            top, places, states = descend(stack, number) if ring else stack
            at = whole([lax.dynamic_index_in_dim(r, top, 0, False) for r in states])
            stack = top - 1, places, states
            slopes = self._pulled(at, fixed, by_values, live, live, live_fixed)
            by_values, more = slopes[: len(live)], slopes[len(live) :]
            return number - np.int32(1), stack, by_values, [a + b for a, b in zip(by_fixed, more)]

        places = jnp.arange(last_slot + 1, dtype=np.int32)
        places = jnp.where(places < slots, places * stride, 0)
        # the newest checkpoint that holds a state: the one before the last round, or earlier
        top = jnp.maximum((count - 1) // jnp.maximum(stride, 1), 0)
        begin = [jnp.zeros(fixed[at].shape, fixed[at].dtype) for at in live_fixed]
        first = (count - np.int32(1), (top, places, list(ring)), list(flows), begin)
        _, _, by_values, by_fixed = lax.while_loop(lambda s: s[0] >= 0, round_, first)
        return by_values, by_fixed

    def _back_of_sweep(
        self, live: list[int], live_fixed: list[int], values: Values, fixed: Values, flows: Values, slopes: Any
    ) -> Any:
        """The derivative of the way back.

        It is linear in what flows in: flows -> transposed(J) flows, J the derivative of the loop. With slopes s on
        its results this is the inner product of flows and J s, and J s is what one more loop carries beside the
        values: its derivative by values and fixed ones, and J s itself by the flows, are what is asked.
        """
        module, jnp = jax(), jax().numpy
        size, size_fixed = len(values), len(fixed)
        moving, moving_fixed = slopes

        def step(state: Values, fixed_: Values) -> Values:
            values_, tangents = state[:size], state[size:]
            plain, moved = fixed_[:size_fixed], fixed_[size_fixed:]

            def some(chosen: Values, chosen_fixed: Values) -> Values:
                full, full_fixed = list(values_), list(plain)
                for at, value in zip(live, chosen):
                    full[at] = value
                for at, value in zip(live_fixed, chosen_fixed):
                    full_fixed[at] = value
                after = self.step(full, full_fixed)
                return [after[at] for at in live]

            # J times a vector as the derivative of transposed(J) times one, which is linear: `jax.jvp` would not go
            # through a loop of this kind inside the step
            results, pull = module.vjp(some, [values_[at] for at in live], [plain[at] for at in live_fixed])
            _, push = module.vjp(pull, [jnp.zeros_like(r) for r in results])
            return [*self.step(values_, plain), *push((tangents, moved))[0]]

        def test(state: Values, fixed_: Values) -> Any:
            return self.test(state[:size], fixed_[:size_fixed])

        def moved(values: Values, fixed: Values) -> Values:
            return Reversible(test, step, self.bound).run([*values, *moving], [*fixed, *moving_fixed])[size:]

        def chosen(real: Values, real_fixed: Values) -> Values:
            full, full_fixed = list(values), list(fixed)
            for at, value in zip(reals, real):
                full[at] = value
            for at, value in zip(reals_fixed, real_fixed):
                full_fixed[at] = value
            return moved(full, full_fixed)

        reals = [at for at, value in enumerate(values) if _real(value)]
        reals_fixed = [at for at, value in enumerate(fixed) if _real(value)]
        by_flows, pull = module.vjp(chosen, [values[at] for at in reals], [fixed[at] for at in reals_fixed])
        by_reals, by_reals_fixed = pull(list(flows))
        by_values, by_fixed = dict(zip(reals, by_reals)), dict(zip(reals_fixed, by_reals_fixed))
        return (
            [by_values.get(at) for at in range(size)],
            [by_fixed.get(at) for at in range(size_fixed)],
            None,
            by_flows,
        )


def dependence(function: Callable[..., Values], *groups: Values, smooth: bool = True) -> list[set[int]]:
    """For each result of a function the numbers of the arguments that it hangs on.

    smooth  True: by way of real and complex values only, as derivatives do.
    """
    flat = [value for group in groups for value in group]
    traced = jax().make_jaxpr(function)(*[jax().ShapeDtypeStruct(v.shape, v.dtype) for v in flat]).jaxpr
    known: dict[Any, set[int]] = {
        var: {at} if not smooth or _real(var.aval) else set() for at, var in enumerate(traced.invars)
    }

    def of(atom: Any) -> set[int]:
        return set() if hasattr(atom, "val") else known.get(atom, set())

    for equation in traced.eqns:
        sources: set[int] = set().union(*map(of, equation.invars))
        for var in equation.outvars:
            known[var] = sources if not smooth or _real(var.aval) else set()
    return [of(out) if not smooth or _real(out.aval) else set() for out in traced.outvars]
