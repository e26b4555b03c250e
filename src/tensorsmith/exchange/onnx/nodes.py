"""Operations that have a form of their own in ONNX: a graph made of these reads like the program."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from tensorsmith.exchange.onnx.graph import Builder

Given = list[Any]  # the name of each argument; a list of names for a list argument, None for one not given


class Call(NamedTuple):
    """One node: names, shapes and dtypes of its arguments (in their groups), its settings, what it gives."""

    inputs: Given
    shapes: list[Any]
    dtype: Any
    settings: dict[str, Any]
    shape: Any
    result: Any


Rule = Callable[[Builder, Call], str | None]
rules: dict[str, Rule] = {}
_END = 2**63 - 1  # what ONNX takes for "to the end"

SAME = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "negative": "Neg", "exp": "Exp", "log": "Log", "sqrt": "Sqrt",
    "abs": "Abs", "tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "softplus": "Softplus", "softsign": "Softsign",
    "floor": "Floor", "ceil": "Ceil", "sin": "Sin", "cos": "Cos", "erf": "Erf", "reciprocal": "Reciprocal",
    "identity": "Identity", "stop_gradient": "Identity", "equal": "Equal", "greater": "Greater", "less": "Less",
    "greater_equal": "GreaterOrEqual", "less_equal": "LessOrEqual", "logical_and": "And", "logical_or": "Or",
    "logical_not": "Not", "logical_xor": "Xor", "where": "Where",
}  # fmt: skip
REDUCTIONS = {
    "reduce_sum": "ReduceSum", "reduce_mean": "ReduceMean", "reduce_max": "ReduceMax", "reduce_min": "ReduceMin",
    "reduce_prod": "ReduceProd",
}  # fmt: skip


def rule(name: str) -> Callable[[Rule], Rule]:
    def kept(function: Rule) -> Rule:
        rules[name] = function
        return function

    return kept


def own(b: Builder, name: str, call: Call) -> str | None:
    """The result by the operation's own rule; None where it has none, or none for these settings."""
    if name in SAME and not any(isinstance(each, list) or each is None for each in call.inputs):
        return b.add(SAME[name], *call.inputs) if name in PLAIN or call.dtype.kind == "f" else None
    if name in REDUCTIONS:
        return _reduced(b, REDUCTIONS[name], call)
    return rules[name](b, call) if name in rules else None


# for every dtype; what is not here has its own rule for floats alone
PLAIN = frozenset({"identity", "stop_gradient", "logical_and", "logical_or", "logical_not", "logical_xor", "where"})


def _reduced(b: Builder, kind: str, call: Call) -> str | None:
    if call.dtype.kind != "f":
        return None
    axis, keepdims = call.settings.get("axis"), int(bool(call.settings.get("keepdims", False)))
    if axis is None:
        return b.add(kind, call.inputs[0], keepdims=keepdims)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if not axes:
        return None
    return b.add(kind, call.inputs[0], b.ints(*axes), keepdims=keepdims)


@rule("divide")
def _(b: Builder, call: Call) -> str | None:
    return b.add("Div", *call.inputs) if call.dtype.kind == "f" else None


@rule("square")
def _(b: Builder, call: Call) -> str:
    return b.add("Mul", call.inputs[0], call.inputs[0])


@rule("rsqrt")
def _(b: Builder, call: Call) -> str:
    return b.add("Reciprocal", b.add("Sqrt", call.inputs[0]))


@rule("not_equal")
def _(b: Builder, call: Call) -> str | None:
    return b.add("Not", b.add("Equal", *call.inputs)) if call.dtype.kind == "f" else None


@rule("elu")
def _(b: Builder, call: Call) -> str:
    return b.add("Elu", call.inputs[0], alpha=float(call.settings.get("alpha", 1.0)))


@rule("selu")
def _(b: Builder, call: Call) -> str:
    return b.add("Selu", call.inputs[0])


@rule("leaky_relu")
def _(b: Builder, call: Call) -> str:
    return b.add("LeakyRelu", call.inputs[0], alpha=float(call.settings.get("alpha", 0.2)))


# The kernels of these compute in float64 on the way, for which runtimes have fewer operators.


@rule("erfc")
def _(b: Builder, call: Call) -> str:
    return b.add("Sub", b.like(1, call.dtype), b.add("Erf", call.inputs[0]))


@rule("gelu")
def _(b: Builder, call: Call) -> str:
    x = call.inputs[0]
    if call.settings.get("approximate", False):
        inner = b.add("Add", x, b.add("Mul", b.like(0.044715, call.dtype), b.add("Mul", x, b.add("Mul", x, x))))
        bent = b.add("Tanh", b.add("Mul", b.like(math.sqrt(2 / math.pi), call.dtype), inner))
    else:
        bent = b.add("Erf", b.add("Mul", b.like(math.sqrt(0.5), call.dtype), x))
    return b.add("Mul", b.add("Mul", b.like(0.5, call.dtype), x), b.add("Add", b.like(1, call.dtype), bent))


