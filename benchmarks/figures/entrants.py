"""Who trains in the figures: a way of training, the packages it needs, and its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from benchmarks.contender import OURS, Contender
from benchmarks.hiding import VARIABLE
from benchmarks.trainers.trainer import Trainer


@dataclass(frozen=True)
class Entrant:
    name: str
    trainer: str
    needs: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def enter(self, job: str, rounds: int | None = None, fresh: bool = False, **options: Any) -> Contender:
        """This entrant at work on a job that takes `trainer`, `system` and further options."""
        how = {"trainer": self.trainer, "system": dict(self.options), **options}
        return Contender(self.name, job, self.needs, how, self.env, fresh, rounds)


TENSORSMITH = Entrant(OURS, "keras_fit", ("tensorsmith", "jax"), options={"system": "tensorsmith"})
RAW_SCAN = Entrant("raw JAX scan", "raw_scan", ("jax",))
KERAS_JAX = Entrant(
    "Keras 3 on JAX",
    "keras_fit",
    ("keras", "jax"),
    {"KERAS_BACKEND": "jax", VARIABLE: "tensorflow,pandas,sklearn"},
)
KERAS_TF = Entrant(
    "Keras 3 on TensorFlow",
    "keras_fit",
    ("keras", "tensorflow"),
    {"KERAS_BACKEND": "tensorflow", VARIABLE: "pandas,sklearn"},
)
TORCH = Entrant("PyTorch by hand", "torch_loop", ("torch",))
SKLEARN = Entrant("scikit-learn MLPRegressor", "sklearn_mlp", ("sklearn",))


def at_once(job: str) -> tuple[Contender, ...]:
    """Those who run single operations at once, at work on a job that takes `package`."""
    packages = {OURS: "tensorsmith", "PyTorch": "torch", "NumPy": "numpy", "TensorFlow": "tensorflow"}
    return tuple([Contender(name, job, (package,), {"package": package}) for name, package in packages.items()])


def make(name: str, *args: Any, **settings: Any) -> Trainer:
    """A trainer of benchmarks/trainers/<name>.py; only that one's framework is imported."""
    return import_module(f"benchmarks.trainers.{name}").trainer(*args, **settings)
