"""Every name of the standard is there."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.array_api import facts
from tests.array_api.support import xp


def _find(name: str) -> Any:
    found = xp
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", facts.signatures())
def test_function(name: str) -> None:
    assert callable(_find(name))


@pytest.mark.parametrize("name", facts.ALL)
def test_dtype(name: str) -> None:
    found = getattr(xp, name)
    assert found == found
    assert [other for other in facts.ALL if getattr(xp, other) == found] == [name]
    assert xp.zeros((), dtype=found).dtype == found


@pytest.mark.parametrize("name", facts.ATTRIBUTES)
def test_attribute(name: str) -> None:
    assert hasattr(xp.ones((1, 1)), name)


@pytest.mark.parametrize("name", facts.METHODS)
def test_method(name: str) -> None:
    assert callable(getattr(xp.ones((1, 1)), name))


@pytest.mark.parametrize("name", facts.CONSTANTS)
def test_constant(name: str) -> None:
    found = getattr(xp, name)
    if name == "newaxis":
        assert found is None
    elif name == "nan":
        assert math.isnan(found)
    else:
        assert isinstance(found, float)
        assert found == getattr(math, name)


def test_edition() -> None:
    assert xp.__array_api_version__ in ("2024.12", "2025.12")
