"""Functions that make arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.array_api import facts
from tests.array_api.support import array, arrays, check, dtype, elements, examples, name_of, shapes, values, xp

_names = st.sampled_from(facts.ALL)
_defaults = {kind: name_of(d) for kind, d in xp.__array_namespace_info__().default_dtypes().items()}


@examples
@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5).filter(bool), st.sampled_from(facts.REAL))
def test_arange(start: int, stop: int, step: int, name: str) -> None:
    if name in facts.UNSIGNED:
        start, stop, step = abs(start), abs(stop), abs(step)
    check(xp.arange(start, stop, step, dtype=dtype(name)), np.arange(start, stop, step).astype(name))
    check(xp.arange(start, stop, step), np.arange(start, stop, step), _defaults["integral"])


@examples
@given(st.integers(0, 20), st.sampled_from([0.5, 0.25, 1.5]))
def test_arange_of_floats(stop: int, step: float) -> None:
    check(xp.arange(float(stop)), np.arange(float(stop)), _defaults["real floating"])
    check(xp.arange(0, stop, step), np.arange(0, stop, step), _defaults["real floating"])
    check(xp.arange(stop), np.arange(stop), _defaults["integral"])


@pytest.mark.parametrize("name", facts.ALL)
def test_asarray_of_numbers(name: str) -> None:
    @examples
    @given(arrays([name], shapes(min_side=1)))
    def ask(x: np.ndarray) -> None:
        check(xp.asarray(x.tolist(), dtype=dtype(name)), x)
        kind = {"b": "bool", "i": _defaults["integral"], "u": _defaults["integral"], "f": _defaults["real floating"],
                "c": _defaults["complex floating"]}[x.dtype.kind]  # fmt: skip
        check(xp.asarray(x.tolist()), x, kind, rtol=1e-6, atol=1e-6)

    ask()


@examples
@given(arrays(facts.ALL))
def test_asarray_of_arrays(x: np.ndarray) -> None:
    own = array(x)
    check(xp.asarray(own), x)
    check(xp.asarray(own, dtype=own.dtype, copy=False), x)
    copied = xp.asarray(own, copy=True)
    check(copied, x)
    if x.size and NumPy_like(copied):
        copied[...] = xp.zeros((), dtype=own.dtype)
        check(own, x)


def NumPy_like(x: Any) -> bool:
    """Whether elements can be set."""
    return hasattr(x, "__setitem__") and not type(x).__module__.startswith("jax")


@examples
@given(shapes(), _names)
def test_empty(shape: tuple[int, ...], name: str) -> None:
    found = xp.empty(shape, dtype=dtype(name))
    assert (name_of(found.dtype), tuple(found.shape)) == (name, shape)
    assert name_of(xp.empty(shape).dtype) == _defaults["real floating"]


@examples
@given(arrays(facts.ALL), _names)
def test_empty_like(x: np.ndarray, name: str) -> None:
    for found, expected in (
        (xp.empty_like(array(x)), x.dtype.name),
        (xp.empty_like(array(x), dtype=dtype(name)), name),
    ):
        assert (name_of(found.dtype), tuple(found.shape)) == (expected, x.shape)


@examples
@given(st.integers(0, 5), st.none() | st.integers(0, 5), st.integers(-6, 6), st.sampled_from(facts.NUMERIC))
def test_eye(rows: int, columns: int | None, k: int, name: str) -> None:
    check(xp.eye(rows, columns, k=k, dtype=dtype(name)), np.eye(rows, columns, k, name))
    check(xp.eye(rows), np.eye(rows), _defaults["real floating"])


@examples
@given(shapes(), _names, st.data())
def test_full(shape: tuple[int, ...], name: str, data: Any) -> None:
    value = data.draw(elements(name))
    check(xp.full(shape, value, dtype=dtype(name)), np.full(shape, value, name))
    kind = {"b": "bool", "i": _defaults["integral"], "u": _defaults["integral"], "f": _defaults["real floating"],
            "c": _defaults["complex floating"]}[np.dtype(name).kind]  # fmt: skip
    check(xp.full(shape, value), np.full(shape, value), kind, rtol=1e-6, atol=1e-6)


@examples
@given(arrays(facts.ALL), st.data())
def test_full_like(x: np.ndarray, data: Any) -> None:
    value = data.draw(elements(x.dtype.name))
    check(xp.full_like(array(x), value), np.full_like(x, value))
    other = data.draw(_names)
    check(xp.full_like(array(x), True, dtype=dtype(other)), np.full(x.shape, True, other))


@examples
@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 9), st.booleans(), st.sampled_from(facts.FLOATING))
def test_linspace(start: int, stop: int, num: int, endpoint: bool, name: str) -> None:
    found = xp.linspace(float(start), float(stop), num, dtype=dtype(name), endpoint=endpoint)
    check(found, np.linspace(start, stop, num, endpoint).astype(name), atol=1e-5)
    assert name_of(xp.linspace(start, stop, num).dtype) == _defaults["real floating"]
    if num:
        assert values(found)[0] == start
        if endpoint and num > 1:
            assert values(found)[-1] == stop


@examples
@given(st.lists(st.integers(0, 4), max_size=3), st.sampled_from(["xy", "ij"]), st.sampled_from(facts.NUMERIC))
def test_meshgrid(sizes: list[int], indexing: str, name: str) -> None:
    given = [np.arange(size).astype(name) for size in sizes]
    found = xp.meshgrid(*map(array, given), indexing=indexing)
    expected = np.meshgrid(*given, indexing=indexing)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        check(ours, theirs)


@pytest.mark.parametrize("which", ["ones", "zeros"])
def test_constant_shape(which: str) -> None:
    @examples
    @given(shapes(), _names)
    def ask(shape: tuple[int, ...], name: str) -> None:
        check(getattr(xp, which)(shape, dtype=dtype(name)), getattr(np, which)(shape, name))
        check(getattr(xp, which)(shape), getattr(np, which)(shape), _defaults["real floating"])
        size = math.prod(shape)
        check(getattr(xp, which)(size, dtype=dtype(name)), getattr(np, which)(size, name))

    ask()


@pytest.mark.parametrize("which", ["ones_like", "zeros_like"])
def test_constant_like(which: str) -> None:
    @examples
    @given(arrays(facts.ALL), _names)
    def ask(x: np.ndarray, name: str) -> None:
        check(getattr(xp, which)(array(x)), getattr(np, which)(x))
        check(getattr(xp, which)(array(x), dtype=dtype(name)), getattr(np, which)(x, name))

    ask()


@pytest.mark.parametrize("which", ["tril", "triu"])
def test_triangle(which: str) -> None:
    @examples
    @given(arrays(facts.NUMERIC, shapes(min_dims=2, max_dims=4)), st.integers(-5, 5))
    def ask(x: np.ndarray, k: int) -> None:
        check(getattr(xp, which)(array(x)), getattr(np, which)(x))
        check(getattr(xp, which)(array(x), k=k), getattr(np, which)(x, k))

    ask()


@examples
@given(arrays(facts.ALL))
def test_dlpack(x: np.ndarray) -> None:
    own = array(x)
    check(xp.from_dlpack(own), x)
    check(xp.from_dlpack(own, copy=True), x)
    np.testing.assert_array_equal(np.from_dlpack(own), x)


def test_dlpack_device() -> None:
    kind, number = xp.ones(3).__dlpack_device__()
    assert (int(kind), number) == (1, 0)


@examples
@given(arrays(facts.NUMERIC))
def test_dlpack_of_another_library(x: np.ndarray) -> None:
    check(xp.from_dlpack(np.array(x)), x)


def test_device() -> None:
    x = xp.ones(3)
    assert x.to_device(x.device).device == x.device
    assert xp.zeros(3, device=x.device).device == x.device
    check(xp.asarray([1.0], dtype=xp.float64, device=x.device), np.ones(1))
