"""Diagonals, bands, traces, inverses, factorisations and the systems they solve."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops.guards import guard
from tensorsmith.program.op import Array, Arrays, Op, Specs
from tensorsmith.tensor.apply import apply, op, plain, primitive, public
from tensorsmith.tensor.tensor import Tensor

# ---- diagonals and bands


@op(name="diag", kinds="fiucb")
def diag(xp, diagonal: Array):
    """Matrices [..., n, n] with `diagonal` [..., n] on their diagonals, zeros beside.

    >>> import tensorsmith as tf
    >>> tf.linalg.diag([1, 2]).numpy()
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    same = np.eye(diagonal.shape[-1], dtype=bool)
    return xp.where(same, diagonal[..., :, None], xp.zeros((), diagonal.dtype))


@op(name="diag_part", kinds="fiucb")
def diag_part(xp, input: Array):
    """The diagonals [..., min(n, m)] of matrices [..., n, m].

    >>> import tensorsmith as tf
    >>> tf.linalg.diag_part([[1, 2], [3, 4]]).numpy()
    array([1, 4], dtype=int32)
    """
    return xp.diagonal(input, axis1=-2, axis2=-1)


@op(name="set_diag", kinds="fiucb")
def set_diag(xp, input: Array, diagonal: Array):
    """Matrices [..., n, m] with their diagonals replaced.

    >>> import tensorsmith as tf
    >>> tf.linalg.set_diag([[1, 2], [3, 4]], [9, 8]).numpy()
    array([[9, 2],
           [3, 8]], dtype=int32)
    """
    rows, columns = input.shape[-2:]
    if diagonal.shape[-1] != min(rows, columns):
        raise ValueError(f"the diagonals have {diagonal.shape[-1]} elements, the matrices {min(rows, columns)} on them")
    same = np.eye(rows, columns, dtype=bool)
    size = max(rows, columns)
    wide = xp.concatenate([diagonal, xp.zeros((*diagonal.shape[:-1], size - diagonal.shape[-1]), diagonal.dtype)], -1)
    return xp.where(same, wide[..., :rows, None], input)


