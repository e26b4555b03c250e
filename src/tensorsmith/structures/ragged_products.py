"""Products of ragged matrices."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import describe
from tensorsmith.ops.debugging import hold
from tensorsmith.program.op import Op
from tensorsmith.structures.between import from_tensor, to_tensor
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.row_partition import row_ids
from tensorsmith.tensor.apply import apply, functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def matmul(op: Op, arguments: tuple, settings: dict) -> Any:
    """`tf.matmul` of two batches of matrices, ragged or dense: those at one place are multiplied.

    The matrices of a batch may differ in size; the rows of one matrix may not. They are filled up with zeros, multiplied
    together, and cut.
    """
    a, b = [value if is_ragged(value) else convert(value) for value in arguments]
    rank = len(a.shape)
    if rank != len(b.shape):
        raise ValueError(explain("matmul", "ragged matrices must be of one rank", {"a": describe(a), "b": describe(b)}))
    if rank == 2:
        product = matmul(op, (functions["expand_dims"](a, 0), functions["expand_dims"](b, 0)), settings)[0]
        return to_tensor(product) if is_ragged(product) else product
    if rank > 3:
        return _under(op, a, b, settings)
    swap_a, swap_b = (settings.get(f"transpose_{s}") or settings.get(f"adjoint_{s}") for s in "ab")
    (rows, inner), (other, columns) = _sizes(a)[:: -1 if swap_a else 1], _sizes(b)[:: -1 if swap_b else 1]
    for first, second in ((inner, other), (_count(a), _count(b))):
        if not _agree(first, second):
            raise InvalidArgumentError(
                explain("matmul", "ragged matrices do not fit each other", {"a": describe(a), "b": describe(b)},
                        "at each place of the batch the inner sizes must be equal")
            )  # fmt: skip
    dense: list[Any] = [a, b]
    product = apply(op, [to_tensor(part) if is_ragged(part) else part for part in dense], settings)
    return _cut(product, rows, columns)


def _under(op: Op, a: Any, b: Any, settings: dict) -> RaggedTensor:
    """The products of the values of both, under their common rows."""
    a, b = (part if is_ragged(part) else from_tensor(part) for part in (a, b))
    if not _agree(a.row_lengths(), b.row_lengths()):
        raise InvalidArgumentError(
            explain("matmul", "ragged batches differ in their rows", {"a": describe(a), "b": describe(b)})
        )
    if is_ragged(a.values) or is_ragged(b.values):
        return a.with_values(matmul(op, (a.values, b.values), settings))
    return a.with_values(apply(op, [a.values, b.values], settings))


Size = Tensor | int | None


def _sizes(x: Any) -> tuple[Size, Size]:
    """The number of rows and of columns of each matrix in a batch of them: of each its own, or one number for all."""
    if not is_ragged(x):
        return x.shape[1], x.shape[2]
    rows = x._uniform if x._uniform is not None else x.row_lengths()
    if not is_ragged(x.values):
        return rows, x.values.shape[1]
    if x.values._uniform is not None:
        return rows, x.values._uniform
    lengths = x.values.row_lengths()
    if isinstance(lengths, Symbol) or isinstance(x.row_splits, Symbol):
        widest = functions["reduce_max"](x.with_values(lengths), axis=1)
        widest = functions["maximum"](widest, functions["zeros_like"](widest))
        even = quietly(lambda n, w, r: _equal(n, functions["gather"](w, r)), lengths, widest, x.value_rowids())
        hold("matmul", even, {"lengths": lengths}, "the rows of a ragged matrix differ in length", "they may not")
        return rows, widest
    splits, sizes = np.asarray(x.row_splits._array), np.asarray(lengths._array)
    columns = np.array([sizes[at] if at < end else 0 for at, end in pairwise(splits)], np.int64)
    if not np.array_equal(np.repeat(columns, np.diff(splits)), sizes):
        raise InvalidArgumentError(
            explain("matmul", "the rows of a ragged matrix differ in length", {"lengths": sizes.tolist()},
                    "only the number of rows, and the length that all rows have, may differ between the matrices")
        )  # fmt: skip
    return rows, Tensor(columns)


def _count(x: Any) -> Size:
    return x.shape[0]


def _agree(first: Size, second: Size) -> bool:
    """False where two sizes, or those of two batches, are known to differ; what is not known is checked when it runs."""
    if first is None or second is None:
        return True
    if isinstance(first, Symbol) or isinstance(second, Symbol):
        a, b = (functions["cast"](part, "int64") for part in (first, second))
        hold("matmul", quietly(_equal, a, b), {"a": a, "b": b}, "ragged matrices do not fit each other",
             "at each place of the batch the inner sizes must be equal")  # fmt: skip
        return True
    a, b = (np.asarray(part._array if isinstance(part, Tensor) else part) for part in (first, second))
    return bool(np.all(a == b)) if not a.shape or not b.shape or a.shape == b.shape else False


def _equal(a: Tensor, b: Tensor) -> Tensor:
    return functions["reduce_all"](functions["equal"](a, b))


def _cut(product: Tensor, rows: Size, columns: Size) -> RaggedTensor:
    """The matrices of a dense batch cut to their sizes."""
    cast = functions["cast"]
    lengths = quietly(cast, rows, "int64") if isinstance(rows, Tensor) else None
    whole = from_tensor(product, lengths)
    if not isinstance(columns, Tensor):
        return whole
    ids = quietly(row_ids, whole.row_splits, whole.values)
    widths = quietly(lambda c, r: cast(functions["gather"](c, r), "int64"), columns, ids)
    return whole.with_values(from_tensor(whole.values, widths))
