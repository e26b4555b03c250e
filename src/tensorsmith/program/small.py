"""Runs a small function of arrays on NumPy, as JAX traced it: gradients that are not worth a call of XLA.

A compiled call costs some 45 µs before it computes anything, and its first one some 100 ms of compiling. The
gradient of a few small operations is a few dozen primitives, each under 1 µs in NumPy. JAX derives them all the
same: what runs here is the jaxpr of its own `vjp`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

# elements that all results together may have: above, XLA's fused and threaded loops win
LIMIT = 40_000

Step = tuple[Callable[..., Any], tuple[int, ...], tuple[int, ...]]


class NotSmall(Exception):
    """The function is too large, or holds a primitive that has no form here."""


class Small:
    """A traced function as a list of NumPy calls.

    function   a function of flat arrays that gives a list of them.
    examples   arrays of the shapes and dtypes that it is for.

    Raises NotSmall where XLA should run it.
    """

    def __init__(self, function: Callable[..., list[Any]], examples: list[Any], jax: Any) -> None:
        specs = [jax.ShapeDtypeStruct(np.shape(a), a.dtype) for a in examples]
        closed = jax.make_jaxpr(function)(*specs)
        self._numbers: dict[Any, int] = {}
        # {a broadcast value: its source}, where NumPy's own rule makes the one of the other
        self._sources: dict[int, int] = {}
        self._values: list[Any] = []
        self._elements = 0
        self._run: Callable[..., list[Any]] | None = None
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
                needed.update(step[1])
                kept.append(step)
        self.inputs: list[int | None] = [at if at in needed else None for at in inputs]
        kept = self._folded(kept[::-1])
        self.steps = kept
        if self._elements > LIMIT:
            raise NotSmall

    def __call__(self, *arrays: Any) -> list[Any]:
        if self._run is None:
            # as a decorator errstate costs less than as a `with` block
            self._run = np.errstate(all="ignore")(self._written())
        return self._run(*arrays)

    def _written(self) -> Callable[..., list[Any]]:
        """The steps as one Python function, `v3 = f0(v1, v2)` a line: a loop over them would cost as much as they do."""
        names: dict[str, Any] = {}
        inputs = [f"v{at}" for at in self.inputs if at is not None]
        known = set(inputs)
        lines = [f"def run({', '.join(inputs)}):"]
        for number, (function, given, (made,)) in enumerate(self.steps):
            names[f"f{number}"] = function
            lines.append(f"    v{made} = f{number}({', '.join(f'v{i}' for i in given)})")
            known.add(f"v{made}")
        lines.append(f"    return [{', '.join(f'v{i}' for i in self.outputs)}]")
        for at, value in enumerate(self._values):
            if f"v{at}" not in known:
                names[f"v{at}"] = value
        # made of numbers and of functions of ours alone: nothing of the user's text is in it
        exec("\n".join(lines), names)
        return names["run"]

    def _folded(self, steps: list[Step]) -> list[Step]:
        """The steps without those that have nothing to wait for: their results are values from here on."""
        rest = []
        with np.errstate(all="ignore"):
            for function, given, made in steps:
                if all(self._values[i] is not None for i in given):
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
            inner = _inner(equation.params) if name in _CALLS else None
            if inner is not None:
                # a jitted or custom function: its equations, with its variables standing for ours
                self._enter(inner, equation, steps)
                continue
            if name == "split":
                self._split(equation, steps)
                continue
            make = _FORMS.get(name)
            if make is None or len(equation.outvars) != 1:
                raise NotSmall
            out = equation.outvars[0]
            function = make(equation)
            if function is None:
                raise NotSmall
            given = tuple(self._atom(v) for v in equation.invars)
            shape = out.aval.shape
            self._elements += int(np.prod(shape))
            same = equation.invars[0].aval.shape == shape and equation.invars[0].aval.dtype == out.aval.dtype
            if name in _RENAMES or (same and name in _RENAMES_SAME):
                self._numbers[out] = given[0]
                continue
            at = self._number(out)
            if name == "broadcast_in_dim":
                axes = equation.params["broadcast_dimensions"]
                if tuple(axes) == tuple(range(len(shape) - len(axes), len(shape))):
                    self._sources[at] = given[0]
            elif name == "select_n":
                pass  # np.where is slower with a scalar than with an array that is there already
            elif name in _ELEMENTWISE and any(
                v.aval.shape == shape and i not in self._sources for v, i in zip(equation.invars, given)
            ):
                # the other operand stretches it by itself
                given = tuple(self._sources.get(i, i) for i in given)
            steps.append((function, given, (at,)))

    def _split(self, equation: Any, steps: list[Step]) -> None:
        at, axis, start = self._atom(equation.invars[0]), equation.params["axis"], 0
        for size, out in zip(equation.params["sizes"], equation.outvars):
            key = (slice(None),) * axis + (slice(start, start + size),)
            steps.append((lambda x, k=key: x[k], (at,), (self._number(out),)))
            start += size

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


def _inner(params: dict[str, Any]) -> Any:
    for key in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        if key in params:
            return params[key]
    return None


Form = Callable[[Any], Any]


def _plain(function: Callable[..., Any]) -> Form:
    return lambda equation: function


def _dot(equation: Any) -> Any:
    """dot_general of two matrices over one axis each; None for what is wider."""
    (left, right), batch = equation.params["dimension_numbers"]
    a, b = (v.aval for v in equation.invars)
    if batch != ((), ()) or len(left) != 1 or len(a.shape) != 2 or len(b.shape) != 2 or a.dtype != b.dtype:
        return None
    if a.dtype.kind != "f" or equation.outvars[0].aval.dtype != a.dtype:
        return None
    turn_a, turn_b = left[0] == 0, right[0] == 1
    # a product over an axis of one is a table of products, which NumPy multiplies three times as fast
    matmul = np.multiply if a.shape[left[0]] == 1 else np.matmul
    if turn_a:
        return (lambda x, y: matmul(x.T, y.T)) if turn_b else (lambda x, y: matmul(x.T, y))
    return (lambda x, y: matmul(x, y.T)) if turn_b else matmul


def _broadcast(equation: Any) -> Any:
    shape, axes = equation.params["shape"], equation.params["broadcast_dimensions"]
    (source,) = (v.aval.shape for v in equation.invars[:1])
    if len(equation.invars) != 1:
        return None
    middle = [1] * len(shape)
    for axis, size in zip(axes, source):
        middle[axis] = size
    dtype = equation.outvars[0].aval.dtype
    if math.prod(shape) == 1:
        return lambda x: x.reshape(shape)
    if not source:
        # cheaper than a broadcast view, and writable
        return lambda x: np.full(shape, x, dtype)
    if tuple(middle) == tuple(shape):
        return lambda x: x.reshape(shape)
    ones = np.ones(shape, dtype)
    if dtype.kind == "f":
        return lambda x: x.reshape(middle) * ones
    return lambda x: np.broadcast_to(x.reshape(middle), shape)


def _reduce(function: Any) -> Form:
    def form(equation: Any) -> Any:
        axes = tuple(equation.params["axes"])
        (out,), (given,) = equation.outvars, equation.invars
        dtype = out.aval.dtype
        if all(given.aval.shape[axis] == 1 for axis in axes) and given.aval.dtype == dtype:
            return lambda x: x.reshape(out.aval.shape)
        reduce = function.reduce
        if function is np.add:
            return lambda x: reduce(x, axes, dtype)
        return lambda x: reduce(x, axes)

    return form


def _power(equation: Any) -> Any:
    exponent = equation.params["y"]
    if exponent == 2:
        return np.square
    if exponent == -1:
        return np.reciprocal
    dtype = equation.outvars[0].aval.dtype
    return lambda x: np.power(x, np.asarray(exponent, dtype))


def _convert(equation: Any) -> Any:
    dtype = equation.params["new_dtype"]
    return lambda x: x.astype(dtype)


def _select(equation: Any) -> Any:
    if len(equation.invars) != 3 or equation.invars[0].aval.dtype != bool:
        return None
    where = np.where
    return lambda which, no, yes: where(which, yes, no)


def _transpose(equation: Any) -> Any:
    order = equation.params["permutation"]
    return lambda x: x.transpose(order)


def _reshape(equation: Any) -> Any:
    shape = equation.outvars[0].aval.shape
    return lambda x: x.reshape(shape)


def _concatenate(equation: Any) -> Any:
    axis = equation.params["dimension"]
    return lambda *parts: np.concatenate(parts, axis)


def _slice(equation: Any) -> Any:
    bounds = zip(equation.params["start_indices"], equation.params["limit_indices"])
    strides = equation.params["strides"] or [1] * len(equation.params["start_indices"])
    key = tuple(slice(a, b, s) for (a, b), s in zip(bounds, strides))
    return lambda x: x[key]


def _pad(equation: Any) -> Any:
    sizes = equation.params["padding_config"]
    if any(low < 0 or high < 0 or inner for low, high, inner in sizes):
        return None
    widths = [(low, high) for low, high, _ in sizes]
    return lambda x, value: np.pad(x, widths, constant_values=value)


def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _is_bool(function: Callable[..., Any], for_ints: Callable[..., Any]) -> Form:
    return lambda equation: function if equation.invars[0].aval.dtype == bool else for_ints


# primitives that give their first argument as it is
_RENAMES = frozenset({"copy", "copy_p", "optimization_barrier", "stop_gradient"})

_RENAMES_SAME = frozenset({"broadcast_in_dim", "reshape", "squeeze", "expand_dims", "convert_element_type"})
_ELEMENTWISE = frozenset("add add_any sub mul div max min pow eq ne lt le gt ge and or atan2".split())

_FORMS: dict[str, Form] = {
    **{
        name: _plain(getattr(np, other))
        for name, other in {
            "add": "add", "add_any": "add", "sub": "subtract", "mul": "multiply", "neg": "negative", "sign": "sign",
            "abs": "absolute", "max": "maximum", "min": "minimum", "exp": "exp", "exp2": "exp2", "log": "log",
            "log1p": "log1p", "expm1": "expm1", "tanh": "tanh", "sin": "sin", "cos": "cos", "tan": "tan", "sqrt": "sqrt",
            "square": "square", "floor": "floor", "ceil": "ceil", "eq": "equal", "ne": "not_equal", "lt": "less",
            "le": "less_equal", "gt": "greater", "ge": "greater_equal", "pow": "power", "is_finite": "isfinite",
            "atan2": "arctan2", "sinh": "sinh", "cosh": "cosh",
        }.items()
    },
    **{name: _plain(lambda x: x) for name in _RENAMES},
    "div": lambda e: np.divide if e.outvars[0].aval.dtype.kind == "f" else None,
    "and": _is_bool(np.logical_and, np.bitwise_and),
    "or": _is_bool(np.logical_or, np.bitwise_or),
    "not": _is_bool(np.logical_not, np.invert),
    "rsqrt": _plain(lambda x: 1 / np.sqrt(x)),
    "logistic": _plain(_logistic),
    "integer_pow": _power,
    "dot_general": _dot,
    "broadcast_in_dim": _broadcast,
    "reduce_sum": _reduce(np.add),
    "reduce_max": _reduce(np.maximum),
    "reduce_min": _reduce(np.minimum),
    "convert_element_type": _convert,
    "select_n": _select,
    "transpose": _transpose,
    "reshape": _reshape,
    "squeeze": _reshape,
    "expand_dims": _reshape,
    "concatenate": _concatenate,
    "slice": _slice,
    "pad": _pad,
}  # fmt: skip
