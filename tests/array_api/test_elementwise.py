"""Elementwise functions and operators: values, dtypes and shapes beside NumPy's in float64."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.array_api import facts
from tests.array_api.support import array, arrays, check, elements, examples, pairs, quiet, shapes, xp

# where the functions are defined and float32 does not overflow
_LIMITS: dict[str, dict[str, Any]] = {
    **{name: {"low": -1, "high": 1} for name in ("acos", "asin", "atanh")},
    **{name: {"low": -8, "high": 8} for name in ("cosh", "sinh", "exp", "expm1", "tan", "tanh", "logaddexp")},
    **{name: {"low": 0.01, "high": 30} for name in ("log", "log2", "log10", "log1p", "sqrt")},
    "acosh": {"low": 1, "high": 30},
    "reciprocal": {"nonzero": True},
}
_SECOND: dict[str, dict[str, Any]] = {
    **{name: {"nonzero": True} for name in ("divide", "floor_divide", "remainder")},
    **{name: {"low": 0, "high": 5} for name in ("bitwise_left_shift", "bitwise_right_shift")},
    "pow": {"low": 0, "high": 3},
}
_FIRST: dict[str, dict[str, Any]] = {"pow": {"low": 0.1, "high": 3}}


def _result_dtype(name: str, rule: str) -> str:
    if rule == "bool":
        return "bool"
    return {"complex64": "float32", "complex128": "float64"}.get(name, name) if rule == "real" else name


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype({"f": "float64", "c": "complex128"}.get(x.dtype.kind, x.dtype))


def compare(found: Any, function: str, rule: str, *given: np.ndarray) -> None:
    name = given[0].dtype.name
    for other in given[1:]:
        name = facts.PROMOTION[name, other.dtype.name]
    alike = [x.astype(name) for x in given]
    if np.dtype(name).kind not in "fc":
        expected = quiet(getattr(np, function), *alike)
    elif function == "nextafter":
        expected = np.nextafter(*alike)
    else:
        expected = quiet(getattr(np, function), *(_wide(x) for x in alike))
    dtype = _result_dtype(name, rule)
    loose = 2000 * float(np.finfo(name).eps) if np.dtype(name).kind in "fc" else 0.0
    size = float(np.max(np.abs(expected), initial=1.0)) if np.dtype(name).kind == "c" else 1.0
    if dtype in facts.FLOATING and function != "nextafter":
        check(found, expected.astype(dtype), rtol=loose, atol=loose * size)
    else:
        check(found, expected.astype(dtype))


@pytest.mark.parametrize("name", facts.UNARY)
def test_function_of_one(name: str) -> None:
    dtypes, rule = facts.UNARY[name]

    @examples
    @given(arrays(dtypes, **_LIMITS.get(name, {})))
    def ask(x: np.ndarray) -> None:
        compare(getattr(xp, name)(array(x)), name, rule, x)

    ask()


@pytest.mark.parametrize("name", facts.UNARY_OPERATORS)
def test_operator_of_one(name: str) -> None:
    function = facts.UNARY_OPERATORS[name]
    dtypes, rule = facts.UNARY[function]

    @examples
    @given(arrays(dtypes))
    def ask(x: np.ndarray) -> None:
        compare(getattr(operator, name)(array(x)), function, rule, x)

    ask()


def _pairs(function: str) -> Any:
    dtypes = facts.BINARY[function][0]
    if function in ("floor_divide", "remainder"):
        # a quotient near a whole number rounds to either side
        dtypes = [name for name in dtypes if name in facts.INTEGER or name == "float64"]
    limits = _LIMITS.get(function, _FIRST.get(function, {}))
    return pairs(dtypes, _SECOND.get(function), **limits)


@pytest.mark.parametrize("name", facts.BINARY)
def test_function_of_two(name: str) -> None:
    @examples
    @given(_pairs(name))
    def ask(given: tuple[np.ndarray, np.ndarray]) -> None:
        compare(getattr(xp, name)(*map(array, given)), name, facts.BINARY[name][1], *given)

    ask()


_OPERATORS = {**facts.BINARY_OPERATORS, **facts.COMPARISONS}


@pytest.mark.parametrize("name", _OPERATORS)
def test_operator_of_two(name: str) -> None:
    function = _OPERATORS[name]

    @examples
    @given(_pairs(function))
    def ask(given: tuple[np.ndarray, np.ndarray]) -> None:
        found = getattr(operator, f"__{name}__")(*map(array, given))
        compare(found, function, facts.BINARY[function][1], *given)

    ask()


@pytest.mark.parametrize("name", facts.BINARY_OPERATORS)
def test_operator_in_place(name: str) -> None:
    function = facts.BINARY_OPERATORS[name]

    @examples
    @given(_pairs(function))
    def ask(given: tuple[np.ndarray, np.ndarray]) -> None:
        x, y = given
        if (
            np.broadcast_shapes(x.shape, y.shape) != x.shape
            or facts.PROMOTION[x.dtype.name, y.dtype.name] != x.dtype.name
        ):
            return
        own = xp.asarray(array(x), copy=True)
        compare(getattr(operator, f"__i{name}__")(own, array(y)), function, facts.BINARY[function][1], x, y)

    ask()


def scalars(function: str, arguments: tuple[dict[str, Any], dict[str, Any]]) -> Any:
    """An array and a Python number of its kind."""

    @st.composite
    def drawn(draw: Any) -> tuple[np.ndarray, Any]:
        dtypes = facts.BINARY[function][0]
        name = draw(
            st.sampled_from([d for d in dtypes if d != "float32" or function not in ("floor_divide", "remainder")])
        )
        x = draw(arrays([name], shapes(max_dims=2), **arguments[0]))
        return x, draw(elements(name, **arguments[1]))

    return drawn()


def limits(function: str) -> tuple[dict[str, Any], dict[str, Any]]:
    first = _LIMITS.get(function, _FIRST.get(function, {}))
    return first, _SECOND.get(function, first)


@pytest.mark.parametrize("name", _OPERATORS)
def test_operator_with_number(name: str) -> None:
    function = _OPERATORS[name]

    @examples
    @given(scalars(function, limits(function)))
    def ask(given: Any) -> None:
        x, number = given
        found = getattr(operator, f"__{name}__")(array(x), number)
        compare(found, function, facts.BINARY[function][1], x, np.asarray(number, x.dtype))

    ask()


@pytest.mark.parametrize("name", facts.BINARY_OPERATORS)
def test_operator_in_place_with_number(name: str) -> None:
    function = facts.BINARY_OPERATORS[name]

    @examples
    @given(scalars(function, limits(function)))
    def ask(given: Any) -> None:
        x, number = given
        own = xp.asarray(array(x), copy=True)
        found = getattr(operator, f"__i{name}__")(own, number)
        compare(found, function, facts.BINARY[function][1], x, np.asarray(number, x.dtype))

    ask()


@examples
@given(arrays(facts.REAL), st.data())
def test_clip(x: np.ndarray, data: Any) -> None:
    name = x.dtype.name
    low, high = sorted(data.draw(st.lists(elements(name), min_size=2, max_size=2)))
    check(xp.clip(array(x), low, high), np.clip(x, low, high))
    check(xp.clip(array(x), min=low), np.maximum(x, np.asarray(low, name)))
    check(xp.clip(array(x), max=high), np.minimum(x, np.asarray(high, name)))
    check(xp.clip(array(x)), x)
    check(xp.clip(array(x), array(np.asarray(low, name)), array(np.full((2, 1, 1, 1), high, name))),
          np.clip(np.broadcast_to(x, (2, *(1,) * (3 - x.ndim), *x.shape)), low, high))  # fmt: skip
