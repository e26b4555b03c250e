"""What an import costs in a fresh process, and which heavy packages it drags in."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.contender import OURS, Contender, Figure, Job, Target, Verdict
from benchmarks.hiding import STATEMENT as HIDE
from benchmarks.runner import child_env
from benchmarks.settings import Settings

STATEMENT, PROCESS = "import statement", "whole process"
HIDDEN = ("pandas", "sklearn")
LAZY = ("jax", "h5py", "matplotlib", "rich", "pandas")


def run(code: str) -> str:
    # KERAS_BACKEND is how Keras is told its backend; nobody else reads it.
    env = child_env({"KERAS_BACKEND": "jax"})
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return done.stdout


def import_job(settings: Settings, package: str) -> Job:
    statement = f"import {package}" if package else "pass"
    hidden = HIDE.format(names=HIDDEN) if package in ("keras", "tensorflow") else "pass"
    clock = "time.perf_counter()"
    code = f"{hidden}\nimport time\nt = {clock}\n{statement}\nprint({clock} - t)"

    def measure() -> dict[str, float]:
        start = time.perf_counter()
        inside = float(run(code).split()[-1])
        times = {PROCESS: time.perf_counter() - start}
        return {STATEMENT: inside, **times} if package else times

    # The first import reads the files from disk and may write byte code.
    measure()
    return Job(measure)


def loaded(settings: Settings) -> list[Verdict]:
    code = f"import sys, tensorsmith\nprint(*[m for m in {LAZY!r} if m in sys.modules])"
    try:
        found = run(code).split()
    except RuntimeError as error:
        return [Verdict(f"heavy packages after the import: {error}", None)]
    return [Verdict(f"heavy packages after the import: {', '.join(found) or 'none'}", not found)]


def contender(name: str, package: str, rounds: int | None = None) -> Contender:
    needs = {"": (), "keras": ("keras", "jax")}.get(package, (package,))
    return Contender(name, f"{__name__}:import_job", needs, {"package": package}, rounds=rounds)


FIGURE = Figure(
    name="import_time",
    title="Import in a fresh process",
    contenders=(
        contender(OURS, "tensorsmith"),
        contender("NumPy", "numpy"),
        contender("JAX", "jax"),
        contender("Keras 3 on JAX", "keras"),
        contender("PyTorch", "torch", rounds=5),
        contender("TensorFlow", "tensorflow", rounds=5),
        contender("an empty process", ""),
    ),
    targets=(Target(STATEMENT, 1.5, "NumPy"), Target(PROCESS, 1.5, "NumPy")),
    rounds=(11, 3),
    extra=loaded,
)
