"""The job of every epoch figure: seconds of one further epoch, and of a call that trains one."""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks import housing
from benchmarks.contender import Job
from benchmarks.figures.entrants import make
from benchmarks.problems import Problem
from benchmarks.settings import Settings
from benchmarks.trainers.keras_fit import Fit
from benchmarks.trainers.trainer import Trainer

STEADY = "further epoch"
CALL = "call of one epoch"

CHECKED_EPOCHS = 3
# Eight epochs of Keras 3 on JAX: with three, the difference of two calls scattered by a third.
WORTH_TIMING_S = 0.4


def seconds(trainer: Trainer, epochs: int) -> float:
    start = time.perf_counter()
    trainer.train(epochs)
    return time.perf_counter() - start


def epoch_job(settings: Settings, trainer: str, system: dict[str, Any], problem: Problem) -> Job:
    """Epochs of the housing table, warm."""
    table = housing.load(settings.data)
    warm = make(trainer, problem, table, **system)
    warm.train(1)
    warm.train(2)
    more = min(40, max(2, round(WORTH_TIMING_S / seconds(warm, 1))))

    def measure() -> dict[str, float]:
        # What a call costs once (checks, first look-ups) is in both times and leaves the first row.
        # The median of three, for one disturbed call would be paid back to the longer one.
        one = statistics.median(seconds(warm, 1) for _ in range(3))
        return {STEADY: (seconds(warm, 1 + more) - one) / more, CALL: one}

    def check() -> dict[str, float]:
        """From the same first weights and without shuffling, all losses must be the same."""
        if trainer == "sklearn_mlp":
            return {}
        return make(trainer, problem, table, shuffle=False, **system).train(CHECKED_EPOCHS)

    return Job(measure, check)


def large_job(settings: Settings, trainer: str, system: dict[str, Any], problem: Problem, warm_whole: bool) -> Job:
    """One epoch of the table repeated 100 times (10 with --quick), as one call.

    warm_whole: warm up with all rows, for who compiles for the number of rows; the others compile
    for batches, and a hundredth of the rows, with a last batch of the same size, is enough.
    """
    table = housing.load(settings.data, copies=10 if settings.quick else 100)
    if warm_whole:
        warm = make(trainer, problem, table, **system)
        warm.train(1)
    else:
        x, y = table.train
        few = 320 + len(x) % 32
        warm = make(trainer, problem, housing.Table((x[:few], y[:few]), table.valid), **system)
        warm.train(1)
        grow(warm, table)

    return Job(lambda: {CALL: seconds(warm, 1)})


def grow(trainer: Trainer, table: housing.Table) -> None:
    """Gives a warm trainer the whole table; its compiled steps stay."""
    if not isinstance(trainer, Fit):
        raise TypeError(f"{type(trainer).__name__} compiles for the number of rows")
    trainer.table = table
