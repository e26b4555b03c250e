"""The array object: its attributes, indices, elements that are set, and Python's numbers made of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.array_api import facts
from tests.array_api.support import array, arrays, check, dtype, elements, examples, name_of, shapes, values, xp


@examples
@given(arrays(facts.ALL))
def test_shape_and_size(x: np.ndarray) -> None:
    own = array(x)
    assert isinstance(own.shape, tuple)
    assert (own.shape, own.ndim, own.size) == (x.shape, x.ndim, x.size)


@examples
@given(arrays(facts.ALL, shapes(min_dims=2, max_dims=4)))
def test_transposed(x: np.ndarray) -> None:
    check(array(x).mT, np.swapaxes(x, -1, -2))
    if x.ndim == 2:
        check(array(x).T, x.T)
    check(xp.matrix_transpose(array(x)), np.swapaxes(x, -1, -2))


def test_namespace() -> None:
    found = xp.ones(()).__array_namespace__()
    assert hasattr(found, "cumulative_sum")
    assert hasattr(xp.ones(()).__array_namespace__(api_version="2024.12"), "count_nonzero")
    with pytest.raises(ValueError):
        xp.ones(()).__array_namespace__(api_version="1999.12")


@examples
@given(arrays(facts.ALL, shapes(min_side=1)), st.data())
def test_getitem(x: np.ndarray, data: Any) -> None:
    key = data.draw(hnp.basic_indices(x.shape, allow_newaxis=False))
    check(array(x)[key], x[key])


@examples
@given(arrays(facts.ALL, shapes(min_side=1)), st.data())
def test_getitem_newaxis(x: np.ndarray, data: Any) -> None:
    key = data.draw(hnp.basic_indices(x.shape, allow_newaxis=True, min_dims=1))
    check(array(x)[key], x[key])


@examples
@given(arrays(facts.ALL, shapes(min_dims=1)), st.integers(-3, 3).filter(bool))
def test_getitem_steps(x: np.ndarray, step: int) -> None:
    check(array(x)[::step, ...], x[::step, ...])
    check(array(x)[..., ::step], x[..., ::step])


@examples
@given(arrays(facts.ALL), st.data())
def test_getitem_mask(x: np.ndarray, data: Any) -> None:
    axes = data.draw(st.integers(0, x.ndim))
    mask = data.draw(arrays(["bool"], x.shape[:axes]))
    check(array(x)[array(mask)], x[mask])


@examples
@given(arrays(facts.ALL, shapes(min_dims=1, min_side=1)), st.data())
def test_getitem_places(x: np.ndarray, data: Any) -> None:
    """An array of places for each axis, or an integer."""
    key = []
    length = data.draw(st.integers(0, 4))
    for size in x.shape:
        if data.draw(st.booleans()) and key:
            key.append(data.draw(st.integers(-size, size - 1)))
        else:
            places = data.draw(st.lists(st.integers(-size, size - 1), min_size=length, max_size=length))
            key.append(np.asarray(places, "int64"))
    own = tuple(array(k) if isinstance(k, np.ndarray) else k for k in key)
    check(array(x)[own], x[tuple(key)])


@examples
@given(arrays(facts.ALL, shapes(min_dims=1, min_side=1)), st.data())
def test_getitem_places_that_broadcast(x: np.ndarray, data: Any) -> None:
    key = []
    for at, size in enumerate(x.shape):
        places = data.draw(st.lists(st.integers(-size, size - 1), min_size=1, max_size=3))
        key.append(np.asarray(places, "int64").reshape([-1 if i == at else 1 for i in range(x.ndim)]))
    check(array(x)[tuple(array(k) for k in key)], x[tuple(key)])


@examples
@given(arrays(facts.ALL, shapes(min_side=1)), st.data())
def test_setitem(x: np.ndarray, data: Any) -> None:
    key = data.draw(hnp.basic_indices(x.shape, allow_newaxis=False))
    part = x[key]
    own, expected = xp.asarray(array(x), copy=True), x.copy()
    value = data.draw(elements(x.dtype.name))
    own[key] = value
    expected[key] = value
    check(own, expected)
    new = data.draw(arrays([x.dtype.name], np.shape(part)))
    own[key] = array(new)
    expected[key] = new
    check(own, expected)


@examples
@given(arrays(facts.ALL), st.data())
def test_setitem_mask(x: np.ndarray, data: Any) -> None:
    mask = data.draw(arrays(["bool"], x.shape))
    value = data.draw(elements(x.dtype.name))
    for given_value in (value, array(np.asarray(value, x.dtype))):
        own, expected = xp.asarray(array(x), copy=True), x.copy()
        own[array(mask)] = given_value
        expected[mask] = value
        check(own, expected)


_CASTS = [
    *(("__bool__", name, bool) for name in facts.ALL),
    *(("__int__", name, int) for name in [*facts.INTEGER, *facts.REAL_FLOATING]),
    *(("__index__", name, int) for name in facts.INTEGER),
    *(("__float__", name, float) for name in facts.REAL),
    *(("__complex__", name, complex) for name in facts.NUMERIC),
]


@pytest.mark.parametrize(("method", "name", "kind"), [pytest.param(*c, id=f"{c[0]}({c[1]})") for c in _CASTS])
def test_number(method: str, name: str, kind: type) -> None:
    for value in (np.asarray(0, name), np.asarray(1, name)):
        found = getattr(array(value), method)()
        assert type(found) is kind
        assert found == kind(value.item())


# ---- functions of dtypes


@examples
@given(arrays(facts.ALL), st.sampled_from(facts.ALL), st.booleans())
def test_astype(x: np.ndarray, name: str, copy: bool) -> None:
    if x.dtype.kind == "c" and name not in facts.COMPLEX or (name in facts.UNSIGNED and x.dtype.kind in "fi"):
        return
    check(xp.astype(array(x), dtype(name), copy=copy), x.astype(name))


def test_can_cast() -> None:
    for (name, other), both in facts.PROMOTION.items():
        assert xp.can_cast(dtype(name), dtype(other)) == (both == other), (name, other)
        assert xp.can_cast(xp.ones(2, dtype=dtype(name)), dtype(other)) == (both == other), (name, other)


@pytest.mark.parametrize("name", facts.FLOATING)
def test_finfo(name: str) -> None:
    expected = np.finfo(name)
    for found in (xp.finfo(dtype(name)), xp.finfo(xp.ones(2, dtype=dtype(name)))):
        assert found.bits == expected.bits
        for attribute in ("eps", "max", "min", "smallest_normal"):
            assert isinstance(getattr(found, attribute), float) or NOT_STRICT
            assert getattr(found, attribute) == getattr(expected, attribute)
        assert name_of(found.dtype) == expected.dtype.name


NOT_STRICT = xp.__name__ in ("numpy", "jax.numpy")


@pytest.mark.parametrize("name", facts.INTEGER)
def test_iinfo(name: str) -> None:
    expected = np.iinfo(name)
    for found in (xp.iinfo(dtype(name)), xp.iinfo(xp.ones(2, dtype=dtype(name)))):
        assert (found.bits, found.min, found.max) == (expected.bits, expected.min, expected.max)
        assert name_of(found.dtype) == name


@pytest.mark.parametrize("kind", facts.KINDS)
def test_isdtype(kind: str) -> None:
    for name in facts.ALL:
        assert xp.isdtype(dtype(name), kind) is (name in facts.KINDS[kind])
        assert xp.isdtype(dtype(name), (kind, xp.float64)) is (name in [*facts.KINDS[kind], "float64"])


def test_result_type() -> None:
    for name in facts.ALL:
        assert xp.result_type(dtype(name)) == dtype(name)
    for (a, b), both in facts.PROMOTION.items():
        assert xp.result_type(dtype(a), dtype(b)) == dtype(both)
        assert xp.result_type(xp.ones(2, dtype=dtype(a)), dtype(b), xp.ones((), dtype=dtype(b))) == dtype(both)


# ---- what the namespace tells of itself


def test_info_capabilities() -> None:
    found = xp.__array_namespace_info__().capabilities()
    assert isinstance(found["boolean indexing"], bool)
    assert isinstance(found["data-dependent shapes"], bool)
    assert found["max dimensions"] is None or found["max dimensions"] >= 8


def test_info_devices() -> None:
    info = xp.__array_namespace_info__()
    assert info.default_device() in info.devices() or info.default_device() is None
    assert xp.ones(3, device=info.devices()[0]).device == info.devices()[0]


def test_info_default_dtypes() -> None:
    found = xp.__array_namespace_info__().default_dtypes()
    assert set(found) >= {"real floating", "complex floating", "integral", "indexing"}
    assert found["real floating"] == xp.ones(1).dtype
    assert found["integral"] == xp.arange(3).dtype == xp.asarray(3).dtype
    assert found["complex floating"] == xp.asarray(1j).dtype
    assert found["indexing"] == xp.argmax(xp.ones(3)).dtype


@pytest.mark.parametrize("kind", [None, *facts.KINDS, ("bool", "integral")])
def test_info_dtypes(kind: Any) -> None:
    found = xp.__array_namespace_info__().dtypes(kind=kind)
    kinds = list(facts.KINDS) if kind is None else [kind] if isinstance(kind, str) else kind
    assert set(found) == {name for each in kinds for name in facts.KINDS[each]}
    assert all(found[name] == dtype(name) for name in found)


# ---- copies


@examples
@given(arrays(facts.NUMERIC, shapes(min_dims=1, min_side=1)))
def test_a_slice_is_not_changed_by_what_is_made_of_it(x: np.ndarray) -> None:
    own = array(x)
    other = own + own
    other += other
    check(own, x)
    assert math.prod(values(other).shape) == x.size
