"""Products, norms, diagonals, inverses, factorisations."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from tests.support.spine import Draw, Row, row

d = Draw(7)
A, B = d.normal(2, 3), d.normal(3, 4)
STACK, OTHER = d.normal(2, 1, 2, 3), d.normal(4, 3, 2)
I, J = d.ints(-4, 5, 2, 3), d.ints(-4, 5, 3, 4)  # noqa: E741
SQUARE = d.normal(2, 3, 3) + 3 * np.eye(3, dtype="float32")
ONE = SQUARE[0].copy()
POSITIVE = (SQUARE @ np.swapaxes(SQUARE, -1, -2)).astype("float32")
TALL = d.normal(2, 4, 3)
VECTOR = d.normal(2, 3)
COMPLEX = d.complex(2, 3)
LOOSE = {"rtol": 2e-4, "atol": 2e-4}
SIGNS = "right up to signs"


def by_sums(a, b, **turn):
    a = (
        np.swapaxes(np.conj(a) if turn.get("adjoint_a") else a, -1, -2)
        if turn.get("transpose_a") or turn.get("adjoint_a")
        else a
    )
    b = (
        np.swapaxes(np.conj(b) if turn.get("adjoint_b") else b, -1, -2)
        if turn.get("transpose_b") or turn.get("adjoint_b")
        else b
    )
    return (a[..., :, :, None] * b[..., None, :, :]).sum(-2)


def each_matrix(function):
    """`function` of every matrix of a stack."""

    def on_stack(x, *rest, **settings):
        flat = x.reshape(-1, *x.shape[-2:])
        found = np.array(
            [
                function(
                    m,
                    *[np.broadcast_to(r, (*x.shape[:-2], *r.shape[-2:])).reshape(-1, *r.shape[-2:])[i] for r in rest],
                    **settings,
                )
                for i, m in enumerate(flat)
            ]
        )
        return found.reshape(*x.shape[:-2], *found.shape[1:])

    return on_stack


def cofactors(m):
    """The determinant by the first row."""
    if len(m) == 1:
        return m[0, 0]
    return sum((-1) ** j * m[0, j] * cofactors(np.delete(m[1:], j, 1)) for j in range(len(m)))


def adjugate(m, adjoint=False):
    m = np.conj(m.T) if adjoint else m
    n = len(m)
    return np.array(
        [[(-1) ** (i + j) * cofactors(np.delete(np.delete(m, j, 0), i, 1)) for j in range(n)] for i in range(n)]
    ) / cofactors(m)


def banded(x, num_lower, num_upper):
    out = np.array(x)
    for *rest, i, j in np.ndindex(x.shape):
        if (num_lower >= 0 and i - j > num_lower) or (num_upper >= 0 and j - i > num_upper):
            out[(*rest, i, j)] = 0
    return out


def norms(x, ord=2.0, axis=None, keepdims=False):
    size = np.abs(x)
    found = size.max(axis, keepdims=True) if ord == np.inf else (size**ord).sum(axis, keepdims=True) ** (1 / ord)
    return found if keepdims else np.squeeze(found, axis)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4)


def t(x):
    return np.conj(np.swapaxes(x, -1, -2))


def is_qr(results, inputs, settings):
    q, r = results
    close(q @ r, inputs[0])
    close(t(q) @ q, np.broadcast_to(np.eye(q.shape[-1]), t(q).shape[:-1] + q.shape[-1:]))
    close(np.tril(r, -1), 0)
    assert q.shape[-1] == (inputs[0].shape[-2] if settings.get("full_matrices") else min(inputs[0].shape[-2:]))


def is_svd(results, inputs, settings):
    s, u, v = results
    n = s.shape[-1]
    close((u[..., :n] * s[..., None, :]) @ t(v[..., :n]), inputs[0])
    close(t(u) @ u, np.broadcast_to(np.eye(u.shape[-1]), t(u).shape[:-1] + u.shape[-1:]))
    assert (np.diff(s) <= 0).all()
    assert (s >= 0).all()


def is_eigen(results, inputs, settings):
    e, v = results
    close(inputs[0] @ v, v * e[..., None, :])
    close(t(v) @ v, np.broadcast_to(np.eye(v.shape[-1]), v.shape))
    assert (np.diff(e) >= 0).all()


def real(inputs, settings):
    return np.abs(inputs[0]).dtype


ROWS: dict[str, Row] = {
    "matmul": Row(
        by_sums,
        [((A, B), {}), ((STACK, OTHER), {}), ((I, J), {}), ((A.T.copy(), B), {"transpose_a": True}), ((A, B.T.copy()), {"transpose_b": True}),
         ((COMPLEX, COMPLEX), {"adjoint_b": True}), ((COMPLEX, COMPLEX), {"adjoint_a": True}),
         ((A, B), {"a_is_sparse": True}), ((A, B), {"b_is_sparse": True})],
        more="sizes must fit",
    ),
    "is_solved": Row(
        lambda found, given: bool(np.isfinite(found).all() or not all(np.isfinite(part).all() for part in given)),
        [((A, [A]), {}), ((A, [A, B]), {}), ((A * np.inf, [A]), {}), ((A * np.nan, [A, B]), {}), ((A * np.inf, [A, B * np.nan]), {})],
        dtype="bool", nan="it asks for NaN",
    ),
    "matvec": Row(
        lambda a, b, **turn: by_sums(a, b[..., None], **turn)[..., 0],
        [((A, VECTOR[0].copy()), {}), ((A.T.copy(), VECTOR[0].copy()), {"transpose_a": True}), ((COMPLEX, COMPLEX[:, 0].copy()), {"adjoint_a": True})],
        symbolic="sizes must fit",
    ),
    "tensordot": Row(
        lambda a, b, axes=2: np.einsum("ij,jk->ik", a, b) if axes == 1 else np.einsum("ij,ij->", a, b) if axes == 2 else np.einsum("ij,kj->ik", a, b),
        [((A, B), {"axes": 1}), ((A, A), {"axes": 2}), ((I, J), {"axes": 1}), ((A, B.T.copy()), {"axes": ((1,), (1,))})], symbolic="sizes must fit",
    ),
    "einsum": Row(
        lambda parts, equation: by_sums(parts[0], parts[1]) if equation == "ij,jk->ik" else np.trace(parts[0]) if equation == "ii->" else parts[0].sum(0)[:, None] * parts[1].sum(1)[:, None] * parts[2].sum(0),
        [(([A, B],), {"equation": "ij,jk->ik"}), (([ONE],), {"equation": "ii->"}), (([A, B, d.normal(2, 5)],), {"equation": "ij,jk,il->jl"})][:2], symbolic="sizes must fit",
    ),
    "cross": row(lambda a, b: np.stack([a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1], a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2], a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]], -1), (VECTOR, d.normal(2, 3)), symbolic="the last size must be known"),
    "vector_norm": row(norms, (A,), (COMPLEX,), settings=[{}, {"ord": 1.0, "axis": 0}, {"ord": 3.0, "axis": -1, "keepdims": True}, {"ord": np.inf, "axis": 1}], dtype=real),
    "matrix_norm": Row(
        lambda x, ord=2, axis=(-2, -1), keepdims=False: np.abs(x).sum(-2).max(-1) if ord == 1 else np.abs(np.moveaxis(x, axis, (-2, -1))).sum(-1).max(-1).reshape((1, -1, 1) if keepdims else -1),
        [((TALL,), {"ord": 1}), ((TALL,), {"ord": np.inf}), ((TALL,), {"ord": np.inf, "axis": (0, 2), "keepdims": True})], symbolic="ranks are checked on stand-ins",
    ),
    "diag": row(lambda v: np.array([[[v[b, i] if i == j else 0 for j in range(3)] for i in range(3)] for b in range(2)], v.dtype), (VECTOR,), (I,)),
    "diag_part": row(lambda m: np.stack([m[..., i, i] for i in range(min(m.shape[-2:]))], -1), (TALL,), (SQUARE,), nan="off the diagonal it does not show"),
    "set_diag": row(lambda m, v: np.array([[[v[b, i] if i == j else m[b, i, j] for j in range(3)] for i in range(m.shape[1])] for b in range(2)]), (SQUARE, VECTOR), (TALL, VECTOR), nan="what stood on the diagonal is gone", symbolic="sizes must fit"),
    "tensor_diag": row(lambda x: np.array([[x.reshape(-1)[i] if i == j else 0 for j in range(x.size)] for i in range(x.size)], x.dtype).reshape(x.shape * 2), (A,), (I,)),
    "tensor_diag_part": row(lambda x: np.array([x.reshape(6, 6)[i, i] for i in range(6)]).reshape(2, 3), (d.normal(2, 3, 2, 3),), nan="off the diagonal it does not show", symbolic="sizes must fit"),
    "band_part": row(banded, (TALL,), (SQUARE,), settings=[{"num_lower": 0, "num_upper": -1}, {"num_lower": 1, "num_upper": 0}, {"num_lower": -1, "num_upper": 1}], nan="beyond the band it does not show"),
    "trace": row(lambda m: sum(m[..., i, i] for i in range(3)), (TALL,), (SQUARE,), nan="off the diagonal it does not show"),
    "det": row(each_matrix(cofactors), (SQUARE,), **LOOSE, symbolic="square ones only"),
    "slogdet": row(lambda m: (np.sign(each_matrix(cofactors)(m)), np.log(np.abs(each_matrix(cofactors)(m)))), (SQUARE,), **LOOSE, symbolic="square ones only"),
    "logdet": row(lambda m: np.log(each_matrix(cofactors)(m)), (POSITIVE,), **LOOSE, gradient="only the lower triangle is looked at", nan="above the diagonal it does not show", symbolic="square ones only"),
    "inv": row(each_matrix(adjugate), (SQUARE,), settings=[{}, {"adjoint": True}], **LOOSE, symbolic="square ones only"),
    "pinv": row(each_matrix(lambda m, rcond=None: np.linalg.inv(m.T @ m) @ m.T), (TALL,), settings=[{}, {"rcond": 1e-4}], **LOOSE, nan="NumPy refuses NaN here", gradient=SIGNS, compiled=True),
    "solve": row(lambda m, r, adjoint=False: each_matrix(adjugate)(t(m) if adjoint else m) @ r, (SQUARE, TALL[:, :3].copy()), settings=[{}, {"adjoint": True}], **LOOSE, symbolic="square ones only"),
    "triangular_solve": row(
        lambda m, r, lower=True, adjoint=False: each_matrix(lambda a, b: scipy.linalg.inv(t(np.tril(a) if lower else np.triu(a)) if adjoint else np.tril(a) if lower else np.triu(a)) @ b)(m, r),
        (SQUARE, TALL[:, :3].copy()), settings=[{}, {"lower": False}, {"adjoint": True}], **LOOSE, symbolic="square ones only", nan="in the other triangle it does not show",
    ),
    "cholesky": row(lambda m: scipy.linalg.cholesky(m[0], lower=True)[None], (POSITIVE[:1],), **LOOSE, gradient="only the lower triangle is looked at", nan="NumPy refuses what is not positive definite", symbolic="positive definite ones only"),
    "lstsq": row(
        lambda m, r, l2_regularizer=0.0: np.linalg.inv(t(m) @ m + l2_regularizer * np.eye(3)) @ t(m) @ r,
        (TALL, d.normal(2, 4, 2)), settings=[{}, {"l2_regularizer": 0.5}], **LOOSE, nan="NumPy refuses NaN here", symbolic="sizes must fit", gradient="by way of pinv",
    ),
    "qr": Row(None, [((TALL,), {}), ((TALL,), {"full_matrices": True})], check=is_qr, **LOOSE, gradient=SIGNS, symbolic="sizes stand in", nan="LAPACK and XLA spread it differently"),
    "svd": Row(None, [((TALL,), {}), ((TALL,), {"full_matrices": True})], check=is_svd, **LOOSE, gradient=SIGNS, nan="NumPy refuses NaN here", symbolic="sizes stand in"),
    "singular_values": row(lambda m: np.sqrt(np.linalg.eigvalsh(t(m) @ m)[..., ::-1]), (TALL,), **LOOSE, nan="NumPy refuses NaN here", symbolic="sizes stand in"),
    "eigh": Row(None, [((POSITIVE,), {})], check=is_eigen, **LOOSE, gradient=SIGNS, nan="NumPy may refuse NaN here", symbolic="square ones only"),
    "eigvalsh": row(lambda m: np.sort(np.roots(np.poly(m[0])).real)[None], (POSITIVE[:1],), rtol=2e-3, atol=2e-3, gradient="only the lower triangle is looked at", nan="NumPy may refuse NaN here", symbolic="square ones only", wide="the oracle finds roots"),
    "matrix_power": row(each_matrix(lambda m, n: m @ m @ m if n == 3 else np.eye(3) if n == 0 else adjugate(m)), (SQUARE,), settings=[{"n": 3}, {"n": -1}, {"n": 0}], **LOOSE, symbolic="square ones only"),
    "matrix_rank": Row(lambda m, tol=None: np.array([np.linalg.matrix_rank(x) for x in m]), [((np.stack([ONE, np.ones((3, 3), "float32")]),), {}), ((np.stack([ONE, np.ones((3, 3), "float32")]),), {"tol": 1e-3})], dtype="int32", symbolic="sizes stand in", nan="NumPy refuses NaN here"),
}  # fmt: skip
