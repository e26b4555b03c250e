"""docs/coverage.md tells what is true of this checkout."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

import tensorsmith as tf
from tests.support.process import ROOT


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    spec = importlib.util.spec_from_file_location("coverage_page", ROOT / "docs" / "coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(coverage: ModuleType) -> None:
    assert (ROOT / "docs" / "coverage.md").read_text() == coverage.page(), "run: python docs/coverage.py"


def test_names_are_counted_once(coverage: ModuleType) -> None:
    for space, wanted in coverage.names().items():
        assert wanted == sorted(set(wanted)), space


def test_what_is_missing_is_told_with_its_reason(coverage: ModuleType) -> None:
    assert coverage.reason("tf", "qint8").startswith("Quantized dtypes")
    assert coverage.reason("tf.nn", "qint8").startswith("Quantized dtypes")
    assert coverage.reason("tf.math", "no_such_name") == coverage.NOT_YET
    assert coverage.namespace("tf.math") is tf.math
    assert coverage.namespace("tf.no_such_namespace") is None
