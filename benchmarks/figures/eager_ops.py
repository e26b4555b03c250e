"""One small operation, run at once: square, addition and matrix product of 2x3 tensors."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contender import Figure, Job, Target
from benchmarks.figures.entrants import at_once
from benchmarks.settings import Settings

SQUARE, ADD, MATMUL = "square(t)", "t + u", "t @ w"

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def eager_job(settings: Settings, package: str) -> Job:
    """Statements timed bare: a function around them would cost as much as the fastest of them."""
    module = import_module(package)
    tensor: Callable[[np.ndarray], Any] = {
        "numpy": np.array,
        "torch": lambda a: module.tensor(a.copy()),
        "tensorflow": lambda a: module.constant(a),
        "tensorsmith": lambda a: module.constant(a),
    }[package]
    names = {
        "square": module.square,
        "t": tensor(VALUES),
        "u": tensor(VALUES + 1),
        "w": tensor(np.ascontiguousarray(VALUES.T)),
    }
    timers = {row: timeit.Timer(row, globals=names) for row in (SQUARE, ADD, MATMUL)}
    calls = 2_000 if package == "tensorflow" else 20_000

    def measure() -> dict[str, float]:
        return {row: timer.timeit(calls) / calls for row, timer in timers.items()}

    measure()
    return Job(measure)


FIGURE = Figure(
    name="eager_ops",
    title="Eager operations on 2x3 float32 tensors",
    contenders=at_once(f"{__name__}:eager_job"),
    targets=tuple(Target(row, 1.0, "PyTorch") for row in (SQUARE, ADD, MATMUL)),
    rounds=(21, 5),
)
