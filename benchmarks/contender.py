"""What a figure is made of: contenders, the job each one does, and the targets to be met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.settings import Settings

OURS = "Tensorsmith"


@dataclass
class Job:
    """What a contender does in its own process, warm when it is handed over.

    measure: does the work once and gives seconds by row.
    check: gives numbers that every contender of the figure must agree on.
    """

    measure: Callable[[], dict[str, float]]
    check: Callable[[], dict[str, float]] | None = None


@dataclass(frozen=True)
class Contender:
    """One competitor of a figure.

    job: "module:function", called as function(settings, **options) -> Job inside the process.
    needs: packages without which it is reported as not installed.
    fresh: a new process for every round, for work that differs the second time.
    rounds: at most so many rounds, for the slow ones.
    """

    name: str
    job: str
    needs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    fresh: bool = False
    rounds: int | None = None


@dataclass(frozen=True)
class Target:
    """Ours, in `row`, takes at most `at_most` times what `than` takes; without `than`, seconds.

    `than` is a contender's name, or a name and a row where the row differs.
    """

    row: str
    at_most: float
    than: str | tuple[str, str] | None = None

    def other(self) -> tuple[str, str] | None:
        if self.than is None:
            return None
        return (self.than, self.row) if isinstance(self.than, str) else self.than


@dataclass(frozen=True)
class Share:
    """In at least the part `least` of the rows that both have, ours takes at most `at_most` times what `than` takes."""

    least: float
    at_most: float
    than: str


@dataclass(frozen=True)
class Verdict:
    """One line of judgement. passed: None where it could not be judged."""

    text: str
    passed: bool | None


@dataclass(frozen=True)
class Figure:
    """One line of the table of figures.

    rounds: how often the contenders take turns (the second number with --quick).
    agree: relative tolerance within which all checks must equal that of the first contender.
    extra: further judgements that are no times.
    shares: targets of many rows at once.
    worst: where not 0, the table has only so many rows: those in which ours falls behind the fastest peer most.
    """

    name: str
    title: str
    contenders: tuple[Contender, ...]
    targets: tuple[Target, ...]
    rounds: tuple[int, int] = (9, 3)
    agree: float = 5e-3
    extra: Callable[[Settings], list[Verdict]] | None = None
    shares: tuple[Share, ...] = ()
    worst: int = 0
