"""Runs one figure: a process per contender, all of them taking turns until the rounds are done."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contender import Contender, Figure
from benchmarks.settings import ROOT, Settings

PATIENCE_S = 1800.0

# Figures are about CPUs: a peer that found an accelerator would answer another question.
COMMON_ENV = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
# Settings of the user's shell that would change what is measured.
DROPPED_ENV = (
    "JAX_COMPILATION_CACHE_DIR",
    "XLA_FLAGS",
    "KERAS_BACKEND",
    "TENSORSMITH_CACHE_DIR",
    # an installed package has its bytecode beside it: without it every import would compile the sources again
    "PYTHONDONTWRITEBYTECODE",
)


@dataclass
class Standing:
    """What is known of one contender: samples by row, the numbers of its check, or why it is
    absent (which it can become halfway)."""

    contender: Contender
    samples: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    check: dict[str, float] = field(default_factory=dict[str, float])
    absent: str | None = None


def child_env(extra: dict[str, str]) -> dict[str, str]:
    """The environment of a measured process; it finds this checkout where none is installed."""
    env = {k: v for k, v in os.environ.items() if k not in DROPPED_ENV}
    paths = [str(ROOT)]
    if importlib.util.find_spec("tensorsmith") is None and (ROOT / "src").is_dir():
        paths.append(str(ROOT / "src"))
    env["PYTHONPATH"] = os.pathsep.join([*paths, *filter(None, [env.get("PYTHONPATH")])])
    return {**env, **COMMON_ENV, **extra}


def lacking(contender: Contender) -> str | None:
    """Which package that the contender needs is not installed, as a sentence."""
    for name in contender.needs:
        here = importlib.util.find_spec(name) is not None
        if not here and not (name == "tensorsmith" and (ROOT / "src" / name).is_dir()):
            return f"{name} is not installed"
    return None


class Worker:
    """A running contender. Leaves its log in `log`, for when it fails."""

    def __init__(self, contender: Contender, settings: Settings) -> None:
        folder = Path(tempfile.mkdtemp(dir=settings.scratch))
        # Compiled programs kept from an earlier run would make a first compile look free.
        env = child_env({"TENSORSMITH_CACHE_DIR": str(folder / "cache"), **contender.env})
        self.log = folder / "log.txt"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=env,
                cwd=ROOT,
            )
        try:
            self.ask(
                do="start",
                job=contender.job,
                options=dict(contender.options),
                settings=settings.as_json(),
            )
        except BaseException:
            self.stop()
            raise

    def ask(self, **order: Any) -> dict[str, float]:
        assert self.process.stdin and self.process.stdout
        watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        watchdog.start()
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watchdog.cancel()
        if not line:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-3:]
            raise RuntimeError("the process ended: " + " | ".join(tail))
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def stop(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Race:
    """The contenders of one figure and the processes of those that are still running."""

    def __init__(self, figure: Figure, settings: Settings) -> None:
        self.figure = figure
        self.settings = settings
        self.standings = [Standing(c, absent=lacking(c)) for c in figure.contenders]
        self.workers: dict[str, Worker] = {}

    def say(self, text: str) -> None:
        print(f"\r\033[K  {self.figure.name}: {text}", end="", file=sys.stderr, flush=True)

    def open(self, standing: Standing) -> None:
        self.say(f"starting {standing.contender.name}")
        try:
            worker = Worker(standing.contender, self.settings)
            self.workers[standing.contender.name] = worker
            if not standing.check:
                standing.check = worker.ask(do="check")
        except RuntimeError as error:
            standing.absent = f"failed: {error}"

    def close(self, name: str) -> None:
        worker = self.workers.pop(name, None)
        if worker is not None:
            worker.stop()

    def turn(self, standing: Standing, number: int) -> None:
        contender = standing.contender
        if standing.absent or (contender.rounds is not None and number >= contender.rounds):
            return
        if contender.fresh or contender.name not in self.workers:
            self.close(contender.name)
            self.open(standing)
            if standing.absent:
                return
        self.say(f"round {number + 1}, {contender.name}")
        try:
            seconds = self.workers[contender.name].ask(do="measure")
        except RuntimeError as error:
            standing.absent = f"failed: {error}"
            return
        for row, value in seconds.items():
            standing.samples.setdefault(row, []).append(value)
        if contender.fresh:
            self.close(contender.name)

    def run(self) -> list[Standing]:
        rounds = self.figure.rounds[1 if self.settings.quick else 0]
        try:
            for number in range(rounds):
                # There and back, so that a machine that slows down favours nobody.
                order = self.standings if number % 2 == 0 else self.standings[::-1]
                for standing in order:
                    self.turn(standing, number)
        finally:
            for name in list(self.workers):
                self.close(name)
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        return self.standings
