"""`python -m benchmarks`: measures the figures and judges them against their targets."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.contender import Figure
from benchmarks.runner import Race
from benchmarks.settings import DEFAULT_DATA, Settings

FIGURES = (
    "steady_epoch",
    "custom_parts",
    "large_table",
    "residual_epoch",
    "eager_ops",
    "elementwise",
    "convolution",
    "tape_gradient",
    "eager_loop",
    "changing_shapes",
    "function_loop",
    "function_call",
    "first_gradient",
    "tracing",
    "recurrent_step",
    "lstm_epoch",
    "ragged_epoch",
    "import_time",
    "cold_process",
    "many_models",
    "single_row",
)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", default=str(DEFAULT_DATA), help="the housing table as csv")
    repeated: dict[str, Any] = {"action": "append", "default": []}
    only = f"measure this figure only; may be repeated: {', '.join(FIGURES)}"
    parser.add_argument("--only", **repeated, choices=FIGURES, metavar="NAME", help=only)
    skip = "leave out contenders whose name contains this; may be repeated"
    parser.add_argument("--skip", **repeated, metavar="CONTENDER", help=skip)
    parser.add_argument("--quick", action="store_true", help="few rounds, smaller work")
    parser.add_argument("--json", metavar="FILE", help="write all samples and verdicts here")
    return parser.parse_args(arguments)


def figure_of(name: str) -> Figure:
    return import_module(f"benchmarks.figures.{name}").FIGURE


def measure(figure: Figure, settings: Settings, skip: list[str]) -> tuple[dict[str, Any], bool]:
    race = Race(figure, settings)
    for standing in race.standings:
        if any(word.lower() in standing.contender.name.lower() for word in skip):
            standing.absent = "left out"
    standings = race.run()
    judged = report.verdicts(figure, standings)
    if figure.extra is not None:
        judged += figure.extra(settings)
    print(report.table(figure, standings, judged), flush=True)
    data = report.as_data(figure, standings, judged)
    return data, all(v.passed is not False for v in judged)


def main() -> int:
    choice = parse()
    around = report.surroundings()
    print(json.dumps(around))
    if not Path(choice.data).is_file():
        print(f"{choice.data} is missing: measuring with made-up rows of the same number")
    results: dict[str, Any] = {}
    passed = True
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as scratch:
        settings = Settings(str(Path(choice.data).resolve()), choice.quick, scratch)
        for name in choice.only or FIGURES:
            results[name], good = measure(figure_of(name), settings, choice.skip)
            passed = passed and good
            if choice.json:
                # After every figure: a long run that is broken off keeps what it has measured.
                whole = {"surroundings": around, "quick": choice.quick, "figures": results}
                Path(choice.json).write_text(json.dumps(whole, indent=1) + "\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
