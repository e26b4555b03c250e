"""JAX's primitives as ONNX: what the kernel of an operation without a rule of its own is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.exchange.onnx.graph import Builder, NotInOnnx

Rule = Callable[[Builder, Any, list[str]], Any]
rules: dict[str, Rule] = {}

SAME = {
    "add": "Add", "add_any": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "max": "Max", "min": "Min", "exp": "Exp",
    "log": "Log", "tanh": "Tanh", "logistic": "Sigmoid", "neg": "Neg", "abs": "Abs", "sqrt": "Sqrt", "sin": "Sin",
    "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh",
    "asinh": "Asinh", "acosh": "Acosh", "atanh": "Atanh", "floor": "Floor", "ceil": "Ceil", "sign": "Sign", "erf": "Erf",
    "pow": "Pow", "stop_gradient": "Identity", "copy": "Identity", "copy_p": "Identity", "reduce_precision": "Identity",
    "optimization_barrier": "Identity",
    "ge": "GreaterOrEqual", "gt": "Greater", "le": "LessOrEqual", "lt": "Less", "eq": "Equal", "le_to": "LessOrEqual",
    "lt_to": "Less",
}  # fmt: skip
LOGIC = {"and": ("And", "BitwiseAnd"), "or": ("Or", "BitwiseOr"), "xor": ("Xor", "BitwiseXor")}
REDUCTIONS = {
    "reduce_sum": "ReduceSum",
    "reduce_max": "ReduceMax",
    "reduce_min": "ReduceMin",
    "reduce_prod": "ReduceProd",
}
# a function of another jaxpr, whose equations stand in its place
CALLS = {
    "pjit", "jit", "closed_call", "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr", "remat", "remat2",
    "checkpoint", "core_call",
}  # fmt: skip


def rule(name: str) -> Callable[[Rule], Rule]:
    def kept(function: Rule) -> Rule:
        rules[name] = function
        return function

    return kept


def jaxpr(b: Builder, closed: Any, inputs: list[str]) -> list[str]:
    """The results of a jaxpr on these values."""
    inner = getattr(closed, "jaxpr", closed)
    values: dict[Any, str] = {}

    def read(atom: Any) -> str:
        return b.constant(np.asarray(atom.val, atom.aval.dtype)) if hasattr(atom, "val") else values[atom]

    for variable, constant in zip(inner.constvars, getattr(closed, "consts", [])):
        values[variable] = b.constant(np.asarray(constant))
    values.update(zip(inner.invars, inputs))
    for equation in inner.eqns:
        results = _equation(b, equation, [read(atom) for atom in equation.invars])
        values.update(zip(equation.outvars, results))
    return [read(atom) for atom in inner.outvars]


def _equation(b: Builder, e: Any, x: list[str]) -> list[str]:
    name = e.primitive.name
    if name in CALLS:
        inner = e.params.get("jaxpr") or e.params.get("call_jaxpr") or e.params.get("fun_jaxpr")
        return jaxpr(b, inner, x)
    for variable in e.outvars:
        b.type_of(variable.aval.dtype)
    if name in SAME:
        return [b.add(SAME[name], *x)]
    if name in LOGIC:
        return [b.add(LOGIC[name][e.outvars[0].aval.dtype != bool], *x)]
    if name in REDUCTIONS:
        axes = e.params["axes"]
        # to ONNX no axes are all of them
        return [b.add(REDUCTIONS[name], x[0], b.ints(*axes), keepdims=0) if axes else b.add("Identity", x[0])]
    if name not in rules:
        raise NotInOnnx(f"{name!r}")
    results = rules[name](b, e, x)
    return results if isinstance(results, list) else [results]


def _dtype(e: Any) -> np.dtype:
    return np.dtype(e.outvars[0].aval.dtype)


# ---- elementwise


@rule("not")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Not" if _dtype(e) == bool else "BitwiseNot", x[0])


@rule("ne")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Not", b.add("Equal", *x))


@rule("square")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Mul", x[0], x[0])


@rule("integer_pow")
def _(b: Builder, e: Any, x: list[str]) -> str:
    power = e.params["y"]
    if power == 2:
        return b.add("Mul", x[0], x[0])
    return b.add("Pow", x[0], b.like(power, _dtype(e)))


@rule("rsqrt")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Reciprocal", b.add("Sqrt", x[0]))


@rule("exp2")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Pow", b.like(2, _dtype(e)), x[0])


@rule("expm1")
def _(b: Builder, e: Any, x: list[str]) -> str:
    # exp(x) - 1 loses all digits near 0; 2 tanh(x/2) / (1 - tanh(x/2)) none, but is infinite over itself for large x
    half = b.add("Tanh", b.add("Mul", x[0], b.like(0.5, _dtype(e))))
    one = b.like(1, _dtype(e))
    near = b.add("Div", b.add("Mul", half, b.like(2, _dtype(e))), b.add("Sub", one, half))
    small = b.add("Less", b.add("Abs", x[0]), b.like(0.5, _dtype(e)))
    return b.add("Where", small, near, b.add("Sub", b.add("Exp", x[0]), one))


@rule("log1p")
def _(b: Builder, e: Any, x: list[str]) -> str:
    # u = 1 + x is rounded; x * log(u) / (u - 1) takes the rounding back (Kahan)
    one = b.like(1, _dtype(e))
    u = b.add("Add", x[0], one)
    rounded = b.add("Sub", u, one)
    log = b.add("Log", u)
    whole = b.add("Or", b.add("Equal", u, one), b.add("Equal", rounded, u))
    ratio = b.add(
        "Mul", log, b.add("Div", x[0], b.add("Where", b.add("Equal", rounded, b.like(0, _dtype(e))), one, rounded))
    )
    plain = b.add("Where", b.add("Equal", u, one), x[0], log)
    return b.add("Where", whole, plain, b.add("Where", b.add("IsInf", x[0]), log, ratio))


@rule("erfc")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Sub", b.like(1, _dtype(e)), b.add("Erf", x[0]))


@rule("cbrt")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Mul", b.add("Sign", x[0]), b.add("Pow", b.add("Abs", x[0]), b.like(1 / 3, _dtype(e))))


@rule("is_finite")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Not", b.add("Or", b.add("IsInf", x[0]), b.add("IsNaN", x[0])))


@rule("round")
def _(b: Builder, e: Any, x: list[str]) -> str:
    if int(e.params["rounding_method"]) == 1:
        return b.add("Round", x[0])  # half to even
    half = b.add("Floor", b.add("Add", b.add("Abs", x[0]), b.like(0.5, _dtype(e))))
    return b.add("Mul", b.add("Sign", x[0]), half)


@rule("rem")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Mod", *x, fmod=1)


@rule("clamp")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Min", b.add("Max", x[1], x[0]), x[2])


@rule("atan2")
def _(b: Builder, e: Any, x: list[str]) -> str:
    dtype = _dtype(e)
    y, at = x
    zero, pi = b.like(0, dtype), b.like(np.pi, dtype)
    side = b.add("Where", b.add("Less", y, zero), b.add("Neg", pi), pi)
    upright = b.add("Mul", b.add("Sign", y), b.like(np.pi / 2, dtype))
    none = b.add("Equal", at, zero)
    slope = b.add("Atan", b.add("Div", y, b.add("Where", none, b.like(1, dtype), at)))
    left = b.add("Add", slope, b.add("Where", b.add("Less", at, zero), side, zero))
    return b.add("Where", none, upright, left)


@rule("select_n")
def _(b: Builder, e: Any, x: list[str]) -> str:
    if e.invars[0].aval.dtype == bool:
        return b.where(x[0], x[2], x[1], _dtype(e))
    result = x[-1]
    for at in range(len(x) - 3, -1, -1):
        number = b.like(at, e.invars[0].aval.dtype)
        result = b.where(b.add("Equal", x[0], number), x[at + 1], result, _dtype(e))
    return result


@rule("convert_element_type")
def _(b: Builder, e: Any, x: list[str]) -> str:
    dtype, given = _dtype(e), e.invars[0].aval.dtype
    if dtype == given:
        return x[0]
    value = x[0]
    if given.kind == "f" and dtype.kind in "iu" and dtype.itemsize < 4:
        # XLA stops at the limits of the integer; ONNX says nothing of what lies beyond
        limits = np.iinfo(dtype)
        value = b.add("Min", b.add("Max", value, b.like(limits.min, given)), b.like(limits.max, given))
    return b.add("Cast", value, to=b.type_of(dtype))


def _shift(direction: str) -> Rule:
    def shifted(b: Builder, e: Any, x: list[str]) -> str:
        if _dtype(e).kind != "u":
            raise NotInOnnx("shifts of signed numbers")
        return b.add("BitShift", *x, direction=direction)

    return shifted


rules["shift_left"], rules["shift_right_logical"] = _shift("LEFT"), _shift("RIGHT")


# ---- shapes


@rule("reshape")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Reshape", x[0], b.shape(e.params["new_sizes"]), allowzero=1 if 0 in e.params["new_sizes"] else None)


@rule("squeeze")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Squeeze", x[0], b.ints(*e.params["dimensions"])) if e.params["dimensions"] else x[0]


@rule("expand_dims")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Unsqueeze", x[0], b.ints(*e.params["dimensions"]))


@rule("transpose")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Transpose", x[0], perm=list(e.params["permutation"]))


@rule("concatenate")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Concat", *x, axis=e.params["dimension"])


@rule("stack")
def _(b: Builder, e: Any, x: list[str]) -> str:
    axis = e.params.get("axis", e.params.get("dimension", 0))
    return b.add("Concat", *[b.add("Unsqueeze", each, b.ints(axis)) for each in x], axis=axis)


@rule("split")
def _(b: Builder, e: Any, x: list[str]) -> list[str]:
    sizes = e.params["sizes"]
    return b.many("Split", [x[0], b.shape(sizes)], len(sizes), axis=e.params["axis"])


@rule("unstack")
def _(b: Builder, e: Any, x: list[str]) -> list[str]:
    axis, count = e.params["axis"], len(e.outvars)
    rows = b.many("Split", [x[0], b.shape([1] * count)], count, axis=axis)
    return [b.add("Squeeze", row, b.ints(axis)) for row in rows]


@rule("tile")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("Tile", x[0], b.shape(e.params["reps"]))


@rule("broadcast_in_dim")
def _(b: Builder, e: Any, x: list[str]) -> str:
    shape, places = e.params["shape"], e.params["broadcast_dimensions"]
    if all(isinstance(size, int) for size in shape):
        if 0 in shape:  # of which ONNX does not say what comes of 1 and 0
            return b.constant(np.zeros(shape, _dtype(e)))
        if hasattr(e.invars[0], "val") and np.prod(shape) <= 1024:
            return b.constant(np.broadcast_to(np.asarray(e.invars[0].val, _dtype(e)), shape))
    added = [axis for axis in range(len(shape)) if axis not in places]
    value = b.add("Unsqueeze", x[0], b.ints(*added)) if added else x[0]
    given = e.invars[0].aval.shape
    same = all(size == shape[axis] for axis, size in zip(places, given)) and all(shape[axis] == 1 for axis in added)
    return value if same else b.add("Expand", value, b.shape(shape))


@rule("dim_as_value")
def _(b: Builder, e: Any, x: list[str]) -> str:
    size = b.add("Squeeze", b.size(e.params["dim"]), b.ints(0))
    return b.add("Cast", size, to=b.type_of(_dtype(e)))


@rule("slice")
def _(b: Builder, e: Any, x: list[str]) -> str:
    p = e.params
    axes = range(len(p["start_indices"]))
    strides = p["strides"] or [1] * len(axes)
    return b.add(
        "Slice", x[0], b.shape(p["start_indices"]), b.shape(p["limit_indices"]), b.ints(*axes), b.ints(*strides)
    )


@rule("rev")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return reversed_(b, x[0], e.params["dimensions"])


def reversed_(b: Builder, value: str, axes: Any) -> str:
    count = len(axes)
    ends = b.ints(*[np.iinfo(np.int64).min] * count)
    return b.add("Slice", value, b.ints(*[-1] * count), ends, b.ints(*axes), b.ints(*[-1] * count))


@rule("pad")
def _(b: Builder, e: Any, x: list[str]) -> str:
    lows, highs, between = zip(*e.params["padding_config"]) if e.params["padding_config"] else ((), (), ())
    if any(between):
        raise NotInOnnx("padding between elements")
    return b.add("Pad", x[0], b.shape([*lows, *highs]), x[1])


@rule("iota")
def _(b: Builder, e: Any, x: list[str]) -> str:
    shape, axis, dtype = e.params["shape"], e.params["dimension"], _dtype(e)
    if all(isinstance(size, int) for size in shape):
        steps = np.arange(shape[axis], dtype=dtype).reshape([-1 if at == axis else 1 for at in range(len(shape))])
        if np.prod(shape, dtype=np.int64) <= 1024:
            return b.constant(np.broadcast_to(steps, shape))
        return b.add("Expand", b.constant(steps), b.shape(shape))
    size = b.add("Squeeze", b.size(shape[axis]), b.ints(0))
    steps = b.add("Range", b.like(0, np.int64), size, b.like(1, np.int64))
    steps = b.add("Reshape", steps, b.ints(*[-1 if at == axis else 1 for at in range(len(shape))]))
    return b.add("Cast", b.add("Expand", steps, b.shape(shape)), to=b.type_of(dtype))


# ---- reductions and orders


def _any_or_all(kind: str) -> Rule:
    def reduced(b: Builder, e: Any, x: list[str]) -> str:
        number = b.add("Cast", x[0], to=b.type_of(np.int32))
        return b.add("Cast", b.add(kind, number, b.ints(*e.params["axes"]), keepdims=0), to=b.type_of(bool))

    return reduced


rules["reduce_or"], rules["reduce_and"] = _any_or_all("ReduceMax"), _any_or_all("ReduceMin")


def _arg(kind: str) -> Rule:
    def placed(b: Builder, e: Any, x: list[str]) -> str:
        (axis,) = e.params["axes"]
        value = b.add("Cast", x[0], to=b.type_of(np.int32)) if e.invars[0].aval.dtype == bool else x[0]
        return b.add("Cast", b.add(kind, value, axis=axis, keepdims=0), to=b.type_of(e.params["index_dtype"]))

    return placed


rules["argmax"], rules["argmin"] = _arg("ArgMax"), _arg("ArgMin")


@rule("cumsum")
def _(b: Builder, e: Any, x: list[str]) -> str:
    return b.add("CumSum", x[0], b.like(e.params["axis"], np.int64), reverse=int(e.params["reverse"]))


@rule("sort")
def _(b: Builder, e: Any, x: list[str]) -> list[str]:
    dtype = e.invars[0].aval.dtype
    if e.params["num_keys"] != 1:
        raise NotInOnnx("a sort by several keys")
    if dtype.name not in ("float32", "float64", "int32", "int64"):
        raise NotInOnnx(f"a sort of {dtype.name}")
    axis = e.params["dimension"]
    size = b.size(e.invars[0].aval.shape[axis])
    values, places = b.many("TopK", [x[0], size], 2, axis=axis, largest=0, sorted=1)
    return [values, *[b.add("GatherElements", other, places, axis=axis) for other in x[1:]]]


@rule("top_k")
def _(b: Builder, e: Any, x: list[str]) -> list[str]:
    axis = e.params.get("axis", -1)
    values, places = b.many("TopK", [x[0], b.size(e.params["k"])], 2, axis=axis, largest=1, sorted=1)
    return [values, b.add("Cast", places, to=b.type_of(e.outvars[1].aval.dtype))]


# ---- products


@rule("dot_general")
def _(b: Builder, e: Any, x: list[str]) -> str:
    (left_sum, right_sum), (left_batch, right_batch) = e.params["dimension_numbers"]
    left, right = e.invars[0].aval.ndim, e.invars[1].aval.ndim
    rows = list(range(len(left_batch)))
    if (
        len(left_sum) == 1
        and left == right == len(left_batch) + 2
        and list(left_batch) == list(right_batch) == rows
        and left_sum[0] == left - 1
        and right_sum[0] == right - 2
    ):
        return b.add("MatMul", *x)
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    ours = [next(letters) for _ in range(left)]
    theirs = [""] * right
    for mine, other in [*zip(left_sum, right_sum), *zip(left_batch, right_batch)]:
        theirs[other] = ours[mine]
    theirs = [letter or next(letters) for letter in theirs]
    result = [ours[axis] for axis in left_batch]
    result += [ours[axis] for axis in range(left) if axis not in left_batch and axis not in left_sum]
    result += [theirs[axis] for axis in range(right) if axis not in right_batch and axis not in right_sum]
    return b.add("Einsum", *x, equation=f"{''.join(ours)},{''.join(theirs)}->{''.join(result)}")


# ---- parts at places


def _front(b: Builder, value: str, rank: int, axes: list[int]) -> tuple[str, list[int]]:
    """A value with these axes in front, and the order of its axes."""
    order = [*axes, *(axis for axis in range(rank) if axis not in axes)]
    return (value if order == list(range(rank)) else b.add("Transpose", value, perm=order)), order


@rule("gather")
def _(b: Builder, e: Any, x: list[str]) -> str:
    d, sizes = e.params["dimension_numbers"], e.params["slice_sizes"]
    shape, places = e.invars[0].aval.shape, e.invars[1].aval
    batching = list(getattr(d, "operand_batching_dims", ()))
    index_batching = list(getattr(d, "start_indices_batching_dims", ()))
    axes = list(d.start_index_map)
    kept = [axis for axis in range(len(shape)) if axis not in axes and axis not in batching]
    if sorted(d.collapsed_slice_dims) != sorted(axes) or any(sizes[axis] != shape[axis] for axis in kept):
        raise NotInOnnx("slices at places that are known only when it runs")
    if index_batching != list(range(len(index_batching))):
        raise NotInOnnx("places whose batch axes are not in front")
    value, _ = _front(b, x[0], len(shape), [*batching, *axes])
    index = b.add("Cast", x[1], to=b.type_of(np.int64))
    result = b.add("GatherND", value, index, batch_dims=len(batching))
    # the result has the axes of the places first, then those that were kept
    batch, rank = places.ndim - 1, e.outvars[0].aval.ndim
    first = [axis for axis in range(rank) if axis not in d.offset_dims]
    order = [0] * rank
    for at, axis in enumerate([*first, *d.offset_dims]):
        order[axis] = at
    assert len(first) == batch
    return result if order == list(range(rank)) else b.add("Transpose", result, perm=order)


def _scatter(reduction: str | None) -> Rule:
    def scattered(b: Builder, e: Any, x: list[str]) -> str:
        d = e.params["dimension_numbers"]
        shape, updates = e.invars[0].aval.shape, e.invars[2].aval
        axes = list(d.scatter_dims_to_operand_dims)
        if getattr(d, "operand_batching_dims", ()) or sorted(d.inserted_window_dims) != sorted(axes):
            raise NotInOnnx("slices set at places that are known only when it runs")
        kept = [axis for axis in range(len(shape)) if axis not in axes]
        if any(updates.shape[at] != shape[axis] for at, axis in zip(d.update_window_dims, kept)):
            raise NotInOnnx("parts of slices set at places that are known only when it runs")
        value, order = _front(b, x[0], len(shape), axes)
        rows, _ = _front(
            b, x[2], updates.ndim, [axis for axis in range(updates.ndim) if axis not in d.update_window_dims]
        )
        index = b.add("Cast", x[1], to=b.type_of(np.int64))
        limits = b.constant(np.array([shape[axis] for axis in axes], np.int64))
        # what lies outside is dropped: it goes to a row that is cut off again
        inside = b.add("And", b.add("GreaterOrEqual", index, b.ints(0)), b.add("Less", index, limits))
        whole = b.add("ReduceMin", b.add("Cast", inside, to=b.type_of(np.int32)), b.ints(-1), keepdims=1)
        index = b.add("Where", b.add("Cast", whole, to=b.type_of(bool)), index, limits)
        wide = b.add(
            "Pad", value, b.ints(*[0] * len(shape), *[1] * len(axes), *[0] * len(kept)), b.like(0, updates.dtype)
        )
        result = b.add("ScatterND", wide, index, rows, reduction=reduction)
        count = len(axes)
        result = b.add("Slice", result, b.ints(*[0] * count), limits, b.ints(*range(count)), b.ints(*[1] * count))
        back = [order.index(axis) for axis in range(len(shape))]
        return result if back == list(range(len(shape))) else b.add("Transpose", result, perm=back)

    return scattered


rules["scatter"], rules["scatter-add"] = _scatter(None), _scatter("add")
rules["scatter-max"], rules["scatter-min"], rules["scatter-mul"] = _scatter("max"), _scatter("min"), _scatter("mul")


@rule("dynamic_slice")
def _(b: Builder, e: Any, x: list[str]) -> str:
    sizes, shape = e.params["slice_sizes"], e.invars[0].aval.shape
    starts = [b.add("Reshape", b.add("Cast", each, to=b.type_of(np.int64)), b.ints(1)) for each in x[1:]]
    start = b.add("Concat", *starts, axis=0)
    last = b.add("Sub", b.shape(shape), b.shape(sizes))
    start = b.add("Max", b.add("Min", start, last), b.ints(0))
    end = b.add("Add", start, b.shape(sizes))
    return b.add("Slice", x[0], start, end, b.ints(*range(len(sizes))))
