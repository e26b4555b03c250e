"""What one call of a compiled function costs: ten small arrays in, one small array out."""

from __future__ import annotations

import timeit
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.settings import Settings

ROW = "call with 10 arrays"
CALLS = 2_000


def call_job(settings: Settings, package: str) -> Job:
    module: Any = import_module(package)
    compiled = module.jit if package == "jax" else module.function
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((4, 3)).astype(np.float32) for _ in range(10)]

    @compiled
    def function(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any, j: Any) -> Any:
        return a * b + c * d + e * f + g * h + i * j

    timer = timeit.Timer("function(*arrays)", globals={"function": function, "arrays": arrays})

    def measure() -> dict[str, float]:
        return {ROW: timer.timeit(CALLS) / CALLS}

    measure()
    return Job(measure, lambda: {"sum": float(np.sum(np.asarray(function(*arrays))))})


def contender(name: str, package: str) -> Contender:
    return Contender(name, f"{__name__}:call_job", (package,), {"package": package})


FIGURE = Figure(
    name="function_call",
    title="A compiled function called with ten small NumPy arrays",
    contenders=(
        contender(OURS, "tensorsmith"),
        contender("jax.jit", "jax"),
        contender("TensorFlow", "tensorflow"),
    ),
    targets=(Target(ROW, 1.3, "jax.jit"),),
    rounds=(15, 4),
    agree=1e-4,
)
