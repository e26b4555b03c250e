"""The standard's extension of linear algebra, `tensorsmith.array_api.linalg`; all over the last two axes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tensorsmith.array_api.array import Array
from tensorsmith.array_api.data_types import DEFAULT_INTEGER
from tensorsmith.array_api.elementwise import checked
from tensorsmith.array_api.manipulation import place, places
from tensorsmith.array_api.promotion import is_scalar, tensor_of, together
from tensorsmith.array_api.statistics import summed_dtype
from tensorsmith.core.errors import explain
from tensorsmith.ops import comparison, elementwise, matrices, reductions, shaping
from tensorsmith.ops import linalg as products
from tensorsmith.ops.casting import cast
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.ops.indexing import getitem
from tensorsmith.tensor.tensor import Tensor

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power",
    "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot",
    "trace", "vecdot", "vector_norm",
]  # fmt: skip


class Eigh(NamedTuple):
    """Eigenvalues, smallest first, and the eigenvectors as columns."""

    eigenvalues: Array
    eigenvectors: Array


class Qr(NamedTuple):
    """An orthonormal and an upper triangular factor."""

    Q: Array
    R: Array


class SlogDet(NamedTuple):
    """The sign of a determinant, and the logarithm of its size."""

    sign: Array
    logabsdet: Array


class Svd(NamedTuple):
    """Factors with x = U @ diag(S) @ Vh; S is real, the greatest first."""

    U: Array
    S: Array
    Vh: Array


def _matrices(who: str, x: Any) -> Tensor:
    tensor = checked(who, tensor_of(x, who), "floating")
    if tensor.ndim < 2:
        raise ValueError(explain(who, "it takes matrices", {"shape": tensor.shape}))
    return tensor


def _adjoint(x: Tensor) -> Tensor:
    return conj(shaping.matrix_transpose(x))


# ---- products


def matmul(x1: Any, x2: Any, /) -> Array:
    """The matrix product over the last two axes, the others broadcasting; a vector is a row before, a column behind."""
    a, b = together("matmul", x1, x2)
    checked("matmul", a, "numeric")
    if not a.ndim or not b.ndim:
        raise ValueError(explain("matmul", "an array of shape () is no matrix", {"x1": a.shape, "x2": b.shape}))
    row, column = a.ndim == 1, b.ndim == 1
    found = products.matmul(shaping.expand_dims(a, 0) if row else a, shaping.expand_dims(b, 1) if column else b)
    gone = [-2] * row + [-1] * column
    return Array(shaping.squeeze(found, gone) if gone else found)


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Array:
    """The sum over pairs of axes of all products: the last n of x1 with the first n of x2, or those that are named."""
    a, b = together("tensordot", x1, x2)
    return Array(products.tensordot(checked("tensordot", a, "numeric"), b, axes))


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    """The sum of conj(x1) * x2 along an axis, the others broadcasting."""
    a, b = together("vecdot", x1, x2)
    checked("vecdot", a, "numeric")
    place("vecdot", axis, min(a.ndim, b.ndim))
    if a.shape[axis] != b.shape[axis] and None not in (a.shape[axis], b.shape[axis]):
        raise ValueError(explain("vecdot", "the vectors differ in size", {"x1": a.shape, "x2": b.shape}))
    return Array(reductions.reduce_sum(elementwise.multiply(conj(a), b), axis=axis))


def outer(x1: Any, x2: Any, /) -> Array:
    """The matrix of all products of elements of two vectors."""
    a, b = together("outer", x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(explain("outer", "it takes vectors", {"x1": a.shape, "x2": b.shape}))
    checked("outer", a, "numeric")
    return Array(elementwise.multiply(shaping.expand_dims(a, 1), shaping.expand_dims(b, 0)))


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    """The vector product of vectors of three elements along an axis."""
    a, b = together("cross", x1, x2)
    checked("cross", a, "numeric")
    place("cross", axis, min(a.ndim, b.ndim))
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ValueError(explain("cross", "vectors have three elements", {"x1": a.shape, "x2": b.shape, "axis": axis}))
    parts = [shaping.unstack(t, axis=axis % t.ndim) for t in (a, b)]
    (a0, a1, a2), (b0, b1, b2) = parts
    found = [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0]
    return Array(shaping.stack(found, axis=axis))


# ---- parts


def matrix_transpose(x: Any, /) -> Array:
    """The last two axes swapped."""
    tensor = tensor_of(x, "matrix_transpose")
    if tensor.ndim < 2:
        raise ValueError(explain("matrix_transpose", "it takes matrices", {"shape": tensor.shape}))
    return Array(shaping.matrix_transpose(tensor))


def diagonal(x: Any, /, *, offset: int = 0) -> Array:
    """The diagonals number `offset` (above the main one where it is greater than 0)."""
    tensor = tensor_of(x, "diagonal")
    if tensor.ndim < 2:
        raise ValueError(explain("diagonal", "it takes matrices", {"shape": tensor.shape}))
    rows, columns = tensor.shape[-2:]
    if rows is None or columns is None:
        raise ValueError(explain("diagonal", "the sizes of the matrices must be known", {"shape": tensor.shape}))
    first, across = max(-offset, 0), max(offset, 0)
    places = np.arange(max(min(rows - first, columns - across), 0))
    return Array(getitem(tensor, (Ellipsis, places + first, places + across)))


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sums of the diagonals; of integers with 64 bits."""
    found = checked("trace", diagonal(x, offset=offset)._tensor, "numeric")
    return Array(reductions.reduce_sum(cast(found, summed_dtype(found.dtype, dtype)), axis=-1))


