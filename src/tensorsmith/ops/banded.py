"""Matrices of few diagonals: their products, the systems they solve, their eigenvalues."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import broadcast
from tensorsmith.ops.complex_numbers import conj
from tensorsmith.ops.elementwise import add
from tensorsmith.ops.indexing import boolean_mask
from tensorsmith.ops.matrices import diag, eigh, eigvalsh, triangular_solve
from tensorsmith.ops.repeating import pad
from tensorsmith.ops.shaping import matrix_transpose, stack
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, op, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# ---- three diagonals


def compact_diagonals(diagonals: Any, layout: str, who: str) -> Tensor:
    """The diagonals as [..., 3, n]: above, main, below; the last of the first and the first of the last mean nothing."""
    if layout == "compact":
        found = convert(diagonals)
        if found.ndim < 2 or found.shape[-2] not in (3, None):
            raise InvalidArgumentError(
                explain(who, "compact diagonals have the shape [..., 3, n]", {"diagonals": found.shape})
            )
        return found
    if layout == "matrix":
        return apply(_three, (diagonals,), {})
    if layout == "sequence":
        above, main, below = [convert(part) for part in diagonals]
        still = [[0, 0]] * (main.ndim - 1)
        if above.shape[-1] != main.shape[-1]:
            above = pad(above, [*still, [0, 1]])
        if below.shape[-1] != main.shape[-1]:
            below = pad(below, [*still, [1, 0]])
        return stack([above, main, below], axis=-2)
    raise ValueError(f"{who}: diagonals_format must be 'compact', 'matrix' or 'sequence', not {layout!r}.")


@primitive(name="three_diagonals", kinds="fiuc")
def _three(xp, matrix: Array):
    size = [(0, 0)] * (matrix.ndim - 2)
    return xp.stack(
        [
            xp.pad(xp.diagonal(matrix, 1, -2, -1), [*size, (0, 1)]),
            xp.diagonal(matrix, 0, -2, -1),
            xp.pad(xp.diagonal(matrix, -1, -2, -1), [*size, (1, 0)]),
        ],
        axis=-2,
    )


def _fits(specs: Specs, settings: dict) -> Specs:
    (diagonals, dtype), (right, _) = specs
    if len(right) < 2:
        raise ValueError(f"right sides must be matrices, not {right}")
    if None not in (diagonals[-1], right[-2]) and diagonals[-1] != right[-2]:
        raise ValueError(f"diagonals of {diagonals[-1]} do not fit {right[-2]} rows")
    return [((*broadcast(diagonals[:-2], right[:-2]), *right[-2:]), dtype)]


@primitive(name="tridiagonal_matmul", kinds="fc", shapes=_fits)
def _tridiagonal_matmul(xp, diagonals: Array, rhs: Array):
    above, main, below = (diagonals[..., i, :, None] for i in range(3))
    nothing = xp.zeros_like(rhs[..., :1, :])
    after = xp.concatenate([rhs[..., 1:, :], nothing], axis=-2)
    before = xp.concatenate([nothing, rhs[..., :-1, :]], axis=-2)
    # what means nothing may be NaN
    first = np.arange(main.shape[-2])[:, None] == 0
    above, below = xp.where(first[::-1], 0, above), xp.where(first, 0, below)
    return main * rhs + above * after + below * before


@public
def tridiagonal_matmul(diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: str | None = None) -> Tensor:
    """The products of matrices of three diagonals and matrices rhs [..., n, k].

    diagonals  "compact": [..., 3, n], above, on and below the main one (the last of the first row and the first of the
               last mean nothing); "sequence": a list of the three; "matrix": [..., n, n].

    >>> import tensorsmith as tf
    >>> tf.linalg.tridiagonal_matmul([[1.0, 0.0], [2.0, 2.0], [0.0, 3.0]], [[1.0], [1.0]]).numpy()
    array([[3.],
           [5.]], dtype=float32)
    """
    return apply(_tridiagonal_matmul, (compact_diagonals(diagonals, diagonals_format, "tridiagonal_matmul"), rhs), {})


@primitive(name="tridiagonal_solve", kinds="fc", shapes=_fits, quiet=True)
def _tridiagonal_solve(xp, diagonals: Array, rhs: Array):
    batch = np.broadcast_shapes(diagonals.shape[:-2], rhs.shape[:-2])
    diagonals = xp.broadcast_to(diagonals, (*batch, *diagonals.shape[-2:]))
    rhs = xp.broadcast_to(rhs, (*batch, *rhs.shape[-2:]))
    if xp is not np:
        from tensorsmith.program.execute import jax

        jax()
        import jax.lax.linalg

        first = np.arange(rhs.shape[-2]) == 0
        above, main, below = (diagonals[..., i, :] for i in range(3))
        return jax.lax.linalg.tridiagonal_solve(
            xp.where(first, 0, below), main, xp.where(first[::-1], 0, above), rhs
        ).astype(rhs.dtype)
    import scipy.linalg

    size, found = rhs.shape[-2], np.empty(rhs.shape, rhs.dtype)
    for place in np.ndindex(*batch):
        above, main, below = diagonals[place]
        bands = np.zeros((3, size), rhs.dtype)
        bands[0, 1:], bands[1], bands[2, :-1] = above[:-1], main, below[1:]
        try:
            found[place] = scipy.linalg.solve_banded((1, 1), bands, rhs[place], check_finite=False)
        except np.linalg.LinAlgError:
            raise InvalidArgumentError(
                explain("tridiagonal_solve", "the matrix is singular", {"diagonals": tuple(diagonals.shape)})
            ) from None
    return found


@public
def tridiagonal_solve(
    diagonals: Any, rhs: Any, diagonals_format: str = "compact", transpose_rhs: bool = False,
    conjugate_rhs: bool = False, name: str | None = None, partial_pivoting: bool = True, perturb_singular: bool = False,
) -> Tensor:  # fmt: skip
    """X of matrix @ X = rhs for matrices of three diagonals; see `tridiagonal_matmul` for how they are given.

    rhs: [..., n, k], or [..., n] for one right side each. Rows are exchanged where that is better, whatever
    `partial_pivoting` says. Raises InvalidArgumentError for a singular matrix (compiled: infinities or NaN).

    >>> import tensorsmith as tf
    >>> tf.linalg.tridiagonal_solve([[1.0, 0.0], [2.0, 2.0], [0.0, 3.0]], [3.0, 5.0]).numpy().round(4)
    array([1., 1.], dtype=float32)
    """
    compact, right = compact_diagonals(diagonals, diagonals_format, "tridiagonal_solve"), convert(rhs)
    one = right.ndim == compact.ndim - 1
    if one:
        right = right[..., None]
    elif transpose_rhs:
        right = matrix_transpose(right)
    if conjugate_rhs and right.dtype.is_complex:
        right = conj(right)
    found = apply(_tridiagonal_solve, (compact, right), {})
    return found[..., 0] if one else found


# ---- one triangle of few diagonals


@op(name="banded_triangular_solve", kinds="fc", shapes=_fits, quiet=True)
def banded_triangular_solve(xp, bands: Array, rhs: Array, lower: bool = True, adjoint: bool = False):
    """X of matrix @ X = rhs for triangular matrices given by their diagonals, bands [..., k, n].

    lower: bands[..., i, j] is the element at row j and column j - i; else bands[..., k - 1 - i, j] the one at row j and
    column j + i. What lies outside of the matrix means nothing. rhs: [..., n, m].

    >>> import tensorsmith as tf
    >>> tf.linalg.banded_triangular_solve([[2.0, 2.0], [0.0, 4.0]], [[2.0], [8.0]]).numpy()
    array([[1.],
           [2.]], dtype=float32)
    """
    count, size = bands.shape[-2:]
    row, column = np.indices((size, size))
    off = row - column if lower else column - row
    band = np.clip(off if lower else count - 1 - off, 0, count - 1)
    dense = xp.where((off >= 0) & (off < count), bands[..., band, row], xp.zeros((), bands.dtype))
    return triangular_solve.op.kernel(xp, dense, rhs, lower=lower, adjoint=adjoint)


def eigh_tridiagonal(
    alpha: Any, beta: Any, eigvals_only: bool = True, select: str = "a", select_range: Any = None, tol: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Eigenvalues (ascending) of symmetric matrices with diagonals alpha [..., n] and beta [..., n - 1] beside them.

    eigvals_only  False: a pair, the eigenvalues and the eigenvectors (columns).
    select        "a": all; "i": those of the numbers select_range = (first, last), both included; "v": those within
                  (low, high], of one matrix.
    tol           has no meaning here: all are found as exactly as the dtype allows.

    >>> import tensorsmith as tf
    >>> tf.linalg.eigh_tridiagonal([2.0, 2.0], [1.0]).numpy()
    array([1., 3.], dtype=float32)
    """
    if select not in ("a", "i", "v"):
        raise ValueError(f"eigh_tridiagonal: select must be 'a', 'i' or 'v', not {select!r}.")
    alpha, beta = convert(alpha), convert(beta)
    still = [[0, 0]] * (beta.ndim - 1)
    wide = diag(pad(beta, [*still, [0, 1]]))
    # a row up: beta[i] stands at row i + 1 and column i
    below = pad(wide, [*still, [1, 0], [0, 0]])[..., :-1, :]
    # (eigh looks at the lower triangle alone)
    matrix = add(diag(alpha), below)
    values, vectors = (eigvalsh(matrix), None) if eigvals_only else eigh(matrix)
    if select == "i":
        first, last = plain(select_range, "select_range")
        values = values[..., first : last + 1]
        vectors = None if vectors is None else vectors[..., first : last + 1]
    elif select == "v":
        low, high = plain(select_range, "select_range")
        within = (values > low) & (values <= high)
        values = boolean_mask(values, within)
        vectors = None if vectors is None else boolean_mask(vectors, within, axis=1)
    return values if vectors is None else (values, vectors)
