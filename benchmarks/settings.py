"""What one run of the benchmarks may choose: the data and how long to measure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DATA = ROOT.parent / "shared" / "data" / "housing.csv"


@dataclass(frozen=True)
class Settings:
    """data: the housing table as csv; where it is missing, rows of the same number are made up.
    quick: fewer rounds and smaller work, to see that everything runs; its verdicts mean little.
    scratch: a folder that is emptied after the run.
    """

    data: str
    quick: bool
    scratch: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
