"""Models that differ in seed and learning rate, trained one after another in one process."""

from __future__ import annotations

import time
from typing import Any

from benchmarks import housing
from benchmarks.contender import Contender, Figure, Job, Target
from benchmarks.figures.entrants import KERAS_JAX, RAW_SCAN, TENSORSMITH, TORCH, Entrant, make
from benchmarks.settings import Settings

ROW = "all models"

EPOCHS = 5


def many_job(settings: Settings, trainer: str, system: dict[str, Any]) -> Job:
    """The process has imported everything and trained nothing: the first compile is in the time."""
    count = 4 if settings.quick else 32
    table = housing.load(settings.data)
    make(trainer, "plain", table, **system)

    def measure() -> dict[str, float]:
        start = time.perf_counter()
        for seed in range(count):
            rate = 1e-3 * (1 + seed / 32)
            make(trainer, "plain", table, seed=seed, learning_rate=rate, **system).train(EPOCHS)
        return {ROW: time.perf_counter() - start}

    return Job(measure)


def enter(entrant: Entrant, rounds: int | None = None) -> Contender:
    contender = entrant.enter(f"{__name__}:many_job", rounds=rounds, fresh=True)
    if entrant.trainer == "keras_fit":
        contender.options["system"]["own_weights"] = True
    return contender


FIGURE = Figure(
    name="many_models",
    title="32 models that differ in seed and learning rate, 5 epochs each",
    contenders=(
        enter(TENSORSMITH),
        enter(RAW_SCAN),
        enter(TORCH, rounds=1),
        enter(KERAS_JAX, rounds=1),
    ),
    targets=(Target(ROW, 1.5, "raw JAX scan"),),
    rounds=(5, 1),
)