# ---- factorisations and what is made with them


def cholesky(x: Any, /, *, upper: bool = False) -> Array:
    """The lower triangular L with L @ L^H = x (upper: U with U^H @ U = x) of positive definite matrices."""
    found = matrices.cholesky(_matrices("cholesky", x))
    return Array(_adjoint(found) if upper else found)


def det(x: Any, /) -> Array:
    """The determinants."""
    return Array(matrices.det(_matrices("det", x)))


def slogdet(x: Any, /) -> SlogDet:
    """The signs of the determinants, and the logarithms of their sizes."""
    return SlogDet(*(Array(found) for found in matrices.slogdet(_matrices("slogdet", x))))


def eigh(x: Any, /) -> Eigh:
    """Eigenvalues (ascending) and eigenvectors (columns) of symmetric matrices."""
    return Eigh(*(Array(found) for found in matrices.eigh(_matrices("eigh", x))))


def eigvalsh(x: Any, /) -> Array:
    """Eigenvalues (ascending) of symmetric matrices."""
    return Array(matrices.eigvalsh(_matrices("eigvalsh", x)))


def inv(x: Any, /) -> Array:
    """The inverses."""
    return Array(matrices.inv(_matrices("inv", x)))


def matrix_power(x: Any, n: int, /) -> Array:
    """The product of n copies; of the inverse for n < 0."""
    return Array(matrices.matrix_power(_matrices("matrix_power", x), n))


def qr(x: Any, /, *, mode: str = "reduced") -> Qr:
    """Q (orthonormal columns) and R (upper triangular) with Q @ R = x; mode "complete": Q is square."""
    if mode not in ("reduced", "complete"):
        raise ValueError(explain("qr", f"mode is {mode!r}", rule="it must be 'reduced' or 'complete'"))
    return Qr(*(Array(found) for found in matrices.qr(_matrices("qr", x), full_matrices=mode == "complete")))


def solve(x1: Any, x2: Any, /) -> Array:
    """X with x1 @ X = x2; x2 is a vector, or matrices of which the other axes broadcast."""
    a, b = together("solve", x1, x2)
    _matrices("solve", a)
    if b.ndim == 1:
        return Array(shaping.squeeze(matrices.solve(a, shaping.expand_dims(b, 1)), [-1]))
    return Array(matrices.solve(a, b))


def svd(x: Any, /, *, full_matrices: bool = True) -> Svd:
    """The singular value decomposition."""
    s, u, v = matrices.svd(_matrices("svd", x), full_matrices=full_matrices)
    return Svd(Array(u), Array(s), Array(_adjoint(v)))


