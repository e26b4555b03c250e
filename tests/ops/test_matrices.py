"""Matrices that are refused, and broadcasting of systems."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

SINGULAR = [[1.0, 2.0], [2.0, 4.0]]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tf.linalg.inv(SINGULAR), "inv: singular matrix (matrix=(2, 2))."),
        (lambda: tf.linalg.solve(SINGULAR, [[1.0], [1.0]]), "solve: singular matrix (matrix=(2, 2))."),
        (lambda: tf.linalg.cholesky([[-1.0]]), "cholesky: matrix is not positive definite (matrix=(1, 1))."),
    ],
)
def test_matrices_without_an_answer(call: object, text: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call()  # type: ignore[operator]
    assert str(caught.value) == text


def test_singular_matrices_are_refused_by_compiled_programs() -> None:
    inverse = tf.function(lambda x: tf.linalg.inv(x))
    solved = tf.function(lambda x, y: tf.linalg.solve(x, y))
    for call, name in (
        (lambda: inverse(tf.constant(SINGULAR)), "inv"),
        (lambda: inverse(tf.stack([tf.eye(2), SINGULAR])), "inv"),
        (lambda: solved(tf.constant(SINGULAR), tf.zeros([2, 1])), "solve"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"^{name}: singular matrix"):
            call()
    # what is given without being finite is no singular matrix
    assert not np.isfinite(solved(tf.eye(2), tf.constant([[np.inf], [1.0]])).numpy()).all()
    assert np.isnan(inverse(tf.fill([2, 2], np.float32(np.nan))).numpy()).all()
    chosen = tf.function(lambda x: tf.cond(tf.linalg.det(x) > 0, lambda: tf.linalg.inv(x), lambda: x))
    assert chosen(tf.constant(SINGULAR)).numpy().tolist() == SINGULAR


def test_matrices_without_a_factor_are_refused_by_compiled_programs() -> None:
    factor = tf.function(lambda x: tf.linalg.cholesky(x))
    for wrong in ([[-1.0]], [[[4.0]], [[-1.0]]]):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"^cholesky: matrix is not positive definite"):
            factor(tf.constant(wrong))
    assert np.isnan(factor(tf.constant([[np.nan]])).numpy()).all()
    half = tf.function(lambda x, y: tf.linalg.triangular_solve(x, y))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^triangular_solve: singular matrix"):
        half(tf.constant([[1.0, 0.0], [3.0, 0.0]]), tf.ones([2, 1]))
    # what is above the diagonal is not looked at
    assert half(tf.constant([[1.0, np.inf], [3.0, 1.0]]), tf.ones([2, 1])).numpy().tolist() == [[1.0], [-2.0]]


def test_systems_broadcast() -> None:
    rng = np.random.default_rng(0)
    matrix, right = rng.normal(size=(2, 1, 3, 3)) + 4 * np.eye(3), rng.normal(size=(4, 3, 2))
    found = tf.linalg.solve(matrix, right).numpy()
    assert found.shape == (2, 4, 3, 2)
    np.testing.assert_allclose(matrix @ found, np.broadcast_to(right, (2, 4, 3, 2)), rtol=1e-9)
    lower = np.tril(matrix)
    again = lower @ tf.linalg.triangular_solve(lower, right).numpy()
    np.testing.assert_allclose(again, np.broadcast_to(right, (2, 4, 3, 2)), rtol=1e-9)


def test_cholesky_solves() -> None:
    a = np.array([[4.0, 1.0], [1.0, 3.0]])
    found = tf.linalg.cholesky_solve(tf.linalg.cholesky(a), [[1.0], [2.0]]).numpy()
    np.testing.assert_allclose(a @ found, [[1], [2]], rtol=1e-12)


def test_the_gradient_of_a_log_determinant_is_the_inverse() -> None:
    a = np.array([[4.0, 1.0], [1.0, 3.0]])
    v = tf.Variable(a)
    with tf.GradientTape() as tape:
        y = tf.linalg.logdet(v)
    gradient = tape.gradient(y, v).numpy()
    # only the symmetric part of it is told by a function of symmetric matrices
    np.testing.assert_allclose((gradient + gradient.T) / 2, np.linalg.inv(a), rtol=1e-10)


def test_factorisations_fit_again() -> None:
    a = np.random.default_rng(1).normal(size=(4, 3))
    s, u, v = tf.linalg.svd(a)
    np.testing.assert_allclose((u.numpy() * s.numpy()) @ v.numpy().T, a, atol=1e-12)
    q, r = tf.linalg.qr(a)
    np.testing.assert_allclose((q @ r).numpy(), a, atol=1e-12)
    e, vectors = tf.linalg.eigh(a.T @ a)
    np.testing.assert_allclose((a.T @ a) @ vectors.numpy(), vectors.numpy() * e.numpy(), atol=1e-12)
    assert tf.linalg.matrix_rank([[1.0, 1.0], [1.0, 1.0]]).numpy() == 1
    np.testing.assert_allclose(a @ tf.linalg.pinv(a).numpy() @ a, a, atol=1e-12)


def test_products_by_letters_and_axes() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    assert tf.einsum("ij, jk -> ik", a, b).numpy().tolist() == (a @ b).tolist()
    assert tf.einsum("ij->ji", a).shape == (3, 2)
    assert tf.tensordot(a, b, [[1], [0]]).numpy().tolist() == (a @ b).tolist()
    assert tf.tensordot(a, a, 2).numpy() == (a * a).sum()
    assert tf.matmul([[1, 2]], [[3], [4]]).dtype is tf.int32
    assert tf.linalg.matvec(a, [1.0, 1.0, 1.0]).numpy().tolist() == a.sum(1).tolist()
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.matmul(tf.ones([2, 2, 3]), tf.ones([3, 3, 4]))
    assert str(caught.value) == "matmul: the leading axes do not broadcast (a=(2, 2, 3), b=(3, 3, 4))."
    with pytest.raises(tf.errors.InvalidArgumentError, match="it multiplies matrices"):
        tf.matmul(2.0, a)


def test_diagonals_beside_the_main_one() -> None:
    x = tf.reshape(tf.range(12), [3, 4])
    outside = np.abs(np.arange(4) - np.arange(3)[:, None] - 0.5) > 1.5
    for align in ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT"):
        band = tf.linalg.diag_part(x, k=(-1, 2), padding_value=-1, align=align)
        assert band.shape == (4, 3)
        again = tf.linalg.diag(band, k=(-1, 2), num_rows=3, num_cols=4, padding_value=8, align=align)
        np.testing.assert_array_equal(again, np.where(outside, 8, x))
        np.testing.assert_array_equal(tf.linalg.set_diag(x * 0 + 8, band, k=(-1, 2), align=align), again)
    np.testing.assert_array_equal(tf.linalg.diag_part(x, k=1), [1, 6, 11])
    np.testing.assert_array_equal(tf.linalg.diag([1, 2], k=-1, padding_value=5), [[5, 5, 5], [1, 5, 5], [5, 2, 5]])
    np.testing.assert_array_equal(tf.linalg.diag([1], num_cols=2), [[1, 0]])
    np.testing.assert_array_equal(tf.linalg.set_diag(tf.zeros([2, 2]), [3.0], k=-1), [[0, 0], [3, 0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.linalg.diag_part([[1]], k=1), r"not so many diagonals .* k is from 0 to 0"),
        (lambda: tf.linalg.diag_part([1], k=1), "it takes matrices"),
        (lambda: tf.linalg.diag([[1]], k=(0, 1)), "a row for each diagonal"),
        (lambda: tf.linalg.diag([1, 2], num_rows=1), "the diagonals do not fit"),
        (lambda: tf.linalg.diag([1, 2], k=(1, 0)), "two that rise"),
        (lambda: tf.linalg.diag([1, 2], k=1, align="LEFT"), "no such alignment"),
        (lambda: tf.linalg.set_diag([[1, 2], [3, 4]], [1, 2], k=1), r"must be \(1, 1\), not \(1, 2\)"),
    ],
)
def test_diagonals_that_are_not_there(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("call", [tf.matmul, tf.function(lambda a, b: a @ b)], ids=["eager", "traced"])
@pytest.mark.parametrize(("a", "b"), [([2], [2]), ([2, 2], [2]), ([2], [2, 2]), ([3, 2, 2], [2])])
def test_a_vector_is_no_matrix(call, a: list[int], b: list[int]) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"it multiplies matrices .*tf\.linalg\.matvec"):
        call(tf.ones(a), tf.ones(b))


@pytest.mark.parametrize(("a", "b"), [([4], [4]), ([3, 4], [4]), ([4], [4, 2]), ([5, 3, 4], [4]), ([4], [5, 4, 2])])
def test_keras_multiplies_vectors_too(a: list[int], b: list[int]) -> None:
    rng = np.random.default_rng(1)
    left, right = rng.normal(size=a), rng.normal(size=b)
    found = tf.keras.ops.matmul(left, right)
    np.testing.assert_allclose(found, np.matmul(left, right), rtol=1e-5)
    assert found.shape == np.matmul(left, right).shape


def test_results_have_names_of_their_own() -> None:
    assert type(tf.linalg.slogdet(tf.eye(2))).__name__ == "LogMatrixDeterminant"
    assert type(tf.math.top_k([1.0, 2.0])).__name__ == "TopKV2"
