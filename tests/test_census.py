"""The names that the book's notebooks use are here, of the namespaces that are whole."""

from __future__ import annotations

import re

import pytest

import tensorsmith as tf
from tests.support.process import ROOT

# chapters of the list whose names must all be here
WHOLE = """
TensorArray; config / debugging / distribute / profiling; functions, graphs, gradients; lookup; queues; ragged; random; sets;
sparse; strings; tensor operations (tf.*); tensors, dtypes, shapes; tf.math / linalg / signal; tf.nn; variables
"""


CENSUS = ROOT.parent / "shared" / "acceptance" / "api_census.md"


def _names(text: str) -> dict[str, list[str]]:
    chapters = re.split(r"^## ", text, flags=re.M)[1:]
    return {
        chapter.partition("\n")[0].strip(): re.findall(r"^\| `(tf\.[\w.]+)`", chapter, flags=re.M)
        for chapter in chapters
    }


@pytest.mark.skipif(not CENSUS.exists(), reason="needs ../shared/acceptance/api_census.md beside the repository")
def test_every_name_is_here() -> None:
    names = _names(CENSUS.read_text(encoding="utf-8"))
    wanted = [chapter.strip().replace("\n", " ") for chapter in WHOLE.strip().split(";")]
    assert set(wanted) <= set(names)
    missing = []
    for chapter in wanted:
        assert names[chapter], chapter
        for name in names[chapter]:
            found = tf
            for part in name.split(".")[1:]:
                found = getattr(found, part, None)
            if found is None and name != "tf.newaxis":
                missing.append(name)
    assert not missing
