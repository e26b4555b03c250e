"""Functions of matrices and matrices of few diagonals: the ways in which they may be given, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(4)
DIAGONALS = RNG.normal(size=(2, 3, 4))
RIGHT = RNG.normal(size=(2, 4, 2))


def dense(diagonals):
    above, main, below = (diagonals[:, i] for i in range(3))
    return np.stack([np.diag(m) + np.diag(a[:-1], 1) + np.diag(b[1:], -1) for a, m, b in zip(above, main, below)])


MATRIX = dense(DIAGONALS)
FORMS = {
    "compact": DIAGONALS,
    "matrix": MATRIX,
    "sequence": [DIAGONALS[:, 0, :-1], DIAGONALS[:, 1], DIAGONALS[:, 2, 1:]],
}


@pytest.mark.parametrize("layout", FORMS)
def test_three_diagonals_in_each_layout(layout: str) -> None:
    found = tf.linalg.tridiagonal_matmul(FORMS[layout], RIGHT, diagonals_format=layout)
    np.testing.assert_allclose(found, MATRIX @ RIGHT)
    found = tf.linalg.tridiagonal_solve(FORMS[layout], RIGHT, diagonals_format=layout)
    np.testing.assert_allclose(MATRIX @ found.numpy(), RIGHT)


def test_right_sides_in_each_form() -> None:
    one = tf.linalg.tridiagonal_solve(DIAGONALS, RIGHT[..., 0])
    np.testing.assert_allclose(np.einsum("bij,bj->bi", MATRIX, one), RIGHT[..., 0])
    turned = np.swapaxes(RIGHT, -1, -2) * 1j
    found = tf.linalg.tridiagonal_solve(DIAGONALS.astype("complex128"), turned, transpose_rhs=True, conjugate_rhs=True)
    np.testing.assert_allclose(MATRIX @ found.numpy(), -1j * RIGHT)


def test_refusals_of_three_diagonals() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="tridiagonal_solve: the matrix is singular"):
        tf.linalg.tridiagonal_solve(np.zeros((3, 4)), RIGHT[0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"compact diagonals have the shape \[\.\.\., 3, n\]"):
        tf.linalg.tridiagonal_matmul(np.zeros((4, 4)), RIGHT[0])
    with pytest.raises(ValueError, match="must be 'compact', 'matrix' or 'sequence', not 'rows'"):
        tf.linalg.tridiagonal_matmul(DIAGONALS, RIGHT, diagonals_format="rows")


def test_eigenvalues_of_three_diagonals() -> None:
    alpha, beta = RNG.normal(size=5), RNG.normal(size=4)
    full = np.diag(alpha) + np.diag(beta, 1) + np.diag(beta, -1)
    e, v = np.linalg.eigh(full)
    np.testing.assert_allclose(tf.linalg.eigh_tridiagonal(alpha, beta), e)
    values, vectors = tf.linalg.eigh_tridiagonal(alpha, beta, eigvals_only=False)
    np.testing.assert_allclose(full @ vectors.numpy(), vectors.numpy() * values.numpy())
    np.testing.assert_allclose(tf.linalg.eigh_tridiagonal(alpha, beta, select="i", select_range=(1, 2)), e[1:3])
    values, vectors = tf.linalg.eigh_tridiagonal(
        alpha, beta, eigvals_only=False, select="v", select_range=(e[0], e[3] + 1e-9)
    )
    np.testing.assert_allclose(values, e[1:4])
    np.testing.assert_allclose(np.abs(vectors), np.abs(v[:, 1:4]), rtol=1e-6)
    with pytest.raises(ValueError, match="select must be 'a', 'i' or 'v', not 'x'"):
        tf.linalg.eigh_tridiagonal(alpha, beta, select="x")


def test_a_root_that_is_complex_is_nan() -> None:
    assert np.isnan(tf.linalg.sqrtm([[-1.0, 0.0], [0.0, 4.0]])).all()
    found = tf.linalg.sqrtm(tf.constant([[-1.0, 0.0], [0.0, 4.0]], tf.complex64)).numpy()
    np.testing.assert_allclose(found @ found, [[-1, 0], [0, 4]], atol=1e-6)
    assert np.isnan(tf.function(tf.linalg.sqrtm)(tf.constant([[-1.0, 0.0], [0.0, 4.0]]))).all()


def test_the_inverse_from_its_factors_and_the_adjoint() -> None:
    matrix = RNG.normal(size=(2, 3, 3))
    np.testing.assert_allclose(tf.linalg.lu_matrix_inverse(*tf.linalg.lu(matrix)) @ matrix, [np.eye(3)] * 2, atol=1e-9)
    np.testing.assert_array_equal(tf.linalg.adjoint(matrix * 1j), -1j * np.swapaxes(matrix, -1, -2))
    np.testing.assert_array_equal(tf.linalg.adjoint(matrix), np.swapaxes(matrix, -1, -2))


def test_sums_that_were_promised() -> None:
    np.testing.assert_array_equal(tf.math.accumulate_n([[1, 2], [3, 4]], shape=[2], tensor_dtype=tf.int32), [4, 6])
    with pytest.raises(ValueError, match="a tensor is not what was promised"):
        tf.math.accumulate_n([[1, 2], [3, 4]], shape=[3])
    with pytest.raises(ValueError, match="at least one tensor"):
        tf.math.accumulate_n([])
    with pytest.raises(tf.errors.InvalidArgumentError, match="truncatediv: integer division by zero"):
        tf.truncatediv([1], [0])


@pytest.mark.parametrize("name", ["eigh", "eig", "slogdet", "qr"])
def test_several_results_of_a_tensor_are_tensors(name: str) -> None:
    matrix = tf.constant([[2.0, 1.0], [1.0, 3.0]])
    for found in (getattr(tf.linalg, name)(matrix), getattr(tf.linalg, name)(tf.Variable(matrix))):
        assert [type(part) for part in found] == [tf.Tensor, tf.Tensor]
    with tf.GradientTape() as tape:
        tape.watch(matrix)
        first = tf.linalg.eigh(matrix).e
    assert tape.gradient(first, matrix).shape == (2, 2)
