"""Every operation of the package is asked the questions of tests/support/spine.py."""

from __future__ import annotations

import pytest

from tensorsmith.program.op import Op
from tests.support import spine

OPS = spine.operations()
ROWS = spine.rows()


def asked(*, when=lambda op, row: True):
    """Every operation that has a row and of which the question makes sense, as parameters."""
    found = [
        pytest.param(op, ROWS[name], id=name)
        for name, op in sorted(OPS.items())
        if isinstance(ROWS.get(name), spine.Row) and when(op, ROWS[name])
    ]
    return pytest.mark.parametrize(("op", "row"), found)


def test_every_operation_has_a_row() -> None:
    missing = sorted(set(OPS) - set(ROWS))
    assert not missing, f"no row in tests/oracles for {missing}"


def test_every_row_has_an_operation() -> None:
    stale = sorted(set(ROWS) - set(OPS))
    assert not stale, f"rows in tests/oracles for {stale}, which are no operations"


def test_what_is_asked_elsewhere_is_asked() -> None:
    for name, row in ROWS.items():
        if isinstance(row, spine.Elsewhere):
            assert (spine.ROOT / row.file).is_file(), f"{name} is to be asked by {row.file}, which is not there"


@asked()
def test_eager_equals_the_oracle(op: Op, row: spine.Row) -> None:
    spine.equals_oracle(op, row)


@asked(when=lambda op, row: row.compiled is True)
def test_compiled_equals_eager(op: Op, row: spine.Row) -> None:
    spine.compiles_alike(op, row)


@asked(when=lambda op, row: row.compiled is True and row.gradient is True)
def test_gradient_is_the_central_difference(op: Op, row: spine.Row) -> None:
    spine.gradient_is_difference(op, row)


@asked()
def test_symbolic_shapes_are_true(op: Op, row: spine.Row) -> None:
    spine.shape_is_known_before(op, row)


@asked(when=lambda op, row: row.nan is True)
def test_nan_shows(op: Op, row: spine.Row) -> None:
    spine.nan_shows(op, row)


@asked()
def test_every_setting_is_tried(op: Op, row: spine.Row) -> None:
    spine.settings_are_tried(op, row)
