"""The California housing table, split and scaled as the chapter does it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Table:
    """Float32 rows: features [n, 8] of mean 0 and deviation 1, and targets [n, 1]."""

    train: Rows
    valid: Rows

    def save(self, path: Path) -> None:
        np.savez(path, x=self.train[0], y=self.train[1], xv=self.valid[0], yv=self.valid[1])

    @classmethod
    def load(cls, path: str) -> Table:
        with np.load(path) as f:
            return cls((f["x"], f["y"]), (f["xv"], f["yv"]))


def read(path: str) -> Rows:
    """Features as scikit-learn serves them; the 207 rows that lack a number are left out."""
    with open(path, newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["total_bedrooms"]]

    def column(name: str) -> np.ndarray:
        return np.array([float(r[name]) for r in rows])

    households = column("households")
    features = [
        column("median_income"),
        column("housing_median_age"),
        column("total_rooms") / households,
        column("total_bedrooms") / households,
        column("population"),
        column("population") / households,
        column("latitude"),
        column("longitude"),
    ]
    return np.stack(features, axis=1), column("median_house_value")[:, None] / 100_000


def made_up(count: int = 20_433) -> Rows:
    """As many rows as the real table has complete ones, with something in them to learn."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((count, 8))
    hidden = np.tanh(x @ rng.standard_normal((8, 5)))
    y = 2 + hidden @ rng.standard_normal((5, 1)) / 2 + rng.standard_normal((count, 1)) / 4
    return x, y


def load(path: str, copies: int = 1) -> Table:
    """The table from `path`, or made-up rows. copies > 1 repeats the training rows with noise."""
    x, y = read(path) if Path(path).is_file() else made_up()
    order = np.random.default_rng(42).permutation(len(x))
    # A quarter for testing, a quarter of the rest for validation: train_test_split, twice.
    kept = len(x) - len(x) // 4
    n_valid = kept // 4
    train, valid = order[: kept - n_valid], order[kept - n_valid : kept]
    mean, deviation = x[train].mean(0), x[train].std(0)
    x = (x - mean) / deviation
    x, y = x.astype(np.float32), y.astype(np.float32)
    x_train, y_train = x[train], y[train]
    if copies > 1:
        rng = np.random.default_rng(7)
        x_train, y_train = np.tile(x_train, (copies, 1)), np.tile(y_train, (copies, 1))
        x_train += rng.normal(scale=0.05, size=x_train.shape).astype(np.float32)
    return Table((x_train, y_train), (x[valid], y[valid]))