def svdvals(x: Any, /) -> Array:
    """The singular values, the greatest first."""
    return Array(matrices.svd(_matrices("svdvals", x), compute_uv=False))


def _significant(x: Tensor, singular: Tensor, rtol: Any) -> Tensor:
    """Which singular values are more than rounding: above rtol (by default eps * the longer side) times the greatest."""
    if rtol is None:
        rtol = float(np.finfo(singular.dtype.numpy_dtype).eps) * max(x.shape[-1] or 1, x.shape[-2] or 1)
    if not is_scalar(rtol):
        rtol = shaping.expand_dims(cast(tensor_of(rtol, "rtol"), singular.dtype), -1)
    if not singular.shape[-1]:
        return comparison.less(singular, singular)
    greatest = reductions.reduce_max(singular, axis=-1, keepdims=True)
    return comparison.greater(singular, elementwise.multiply(greatest, rtol))


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Array:
    """How many singular values are above `rtol` (a number, or one for each matrix) times the greatest."""
    tensor = _matrices("matrix_rank", x)
    singular = matrices.svd(tensor, compute_uv=False)
    return Array(reductions.reduce_sum(cast(_significant(tensor, singular, rtol), DEFAULT_INTEGER), axis=-1))


def pinv(x: Any, /, *, rtol: Any = None) -> Array:
    """The pseudo-inverses; singular values up to `rtol` times the greatest count as 0."""
    tensor = _matrices("pinv", x)
    s, u, v = matrices.svd(tensor)
    kept = _significant(tensor, s, rtol)
    # nothing is divided by 0, not even what is left out: its derivative would be NaN
    scale = elementwise.divide(cast(kept, s.dtype), comparison.where(kept, s, cast(1.0, s.dtype)))
    return Array(products.matmul(v * shaping.expand_dims(cast(scale, v.dtype), -2), _adjoint(u)))


# ---- norms


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:
    """(sum |x|**ord)**(1/ord) over the axes; inf and -inf: the greatest and the smallest |x|, 0: how many are not 0."""
    tensor = checked("vector_norm", tensor_of(x, "vector_norm"), "floating")
    axes = places("vector_norm", axis, tensor.ndim)
    size = elementwise.abs(tensor)
    if ord in (math.inf, -math.inf):
        extreme = reductions.reduce_max if ord > 0 else reductions.reduce_min
        return Array(extreme(size, axis=axes, keepdims=keepdims))
    if ord == 0:
        return Array(cast(reductions.count_nonzero(tensor, axis=axes, keepdims=keepdims), size.dtype))
    if ord == 1:
        return Array(reductions.reduce_sum(size, axis=axes, keepdims=keepdims))
    if ord == 2:
        return Array(elementwise.sqrt(reductions.reduce_sum(elementwise.square(size), axis=axes, keepdims=keepdims)))
    total = reductions.reduce_sum(elementwise.pow(size, float(ord)), axis=axes, keepdims=keepdims)
    return Array(elementwise.pow(total, 1.0 / ord))


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """A norm of matrices.

    ord  "fro" the root of the sum of squares; "nuc" the sum, 2 and -2 the greatest and the smallest of the singular
         values; 1 and -1 of the sums of |x| over columns, inf and -inf over rows.
    """
    tensor = _matrices("matrix_norm", x)
    if ord == "fro":
        return vector_norm(tensor, axis=(-2, -1), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        each = matrices.svd(tensor, compute_uv=False)
    elif ord in (1, -1, math.inf, -math.inf):
        each = reductions.reduce_sum(elementwise.abs(tensor), axis=-2 if abs(ord) == 1 else -1)
    else:
        raise ValueError(explain("matrix_norm", f"there is no norm {ord!r}"))
    if ord == "nuc":
        found = reductions.reduce_sum(each, axis=-1)
    else:
        found = (reductions.reduce_max if ord > 0 else reductions.reduce_min)(each, axis=-1)
    return Array(shaping.expand_dims(shaping.expand_dims(found, -1), -1) if keepdims else found)
