"""The chapter's custom parts in Keras 3's words, in a fresh process; real Keras 3 agrees that the script is right."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import python

STORY = Path(__file__).with_name("keras3_idiom.py")
ALL = ["losses", "parts", "metrics", "layers", "models"]


def finished(ran) -> list[str]:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [line.removeprefix("done: ") for line in ran.stdout.splitlines() if line.startswith("done: ")]


def test_every_part_of_the_story(tmp_path):
    assert finished(python("-m", "tensorsmith", "run", STORY, cwd=tmp_path)) == ALL


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras 3 is not installed")
def test_the_story_is_true_of_real_keras(tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    environment.pop("PYTHONPATH", None)
    ran = subprocess.run(
        [sys.executable, str(STORY)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
    )
    assert finished(ran) == ALL
