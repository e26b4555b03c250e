"""The command line."""

import importlib
import tomllib
from pathlib import Path

import pytest

import tensorsmith
from tensorsmith.tools import cli
from tests.support.process import ROOT, python

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"tensorsmith {tensorsmith.__version__}\n"


def test_the_version_is_written_in_one_place() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    names: dict[str, str] = {}
    exec((ROOT / PROJECT["tool"]["hatch"]["version"]["path"]).read_text(), names)
    assert names["__version__"] == tensorsmith.__version__


def test_the_installed_command_is_main() -> None:
    module, _, function = PROJECT["project"]["scripts"]["tensorsmith"].partition(":")
    assert getattr(importlib.import_module(module), function) is cli.main


@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(tmp_path: Path, asked: str) -> None:
    source = (
        "import sys, atexit\n"
        "heavy = ('jax', 'h5py', 'rich', 'matplotlib', 'pandas', 'tensorsmith.tools.demo')\n"
        "atexit.register(lambda: print('loaded', [name for name in heavy if name in sys.modules]))\n"
        "from tensorsmith.tools.cli import main\n"
        f"main([{asked!r}])\n"
    )
    ran = python("-c", source, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "loaded []"


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert capsys.readouterr().out.startswith("usage: tensorsmith ")


@pytest.mark.parametrize("epochs", ["0", "-1", "x", "1.5"])
def test_epochs_must_be_a_count(epochs: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["demo", f"--epochs={epochs}"])
    assert left.value.code == 2
    assert f"argument --epochs: {epochs!r} given; it must be a whole number of 1 or more" in capsys.readouterr().err


def test_options_reach_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}
    demo = importlib.import_module("tensorsmith.tools.demo")
    monkeypatch.setattr(demo, "demo", lambda **options: asked.update(options) or 0)
    assert cli.main(["demo", "--data", "a.csv", "--out", "b", "--epochs", "4"]) == 0
    assert asked == {"data": "a.csv", "out": "b", "epochs": 4}
