"""Pieces: the backward half of one operation, for given settings, dtypes and shapes; shared by all programs.

A gradient that is met for the first time is computed piece by piece, so that it waits for no compiler; a loop whose
program is another one at every step meets the same pieces. Where a piece comes from depends on the operation, its
settings, dtypes and shapes alone: from the file of stored derivatives (`program/slopes.py`), else JAX derives it, and it
runs on NumPy where its primitives have a form there, compiled by XLA otherwise.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tensorsmith.program import execute, opened, slopes
from tensorsmith.program.lower import Namespace
from tensorsmith.program.op import Op
from tensorsmith.program.program import freeze
from tensorsmith.program.small import NotSmall, Small, traced

Specs = tuple[tuple[tuple[int, ...], np.dtype], ...]
_MOST = 8192


class Call:
    """One call of an operation, as far as its derivative depends on it.

    groups   how many arrays each argument took (None for one that is not a list).
    absent   which of the arguments were not given.
    specs    shape and dtype of the arrays that it took, lists flat, and of those that it gave.
    wanted   which of the arrays taken the derivative is by.
    flowing  into which of the arrays given something flows.
    """

    __slots__ = ("absent", "flowing", "given", "groups", "op", "settings", "taken", "wanted")

    def __init__(
        self,
        op: Op,
        settings: dict,
        groups: tuple[int | None, ...],
        absent: tuple[bool, ...],
        taken: Specs,
        given: Specs,
        wanted: tuple[int, ...],
        flowing: tuple[int, ...],
    ) -> None:
        self.op, self.settings, self.groups, self.absent = op, settings, groups, absent
        self.taken, self.given, self.wanted, self.flowing = taken, given, wanted, flowing

    def key(self) -> tuple[Any, ...]:
        return (
            self.op, freeze(self.settings), self.groups, self.absent, self.taken, self.given, self.wanted, self.flowing,
        )  # fmt: skip

    def packed(self, arrays: Any) -> list[Any]:
        """The arrays in the form in which the kernel takes them."""
        rest = iter(arrays)
        return [
            None if absent else next(rest) if count is None else [next(rest) for _ in range(count)]
            for count, absent in zip(self.groups, self.absent)
        ]

    def forward(self, xp: Any, settings: dict | None = None) -> Callable[..., list[Any]]:
        """A function of the arrays taken: all results, in a list; with other settings than its own, where some are given."""
        settings = self.settings if settings is None else settings

        def function(*arrays: Any) -> list[Any]:
            results = self.op.kernel(xp, *self.packed(arrays), **settings)
            return list(results) if isinstance(results, (tuple, list)) else [results]

        return function

    def backward(self, xp: Any, jax: Any, settings: dict | None = None) -> Callable[..., list[Any]]:
        """A function of the arrays taken, then of what flows in: the derivatives by those wanted."""
        count, whole = len(self.taken), self.forward(xp, settings)

        def function(*arrays: Any) -> list[Any]:
            def forward(*chosen: Any) -> list[Any]:
                values = list(arrays[:count])
                for place, value in zip(self.wanted, chosen):
                    values[place] = value
                results = whole(*values)
                # what nothing flows into is no result: as zeros it would meet an infinite slope and be NaN
                return [results[place] for place in self.flowing]

            return list(jax.vjp(forward, *[arrays[place] for place in self.wanted])[1](list(arrays[count:])))

        return function


class Piece:
    """The derivative of a call, as a function of arrays.

    given    which it takes, among the arrays that the operation took, then those that flow in.
    closed   its jaxpr, None where NumPy has no form for it.
    reached  for each derivative whether anything flows there: where not, it is no zero but nothing, as a zero would
             meet an infinite slope further back and be NaN.
    """

    __slots__ = ("_closed", "given", "reached", "run")

    def __init__(
        self, run: Callable[..., list[Any]], given: list[int], closed: Any, reached: list[bool] | None = None
    ) -> None:
        self.run, self.given, self.reached, self._closed = run, given, reached, closed

    @property
    def closed(self) -> Any:
        # Made from a row again when it is asked for, and not kept: thousands of pieces would be a hundred objects each,
        # which Python's garbage collector walks through.
        return self._closed() if isinstance(self._closed, partial) else self._closed


_pieces: dict[Any, Piece] = {}


def piece(call: Call) -> Piece:
    """The piece for a call, derived when it is first asked for."""
    key = call.key()
    found = _pieces.get(key)
    if found is None:
        if len(_pieces) > _MOST:
            _pieces.clear()
        found = _pieces[key] = _made(call, key)
    return found


def _made(call: Call, key: Any) -> Piece:
    shapes, dtypes = [shape for shape, _ in call.taken], [dtype for _, dtype in call.taken]
    row = slopes.find(call.op, call.settings, shapes, dtypes) if len(call.given) == 1 else None
    flows = [call.given[place] for place in call.flowing]
    if row is not None:
        listed = partial(slopes.listing, row, call.settings, call.taken, flows, call.wanted)
        closed: Any = listed()
        small = Small(closed, math.inf)
        # a number is a derivative into which nothing flows
        steady = any(isinstance(row["outputs"][at], list) for at in call.wanted)
        return Piece(small, small.inputs, listed, opened.reached(closed, len(flows)) if steady else None)
    everything = list(range(len(call.taken) + len(flows)))
    row = opened.find(call)
    if row is not None:
        if row["steps"] is None:
            return Piece(_compiled(call, key), everything, None, row["reached"])
        listed = partial(slopes.listing, row, call.settings, call.taken, flows, call.wanted)
        closed = listed()
        with contextlib.suppress(NotSmall):
            small = Small(closed, math.inf)
            return Piece(small, small.inputs, listed, opened.reached(closed, len(flows)))
    jax = execute.jax()
    if call.op.eager:
        return Piece(_unrolled(call), everything, None)
    try:
        closed = traced(call.backward(jax.numpy, jax), [*call.taken, *flows], jax)
    except execute.REFUSED:
        return Piece(_unrolled(call), everything, None)
    reached = opened.reached(closed.jaxpr, len(flows))
    try:
        small = Small(closed, math.inf)
        return Piece(small, small.inputs, closed, reached)
    except NotSmall:
        return Piece(_compiled(call, key), everything, None, reached)


def origins(found: Piece) -> list[set[int]] | None:
    """For each derivative of a piece, the places in its `given` of what it is computed from; None where that is not known."""
    closed = found.closed
    if closed is None:
        return None
    jaxpr = closed.jaxpr
    sources: dict[Any, set[int]] = {jaxpr.invars[place]: {at} for at, place in enumerate(found.given)}
    for equation in jaxpr.eqns:
        known = [sources.get(v, set()) for v in equation.invars if not hasattr(v, "val")]
        sources.update((made, set().union(*known)) for made in equation.outvars)
    return [set() if hasattr(v, "val") else sources.get(v, set()) for v in jaxpr.outvars]


def _compiled(call: Call, key: Any) -> Callable[..., list[Any]]:
    jax = execute.jax()
    function = execute.jitted(("piece", key), lambda: call.backward(jax.numpy, jax))
    return lambda *arrays: [np.asarray(result) for result in function(*arrays)]


def _unrolled(call: Call) -> Callable[..., list[Any]]:
    """Where a size, or the number of rounds of a loop, hangs on values: JAX takes it primitive by primitive."""
    jax = execute.jax()

    def run(*arrays: Any) -> list[Any]:
        with execute.guard():
            return [np.asarray(result) for result in call.backward(Namespace(unrolled=True), jax)(*arrays)]

    return run
