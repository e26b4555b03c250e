"""Every operation of the package is asked the questions of tests/support/deeper.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tensorsmith.program.op import Array, Op, elementwise, registry
from tests.ops.test_spine import OPS, ROWS, asked
from tests.support import deeper, spine
from tests.support.spine import row


def _differentiated(op: Op, given: spine.Row) -> bool:
    asks = given.compiled is True and given.gradient is True and op.differentiable
    return asks and op.name not in deeper.ONCE_ONLY


def _has_ends(op: Op, given: spine.Row) -> bool:
    asks = given.compiled is True and given.more is True and spine.is_elementwise(op) and not op.lists
    return asks and op.name not in deeper.APART


@asked(when=_differentiated)
def test_the_second_derivative_is_the_second_difference(op: Op, row: spine.Row) -> None:
    deeper.second_gradient_is_difference(op, row)


@asked(when=_has_ends)
def test_engines_are_alike_at_the_ends_of_the_floats(op: Op, row: spine.Row) -> None:
    deeper.danger_points_are_alike(op, row)


@asked(when=lambda op, row: op.name not in deeper.NO_ROWS)
def test_engines_are_alike_without_rows(op: Op, row: spine.Row) -> None:
    deeper.empty_inputs_are_alike(op, row)


@asked()
def test_a_program_read_back_gives_the_same(op: Op, row: spine.Row, tmp_path: Path) -> None:
    deeper.read_back_equals_eager(op, row, tmp_path)


def test_exceptions_name_operations() -> None:
    assert {*deeper.APART, *deeper.ONCE_ONLY, *deeper.NO_ROWS} <= set(OPS)


def test_the_count_names_all_operations() -> None:
    assert deeper.count().startswith(
        f"{len(OPS)} operations: {sum(isinstance(r, spine.Row) for r in ROWS.values())} in the table"
    )


# ---- the questions find what is wrong

X = np.array([[0.5, -1.5, 2.0], [3.0, 0.25, -0.75]], "float32")
RIGHT = row(lambda x: x * x, (X,))


def made(kernel: Any) -> Op:
    return Op("under_test", kernel, shapes=elementwise)


def squared(xp, x: Array):
    return x * x


def test_a_right_operation_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    op = made(squared)
    monkeypatch.setitem(registry, "under_test", op)
    deeper.second_gradient_is_difference(op, RIGHT)
    deeper.danger_points_are_alike(op, RIGHT)
    deeper.empty_inputs_are_alike(op, RIGHT)
    deeper.read_back_equals_eager(op, RIGHT, tmp_path)


def test_a_wrong_second_derivative() -> None:
    def kernel(xp, x: Array):
        return x * x if xp is np else x * x * x

    with pytest.raises(AssertionError, match=r"u\.H\.u"):
        deeper.second_gradient_is_difference(made(kernel), RIGHT)


def test_an_infinity_that_one_engine_hides() -> None:
    def kernel(xp, x: Array):
        return np.nan_to_num(x) if xp is np else x

    with pytest.raises(AssertionError):
        deeper.danger_points_are_alike(made(kernel), RIGHT)


def test_a_shape_that_one_engine_gives_to_nothing() -> None:
    def kernel(xp, x: Array):
        return np.zeros((1, 3), x.dtype) if xp is np and not x.size else x

    with pytest.raises(AssertionError, match="of no rows"):
        deeper.empty_inputs_are_alike(made(kernel), RIGHT)


def test_a_program_that_gives_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def kernel(xp, x: Array):
        calls.append(1)
        return x + np.float32(len(calls))

    op = made(kernel)
    monkeypatch.setitem(registry, "under_test", op)
    with pytest.raises(AssertionError):
        deeper.read_back_equals_eager(op, RIGHT, tmp_path)
