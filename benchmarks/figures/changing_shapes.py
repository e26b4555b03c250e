"""An eager training step whose shapes are others every time: sentences of many lengths, embedded, averaged, judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.settings import Settings

ROW = "one step"

WORDS, WIDTH, SENTENCES, RATE = 1000, 16, 32, 0.01
CHECKED_STEPS = 40

# words of all sentences, the length of each, which of two kinds it is
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
Step = Callable[[Batch], Any]


def batches(count: int, seed: int) -> list[Batch]:
    """Batches whose sentences have 50 to 199 words: hardly two have as many words in all."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        lengths = rng.integers(50, 200, SENTENCES)
        words = rng.integers(0, WORDS, lengths.sum()).astype("int32")
        found.append((words, lengths, rng.integers(0, 2, (SENTENCES, 1)).astype("float32")))
    return found


def first_weights() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [
        rng.normal(size=shape).astype("float32") * scale
        for shape, scale in [((WORDS, WIDTH), 1.0), ((WIDTH, 1), 0.3), ((1,), 0.1)]
    ]


def ragged_step(package: str, keras_name: str) -> Step:
    """TensorFlow and Tensorsmith: the same lines, on ragged tensors."""
    tf, keras = import_module(package), import_module(keras_name)
    weights = [tf.Variable(w) for w in first_weights()]
    table, kernel, bias = weights
    optimizer = keras.optimizers.Adam(learning_rate=RATE)
    loss_fn = keras.losses.BinaryCrossentropy()

    def step(batch: Batch) -> Any:
        words, lengths, kinds = batch
        sentences = tf.RaggedTensor.from_row_lengths(words, lengths)
        with tf.GradientTape() as tape:
            means = tf.reduce_mean(tf.nn.embedding_lookup(table, sentences), axis=1)
            loss = loss_fn(kinds, tf.sigmoid(means @ kernel + bias))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    return step


def torch_step() -> Step:
    """PyTorch: bags of words, its own form for this."""
    torch: Any = import_module("torch")
    f = torch.nn.functional
    torch.set_num_threads(1)
    weights = [torch.tensor(w, requires_grad=True) for w in first_weights()]
    table, kernel, bias = weights
    optimizer = torch.optim.Adam(weights, lr=RATE, eps=1e-7)

    def step(batch: Batch) -> Any:
        words, lengths, kinds = batch
        starts = torch.from_numpy(np.cumsum(lengths) - lengths)
        means = f.embedding_bag(torch.from_numpy(words).long(), table, starts, mode="mean")
        loss = f.binary_cross_entropy(torch.sigmoid(means @ kernel + bias), torch.from_numpy(kinds))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def loop_job(settings: Settings, make: str, options: dict[str, str]) -> Job:
    steps = 20 if options.get("package") == "tensorflow" else 100
    step: Step = globals()[make](**options)
    seed = 0

    def measure() -> dict[str, float]:
        nonlocal seed
        seed += 1
        todo = batches(steps, seed)
        before = time.perf_counter()
        for batch in todo:
            step(batch)
        return {ROW: (time.perf_counter() - before) / steps}

    def check() -> dict[str, float]:
        once: Step = globals()[make](**options)
        losses = [float(once(batch)) for batch in batches(CHECKED_STEPS, 0)]
        return {"first loss": losses[0], "last loss": losses[-1]}

    measure()
    return Job(measure, check)


def contender(name: str, make: str, needs: tuple[str, ...], rounds: int | None = None, **options: str) -> Contender:
    return Contender(name, f"{__name__}:loop_job", needs, {"make": make, "options": options}, rounds=rounds)


FIGURE = Figure(
    name="changing_shapes",
    title="Sentences of 50 to 199 words, 32 a batch: embedding, mean, sigmoid, Adam; one eager step, shapes never met before",
    contenders=(
        contender(OURS, "ragged_step", ("tensorsmith",), package="tensorsmith", keras_name="tensorsmith.keras"),
        contender("PyTorch's EmbeddingBag", "torch_step", ("torch",)),
        contender(
            "TensorFlow", "ragged_step", ("tensorflow", "tf_keras"), 5, package="tensorflow", keras_name="tf_keras"
        ),
    ),
    targets=(Target(ROW, 0.25, "TensorFlow"),),
    rounds=(11, 4),
    agree=1e-3,
)
