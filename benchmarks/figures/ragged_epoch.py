"""An epoch on sentences of different lengths by `fit`: a ragged tensor, Embedding, the mean over each sentence, Dense."""

from __future__ import annotations

import statistics
import time
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.settings import Settings

FIT, EVALUATE, PREDICT, FIRST = "further epoch", "evaluate", "predict", "first epoch"
ROWS, BATCH, SHORTEST, LONGEST, VOCABULARY, DIMENSIONS, RATE = 2000, 32, 20, 200, 1000, 16, 0.01
CHECKED_EPOCHS = 3


def problem() -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """All words, the length of each sentence, the targets, and the first weights: table, kernel, bias."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(SHORTEST, LONGEST + 1, ROWS)
    words = rng.integers(0, VOCABULARY, lengths.sum()).astype(np.int32)
    targets = (rng.random((ROWS, 1)) < 0.5).astype(np.float32)
    weights = rng.normal(size=(VOCABULARY, DIMENSIONS)), rng.normal(size=(DIMENSIONS, 1)), np.zeros(1)
    return words, lengths, targets, [w.astype(np.float32) for w in weights]


class Fitted:
    """The model of one package and the data as its ragged tensor."""

    def __init__(self, package: str, keras_package: str) -> None:
        tf: Any = import_module(package)
        keras: Any = import_module(keras_package)
        words, lengths, self.y, weights = problem()
        self.x = tf.RaggedTensor.from_row_lengths(words, lengths)
        inputs = keras.Input([None], ragged=True, dtype="int32")
        hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(VOCABULARY, DIMENSIONS)(inputs))
        self.model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
        self.model.set_weights(weights)
        self.model.compile(keras.optimizers.Adam(RATE), "binary_crossentropy", metrics=["accuracy"])

    def fit(self, epochs: int = 1, shuffle: bool = True) -> float:
        history = self.model.fit(self.x, self.y, batch_size=BATCH, epochs=epochs, shuffle=shuffle, verbose=0).history
        return float(history["loss"][-1])

    def evaluate(self) -> None:
        self.model.evaluate(self.x, self.y, batch_size=BATCH, verbose=0)

    def predict(self) -> None:
        self.model.predict(self.x, batch_size=BATCH, verbose=0)


def epoch_job(settings: Settings, package: str, keras: str) -> Job:
    fitted = Fitted(package, keras)

    def seconds(call: Any) -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    first = seconds(fitted.fit)
    # in its first epochs either package still meets new shapes and sorts out what to compile
    fitted.fit(4)
    fitted.evaluate()
    fitted.predict()
    times = 2 if settings.quick else 5

    def measure() -> dict[str, float]:
        calls = {FIT: fitted.fit, EVALUATE: fitted.evaluate, PREDICT: fitted.predict}
        found = {name: statistics.median(seconds(call) for _ in range(times)) for name, call in calls.items()}
        return {**found, FIRST: first}

    def check() -> dict[str, float]:
        return {"loss": Fitted(package, keras).fit(CHECKED_EPOCHS, shuffle=False)}

    return Job(measure, check)


def contender(name: str, package: str, keras: str, *more: str, rounds: int | None = None) -> Contender:
    options = {"package": package, "keras": keras}
    return Contender(name, f"{__name__}:epoch_job", (package, *more), options, {}, rounds=rounds)


PEER = "tf_keras"
FIGURE = Figure(
    name="ragged_epoch",
    title="Ragged rows by fit: 2,000 sentences of 20 to 200 words, batch 32, embeddings of 16, their mean, Adam",
    contenders=(
        contender(OURS, "tensorsmith", "tensorsmith.keras"),
        contender(PEER, "tensorflow", "tf_keras", "tf_keras", rounds=3),
    ),
    targets=(Target(FIT, 1.0, PEER),),
    rounds=(5, 3),
    agree=1e-3,
)
