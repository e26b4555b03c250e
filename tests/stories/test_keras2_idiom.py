"""The chapter's custom parts in Keras 2's words, in a fresh process."""

from pathlib import Path

from tests.support.process import python

STORY = Path(__file__).with_name("keras2_idiom.py")


def test_every_part_of_the_story(tmp_path):
    ran = python("-m", "tensorsmith", "run", STORY, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = [line.removeprefix("done: ") for line in ran.stdout.splitlines() if line.startswith("done: ")]
    assert told == ["losses", "optimizers", "parts", "metrics", "layers", "models"]
