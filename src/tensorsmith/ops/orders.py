"""What an order tells: whether numbers rise, a permutation turned around, the greatest few along an axis."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.elementwise import negative
from tensorsmith.ops.guards import guard
from tensorsmith.ops.shaping import transpose
from tensorsmith.ops.sorting import sort, top_k
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import functions, op, plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _one_truth(specs: Specs, settings: dict) -> Specs:
    return [((), np.dtype(bool))]


@op(kinds="fiu", differentiable=False, shapes=_one_truth)
def is_non_decreasing(xp, x: Array):
    """True when no element of x, read row by row, is below the one before it. Empty ones are.

    >>> import tensorsmith as tf
    >>> tf.math.is_non_decreasing([1.0, 1.0, 2.0]).numpy().item()
    True
    """
    flat = x.reshape(-1)
    return xp.all(flat[1:] >= flat[:-1])


@op(kinds="fiu", differentiable=False, shapes=_one_truth)
def is_strictly_increasing(xp, x: Array):
    """True when every element of x, read row by row, is above the one before it. Empty ones are.

    >>> import tensorsmith as tf
    >>> tf.math.is_strictly_increasing([1.0, 1.0, 2.0]).numpy().item()
    False
    """
    flat = x.reshape(-1)
    return xp.all(flat[1:] > flat[:-1])


def _places(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    if len(shape) != 1:
        raise ValueError(f"a permutation has one axis, not the shape {shape}")
    return [(shape, dtype)]


@op(kinds="iu", differentiable=False, shapes=_places)
def invert_permutation(xp, x: Array):
    """y with y[x[i]] = i, for a permutation x of 0 to n - 1.

    Raises InvalidArgumentError where x is no permutation.

    >>> import tensorsmith as tf
    >>> tf.math.invert_permutation([2, 0, 1]).numpy()
    array([1, 2, 0], dtype=int32)
    """
    if xp is np:
        if x.ndim != 1 or not np.array_equal(np.sort(x), np.arange(x.size)):
            raise InvalidArgumentError(
                explain(
                    "invert_permutation",
                    "this is no permutation",
                    {"x": x.tolist()},
                    f"each number from 0 to {x.size - 1} must stand there once" if x.ndim == 1 else "one axis",
                )
            )
        found = np.empty_like(x)
        found[x] = np.arange(x.size, dtype=x.dtype)
        return found
    # a sort and not a scatter, which XLA's CPU compiler runs one by one
    return xp.argsort(x).astype(x.dtype)


def _is_permutation(arguments: list[Any], settings: dict, result: Any) -> Any:
    (x,) = arguments
    numbers = functions["range"](functions["size"](x))
    return functions["reduce_all"](functions["equal"](sort(x), functions["cast"](numbers, x.dtype)))


guard(
    invert_permutation.op,
    "this is no permutation",
    "each number from 0 to n - 1 stands there once",
    _is_permutation,
    ("x",),
)


class ApproxTopK(NamedTuple):
    """The greatest or smallest elements along an axis, and their places."""

    values: Any
    indices: Any


def approx_max_k(
    operand: Any, k: Any, reduction_dimension: int = -1, recall_target: float = 0.95,
    reduction_input_size_override: int = -1, aggregate_to_topk: bool = True, name: str | None = None,
) -> ApproxTopK:  # fmt: skip
    """The k greatest elements along an axis, greatest first, and their places (int32).

    They are exact here: `recall_target` and `reduction_input_size_override` steer an approximation that only some
    accelerators have. Raises InvalidArgumentError when there are fewer than k.

    >>> import tensorsmith as tf
    >>> tf.math.approx_max_k([1.0, 5.0, 3.0], 2).values.numpy()
    array([5., 3.], dtype=float32)
    """
    return ApproxTopK(*_along(convert(operand), plain(k, "k"), reduction_dimension))


def approx_min_k(
    operand: Any, k: Any, reduction_dimension: int = -1, recall_target: float = 0.95,
    reduction_input_size_override: int = -1, aggregate_to_topk: bool = True, name: str | None = None,
) -> ApproxTopK:  # fmt: skip
    """The k smallest elements along an axis, smallest first, and their places (int32); see `approx_max_k`.

    >>> import tensorsmith as tf
    >>> tf.math.approx_min_k([1.0, 5.0, 3.0], 2).values.numpy()
    array([1., 3.], dtype=float32)
    """
    values, places = _along(negative(convert(operand)), plain(k, "k"), reduction_dimension)
    return ApproxTopK(negative(values), places)


def approx_top_k(
    input: Any, k: Any, reduction_dimension: int = -1, recall_target: float = 0.95, is_max_k: bool = True,
    reduction_input_size_override: int = -1, aggregate_to_topk: bool = True, name: str | None = None,
) -> ApproxTopK:  # fmt: skip
    """`approx_max_k`, or `approx_min_k` without `is_max_k`.

    >>> import tensorsmith as tf
    >>> tf.approx_top_k([1.0, 5.0, 3.0], 1).indices.numpy()
    array([1], dtype=int32)
    """
    return (approx_max_k if is_max_k else approx_min_k)(input, k, reduction_dimension)


def _along(operand: Tensor, k: int, axis: int) -> tuple[Any, Any]:
    rank = operand.ndim
    if not -rank <= axis < rank:
        raise InvalidArgumentError(
            explain("approx_max_k", "there is no such axis", {"operand": operand.shape, "reduction_dimension": axis})
        )
    if axis in (-1, rank - 1):
        values, places = top_k(operand, k)
        return values, places
    order = list(range(rank))
    order[axis], order[-1] = order[-1], order[axis]
    values, places = top_k(transpose(operand, order), k)
    return transpose(values, order), transpose(places, order)
