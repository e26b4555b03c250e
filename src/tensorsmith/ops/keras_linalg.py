"""The part of `keras.ops` about matrices, under Keras 3's names and argument names."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.ops import linalg, matrices, matrix_functions
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.ops.creation import eye, range_, zeros_like
from tensorsmith.ops.keras_math import both, both_floats, floats
from tensorsmith.ops.reductions import reduce_sum
from tensorsmith.ops.repeating import pad
from tensorsmith.ops.shaping import concat, expand_dims, moveaxis, reshape, shape, squeeze
from tensorsmith.ops.sorting import argsort
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# ---- factors and systems


def cholesky(x: Any, upper: bool = False) -> Tensor:
    """The lower triangular L of x = L L^T, for positive definite x [..., n, n]; with `upper` its transpose.

    >>> cholesky([[4.0, 2.0], [2.0, 2.0]]).numpy()
    array([[2., 0.],
           [1., 1.]], dtype=float32)
    """
    found = matrices.cholesky(floats(x))
    return matrix_functions.adjoint(found) if upper else found


def cholesky_inverse(x: Any, upper: bool = False) -> Tensor:
    """The inverse of the matrix of which x is the Cholesky factor.

    >>> cholesky_inverse([[2.0, 0.0], [0.0, 4.0]]).numpy()
    array([[0.25  , 0.    ],
           [0.    , 0.0625]], dtype=float32)
    """
    x = floats(x)
    factor = matrix_functions.adjoint(x) if upper else x
    return matrices.cholesky_solve(factor, eye(x.shape[-1], dtype=x.dtype) + zeros_like(x))


def det(x: Any) -> Tensor:
    """The determinants of matrices [..., n, n]."""
    return matrices.det(floats(x))


def slogdet(x: Any) -> tuple[Tensor, Tensor]:
    """The signs of determinants, and the logarithms of their sizes."""
    sign, size = matrices.slogdet(floats(x))
    return sign, size


def logdet(x: Any) -> Tensor:
    """The logarithms of the determinants of positive definite matrices."""
    return matrices.logdet(floats(x))


def eig(x: Any) -> tuple[Tensor, Tensor]:
    """The eigenvalues [..., n] and, as columns, eigenvectors [..., n, n] of matrices; complex."""
    values, vectors = matrix_functions.eig(floats(x))
    return values, vectors


def eigh(x: Any) -> tuple[Tensor, Tensor]:
    """The eigenvalues, smallest first, and eigenvectors of symmetric matrices.

    >>> values, vectors = eigh([[2.0, 0.0], [0.0, 1.0]])
    >>> values.numpy()
    array([1., 2.], dtype=float32)
    """
    values, vectors = matrices.eigh(floats(x))
    return values, vectors


def inv(x: Any) -> Tensor:
    """The inverses of matrices."""
    return matrices.inv(floats(x))


def pinv(x: Any, rcond: Any = None) -> Tensor:
    """The pseudo-inverses of matrices; singular values below rcond times the greatest count as 0."""
    return matrices.pinv(floats(x), rcond)


def matrix_rank(x: Any, tol: Any = None) -> Tensor:
    """How many singular values of a matrix are above `tol`."""
    return matrices.matrix_rank(floats(x), tol)


def lu_factor(x: Any) -> tuple[Tensor, Tensor]:
    """Both triangular factors of matrices in one, and the row of the factors that each row of x went to.

    >>> factors, rows = lu_factor([[0.0, 1.0], [2.0, 3.0]])
    >>> rows.numpy()
    array([1, 0], dtype=int32)
    """
    factors, order = matrix_functions.lu(floats(x))
    return factors, argsort(order)


def qr(x: Any, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """x = Q R, Q of orthonormal columns, R upper triangular; with mode "complete" Q is square.

    Raises ValueError for another mode.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(explain("qr", "no mode", {"mode": mode}, "it is 'reduced' or 'complete'"))
    q, r = matrices.qr(floats(x), full_matrices=mode == "complete")
    return q, r


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """u, s and v of x = u @ diag(s) @ v, singular values s greatest first; s alone where compute_uv is False.

    >>> svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False).numpy()
    array([4., 3.], dtype=float32)
    """
    if not compute_uv:
        return matrices.svd(floats(x), compute_uv=False)
    s, u, v = matrices.svd(floats(x), full_matrices=full_matrices)
    return u, s, matrix_functions.adjoint(v)


