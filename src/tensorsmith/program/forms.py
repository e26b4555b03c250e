"""The NumPy form of JAX's primitives: for an equation of a jaxpr the function of arrays that computes it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.program import places

# elements that all results of a function may have together that runs on NumPy: above, XLA's fused and threaded loops win
LIMIT = 40_000

# elements that an array may have which is kept with a function: functions are kept by the thousand
KEPT = 4096

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
    if dtype.kind == "f" and math.prod(shape) <= KEPT:
        ones = np.ones(shape, dtype)
        return lambda x: x.reshape(middle) * ones
    return lambda x: np.broadcast_to(x.reshape(middle), shape)


def _least(dtype: np.dtype) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else dtype.kind != "b" and -np.inf


def _most(dtype: np.dtype) -> Any:
    return np.iinfo(dtype).max if dtype.kind in "iu" else dtype.kind == "b" or np.inf


_STARTS: dict[Any, Callable[[np.dtype], Any]] = {np.maximum: _least, np.minimum: _most}


def _reduce(function: Any) -> Form:
    def form(equation: Any) -> Any:
        axes = tuple(equation.params["axes"])
        (out,), (given,) = equation.outvars, equation.invars
        dtype = out.aval.dtype
        if all(given.aval.shape[axis] == 1 for axis in axes) and given.aval.dtype == dtype:
            return lambda x: x.reshape(out.aval.shape)
        if 0 in given.aval.shape and function in _STARTS:
            # NumPy refuses the greatest of nothing
            return lambda x: np.full(out.aval.shape, _STARTS[function](dtype), dtype)
        reduce = function.reduce
        if function in (np.add, np.multiply):
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
        return _dilated(equation.outvars[0].aval, equation.invars[0].aval.shape, sizes)
    shape, dtype = equation.outvars[0].aval.shape, equation.outvars[0].aval.dtype
    inside = tuple(slice(low, low + n) for (low, _, _), n in zip(sizes, equation.invars[0].aval.shape))

    def pad(x: Any, value: Any) -> Any:
        # a third of the time of np.pad
        result = np.full(shape, value, dtype)
        result[inside] = x
        return result

    return pad


def _dilated(out: Any, given: tuple[int, ...], sizes: Any) -> Any:
    """Padding between the elements, or below 0, which cuts."""
    steps = [inner + 1 for _, _, inner in sizes]
    spread = [0 if n == 0 else (n - 1) * step + 1 for n, step in zip(given, steps)]
    whole = [max(low, 0) + n + max(high, 0) for (low, high, _), n in zip(sizes, spread)]
    inside = tuple(slice(max(low, 0), max(low, 0) + n, step) for (low, _, _), n, step in zip(sizes, spread, steps))
    cut = tuple(slice(max(-low, 0), n - max(-high, 0)) for (low, high, _), n in zip(sizes, whole))

    def pad(x: Any, value: Any) -> Any:
        result = np.full(whole, value, out.dtype)
        result[inside] = x
        return result[cut]

    return pad


def columns(numbers: Any, names: str) -> list[Any]:
    """The parts of JAX's dimension numbers; a stored derivative has them as a list."""
    if isinstance(numbers, tuple):
        return list(numbers)
    return [tuple(map(int, getattr(numbers, name))) for name in names.split()]


GATHER = "offset_dims collapsed_slice_dims start_index_map operand_batching_dims start_indices_batching_dims"
SCATTER = (
    "update_window_dims inserted_window_dims scatter_dims_to_operand_dims operand_batching_dims "
    "scatter_indices_batching_dims"
)


def _mode(equation: Any) -> str:
    mode = equation.params["mode"]
    return str(getattr(mode, "name", mode))


def _gather(equation: Any) -> Any:
    inner, dropped, axes, batch, along = columns(equation.params["dimension_numbers"], GATHER)
    array, out = equation.invars[0].aval, equation.outvars[0].aval
    sizes = tuple(equation.params["slice_sizes"])
    windows = places.Windows(
        array.shape, sizes, axes, tuple(zip(batch, along)), tuple(sorted(inner)), frozenset(dropped)
    )
    return places.gather(windows, _mode(equation), equation.params["fill_value"], out.shape)