@op(name="tensor_diag", kinds="fiuc")
def tensor_diag(xp, diagonal: Array):
    """A tensor of twice the rank whose element (i..., i...) is `diagonal[i...]`, zeros elsewhere.

    >>> import tensorsmith as tf
    >>> tf.linalg.tensor_diag([1, 2]).numpy()
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    return xp.diag(diagonal.reshape(-1)).reshape(diagonal.shape * 2)


@op(name="tensor_diag_part", kinds="fiuc")
def tensor_diag_part(xp, input: Array):
    """The elements (i..., i...) of a tensor whose shape is some sizes, twice.

    >>> import tensorsmith as tf
    >>> tf.linalg.tensor_diag_part([[1, 2], [3, 4]]).numpy()
    array([1, 4], dtype=int32)
    """
    half = input.shape[: input.ndim // 2]
    size = int(np.prod(half))
    return xp.diagonal(input.reshape(size, size)).reshape(half)


@op(name="band_part", kinds="fiucb")
def band_part(xp, input: Array, num_lower: int, num_upper: int):
    """Matrices with all but `num_lower` diagonals below and `num_upper` above the main one set to 0 (-1: all are kept).

    >>> import tensorsmith as tf
    >>> tf.linalg.band_part([[1, 2], [3, 4]], 0, -1).numpy()
    array([[1, 2],
           [0, 4]], dtype=int32)
    """
    row, column = np.indices(input.shape[-2:])
    keep = ((num_lower < 0) | (row - column <= num_lower)) & ((num_upper < 0) | (column - row <= num_upper))
    return xp.where(keep, input, xp.zeros((), input.dtype))


@op(name="trace", kinds="fiuc")
def trace(xp, x: Array):
    """The sums of the diagonals of matrices.

    >>> import tensorsmith as tf
    >>> tf.linalg.trace([[1, 2], [3, 4]]).numpy().item()
    5
    """
    return xp.trace(x, axis1=-2, axis2=-1, dtype=x.dtype)


# ---- inverses and systems


class LogMatrixDeterminant(NamedTuple):
    """The sign and the logarithm of the size of a determinant."""

    sign: Any
    log_abs_determinant: Any


def square_shape(specs: Specs, settings: dict) -> Specs:
    shape, dtype = specs[0]
    if len(shape) < 2 or (None not in shape[-2:] and shape[-1] != shape[-2]):
        raise ValueError(f"matrices must be square, not {shape}")
    return [(shape, dtype)]


def check_square(name: str, shape: Any) -> None:
    """InvalidArgumentError unless the last two sizes, where they are known, are equal."""
    if len(shape) < 2 or None not in shape[-2:] and shape[-1] != shape[-2]:
        raise InvalidArgumentError(explain(name, "the matrices must be square", {"shape": tuple(shape)}))


def _one_each(specs: Specs, settings: dict) -> Specs:
    return [(square_shape(specs, settings)[0][0][:-2], specs[0][1])]


def _two_each(specs: Specs, settings: dict) -> Any:
    found = _one_each(specs, settings)[0]
    return LogMatrixDeterminant(found, found)


def _solved(specs: Specs, settings: dict) -> Specs:
    matrix, (right, dtype) = square_shape(specs, settings)[0][0], specs[1]
    if len(right) < 2:
        raise ValueError(f"right sides must be matrices, not {right}")
    if None not in (matrix[-1], right[-2]) and matrix[-1] != right[-2]:
        raise ValueError(f"{matrix[-1]} unknowns do not fit {right[-2]} right sides")
    return [((*broadcast(matrix[:-2], right[:-2]), *right[-2:]), dtype)]


def _refuse_singular(error: Exception, name: str, shape: Any) -> InvalidArgumentError:
    return InvalidArgumentError(explain(name, str(error).rstrip(".").lower() or "it failed", {"matrix": tuple(shape)}))


@op(name="det", kinds="fc", shapes=_one_each, quiet=True)
def det(xp, input: Array):
    """The determinants of matrices.

    >>> import tensorsmith as tf
    >>> tf.linalg.det([[2.0, 0.0], [0.0, 3.0]]).numpy().item()
    6.0
    """
    check_square("det", input.shape)
    return xp.linalg.det(input)


@op(name="slogdet", kinds="fc", shapes=_two_each, quiet=True)
def slogdet(xp, input: Array) -> LogMatrixDeterminant:
    """The signs of determinants, and the logarithms of their sizes.

    >>> import tensorsmith as tf
    >>> tf.linalg.slogdet([[1.0, 0.0], [0.0, -1.0]]).sign.numpy().item()
    -1.0
    """
    check_square("slogdet", input.shape)
    return LogMatrixDeterminant(*xp.linalg.slogdet(input))


@op(name="logdet", kinds="f", shapes=_one_each, quiet=True)
def logdet(xp, matrix: Array):
    """The logarithms of the determinants of positive definite matrices.

    >>> import tensorsmith as tf
    >>> tf.linalg.logdet([[1.0, 0.0], [0.0, 1.0]]).numpy().item()
    0.0
    """
    check_square("logdet", matrix.shape)
    return 2 * xp.sum(xp.log(xp.diagonal(xp.linalg.cholesky(matrix), axis1=-2, axis2=-1)), axis=-1)


@primitive(name="is_solved", same=False, shapes=lambda specs, settings: [((), np.dtype(bool))], differentiable=False)
def _is_solved(xp, found: Array, given: Arrays):
    """Whether a result is finite, or what was given is not either: XLA has infinities and NaN where there is none."""
    holds = xp.all(xp.isfinite(found))
    for part in given:
        holds = xp.logical_or(holds, xp.logical_not(xp.all(xp.isfinite(part))))
    return holds


def _guard_finite(op: Op, message: str = "singular matrix", rule: str = "it must have an inverse") -> None:
    guard(
        op,
        message,
        rule,
        lambda arguments, settings, found: apply(_is_solved, (found, list(arguments)), {}),
        (op.arrays[0],),
    )


@op(name="inv", kinds="fc", shapes=square_shape, quiet=True)
def inv(xp, input: Array, adjoint: bool = False):
    """The inverses of matrices. Raises InvalidArgumentError for a singular one.

    >>> import tensorsmith as tf
    >>> tf.linalg.inv([[2.0, 0.0], [0.0, 4.0]]).numpy()
    array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    try:
        return xp.linalg.inv(xp.conj(xp.swapaxes(input, -1, -2)) if adjoint else input)
    except np.linalg.LinAlgError as error:
        raise _refuse_singular(error, "inv", input.shape) from None