def _by_columns(solver: Any, a: Any, b: Any) -> Tensor:
    a, b = both_floats(a, b)
    if b.ndim == a.ndim - 1:
        return squeeze(solver(a, expand_dims(b, -1)), -1)
    return solver(a, b)


def solve(a: Any, b: Any) -> Tensor:
    """x of a @ x = b, for matrices a [..., n, n] and b [..., n] or [..., n, k].

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 4.0]).numpy()
    array([1., 1.], dtype=float32)
    """
    return _by_columns(matrices.solve, a, b)


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """x of a @ x = b for triangular a, of which only the one triangle is looked at."""
    return _by_columns(lambda m, rhs: matrices.triangular_solve(m, rhs, lower=lower), a, b)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Tensor:
    """The x for which a @ x is nearest to b, the shortest one of them; a [m, n], b [m] or [m, k].

    >>> lstsq([[1.0], [1.0]], [1.0, 3.0]).numpy().round(4)
    array([2.], dtype=float32)
    """
    a, b = both_floats(a, b)
    if a.ndim != 2 or b.ndim not in (1, 2):
        given = {"a": describe(a), "b": describe(b)}
        raise ValueError(explain("lstsq", "a must be a matrix, b a matrix or a vector", given))
    return _by_columns(lambda m, rhs: linalg.matmul(pinv(m, rcond), rhs), a, b)


# ---- products


