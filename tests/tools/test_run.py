"""A script run by Tensorsmith finds the process as Python would have made it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import ROOT, python, run_script


def test_the_script_is_main_with_its_own_arguments_and_folder(tmp_path: Path) -> None:
    folder = tmp_path / "beside"
    folder.mkdir()
    (folder / "neighbour.py").write_text("VALUE = 5\n")
    (folder / "it.py").write_text(
        "import os, sys, neighbour\n"
        "print(__name__, __file__, sys.argv, sys.path[0] == os.path.dirname(os.path.abspath(__file__)))\n"
        "print(sys.modules['__main__'].__dict__ is globals(), neighbour.VALUE, __doc__, __spec__)\n"
    )
    ran = python("-m", "tensorsmith", "run", "beside/it.py", "--epochs", "3", "-h", "--", "x", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "__main__ beside/it.py ['beside/it.py', '--epochs', '3', '-h', '--', 'x'] True",
        "True 5 None None",
    ]


def test_the_script_is_compiled_with_its_own_future_imports_alone(tmp_path: Path) -> None:
    ran = run_script(tmp_path, "def f(x: int): pass\nprint(f.__annotations__)\n")
    assert ran.stdout == "{'x': <class 'int'>}\n", ran.stderr


def test_pickles_and_exit_handlers_find_the_scripts_names(tmp_path: Path) -> None:
    source = """
import atexit, pickle
class Mine:
    pass
assert type(pickle.loads(pickle.dumps(Mine()))) is Mine
atexit.register(lambda: print("at the end", Mine.__name__))
"""
    ran = run_script(tmp_path, source)
    assert (ran.returncode, ran.stdout) == (0, "at the end Mine\n"), ran.stderr


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ("pass", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no data')", 1, "no data\n"),
        ("raise SystemExit(4)", 4, ""),
    ],
)
def test_exit_codes_are_the_scripts(tmp_path: Path, ending: str, code: int, said: str) -> None:
    ran = run_script(tmp_path, f"import sys\n{ending}\n")
    assert (ran.returncode, ran.stderr) == (code, said)


def test_an_error_shows_the_scripts_frames_alone(tmp_path: Path) -> None:
    source = """def inner():
    raise ValueError("the script's own")

def outer():
    inner()

outer()
"""
    ran = run_script(tmp_path, source)
    assert ran.returncode == 1
    lines = ran.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.split(", ")[1:] for line in lines if line.startswith("  File")] == [
        ["line 7", "in <module>"],
        ["line 5", "in outer"],
        ["line 2", "in inner"],
    ]
    assert lines[-1] == "ValueError: the script's own"


FAILS_IN_A_LOSS = """
import numpy as np
from tensorflow import keras

def my_loss(y_true, y_pred):
    return undefined_name

model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss=my_loss, optimizer="sgd")
model.fit(np.ones((4, 2), "float32"), np.ones((4, 1), "float32"), verbose=0)
"""


def test_frames_of_ours_below_the_scripts_are_folded(tmp_path: Path) -> None:
    ran = run_script(tmp_path, FAILS_IN_A_LOSS)
    assert ran.returncode == 1
    files = [line for line in ran.stderr.splitlines() if line.startswith("  File")]
    assert [line.split(", ")[1:] for line in files] == [["line 10", "in <module>"], ["line 6", "in my_loss"]], (
        ran.stderr
    )
    assert "NameError: name 'undefined_name' is not defined" in ran.stderr
    assert "inside Tensorsmith not shown; see all with: tensorsmith run --full-traceback" in ran.stderr


def test_all_frames_are_shown_when_asked_for(tmp_path: Path) -> None:
    ran = run_script(tmp_path, FAILS_IN_A_LOSS, options=("--full-traceback",))
    assert ran.returncode == 1
    assert f"{os.sep}tensorsmith{os.sep}keras{os.sep}" in ran.stderr
    assert "not shown" not in ran.stderr


def test_a_syntax_error_shows_the_line(tmp_path: Path) -> None:
    ran = run_script(tmp_path, "x = 1\ndef f(:\n")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[0] == '  File "script.py", line 2'
    assert "run.py" not in ran.stderr


def test_the_scripts_own_excepthook_is_asked(tmp_path: Path) -> None:
    ran = run_script(tmp_path, "import sys\nsys.excepthook = lambda kind, *_: print('hook', kind.__name__)\n1 / 0\n")
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "hook ZeroDivisionError\n", "")


def test_control_c_exits_with_130(tmp_path: Path) -> None:
    # a test run in the background is started with Ctrl-C ignored, and its children inherit that
    handler = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    (tmp_path / "script.py").write_text(f"import signal\n{handler}\nprint('ready', flush=True)\nsignal.pause()\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "tensorsmith", "run", "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "KeyboardInterrupt" in said
    assert "run.py" not in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.py", "tensorsmith run: can't open file 'missing.py': No such file or directory\n"),
        (
            "book.ipynb",
            "tensorsmith run: 'book.ipynb' is a notebook; turn it into a script first: "
            "jupyter nbconvert --to script book.ipynb\n",
        ),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(tmp_path: Path, name: str, said: str) -> None:
    ran = python("-m", "tensorsmith", "run", name, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (2, said)
