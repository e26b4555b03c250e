"""What README.md says holds."""

import re
from pathlib import Path

import pytest

from tests.support.process import ROOT, python

README = (ROOT / "README.md").read_text()
BLOCKS = {language: re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) for language in ("python", "sh")}


def test_the_chapter_runs_as_printed(tmp_path: Path) -> None:
    imports, chapter = BLOCKS["python"][:2]
    assert chapter.startswith(imports)
    (tmp_path / "chapter.py").write_text(chapter)
    ran = python("chapter.py", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    off_by = float(ran.stdout.splitlines()[-1].rpartition(" ")[2])
    assert 0 < off_by < 1.5  # always saying the mean is off by 3
    assert (tmp_path / "diamonds.keras").stat().st_size > 0


def test_the_program_is_kept_without_its_code(tmp_path: Path) -> None:
    (tmp_path / "halved.py").write_text(BLOCKS["python"][2])
    ran = python("halved.py", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "halved.py:7" in ran.stdout and "def loop_body():" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "[0.625 0.125]"


def test_rows_of_different_lengths_are_learned(tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text(BLOCKS["python"][3])
    ran = python("rows.py", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    first, second = (float(number) for number in re.findall(r"\[(0\.\d+) *\]", ran.stdout)[-2:])
    assert first > 0.5 > second


def test_the_chapter_is_a_script_for_tensorflow_too(tmp_path: Path) -> None:
    source = BLOCKS["python"][1].replace("import tensorsmith as tf", "import tensorflow as tf")
    source = source.replace("from tensorsmith import keras", "from tensorflow import keras")
    (tmp_path / "chapter.py").write_text(source.replace("epochs=5", "epochs=1"))
    ran = python("-m", "tensorsmith", "run", "chapter.py", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_chapter_is_30_lines() -> None:
    # Blank lines let it breathe, and are not counted.
    assert sum(bool(line.strip()) for line in BLOCKS["python"][1].splitlines()) <= 30


@pytest.mark.parametrize("command", sorted(set(re.findall(r"make ([a-z]+)", README))))
def test_each_make_command_exists(command: str) -> None:
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_each_link_leads_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()


def test_the_continuous_run_calls_the_second_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "make test     #" in README
    assert script.splitlines()[-1] == "make test"
