"""`keras.ops` of matrices against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import tensorsmith as tf
from tensorsmith.keras import ops

rng = np.random.default_rng(12)
M = rng.normal(size=(2, 4, 4))
POSITIVE = M @ np.swapaxes(M, -1, -2) + 4 * np.eye(4)
WIDE, TALL = rng.normal(size=(3, 5)), rng.normal(size=(6, 3))
V, W = rng.normal(size=(2, 5, 3))


def close(found, expected) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_factors() -> None:
    lower = ops.cholesky(POSITIVE)
    close(lower, np.linalg.cholesky(POSITIVE))
    upper = ops.cholesky(POSITIVE, upper=True)
    close(upper, np.swapaxes(lower, -1, -2))
    close(ops.cholesky_inverse(lower), np.linalg.inv(POSITIVE))
    close(ops.cholesky_inverse(upper, upper=True), np.linalg.inv(POSITIVE))
    for mode in ("reduced", "complete"):
        q, r = ops.qr(TALL, mode)
        assert q.shape == np.linalg.qr(TALL, mode)[0].shape
        close(q.numpy() @ r.numpy(), TALL)
    for full in (True, False):
        u, s, v = ops.svd(TALL, full_matrices=full)
        assert [u.shape, s.shape, v.shape] == [part.shape for part in np.linalg.svd(TALL, full_matrices=full)]
        close(u.numpy()[:, :3] * s.numpy() @ v.numpy(), TALL)
    close(ops.svd(TALL, compute_uv=False), np.linalg.svd(TALL, compute_uv=False))
    values, vectors = ops.eigh(POSITIVE)
    close(POSITIVE @ vectors.numpy(), vectors * values[:, None, :])
    values, vectors = ops.eig(M)
    close(M @ vectors.numpy(), vectors * values[:, None, :])


def test_lu_in_one() -> None:
    both, rows = ops.lu_factor(M)
    lower, upper = np.tril(both, -1) + np.eye(4), np.triu(both)
    close(np.take_along_axis(lower @ upper, rows.numpy()[..., None], -2), M)


def test_numbers_of_matrices() -> None:
    close(ops.det(M), np.linalg.det(M))
    close(ops.slogdet(M)[0], np.linalg.slogdet(M)[0])
    close(ops.slogdet(M)[1], np.linalg.slogdet(M)[1])
    close(ops.logdet(POSITIVE), np.log(np.linalg.det(POSITIVE)))
    flat = np.outer(V[0], W[0])
    assert int(ops.matrix_rank(flat)) == 1 and int(ops.matrix_rank(flat, tol=1e9)) == 0
    assert ops.det([[1, 2], [3, 4]]).dtype == tf.float32


def test_systems() -> None:
    close(ops.inv(M), np.linalg.inv(M))
    close(ops.pinv(WIDE), np.linalg.pinv(WIDE))
    close(ops.pinv(np.diag([1.0, 1e-3]), rcond=0.1), np.diag([1.0, 0.0]))
    matrix, vector = M[0], rng.normal(size=4)
    close(ops.solve(matrix, vector), np.linalg.solve(matrix, vector))
    close(ops.solve(M, POSITIVE), np.linalg.solve(M, POSITIVE))
    close(ops.solve_triangular(matrix, vector), scipy.linalg.solve_triangular(matrix, vector))
    close(ops.solve_triangular(matrix, vector, lower=True), scipy.linalg.solve_triangular(matrix, vector, lower=True))
    for right in (rng.normal(size=6), rng.normal(size=(6, 2))):
        close(ops.lstsq(TALL, right), np.linalg.lstsq(TALL, right, rcond=None)[0])
    close(ops.lstsq(WIDE, V[0]), np.linalg.lstsq(WIDE, V[0], rcond=None)[0])


def test_products() -> None:
    close(ops.cross(V, W), np.cross(V, W))
    close(ops.cross(V.T, W.T, axis=0), np.cross(V.T, W.T, axis=0))
    close(ops.cross(V.T, W, axisa=0, axisc=0), np.cross(V.T, W, axisa=0, axisc=0))
    close(ops.cross(V, W[:, :2]), np.cross(V, np.c_[W[:, :2], np.zeros(5)]))
    close(ops.cross(V[:, :2], W[:, :2]), V[:, 0] * W[:, 1] - V[:, 1] * W[:, 0])
    close(ops.inner(V, W), np.inner(V, W))
    close(ops.inner(2.0, V), 2 * V)
    close(ops.vdot(V + 1j * W, W - 1j * V), np.vdot(V + 1j * W, W - 1j * V))
    for a, b in [(V, W), (V[0], W), (V, W[0]), (M, V), (V[0], M)]:
        close(ops.kron(a, b), np.kron(a, b))
    assert ops.kron([1, 2], [0.5]).dtype == tf.float32


@pytest.mark.parametrize("k", [-7, -2, -1, 0, 1, 3, 7])
def test_diagonals_and_triangles(k: int) -> None:
    cube = rng.normal(size=(3, 4, 5))
    close(ops.diagonal(cube, k), np.diagonal(cube, k))
    close(ops.diagonal(cube, k, axis1=2, axis2=0), np.diagonal(cube, k, 2, 0))
    close(ops.trace(cube, k, axis1=-2, axis2=-1), np.trace(cube, k, -2, -1))
    for x in (V[0], WIDE):
        close(ops.diag(x, k), np.diag(x, k))
    close(ops.diagflat(V, k), np.diagflat(V, k))
    close(ops.tril(cube, k), np.tril(cube, k))
    close(ops.triu(cube, k), np.triu(cube, k))
    close(ops.tri(3, 5, k), np.tri(3, 5, k))
    assert ops.tri(2, dtype="int32").dtype == tf.int32
    assert ops.trace(tf.ones([2, 2], tf.uint8)).dtype == tf.uint32 and int(ops.trace(tf.fill([200, 200], True))) == 200


def test_of_sizes_known_late() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float64)])
    def f(x):
        return ops.triu(x, 1), ops.kron(x, x), ops.diagonal(x), ops.solve(x[:3, :3], x[:3, 0])

    x = TALL
    for found, expected in zip(f(x), (np.triu(x, 1), np.kron(x, x), np.diagonal(x), np.eye(3)[0]), strict=True):
        close(found, expected)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: ops.qr(TALL, "raw"), "qr: no mode"),
        (lambda: ops.cross([1.0] * 4, [1.0] * 4), "cross: vectors must be of 2 or 3 numbers"),
        (lambda: ops.diag(M), "diag: neither a vector nor a matrix"),
        (lambda: ops.tril([1.0]), "tril: no matrices"),
        (lambda: ops.lstsq(M, M), "lstsq: a must be a matrix, b a matrix or a vector"),
    ],
)
def test_refusals(call, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()
