"""Python numbers as one of two arguments of a function, and in front of an operator."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from tests.array_api import facts
from tests.array_api.support import array, examples, xp
from tests.array_api.test_elementwise import compare, limits, scalars


@pytest.mark.parametrize("name", facts.BINARY)
def test_function_of_array_and_number(name: str) -> None:
    @examples
    @given(scalars(name, limits(name)), scalars(name, limits(name)[::-1]))
    def ask(left: Any, right: Any) -> None:
        rule = facts.BINARY[name][1]
        x, number = left
        compare(getattr(xp, name)(array(x), number), name, rule, x, np.asarray(number, x.dtype))
        x, number = right
        compare(getattr(xp, name)(number, array(x)), name, rule, np.asarray(number, x.dtype), x)

    ask()


@pytest.mark.parametrize("name", facts.BINARY_OPERATORS)
def test_operator_behind_number(name: str) -> None:
    function = facts.BINARY_OPERATORS[name]

    @examples
    @given(scalars(function, limits(function)[::-1]))
    def ask(given: Any) -> None:
        x, number = given
        found = getattr(operator, f"__{name}__")(number, array(x))
        compare(found, function, facts.BINARY[function][1], np.asarray(number, x.dtype), x)

    ask()
