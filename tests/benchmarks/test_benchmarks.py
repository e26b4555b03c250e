"""The benchmarks' own judgement: what passes, what fails, and what stays open."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import FIGURES, figure_of
from benchmarks.contender import OURS, Contender, Figure, Job, Share, Target
from benchmarks.runner import Race, Standing
from benchmarks.settings import Settings

ROW = "work"


def standing(name: str, *seconds: float, **check: float) -> Standing:
    return Standing(Contender(name, ""), {ROW: list(seconds)} if seconds else {}, check)


def figure(*targets: Target, contenders: tuple[Contender, ...] = ()) -> Figure:
    return Figure("figure", "A figure", contenders, targets, rounds=(3, 2), agree=1e-3)


def fake_job(settings: Settings, seconds: float) -> Job:
    if seconds < 0:
        raise ValueError("no such work")
    # A framework that prints must not be taken for an answer.
    print("a banner")
    return Job(lambda: {ROW: seconds}, lambda: {"loss": 0.5})


def test_the_median_decides_and_not_one_slow_round() -> None:
    both = [standing(OURS, 1.0, 1.0, 9.0), standing("peer", 1.0, 1.0, 1.0)]
    assert report.judge(Target(ROW, 1.1, "peer"), both).passed is True
    assert report.judge(Target(ROW, 0.9, "peer"), both).passed is False


def test_a_limit_in_seconds_needs_no_peer() -> None:
    assert report.judge(Target(ROW, 30e-6), [standing(OURS, 29e-6)]).passed is True
    assert report.judge(Target(ROW, 30e-6), [standing(OURS, 31e-6)]).passed is False


def test_a_target_without_its_peer_stays_open() -> None:
    assert report.judge(Target(ROW, 1.1, "peer"), [standing(OURS, 1.0)]).passed is None


def test_a_share_of_the_rows_is_judged_and_the_worst_are_shown() -> None:
    def times(name: str, *seconds: float) -> Standing:
        return Standing(Contender(name, ""), {f"row {at}": [value] for at, value in enumerate(seconds)})

    # twice as slow, even, three times as slow; the peer lacks the fourth row
    both = [times(OURS, 2.0, 1.0, 3.0, 5.0), times("peer", 1.0, 1.0, 1.0)]
    share = Share(0.3, 1.0, "peer")
    assert report.judge_share(share, both).passed is True
    assert "1 of 3" in report.judge_share(share, both).text
    assert report.judge_share(Share(0.5, 1.0, "peer"), both).passed is False
    assert report.judge_share(Share(0.6, 2.0, "peer"), both).passed is True
    assert report.judge_share(Share(0.3, 1.0, "nobody"), both).passed is None
    two = Figure("figure", "A figure", (), (), shares=(share,), worst=2)
    assert report.shown_rows(two, both) == ["row 2", "row 0"]
    assert report.verdicts(two, both)[0].passed is True
    table = report.table(two, both, [])
    assert "row 2" in table and "row 1" not in table


def test_the_elementwise_figure_has_a_row_for_every_operation() -> None:
    elementwise = importlib.import_module("benchmarks.figures.elementwise")
    plan = elementwise.plan()
    assert set(elementwise.OTHER_NAMES) <= set(plan) | {"clip_by_value"}
    assert {"add", "sin", "is_nan", "invert", "logical_and", "conj", "divide"} <= set(plan)
    rows = elementwise.eager_job(Settings("none.csv", True, ""), "numpy").measure()
    assert {"add", "add, scalar", "sin"} <= set(rows) and "sin, scalar" not in rows


@pytest.mark.parametrize("loss", [0.51, float("nan")])
def test_who_gets_other_numbers_fails_the_figure(loss: float) -> None:
    peers = [standing(OURS, loss=loss), standing("raw", loss=0.5), standing("peer", loss=0.5)]
    (verdict,) = report.agreement(figure(), peers)
    assert verdict.passed is False
    assert OURS in verdict.text and "peer" not in verdict.text


def test_equal_numbers_pass() -> None:
    (verdict,) = report.agreement(figure(), [standing(OURS, loss=0.5), standing("raw", loss=0.5)])
    assert verdict.passed is True


def test_rounds_in_processes_of_their_own(tmp_path: Path) -> None:
    def contender(name: str, seconds: float, *needs: str) -> Contender:
        return Contender(name, f"{__name__}:fake_job", needs, {"seconds": seconds})

    contenders = (
        contender(OURS, 2.0),
        contender("broken", -1.0),
        contender("absent", 1.0, "a_package_that_nobody_has"),
    )
    race = Race(figure(contenders=contenders), Settings("none.csv", True, str(tmp_path)))
    mine, broken, absent = race.run()
    assert mine.samples == {ROW: [2.0, 2.0]} and mine.check == {"loss": 0.5}
    assert broken.absent == "failed: ValueError: no such work"
    assert absent.absent == "a_package_that_nobody_has is not installed"
    assert not race.workers


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_loads_without_its_peers_and_names_real_jobs(name: str) -> None:
    known = {c.name for c in figure_of(name).contenders}
    for target in figure_of(name).targets:
        assert (target.other() or (OURS,))[0] in known
    for contender in figure_of(name).contenders:
        module, function = contender.job.split(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_times_read_as_a_person_writes_them() -> None:
    assert report.duration(0.9996) == "1 s"
    assert report.duration(0.00271) == "2.71 ms"
    assert report.duration(9.78e-7) == "0.978 µs"
