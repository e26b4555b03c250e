"""`tensorsmith show`: the programs of a saved model."""

from __future__ import annotations

from pathlib import Path

import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.tools.cli import main


def test_show_lists_counts_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    model = keras.Sequential([keras.Input([3], name="x"), keras.layers.Dense(2, name="a")])
    model.export(tmp_path / "m", verbose=False)
    assert main(["show", str(tmp_path / "m")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# serve(x) -> output_0\nserve:\n") and "matmul(x, a/kernel)" in out
    assert main(["show", str(tmp_path / "m"), "--count", "10", "--draw", str(tmp_path / "m.svg")]) == 0
    assert "140" in capsys.readouterr().out.split()
    assert (tmp_path / "m.svg").read_text().rstrip().endswith("</svg>")


def test_what_cannot_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["show", str(tmp_path / "absent")]) == 1
    assert "There is no model file at" in capsys.readouterr().err
    tf.saved_model.save(tf.Module(), tmp_path / "empty")
    assert main(["show", str(tmp_path / "empty")]) == 1
    assert "has no signatures" in capsys.readouterr().err