def _scatter(join: Any) -> Form:
    def form(equation: Any) -> Any:
        inner, dropped, axes, batch, along = columns(equation.params["dimension_numbers"], SCATTER)
        array, updates = equation.invars[0].aval, equation.invars[2].aval
        lengths = iter([updates.shape[axis] for axis in sorted(inner)])
        sizes = tuple(1 if a in dropped or a in batch else next(lengths) for a in range(len(array.shape)))
        windows = places.Windows(
            array.shape, sizes, axes, tuple(zip(batch, along)), tuple(sorted(inner)), frozenset(dropped)
        )
        return places.scatter(windows, _mode(equation), join, updates.shape)

    return form


def _dynamic_slice(equation: Any) -> Any:
    sizes, shape = tuple(equation.params["slice_sizes"]), equation.invars[0].aval.shape
    room = [n - size for n, size in zip(shape, sizes)]

    def dynamic_slice(x: Any, *starts: Any) -> Any:
        firsts = [min(max(int(start), 0), most) for start, most in zip(starts, room)]
        return x[tuple([slice(first, first + size) for first, size in zip(firsts, sizes)])]

    return dynamic_slice


def _dynamic_update(equation: Any) -> Any:
    shape, sizes = equation.invars[0].aval.shape, equation.invars[1].aval.shape
    room = [n - size for n, size in zip(shape, sizes)]

    def dynamic_update(x: Any, update: Any, *starts: Any) -> Any:
        result = np.array(x)
        firsts = [min(max(int(start), 0), most) for start, most in zip(starts, room)]
        result[tuple([slice(first, first + size) for first, size in zip(firsts, sizes)])] = update
        return result

    return dynamic_update


def _reverse(equation: Any) -> Any:
    axes = tuple(equation.params["dimensions"])
    return lambda x: np.flip(x, axes)


def _cumulative(function: Any) -> Form:
    def form(equation: Any) -> Any:
        axis, dtype = equation.params["axis"], equation.outvars[0].aval.dtype
        if not equation.params["reverse"]:
            return lambda x: function.accumulate(x, axis, dtype)
        return lambda x: np.flip(function.accumulate(np.flip(x, axis), axis, dtype), axis)

    return form


def _iota(equation: Any) -> Any:
    out, axis = equation.outvars[0].aval, equation.params["dimension"]
    form = [1] * len(out.shape)
    form[axis] = -1
    return lambda: np.broadcast_to(np.arange(out.shape[axis], dtype=out.dtype).reshape(form), out.shape)


def _extreme(function: Any) -> Form:
    def form(equation: Any) -> Any:
        (axis,), dtype = equation.params["axes"], equation.outvars[0].aval.dtype
        return lambda x: function(x, axis).astype(dtype)

    return form


def _sort(equation: Any) -> Any:
    axis, keys = equation.params["dimension"], equation.params["num_keys"]

    def sort(*arrays: Any) -> list[Any]:
        if keys == 1:
            order = np.argsort(arrays[0], axis, kind="stable")
        else:
            order = np.lexsort(arrays[keys - 1 :: -1], axis)
        return [np.take_along_axis(a, order, axis) for a in arrays]

    return sort


def _top_k(equation: Any) -> Any:
    count, dtype = equation.params["k"], equation.outvars[1].aval.dtype
    if equation.params.get("axis", -1) not in (-1, len(equation.invars[0].aval.shape) - 1):
        return None

    def top_k(x: Any) -> list[Any]:
        # from the back, so that of equal ones the first comes first
        order = x.shape[-1] - 1 - np.argsort(x[..., ::-1], -1, kind="stable")[..., ::-1][..., :count]
        return [np.take_along_axis(x, order, -1), order.astype(dtype)]

    return top_k


def _clamp(low: Any, x: Any, high: Any) -> Any:
    return np.minimum(np.maximum(x, low), high)


def _round(equation: Any) -> Any:
    method = equation.params["rounding_method"]
    return np.rint if getattr(method, "name", method) == "TO_NEAREST_EVEN" else None


