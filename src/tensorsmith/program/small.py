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

from tensorsmith.program import execute

# elements that all results together may have: above, XLA's fused and threaded loops win
LIMIT = 40_000

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

    def __call__(self, *arrays: Any) -> list[Any]:
        if self._run is None:
            # as a decorator errstate costs less than as a `with` block
            self._run = np.errstate(all="ignore")(self._written())
        return self._run(*arrays)

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
            if name in ("split", "unstack"):
                self._split(equation, steps)
                continue
            make = _FORMS.get(name)
            function = make(equation) if make is not None and len(equation.outvars) == 1 else None
            given = tuple(self._atom(v) for v in equation.invars)
            if function is None:
                # no harm where nobody needs it, as the forward half of an operation whose derivative does not
                steps.append((None, given, tuple(self._number(v) for v in equation.outvars)))
                continue
            out = equation.outvars[0]
            shape = out.aval.shape
            same = equation.invars[0].aval.shape == shape and equation.invars[0].aval.dtype == out.aval.dtype
            turned = name == "reshape" and equation.params.get("dimensions") is not None
            if name in _RENAMES or (same and name in _RENAMES_SAME and not turned):
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
            elif name in _ELEMENTWISE and any(
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
    """dot_general of floats: two matrices over one axis each as they are, what is wider in the form of two stacks."""
    (left, right), (rows_a, rows_b) = equation.params["dimension_numbers"]
    a, b = (v.aval for v in equation.invars)
    if a.dtype != b.dtype or a.dtype.kind != "f" or equation.outvars[0].aval.dtype != a.dtype:
        return None
    if rows_a or len(left) != 1 or len(a.shape) != 2 or len(b.shape) != 2:
        return _wide_dot(a.shape, b.shape, left, right, rows_a, rows_b)
    turn_a, turn_b = left[0] == 0, right[0] == 1
    # a product over an axis of one is a table of products, which NumPy multiplies three times as fast
    matmul = np.multiply if a.shape[left[0]] == 1 else np.matmul
    if turn_a:
        return (lambda x, y: matmul(x.T, y.T)) if turn_b else (lambda x, y: matmul(x.T, y))
    return (lambda x, y: matmul(x, y.T)) if turn_b else matmul


def _wide_dot(a: Any, b: Any, left: Any, right: Any, rows_a: Any, rows_b: Any) -> Any:
    """Axes that both share come first in the result, then those of the one alone, then those of the other."""
    own_a = [i for i in range(len(a)) if i not in left and i not in rows_a]
    own_b = [i for i in range(len(b)) if i not in right and i not in rows_b]
    turn_a, turn_b = (*rows_a, *own_a, *left), (*rows_b, *right, *own_b)
    rows = tuple(a[i] for i in rows_a)
    inner = math.prod(a[i] for i in left)
    stack_a = (*rows, math.prod(a[i] for i in own_a), inner)
    stack_b = (*rows, inner, math.prod(b[i] for i in own_b))
    out = (*rows, *(a[i] for i in own_a), *(b[i] for i in own_b))

    def product(x: Any, y: Any) -> Any:
        stacks = np.matmul(x.transpose(turn_a).reshape(stack_a), y.transpose(turn_b).reshape(stack_b))
        return stacks.reshape(out)

    return product


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
    if dtype.kind == "f" and math.prod(shape) <= LIMIT:
        ones = np.ones(shape, dtype)
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
    order = equation.params.get("dimensions") if equation.primitive.name == "reshape" else None
    if order is not None:
        # the axes are put in this order before
        return lambda x: x.transpose(order).reshape(shape)
    return lambda x: x.reshape(shape)


def _concatenate(equation: Any) -> Any:
    axis = equation.params["dimension"]
    return lambda *parts: np.concatenate(parts, axis)


def _stack(equation: Any) -> Any:
    axis = equation.params["axis"]
    return lambda *parts: np.stack(parts, axis)


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
            "atan2": "arctan2", "sinh": "sinh", "cosh": "cosh", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
            "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
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
    "stack": _stack,
    "slice": _slice,
    "pad": _pad,
}  # fmt: skip
