"""Holds the tests of the standard to the list of known failures of the namespace under test.

`failures/<namespace>.txt` names tests, or (with `*` at the end) beginnings of names, under a line `# reason`. A test that
is named and passes fails the run, as does one that is not named and fails.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.array_api.support import NAME

HERE = Path(__file__).parent
# these ask what is ours alone
collect_ignore = [] if NAME == "tensorsmith.array_api" else ["own"]


def known_failures(name: str) -> dict[str, str]:
    """The reason for each failure that is known of a namespace."""
    found, reason = {}, ""
    path = HERE / "failures" / f"{name}.txt"
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("#"):
            reason = line.lstrip("# ")
        elif line.strip():
            found[line.strip()] = reason
    return found


def test_name(item: pytest.Item) -> str:
    """A test's name as the lists have it: its file, its function and its parameters."""
    return f"{item.path.stem}::{item.name}"


test_name.__test__ = False  # type: ignore[attr-defined]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    listed = known_failures(NAME)
    beginnings = {entry[:-1]: reason for entry, reason in listed.items() if entry.endswith("*")}
    for item in items:
        if HERE not in item.path.parents:
            continue
        name = test_name(item)
        reason = listed.get(name) or next((r for start, r in beginnings.items() if name.startswith(start)), None)
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
