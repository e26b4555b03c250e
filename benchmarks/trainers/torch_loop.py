"""The chapter's training as a hand-written PyTorch loop.

The fastest plain form that was found: one thread (two cost 3 % more at this size), rows shuffled
once an epoch and then cut into views, NAdam with its defaults (its foreach form costs 18 % more).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.housing import Table
from benchmarks.problems import BATCH, LEARNING_RATE, THRESHOLD, Problem, first_weights

torch: Any = import_module("torch")


def huber(y: Any, p: Any, threshold: float = THRESHOLD["plain"]) -> Any:
    error = y - p
    size = error.abs()
    linear = threshold * size - threshold**2 / 2
    return torch.where(size < threshold, error.square() / 2, linear).mean()


class Residual(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        linear = torch.nn.Linear
        self.first, self.last = linear(8, 30), linear(30, 1)
        self.inner = torch.nn.ModuleList([linear(30, 30) for _ in range(4)])

    def forward(self, x: Any) -> Any:
        elu = torch.nn.functional.elu
        z = elu(self.first(x))
        for block in (0, 0, 0, 0, 2):
            z = z + elu(self.inner[block + 1](elu(self.inner[block](z))))
        return self.last(z)

    def layers(self) -> list[Any]:
        return [self.first, *self.inner, self.last]


def module(problem: Problem, seed: int = 0) -> Any:
    if problem == "residual":
        model: Any = Residual()
        layers = model.layers()
    else:
        linear = torch.nn.Linear
        model = torch.nn.Sequential(linear(8, 30), torch.nn.SELU(), linear(30, 1))
        layers = [model[0], model[2]]
    weights = first_weights(problem, seed)
    with torch.no_grad():
        for layer, kernel, bias in zip(layers, weights[::2], weights[1::2], strict=True):
            layer.weight.copy_(torch.tensor(np.ascontiguousarray(kernel.T)))
            layer.bias.copy_(torch.tensor(bias))
    return model


class TorchLoop:
    def __init__(self, problem: Problem, table: Table, shuffle: bool, seed: int, learning_rate: float) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self.model = module(problem, seed)
        # momentum_decay=1 and eps=1e-7 make it the Nadam of Keras.
        self.optimizer = torch.optim.NAdam(self.model.parameters(), lr=learning_rate, eps=1e-7, momentum_decay=1.0)
        self.x, self.y, self.xv, self.yv = map(torch.tensor, (*table.train, *table.valid))
        self.shuffle, self.problem = shuffle, problem

    def loss(self, y: Any, p: Any) -> Any:
        return (y - p).square().mean() if self.problem == "residual" else huber(y, p)

    def epoch(self) -> dict[str, float]:
        x, y, has_metric = self.x, self.y, self.problem != "residual"
        if self.shuffle:
            order = torch.randperm(len(x))
            x, y = x[order], y[order]
        loss_sum, metric_sum = torch.zeros(()), torch.zeros(())
        for xb, yb in zip(x.split(BATCH), y.split(BATCH), strict=True):
            p = self.model(xb)
            loss = self.loss(yb, p)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            with torch.no_grad():
                loss_sum += loss * len(xb)
                if has_metric:
                    metric_sum += (yb - p).abs().sum()
        with torch.inference_mode():
            p = self.model(self.xv)
            logs = {"loss": loss_sum / len(x), "val_loss": self.loss(self.yv, p)}
            if has_metric:
                logs["metric"] = metric_sum / len(x)
                logs["val_metric"] = (self.yv - p).abs().mean()
        return {name: value.item() for name, value in logs.items()}

    def train(self, epochs: int) -> dict[str, float]:
        logs: dict[str, float] = {}
        for _ in range(epochs):
            logs = self.epoch()
        return logs


def trainer(
    problem: Problem,
    table: Table,
    shuffle: bool = True,
    seed: int = 0,
    learning_rate: float = LEARNING_RATE,
) -> TorchLoop:
    return TorchLoop(problem, table, shuffle, seed, learning_rate)
