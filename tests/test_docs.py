"""The blocks of the pages in docs/ run as printed."""

import re
from pathlib import Path

import pytest

from tests.support.process import ROOT, python

PAGES = [page for page in sorted((ROOT / "docs").glob("*.md")) if page.name == "programs.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run_one_after_the_other(page: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(blocks))
    ran = python("page.py", cwd=tmp_path)
    assert blocks and ran.returncode == 0, ran.stdout + ran.stderr
