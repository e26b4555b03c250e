"""Fresh Python processes that know the Tensorsmith under test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python(
    *arguments: object, cwd: Path, path: tuple[Path, ...] = (), timeout_s: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run `python arguments...` in the folder `cwd`; `path` comes first in where it finds modules."""
    places = [*map(str, path), str(ROOT / "src")]
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


def run_script(
    folder: Path, source: str, *arguments: object, options: tuple[str, ...] = (), path: tuple[Path, ...] = ()
):
    """`tensorsmith run script.py arguments...` in the folder, with this source."""
    (folder / "script.py").write_text(source)
    return python("-m", "tensorsmith", "run", *options, "script.py", *arguments, cwd=folder, path=path)
