"""Sums, means, extremes, running sums, all and any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.array_api import facts
from tests.array_api.support import array, arrays, check, dtype, examples, quiet, shapes, xp

_some = shapes(min_side=1)


def _axis(x: np.ndarray, data: Any) -> Any:
    one = st.integers(-x.ndim, x.ndim - 1)
    several = st.lists(one, unique_by=lambda a: a % x.ndim, min_size=1, max_size=max(x.ndim, 1)).map(tuple)
    return data.draw(st.one_of(st.none(), *([one, several] if x.ndim else [])))


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype({"f": "float64", "c": "complex128"}.get(x.dtype.kind, _summed(x.dtype.name)))


def _summed(name: str) -> str:
    """The dtype of a sum: of integers at least the default one."""
    if name in facts.SIGNED:
        return "int64"
    return "uint64" if name in facts.UNSIGNED else name


@pytest.mark.parametrize("which", ["max", "min"])
def test_extreme(which: str) -> None:
    @examples
    @given(arrays(facts.REAL, _some), st.booleans(), st.data())
    def ask(x: np.ndarray, keepdims: bool, data: Any) -> None:
        axis = _axis(x, data)
        check(
            getattr(xp, which)(array(x), axis=axis, keepdims=keepdims), getattr(np, which)(x, axis, keepdims=keepdims)
        )

    ask()


@pytest.mark.parametrize("which", ["mean", "std", "var"])
def test_moment(which: str) -> None:
    @examples
    @given(arrays(facts.REAL_FLOATING if which != "mean" else facts.FLOATING, _some), st.booleans(), st.data())
    def ask(x: np.ndarray, keepdims: bool, data: Any) -> None:
        axis = _axis(x, data)
        found = getattr(xp, which)(array(x), axis=axis, keepdims=keepdims)
        check(found, getattr(np, which)(_wide(x), axis, keepdims=keepdims).astype(x.dtype), rtol=1e-4, atol=1e-4)

    ask()


@pytest.mark.parametrize("which", ["std", "var"])
def test_correction(which: str) -> None:
    @examples
    @given(arrays(facts.REAL_FLOATING, _some), st.sampled_from([0.0, 1.0, 0.5, 1, 2]), st.data())
    def ask(x: np.ndarray, correction: float, data: Any) -> None:
        axis = _axis(x, data)
        count = x.size if axis is None else np.prod([x.shape[a] for a in np.atleast_1d(axis)])
        if count > correction:
            expected = getattr(np, which)(_wide(x), axis, ddof=correction).astype(x.dtype)
            check(getattr(xp, which)(array(x), axis=axis, correction=correction), expected, rtol=1e-4, atol=1e-4)

    ask()


@pytest.mark.parametrize("which", ["prod", "sum"])
def test_total(which: str) -> None:
    @examples
    @given(arrays(facts.NUMERIC, low=-3, high=3), st.booleans(), st.data())
    def ask(x: np.ndarray, keepdims: bool, data: Any) -> None:
        axis = _axis(x, data)
        name = _summed(x.dtype.name)
        expected = quiet(getattr(np, which), _wide(x), axis, keepdims=keepdims)
        found = getattr(xp, which)(array(x), axis=axis, keepdims=keepdims)
        size = float(np.max(np.abs(expected), initial=1)) if name in facts.FLOATING else 0.0
        tolerance = {"rtol": 1e-4, "atol": 1e-4 * size} if name in facts.FLOATING else {}
        check(found, expected.astype(name), **tolerance)

    ask()


@pytest.mark.parametrize("which", ["prod", "sum", "cumulative_sum", "cumulative_prod"])
def test_dtype_of_total(which: str) -> None:
    for name in facts.NUMERIC:
        x = xp.ones(3, dtype=dtype(name))
        assert getattr(xp, which)(x).dtype == dtype(_summed(name))
        for wanted in [name] if name in facts.COMPLEX else facts.NUMERIC:
            assert getattr(xp, which)(x, dtype=dtype(wanted)).dtype == dtype(wanted)


@pytest.mark.parametrize("which", ["cumulative_sum", "cumulative_prod"])
def test_running(which: str) -> None:
    @examples
    @given(arrays(facts.NUMERIC, shapes(min_dims=1), low=-3, high=3), st.booleans(), st.data())
    def ask(x: np.ndarray, initial: bool, data: Any) -> None:
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        name = _summed(x.dtype.name)
        wide = _wide(x)
        expected = getattr(np, which)(wide, axis=axis, include_initial=initial)
        found = getattr(xp, which)(array(x), axis=axis, include_initial=initial)
        size = float(np.max(np.abs(expected), initial=1)) if name in facts.FLOATING else 0.0
        tolerance = {"rtol": 1e-4, "atol": 1e-4 * size} if name in facts.FLOATING else {}
        check(found, expected.astype(name), **tolerance)
        if x.ndim == 1:
            check(getattr(xp, which)(array(x)), getattr(np, which)(wide).astype(name), **tolerance)

    ask()


@pytest.mark.parametrize("which", ["all", "any"])
def test_truth(which: str) -> None:
    @examples
    @given(arrays(facts.ALL, low=-1, high=1), st.booleans(), st.data())
    def ask(x: np.ndarray, keepdims: bool, data: Any) -> None:
        axis = _axis(x, data)
        check(
            getattr(xp, which)(array(x), axis=axis, keepdims=keepdims), getattr(np, which)(x, axis, keepdims=keepdims)
        )

    ask()
