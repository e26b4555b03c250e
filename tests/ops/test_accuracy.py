"""Every elementwise operation is within five units in the last place of its exact value, on both engines."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tensorsmith.program.op import Op
from tests.support import accuracy
from tests.support.exact import EXACT

SAMPLES = 20_000
ASKED = [pytest.param(op, settings, id=f"{op.name}{settings or ''}") for op, settings in accuracy.asked()]


@pytest.mark.parametrize("engine", accuracy.ENGINES)
@pytest.mark.parametrize(("op", "settings"), ASKED)
def test_results_are_within_the_bound(op: Op, settings: dict, engine: str) -> None:
    worst = accuracy.measured(op, settings, engine, SAMPLES, seed=2)
    assert worst.error <= accuracy.BOUND, str(worst)


def test_samples_hold_what_breaks_formulas() -> None:
    op = next(op for op, _ in accuracy.asked() if op.name == "pow")
    for column in accuracy.samples(op, SAMPLES, "NumPy", seed=2):
        assert np.isnan(column).any()
        assert {-np.inf, np.inf, 0.0, 1.0, -1.0} <= set(column[~np.isnan(column)].tolist())
        denormal = (np.abs(column) < accuracy.TINY) & (column != 0)
        assert denormal.any()


def test_errors_are_counted_in_units_of_the_exact_value() -> None:
    one, below = np.float32(1), np.nextafter(np.float32(1), np.float32(0))
    largest = np.finfo("float32").max

    def error(result: float, right: float) -> float:
        return accuracy.errors(np.array([result], "float32"), np.array([right]), accuracy.TINY).item()

    assert error(1.0, 1.0) == 0
    assert error(np.nextafter(one, np.float32(2)), 1.0) == 1
    # below 1 the floats stand twice as close
    assert error(1.0, float(below)) == 1
    assert error(np.inf, float(largest)) == error(largest, np.inf) == 1
    assert error(np.nan, 1.0) == error(1.0, np.nan) == np.inf
    assert error(np.nan, np.nan) == error(-np.inf, -np.inf) == 0
    assert error(0.0, 1e-40) == 0
    assert error(1e-30, 0.0) > accuracy.BOUND


def test_the_page_tells_of_every_operation() -> None:
    text = accuracy.PAGE.read_text()
    rows = re.findall(r"^\| `(\w+)\S*( \S+)?` \| ([\d.]+) \| ([\d.]+) \|", text, re.MULTILINE)
    assert {name for name, *_ in rows} >= set(EXACT), "run: python -m tests.support.accuracy"
    assert max(float(error) for row in rows for error in row[2:]) <= accuracy.BOUND


def test_exact_values_are_those_of_operations() -> None:
    assert set(EXACT) <= {op.name for op, _ in accuracy.asked()}