def _special(name: str) -> Form:
    def form(equation: Any) -> Any:
        import scipy.special  # comes with JAX; a derivative that holds one of these was derived by it

        if equation.outvars[0].aval.dtype.char not in "fd":
            return None
        return getattr(scipy.special, name)

    return form


def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _is_bool(function: Callable[..., Any], for_ints: Callable[..., Any]) -> Form:
    return lambda equation: function if equation.invars[0].aval.dtype == bool else for_ints


# primitives that give their first argument as it is
RENAMES = frozenset({"copy", "copy_p", "optimization_barrier", "stop_gradient"})

RENAMES_SAME = frozenset({"broadcast_in_dim", "reshape", "squeeze", "expand_dims", "convert_element_type"})
ELEMENTWISE = frozenset("add add_any sub mul div max min pow eq ne lt le gt ge and or atan2".split())

FORMS: dict[str, Form] = {
    **{
        name: _plain(getattr(np, other))
        for name, other in {
            "add": "add", "add_any": "add", "sub": "subtract", "mul": "multiply", "neg": "negative", "sign": "sign",
            "abs": "absolute", "max": "maximum", "min": "minimum", "exp": "exp", "exp2": "exp2", "log": "log",
            "log1p": "log1p", "expm1": "expm1", "tanh": "tanh", "sin": "sin", "cos": "cos", "tan": "tan", "sqrt": "sqrt",
            "square": "square", "floor": "floor", "ceil": "ceil", "eq": "equal", "ne": "not_equal", "lt": "less",
            "le": "less_equal", "gt": "greater", "ge": "greater_equal", "pow": "power", "is_finite": "isfinite",
            "atan2": "arctan2", "sinh": "sinh", "cosh": "cosh", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
            "rem": "fmod", "cbrt": "cbrt", "nextafter": "nextafter", "shift_left": "left_shift",
            "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
        }.items()
    },
    **{name: _plain(lambda x: x) for name in RENAMES},
    "div": lambda e: np.divide if e.outvars[0].aval.dtype.kind == "f" else None,
    "and": _is_bool(np.logical_and, np.bitwise_and),
    "or": _is_bool(np.logical_or, np.bitwise_or),
    "not": _is_bool(np.logical_not, np.invert),
    "xor": _is_bool(np.logical_xor, np.bitwise_xor),
    "rsqrt": _plain(lambda x: 1 / np.sqrt(x)),
    "logistic": _plain(_logistic),
    "integer_pow": _power,
    "dot_general": _dot,
    "broadcast_in_dim": _broadcast,
    "reduce_sum": _reduce(np.add),
    "reduce_max": _reduce(np.maximum),
    "reduce_min": _reduce(np.minimum),
    "reduce_prod": _reduce(np.multiply),
    "reduce_and": lambda e: _reduce(np.logical_and)(e) if e.invars[0].aval.dtype == bool else None,
    "reduce_or": lambda e: _reduce(np.logical_or)(e) if e.invars[0].aval.dtype == bool else None,
    "argmax": _extreme(np.argmax),
    "argmin": _extreme(np.argmin),
    "cumsum": _cumulative(np.add),
    "cumprod": _cumulative(np.multiply),
    "cummax": _cumulative(np.maximum),
    "cummin": _cumulative(np.minimum),
    "cumlogsumexp": _cumulative(np.logaddexp),
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
    "gather": _gather,
    **{name: _scatter(join) for name, join in places.JOINS.items()},
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update,
    "rev": _reverse,
    "iota": _iota,
    "clamp": _plain(_clamp),
    "round": _round,
    "erf_inv": _special("erfinv"),
    "bessel_i0e": _special("i0e"),
    "bessel_i1e": _special("i1e"),
    "erf": _special("erf"),
    "erfc": _special("erfc"),
    "lgamma": _special("gammaln"),
    "digamma": _special("psi"),
    # of several results
    "sort": _sort,
    "top_k": _top_k,
}  # fmt: skip
# those that give a list of results
SEVERAL = frozenset({"sort", "top_k"})
