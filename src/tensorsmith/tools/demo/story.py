"""The demo from end to end: train, compare, draw, save, reload, check."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console

from tensorsmith import keras
from tensorsmith.tools.demo import parts, picture, report
from tensorsmith.tools.demo.table import Part, Table, diamonds, housing

THRESHOLD = 2.0  # the error, in units of the target, from which on a row pulls no harder
SEED = 42


@dataclass
class Course:
    """One model's training: its curves, its times, its errors on the test part."""

    name: str
    model: keras.Model
    curves: dict[str, list[float]]
    seconds: list[float]
    test: dict[str, float]
    predictions: np.ndarray
    reloads: list[Reload] = field(default_factory=list)


@dataclass(frozen=True)
class Reload:
    """What came back from a file: how far its predictions are from those of the model that was saved."""

    path: Path
    size_bytes: int
    seconds: float
    difference: float

    @property
    def agrees(self) -> bool:
        # The same numbers go through the same program; the rest is for a reload that is batched differently.
        return self.difference <= 1e-5


def demo(data: str | None = None, out: str | os.PathLike[str] = "demo-out", epochs: int = 30) -> int:
    """Run the demo; returns 0 if every reloaded model predicts what the saved one did, else 1 (2: no such table).

    data: path of housing.csv, or None for the embedded diamonds. out: folder for models and picture.
    """
    console = Console()
    try:
        table = housing(data) if data else diamonds()
    except (OSError, ValueError) as error:
        print(f"tensorsmith demo: {error}", file=sys.stderr)
        return 2
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    train, valid, test = table.split()
    report.opening(console, table, [len(part[0]) for part in (train, valid, test)])

    keras.utils.set_random_seed(SEED)
    courses = [
        _learn(console, table, "Small model", parts.small_model(len(table.names)), (train, valid, test), epochs),
        _learn(console, table, "Residual model", parts.ResidualRegressor(1), (train, valid, test), epochs),
    ]
    for course in courses:
        report.epochs(console, course, table)
    mean_error = float(np.abs(test[1] - train[1].mean()).mean())
    report.results(console, courses, table, mean_error, len(train[0]))

    for course, endings in zip(courses, [(".keras", ".h5"), (".keras",)], strict=True):
        stem = course.name.lower().replace(" ", "_")
        course.reloads = [_reload(course, folder / f"{stem}{ending}", test[0]) for ending in endings]
    report.reloads(console, courses)

    report.closing(console, picture.draw(folder / "learning_curves.png", courses, table, test[1], mean_error), folder)
    return 0 if all(reload.agrees for course in courses for reload in course.reloads) else 1


def _learn(
    console: Console, table: Table, name: str, model: keras.Model, split: tuple[Part, Part, Part], epochs: int
) -> Course:
    train, valid, test = split
    model.compile(
        loss=parts.HuberLoss(THRESHOLD), optimizer="nadam", metrics=[parts.HuberMetric(THRESHOLD, name="huber"), "mae"]
    )
    with report.progress(console, name, epochs, table) as shown:
        watch = _Watch(shown)
        history = model.fit(*train, epochs=epochs, validation_data=valid, verbose=0, callbacks=[watch])
    test_errors = model.evaluate(*test, verbose=0, return_dict=True)
    return Course(name, model, history.history, watch.seconds, test_errors, model.predict(test[0], verbose=0))


def _reload(course: Course, path: Path, features: np.ndarray) -> Reload:
    start = time.perf_counter()
    course.model.save(path)
    again = keras.models.load_model(path, custom_objects=parts.CUSTOM_OBJECTS)
    seconds = time.perf_counter() - start
    difference = float(np.abs(again.predict(features, verbose=0) - course.predictions).max())
    return Reload(path, path.stat().st_size, seconds, difference)


class _Watch(keras.callbacks.Callback):
    """Shows each epoch as it ends, and notes its seconds, validation included; the first has compiling in it too."""

    def __init__(self, shown: Callable[[report.Logs | None], None]) -> None:
        super().__init__()
        self.shown = shown
        self.seconds: list[float] = []
        self.last = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: report.Logs | None = None) -> None:
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.shown(logs)
        self.last = now
