"""Searching, sorting and sets."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.array_api import facts
from tests.array_api.support import array, arrays, check, examples, name_of, pairs, shapes, values, xp

_INDEXING = name_of(xp.__array_namespace_info__().default_dtypes()["indexing"])
_few = {"low": -3, "high": 3}


@pytest.mark.parametrize("which", ["argmax", "argmin"])
def test_best(which: str) -> None:
    @examples
    @given(arrays(facts.REAL, shapes(min_dims=1, min_side=1), **_few), st.booleans(), st.data())
    def ask(x: np.ndarray, keepdims: bool, data: Any) -> None:
        axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
        expected = getattr(np, which)(x, axis, keepdims=keepdims)
        check(getattr(xp, which)(array(x), axis=axis, keepdims=keepdims), expected, _INDEXING)

    ask()


@examples
@given(arrays(facts.ALL, **_few), st.booleans(), st.data())
def test_count_nonzero(x: np.ndarray, keepdims: bool, data: Any) -> None:
    axis = data.draw(st.none() | (st.integers(-x.ndim, x.ndim - 1) if x.ndim else st.none()))
    found = xp.count_nonzero(array(x), axis=axis, keepdims=keepdims)
    np.testing.assert_array_equal(values(found), np.count_nonzero(x, axis, keepdims=keepdims))
    assert name_of(found.dtype) in (_INDEXING, name_of(xp.__array_namespace_info__().default_dtypes()["integral"]))


@examples
@given(arrays(facts.ALL, shapes(min_dims=1), **_few))
def test_nonzero(x: np.ndarray) -> None:
    found = xp.nonzero(array(x))
    assert isinstance(found, tuple)
    for ours, theirs in zip(found, np.nonzero(x), strict=True):
        check(ours, theirs, _INDEXING)


@examples
@given(arrays(facts.REAL, shapes(max_dims=1, min_dims=1), **_few), st.sampled_from(["left", "right"]), st.data())
def test_searchsorted(x: np.ndarray, side: str, data: Any) -> None:
    wanted = data.draw(arrays([x.dtype.name], **_few))
    ordered = np.sort(x)
    check(xp.searchsorted(array(ordered), array(wanted), side=side), np.searchsorted(ordered, wanted, side), _INDEXING)


@examples
@given(arrays(facts.REAL, shapes(max_dims=1, min_dims=1), **_few), st.data())
def test_searchsorted_with_sorter(x: np.ndarray, data: Any) -> None:
    wanted = data.draw(arrays([x.dtype.name], **_few))
    sorter = np.argsort(x, kind="stable")
    found = xp.searchsorted(array(x), array(wanted), sorter=array(sorter))
    check(found, np.searchsorted(x, wanted, sorter=sorter), _INDEXING)


@examples
@given(pairs(facts.ALL), st.data())
def test_where(given_pair: Any, data: Any) -> None:
    x, y = given_pair
    condition = data.draw(arrays(["bool"], np.broadcast_shapes(x.shape, y.shape)))
    dtype = facts.PROMOTION[x.dtype.name, y.dtype.name]
    check(xp.where(array(condition), array(x), array(y)), np.where(condition, x, y).astype(dtype))


@examples
@given(arrays(facts.NUMERIC), st.data())
def test_where_with_number(x: np.ndarray, data: Any) -> None:
    condition = data.draw(arrays(["bool"], x.shape))
    check(xp.where(array(condition), array(x), 1), np.where(condition, x, np.asarray(1, x.dtype)))
    check(xp.where(array(condition), 1, array(x)), np.where(condition, np.asarray(1, x.dtype), x))


# ---- sorting


def _ordered(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    found = np.sort(x, axis)
    return np.flip(found, axis) if descending else found


@examples
@given(arrays(facts.REAL, shapes(min_dims=1), **_few), st.booleans(), st.booleans(), st.data())
def test_sort(x: np.ndarray, descending: bool, stable: bool, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    check(xp.sort(array(x), axis=axis, descending=descending, stable=stable), _ordered(x, axis, descending))
    check(xp.sort(array(x)), np.sort(x))


@examples
@given(arrays(facts.REAL, shapes(min_dims=1), **_few), st.booleans(), st.booleans(), st.data())
def test_argsort(x: np.ndarray, descending: bool, stable: bool, data: Any) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    found = xp.argsort(array(x), axis=axis, descending=descending, stable=stable)
    assert name_of(found.dtype) == _INDEXING
    places = values(found)
    np.testing.assert_array_equal(np.take_along_axis(x, places, axis), _ordered(x, axis, descending))
    if stable and x.size:
        moved, by = np.moveaxis(x, axis, -1), np.moveaxis(places, axis, -1)
        for row, order in zip(moved.reshape(-1, x.shape[axis]), by.reshape(-1, x.shape[axis])):
            assert all(a < b for a, b in itertools.pairwise(order) if row[a] == row[b])


# ---- sets


def _count(x: np.ndarray) -> Counter:
    return Counter(x.ravel().tolist())


@pytest.mark.parametrize("which", ["unique_all", "unique_counts", "unique_inverse", "unique_values"])
def test_unique(which: str) -> None:
    @examples
    @given(arrays(facts.ALL, **_few))
    def ask(x: np.ndarray) -> None:
        found = getattr(xp, which)(array(x))
        kinds = values(found if which == "unique_values" else found.values)
        assert kinds.dtype == x.dtype
        expected = _count(x)
        assert sorted(map(repr, kinds.tolist())) == sorted(map(repr, expected))
        if which in ("unique_all", "unique_counts"):
            assert dict(zip(kinds.tolist(), values(found.counts).tolist())) == expected
            assert name_of(found.counts.dtype) == _INDEXING
        if which in ("unique_all", "unique_inverse"):
            assert tuple(found.inverse_indices.shape) == x.shape
            np.testing.assert_array_equal(kinds[values(found.inverse_indices)], x)
        if which == "unique_all":
            np.testing.assert_array_equal(x.ravel()[values(found.indices)], kinds)
            first = {value: at for at, value in reversed(list(enumerate(x.ravel().tolist())))}
            assert [first[value] for value in kinds.tolist()] == values(found.indices).tolist()

    ask()


@pytest.mark.parametrize("which", ["unique_all", "unique_counts", "unique_inverse", "unique_values"])
def test_each_nan_is_another(which: str) -> None:
    x = np.asarray([1.0, np.nan, 1.0, np.nan, -0.0, 0.0])
    found = getattr(xp, which)(array(x))
    kinds = values(found if which == "unique_values" else found.values)
    assert np.sum(np.isnan(kinds)) == 2
    assert np.sum(kinds == 0) == 1
    assert kinds.size == 4
    if which in ("unique_all", "unique_counts"):
        assert np.all(values(found.counts)[np.isnan(kinds)] == 1)
