"""AutoGraph at Python's own prompt: where it keeps the source text functions are rewritten, elsewhere it is said why not."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

SESSION = """\
import tensorsmith as tf
@tf.function
def f(x):
    return x * 2.0

print("straight", f(tf.constant(2.0)).numpy())
@tf.function
def g(x):
    if x > 0.0:
        return x
    return -x

print("branch", g(tf.constant(-3.0)).numpy())
exit()
"""


def at_the_prompt(text: str) -> str:
    """What an interactive Python on a terminal shows for these lines."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "TERM": "dumb",
        "PYTHON_BASIC_REPL": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-q", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, text.encode())
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # the terminal is gone when the process is
    finally:
        os.close(ours)
        process.wait()
    return shown.decode().replace("\r\n", "\n")


def test_functions_typed_at_the_prompt():
    shown = at_the_prompt(SESSION)
    assert "straight 4.0" in shown
    if sys.version_info >= (3, 13):
        assert "branch 3.0" in shown
    else:
        assert (
            "AutoGraph left g (<stdin>:3) as it is: Python's prompt before version 3.13 keeps no source text" in shown
        )
