"""`tensorsmith demo` in a fresh process, on the whole embedded table."""

import re
from pathlib import Path

from tensorsmith.tools.demo.parts import CUSTOM_OBJECTS
from tests.support.process import ROOT, python


def test_the_demo_trains_draws_saves_and_agrees(tmp_path: Path) -> None:
    ran = python("-m", "tensorsmith", "demo", "--epochs", "6", "--out", "there", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    assert all(name in ran.stdout for name in CUSTOM_OBJECTS)
    assert ran.stdout.count("agrees") == 3
    assert (tmp_path / "there" / "learning_curves.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert {path.name for path in (tmp_path / "there").iterdir()} == {
        "learning_curves.png",
        "residual_model.keras",
        "small_model.h5",
        "small_model.keras",
    }
    errors = {
        row: float(re.findall(r"\$([\d,]+)", line)[0].replace(",", ""))
        for line in ran.stdout.splitlines()
        for row in ("Always the mean", "Small model", "Residual model")
        if line.strip().startswith(row) and "%" in line
    }
    # The mean is off by some 3,000 dollars; a model that has learnt what a carat is, by less than a third of that.
    assert max(errors["Small model"], errors["Residual model"]) < errors["Always the mean"] / 3


def test_the_embedded_table_is_small_and_its_source_is_told() -> None:
    folder = ROOT / "src" / "tensorsmith" / "tools" / "demo" / "data"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 500_000
    assert {"licence", "plotnine", "default_rng(42)"} <= {
        word for word in ("licence", "plotnine", "default_rng(42)") if word in (folder / "README.md").read_text()
    }
