"""Linear algebra: what the factors must be, and values beside NumPy's in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.array_api import facts
from tests.array_api.support import array, arrays, check, examples, name_of, pairs, shapes, values, xp

_small = {"low": -3, "high": 3}
_loose = {"rtol": 2e-3, "atol": 2e-3}


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype({"f": "float64", "c": "complex128"}.get(x.dtype.kind, x.dtype))


def _adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2))


@st.composite
def matrices(draw: Any, dtypes: list[str] = facts.FLOATING, square: bool = False, regular: bool = False) -> np.ndarray:
    batch = draw(shapes(max_dims=2, max_side=2))
    rows, columns = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    x = draw(arrays(dtypes, (*batch, rows, rows if square or regular else columns), **_small))
    # no singular matrix: the diagonal outweighs the rest
    return x + (13 * np.eye(rows)).astype(x.dtype) if regular else x


def _definite(x: np.ndarray) -> np.ndarray:
    """Positive definite matrices."""
    return (x @ _adjoint(x) + np.eye(x.shape[-1])).astype(x.dtype)


def _symmetric(x: np.ndarray) -> np.ndarray:
    return ((x + _adjoint(x)) / 2).astype(x.dtype)


@examples
@given(matrices(square=True), st.booleans())
def test_cholesky(x: np.ndarray, upper: bool) -> None:
    x = _definite(x)
    factor = xp.linalg.cholesky(array(x), upper=upper)
    found = values(factor)
    assert name_of(factor.dtype) == x.dtype.name
    np.testing.assert_array_equal(found, np.triu(found) if upper else np.tril(found))
    check(array(_adjoint(found) @ found if upper else found @ _adjoint(found)), x, **_loose)


@examples
@given(st.sampled_from(facts.NUMERIC), shapes(max_dims=2), st.data())
def test_cross(name: str, batch: tuple[int, ...], data: Any) -> None:
    axis = data.draw(st.integers(-len(batch) - 1, -1))
    shape = list(batch)
    shape.insert(len(batch) + 1 + axis, 3)
    x, y = (data.draw(arrays([name], tuple(shape), **_small)) for _ in range(2))
    expected = np.cross(_wide(x), _wide(y), axis=axis).astype(name)
    check(xp.linalg.cross(array(x), array(y), axis=axis), expected, **(_loose if name in facts.FLOATING else {}))


@examples
@given(matrices(regular=True))
def test_det(x: np.ndarray) -> None:
    expected = np.linalg.det(_wide(x)).astype(x.dtype)
    check(xp.linalg.det(array(x)), expected, rtol=1e-3)


@examples
@given(matrices(facts.ALL), st.data())
def test_diagonal(x: np.ndarray, data: Any) -> None:
    check(xp.linalg.diagonal(array(x)), np.diagonal(x, 0, -2, -1))
    offset = data.draw(st.integers(-x.shape[-2], x.shape[-1]))
    check(xp.linalg.diagonal(array(x), offset=offset), np.diagonal(x, offset, -2, -1))


@examples
@given(matrices(square=True))
def test_eigh(x: np.ndarray) -> None:
    x = _symmetric(x)
    found = xp.linalg.eigh(array(x))
    e, v = values(found.eigenvalues), values(found.eigenvectors)
    real = {"complex64": "float32", "complex128": "float64"}.get(x.dtype.name, x.dtype.name)
    assert (e.dtype.name, v.dtype.name) == (real, x.dtype.name)
    np.testing.assert_allclose((v * e[..., None, :]) @ _adjoint(v), x, **_loose)
    np.testing.assert_allclose(_adjoint(v) @ v, np.broadcast_to(np.eye(x.shape[-1]), x.shape), **_loose)
    assert tuple(found)[0] is found.eigenvalues


@examples
@given(matrices(square=True))
def test_eigvalsh(x: np.ndarray) -> None:
    x = _symmetric(x)
    real = {"complex64": "float32", "complex128": "float64"}.get(x.dtype.name, x.dtype.name)
    check(xp.linalg.eigvalsh(array(x)), np.linalg.eigvalsh(_wide(x)).astype(real), **_loose)


@examples
@given(matrices(regular=True))
def test_inv(x: np.ndarray) -> None:
    check(xp.linalg.inv(array(x)), np.linalg.inv(_wide(x)).astype(x.dtype), rtol=1e-3, atol=1e-5)


def _products(run: Any) -> None:
    @examples
    @given(st.sampled_from(facts.NUMERIC), st.sampled_from(["(m?,n),(n,p?)->(m?,p?)"]), st.data())
    def ask(name: str, signature: str, data: Any) -> None:
        drawn = data.draw(hnp.mutually_broadcastable_shapes(signature=signature, max_dims=2, max_side=3))
        x, y = (data.draw(arrays([name], shape, **_small)) for shape in drawn.input_shapes)
        tolerance = _loose if name in facts.FLOATING else {}
        check(run(array(x), array(y)), np.matmul(_wide(x), _wide(y)).astype(name), **tolerance)

    ask()


def test_matmul() -> None:
    _products(xp.matmul)
    _products(xp.linalg.matmul)


def test_matmul_operator() -> None:
    _products(lambda x, y: x @ y)


@pytest.mark.parametrize("shapes_", [((), (3,)), ((3,), ()), ((2, 3), (2, 3)), ((3,), (2,))])
def test_matmul_of_what_does_not_fit(shapes_: Any) -> None:
    with pytest.raises(Exception):  # noqa: B017
        xp.matmul(xp.ones(shapes_[0]), xp.ones(shapes_[1]))


_NORMS = ["fro", "nuc", 1, 2, -1, -2, math.inf, -math.inf]


@pytest.mark.parametrize("ord_", _NORMS)
def test_matrix_norm(ord_: Any) -> None:
    @examples
    @given(matrices(), st.booleans())
    def ask(x: np.ndarray, keepdims: bool) -> None:
        if 0 in x.shape[-2:]:
            return
        real = {"complex64": "float32", "complex128": "float64"}.get(x.dtype.name, x.dtype.name)
        expected = np.linalg.matrix_norm(_wide(x), ord=ord_, keepdims=keepdims).astype(real)
        check(xp.linalg.matrix_norm(array(x), ord=ord_, keepdims=keepdims), expected, **_loose)

    ask()


@examples
@given(matrices(regular=True), st.integers(-2, 4))
def test_matrix_power(x: np.ndarray, n: int) -> None:
    expected = np.linalg.matrix_power(_wide(x), n).astype(x.dtype)
    check(xp.linalg.matrix_power(array(x), n), expected, rtol=1e-3, atol=1e-3)


@examples
@given(matrices(), st.integers(0, 3))
def test_matrix_rank(x: np.ndarray, repeats: int) -> None:
    if 0 in x.shape[-2:]:
        return
    x[..., 1:, :] *= repeats > 0
    found = xp.linalg.matrix_rank(array(x), rtol=1e-3)
    np.testing.assert_array_equal(values(found), np.linalg.matrix_rank(_wide(x), rtol=1e-3))
    assert name_of(found.dtype) in facts.INTEGER
    assert tuple(xp.linalg.matrix_rank(array(x)).shape) == x.shape[:-2]


@examples
@given(matrices(facts.ALL))
def test_matrix_transpose(x: np.ndarray) -> None:
    check(xp.linalg.matrix_transpose(array(x)), np.swapaxes(x, -1, -2))


@examples
@given(st.sampled_from(facts.NUMERIC), st.data())
def test_outer(name: str, data: Any) -> None:
    x, y = (data.draw(arrays([name], shapes(min_dims=1, max_dims=1), **_small)) for _ in range(2))
    check(xp.linalg.outer(array(x), array(y)), np.outer(x, y), **(_loose if name in facts.FLOATING else {}))


@examples
@given(matrices())
def test_pinv(x: np.ndarray) -> None:
    if x.size:
        for rtol in (1e-3, array(np.full(x.shape[:-2], 1e-3, "float64" if x.dtype.itemsize > 8 else "float32"))):
            expected = np.linalg.pinv(_wide(x), rcond=1e-3).astype(x.dtype)
            if np.linalg.cond(_wide(x)).max() < 100:
                check(xp.linalg.pinv(array(x), rtol=rtol), expected, **_loose)
        found = values(xp.linalg.pinv(array(x)))
        assert found.shape == np.swapaxes(x, -1, -2).shape


@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr(mode: str) -> None:
    @examples
    @given(matrices())
    def ask(x: np.ndarray) -> None:
        found = xp.linalg.qr(array(x), mode=mode)
        q, r = values(found.Q), values(found.R)
        rows, columns = x.shape[-2:]
        inner = rows if mode == "complete" else min(rows, columns)
        assert (q.shape, r.shape) == ((*x.shape[:-1], inner), (*x.shape[:-2], inner, columns))
        assert q.dtype == r.dtype == x.dtype
        np.testing.assert_array_equal(r, np.triu(r))
        np.testing.assert_allclose(q @ r, x, **_loose)
        np.testing.assert_allclose(
            _adjoint(q) @ q, np.broadcast_to(np.eye(inner), (*x.shape[:-2], inner, inner)), **_loose
        )
        assert tuple(found)[0] is found.Q

    ask()


@examples
@given(matrices(regular=True))
def test_slogdet(x: np.ndarray) -> None:
    found = xp.linalg.slogdet(array(x))
    sign, size = np.linalg.slogdet(_wide(x))
    check(found.sign, sign.astype(x.dtype), **_loose)
    check(found.logabsdet, size.astype(values(found.logabsdet).dtype), **_loose)
    assert tuple(found)[0] is found.sign


@examples
@given(matrices(regular=True), st.booleans(), st.data())
def test_solve(x: np.ndarray, vector: bool, data: Any) -> None:
    n = x.shape[-1]
    shape = (n,) if vector else (*x.shape[:-2], n, data.draw(st.integers(0, 3)))
    y = data.draw(arrays([x.dtype.name], shape, **_small))
    right = _wide(y)
    expected = np.linalg.solve(_wide(x), right).astype(x.dtype)
    check(xp.linalg.solve(array(x), array(y)), expected, **_loose)


@pytest.mark.parametrize("full", [True, False])
def test_svd(full: bool) -> None:
    @examples
    @given(matrices())
    def ask(x: np.ndarray) -> None:
        if 0 in x.shape[-2:]:
            return
        found = xp.linalg.svd(array(x), full_matrices=full)
        u, s, vh = values(found.U), values(found.S), values(found.Vh)
        rows, columns = x.shape[-2:]
        k = min(rows, columns)
        assert u.shape[-2:] == (rows, rows if full else k)
        assert vh.shape[-2:] == (columns if full else k, columns)
        assert np.all(np.diff(s, axis=-1) <= 0)
        np.testing.assert_allclose((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], x, **_loose)

    ask()


@examples
@given(matrices())
def test_svdvals(x: np.ndarray) -> None:
    if 0 not in x.shape[-2:]:
        real = {"complex64": "float32", "complex128": "float64"}.get(x.dtype.name, x.dtype.name)
        check(xp.linalg.svdvals(array(x)), np.linalg.svdvals(_wide(x)).astype(real), **_loose)


@pytest.mark.parametrize("where", ["xp", "linalg"])
def test_tensordot(where: str) -> None:
    run = xp.tensordot if where == "xp" else xp.linalg.tensordot

    @examples
    @given(st.sampled_from(facts.NUMERIC), st.data())
    def ask(name: str, data: Any) -> None:
        x = data.draw(arrays([name], (2, 3, 2), **_small))
        for axes, shape in (
            (0, (2,)),
            (1, (2, 4)),
            (2, (3, 2, 1)),
            (((1,), (0,)), (3, 2)),
            (((0, -1), (1, 0)), (2, 2, 3)),
        ):
            y = data.draw(arrays([name], shape, **_small))
            expected = np.tensordot(_wide(x), _wide(y), axes).astype(name)
            check(run(array(x), array(y), axes=axes), expected, **(_loose if name in facts.FLOATING else {}))

    ask()


@examples
@given(matrices(facts.NUMERIC), st.data())
def test_trace(x: np.ndarray, data: Any) -> None:
    offset = data.draw(st.integers(-x.shape[-2], x.shape[-1]))
    name = {"i": "int64", "u": "uint64"}.get(x.dtype.kind, x.dtype.name)
    expected = np.trace(_wide(x), offset, -2, -1, dtype=name if name in facts.INTEGER else None).astype(name)
    check(xp.linalg.trace(array(x), offset=offset), expected, **(_loose if name in facts.FLOATING else {}))


@pytest.mark.parametrize("where", ["xp", "linalg"])
def test_vecdot(where: str) -> None:
    run = xp.vecdot if where == "xp" else xp.linalg.vecdot

    @examples
    @given(st.sampled_from(facts.NUMERIC), st.data())
    def ask(name: str, data: Any) -> None:
        drawn = data.draw(hnp.mutually_broadcastable_shapes(signature="(n),(n)->()", max_dims=2, max_side=3))
        x, y = (data.draw(arrays([name], shape, **_small)) for shape in drawn.input_shapes)
        expected = np.sum(np.conj(_wide(x)) * _wide(y), axis=-1).astype(name)
        check(run(array(x), array(y)), expected, **(_loose if name in facts.FLOATING else {}))
        check(run(array(x), array(y), axis=-1), expected, **(_loose if name in facts.FLOATING else {}))

    ask()


@pytest.mark.parametrize("ord_", [0, 1, 2, 3, 2.5, math.inf, -math.inf, -1, -2])
def test_vector_norm(ord_: float) -> None:
    @examples
    @given(arrays(facts.FLOATING, shapes(min_dims=1, min_side=1), low=0.5, high=4), st.booleans(), st.data())
    def ask(x: np.ndarray, keepdims: bool, data: Any) -> None:
        one = st.integers(-x.ndim, x.ndim - 1)
        pair = st.lists(one, min_size=1, max_size=x.ndim, unique_by=lambda a: a % x.ndim).map(tuple)
        axis = data.draw(st.none() | one | pair)
        real = {"complex64": "float32", "complex128": "float64"}.get(x.dtype.name, x.dtype.name)
        expected = np.linalg.vector_norm(_wide(x), axis=axis, ord=ord_, keepdims=keepdims).astype(real)
        check(xp.linalg.vector_norm(array(x), axis=axis, ord=ord_, keepdims=keepdims), expected, **_loose)

    ask()


@examples
@given(pairs(facts.NUMERIC))
def test_a_product_of_elements_is_no_matrix_product(given_pair: Any) -> None:
    x, y = given_pair
    dtype = facts.PROMOTION[x.dtype.name, y.dtype.name]
    if dtype in facts.INTEGER:
        check(array(x) * array(y), x.astype(dtype) * y.astype(dtype))
