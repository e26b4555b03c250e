"""Training by `fit`: Keras 3 on the backend of its process, and Tensorsmith."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.housing import Table
from benchmarks.problems import BATCH, LEARNING_RATE, Problem, first_weights
from benchmarks.trainers.chapter import Ops, compiled_model


def keras_3() -> tuple[Any, Ops]:
    keras = import_module("keras")
    o = keras.ops
    return keras, Ops(
        abs=o.abs, square=o.square, where=o.where, sum=o.sum, exp=o.exp, log=o.log,
        matmul=o.matmul, zeros_like=o.zeros_like, convert=o.convert_to_tensor, size=o.size,
        cast=o.cast,
    )  # fmt: skip


def tensorsmith() -> tuple[Any, Ops]:
    tf = import_module("tensorsmith")
    return tf.keras, Ops(
        abs=tf.abs, square=tf.square, where=tf.where, sum=tf.reduce_sum, exp=tf.exp,
        log=tf.math.log, matmul=tf.matmul, zeros_like=tf.zeros_like,
        convert=tf.convert_to_tensor, size=tf.size, cast=tf.cast,
    )  # fmt: skip


class Fit:
    def __init__(self, model: Any, table: Table, shuffle: bool) -> None:
        self.model, self.table, self.shuffle = model, table, shuffle

    def train(self, epochs: int) -> dict[str, float]:
        history = self.model.fit(
            *self.table.train,
            batch_size=BATCH,
            epochs=epochs,
            validation_data=self.table.valid,
            shuffle=self.shuffle,
            verbose=0,
        ).history
        last = {name.replace("mae", "metric"): values[-1] for name, values in history.items()}
        return {name: float(value) for name, value in last.items()}


def build(keras: Any, ops: Ops, problem: Problem, seed: int, learning_rate: float) -> Any:
    """A model that starts from the weights that all contenders share."""
    model = compiled_model(keras, ops, problem, learning_rate)
    if not model.weights:
        # A subclassed model has its weights only after a first call.
        model(np.zeros((1, 8), np.float32))
    model.set_weights(first_weights(problem, seed))
    return model


def trainer(
    problem: Problem,
    table: Table,
    shuffle: bool = True,
    seed: int = 0,
    learning_rate: float = LEARNING_RATE,
    system: str = "keras",
    own_weights: bool = False,
) -> Fit:
    """own_weights: leave the first weights to the initializers, as a user's script does."""
    keras, ops = tensorsmith() if system == "tensorsmith" else keras_3()
    keras.utils.set_random_seed(seed)
    make = compiled_model if own_weights else build
    settings = {} if own_weights else {"seed": seed}
    model = make(keras, ops, problem, learning_rate=learning_rate, **settings)
    return Fit(model, table, shuffle)
