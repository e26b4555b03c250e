"""What operations do to ragged tensors: elementwise, reductions, concat, stack, gather."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import ports
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Array, Op, registry
from tensorsmith.structures.between import from_tensor
from tensorsmith.structures.lifting import is_elementwise, quietly, refuse
from tensorsmith.structures.ragged import RaggedTensor, first_part, is_ragged
from tensorsmith.structures.ragged_gathering import gather, gather_nd, places_where
from tensorsmith.structures.ragged_index import gather_rows
from tensorsmith.structures.ragged_shaping import SHAPING, axis_numbers
from tensorsmith.structures.row_partition import column_ids, column_range, row_ids, row_order, splits_from_lengths
from tensorsmith.tensor.apply import apply, functions, op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

# ---- elementwise


def elementwise(call: Callable[..., Any], arguments: list[Any]) -> RaggedTensor:
    """`call` on flat values that stand at the same places: dense arguments are spread over the rows.

    Raises InvalidArgumentError where two ragged tensors differ in their rows.
    """
    pattern = max((a for a in arguments if is_ragged(a)), key=lambda r: (r.ragged_rank, not _all_ones(r)))
    aligned = [_aligned(a, pattern) for a in arguments]
    return pattern.with_values(elementwise(call, aligned) if is_ragged(pattern.values) else call(*aligned))


def _aligned(argument: Any, pattern: RaggedTensor) -> Any:
    """What stands beside `pattern.values` for an argument."""
    if is_ragged(argument):
        if argument is pattern or _same_rows(argument, pattern):
            return argument.values
        if _all_ones(argument) and argument.shape[0] == pattern.shape[0]:
            return gather_rows(argument.values, quietly(row_ids, pattern.row_splits, first_part(pattern.values)))
        raise InvalidArgumentError(
            explain(
                "ragged tensors",
                "their rows differ in length",
                {"row_splits": [r.row_splits.tolist() for r in (pattern, argument)]},
                "elementwise operations want the same rows, or rows of one element",
            )
        )
    if not isinstance(argument, (Tensor, list, tuple, np.ndarray)) and not hasattr(argument, "_read"):
        return argument
    dense = argument if isinstance(argument, Tensor) else convert(argument, None, pattern.dtype.numpy_dtype)
    rank, rows = len(pattern.shape), pattern.shape[0]
    if len(dense.shape) < rank - 1:
        return dense  # it lies along the axes behind the rows' own
    if len(dense.shape) == rank - 1:
        dense = dense[None]
    shape = tuple(dense.shape)
    if len(shape) > rank or shape[0] not in (1, rows):
        raise InvalidArgumentError(
            explain(
                "ragged tensors", "the dense argument does not fit the rows", {"ragged": pattern.shape, "dense": shape}
            )
        )
    if shape[1] == 1:
        if shape[0] == 1:
            return dense[0, 0]
        return gather_rows(dense[:, 0], quietly(row_ids, pattern.row_splits, first_part(pattern.values)))
    if shape[0] == 1:
        dense = functions["broadcast_to"](dense, shape=(rows, *shape[1:]))
    return _same_widths(dense, pattern)


def _same_widths(dense: Tensor, pattern: RaggedTensor) -> Any:
    other = from_tensor(dense)
    if not _same_rows(other, pattern):
        raise InvalidArgumentError(
            explain(
                "ragged tensors",
                "the rows of the dense argument differ in length from the ragged ones",
                {"row_splits": pattern.row_splits.tolist(), "dense": tuple(dense.shape)},
            )
        )
    return other.values


def _same_rows(a: RaggedTensor, b: RaggedTensor) -> bool:
    x, y = a.row_splits, b.row_splits
    if x is y:
        return True
    if isinstance(x, Symbol) or isinstance(y, Symbol):
        # not known before the program runs, when the operation on the flat values checks their number
        return True
    return np.array_equal(x._array, y._array)


def _all_ones(r: RaggedTensor) -> bool:
    splits = r.row_splits
    return not isinstance(splits, Symbol) and bool((np.diff(splits._array) == 1).all())


# ---- reductions


def _reduced(specs: Any, settings: Any) -> Any:
    (_, *inner), dtype = specs[0]
    return [((specs[2][0][0], *inner), dtype)]


@op(same=False, shapes=_reduced)
def group_reduce(xp, values: Array, groups: Array, like: Array, kind="sum"):
    """Reduces values [n, ...] into as many groups as `like` has rows; value i belongs to group groups[i].

    kind  "sum", "prod", "max" or "min"; an empty group has the sum 0, the product 1, and the lowest
          (highest) value of the dtype as its maximum (minimum).
    """
    shape = (like.shape[0], *values.shape[1:])
    start = np.full(shape, _empty(kind, values.dtype), values.dtype)
    if xp is np:
        {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}[kind].at(start, groups, values)
        return start
    if kind == "prod":
        # JAX has no gradient for products scattered to places that are not unique
        own = groups == xp.arange(like.shape[0])[:, None]
        own = own.reshape(*own.shape, *[1] * (values.ndim - 1))
        return xp.prod(xp.where(own, values, 1), axis=1, dtype=values.dtype)
    place = xp.asarray(start).at[groups]
    return {"sum": place.add, "max": place.max, "min": place.min}[kind](values)


def _empty(kind: str, dtype: np.dtype) -> Any:
    if kind in ("sum", "prod"):
        return int(kind == "prod")
    if dtype.kind in "iu":
        return np.iinfo(dtype).min if kind == "max" else np.iinfo(dtype).max
    if dtype.kind == "b":
        return kind == "min"
    return -np.inf if kind == "max" else np.inf


_REDUCTIONS = {
    "reduce_sum": "sum",
    "reduce_prod": "prod",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_mean": "mean",
    "reduce_any": "max",
    "reduce_all": "min",
}


def _reduce(op: Op, ragged: RaggedTensor, settings: dict) -> Any:
    axis, keepdims = settings.get("axis"), bool(settings.get("keepdims"))
    kind = _REDUCTIONS[op.name]
    rank = len(ragged.shape)
    if axis is None:
        total = apply(op, [ragged.flat_values], {**settings, "axis": None, "keepdims": False})
        return functions["reshape"](total, (1,) * rank) if keepdims else total
    axes = sorted(set(axis_numbers(axis, rank, op.name)), reverse=True)
    if kind == "mean":
        total = _over_axes(registry["reduce_sum"], ragged, axes, keepdims, settings)
        ones = ragged.with_flat_values(functions["ones_like"](ragged.flat_values))
        return operator.truediv(total, _over_axes(registry["reduce_sum"], ones, axes, keepdims, settings))
    return _over_axes(op, ragged, axes, keepdims, settings)


def _over_axes(op: Op, ragged: Any, axes: list[int], keepdims: bool, settings: dict) -> Any:
    for axis in axes:
        if is_ragged(ragged):
            ragged = _over_axis(op, ragged, axis, keepdims, settings)
        else:
            ragged = apply(op, [ragged], {**settings, "axis": axis, "keepdims": keepdims})
    return ragged


def _over_axis(op: Op, ragged: RaggedTensor, axis: int, keepdims: bool, settings: dict) -> Any:
    values = ragged.values
    if axis > 1:
        if is_ragged(values):
            inner = _over_axis(op, values, axis - 1, keepdims, settings)
        else:
            inner = apply(op, [values], {**settings, "axis": axis - 1, "keepdims": keepdims})
        return ragged.with_values(inner)
    head = first_part(values)
    if axis == 1:
        groups, like = quietly(row_ids, ragged.row_splits, head), ragged.row_lengths()
    else:
        groups, like = quietly(column_ids, ragged.row_splits, head), quietly(column_range, ragged.row_splits)
    result = _grouped(values, groups, like, _REDUCTIONS[op.name])
    return functions["expand_dims"](result, axis) if keepdims else result


def _grouped(values: Any, groups: Tensor, like: Tensor, kind: str) -> Any:
    """The rows of dense or ragged values reduced in groups; ragged ones element by element, as far as the longest goes."""
    if not is_ragged(values):
        return group_reduce(values, groups, like, kind=kind)
    gather = functions["gather"]

    def splits_of(lengths: Tensor, groups: Tensor, like: Tensor) -> Tensor:
        longest = group_reduce(lengths, groups, like, kind="max")
        return splits_from_lengths(functions["maximum"](longest, functions["zeros_like"](longest)))

    def places(splits: Tensor, groups: Tensor, own: Tensor, head: Tensor) -> Tensor:
        return gather(splits, gather(groups, row_ids(own, head))) + column_ids(own, head)

    splits = quietly(splits_of, values.row_lengths(), groups, like)
    inner = quietly(places, splits, groups, values.row_splits, first_part(values.values))
    return RaggedTensor(
        _grouped(values.values, inner, quietly(lambda s: functions["range"](s[-1]), splits), kind), splits
    )


# ---- joining


def _as_ragged(part: Any) -> RaggedTensor:
    return part if is_ragged(part) else from_tensor(convert(part))


def _both_rows(specs: Any, settings: Any) -> Any:
    sizes = [shape[0] for shape, _ in specs]
    return [((None if None in sizes else sum(sizes) - 1,), specs[0][1])]


@op(differentiable=False, kinds="iu", shapes=_both_rows)
def join_splits(xp, splits: Array, more: Array):
    """The row splits of two ragged tensors one below the other."""
    return xp.concatenate([splits, more[1:] + splits[-1:]])


def concat(parts: list[Any], axis: int) -> Any:
    """Ragged tensors one after another along an axis: rows below rows (0), or row beside row (1)."""
    ragged = [_as_ragged(part) for part in parts]
    rank = len(ragged[0].shape)
    if not -rank <= axis < rank:
        raise InvalidArgumentError(explain("concat", "there is no such axis", {"axis": axis, "rank": rank}))
    axis %= rank
    result = ragged[0]
    for part in ragged[1:]:
        result = _below(result, part) if axis == 0 else _beside(result, part, axis)
    return result


def _join(a: Any, b: Any) -> Any:
    return concat([a, b], 0) if is_ragged(a) or is_ragged(b) else functions["concat"]([a, b], axis=0)


def _below(a: RaggedTensor, b: RaggedTensor) -> RaggedTensor:
    return RaggedTensor(_join(a.values, b.values), quietly(join_splits, a.row_splits, b.row_splits))


def _beside(a: RaggedTensor, b: RaggedTensor, axis: int) -> RaggedTensor:
    if None not in (a.shape[0], b.shape[0]) and a.shape[0] != b.shape[0]:
        raise InvalidArgumentError(
            explain("concat", "the numbers of rows differ", {"rows": [a.shape[0], b.shape[0]], "axis": axis})
        )
    if axis > 1:
        inner = (
            concat([a.values, b.values], axis - 1)
            if is_ragged(a.values) or is_ragged(b.values)
            else functions["concat"]([a.values, b.values], axis=axis - 1)
        )
        return a.with_values(inner)
    # the values of both in one list, put in the order of their rows; a stable sort keeps a's before b's
    ids = quietly(
        _joined,
        quietly(row_ids, a.row_splits, first_part(a.values)),
        quietly(row_ids, b.row_splits, first_part(b.values)),
    )
    order = quietly(row_order, ids)
    splits = quietly(operator.add, a.row_splits, b.row_splits)
    return RaggedTensor(gather_rows(_join(a.values, b.values), order), splits)


def _joined(a: Tensor, b: Tensor) -> Tensor:
    return functions["concat"]([a, b], axis=0)


def stack(parts: list[Any], axis: int = 0) -> RaggedTensor:
    """Ragged tensors as the rows (axis 0), or as the elements of the rows (axis 1), of one with an axis more.

    Vectors of any lengths become the rows of a ragged matrix.
    """
    if axis == 0 and not any(is_ragged(part) for part in parts):
        vectors = [convert(part) for part in parts]
        if all(len(vector.shape) == 1 for vector in vectors):
            return RaggedTensor.of_rows(vectors)
    ragged = [_as_ragged(part) for part in parts]
    rank = len(ragged[0].shape)
    (axis,) = axis_numbers(axis, rank + 1, "stack")
    if axis > 1:
        head = ragged[0]
        if not all(_same_rows(head, part) for part in ragged[1:]):
            raise InvalidArgumentError(
                explain("stack", "the rows differ in length", {"axis": axis, "shapes": [part.shape for part in ragged]})
            )
        inner: list[Any] = [part.values for part in ragged]
        deeper = any(map(is_ragged, inner))
        return head.with_values(stack(inner, axis - 1) if deeper else functions["stack"](inner, axis=axis - 1))
    whole = concat(ragged, 0) if len(ragged) > 1 else ragged[0]
    if axis == 0:
        counts = functions["stack"]([part.nrows() for part in ragged])
        return RaggedTensor.from_row_lengths(whole, counts, validate=False)
    counts = [part.shape[0] for part in ragged if part.shape[0] is not None]
    if len(set(counts)) > 1:
        raise InvalidArgumentError(explain("stack", "the numbers of rows differ", {"rows": counts, "axis": axis}))
    size = ragged[0].nrows()
    rows = quietly(_interleaved, size, count=len(ragged))
    splits = quietly(lambda n: functions["range"](n + 1) * len(ragged), size)
    return RaggedTensor(gather_rows(whole, rows), splits, len(ragged))


def _interleaved(size: Tensor, count: int) -> Tensor:
    """The places of row 0 of each of `count` parts of this size, then those of row 1."""
    parts = [functions["range"](size) + size * at for at in range(count)]
    return functions["reshape"](functions["stack"](parts, axis=1), (-1,))


# ---- over the rows of the last axis


def _spread(op: Op, ragged: RaggedTensor, settings: dict) -> Any:
    """mean(x**2) - mean(x)**2, or its root: of values moved by the mean of all, so that little is lost."""
    middle = functions["stop_gradient"](functions["reduce_mean"](ragged.flat_values))
    moved = ragged.with_flat_values(ragged.flat_values - middle)
    mean = functions["reduce_mean"]
    variance = mean(functions["square"](moved), **settings) - functions["square"](mean(moved, **settings))
    # what rounding makes of 0
    variance = functions["maximum"](variance, functions["cast"](0, ragged.dtype))
    return functions["sqrt"](variance) if op.name == "reduce_std" else variance


def _softmax(op: Op, ragged: Any, axis: int) -> Any:
    (axis,) = axis_numbers(axis, len(ragged.shape), "softmax")
    if not is_ragged(ragged) or axis > 1:
        inner = _softmax(op, ragged.values, axis - 1) if is_ragged(ragged) else None
        return ragged.with_values(inner) if is_ragged(ragged) else apply(op, [ragged], {"axis": axis})
    if axis == 0 or is_ragged(ragged.values):
        raise refuse(op, f"RaggedTensor along axis {axis}", "Use the last axis, or r.to_tensor() first.")
    groups, lengths = quietly(row_ids, ragged.row_splits, ragged.values), ragged.row_lengths()
    gather = functions["gather"]
    # the greatest of a row is a constant of it: no gradient passes
    top = quietly(lambda v, g, n: gather(group_reduce(v, g, n, kind="max"), g), ragged.values, groups, lengths)
    powers = functions["exp"](ragged.values - functions["stop_gradient"](top))
    total = group_reduce(powers, groups, lengths)
    return ragged.with_values(powers / gather(total, groups))


_PICKING = {"gather": gather, "gather_nd": gather_nd, "nonzero_rows": places_where}

# ---- the rule


def _lift(op: Op, arguments: tuple, settings: dict) -> Any:
    """An operation that meets a ragged tensor."""
    first = arguments[0]
    if op.name in _REDUCTIONS:
        return _reduce(op, first, settings)
    if op.name == "concat":
        return concat(list(first), int(settings["axis"]))
    if op.name == "stack":
        return stack(list(first), int(settings.get("axis") or 0))
    if op.name in _PICKING:
        return _PICKING[op.name](op, arguments, settings)
    if op.name == "add_n":
        return functools.reduce(operator.add, first)
    if op.name in ("reduce_variance", "reduce_std"):
        return _spread(op, first, settings)
    if op.name == "softmax":
        return _softmax(op, first, int(settings["axis"]))
    if op.name == "one_hot":
        return first.with_flat_values(apply(op, [first.flat_values, *arguments[1:]], settings))
    if op.name in SHAPING:
        return SHAPING[op.name](op, arguments, settings)
    if is_elementwise(op):
        return elementwise(lambda *flat: apply(op, list(flat), settings), list(arguments))
    raise refuse(op, "RaggedTensor", "Use r.to_tensor() first, or tf.ragged.map_flat_values.")


def map_flat_values(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`function` of the flat values of every ragged argument, under the rows of the first.

    Raises InvalidArgumentError where they differ in their rows, ValueError when the number of values changes.

    >>> from tensorsmith.structures.between import constant
    >>> map_flat_values(lambda x: x + 1, constant([[1], [2, 3]]))
    <tf.RaggedTensor [[2], [3, 4]]>
    """
    given = [*args, *kwargs.values()]
    ragged = [a for a in given if is_ragged(a)]
    if not ragged:
        return function(*args, **kwargs)
    for other in ragged[1:]:
        if not all(
            np.array_equal(x._array, y._array) for x, y in zip(ragged[0].nested_row_splits, other.nested_row_splits)
        ):
            raise InvalidArgumentError(explain("ragged.map_flat_values", "the rows of the arguments differ"))

    def flat(value: Any) -> Any:
        return value.flat_values if is_ragged(value) else value

    result = convert(function(*map(flat, args), **{key: flat(value) for key, value in kwargs.items()}))
    if result.shape[:1] != ragged[0].flat_values.shape[:1]:
        raise ValueError(
            explain(
                "ragged.map_flat_values",
                "the function changed the number of values",
                {"given": ragged[0].flat_values.shape[0], "returned": describe(result)},
            )
        )
    return ragged[0].with_flat_values(result)


def _binary(call: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def forward(self: RaggedTensor, other: Any) -> Any:
        return elementwise(call, [self, other])

    return forward


def _reflected(call: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def backward(self: RaggedTensor, other: Any) -> Any:
        return elementwise(lambda x, y: call(y, x), [self, other])

    return backward


def _unary(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def forward(self: RaggedTensor) -> Any:
        return self.with_flat_values(call(self.flat_values))

    return forward


def _install() -> None:
    for name in ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor"]:
        plain = name.rstrip("_")
        setattr(RaggedTensor, f"__{plain}__", _binary(getattr(operator, name)))
        setattr(RaggedTensor, f"__r{plain}__", _reflected(getattr(operator, name)))
    for name in ["eq", "ne", "lt", "le", "gt", "ge"]:
        setattr(RaggedTensor, f"__{name}__", _binary(getattr(operator, name)))
    for name in ["neg", "invert", "abs"]:
        setattr(RaggedTensor, f"__{name}__", _unary(getattr(operator, name)))


_install()
ports.lifters[RaggedTensor] = _lift