def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The vector products of vectors of 3 numbers, or of 2, whose third one is 0; of two such its one part that is not 0.

    axisa, axisb, axisc: where the numbers stand in x1, x2 and the result; `axis`: in all of them.

    >>> cross([1, 0, 0], [0, 1, 0]).numpy()
    array([0, 0, 1], dtype=int32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = both(x1, x2)
    x1, x2 = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    sizes = (x1.shape[-1], x2.shape[-1])
    if any(size not in (2, 3) for size in sizes):
        given = {"x1": describe(x1), "x2": describe(x2)}
        raise ValueError(explain("cross", "vectors must be of 2 or 3 numbers", given))
    if sizes == (2, 2):
        return x1[..., 0] * x2[..., 1] - x1[..., 1] * x2[..., 0]
    x1, x2 = (
        pad(x, [[0, 0]] * (x.ndim - 1) + [[0, 1]]) if size == 2 else x for x, size in zip((x1, x2), sizes, strict=True)
    )
    ahead, behind = [1, 2, 0], [2, 0, 1]

    def turned(x: Any, order: list[int]) -> Any:
        return concat([x[..., at : at + 1] for at in order], -1)

    found = turned(x1, ahead) * turned(x2, behind) - turned(x1, behind) * turned(x2, ahead)
    return moveaxis(found, -1, axisc)


def inner(x1: Any, x2: Any) -> Tensor:
    """The sums of products along the last axes of both; of a single number the product.

    >>> inner([1, 2], [3, 4]).numpy().item()
    11
    """
    x1, x2 = both(x1, x2)
    return linalg.tensordot(x1, x2, [[-1], [-1]]) if x1.ndim and x2.ndim else x1 * x2


def vdot(x1: Any, x2: Any) -> Tensor:
    """The sum of products of all elements, those of x1 conjugated.

    >>> vdot([[1, 2]], [3, 4]).numpy().item()
    11
    """
    x1, x2 = (reshape(x, [-1]) for x in both(x1, x2))
    return reduce_sum(conj(x1) * x2)


def kron(x1: Any, x2: Any) -> Tensor:
    """Kronecker's product: x2 in the place of each element of x1, times that element.

    >>> kron([1, 10], [[1, 2]]).numpy()
    array([[ 1,  2, 10, 20]], dtype=int32)
    """
    x1, x2 = both(x1, x2)
    rank = max(x1.ndim, x2.ndim)
    first = [1] * (rank - x1.ndim) + [shape(x1)[at] for at in range(x1.ndim)]
    second = [1] * (rank - x2.ndim) + [shape(x2)[at] for at in range(x2.ndim)]
    wide = reshape(x1, [size for each in first for size in (each, 1)])
    tall = reshape(x2, [size for each in second for size in (1, each)])
    return reshape(wide * tall, [a * b for a, b in zip(first, second, strict=True)])


# ---- diagonals and triangles


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the matrices that two axes make, as the last axis; `offset` above the main one.

    >>> diagonal([[1, 2], [3, 4]], offset=1).numpy()
    array([2], dtype=int32)
    """
    x = moveaxis(convert(x), [axis1, axis2], [-2, -1])
    return matrices.diag_part(x[..., offset:] if offset >= 0 else x[..., -offset:, :])


def diag(x: Any, k: int = 0) -> Tensor:
    """The matrix with the vector x on its diagonal k above the main one; of a matrix that diagonal.

    >>> diag([1, 2], k=-1).numpy()
    array([[0, 0, 0],
           [1, 0, 0],
           [0, 2, 0]], dtype=int32)
    """
    x = convert(x)
    if x.ndim not in (1, 2):
        raise ValueError(explain("diag", "neither a vector nor a matrix", {"x": describe(x)}))
    if x.ndim == 2:
        return diagonal(x, k)
    return pad(matrices.diag(x), [[max(-k, 0), max(k, 0)], [max(k, 0), max(-k, 0)]])


def diagflat(x: Any, k: int = 0) -> Tensor:
    """The matrix with all elements of x on its diagonal k above the main one."""
    return diag(reshape(convert(x), [-1]), k)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sums of the diagonals of the matrices that two axes make; booleans and narrow integers are summed as 32-bit ones.

    >>> trace([[1, 2], [3, 4]]).numpy().item()
    5
    """
    x = convert(x)
    if x.dtype.is_bool or (x.dtype.is_integer and x.dtype.size < 4):
        x = cast(x, dtypes.uint32 if x.dtype.is_unsigned else dtypes.int32)
    return reduce_sum(diagonal(x, offset, axis1, axis2), axis=-1)


def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones [N, M] at and below the diagonal k above the main one, zeros above it.

    >>> tri(2, 3).numpy()
    array([[1., 0., 0.],
           [1., 1., 0.]], dtype=float32)
    """
    wanted = dtypes.as_dtype(dtype or "float32").numpy_dtype
    return Tensor(np.tri(plain(N, "N"), None if M is None else plain(M, "M"), k).astype(wanted))


def _kept(x: Any, k: int, above: bool) -> Tensor:
    x = convert(x)
    if x.ndim < 2:
        raise ValueError(explain("triu" if above else "tril", "no matrices", {"x": describe(x)}))
    rows, columns = range_(shape(x)[-2]), range_(shape(x)[-1])
    ahead = expand_dims(columns, 0) - expand_dims(rows, 1)
    return where(ahead >= k if above else ahead <= k, x, zeros_like(x))


def tril(x: Any, k: int = 0) -> Tensor:
    """Matrices with zeros above the diagonal k above the main one.

    >>> tril([[1, 2], [3, 4]]).numpy()
    array([[1, 0],
           [3, 4]], dtype=int32)
    """
    return _kept(x, k, above=False)


def triu(x: Any, k: int = 0) -> Tensor:
    """Matrices with zeros below the diagonal k above the main one."""
    return _kept(x, k, above=True)
