"""Special values: each row of `special_cases.py`, in float32 and float64, by the function and by its operators."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from tests.array_api import special_cases
from tests.array_api.support import array, values, xp

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning", "ignore:overflow:RuntimeWarning")


def rows(table: dict[str, list[str]], names: Any = None) -> list[Any]:
    """(name, the function's name, row) of a table, or of the part of it for which operators stand."""
    pairs = [(name, name) for name in table] if names is None else list(names.items())
    return [
        pytest.param(name, function, row, id=f"{name}({row})") for name, function in pairs for row in table[function]
    ]


def _ask(function: Any, row: str, count: int) -> None:
    given, result = special_cases.cases(row, count)
    for name in ("float32", "float64"):
        columns = [np.asarray(column).astype(name) for column in zip(*given)]
        found = values(function(*(array(column) for column in columns)))
        assert found.shape == columns[0].shape
        exact = list(zip(*(column.tolist() for column in columns)))
        wrong = [(x, got) for x, got in zip(exact, found.tolist()) if not special_cases.agrees(result, got, x)]
        assert not wrong, f"{row} in {name}: {wrong[:5]}"


@pytest.mark.parametrize(("name", "function", "row"), rows(special_cases.UNARY))
def test_unary(name: str, function: str, row: str) -> None:
    _ask(getattr(xp, name), row, 1)


@pytest.mark.parametrize(("name", "function", "row"), rows(special_cases.BINARY))
def test_binary(name: str, function: str, row: str) -> None:
    _ask(getattr(xp, name), row, 2)


@pytest.mark.parametrize(("name", "function", "row"), rows(special_cases.BINARY, special_cases.OPERATORS))
def test_operator(name: str, function: str, row: str) -> None:
    _ask(getattr(operator, name), row, 2)


_IN_PLACE = {
    f"__i{name[2:]}": function for name, function in special_cases.OPERATORS.items() if name not in ("__eq__", "__ne__")
}


@pytest.mark.parametrize(("name", "function", "row"), rows(special_cases.BINARY, _IN_PLACE))
def test_in_place(name: str, function: str, row: str) -> None:
    def run(x1: Any, x2: Any) -> Any:
        return getattr(operator, name)(xp.asarray(x1, copy=True), x2)

    _ask(run, row, 2)


@pytest.mark.parametrize("row", special_cases.CLIP)
def test_clip(row: str) -> None:
    condition, result = row.split(" -> ")
    x, low, high = (array(np.float64(word)) for word in condition.split(", "))
    assert special_cases.agrees(result, float(xp.clip(x, low, high)), ())


@pytest.mark.parametrize("name", ["mean", "prod", "std", "sum", "var"])
def test_of_nothing(name: str) -> None:
    found = float(getattr(xp, name)(xp.zeros((0,), dtype=xp.float64)))
    assert special_cases.agrees({"prod": "1", "sum": "+0"}.get(name, "nan"), found, ())


@pytest.mark.parametrize("name", ["max", "mean", "min", "prod", "std", "sum", "var"])
def test_nan_spreads(name: str) -> None:
    for places in ((0,), (1,), (2,)):
        x = np.ones(3)
        x[list(places)] = np.nan
        assert np.isnan(float(getattr(xp, name)(array(x))))
