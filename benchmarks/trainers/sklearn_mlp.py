"""scikit-learn's own network of the same width. It knows neither selu, Huber nor Nadam, so it
trains relu with squared errors and Adam: a cheaper step, and its losses compare with nobody's."""

from __future__ import annotations

from importlib import import_module

from benchmarks.housing import Table
from benchmarks.problems import BATCH, LEARNING_RATE, WIDTH, Problem


class SklearnMLP:
    def __init__(self, table: Table, shuffle: bool, seed: int, learning_rate: float) -> None:
        network = import_module("sklearn.neural_network")
        self.model = network.MLPRegressor(
            hidden_layer_sizes=(WIDTH,),
            batch_size=BATCH,
            alpha=0.0,
            shuffle=shuffle,
            random_state=seed,
            learning_rate_init=learning_rate,
        )
        (self.x, y), (self.xv, yv) = table.train, table.valid
        self.y, self.yv = y.ravel(), yv.ravel()

    def train(self, epochs: int) -> dict[str, float]:
        error = self.yv
        for _ in range(epochs):
            self.model.partial_fit(self.x, self.y)
            error = self.model.predict(self.xv) - self.yv
        return {"loss": float(self.model.loss_), "val_loss": float((error**2).mean() / 2)}


def trainer(
    problem: Problem,
    table: Table,
    shuffle: bool = True,
    seed: int = 0,
    learning_rate: float = LEARNING_RATE,
) -> SklearnMLP:
    if problem != "plain":
        raise ValueError(f"scikit-learn has no form of the {problem} problem")
    return SklearnMLP(table, shuffle, seed, learning_rate)
