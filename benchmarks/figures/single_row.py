"""What an answer for one row costs: `predict`, and the model called like a function."""

from __future__ import annotations

import timeit
from importlib import import_module
from typing import Any

from benchmarks import housing
from benchmarks.contender import Contender, Figure, Job, Target
from benchmarks.figures.entrants import KERAS_JAX, KERAS_TF, TENSORSMITH, TORCH, Entrant, make
from benchmarks.settings import Settings

PREDICT, CALL = "predict(row)", "model(row)"


def fit_job(settings: Settings, trainer: str, system: dict[str, Any]) -> Job:
    table = housing.load(settings.data)
    fitted: Any = make(trainer, "plain", table, **system)
    model, row = fitted.model, table.valid[0][:1].copy()
    statements = {PREDICT: "model.predict(row, verbose=0)", CALL: "model(row)"}
    names = {"model": model, "row": row}
    timers = {name: timeit.Timer(code, globals=names) for name, code in statements.items()}
    for timer in timers.values():
        timer.timeit(20)
    # As many calls as fill a tenth of a second, counted warm: a first call compiles.
    calls = {name: max(2, int(0.1 / (timer.timeit(10) / 10))) for name, timer in timers.items()}

    def measure() -> dict[str, float]:
        return {name: timer.timeit(calls[name]) / calls[name] for name, timer in timers.items()}

    def check() -> dict[str, float]:
        predicted = float(model.predict(row, verbose=0)[0, 0])
        return {"by predict": predicted, "by call": float(model(row)[0, 0])}

    measure()
    return Job(measure, check)


def torch_job(settings: Settings, trainer: str, system: dict[str, Any]) -> Job:
    torch: Any = import_module("torch")
    table = housing.load(settings.data)
    model = import_module(f"benchmarks.trainers.{trainer}").module("plain")
    names = {"model": model.eval(), "row": torch.tensor(table.valid[0][:1])}
    timer = timeit.Timer("model(row)", globals=names)
    torch.set_num_threads(1)

    def measure() -> dict[str, float]:
        with torch.inference_mode():
            return {CALL: timer.timeit(2_000) / 2_000}

    def check() -> dict[str, float]:
        answer = model(names["row"]).item()
        return {"by predict": answer, "by call": answer}

    measure()
    return Job(measure, check)


def enter(entrant: Entrant, job: str = "fit_job", rounds: int | None = None) -> Contender:
    return entrant.enter(f"{__name__}:{job}", rounds=rounds)


FIGURE = Figure(
    name="single_row",
    title="One row: predict, and the model called",
    contenders=(
        enter(TENSORSMITH),
        enter(TORCH, "torch_job"),
        enter(KERAS_JAX),
        enter(KERAS_TF, rounds=5),
    ),
    targets=(Target(PREDICT, 100e-6), Target(CALL, 30e-6)),
    rounds=(15, 4),
    agree=1e-4,
)
