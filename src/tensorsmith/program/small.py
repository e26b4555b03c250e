"""Runs a small function of arrays on NumPy, as JAX traced it: gradients that are not worth a call of XLA.

A compiled call costs some 45 µs before it computes anything, and its first one some 100 ms of compiling. The
gradient of a few small operations is a few dozen primitives, each under 1 µs in NumPy. JAX derives them all the
same: what runs here is the jaxpr of its own `vjp`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.program import execute
from tensorsmith.program.forms import ELEMENTWISE, FORMS, KEPT, LIMIT, RENAMES, RENAMES_SAME, SEVERAL

# a function (None for a primitive that has no form here), the values that it takes, those that it makes
Step = tuple[Any, tuple[int, ...], tuple[int, ...]]


class NotSmall(Exception):
    """The function is too large, or holds a primitive that has no form here."""


def traced(function: Callable[..., list[Any]], specs: list[Any], jax: Any) -> Any:
    """The jaxpr of a function of flat arrays of these (shape, dtype)."""
    execute.work["traced"] += 1
    with execute.guard():
        return jax.make_jaxpr(function)(*[jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in specs])


class Small:
    """A traced function as a list of NumPy calls.

    closed  its jaxpr, of flat arrays (`traced`).
    limit   the number of elements that all results together may have; by default LIMIT.

    Call it with those of the arrays that `inputs` names, in order. Raises NotSmall where XLA should run it.
    """

    def __init__(self, closed: Any, limit: float | None = None) -> None:
        self._numbers: dict[Any, int] = {}
        # {a broadcast value: its source}, where NumPy's own rule makes the one of the other
        self._sources: dict[int, int] = {}
        self._values: list[Any] = []
        # how many elements each value has that some step makes
        self._sizes: dict[int, int] = {}
        self._run: Callable[..., list[Any]] | None = None
        self._met = False
        steps: list[Step] = []
        inputs = [self._number(v) for v in closed.jaxpr.invars]
        for variable, value in zip(closed.jaxpr.constvars, closed.consts):
            self._values[self._number(variable)] = np.asarray(value)
        self._inline(closed.jaxpr, steps)
        self.outputs = [self._atom(v) for v in closed.jaxpr.outvars]
        needed = set(self.outputs)
        kept: list[Step] = []
        for step in reversed(steps):
            if needed.intersection(step[2]):
                if step[0] is None:
                    raise NotSmall
                needed.update(step[1])
                kept.append(step)
        # which of the arrays it takes are of any use
        self.inputs: list[int] = [place for place, at in enumerate(inputs) if at in needed]
        self._parameters = [inputs[place] for place in self.inputs]
        kept = self._folded(kept[::-1])
        self.steps = kept
        if sum(self._sizes.get(made, 0) for _, _, (made,) in kept) > (LIMIT if limit is None else limit):
            raise NotSmall
        # what is written is found by number from here on
        self._numbers, self._sources, self._sizes = {}, {}, {}

    def __call__(self, *arrays: Any) -> list[Any]:
        if self._run is None:
            if not self._met:
                # what is met once, as at a shape that never comes again, is not worth being written: 60 µs
                self._met = True
                return self._stepped(arrays)
            # as a decorator errstate costs less than as a `with` block
            self._run = np.errstate(all="ignore")(self._written())
        return self._run(*arrays)

    def _stepped(self, arrays: tuple[Any, ...]) -> list[Any]:
        """The steps one by one."""
        values = list(self._values)
        for at, array in zip(self._parameters, arrays):
            values[at] = array
        with np.errstate(all="ignore"):
            for function, given, (made,) in self.steps:
                values[made] = function(*[values[i] for i in given])
        return [values[i] for i in self.outputs]

    def _written(self) -> Callable[..., list[Any]]:
        """The steps as one Python function, `v3 = f0(v1, v2)` a line: a loop over them would cost as much as they do."""
        names: dict[str, Any] = {}
        inputs = [f"v{at}" for at in self._parameters]
        known = set(inputs)
        lines = [f"def run({', '.join(inputs)}):"]
        for number, (function, given, (made,)) in enumerate(self.steps):
            names[f"f{number}"] = function
            lines.append(f"    v{made} = f{number}({', '.join(f'v{i}' for i in given)})")
            known.add(f"v{made}")
        lines.append(f"    return [{', '.join(f'v{i}' for i in self.outputs)}]")
        for at, value in enumerate(self._values):
            if f"v{at}" not in known:
                # beside an array, a NumPy scalar costs half a call more than a 0-d array
                names[f"v{at}"] = np.asarray(value) if isinstance(value, np.generic) else value
        # made of numbers and of functions of ours alone: nothing of the user's text is in it
        exec("\n".join(lines), names)
        return names["run"]

    def _folded(self, steps: list[Step]) -> list[Step]:
        """The steps without those that have nothing to wait for: their results are values from here on."""
        rest = []
        with np.errstate(all="ignore"):
            for function, given, made in steps:
                if self._sizes.get(made[0], 0) <= KEPT and all(self._values[i] is not None for i in given):
                    self._values[made[0]] = function(*[self._values[i] for i in given])
                else:
                    rest.append((function, given, made))
        return rest

    def _number(self, variable: Any) -> int:
        found = self._numbers.get(variable)
        if found is None:
            found = self._numbers[variable] = len(self._values)
            self._values.append(None)
        return found

    def _atom(self, atom: Any) -> int:
        if hasattr(atom, "val"):
            self._values.append(np.asarray(atom.val, atom.aval.dtype)[()])
            return len(self._values) - 1
        return self._number(atom)

    def _inline(self, jaxpr: Any, steps: list[Step]) -> None:
        for equation in jaxpr.eqns:
            name = equation.primitive.name
            inner = inner_of(equation)
            if inner is not None:
                # a jitted or custom function: its equations, with its variables standing for ours
                self._enter(inner, equation, steps)
                continue
            if name in ("split", "unstack"):
                self._split(equation, steps)
                continue
            make = FORMS.get(name)
            function = make(equation) if make is not None else None
            given = tuple(self._atom(v) for v in equation.invars)
            if function is not None and name in SEVERAL:
                self._several(function, given, equation.outvars, steps)
                continue
            if function is None:
                # no harm where nobody needs it, as the forward half of an operation whose derivative does not
                steps.append((None, given, tuple(self._number(v) for v in equation.outvars)))
                continue
            out = equation.outvars[0]
            shape = out.aval.shape
            if name in RENAMES or (name in RENAMES_SAME and _is_same(equation)):
                self._numbers[out] = given[0]
                continue
            at = self._number(out)
            self._sizes[at] = math.prod(shape)
            if name == "broadcast_in_dim":
                axes = equation.params["broadcast_dimensions"]
                if tuple(axes) == tuple(range(len(shape) - len(axes), len(shape))):
                    self._sources[at] = given[0]
            elif name == "select_n":
                pass  # np.where is slower with a scalar than with an array that is there already
            elif name in ELEMENTWISE and any(
                v.aval.shape == shape and i not in self._sources for v, i in zip(equation.invars, given)
            ):
                # the other operand stretches it by itself
                given = tuple(self._sources.get(i, i) for i in given)
            steps.append((function, given, (at,)))

    def _split(self, equation: Any, steps: list[Step]) -> None:
        at, axis, start = self._atom(equation.invars[0]), equation.params["axis"], 0
        sizes = equation.params.get("sizes", (None,) * len(equation.outvars))
        for place, (size, out) in enumerate(zip(sizes, equation.outvars)):
            # unstack gives up the axis
            key = (slice(None),) * axis + ((place,) if size is None else (slice(start, start + size),))
            steps.append((lambda x, k=key: x[k], (at,), (self._number(out),)))
            start += size or 0

    def _several(self, function: Any, given: tuple[int, ...], outs: Any, steps: list[Step]) -> None:
        """A primitive with several results: a list of them, and then each by itself."""
        whole = self._number(object())
        steps.append((function, given, (whole,)))
        for place, out in enumerate(outs):
            at = self._number(out)
            self._sizes[at] = math.prod(out.aval.shape)
            steps.append((operator.itemgetter(place), (whole,), (at,)))

    def _enter(self, inner: Any, equation: Any, steps: list[Step]) -> None:
        jaxpr = getattr(inner, "jaxpr", inner)
        outer = dict(self._numbers)
        for variable, value in zip(jaxpr.constvars, getattr(inner, "consts", ())):
            self._numbers[variable] = self._number(object())
            self._values[self._numbers[variable]] = np.asarray(value)
        for variable, atom in zip(jaxpr.invars, equation.invars):
            self._numbers[variable] = self._atom(atom)
        # one inner function may be called twice: its variables are new each time
        for each in jaxpr.eqns:
            for out in each.outvars:
                self._numbers.pop(out, None)
        self._inline(jaxpr, steps)
        results = [self._atom(v) for v in jaxpr.outvars]
        self._numbers = outer
        for variable, at in zip(equation.outvars, results):
            self._numbers[variable] = at


# primitives that run an inner function once; a loop holds one too, and is no call
_CALLS = frozenset(
    "jit pjit closed_call core_call custom_jvp_call custom_vjp_call custom_vjp_call_jaxpr remat remat2 checkpoint".split()
)


def _is_same(equation: Any) -> bool:
    """Whether a primitive on shapes or dtypes has nothing to do."""
    given, out = equation.invars[0].aval, equation.outvars[0].aval
    turned = equation.primitive.name == "reshape" and equation.params.get("dimensions") is not None
    return given.shape == out.shape and given.dtype == out.dtype and not turned


def inner_of(equation: Any) -> Any:
    """The jaxpr that an equation calls, None where it calls none."""
    if equation.primitive.name in _CALLS:
        for key in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
            if key in equation.params:
                return equation.params[key]
    return None
