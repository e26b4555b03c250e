"""Functions of square matrices, LU factors, matrices of few diagonals."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from tests.support.spine import Draw, Row, row

d = Draw(32)
ONE = (d.normal(2, 3, 3) + 2 * np.eye(3)).astype("float32")
POSITIVE = (np.swapaxes(ONE, -1, -2) @ ONE + np.eye(3)).astype("float32")
COMPLEX = d.complex(3, 3) + 3 * np.eye(3, dtype="complex64")
RIGHT = d.normal(2, 3, 2)
ORDER = np.array([[2, 0, 1], [0, 2, 1]], "int32")
BANDS = d.normal(2, 3, 3) + np.array([[0.0], [3.0], [0.0]], "float32")
TRIANGLE = (d.uniform(0.5, 2.0, 2, 2, 3)).astype("float32")
LOOSE = {"rtol": 2e-4, "atol": 2e-4}
SQUARE = "square ones only"
FITS = "sizes must fit"
NOT_THERE = "what means nothing may be NaN"


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)


def series(m):
    """exp of a matrix by its series, on a 64th of it, squared six times."""
    term = total = np.broadcast_to(np.eye(m.shape[-1]), m.shape)
    for k in range(1, 25):
        term = term @ m / (64 * k)
        total = total + term
    for _ in range(6):
        total = total @ total
    return total


def is_eig(results, inputs, settings):
    e, v = results
    assert e.dtype.kind == v.dtype.kind == "c"
    close(inputs[0] @ v, v * e[..., None, :])
    close(np.abs(np.linalg.det(v)) > 1e-3, True)


def are_eigenvalues(results, inputs, settings):
    (e,) = results
    for values, m in zip(e.reshape(-1, 3), inputs[0].reshape(-1, 3, 3)):
        for value in values:
            close(abs(np.linalg.det(m - value * np.eye(3))), 0)
        close(values.sum(), np.trace(m))


def is_logarithm(results, inputs, settings):
    close(series(results[0]), inputs[0])
    assert (np.abs(np.linalg.eigvals(results[0]).imag) <= np.pi + 1e-3).all()


def parts(both):
    return np.tril(both, -1) + np.eye(both.shape[-1]), np.triu(both)


def is_lu(results, inputs, settings):
    both, order = results
    lower, upper = parts(both)
    assert order.dtype == settings["output_idx_type"]
    assert (np.abs(lower) <= 1.001).all()  # the greatest of a column is the pivot
    assert (np.sort(order, axis=-1) == np.arange(order.shape[-1])).all()  # each row stands once
    close(lower @ upper, np.take_along_axis(inputs[0], order[..., None].astype("int64"), -2))


def put_back(both, order):
    lower, upper = parts(both)
    out = np.empty(both.shape)
    for b in range(len(both)):
        out[b][order[b]] = (lower @ upper)[b]
    return out


def three(diagonals):
    """The matrices, element by element."""
    n = diagonals.shape[-1]
    out = np.zeros((*diagonals.shape[:-2], n, n))
    for i in range(n):
        out[..., i, i] = diagonals[..., 1, i]
        if i + 1 < n:
            out[..., i, i + 1] = diagonals[..., 0, i]
            out[..., i + 1, i] = diagonals[..., 2, i + 1]
    return out


def from_bands(bands, lower):
    count, n = bands.shape[-2:]
    out = np.zeros((*bands.shape[:-2], n, n))
    for i in range(count):
        for j in range(n):
            if lower and j - i >= 0:
                out[..., j, j - i] = bands[..., i, j]
            elif not lower and j + i < n:
                out[..., j, j + i] = bands[..., count - 1 - i, j]
    return out


def solved_bands(bands, rhs, lower=True, adjoint=False):
    m = from_bands(bands, lower)
    return np.linalg.inv(np.swapaxes(m, -1, -2) if adjoint else m) @ rhs


def root(m):
    e, v = np.linalg.eigh(m)
    return (v * np.sqrt(e)[..., None, :]) @ np.swapaxes(v, -1, -2)


def by_circulant(spectrum, x, depth=1):
    """With the matrix of the Fourier transform."""
    turn = np.ones((1, 1))
    for size in spectrum.shape[-depth:]:
        turn = np.kron(turn, scipy.linalg.dft(size))
    found = np.linalg.inv(turn) @ (spectrum.reshape(-1, 1) * (turn @ x))
    return found if np.iscomplexobj(x) else found.real


def toeplitz(col, row, corner="col"):
    out = np.empty((*col.shape, col.shape[-1]), col.dtype)
    for i, j in np.ndindex(out.shape[-2:]):
        out[..., i, j] = row[..., 0] if i == j and corner == "row" else col[..., i - j] if i >= j else row[..., j - i]
    return out


SPECTRUM, GRID = d.uniform(0.5, 2.0, 3), d.uniform(0.5, 2.0, 2, 3)
COLUMN, ROW = d.normal(2, 3), d.normal(2, 3)


ROWS: dict[str, Row] = {
    "eig": Row(None, [((ONE,), {}), ((COMPLEX,), {})], check=is_eig, gradient="only up to a factor", symbolic=SQUARE, nan="NumPy refuses NaN here", wide="complex ones too"),
    "eigvals": Row(None, [((ONE,), {}), ((COMPLEX,), {})], check=are_eigenvalues, gradient="in no order", symbolic=SQUARE, nan="NumPy refuses NaN here", wide="complex ones too"),
    "expm": row(series, (ONE,), (4 * ONE[0],), (COMPLEX,), rtol=1e-4, atol=1e-4, smooth=1, symbolic=SQUARE, nan="the number of squarings hangs on it"),
    "logm": Row(None, [((COMPLEX,), {}), ((POSITIVE.astype("complex64"),), {})], check=is_logarithm, compiled="runs on NumPy alone", symbolic=SQUARE, nan="SciPy refuses NaN here"),
    "sqrtm": row(root, (POSITIVE,), (POSITIVE[0],), **LOOSE, symbolic=SQUARE, nan="SciPy refuses NaN here"),
    "lu": Row(None, [((ONE,), {}), ((ONE[0],), {"output_idx_type": np.dtype("int64")})], check=is_lu, symbolic=SQUARE, gradient="rows are exchanged", nan="LAPACK and XLA spread it differently"),
    "lu_reconstruct": row(put_back, (ONE, ORDER), symbolic=SQUARE),
    "lu_solve": row(lambda both, order, rhs: np.linalg.inv(put_back(both, order)) @ rhs, (ONE, ORDER, RIGHT), **LOOSE, symbolic=SQUARE, nan="LAPACK and XLA spread it differently"),
    "three_diagonals": row(lambda m: np.stack([np.stack([m[..., 0, 1], m[..., 1, 2], 0 * m[..., 0, 0]], -1), np.stack([m[..., i, i] for i in range(3)], -1), np.stack([0 * m[..., 0, 0], m[..., 1, 0], m[..., 2, 1]], -1)], -2), (ONE,), nan="off the diagonals it does not show", symbolic=SQUARE),
    "circulant_product": Row(by_circulant, [((SPECTRUM, ONE[0]), {}), ((COMPLEX[0].copy(), COMPLEX), {}), ((GRID, d.normal(6, 2)), {"depth": 2})], dtype=lambda i, s: i[1].dtype, symbolic=FITS),
    "circulant_kernel": row(lambda spectrum, depth=1: spectrum @ np.linalg.inv(scipy.linalg.dft(3)), (COMPLEX,), rtol=1e-4, default={"depth": "circulant_product tries it"}),
    "toeplitz_product": row(lambda col, row, x, corner="col": toeplitz(col, row, corner) @ x, (COLUMN, ROW, RIGHT), settings=[{}, {"corner": "row"}], **LOOSE, symbolic=FITS, nan="the corner of one of the two means nothing"),
    "toeplitz_dense": row(toeplitz, (COLUMN, ROW), symbolic=FITS, nan="the corner of the row means nothing"),
    "tridiagonal_matmul": row(lambda a, b: three(a) @ b, (BANDS, RIGHT), nan=NOT_THERE, symbolic=FITS),
    "tridiagonal_solve": row(lambda a, b: np.linalg.inv(three(a)) @ b, (BANDS, RIGHT), (BANDS[0], RIGHT), **LOOSE, nan=NOT_THERE, symbolic=FITS),
    "banded_triangular_solve": row(solved_bands, (TRIANGLE, RIGHT), settings=[{}, {"lower": False}, {"adjoint": True}], **LOOSE, nan=NOT_THERE, symbolic=FITS),
}  # fmt: skip
