"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tensorsmith.core import context, naming


@pytest.fixture(autouse=True)
def nothing_left_listening() -> Iterator[None]:
    """Fails a test that leaves a tape, a trace or a name scope open behind it."""
    yield
    left = [*context.busy, *context.local.tapes, *context.local.name_scopes]
    graph = context.local.graph
    context.busy.clear()
    context.local.tapes.clear()
    context.local.name_scopes.clear()
    context.local.graph = None
    assert not left, f"still listening at the end of the test: {left}"
    assert graph is None, f"still traced at the end of the test: {graph}"


@pytest.fixture(autouse=True)
def names_from_the_start() -> None:
    """Names of layers and models do not tell which tests ran before."""
    naming.forget()
