"""Runs an unmodified TensorFlow or Keras script on Tensorsmith.

As `python SCRIPT` would: the script is `__main__`, has its own `sys.argv` and its folder first on `sys.path`; what
it leaves to `atexit` still finds its names. The one difference is what `tensorflow`, `keras` and `tf_keras` mean.
Processes that the script starts afresh (`multiprocessing` with "spawn") do not know these names.
"""

from __future__ import annotations

import io
import os
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType

from tensorsmith.core import tracebacks
from tensorsmith.tools import aliases

CANNOT_OPEN = 2  # what `python no-such-file.py` exits with
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


def run(script: str, arguments: list[str], full_traceback: bool = False) -> int:
    """Run the script and return what the process should exit with; `SystemExit` passes through.

    full_traceback: show an error with the frames of Tensorsmith and of libraries that it called.
    """
    if script.endswith(".ipynb"):
        print(
            f"tensorsmith run: {script!r} is a notebook; turn it into a script first: "
            f"jupyter nbconvert --to script {script}",
            file=sys.stderr,
        )
        return CANNOT_OPEN
    try:
        with io.open_code(os.path.abspath(script)) as file:
            source = file.read()
    except OSError as error:
        print(f"tensorsmith run: can't open file {script!r}: {error.strerror}", file=sys.stderr)
        return CANNOT_OPEN
    main = ModuleType("__main__")
    main.__dict__.update(
        __file__=script,
        __builtins__=sys.modules["builtins"],
        __cached__=None,
        __loader__=SourceFileLoader("__main__", script),
        __spec__=None,
    )
    # Left in place when the script has ended: pickling and atexit handlers look names up in `__main__`.
    sys.modules["__main__"] = main
    sys.argv = [script, *arguments]
    if not sys.flags.safe_path:  # `python -P` asks for no script folder on the path, and then nothing was put there
        sys.path[0] = os.path.dirname(os.path.realpath(script))
    aliases.install()
    try:
        exec(compile(source, script, "exec", dont_inherit=True), main.__dict__)
    except KeyboardInterrupt as error:
        tracebacks.show(error, full_traceback)
        return INTERRUPTED
    except Exception as error:
        near = aliases.hint(error)
        if near:
            error.add_note(near)
        tracebacks.show(error, full_traceback)
        return 1
    return 0