@primitive(name="pinv", kinds="f")
def _pinv(xp, a: Array, rcond: Any = None):
    return xp.linalg.pinv(a, rcond) if rcond is not None else xp.linalg.pinv(a)


@public
def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The pseudo-inverses of matrices; singular values below rcond times the greatest count as 0.

    >>> import tensorsmith as tf
    >>> tf.linalg.pinv([[2.0], [0.0]]).numpy()
    array([[0.5, 0. ]], dtype=float32)
    """
    return apply(_pinv, (a,), {"rcond": plain(rcond, "rcond")})


@op(name="solve", kinds="fc", shapes=_solved, quiet=True)
def solve(xp, matrix: Array, rhs: Array, adjoint: bool = False):
    """X of matrix @ X = rhs, for matrices [..., n, n] and right sides [..., n, k].

    Raises InvalidArgumentError for a singular matrix.

    >>> import tensorsmith as tf
    >>> tf.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [4.0]]).numpy()
    array([[1.],
           [1.]], dtype=float32)
    """
    try:
        return xp.linalg.solve(xp.conj(xp.swapaxes(matrix, -1, -2)) if adjoint else matrix, rhs)
    except np.linalg.LinAlgError as error:
        raise _refuse_singular(error, "solve", matrix.shape) from None


_guard_finite(inv.op)
_guard_finite(solve.op)


@op(name="triangular_solve", kinds="fc", shapes=_solved, quiet=True)
def triangular_solve(xp, matrix: Array, rhs: Array, lower: bool = True, adjoint: bool = False):
    """X of matrix @ X = rhs for triangular matrices; only the named triangle is looked at.

    Raises InvalidArgumentError for a singular matrix.

    >>> import tensorsmith as tf
    >>> tf.linalg.triangular_solve([[2.0, 9.0], [0.0, 4.0]], [[2.0], [4.0]]).numpy()
    array([[1.],
           [1.]], dtype=float32)
    """
    part = xp.tril(matrix) if lower else xp.triu(matrix)
    if adjoint:
        part = xp.conj(xp.swapaxes(part, -1, -2))
    if xp is np:
        try:
            return np.linalg.solve(part, rhs)
        except np.linalg.LinAlgError as error:
            raise _refuse_singular(error, "triangular_solve", matrix.shape) from None
    from tensorsmith.program.execute import jax

    jax()
    import jax.scipy.linalg

    batch = np.broadcast_shapes(part.shape[:-2], rhs.shape[:-2])
    part, rhs = xp.broadcast_to(part, (*batch, *part.shape[-2:])), xp.broadcast_to(rhs, (*batch, *rhs.shape[-2:]))
    return jax.scipy.linalg.solve_triangular(part, rhs, lower=lower != adjoint)


_guard_finite(triangular_solve.op)


@op(name="cholesky", kinds="fc", shapes=square_shape, quiet=True)
def cholesky(xp, input: Array):
    """L, lower triangular, of L @ L^H = matrix, for positive definite matrices.

    Raises InvalidArgumentError for one that is not.

    >>> import tensorsmith as tf
    >>> tf.linalg.cholesky([[4.0, 0.0], [0.0, 9.0]]).numpy()
    array([[2., 0.],
           [0., 3.]], dtype=float32)
    """
    try:
        return xp.linalg.cholesky(input)
    except np.linalg.LinAlgError as error:
        raise _refuse_singular(error, "cholesky", input.shape) from None


_guard_finite(cholesky.op, "matrix is not positive definite", "its eigenvalues must be above 0")


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """X of matrix @ X = rhs, from the Cholesky factor of the matrix.

    >>> import tensorsmith as tf
    >>> tf.linalg.cholesky_solve([[2.0]], [[8.0]]).numpy()
    array([[2.]], dtype=float32)
    """
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


@primitive(name="lstsq", kinds="f")
def _lstsq(xp, matrix: Array, rhs: Array, l2_regularizer: float = 0.0):
    turned = xp.swapaxes(matrix, -1, -2)
    if l2_regularizer:
        gram = turned @ matrix + np.asarray(l2_regularizer, matrix.dtype) * np.eye(matrix.shape[-1], dtype=matrix.dtype)
        return xp.linalg.solve(gram, turned @ rhs)
    return xp.linalg.pinv(matrix) @ rhs


@public
def lstsq(matrix: Any, rhs: Any, l2_regularizer: float = 0.0, fast: bool = True, name: str | None = None) -> Tensor:
    """X with the smallest |matrix @ X - rhs|**2 + l2_regularizer * |X|**2; of several the shortest.

    >>> import tensorsmith as tf
    >>> tf.linalg.lstsq([[1.0], [1.0]], [[1.0], [3.0]]).numpy().round(4)
    array([[2.]], dtype=float32)
    """
    return apply(_lstsq, (matrix, rhs), {"l2_regularizer": float(l2_regularizer)})


# ---- factorisations


class Qr(NamedTuple):
    """An orthonormal and an upper triangular factor."""

    q: Any
    r: Any


@op(name="qr", kinds="fc")
def qr(xp, input: Array, full_matrices: bool = False) -> Qr:
    """Q (orthonormal columns) and R (upper triangular) with Q @ R = matrix.

    >>> import tensorsmith as tf
    >>> q, r = tf.linalg.qr([[3.0], [4.0]])
    >>> abs(r.numpy()).round(4)
    array([[5.]], dtype=float32)
    """
    return Qr(*xp.linalg.qr(input, mode="complete" if full_matrices else "reduced"))


@primitive(name="svd", kinds="fc")
def _svd(xp, tensor: Array, full_matrices: bool = False):
    u, s, vh = xp.linalg.svd(tensor, full_matrices=full_matrices)
    return [s, u, xp.conj(xp.swapaxes(vh, -1, -2))]


@primitive(name="singular_values", kinds="fc")
def _singular_values(xp, tensor: Array):
    return xp.linalg.svd(tensor, compute_uv=False)


@public
def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Singular values s (greatest first), and u, v with tensor = u @ diag(s) @ v^H; without compute_uv only s.

    >>> import tensorsmith as tf
    >>> tf.linalg.svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False).numpy()
    array([4., 3.], dtype=float32)
    """
    if not compute_uv:
        return apply(_singular_values, (tensor,), {})
    return tuple(apply(_svd, (tensor,), {"full_matrices": bool(full_matrices)}))


