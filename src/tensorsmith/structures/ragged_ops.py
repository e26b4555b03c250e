"""What operations do to ragged tensors: elementwise, or by the rule of each."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import ports
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Op
from tensorsmith.structures.between import from_tensor
from tensorsmith.structures.lifting import is_elementwise, quietly, refuse
from tensorsmith.structures.ragged import RaggedTensor, first_part, is_ragged
from tensorsmith.structures.ragged_gathering import gather, gather_nd, places_where
from tensorsmith.structures.ragged_index import gather_rows
from tensorsmith.structures.ragged_joining import JOINING
from tensorsmith.structures.ragged_products import matmul
from tensorsmith.structures.ragged_reductions import REDUCING
from tensorsmith.structures.ragged_shape import broadcast, shape_of
from tensorsmith.structures.ragged_shaping import SHAPING, equal_splits, same_rows
from tensorsmith.structures.row_partition import row_ids
from tensorsmith.tensor.apply import apply, functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# ---- elementwise


def elementwise(call: Callable[..., Any], arguments: list[Any]) -> Any:
    """`call` on flat values that stand at the same places: dense arguments are spread over the rows. None where it gives that.

    Raises InvalidArgumentError where two ragged tensors differ in their rows.
    """
    pattern = max((a for a in arguments if is_ragged(a)), key=lambda r: (r.ragged_rank, not _all_ones(r)))
    aligned = [_aligned(a, pattern) for a in arguments]
    found = elementwise(call, aligned) if is_ragged(pattern.values) else call(*aligned)
    return found if found is None else pattern.with_values(found)


def _aligned(argument: Any, pattern: RaggedTensor) -> Any:
    """What stands beside `pattern.values` for an argument."""
    if is_ragged(argument):
        spread = _all_ones(argument) and not _all_ones(pattern) and argument.shape[0] == pattern.shape[0]
        if not spread and (argument is pattern or same_rows(argument, pattern)):
            return argument.values
        if spread:
            return gather_rows(argument.values, quietly(row_ids, pattern.row_splits, first_part(pattern.values)))
        raise InvalidArgumentError(
            explain(
                "ragged tensors",
                "their rows differ in length",
                {"row_splits": [r.row_splits.tolist() for r in (pattern, argument)]},
                "elementwise operations want the same rows, or rows that all have one element by their making",
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
    if len(shape) > rank or None not in (shape[0], rows) and shape[0] not in (1, rows):
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
    if not same_rows(other, pattern):
        raise InvalidArgumentError(
            explain(
                "ragged tensors",
                "the rows of the dense argument differ in length from the ragged ones",
                {"row_splits": pattern.row_splits.tolist(), "dense": tuple(dense.shape)},
            )
        )
    return other.values


def _all_ones(r: RaggedTensor) -> bool:
    # by what it was made as and not by what its rows happen to be: a traced function sees no more
    return isinstance(r._uniform, int) and r._uniform == 1


def _of_elements(function: Callable[..., Any], arguments: tuple, settings: dict) -> Any:
    """A function of elements that meets a ragged tensor."""
    return elementwise(lambda *flat: function(*flat, **settings), list(arguments))


# ---- the rule


def _added(op: Op, arguments: tuple, settings: dict) -> Any:
    return functools.reduce(operator.add, arguments[0])


def _one_hot(op: Op, arguments: tuple, settings: dict) -> Any:
    ragged, *ends = arguments
    axis = settings["axis"]
    if axis >= 0:
        if axis <= ragged.ragged_rank:
            raise ValueError(
                explain("one_hot", "the new axis must be behind the ragged ones",
                        {"axis": axis, "indices": describe(ragged)})
            )  # fmt: skip
        axis -= ragged.ragged_rank
    return ragged.with_flat_values(apply(op, [ragged.flat_values, *ends], {**settings, "axis": axis}))


_RULES = {
    **SHAPING,
    **REDUCING,
    **JOINING,
    "add_n": _added,
    "broadcast_to": broadcast,
    "gather": gather,
    "gather_nd": gather_nd,
    "matmul": matmul,
    "nonzero_rows": places_where,
    "one_hot": _one_hot,
    "shape": shape_of,
}


def _lift(op: Op, arguments: tuple, settings: dict) -> Any:
    """An operation that meets a ragged tensor."""
    if op.name in _RULES:
        return _RULES[op.name](op, arguments, settings)
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
        pairs = zip(ragged[0].nested_row_splits, other.nested_row_splits)
        same = ragged[0].ragged_rank == other.ragged_rank
        if not same or not all(equal_splits(x, y, "ragged.map_flat_values") for x, y in pairs):
            raise InvalidArgumentError(explain("ragged.map_flat_values", "the rows of the arguments differ"))

    def flat(value: Any) -> Any:
        return value.flat_values if is_ragged(value) else value

    result = convert(function(*map(flat, args), **{key: flat(value) for key, value in kwargs.items()}))
    if not result.shape[:1].is_compatible_with(ragged[0].flat_values.shape[:1]):
        raise ValueError(
            explain(
                "ragged.map_flat_values",
                "the function changed the number of values",
                {"given": ragged[0].flat_values.shape[0], "returned": describe(result)},
            )
        )
    return ragged[0].with_flat_values(result)


def _comparison(call: Callable[[Any, Any], Any], otherwise: bool) -> Callable[[Any, Any], Any]:
    def compared(self: RaggedTensor, other: Any) -> Any:
        try:
            return elementwise(call, [self, other])
        except (TypeError, ValueError):
            # what cannot be compared element by element is not equal: as everywhere in Python
            return otherwise

    return compared


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
    for name, otherwise in [("eq", False), ("ne", True)]:
        setattr(RaggedTensor, f"__{name}__", _comparison(functions[f"{'not_' * otherwise}equal"], otherwise))
    for name in ["lt", "le", "gt", "ge"]:
        setattr(RaggedTensor, f"__{name}__", _binary(getattr(operator, name)))
    for name in ["neg", "invert", "abs"]:
        setattr(RaggedTensor, f"__{name}__", _unary(getattr(operator, name)))


_install()
ports.lifters[RaggedTensor] = _lift
ports.by_element[RaggedTensor] = _of_elements
