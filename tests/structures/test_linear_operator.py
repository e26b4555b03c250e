"""Linear operators: each does what its matrix, written out in NumPy, does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import tensorsmith as tf

L = tf.linalg
RNG = np.random.default_rng(12)


def normal(*shape: int, dtype: str = "float64") -> np.ndarray:
    values = RNG.normal(size=shape)
    return values + 1j * RNG.normal(size=shape) if dtype.startswith("complex") else values


def wide(*shape: int, dtype: str = "float64") -> np.ndarray:
    """Matrices that are far from singular."""
    return normal(*shape, dtype=dtype) + 4 * np.eye(shape[-1])


def circulant(spectrum: np.ndarray) -> np.ndarray:
    """F^-1 diag(spectrum) F, with the matrix of the Fourier transform over all axes."""
    turn: Any = np.ones((1, 1))
    for size in spectrum.shape:
        turn = np.kron(turn, scipy.linalg.dft(size))
    return np.linalg.inv(turn) @ np.diag(spectrum.reshape(-1)) @ turn


def tridiagonal(d: np.ndarray) -> np.ndarray:
    return np.diag(d[1]) + np.diag(d[0, :-1], 1) + np.diag(d[2, 1:], -1)


def each(function: Callable[..., np.ndarray], *stacks: np.ndarray) -> np.ndarray:
    return np.stack([function(*parts) for parts in zip(*stacks)])


def cases() -> dict[str, tuple[Any, np.ndarray]]:
    """{name: (operator, its matrix)}."""
    found: dict[str, tuple[Any, np.ndarray]] = {}
    for dtype in ("float64", "complex128"):
        tag = dtype[0]
        diag, matrix, batch = normal(3, dtype=dtype) + 3, wide(3, 3, dtype=dtype), wide(2, 3, 3, dtype=dtype)
        small, axis, three = (
            wide(2, 2, dtype=dtype),
            normal(3, dtype=dtype),
            normal(3, 4, dtype=dtype) + np.array([[0], [4], [0]]),
        )
        col, row, u, v = (normal(n, dtype=dtype) for n in (4, 4, 3, 3))
        col[0] += 9
        update = normal(2, dtype=dtype) + 3
        u, v = normal(3, 2, dtype=dtype), normal(3, 2, dtype=dtype)
        full, one = L.LinearOperatorFullMatrix(matrix), L.LinearOperatorFullMatrix(small)
        stack = L.LinearOperatorFullMatrix(batch)
        low = np.tril(batch)
        spectrum = normal(4, dtype="complex128") + 4
        pair = L.LinearOperatorBlockLowerTriangular([[one], [L.LinearOperatorFullMatrix(matrix[:, :2]), full]])
        blocks = scipy.linalg.block_diag(small, matrix)
        lower = blocks.copy()
        lower[2:, :2] = matrix[:, :2]
        found |= {
            f"identity {tag}": (L.LinearOperatorIdentity(3, dtype=dtype), np.eye(3)),
            f"identities {tag}": (L.LinearOperatorIdentity(3, batch_shape=[2], dtype=dtype), np.stack([np.eye(3)] * 2)),
            f"scaled {tag}": (L.LinearOperatorScaledIdentity(3, diag[:2]), diag[:2, None, None] * np.eye(3)),
            f"diag {tag}": (L.LinearOperatorDiag(diag), np.diag(diag)),
            f"full {tag}": (full, matrix),
            f"fulls {tag}": (stack, batch),
            f"triangular {tag}": (L.LinearOperatorLowerTriangular(batch), low),
            f"permutation {tag}": (L.LinearOperatorPermutation([2, 0, 1], dtype), np.eye(3)[[2, 0, 1]]),
            f"householder {tag}": (
                L.LinearOperatorHouseholder(axis), np.eye(3) - 2 * np.outer(axis, axis.conj()) / np.vdot(axis, axis),
            ),
            f"tridiag {tag}": (L.LinearOperatorTridiag(three), tridiagonal(three)),
            f"toeplitz {tag}": (L.LinearOperatorToeplitz(col, row), scipy.linalg.toeplitz(col, row)),
            f"composition {tag}": (L.LinearOperatorComposition([full, stack]), matrix @ batch),
            f"adjoint {tag}": (L.LinearOperatorAdjoint(stack), np.conj(np.swapaxes(batch, -1, -2))),
            f"inversion {tag}": (L.LinearOperatorInversion(stack), np.linalg.inv(batch)),
            f"kronecker {tag}": (L.LinearOperatorKronecker([full, one]), np.kron(matrix, small)),
            f"kroneckers {tag}": (L.LinearOperatorKronecker([stack, one]), each(lambda m: np.kron(m, small), batch)),
            f"low rank {tag}": (L.LinearOperatorLowRankUpdate(full, u, update, v), matrix + u * update @ v.conj().T),
            f"low rank of ones {tag}": (L.LinearOperatorLowRankUpdate(stack, u), batch + u @ u.conj().T),
            f"blocks {tag}": (L.LinearOperatorBlockDiag([one, full]), blocks),
            f"batched blocks {tag}": (
                L.LinearOperatorBlockDiag([one, stack]), each(lambda m: scipy.linalg.block_diag(small, m), batch),
            ),
            f"lower blocks {tag}": (pair, lower),
        }  # fmt: skip
    found |= {
        "circulant": (L.LinearOperatorCirculant(spectrum, tf.complex128), circulant(spectrum)),
        "circulant 2": (
            L.LinearOperatorCirculant2D(spectrum.reshape(2, 2), tf.complex128), circulant(spectrum.reshape(2, 2)),
        ),
        "circulant 3": (
            L.LinearOperatorCirculant3D(spectrum.reshape(2, 2, 1), tf.complex128), circulant(spectrum.reshape(2, 2, 1)),
        ),
        "circulant of reals": (
            L.LinearOperatorCirculant(np.array([5.0, 2.0, 1.0, 2.0]), tf.float64), circulant(np.array([5.0, 2.0, 1.0, 2.0])).real,
        ),
    }  # fmt: skip
    return found


CASES = cases()
SQUARE = pytest.mark.parametrize("name", CASES)


def adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2))


def right_side(operator: Any, columns: int = 2) -> np.ndarray:
    rows = operator.shape[-1]
    values = np.arange(rows * columns, dtype="float64").reshape(rows, columns) ** 1.3 - 2
    return values * (1 + 0.5j) if operator.dtype.is_complex else values


def close(found: Any, right: Any) -> None:
    found = np.asarray(found)
    assert found.shape == np.shape(right)
    np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9)


@SQUARE
def test_products(name: str) -> None:
    operator, matrix = CASES[name]
    x = right_side(operator)
    assert tuple(operator.shape) == matrix.shape
    assert operator.to_dense().dtype == operator.dtype
    close(operator.to_dense(), matrix)
    close(operator.matmul(x), matrix @ x)
    close(operator @ x, matrix @ x)
    close(operator.matmul(x, adjoint=True), adjoint(matrix) @ x)
    close(operator.matmul(adjoint(x), adjoint_arg=True), matrix @ x)
    close(operator.matvec(x[:, 0]), matrix @ x[:, 0])
    close(operator.matvec(x[:, 0], adjoint=True), adjoint(matrix) @ x[:, 0])
    close(operator.add_to_tensor(np.ones(matrix.shape[-2:], matrix.dtype)), matrix + 1)


@SQUARE
def test_solutions(name: str) -> None:
    operator, matrix = CASES[name]
    x = right_side(operator)
    inverse = np.linalg.inv(matrix)
    close(operator.solve(x), inverse @ x)
    close(operator.solve(x, adjoint=True), adjoint(inverse) @ x)
    close(operator.solve(adjoint(x), adjoint_arg=True), inverse @ x)
    close(operator.solvevec(x[:, 0]), inverse @ x[:, 0])
    close(operator.inverse().to_dense(), inverse)
    close(operator.inverse().matmul(x), inverse @ x)
    close(operator.adjoint().to_dense(), adjoint(matrix))
    close(operator.H.matmul(x), adjoint(matrix) @ x)


@SQUARE
def test_numbers(name: str) -> None:
    operator, matrix = CASES[name]
    close(operator.determinant(), np.linalg.det(matrix))
    close(operator.log_abs_determinant(), np.log(np.abs(np.linalg.det(matrix))))
    close(operator.trace(), np.trace(matrix, axis1=-2, axis2=-1))
    close(operator.diag_part(), np.diagonal(matrix, axis1=-2, axis2=-1))
    close(operator.cond(), np.linalg.cond(matrix))
    # the characteristic polynomial knows no order
    values = np.asarray(operator.eigvals()).reshape(-1, matrix.shape[-1])
    for found, m in zip(
        values, np.broadcast_to(matrix, (len(values), *matrix.shape[-2:])) if matrix.ndim == 2 else matrix
    ):
        np.testing.assert_allclose(np.poly(found), np.poly(np.linalg.eigvals(m)), rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(operator.shape_tensor(), matrix.shape)
    operator.assert_non_singular()


@SQUARE
def test_compiled(name: str) -> None:
    operator, matrix = CASES[name]
    x = right_side(operator)
    product, solution = tf.function(lambda x: (operator.matmul(x), operator.solve(x, adjoint=True)))(tf.constant(x))
    close(product, matrix @ x)
    close(solution, np.linalg.inv(adjoint(matrix)) @ x)


def test_what_is_not_square() -> None:
    matrix = normal(2, 3)
    operator = L.LinearOperatorFullMatrix(matrix)
    close(operator.diag_part(), np.diagonal(matrix))
    assert operator.is_square is False
    assert (operator.domain_dimension, operator.range_dimension) == (3, 2)
    for call in (operator.determinant, operator.inverse, lambda: operator.solve(matrix)):
        with pytest.raises(ValueError, match=r"the operator is not square \(shape=\(2, 3\)\)"):
            call()
    kron = L.LinearOperatorKronecker([operator, L.LinearOperatorIdentity(2, dtype="float64")])
    close(kron.to_dense(), np.kron(matrix, np.eye(2)))
    close(kron.matmul(np.ones((6, 1))), np.kron(matrix, np.eye(2)).sum(1, keepdims=True))
    close(kron.matmul(np.ones((4, 1)), adjoint=True), np.kron(matrix, np.eye(2)).sum(0)[:, None])
    zeros = L.LinearOperatorZeros(2, 3, is_square=False, dtype="float64")
    close(zeros.matmul(np.ones((3, 1))), np.zeros((2, 1)))
    close(zeros.matmul(np.ones((2, 1)), adjoint=True), np.zeros((3, 1)))
    close(zeros.to_dense(), np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"x must be matrices of 3 rows"):
        operator.matmul(np.ones((2, 2)))


def test_products_of_operators_are_operators() -> None:
    diag, full = L.LinearOperatorDiag([1.0, 2.0]), L.LinearOperatorFullMatrix([[1.0, 2.0], [3.0, 4.0]])
    assert type(diag @ diag) is L.LinearOperatorDiag
    assert L.LinearOperatorIdentity(2) @ full is full
    assert type(diag @ full) is L.LinearOperatorComposition
    close((full @ diag).to_dense(), [[1, 4], [3, 8]])
    close(full.matmul(diag, adjoint=True).to_dense(), [[1, 6], [2, 8]])
    close(full.solve(full).to_dense(), np.eye(2))
    with pytest.raises(ValueError, match="operators do not fit"):
        full @ L.LinearOperatorIdentity(3)


def test_cholesky_of_what_promises_it() -> None:
    matrix = normal(3, 3)
    positive = matrix @ matrix.T + np.eye(3)
    operator = L.LinearOperatorFullMatrix(positive, is_positive_definite=True, is_self_adjoint=True)
    factor = operator.cholesky()
    assert type(factor) is L.LinearOperatorLowerTriangular
    close(factor.to_dense(), np.linalg.cholesky(positive))
    close(operator.eigvals(), np.linalg.eigvalsh(positive))
    close(L.LinearOperatorDiag([4.0, 9.0], is_positive_definite=True).cholesky().to_dense(), np.diag([2.0, 3.0]))
    with pytest.raises(ValueError, match="must promise that it has one"):
        L.LinearOperatorFullMatrix(positive).cholesky()


def test_checks() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="singular"):
        L.LinearOperatorFullMatrix([[1.0, 1.0], [1.0, 1.0]]).assert_non_singular()
    with pytest.raises(tf.errors.InvalidArgumentError, match="not self-adjoint"):
        L.LinearOperatorFullMatrix([[1.0, 2.0], [1.0, 1.0]]).assert_self_adjoint()
    with pytest.raises(tf.errors.InvalidArgumentError, match="not positive definite"):
        L.LinearOperatorDiag([1.0, -1.0]).assert_positive_definite()
    with pytest.raises(tf.errors.InvalidArgumentError, match="spectrum is not Hermitian"):
        L.LinearOperatorCirculant([1.0, 2.0, 3.0]).assert_hermitian_spectrum()
    L.LinearOperatorCirculant([1.0, 2.0, 2.0]).assert_hermitian_spectrum()
    L.LinearOperatorDiag([1.0, 2.0]).assert_positive_definite()
    L.LinearOperatorDiag([1.0, 2.0]).assert_self_adjoint()


def test_gradients_flow_to_what_it_is_made_of() -> None:
    diag = tf.Variable([1.0, 2.0], dtype=tf.float64)
    operator = L.LinearOperatorDiag(diag)
    assert operator.trainable_variables == (diag,)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(operator.solvevec([3.0, 4.0]))
    np.testing.assert_allclose(tape.gradient(total, diag), [-3.0, -1.0])
    diag.assign([2.0, 4.0])
    close(operator.matvec([1.0, 1.0]), [2.0, 4.0])


def test_an_operator_of_ones_own() -> None:
    class Shift(tf.linalg.LinearOperator):
        def __init__(self, size: int) -> None:
            self.size = size
            super().__init__(tf.float64, is_square=True)

        def _shape(self) -> Any:
            return (self.size, self.size)

        def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
            return tf.roll(tf.linalg.adjoint(x) if adjoint_arg else x, -1 if adjoint else 1, axis=-2)

    operator, matrix = Shift(3), np.roll(np.eye(3), 1, 0)
    close(operator.to_dense(), matrix)
    close(operator.solvevec([1.0, 2.0, 3.0]), [2.0, 3.0, 1.0])
    close(operator.determinant(), 1.0)
    close(operator.adjoint().matvec([1.0, 2.0, 3.0]), [2.0, 3.0, 1.0])


def test_pieces_of_blocks() -> None:
    operator = L.LinearOperatorBlockDiag([L.LinearOperatorIdentity(1), L.LinearOperatorDiag([2.0, 3.0])])
    first, second = operator.matmul([tf.ones([1, 2]), tf.ones([2, 2])])
    close(first, np.ones((1, 2)))
    close(second, [[2, 2], [3, 3]])
    with pytest.raises(ValueError, match=r"rows are not of 1, 2, 3, \.\.\. operators \(lengths=\[2\]\)"):
        L.LinearOperatorBlockLowerTriangular([[operator, operator]])
    with pytest.raises(ValueError, match="the list of operators is empty"):
        L.LinearOperatorBlockDiag([])


def test_the_kernel_of_a_convolution() -> None:
    kernel = np.array([3.0, 1.0, 0.0, 1.0])
    operator = L.LinearOperatorCirculant(np.fft.fft(kernel), tf.float64)
    close(operator.convolution_kernel(), kernel)
    close(operator.to_dense(), scipy.linalg.circulant(kernel))