class Eigh(NamedTuple):
    """Eigenvalues, smallest first, and the eigenvectors as columns."""

    e: Any
    v: Any


@op(name="eigh", kinds="fc")
def eigh(xp, tensor: Array) -> Eigh:
    """Eigenvalues (ascending) and eigenvectors (columns) of symmetric matrices; the lower triangle is looked at.

    >>> import tensorsmith as tf
    >>> tf.linalg.eigh([[2.0, 0.0], [0.0, 1.0]]).e.numpy()
    array([1., 2.], dtype=float32)
    """
    if xp is np:
        return Eigh(*np.linalg.eigh(tensor))
    return Eigh(*xp.linalg.eigh(tensor, symmetrize_input=False))


@op(name="eigvalsh", kinds="fc")
def eigvalsh(xp, tensor: Array):
    """Eigenvalues (ascending) of symmetric matrices; the lower triangle is looked at.

    >>> import tensorsmith as tf
    >>> tf.linalg.eigvalsh([[2.0, 0.0], [0.0, 1.0]]).numpy()
    array([1., 2.], dtype=float32)
    """
    if xp is np:
        return np.linalg.eigvalsh(tensor)
    return xp.linalg.eigh(tensor, symmetrize_input=False)[0]


@op(name="matrix_power", kinds="fc", shapes=square_shape, quiet=True)
def matrix_power(xp, a: Array, n: int):
    """The matrix product of n copies of each matrix.

    >>> from tensorsmith.ops.matrices import matrix_power
    >>> matrix_power([[1.0, 1.0], [0.0, 1.0]], 3).numpy()
    array([[1., 3.],
           [0., 1.]], dtype=float32)
    """
    return xp.linalg.matrix_power(a, n)


@primitive(name="matrix_rank", kinds="fc", differentiable=False)
def _matrix_rank(xp, a: Array, tol: Any = None):
    return xp.linalg.matrix_rank(a, tol).astype("int32")


@public
def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """How many singular values of matrices are above `tol` (int32).

    >>> import tensorsmith as tf
    >>> tf.linalg.matrix_rank([[1.0, 1.0], [1.0, 1.0]]).numpy().item()
    1
    """
    return apply(_matrix_rank, (a,), {"tol": plain(tol, "tol")})
