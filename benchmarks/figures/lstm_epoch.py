"""An epoch of a small LSTM model by `fit`: sequences of 50 steps and 8 features, 64 units, squared error, SGD."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.hiding import VARIABLE
from benchmarks.settings import Settings

STEADY, CALL = "further epoch", "call of one epoch"
ROWS, BATCH, STEPS, FEATURES, UNITS, RATE = 1600, 32, 50, 8, 64, 0.05
CHECKED_EPOCHS = 3

# trains so many epochs and gives the mean loss of the last one
Train = Callable[[int], float]


def problem() -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Sequences, their targets, and the first weights: of the inputs, of the state, bias; of the output, its bias."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, STEPS, FEATURES)).astype(np.float32)
    y = x[:, -5:].mean((1, 2), keepdims=True)[:, 0]
    shapes = (FEATURES, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,), (UNITS, 1), (1,)
    weights = [
        rng.standard_normal(shape) / np.sqrt(shape[0]) if len(shape) == 2 else np.zeros(shape) for shape in shapes
    ]
    return x, y, [w.astype(np.float32) for w in weights]


def by_fit(package: str, shuffle: bool) -> Train:
    keras: Any = import_module(package)
    keras = getattr(keras, "keras", keras)
    x, y, weights = problem()
    layers = [keras.Input(shape=(STEPS, FEATURES)), keras.layers.LSTM(UNITS), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.set_weights(weights)
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(RATE))

    def train(epochs: int) -> float:
        history = model.fit(x, y, batch_size=BATCH, epochs=epochs, shuffle=shuffle, verbose=0).history
        return float(history["loss"][-1])

    return train


def by_jax(package: str, shuffle: bool) -> Train:
    """By hand: an epoch is one compiled scan over its steps, each with a scan over time."""
    jax: Any = import_module(package)
    jnp = jax.numpy
    x, y, weights = jax.device_put(problem())
    rng = np.random.default_rng(1)

    def objective(weights: list[Any], x: Any, y: Any) -> Any:
        w, u, b, v, d = weights

        def cell(state: Any, x: Any) -> tuple[Any, None]:
            h, c = state
            i, f, g, o = jnp.split(x @ w + h @ u + b, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        zeros = jnp.zeros((BATCH, UNITS))
        (h, _), _ = jax.lax.scan(cell, (zeros, zeros), jnp.swapaxes(x, 0, 1))
        return jnp.mean(jnp.square(h @ v + d - y))

    def epoch(weights: list[Any], order: Any) -> tuple[list[Any], Any]:
        def step(weights: list[Any], rows: Any) -> tuple[list[Any], Any]:
            loss, gradients = jax.value_and_grad(objective)(weights, x[rows], y[rows])
            return [a - RATE * g for a, g in zip(weights, gradients, strict=True)], loss

        weights, losses = jax.lax.scan(step, weights, order.reshape(-1, BATCH))
        return weights, jnp.mean(losses)

    compiled = jax.jit(epoch, donate_argnums=0)

    def train(epochs: int) -> float:
        nonlocal weights
        loss = 0.0
        for _ in range(epochs):
            weights, loss = compiled(weights, rng.permutation(ROWS) if shuffle else np.arange(ROWS))
        return float(loss)

    return train


def by_torch(package: str, shuffle: bool) -> Train:
    torch: Any = import_module(package)
    torch.set_num_threads(1)
    x, y, (w, u, b, v, d) = problem()
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    lstm, dense = torch.nn.LSTM(FEATURES, UNITS, batch_first=True), torch.nn.Linear(UNITS, 1)
    with torch.no_grad():
        for parameter, value in zip(
            [*lstm.parameters(), *dense.parameters()], [w.T, u.T, b, b * 0, v.T, d], strict=True
        ):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
    # the others have one bias
    lstm.bias_hh_l0.requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in (*lstm.parameters(), *dense.parameters()) if p.requires_grad], RATE)

    def train(epochs: int) -> float:
        losses = []
        for _ in range(epochs):
            order = torch.randperm(ROWS) if shuffle else torch.arange(ROWS)
            losses = []
            for rows in order.split(BATCH):
                optimizer.zero_grad()
                loss = torch.nn.functional.mse_loss(dense(lstm(x[rows])[0][:, -1]), y[rows])
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
        return float(torch.stack(losses).mean())

    return train


def epoch_job(settings: Settings, make: str, package: str) -> Job:
    train: Train = globals()[make](package, True)
    train(1)
    train(2)
    more = 1 if settings.quick else 3

    def seconds(epochs: int) -> float:
        start = time.perf_counter()
        train(epochs)
        return time.perf_counter() - start

    def measure() -> dict[str, float]:
        one = statistics.median(seconds(1) for _ in range(3))
        return {STEADY: (seconds(1 + more) - one) / more, CALL: one}

    def check() -> dict[str, float]:
        return {"loss": globals()[make](package, False)(CHECKED_EPOCHS)}

    return Job(measure, check)


def contender(
    name: str, make: str, *packages: str, env: dict[str, str] | None = None, rounds: int | None = None
) -> Contender:
    options = {"make": make, "package": packages[0]}
    return Contender(name, f"{__name__}:epoch_job", packages, options, env or {}, rounds=rounds)


JAX = "JAX by hand"
FIGURE = Figure(
    name="lstm_epoch",
    title="Steady epoch of an LSTM by fit: 1,600 sequences of 50 steps, batch 32, 64 units",
    contenders=(
        contender(OURS, "by_fit", "tensorsmith", "jax"),
        contender(JAX, "by_jax", "jax"),
        contender(
            "Keras 3 on JAX",
            "by_fit",
            "keras",
            "jax",
            env={"KERAS_BACKEND": "jax", VARIABLE: "tensorflow,pandas,sklearn"},
        ),
        contender(
            "Keras 3 on TensorFlow",
            "by_fit",
            "keras",
            "tensorflow",
            env={"KERAS_BACKEND": "tensorflow", VARIABLE: "pandas,sklearn"},
            rounds=3,
        ),
        contender("PyTorch by hand", "by_torch", "torch", rounds=5),
    ),
    targets=(Target(STEADY, 1.1, JAX),),
    rounds=(9, 3),
    agree=1e-3,
)
