"""Operations on whole programs."""

from __future__ import annotations

from tests.support.spine import Elsewhere

ROWS: dict[str, Elsewhere] = {
    "gradient": Elsewhere("tests/program/test_lower.py"),
    "check": Elsewhere("tests/function/test_checks.py"),
    "py_function": Elsewhere("tests/function/test_python_calls.py"),
    "print": Elsewhere("tests/function/test_printing.py"),
    "assigned": Elsewhere("tests/state/test_assigned.py"),
    "custom_gradient": Elsewhere("tests/state/test_custom_gradient.py"),
    "recompute": Elsewhere("tests/state/test_recompute.py"),
}
