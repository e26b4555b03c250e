"""Counts the answers: python -m tests.array_api [numpy | array_api_strict | jax.numpy | tensorsmith.array_api].

Prints how many questions of the standard's public suite have the right answer, and how many of those that this suite asks
beyond it. Known failures (`failures/`) count as failures.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any


class _Counting:
    """Counts outcomes by the part of the suite."""

    def __init__(self) -> None:
        self.outcomes = {"suite": Counter(), "beyond": Counter()}
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or report.outcome != "passed":
            part = "beyond" if "/beyond/" in report.nodeid else "suite"
            known = hasattr(report, "wasxfail")
            outcome = "known failure" if known and report.skipped else report.outcome
            self.outcomes[part][outcome] += 1
            if report.failed:
                self.failed.append(report.nodeid)


def main() -> int:
    os.environ["ARRAY_API"] = sys.argv[1] if len(sys.argv) > 1 else "tensorsmith.array_api"
    import pytest

    counting = _Counting()
    here = str(Path(__file__).parent)
    code = pytest.main(
        ["-q", "-p", "no:cacheprovider", "-W", "ignore", "--tb=no", "-rN", here, f"--ignore={here}/own"],
        plugins=[counting],
    )
    for part, outcomes in counting.outcomes.items():
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        print(f"{os.environ['ARRAY_API']}, {part}: {outcomes['passed']} of {sum(outcomes.values())} ({told})")
    for name in counting.failed:
        print("  unknown failure:", name)
    return int(code)


if __name__ == "__main__":
    raise SystemExit(main())
