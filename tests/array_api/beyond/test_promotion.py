"""The dtypes in which values meet: functions, operators, Python numbers."""

from __future__ import annotations

import itertools
import operator

import pytest

from tests.array_api import facts
from tests.array_api.support import dtype, name_of, xp


def _one(name: str, *shape: int):
    return xp.ones(shape, dtype=dtype(name))


@pytest.mark.parametrize("name", facts.UNARY)
def test_function_of_one(name: str) -> None:
    dtypes, rule = facts.UNARY[name]
    for each in dtypes:
        real = {"complex64": "float32", "complex128": "float64"}.get(each, each)
        expected = {"same": each, "bool": "bool", "real": real}[rule]
        assert name_of(getattr(xp, name)(_one(each, 2)).dtype) == expected


def _meetings(dtypes: list[str]) -> list[tuple[str, str, str]]:
    return [(a, b, both) for (a, b), both in facts.PROMOTION.items() if a in dtypes and b in dtypes]


@pytest.mark.parametrize("name", facts.BINARY)
def test_function_of_two(name: str) -> None:
    dtypes, rule = facts.BINARY[name]
    for a, b, both in _meetings(dtypes):
        found = getattr(xp, name)(_one(a, 2), _one(b, 2))
        assert name_of(found.dtype) == ("bool" if rule == "bool" else both), (a, b)


@pytest.mark.parametrize("name", ["where", "concat", "stack", "matmul", "tensordot", "vecdot", "result_type"])
def test_functions_of_more(name: str) -> None:
    for a, b, both in _meetings(facts.NUMERIC if name in ("matmul", "tensordot", "vecdot") else facts.ALL):
        x, y = _one(a, 2, 2), _one(b, 2, 2)
        if name == "result_type":
            assert xp.result_type(x, dtype(b)) == dtype(both)
        elif name == "where":
            assert name_of(xp.where(_one("bool", 2, 2), x, y).dtype) == both
        else:
            found = getattr(xp, name)([x, y]) if name in ("concat", "stack") else getattr(xp, name)(x, y)
            assert name_of(found.dtype) == both, (a, b)


_OPERATORS = {**facts.BINARY_OPERATORS, **facts.COMPARISONS}


@pytest.mark.parametrize("name", _OPERATORS)
def test_operator(name: str) -> None:
    dtypes, rule = facts.BINARY[_OPERATORS[name]]
    for a, b, both in _meetings(dtypes):
        found = getattr(operator, f"__{name}__")(_one(a, 2), _one(b, 2))
        assert name_of(found.dtype) == ("bool" if rule == "bool" else both), (a, b)


@pytest.mark.parametrize("name", facts.BINARY_OPERATORS)
def test_operator_in_place(name: str) -> None:
    for a, b, both in _meetings(facts.BINARY[facts.BINARY_OPERATORS[name]][0]):
        if a == both:
            found = getattr(operator, f"__i{name}__")(_one(a, 2), _one(b, 2))
            assert name_of(found.dtype) == a, (a, b)


_NUMBERS = {"bool": [True], "int": [1], "float": [1, 1.0], "complex": [1, 1.0, 1j]}


def _numbers_for(name: str) -> list:
    return _NUMBERS[name.rstrip("0123456789").removeprefix("u")]


@pytest.mark.parametrize("name", facts.BINARY_OPERATORS)
def test_operator_with_number(name: str) -> None:
    for each in facts.BINARY[facts.BINARY_OPERATORS[name]][0]:
        for number in _numbers_for(each):
            run = getattr(operator, f"__{name}__")
            assert name_of(run(_one(each, 2), number).dtype) == each
            assert name_of(run(number, _one(each, 2)).dtype) == each


@pytest.mark.parametrize("name", facts.COMPARISONS)
def test_comparison_with_number(name: str) -> None:
    for each in facts.BINARY[facts.COMPARISONS[name]][0]:
        for number in _numbers_for(each):
            assert name_of(getattr(operator, f"__{name}__")(_one(each, 2), number).dtype) == "bool"


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "pow", "equal", "where"])
def test_complex_number_beside_floats(name: str) -> None:
    for each, both in (("float32", "complex64"), ("float64", "complex128")):
        x = _one(each, 2)
        found = xp.where(_one("bool", 2), x, 1j) if name == "where" else getattr(xp, name)(x, 1j)
        assert name_of(found.dtype) == ("bool" if name == "equal" else both)


def test_no_shape_and_many_elements_count_alike() -> None:
    for a, b in itertools.product(facts.REAL_FLOATING, repeat=2):
        assert name_of((_one(a) + _one(b, 3)).dtype) == facts.PROMOTION[a, b]
