"""Every function and method takes the arguments of the standard."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from tests.array_api import facts
from tests.array_api.support import xp

_KINDS = inspect.Parameter


def _wanted(parameters: str) -> list[inspect.Parameter]:
    made: dict[str, Any] = {}
    exec(f"def function({parameters}): ...", made)
    return list(inspect.signature(made["function"]).parameters.values())


def _compare(found: Any, parameters: str) -> None:
    try:
        have = inspect.signature(found).parameters
    except (ValueError, TypeError):
        pytest.skip("a function that does not tell its parameters")
    order = list(have)
    wanted = _wanted(parameters)
    for at, parameter in enumerate(wanted):
        if parameter.kind is _KINDS.VAR_POSITIONAL:
            assert any(p.kind is _KINDS.VAR_POSITIONAL for p in have.values())
            continue
        if parameter.kind is _KINDS.POSITIONAL_ONLY:
            # its name is nobody's business
            own = have[order[at]]
            assert own.kind in (_KINDS.POSITIONAL_ONLY, _KINDS.POSITIONAL_OR_KEYWORD, _KINDS.VAR_POSITIONAL)
        else:
            assert parameter.name in have, f"{parameter.name} is missing"
            own = have[parameter.name]
            assert own.kind in (parameter.kind, _KINDS.POSITIONAL_OR_KEYWORD)
            if parameter.kind is _KINDS.POSITIONAL_OR_KEYWORD:
                assert order.index(parameter.name) == at
        if own.kind is not _KINDS.VAR_POSITIONAL:
            assert (own.default is _KINDS.empty) == (parameter.default is _KINDS.empty), f"{own}, expected {parameter}"
        if isinstance(own.default, (int, float, str, tuple)):
            assert own.default == parameter.default, f"{own}, expected {parameter}"
    names = {parameter.name for parameter in wanted}
    positional = sum(p.kind is _KINDS.POSITIONAL_ONLY for p in wanted)
    for at, extra in enumerate(have.values()):
        if at >= positional and extra.name not in names:
            needless = extra.default is not _KINDS.empty or extra.kind in (_KINDS.VAR_POSITIONAL, _KINDS.VAR_KEYWORD)
            assert needless, f"{extra} is asked for"


@pytest.mark.parametrize("name", facts.signatures())
def test_function(name: str) -> None:
    found = xp
    for part in name.split("."):
        found = getattr(found, part)
    _compare(found, facts.signatures()[name])


@pytest.mark.parametrize("name", facts.METHODS)
def test_method(name: str) -> None:
    _compare(getattr(xp.ones((1, 1)), name), facts.METHODS[name])


@pytest.mark.parametrize("name", facts.INFO)
def test_info(name: str) -> None:
    _compare(getattr(xp.__array_namespace_info__(), name), facts.INFO[name])
