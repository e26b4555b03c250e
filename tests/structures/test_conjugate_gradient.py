"""Conjugate gradients against direct solutions."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

conjugate_gradient = tf.linalg.experimental.conjugate_gradient

rng = np.random.default_rng(9)


def positive(*shape: int, kind: str = "float64") -> np.ndarray:
    m = rng.normal(size=shape)
    if kind == "complex128":
        m = m + 1j * rng.normal(size=shape)
    return m @ np.conj(np.swapaxes(m, -1, -2)) + 3 * np.eye(shape[-1])


def operator(matrix) -> tf.linalg.LinearOperator:
    return tf.linalg.LinearOperatorFullMatrix(matrix, is_self_adjoint=True, is_positive_definite=True)


@pytest.mark.parametrize("kind", ["float64", "complex128"])
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("batch", "right"), [((), ()), ((), (3,)), ((2,), ()), ((2, 1), (3,))])
def test_as_a_direct_solution(kind: str, compiled: bool, batch, right) -> None:
    matrix, rhs = positive(*batch, 6, 6, kind=kind), rng.normal(size=(*right, 6)).astype(kind)

    def solved(matrix, rhs):
        return conjugate_gradient(operator(matrix), rhs, tol=1e-12, max_iter=50)

    state = (tf.function(solved) if compiled else solved)(tf.constant(matrix), tf.constant(rhs))
    np.testing.assert_allclose(state.x, np.linalg.solve(matrix, rhs[..., None])[..., 0], rtol=1e-9)
    np.testing.assert_allclose(state.r, rhs - np.squeeze(matrix @ state.x.numpy()[..., None], -1), atol=1e-9)
    assert 3 < int(state.i) <= 12


def test_shapes_known_late() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4], tf.float64), tf.TensorSpec([None, 4], tf.float64)])
    def solved(matrix, rhs):
        return conjugate_gradient(operator(matrix), rhs).x

    matrix, rhs = positive(3, 4, 4), rng.normal(size=(1, 4))
    np.testing.assert_allclose(solved(matrix, rhs), np.linalg.solve(matrix, rhs[..., None])[..., 0], rtol=1e-4)


def test_a_good_preconditioner_and_a_good_guess_save_rounds() -> None:
    diagonal = np.geomspace(1, 1e4, 12)
    matrix = np.diag(diagonal) + 0.1
    rhs = rng.normal(size=12)
    plain = conjugate_gradient(operator(matrix), rhs, max_iter=100)
    near = tf.linalg.LinearOperatorDiag(1 / diagonal)
    better = conjugate_gradient(operator(matrix), rhs, preconditioner=near, max_iter=100)
    exact = np.linalg.solve(matrix, rhs)
    guessed = conjugate_gradient(operator(matrix), rhs, x=exact)
    assert int(guessed.i) == 0 < int(better.i) < int(plain.i)
    np.testing.assert_allclose(better.x, exact, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(guessed.x, exact)
    np.testing.assert_allclose(better.gamma, np.sum(better.r.numpy() ** 2 / diagonal), rtol=1e-9)
    assert int(conjugate_gradient(operator(matrix), rhs, max_iter=2).i) == 2


def test_a_system_that_is_solved_before_the_others() -> None:
    state = conjugate_gradient(operator(positive(5, 5)), np.stack([np.zeros(5), rng.normal(size=5)]))
    np.testing.assert_array_equal(state.x[0], np.zeros(5))
    assert np.isfinite(state.x.numpy()).all()


def test_the_derivative_is_that_of_the_solution() -> None:
    matrix, rhs = tf.constant(positive(4, 4)), tf.constant(rng.normal(size=4))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(rhs)
        found = tf.reduce_sum(conjugate_gradient(operator(matrix), rhs, tol=1e-13).x ** 2)
        direct = tf.reduce_sum(tf.linalg.solve(matrix, rhs[:, None]) ** 2)
    np.testing.assert_allclose(tape.gradient(found, rhs), tape.gradient(direct, rhs), rtol=1e-5)


def test_an_operator_that_promises_nothing() -> None:
    with pytest.raises(ValueError, match=r"does not promise .* is_self_adjoint=True, is_positive_definite=True"):
        conjugate_gradient(tf.linalg.LinearOperatorFullMatrix(positive(2, 2)), [1.0, 2.0])
