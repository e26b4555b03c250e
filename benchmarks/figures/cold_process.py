"""A whole process from nothing: import, build, two epochs with validation, exit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import housing
from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.figures.entrants import KERAS_JAX, KERAS_TF, RAW_SCAN, TENSORSMITH, TORCH, Entrant
from benchmarks.settings import ROOT, Settings

FIRST, SECOND = "first run", "second run"

# Without the last two JAX keeps only programs that took over a second to compile.
JAX_CACHE = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


def run(trainer: str, data: Path, system: dict[str, Any], env: dict[str, str]) -> float:
    command = [sys.executable, "-m", "benchmarks.cold", trainer, str(data), json.dumps(system)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **env})
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    loss = json.loads(done.stdout.strip().splitlines()[-1])["loss"]
    # Whoever trained has come well below the 2.4 that the first weights give.
    if not 0 < loss < 1:
        raise RuntimeError(f"two epochs ended with a loss of {loss}")
    return seconds


def cold_job(settings: Settings, trainer: str, system: dict[str, Any], cache: str) -> Job:
    """cache: the environment variable that names a folder for compiled programs, if any."""
    data = Path(tempfile.mkdtemp(dir=settings.scratch)) / "housing.npz"
    housing.load(settings.data).save(data)

    def measure() -> dict[str, float]:
        with tempfile.TemporaryDirectory(dir=settings.scratch) as empty:
            env = {cache: empty} if cache else {}
            first = run(trainer, data, system, env)
            return {FIRST: first, **({SECOND: run(trainer, data, system, env)} if cache else {})}

    # The first process of a kind reads its files from disk.
    measure()
    return Job(measure)


def enter(entrant: Entrant, cache: str = "", rounds: int | None = None) -> Contender:
    contender = entrant.enter(f"{__name__}:cold_job", rounds=rounds, cache=cache)
    if entrant.trainer == "keras_fit":
        contender.options["system"]["own_weights"] = True
    return contender


RAW_KEPT = Entrant("raw JAX scan, JAX's own cache", RAW_SCAN.trainer, RAW_SCAN.needs, env=JAX_CACHE)

FIGURE = Figure(
    name="cold_process",
    title="Whole cold process: import, build, two epochs, exit",
    contenders=(
        enter(TENSORSMITH, cache="TENSORSMITH_CACHE_DIR"),
        enter(RAW_SCAN),
        enter(RAW_KEPT, cache="JAX_COMPILATION_CACHE_DIR", rounds=5),
        enter(TORCH, rounds=5),
        enter(KERAS_JAX, rounds=5),
        enter(KERAS_TF, rounds=3),
    ),
    targets=(
        Target(FIRST, 1.15, "raw JAX scan"),
        Target(SECOND, 0.75, (OURS, FIRST)),
    ),
    rounds=(9, 2),
)