@rule("silu")
def _(b: Builder, call: Call) -> str:
    x, beta = call.inputs[0], float(call.settings.get("beta", 1.0))
    scaled = x if beta == 1.0 else b.add("Mul", b.like(beta, call.dtype), x)
    return b.add("Mul", x, b.add("Sigmoid", scaled))


@rule("mish")
def _(b: Builder, call: Call) -> str:
    return b.add("Mul", call.inputs[0], b.add("Tanh", b.add("Softplus", call.inputs[0])))


def _along(kind: str) -> Rule:
    def made(b: Builder, call: Call) -> str | None:
        axis = call.settings.get("axis", -1)
        return b.add(kind, call.inputs[0], axis=axis) if type(axis) is int else None

    return made


rules["softmax"], rules["log_softmax"] = _along("Softmax"), _along("LogSoftmax")


@rule("matmul")
def _(b: Builder, call: Call) -> str | None:
    if call.dtype.kind != "f":
        return None
    sides = []
    for name, shape, letter in zip(call.inputs, call.shapes, "ab"):
        if call.settings.get(f"transpose_{letter}") or call.settings.get(f"adjoint_{letter}"):
            order = list(range(len(shape)))
            order[-2:] = order[-1], order[-2]
            name = b.add("Transpose", name, perm=order)
        sides.append(name)
    return b.add("MatMul", *sides)


@rule("cast")
def _(b: Builder, call: Call) -> str | None:
    # a float of no whole number's range, and a complex number, go the long way
    if call.dtype.kind not in "fiub" or call.result.kind not in "f":
        return None
    return b.add("Cast", call.inputs[0], to=b.type_of(call.result))


@rule("reshape")
def _(b: Builder, call: Call) -> str:
    return b.add("Reshape", call.inputs[0], b.shape(call.shape), allowzero=1 if 0 in call.shape else None)


@rule("transpose")
def _(b: Builder, call: Call) -> str | None:
    order = call.settings.get("perm")
    if order is not None and not isinstance(order, (tuple, list)):
        return None
    return b.add("Transpose", call.inputs[0], perm=None if order is None else list(order))


@rule("concat")
def _(b: Builder, call: Call) -> str | None:
    (parts,) = call.inputs
    axis = call.settings.get("axis", 0)
    return b.add("Concat", *parts, axis=axis) if type(axis) is int else None


@rule("expand_dims")
def _(b: Builder, call: Call) -> str | None:
    axis = call.settings.get("axis")
    return b.add("Unsqueeze", call.inputs[0], b.ints(axis)) if type(axis) is int else None


@rule("getitem")
def _(b: Builder, call: Call) -> str | None:
    """Whole numbers, slices, new axes and `...`; places that are tensors go the long way."""
    key, rank = list(call.settings.get("key", ())), len(call.shapes[0])
    bounds = [bound for item in key if isinstance(item, tuple) for bound in item[1:]]
    if not all(item is None or item is Ellipsis or type(item) in (int, tuple) for item in key):
        return None
    if not all(bound is None or type(bound) is int for bound in bounds):
        return None
    taken = sum(item is not None and item is not Ellipsis for item in key)
    whole: list[Any] = [("slice", None, None, None)] * (rank - taken)
    at = key.index(Ellipsis) if Ellipsis in key else len(key)
    key[at : at + 1] = whole
    starts, ends, axes, steps, gone, new = [], [], [], [], [], []
    axis = 0
    for place, item in enumerate(key):
        if item is None:
            new.append(place - len(gone))
            continue
        if type(item) is int:
            start, end, step = item, (item + 1) or _END, 1
            gone.append(axis)
        else:
            start, end, step = item[1:]
            step = 1 if step is None else step
            start = (0 if step > 0 else _END) if start is None else start
            end = (_END if step > 0 else -_END) if end is None else end
        if (start, end, step) != (0, _END, 1):
            for row, value in zip((starts, ends, axes, steps), (start, end, axis, step)):
                row.append(value)
        axis += 1
    value = call.inputs[0]
    if axes:
        value = b.add("Slice", value, b.ints(*starts), b.ints(*ends), b.ints(*axes), b.ints(*steps))
    if gone:
        value = b.add("Squeeze", value, b.ints(*gone))
    if new:
        value = b.add("Unsqueeze", value, b.ints(*new))
    return value if value != call.inputs[0] else b.add("Identity", value)
