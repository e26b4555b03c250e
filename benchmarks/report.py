"""What a figure came to: a table, a judgement for each target, and the same as data."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
from datetime import UTC, datetime
from typing import Any

from benchmarks.contender import OURS, Figure, Share, Target, Verdict
from benchmarks.runner import Standing

PACKAGES = ("numpy", "jax", "keras", "tensorflow", "torch", "scikit-learn")
MARKS = {True: "PASS", False: "FAIL", None: "----"}


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        # 999.6 ms would be rounded to 1e+03.
        if seconds >= 0.9995 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def rows_of(standings: list[Standing]) -> list[str]:
    rows: dict[str, None] = {}
    for standing in standings:
        rows.update(dict.fromkeys(standing.samples))
    return list(rows)


def samples(standings: list[Standing], name: str, row: str) -> list[float]:
    for standing in standings:
        if standing.contender.name == name:
            return standing.samples.get(row, [])
    return []


def judge(target: Target, standings: list[Standing]) -> Verdict:
    """By medians; the ratio of the minima stands beside it, as noise only ever adds time."""
    mine = samples(standings, OURS, target.row)
    other = target.other()
    if other is None:
        text = f"{target.row}: at most {duration(target.at_most)}"
        if not mine:
            return Verdict(text, None)
        text += f": {duration(statistics.median(mine))} (minimum {duration(min(mine))})"
        return Verdict(text, statistics.median(mine) <= target.at_most)
    name, row = other
    theirs = samples(standings, name, row)
    where = name if row == target.row else f"{name}, {row}"
    text = f"{target.row}: at most {target.at_most:.3g} times {where}"
    if target.at_most < 0.5:
        text = f"{target.row}: at least {1 / target.at_most:.0f} times faster than {where}"
    if not mine or not theirs:
        return Verdict(text, None)
    ratio = statistics.median(mine) / statistics.median(theirs)
    least = min(mine) / min(theirs)
    if target.at_most < 0.5:
        text += f": {1 / ratio:.3g} times (by minima {1 / least:.3g})"
    else:
        text += f": {ratio:.3g} times (by minima {least:.3g})"
    return Verdict(text, ratio <= target.at_most)


def ratios(standings: list[Standing], name: str) -> dict[str, float]:
    """Ours divided by that contender's time, for each row that both have."""
    found: dict[str, float] = {}
    for row in rows_of(standings):
        mine, theirs = samples(standings, OURS, row), samples(standings, name, row)
        if mine and theirs:
            found[row] = statistics.median(mine) / statistics.median(theirs)
    return found


def judge_share(share: Share, standings: list[Standing]) -> Verdict:
    found = ratios(standings, share.than)
    text = f"at most {share.at_most:.3g} times {share.than} in {share.least:.0%} of the rows"
    if not found:
        return Verdict(text, None)
    good = sum(ratio <= share.at_most for ratio in found.values())
    text += f": in {good} of {len(found)}, {good / len(found):.1%}"
    return Verdict(text, good >= share.least * len(found))


def shown_rows(figure: Figure, standings: list[Standing]) -> list[str]:
    """All rows, or those in which ours falls behind the peers that the shares speak of most."""
    if not figure.worst:
        return rows_of(standings)
    behind: dict[str, float] = {}
    for share in figure.shares:
        for row, ratio in ratios(standings, share.than).items():
            behind[row] = max(behind.get(row, 0.0), ratio)
    return sorted(behind, key=lambda row: -behind[row])[: figure.worst]


def agreement(figure: Figure, standings: list[Standing]) -> list[Verdict]:
    """Who does not get the same numbers has not done the same work."""
    checked = [s for s in standings if s.check]
    if len(checked) < 2:
        return []
    # The hand-written program is the yardstick where there is one; ours is what is to be proved.
    yardstick = next((s for s in checked if s.contender.name != OURS), checked[0])
    numbers = ", ".join(f"{k} {v:.6g}" for k, v in yardstick.check.items())
    strays: list[str] = []
    for standing in checked:
        for key, value in standing.check.items():
            wanted = yardstick.check.get(key, value)
            if not abs(value - wanted) <= figure.agree * abs(wanted):
                strays.append(f"{standing.contender.name} {key} {value:.6g}")
    if strays:
        return [Verdict(f"same numbers ({numbers}), but {'; '.join(strays)}", False)]
    return [Verdict(f"{len(checked)} contenders agree: {numbers}", True)]


def verdicts(figure: Figure, standings: list[Standing]) -> list[Verdict]:
    told = [judge(t, standings) for t in figure.targets] + [judge_share(s, standings) for s in figure.shares]
    return [*told, *agreement(figure, standings)]


def table(figure: Figure, standings: list[Standing], judged: list[Verdict]) -> str:
    lines = [f"\n{figure.title}  [{figure.name}]"]
    width = max(len(s.contender.name) for s in standings)
    for row in shown_rows(figure, standings):
        lines.append(f"  {row + ' ':-<{width + 4}}{' median':->12}{' minimum':->12}{' ours / it':->14}")
        mine = samples(standings, OURS, row)
        for standing in standings:
            theirs = standing.samples.get(row)
            if not theirs:
                continue
            median = statistics.median(theirs)
            ratio = f"{statistics.median(mine) / median:.3g}" if mine else ""
            times = f"{duration(median):>12}{duration(min(theirs)):>12}"
            lines.append(f"    {standing.contender.name:<{width + 2}}{times}{ratio:>14}")
    for standing in standings:
        if standing.absent:
            lines.append(f"    {standing.contender.name}: {standing.absent}")
    lines += [f"  {MARKS[v.passed]}  {v.text}" for v in judged]
    return "\n".join(lines)


def versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def surroundings() -> dict[str, Any]:
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "versions": versions(),
    }


def as_data(figure: Figure, standings: list[Standing], judged: list[Verdict]) -> dict[str, Any]:
    return {
        "title": figure.title,
        "seconds": {
            s.contender.name: {
                row: {"median": statistics.median(v), "minimum": min(v), "samples": v} for row, v in s.samples.items()
            }
            for s in standings
        },
        "checks": {s.contender.name: s.check for s in standings if s.check},
        "absent": {s.contender.name: s.absent for s in standings if s.absent},
        "verdicts": [{"text": v.text, "passed": v.passed} for v in judged],
    }
